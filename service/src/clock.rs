//! The wall clock, which is read here and nowhere else.

use crate::limits::CLOCK_STEP;
use segue_compiler::value::Millis;
use std::{
    fmt::Debug,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// What tells the time.
pub trait Clock: Debug + Send + Sync {
    /// The present, in milliseconds since 1970.
    fn now(&self) -> Millis;
}

/// The clock of this machine. It may be set back; who needs that it is not sees to it.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> Millis {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis::try_from(now.as_millis()).unwrap_or(Millis::MAX)
    }
}

/// A clock that stands where another is set back, until that one has come as far again.
#[derive(Debug)]
pub struct Steady {
    clock: Arc<dyn Clock>,
    latest: AtomicI64,
}

impl Steady {
    /// Goes by another clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, latest: AtomicI64::new(Millis::MIN) }
    }
}

impl Clock for Steady {
    fn now(&self) -> Millis {
        let now = self.clock.now();
        self.latest.fetch_max(now, Ordering::SeqCst).max(now)
    }
}

/// For how long this has been asked, by a clock that nobody sets.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub(crate) fn running() -> Duration {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed()
}

/// Notices that a clock is set: that it goes on by another time than has gone by.
#[derive(Debug)]
pub(crate) struct Steps {
    /// By how much it was ahead of the time that has gone by.
    ahead: Millis,
}

impl Steps {
    pub(crate) fn new(now: Millis, running: Duration) -> Self {
        Self { ahead: ahead(now, running) }
    }

    /// By how much the clock was set since this was last asked, back where it is negative; what is small is none.
    pub(crate) fn step(&mut self, now: Millis, running: Duration) -> Option<Millis> {
        let ahead = ahead(now, running);
        let step = ahead.saturating_sub(std::mem::replace(&mut self.ahead, ahead));
        (step.saturating_abs() >= CLOCK_STEP).then_some(step)
    }
}

fn ahead(now: Millis, running: Duration) -> Millis {
    now.saturating_sub(Millis::try_from(running.as_millis()).unwrap_or(Millis::MAX))
}

/// A clock that is set by hand, for tests.
#[derive(Debug, Default)]
pub struct SetClock(AtomicI64);

impl SetClock {
    /// Sets it.
    pub fn set(&self, now: Millis) {
        self.0.store(now, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Millis {
        self.0.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_clock_is_not_set_back() {
        let clock = Arc::new(SetClock::default());
        let steady = Steady::new(clock.clone());
        let at = |now| {
            clock.set(now);
            steady.now()
        };
        assert_eq!([1_000, 2_000, 500, 1_999, 2_001].map(at), [1_000, 2_000, 2_000, 2_000, 2_001]);
    }

    #[test]
    fn only_a_clock_that_is_set_makes_a_step() {
        let running = Duration::from_secs;
        let mut steps = Steps::new(100_000, running(7));
        // It goes, a little too fast and a little too slow, and however seldom it is looked at.
        assert_eq!(steps.step(101_000, running(8)), None);
        assert_eq!(steps.step(4_000_000, running(3_910)), None);
        assert_eq!(steps.step(4_005_000, running(3_915)), None);
        // It is set back by an hour, once, and ahead by two.
        assert_eq!(steps.step(406_000, running(3_916)), Some(-3_600_000));
        assert_eq!(steps.step(407_000, running(3_917)), None);
        assert_eq!(steps.step(7_608_000, running(3_918)), Some(7_200_000));
        assert_eq!(steps.step(7_609_000, running(3_919)), None);
    }
}
