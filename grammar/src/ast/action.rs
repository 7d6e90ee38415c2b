//! What rules do, step by step.

use super::{Duration, Expr, Name, NumberText, Path, Pattern};
use crate::span::Span;

/// An action or a wait.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it does.
    pub kind: StepKind,
    /// The whole step.
    pub span: Span,
}

/// The kinds of steps.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each variant is named after its keyword")]
pub enum StepKind {
    Send { channel: Name, content: Content },
    Reply { content: Content },
    Call { hook: Name, fields: Vec<(Name, ContentValue)> },
    Wait { duration: Duration, at: Option<Name> },
    WaitUntil(WaitUntil),
    WaitFor(WaitFor),
    If { arms: Vec<(Expr, Vec<Step>)>, otherwise: Option<Vec<Step>> },
    Split(Vec<Arm>),
    Set { field: Path, value: Expr },
    GrantConsent { channel: Name, topic: Option<Name> },
    WithdrawConsent { channel: Name, topic: Option<Name> },
    Emit { event: Name, fields: Vec<(Name, Expr)> },
    Stop,
}

/// `wait until …`.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there are few of them, and boxes would burden every reader")]
pub enum WaitUntil {
    /// `wait until 10:00`.
    Time(Name),
    /// `wait until monday 10:00`.
    Weekday(Name, Name),
    /// `wait until [3 days before] EXPR [at 10:00]`.
    Moment {
        /// How far, and whether before.
        offset: Option<(Duration, bool)>,
        /// The moment.
        value: Expr,
        /// Time of day.
        at: Option<Name>,
    },
}

/// `wait up to 3 days for a click { … } otherwise { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitFor {
    /// How long at most.
    pub up_to: Duration,
    /// For what.
    pub what: WaitWhat,
    /// Steps when it came.
    pub steps: Vec<Step>,
    /// Steps when it did not.
    pub otherwise: Option<Vec<Step>>,
}

/// What a wait waits for.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there are few of them, and boxes would burden every reader")]
pub enum WaitWhat {
    /// An event, of this run or not.
    Event {
        /// The pattern.
        pattern: Pattern,
        /// Whether `of this run` follows.
        of_this_run: bool,
    },
    /// `a click`, `an open`, `a reply`, `a delivery`: the second word, and a filter.
    Engagement {
        /// `click`, `open`, `reply` or `delivery`.
        word: Name,
        /// After `where`.
        filter: Option<Expr>,
    },
}

/// `name 50% { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// The arm's name.
    pub name: Name,
    /// Its share, without the percent sign.
    pub share: NumberText,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there are few of them, and boxes would burden every reader")]
pub enum Content {
    /// A template.
    Template(Name),
    /// Fields.
    Fields(Vec<(Name, ContentValue)>, Span),
    /// A file.
    File(FileRef),
}

/// A field of a message or payload.
#[derive(Clone, Debug, PartialEq)]
pub enum ContentValue {
    /// A string, which is a template.
    Template(Name),
    /// A value.
    Value(Expr),
    /// A file.
    File(FileRef),
    /// Fields within.
    Object(Vec<(Name, ContentValue)>, Span),
}

/// `file "name" by EXPR else "variant"`.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRef {
    /// The file.
    pub name: Name,
    /// The value that selects a variant, and the variant when none fits.
    pub by: Option<(Expr, Name)>,
    /// The whole phrase.
    pub span: Span,
}
