//! Checked tests: names resolved, times absolute, values typed.

use super::{EventId, SegmentId};
use crate::{
    record::{Change, Reason},
    value::{Millis, Value},
};
use segue_grammar::span::Span;
use std::sync::Arc;

/// A test.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// Its title.
    pub title: Arc<str>,
    /// Whether holdouts are obeyed.
    pub holdouts: bool,
    /// When it begins.
    pub start: Millis,
    /// What happens, and what is expected, in order.
    pub statements: Vec<Statement>,
    /// Where it stands.
    pub span: Span,
}

/// A statement of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The time that the test has reached with it; never before that of the statement above.
    pub time: Millis,
    /// What it says.
    pub kind: StatementKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of statements.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// A customer becomes known, or something new of one who is.
    Customer {
        /// The customer.
        customer: Arc<str>,
        /// What is known: an object of traits.
        traits: Value,
    },
    /// A customer does something.
    Event {
        /// The customer.
        customer: Arc<str>,
        /// The event.
        event: EventId,
        /// Its fields: an object.
        fields: Value,
    },
    /// No message, call or reply from the time of the statement above to this one's, both included.
    ExpectNothing,
    /// A rule does something.
    ExpectAction {
        /// The rule.
        rule: Arc<str>,
        /// The customer; any when `None`.
        customer: Option<Arc<str>>,
        /// When; at any time up to this statement's when `None`.
        at: Option<Millis>,
        /// What.
        action: Action,
        /// Text within the message or payload.
        containing: Option<Arc<str>>,
    },
    /// A rule's run or action is kept back.
    ExpectOutcome {
        /// The rule.
        rule: Arc<str>,
        /// The customer; any when `None`.
        customer: Option<Arc<str>>,
        /// When; at any time up to this statement's when `None`.
        at: Option<Millis>,
        /// How.
        outcome: ExpectedOutcome,
    },
    /// A customer enters or leaves a segment.
    ExpectSegment {
        /// The customer.
        customer: Arc<str>,
        /// When; at any time up to this statement's when `None`.
        at: Option<Millis>,
        /// Which way.
        change: Change,
        /// The segment.
        segment: SegmentId,
    },
}

/// What a rule is expected to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A message on this channel.
    Send(Arc<str>),
    /// A message on the channel of the event that it answers.
    Reply,
    /// A call of this hook.
    Call(Arc<str>),
    /// A change of this profile field, or of consent, as records name it; to this value if it is said.
    Set {
        /// The field: its name, or `consent.CHANNEL`, or `consent.CHANNEL.TOPIC`.
        field: Arc<str>,
        /// Its new value.
        value: Option<Value>,
    },
    /// This event.
    Emit(Arc<str>),
}

/// How a rule is expected to be kept back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedOutcome {
    /// For this reason; for any when `None`.
    Suppressed(Option<Reason>),
    /// Its message is held.
    Held,
}
