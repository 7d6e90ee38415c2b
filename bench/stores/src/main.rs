//! Checkpoints in the store of Segue, and in fjall: the same changed customers, batch by batch, each durable, then a start
//! that reads everything.
//!
//! `cargo run --release` prints one table; `STORE_KEYS`, `STORE_BATCHES` and `STORE_ROUNDS` make it smaller or larger.

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use segue_runtime::live::Change;
use segue_service::{
    disk::RealDisk,
    store::{Checkpoint, Store},
};
use std::{
    error::Error,
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// How many customers change between two checkpoints.
const BATCH: u64 = 1_000;
/// How many bytes are kept of each: about what twenty rules keep of somebody who acts often.
const BYTES: usize = 500;
/// How many customers are written at once at the beginning.
const FILL: u64 = 20_000;

/// What is measured of a store.
trait Peer: Sized {
    const NAME: &str;

    fn open(folder: &Path) -> Outcome<Self>;

    /// Keeps changes, in order of their keys. They are on disk afterwards.
    fn keep(&mut self, changes: Vec<Change>) -> Outcome<()>;

    /// Opens it once more and reads everything; gives how many keys there are and the sum of the lengths of their values.
    fn recover(folder: &Path) -> Outcome<(u64, u64)>;
}

struct Segue {
    store: Store,
    position: u64,
}

impl Peer for Segue {
    const NAME: &str = "Segue";

    fn open(folder: &Path) -> Outcome<Self> {
        let (store, _) = Store::open(Arc::new(RealDisk), folder)?;
        Ok(Self { store, position: 0 })
    }

    fn keep(&mut self, changes: Vec<Change>) -> Outcome<()> {
        self.position += 1;
        self.store.keep(&Checkpoint { position: self.position, notes: Vec::new(), changes })?;
        // As the service does after each.
        self.store.tidy()?;
        Ok(())
    }

    fn recover(folder: &Path) -> Outcome<(u64, u64)> {
        let (_, found) = Store::open(Arc::new(RealDisk), folder)?;
        let values = found.ok_or("nothing is there")?.values;
        Ok((values.len() as u64, values.iter().map(|(_, value)| value.len() as u64).sum()))
    }
}

struct Fjall {
    database: Database,
    keys: Keyspace,
}

impl Peer for Fjall {
    const NAME: &str = "fjall";

    fn open(folder: &Path) -> Outcome<Self> {
        let database = Database::builder(folder).open()?;
        let keys = database.keyspace("customers", KeyspaceCreateOptions::default)?;
        Ok(Self { database, keys })
    }

    fn keep(&mut self, changes: Vec<Change>) -> Outcome<()> {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        for Change { key, value } in changes {
            match value {
                Some(value) => batch.insert(&self.keys, key, value),
                None => batch.remove(&self.keys, key),
            }
        }
        batch.commit()?;
        Ok(())
    }

    fn recover(folder: &Path) -> Outcome<(u64, u64)> {
        let store = Self::open(folder)?;
        let mut seen = (0, 0);
        for pair in store.keys.iter() {
            // Both to memory of one's own, as customers' states have.
            let (key, value) = pair.into_inner()?;
            let (key, value) = (key.to_vec(), value.to_vec());
            seen = (seen.0 + u64::from(!key.is_empty()), seen.1 + value.len() as u64);
        }
        Ok(seen)
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A changed customer: keys are a kind, a hash and an id, as those of the service are; states hardly pack.
    fn change(&mut self, number: u64) -> Change {
        let mut key = vec![1];
        key.extend_from_slice(&Random(number).next().to_be_bytes());
        key.extend_from_slice(format!("customer-{number}").as_bytes());
        let mut value = Vec::with_capacity(BYTES + 8);
        while value.len() < BYTES {
            value.extend_from_slice(&self.next().to_le_bytes());
        }
        value.truncate(BYTES);
        Change { key, value: Some(value) }
    }

    fn changes(&mut self, numbers: impl Iterator<Item = u64>) -> Vec<Change> {
        let mut changes: Vec<Change> = numbers.map(|number| self.change(number)).collect();
        changes.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        changes.dedup_by(|a, b| a.key == b.key);
        changes
    }
}

/// What a round took.
#[derive(Clone, Copy)]
struct Row {
    keep: Duration,
    slowest: Duration,
    written: u64,
    recover: Duration,
}

fn round<P: Peer>(keys: u64, batches: u64) -> Outcome<Row> {
    let folder = tempfile::tempdir_in(".")?;
    let mut random = Random(1);
    let mut store = P::open(folder.path())?;
    for start in (0..keys).step_by(FILL as usize) {
        store.keep(random.changes(start..keys.min(start + FILL)))?;
    }
    let (mut keep, mut slowest) = (Duration::ZERO, Duration::ZERO);
    let before = written()?;
    for _ in 0..batches {
        let numbers: Vec<u64> = (0..BATCH).map(|_| random.next() % keys).collect();
        let changes = random.changes(numbers.into_iter());
        let begun = Instant::now();
        store.keep(changes)?;
        let took = begun.elapsed();
        (keep, slowest) = (keep + took, slowest.max(took));
    }
    // With what goes on beside, until it ends.
    let begun = Instant::now();
    drop(store);
    keep += begun.elapsed();
    let written = written()? - before;
    let begun = Instant::now();
    let seen = P::recover(folder.path())?;
    let recover = begun.elapsed();
    if seen != (keys, keys * BYTES as u64) {
        return Err(format!("{} has {seen:?}", P::NAME).into());
    }
    Ok(Row { keep, slowest, written, recover })
}

/// How many bytes the process had written to disks so far.
fn written() -> Outcome<u64> {
    let io = fs::read_to_string("/proc/self/io")?;
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    Ok(line.ok_or("the system does not say what was written")?.parse()?)
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The median of one figure.
fn median<T: Ord + Copy>(rows: &[Row], of: impl Fn(&Row) -> T) -> Option<T> {
    let mut figures: Vec<T> = rows.iter().map(of).collect();
    figures.sort_unstable();
    figures.get(figures.len() / 2).copied()
}

fn main() -> Outcome<()> {
    let keys = setting("STORE_KEYS", 1_000_000);
    let (batches, rounds) = (setting("STORE_BATCHES", 300), setting("STORE_ROUNDS", 3));
    let (mut segue, mut fjall) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        segue.push(round::<Segue>(keys, batches)?);
        fjall.push(round::<Fjall>(keys, batches)?);
    }
    println!("{keys} keys of {BYTES} bytes, {batches} batches of {BATCH}, each durable; medians of {rounds} rounds\n");
    println!("| store | records/s | slowest batch | bytes written for each that changed | start: everything read |");
    println!("| --- | --- | --- | --- | --- |");
    let mut totals = Vec::new();
    for (name, rows) in [(Segue::NAME, &segue), (Fjall::NAME, &fjall)] {
        let (Some(keep), Some(slowest), Some(written), Some(recover)) = (
            median(rows, |row| row.keep),
            median(rows, |row| row.slowest),
            median(rows, |row| row.written),
            median(rows, |row| row.recover),
        ) else {
            return Err("there were no rounds".into());
        };
        let changed = (batches * BATCH) as f64;
        println!(
            "| {name} | {:.0} | {:.0} ms | {:.1} | {:.2} s |",
            changed / keep.as_secs_f64(),
            slowest.as_secs_f64() * 1e3,
            written as f64 / (changed * BYTES as f64),
            recover.as_secs_f64()
        );
        totals.push((keep.as_secs_f64(), recover.as_secs_f64()));
    }
    if let [(keep, recover), (other_keep, other_recover)] = totals[..] {
        println!("\nSegue keeps {:.2} × and starts {:.2} × as fast as fjall", other_keep / keep, other_recover / recover);
    }
    Ok(())
}
