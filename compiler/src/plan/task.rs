//! What may be asked of a plan, whoever carries it out: machine code or an interpreter.

use super::{ConditionId, ValueId, WatchId};
use crate::typed::EventId;

/// One thing that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// To apply an event: what it feeds, moves and changes. Gives the earliest next deadline of what was evaluated.
    Event {
        /// Which; `None`: one that is not declared.
        event: Option<EventId>,
        /// Whether a deadline is due, so that every level is evaluated.
        due: bool,
    },
    /// To evaluate every level. Gives the earliest next deadline.
    Evaluate,
    /// Whether a condition holds, as 0 or 1.
    Condition(ConditionId),
    /// Whether a watched condition holds, as 0 or 1; the earliest instant at which that may change is left in the header.
    Watch(WatchId),
    /// A value, which is left in the header.
    Value(ValueId),
}
