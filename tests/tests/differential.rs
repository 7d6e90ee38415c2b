//! Machine code against the reference interpreter on random programs and histories.
//!
//! `SEGUE_SEEDS=200000 cargo test --release -p segue-tests --test differential -- --nocapture` tries more of them,
//! `SEGUE_FIRST=N` begins at another seed. `SEGUE_HISTORIES=N` is how many histories each program gets.

use segue_tests::difference::{Comparison, compare};
use std::{
    collections::BTreeMap,
    panic::resume_unwind,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

/// How many programs a run of the tests tries.
const SEEDS: u64 = 4_000;
/// How many histories each of them gets: making a program ready costs as much as several of them.
const HISTORIES: u64 = 6;
/// How many pairs of a program and a history must agree in a run of the tests.
const PAIRS: u64 = 20_000;
/// The share of programs, in percent, that must pass the checker.
const PASS_PERCENT: u64 = 80;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What came of some seeds.
#[derive(Default)]
struct Tally {
    agreed: u64,
    records: usize,
    refused: BTreeMap<&'static str, u64>,
    /// The first difference.
    differed: Option<String>,
}

/// Takes seeds as long as there are any, so that all processors have something to do.
fn work(next: &AtomicU64, end: u64, histories: u64) -> Tally {
    let mut tally = Tally::default();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return tally;
        }
        match compare(seed, usize::try_from(histories).unwrap_or(1)) {
            Comparison::Agreed(count) => {
                tally.agreed += 1;
                tally.records += count;
            }
            Comparison::Refused(codes) => {
                for code in codes.into_iter().take(1) {
                    *tally.refused.entry(code).or_default() += 1;
                }
            }
            Comparison::Differed(difference) => {
                tally.differed = Some(format!(
                    "{difference}\n\nagain: SEGUE_FIRST={seed} SEGUE_SEEDS=1 cargo test -p segue-tests --test differential"
                ));
                return tally;
            }
        }
    }
}

#[test]
fn machine_code_agrees_with_the_reference() {
    let (first, seeds) = (setting("SEGUE_FIRST", 0), setting("SEGUE_SEEDS", SEEDS));
    let histories = setting("SEGUE_HISTORIES", HISTORIES);
    let threads = setting("SEGUE_THREADS", thread::available_parallelism().map_or(1, |it| it.get() as u64));
    let next = AtomicU64::new(first);
    let tallies: Vec<Tally> = thread::scope(|scope| {
        let all: Vec<_> =
            (0..threads.max(1)).map(|_| scope.spawn(|| work(&next, first + seeds, histories))).collect();
        all.into_iter().map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    if let Some(difference) = tallies.iter().find_map(|it| it.differed.as_ref()) {
        panic!("{difference}");
    }
    let agreed: u64 = tallies.iter().map(|it| it.agreed).sum();
    let records: usize = tallies.iter().map(|it| it.records).sum();
    let mut refused: BTreeMap<&str, u64> = BTreeMap::new();
    for (code, count) in tallies.iter().flat_map(|it| &it.refused) {
        *refused.entry(code).or_default() += count;
    }
    println!(
        "{agreed} of {seeds} programs passed the checker and agreed on {histories} histories each: {} pairs, {records} records; refused: {refused:?}",
        agreed * histories
    );
    assert!(
        agreed * 100 >= seeds * PASS_PERCENT || seeds < 100,
        "too few programs pass the checker: {refused:?}"
    );
    assert!(agreed * histories >= PAIRS || seeds < SEEDS, "too few pairs are compared");
    assert!(records > 0 || seeds < 100, "nothing happened in any history");
}
