//! A load that is held for long: what is acknowledged is decided in time, and memory and files stay as large as they are.

use super::{Bodies, Options, Result, Served, pace, send_all, serving, told, told_of};
use segue_bench::{
    measure::median,
    memory::{Memory, mib},
    stream::{Shape, Stream},
};
use segue_service::clock::{Clock, WallClock};
use std::{fs, iter, path::Path, sync::Mutex, thread, time::Duration};

/// How much of the log is kept: an hour of events would be more than most disks have to spare.
const LOG_BYTES: u64 = 1 << 30;
/// How often memory is looked at.
const MEMORY_EVERY: Duration = Duration::from_secs(2);
/// Which part of the events must have been taken for the load to have been held: it takes a moment to begin.
const HELD: f64 = 0.98;
/// How late decisions may come after acknowledgement, and deadlines may be, at the 99th percentile, in milliseconds.
const DECIDED_WITHIN: i64 = 20;
const LATE: i64 = 10;
/// How much more memory than in the middle third there may be in the last one, in percent.
const MORE_MEMORY: f64 = 10.0;

pub(super) fn run(options: &Options, minutes: u64) -> Result<()> {
    let due = options.rate.unwrap_or(1).max(1) * minutes * 60;
    // As many are on the site at once however short it is.
    let shape = Shape { customers: options.customers, events: due.max(options.rate.unwrap_or(1) * 3_600) };
    let bodies = Mutex::new(Bodies { stream: Stream::new(shape), run: 0, batch: options.batch });
    let ends = WallClock.now() + i64::try_from(minutes * 60_000)?;
    // They are made when it is time for them, so that making them takes as much at any moment.
    let client = |_| {
        let next = || bodies.lock().ok()?.next().filter(|_| WallClock.now() < ends);
        iter::from_fn(next)
    };
    let Served { done: (answers, memory), status, asked } = serving(options, Some(LOG_BYTES), |address| {
        thread::scope(|scope| {
            let sending =
                scope.spawn(|| send_all(address, (0..options.clients.max(1)).map(client), pace(options)));
            let mut memory = Vec::new();
            while !sending.is_finished() {
                thread::sleep(MEMORY_EVERY);
                memory.extend(Memory::taken().map(|it| mib(it.now)));
            }
            (sending.join().map(|seen| seen.answers).unwrap_or_default(), memory)
        })
    })?;
    let events = answers.len() * options.batch;
    println!(
        "{minutes} minutes: {events} events acknowledged on disk, {:.0} a second; a batch answered {}; from acknowledgement to decision {}; deadlines {} late{}; files {:.0} MiB in the end; memory in each tenth {:.0?} MiB",
        events as f64 / (minutes * 60) as f64,
        super::answered(&answers),
        told(&status.delay),
        told(&status.lateness),
        told_of(&asked),
        mib(size(&options.folder.join("data"))),
        parts(&memory, 10),
    );
    if (events as f64) < due as f64 * HELD {
        return Err("the load was not held".into());
    }
    for (what, histogram, most) in
        [("decisions come", &status.delay, DECIDED_WITHIN), ("deadlines are", &status.lateness, LATE)]
    {
        if histogram.quantile(990).is_none_or(|late| late > most) {
            return Err(format!("{what} later than {most} ms at the 99th percentile").into());
        }
    }
    match parts(&memory, 3).get(1..) {
        Some(&[middle, last]) if last > middle * (1.0 + MORE_MEMORY / 100.0) => {
            Err(format!("memory is not flat: from {middle:.0} to {last:.0} MiB").into())
        }
        _ => Ok(()),
    }
}

/// The median of each of so many equal parts.
fn parts(figures: &[f64], parts: usize) -> Vec<f64> {
    let each = figures.len().div_ceil(parts).max(1);
    figures.chunks(each).map(|part| median(part.to_vec())).collect()
}

/// How many bytes lie in a folder.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(about) if about.is_dir() => size(&entry.path()),
        Ok(about) => about.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
