//! What an event feeds, moves and may change.

use super::{CellId, NodeId};
use crate::typed::{Anchor, EventId, SegmentId, SequenceId, schedule::Schedule};
use std::collections::BTreeMap;

/// What happens when an event of one name is applied.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Handler {
    /// Cells that it may feed.
    pub feeds: Vec<CellId>,
    /// Roles that it may play in sequences.
    pub roles: Vec<Role>,
    /// Segments that it may change, in order of evaluation.
    pub touched: Vec<Touched>,
}

/// A level that an event may change.
#[derive(Clone, Debug, PartialEq)]
pub struct Touched {
    /// The segment, or the level beyond them.
    pub segment: SegmentId,
    /// The cells of which one must have been fed for a change; `None`: it may change anyhow.
    pub fed_by: Option<Vec<CellId>>,
}

/// A role in a sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    /// The sequence.
    pub sequence: SequenceId,
    /// The element; [`NO_ELEMENT`] for the event that must not come.
    pub element: u32,
    /// The condition.
    pub filter: NodeId,
}

/// The element number of the event that must not come.
pub const NO_ELEMENT: u32 = 62;

/// A sequence as the engine's matcher needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct SequencePlan {
    /// Which first events are kept.
    pub anchor: Anchor,
    /// Whether only the first such event ever begins it.
    pub first_time: bool,
    /// For each element the longest time since the one before, in milliseconds.
    pub within: Vec<i64>,
    /// How long the last event must not come.
    pub then_no: Option<i64>,
    /// The slots that must be the same, by event: slots may differ between the events of a sequence.
    pub same: BTreeMap<EventId, Vec<u32>>,
    /// Cells fed by its matches.
    pub feeds: Vec<CellId>,
    /// Rules triggered by its matches, in order.
    pub rules: Vec<u32>,
}

impl SequencePlan {
    /// Whether it is a single event, each of which is a match.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.within.len() == 1
            && self.then_no.is_none()
            && !self.first_time
            && self.same.values().all(Vec::is_empty)
    }
}

/// A schedule as the engine follows it.
#[derive(Clone, Debug, PartialEq)]
pub struct SchedulePlan {
    /// When it comes round.
    pub schedule: Schedule,
    /// Rules that it triggers, in order.
    pub rules: Vec<u32>,
}
