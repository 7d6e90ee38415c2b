//! Rules as the engine runs them.

use super::{ConditionId, ValueId, WatchId};
use crate::{
    share::Share,
    typed::{About, EventId, FieldId, TemplateId, TopicId, Until},
};
use std::sync::Arc;

/// A rule as the engine runs it.
#[derive(Clone, Debug, PartialEq)]
pub struct RulePlan {
    /// Decided when triggered.
    pub only_if: Option<ConditionId>,
    /// Asked before every send.
    pub still_if: Option<ConditionId>,
    /// The value that tells runs apart.
    pub overlap_per: Option<ValueId>,
    /// For whom each of its quiet times is; for everybody when `None`.
    pub quiet: Vec<Option<ConditionId>>,
    /// What it is for.
    pub goal: Option<GoalPlan>,
    /// The condition that stops a run when it starts to hold.
    pub stop_condition: Option<WatchId>,
    /// The event that stops a run.
    pub stop_event: Option<Heard>,
    /// The event that the trigger says must not come, which stops a run, too.
    pub stop_no: Option<Heard>,
    /// Its steps, one after the other; a run's place is a position here, and at the end it is over.
    pub operations: Vec<Op>,
}

/// What a rule is for, as the engine looks for it.
#[derive(Clone, Debug, PartialEq)]
pub struct GoalPlan {
    /// The events.
    pub event: Heard,
    /// Whether their condition looks at what triggered the run.
    pub of_trigger: bool,
    /// How many milliseconds after the first message of a run it counts.
    pub within: i64,
}

/// Events that a run which waits listens for.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// Which; `None`: any.
    pub events: Option<Vec<EventId>>,
    /// The condition on [`super::FrameRef::This`].
    pub filter: Option<ConditionId>,
    /// Which messages they must be about.
    pub about: About,
    /// The slots of their fields `message` and `channel`, where they must be about messages of the run.
    pub slots: [u32; 2],
}

/// One thing that a run does.
#[derive(Clone, Debug, PartialEq)]
pub struct Op {
    /// The number of the step that it belongs to.
    pub step: u32,
    /// What it does.
    pub kind: OpKind,
}

/// The kinds of operations.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "as in `typed::StepKind`")]
pub enum OpKind {
    Send {
        channel: Arc<str>,
        to: Option<Content>,
        content: Vec<(Arc<str>, Content)>,
    },
    Call {
        hook: Arc<str>,
        payload: Vec<(Arc<str>, Content)>,
    },
    Set {
        field: FieldId,
        value: ValueId,
    },
    SetConsent {
        channel: Arc<str>,
        topic: Option<TopicId>,
        granted: bool,
    },
    Emit {
        event: EventId,
        fields: Vec<(Arc<str>, ValueId)>,
    },
    Reply {
        channel: ValueId,
        to: Option<Content>,
        content: Vec<(Arc<str>, Content)>,
    },
    Wait(Until<ValueId>),
    /// Goes on at the next position when an event comes, at another when the time is up.
    WaitFor {
        up_to: i64,
        heard: Heard,
        otherwise: u32,
    },
    /// Goes on at one of some positions.
    Split(Vec<(Share, u32)>),
    Stop,
    /// Goes on at a position.
    Jump(u32),
    /// Goes on at a position unless the condition holds.
    Unless(ConditionId, u32),
}

/// A field of a message or payload.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "as in `typed::ContentValue`")]
pub enum Content {
    Template(TemplateId),
    Value(ValueId),
    Variant { by: ValueId, variants: Vec<(Arc<str>, TemplateId)>, otherwise: TemplateId },
    Object(Vec<(Arc<str>, Content)>),
}

impl Heard {
    /// Whether an event is one of them.
    #[must_use]
    pub fn concerns(&self, event: Option<EventId>) -> bool {
        self.events.as_ref().is_none_or(|events| event.is_some_and(|event| events.contains(&event)))
    }
}
