//! The syntax tree: what the author wrote, nothing resolved, every node with its span.

mod action;
mod condition;
mod declaration;
mod test;

pub use action::{Arm, Content, ContentValue, FileRef, Step, StepKind, WaitFor, WaitUntil, WaitWhat};
pub use condition::{
    Aggregate, Anchor, Arithmetic, Bound, Comparison, Duration, Element, Expr, ExprKind, Literal, NumberText,
    Path, Pattern, PatternEvents, Sequence, TextTest, Times, Window, WindowKind,
};
pub use declaration::{
    Defaults, EventDecl, FieldDecl, Let, ProfileDecl, Rate, Segment, Suppress, Topic, TopicElse, TypeExpr,
    TypeKind, Use,
};
pub use test::{ExpectedAction, Moment, Statement, StatementKind, Test};

use crate::span::Span;

/// A word or quoted name as written (quotes removed, escapes resolved), with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// The text.
    pub text: String,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// One source file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    /// Declarations in the order written; those with syntax errors are left out.
    pub items: Vec<Item>,
    /// Those that are left out.
    pub unread: Vec<Unread>,
}

/// A declaration that could not be read, as far as its first words tell what it declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// `event`, `rule` …
    pub word: String,
    /// Its name, without quotes; empty where it bears none.
    pub name: String,
}

/// A declaration.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each variant is named after its declaration")]
pub enum Item {
    Use(Use),
    Event(EventDecl),
    Profile(ProfileDecl),
    Let(Let),
    Segment(Segment),
    Topic(Topic),
    Defaults(Defaults),
    Suppress(Suppress),
    Rule(Rule),
    Test(Test),
}

impl Item {
    /// The whole declaration.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Use(it) => it.span,
            Self::Event(it) => it.span,
            Self::Profile(it) => it.span,
            Self::Let(it) => it.span,
            Self::Segment(it) => it.span,
            Self::Topic(it) => it.span,
            Self::Defaults(it) => it.span,
            Self::Suppress(it) => it.span,
            Self::Rule(it) => it.span,
            Self::Test(it) => it.span,
        }
    }
}

/// A rule. Clauses and steps are each kept in the order written; spans tell how they are interleaved.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The name.
    pub name: Name,
    /// The title.
    pub title: Option<Name>,
    /// Its clauses.
    pub clauses: Vec<Clause>,
    /// Its steps.
    pub steps: Vec<Step>,
    /// The whole declaration.
    pub span: Span,
}

/// One clause of a rule or of `defaults`.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// What it says.
    pub kind: ClauseKind,
    /// The whole clause.
    pub span: Span,
}

/// The kinds of clauses.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each variant is named after its keyword")]
pub enum ClauseKind {
    When(Trigger),
    OnlyIf(Expr),
    StillIf(Expr),
    StopWhen(StopWhen),
    LimitOnce,
    LimitPer { count: NumberText, per: Duration },
    OverlapSkip,
    OverlapRestart,
    OverlapPer(Path),
    Topic(Name),
    Transactional,
    Quiet(Quiet),
    Holdout(NumberText),
    Goal { pattern: Pattern, within: Option<Duration> },
    Priority(NumberText),
    Was(Name),
    StartCold,
    LateAfter(Duration),
    LateNever,
}

/// What ends a run that waits.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there are few of them, and boxes would burden every reader")]
pub enum StopWhen {
    /// A new event.
    Event(Pattern),
    /// A condition that starts to hold.
    Condition(Expr),
}

/// `quiet 21:00 to 08:00 on sunday where … else skip then spread 30 minutes`.
#[derive(Clone, Debug, PartialEq)]
pub struct Quiet {
    /// Start of the quiet time, as written (`21:00`).
    pub from: Name,
    /// End of the quiet time.
    pub to: Name,
    /// Days; all when empty.
    pub days: Vec<Name>,
    /// For whom.
    pub filter: Option<Expr>,
    /// Whether `else skip` follows.
    pub skip: bool,
    /// Spread after the end.
    pub spread: Option<Duration>,
}

/// What starts a rule.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there are few of them, and boxes would burden every reader")]
pub enum Trigger {
    /// Each match of a sequence.
    Sequence(Sequence),
    /// `enters segment`.
    Enters(Name),
    /// `leaves segment`.
    Leaves(Name),
    /// `every monday, friday at 09:00`; `every day` has the single name `day`.
    Every {
        /// Days.
        days: Vec<Name>,
        /// Time of day as written.
        at: Name,
    },
    /// `every year on profile.birth_date at 09:00`.
    Yearly {
        /// The date field.
        field: Path,
        /// Time of day as written.
        at: Name,
    },
    /// `3 days before profile.renewal at 09:00`.
    Offset {
        /// How far.
        duration: Duration,
        /// Whether before (else after).
        before: bool,
        /// The date or time field.
        field: Path,
        /// Time of day as written.
        at: Option<Name>,
    },
    /// A bare condition, which the checker answers.
    Condition(Expr),
}
