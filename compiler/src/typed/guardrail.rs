//! What keeps messages back, and what they are for.

use super::{Expr, Pattern, SegmentId, TopicId};
use std::sync::Arc;

/// What customers consent to, and how often.
#[derive(Clone, Debug, PartialEq)]
pub struct Topic {
    /// Its name.
    pub name: Arc<str>,
    /// The topic it lies within.
    pub within: Option<TopicId>,
    /// Its rates.
    pub rates: Vec<Rate>,
    /// For how many milliseconds a message above a rate waits for room; it is not sent when `None`.
    pub hold: Option<i64>,
}

/// At most `count` messages in `per`, rolling.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    /// The channel; all when `None`.
    pub channel: Option<Arc<str>>,
    /// How many.
    pub count: u32,
    /// In how many milliseconds.
    pub per: i64,
}

/// Messages of a topic (and of those within it) that a segment does not get.
#[derive(Clone, Debug, PartialEq)]
pub struct Suppression {
    /// The topic.
    pub topic: TopicId,
    /// The channel; all when `None`.
    pub channel: Option<Arc<str>>,
    /// The segment.
    pub segment: SegmentId,
}

/// A time of day at which customers are left in peace.
#[derive(Clone, Debug, PartialEq)]
pub struct Quiet {
    /// Its start, in minutes past midnight.
    pub from: i64,
    /// Its end, on the next day unless it is later than the start.
    pub to: i64,
    /// On which days it begins, from Monday.
    pub days: [bool; 7],
    /// For whom; for everybody when `None`.
    pub condition: Option<Expr>,
    /// Whether messages are not sent at all instead of later.
    pub skip: bool,
    /// Over how many milliseconds after its end held messages are spread.
    pub spread: i64,
}

/// What a rule is for: an event that customers do after its messages.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// The event.
    pub pattern: Pattern,
    /// Whether it looks at what triggered the run.
    pub of_trigger: bool,
    /// How many milliseconds after the first message of a run it counts.
    pub within: i64,
}
