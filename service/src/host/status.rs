//! How a host is.

use segue_compiler::{
    record::{Reason, Record},
    value::Millis,
};
use segue_runtime::live::Tally;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What is counted and measured. All of it is since the start, but for what is so at present.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// How many entries the log has on disk.
    pub written: u64,
    /// How many of them were handed to the customers.
    pub applied: u64,
    /// When the last of those was received.
    pub received_at: Option<Millis>,
    /// How often the clock was set back, and how often it went forward at once.
    pub clock_steps: [u64; 2],
    /// By how many milliseconds the clock is behind what was received last, if it is so by more than a little: for so long time
    /// stands.
    pub clock_behind: i64,
    /// Groups that could not be written because the disk is full or fails.
    pub failed_writes: u64,
    /// Whether the last try to write failed.
    pub is_full: bool,
    /// Whether decisions wait because they cannot be written down.
    pub is_stuck: bool,
    /// Whether a thread has failed, so that nothing goes on.
    pub is_broken: bool,
    /// Customers.
    pub customers: usize,
    /// What became of calls, since the beginning of the log or the checkpoint that it started from.
    pub tally: Tally,
    /// Things decided, by kind and reason.
    pub decided: BTreeMap<(&'static str, &'static str), u64>,
    /// From when a group of calls was received until all of it was decided, in milliseconds.
    pub delay: Histogram,
    /// How long after its instant a deadline was decided, in milliseconds.
    pub lateness: Histogram,
    /// Decisions that are to be delivered, those that are held included.
    pub pending: usize,
    /// By rule that the fuse has stopped, how many messages it holds.
    pub held: BTreeMap<String, usize>,
    /// Deliveries that were taken.
    pub delivered: u64,
    /// Deliveries that were given up.
    pub failed: u64,
    /// Ids that were erased and are still to be taken out of what was written of them.
    pub erasing: usize,
    /// The position of the last checkpoint.
    pub checkpoint: u64,
    /// When it was made.
    pub checkpoint_at: Option<Millis>,
    /// Checkpoints that could not be written.
    pub failed_checkpoints: u64,
}

/// Upper ends of the ranges that a histogram tells apart, in milliseconds.
pub const BUCKETS: [i64; 14] = [1, 2, 3, 5, 7, 10, 15, 20, 50, 100, 250, 1_000, 10_000, 60_000];

/// How often something took how long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// By range of [`BUCKETS`]; the last is of what is beyond.
    pub counts: [u64; BUCKETS.len() + 1],
    /// The sum of all.
    pub sum: i64,
}

impl Histogram {
    /// Counts what took so long, so often. Where a clock was set back meanwhile, it took no time.
    pub fn add(&mut self, millis: i64, times: u64) {
        let millis = millis.max(0);
        let bucket = BUCKETS.partition_point(|end| *end < millis);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += times;
        }
        self.sum = self.sum.saturating_add(millis.saturating_mul(i64::try_from(times).unwrap_or(i64::MAX)));
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The upper end of the range up to which so many of a thousand lie; none when it is beyond all, or nothing was counted.
    #[must_use]
    pub fn quantile(&self, of_thousand: u64) -> Option<i64> {
        let wanted = (self.count() * of_thousand).div_ceil(1_000);
        let mut seen = 0;
        let bucket = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted && seen > 0
        });
        bucket.and_then(|bucket| BUCKETS.get(bucket)).copied()
    }
}

impl Status {
    pub(super) fn count(&mut self, record: &Record) {
        let reason = match record {
            Record::Suppressed(it) => it.reason.word(),
            Record::Held(it) => Reason::word(it.reason),
            Record::Send(_) | Record::Call(_) | Record::Segment(_) | Record::Set(_) | Record::Emit(_) => "",
        };
        *self.decided.entry((record.kind(), reason)).or_default() += 1;
    }
}

pub(super) fn read(status: &Mutex<Status>) -> Status {
    lock(status).clone()
}

pub(super) fn lock(status: &Mutex<Status>) -> MutexGuard<'_, Status> {
    // Nothing is left half done in there.
    status.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_upper_ends() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(990), None);
        histogram.add(1, 98);
        histogram.add(4, 1);
        histogram.add(1_000_000, 1);
        assert_eq!([500, 980, 990].map(|it| histogram.quantile(it)), [Some(1), Some(1), Some(5)]);
        assert_eq!((histogram.quantile(1_000), histogram.count()), (None, 100));
        let sum = histogram.sum;
        histogram.add(-3_600_000, 1);
        assert_eq!((histogram.counts[0], histogram.sum), (99, sum));
    }
}
