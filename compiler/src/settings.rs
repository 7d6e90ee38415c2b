//! What belongs to the place of use and changes what rules mean there.

use crate::time::Zone;

/// Settings that both executors obey. Durations in milliseconds.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The project's time zone, for customers without one of their own.
    pub time_zone: Zone,
    /// For how long calls are held, and put in order of time, before they are applied.
    pub settle: i64,
    /// How old a late event may be and still start something.
    pub lateness: i64,
    /// For how long of event time message ids are kept.
    pub dedupe: i64,
    /// What an unrecorded consent means.
    pub consent: ConsentPolicy,
    /// Whether holdouts are obeyed; tests of rules turn them off.
    pub holdouts: bool,
    /// Where the log of events begins that is applied, if customers may be older than it: a rule that looks further back
    /// does not know what it asks for, and is cold.
    pub log_from: Option<crate::value::Millis>,
    /// The end of time: events after it are not applied.
    pub until: Option<crate::value::Millis>,
    /// How many message ids of a customer are kept; another number is for tests that look beyond bounds.
    #[doc(hidden)]
    pub max_ids: usize,
}

/// What an unrecorded consent means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentPolicy {
    /// No.
    Required,
    /// Yes, in replays only; it never beats a recorded no.
    Assumed,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            time_zone: Zone::utc(),
            settle: 0,
            lateness: 10 * 60_000,
            dedupe: 24 * 3_600_000,
            consent: ConsentPolicy::Required,
            holdouts: true,
            log_from: None,
            until: None,
            max_ids: crate::limits::MAX_IDS,
        }
    }
}
