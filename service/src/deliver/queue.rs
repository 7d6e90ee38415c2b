//! Decisions that wait for their channel.

use crate::{
    clock::Clock,
    host::At,
    limits::{LONGEST_PAUSE, LONGEST_SLEEP},
};
use segue_compiler::{record::ActionId, value::Millis};
use std::{
    collections::BTreeMap,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A decision that is to be delivered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    pub(super) id: ActionId,
    pub(super) at: At,
    /// A hash of whom it is for.
    pub(super) customer: u64,
    /// How often it failed.
    pub(super) tries: u32,
    /// When it was tried first.
    pub(super) since: Option<Millis>,
    /// When it may be tried.
    pub(super) ready_at: Millis,
}

/// Those of one channel: in the order in which they were decided, those that failed at their time. There are no more of
/// them than the outbox holds.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    arrival: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: BTreeMap<(Millis, At), Job>,
    is_stopped: bool,
}

impl Queue {
    pub(super) fn push(&self, job: Job) {
        self.lock().jobs.insert((job.ready_at, job.at), job);
        self.arrival.notify_one();
    }

    /// The next one, as soon as there is one; none when there is to be an end.
    pub(super) fn pop(&self, clock: &dyn Clock) -> Option<Job> {
        let mut waiting = self.lock();
        while !waiting.is_stopped {
            let now = clock.now();
            let first = waiting.jobs.first_key_value().map(|((ready_at, _), _)| *ready_at);
            // Nobody waits for longer: where it seems so, the clock was set back.
            let has_come = |ready_at| ready_at <= now || ready_at > now.saturating_add(LONGEST_PAUSE);
            if first.is_some_and(has_come) {
                return waiting.jobs.pop_first().map(|(_, job)| job);
            }
            let until = first.map_or(LONGEST_SLEEP, |ready_at| {
                Duration::from_millis(u64::try_from(ready_at - now).unwrap_or_default()).min(LONGEST_SLEEP)
            });
            let woken = self.arrival.wait_timeout(waiting, until);
            waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        None
    }

    pub(super) fn forget(&self, customer: u64) {
        self.lock().jobs.retain(|_, job| job.customer != customer);
    }

    pub(super) fn stop(&self) {
        self.lock().is_stopped = true;
        self.arrival.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing is left half done in here.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
