//! Rules: what starts them, and what keeps them in check.

use super::{Expr, FieldPath, Goal, Pattern, Quiet, ScheduleId, SegmentId, SequenceId, Step, TopicId};
use crate::share::Share;
use std::sync::Arc;

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name.
    pub name: Arc<str>,
    /// Its title.
    pub title: Option<Arc<str>>,
    /// What starts it.
    pub trigger: Trigger,
    /// Decided when triggered.
    pub only_if: Option<Expr>,
    /// Asked again before every send.
    pub still_if: Option<Expr>,
    /// Ends a run that waits or is held.
    pub stop_when: Option<StopWhen>,
    /// Runs per customer.
    pub limit: Option<Limit>,
    /// What a trigger does while a run is under way.
    pub overlap: Overlap,
    /// What its messages need consent for; `None` for transactional rules and rules that send nothing.
    pub topic: Option<TopicId>,
    /// Whether it is outside consent, topics and quiet hours.
    pub transactional: bool,
    /// When its messages are held; nothing for transactional rules.
    pub quiet: Vec<Quiet>,
    /// The part of customers that get none of its messages.
    pub holdout: Option<Share>,
    /// What it is for.
    pub goal: Option<Goal>,
    /// Who goes first.
    pub priority: i64,
    /// The name that it had.
    pub was: Option<Arc<str>>,
    /// Whether it takes effect before the log reaches back as far as it looks.
    pub start_cold: bool,
    /// How long after it was due a message still goes out where the service was down; `None` when it is never too late.
    pub late_after: Option<i64>,
    /// What it does.
    pub steps: Vec<Step>,
}

impl Rule {
    /// What limits, holdout, runs and the ids of actions go by: the name that it had, else its name.
    #[must_use]
    pub fn identity(&self) -> &Arc<str> {
        self.was.as_ref().unwrap_or(&self.name)
    }

    /// Whether it is an earlier version, which nothing triggers any more.
    #[must_use]
    pub fn is_former(&self) -> bool {
        matches!(self.trigger, Trigger::Former { .. })
    }
}

/// What starts a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Each match.
    Sequence(SequenceId),
    /// The change of a segment to held.
    Enters(SegmentId),
    /// The change of a segment to not held.
    Leaves(SegmentId),
    /// Each occurrence of a schedule.
    Schedule(ScheduleId),
    /// Nothing: an earlier version of the rule that follows, whose runs under way finish as they began.
    Former {
        /// What triggered it, where events did.
        sequence: Option<SequenceId>,
        /// What tells versions apart.
        version: u64,
    },
}

impl Trigger {
    /// The sequence whose matches are or were the triggers.
    #[must_use]
    pub fn sequence(self) -> Option<SequenceId> {
        match self {
            Self::Sequence(id) => Some(id),
            Self::Former { sequence, version: _ } => sequence,
            Self::Enters(_) | Self::Leaves(_) | Self::Schedule(_) => None,
        }
    }
}

/// What ends a run that waits or is held.
#[derive(Clone, Debug, PartialEq)]
pub enum StopWhen {
    /// A new event.
    Event(Pattern),
    /// A condition that starts to hold.
    Condition(Expr),
}

/// How many runs a customer can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// One ever.
    Once,
    /// `count` in `per` milliseconds, rolling.
    Per {
        /// How many.
        count: u32,
        /// In how many milliseconds.
        per: i64,
    },
}

/// What a trigger does while a run is under way.
#[derive(Clone, Debug, PartialEq)]
pub enum Overlap {
    /// It is recorded as `running`.
    Skip,
    /// It starts the run anew.
    Restart,
    /// Runs with other values of this field of `event` go on beside it.
    Per(FieldPath),
}
