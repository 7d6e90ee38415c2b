//! What tests of rules say.

use super::{Duration, Expr, Name, Path};
use crate::span::Span;

/// A test.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// Its title.
    pub title: Name,
    /// Its statements.
    pub statements: Vec<Statement>,
    /// The whole declaration.
    pub span: Span,
}

/// A statement of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What it says.
    pub kind: StatementKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of statements.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields are named after their part in the phrase")]
pub enum StatementKind {
    Customer {
        name: Name,
        fields: Vec<(Name, Expr)>,
    },
    Event {
        at: Moment,
        customer: Name,
        event: Name,
        fields: Vec<(Name, Expr)>,
    },
    ExpectNothing {
        until: Option<Moment>,
        duration: Option<Duration>,
    },
    ExpectAction {
        rule: Name,
        customer: Option<Name>,
        at: Option<Moment>,
        action: ExpectedAction,
        containing: Option<Name>,
    },
    ExpectOutcome {
        rule: Name,
        customer: Option<Name>,
        at: Option<Moment>,
        held: bool,
        reason: Option<Name>,
    },
    ExpectSegment {
        customer: Name,
        at: Option<Moment>,
        enter: bool,
        segment: Name,
    },
    HoldoutOn,
}

/// An instant in a test.
#[derive(Clone, Debug, PartialEq)]
pub enum Moment {
    /// `2026-01-05 10:00`.
    Instant(Name),
    /// `+2 hours`.
    After(Duration),
}

/// What a rule is expected to do.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each variant is named after its step")]
pub enum ExpectedAction {
    Send(Name),
    Call(Name),
    Reply,
    Set { field: Path, value: Option<Box<Expr>> },
    Emit(Name),
    Consent { channel: Name, topic: Option<Name>, granted: bool },
}
