//! What rules ask: expressions, and what customers did.

use super::Name;
use crate::span::Span;

/// A condition or a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// The forms of an expression.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields are named after their part in the phrase")]
pub enum ExprKind {
    Literal(Literal),
    Path(Path),
    Call { function: Name, arguments: Vec<Expr> },
    Arithmetic { operator: Arithmetic, left: Box<Expr>, right: Box<Expr> },
    Compare { operator: Comparison, left: Box<Expr>, right: Box<Expr> },
    Between { value: Box<Expr>, low: Box<Expr>, high: Box<Expr> },
    In { value: Box<Expr>, negated: bool, choices: Vec<Expr> },
    TextTest { value: Box<Expr>, negated: bool, test: TextTest, operand: Box<Expr> },
    IsKnown { value: Box<Expr>, negated: bool },
    Not(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Did { sequence: Sequence, times: Option<Times>, window: Option<Window> },
    Regularly { pattern: Pattern, at_least: NumberText, of_last: NumberText, unit: Name },
    NoActivity(Duration),
    KnownFor(Duration),
    AtLeastOf { count: NumberText, conditions: Vec<Expr> },
    InSegment { segment: Name, negated: bool },
    Held { condition: Box<Expr>, duration: Duration },
    Count { pattern: Pattern, window: Option<Window> },
    Aggregate { function: Aggregate, value: Box<Expr>, pattern: Pattern, window: Option<Window> },
    LastOf { count: NumberText, pattern: Pattern, distinct_by: Option<Path>, window: Option<Window> },
    TimeSince { first: bool, pattern: Pattern },
    Streak { pattern: Pattern, unit: Name },
}

/// Digits as written, underscores and percent sign removed: `1000`, `19.99`, `-3`.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberText {
    /// The digits.
    pub text: String,
    /// Where they stand.
    pub span: Span,
}

/// A literal.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// Text, escapes resolved.
    Text(String),
    /// A number, digits as in [`NumberText`].
    Number(String),
    /// A percentage, digits without the sign.
    Percent(String),
    /// `true` or `false`.
    Boolean(bool),
    /// A duration.
    Duration(Duration),
    /// `2026-01-31`.
    Date(String),
    /// `2026-01-31 08:00` (also `08:00:30` and `08:00:30.250`).
    Instant(String),
    /// `08:00`.
    Time(String),
    /// `[a, b]`, in tests.
    List(Vec<Expr>),
    /// `{ a: 1 }`, in tests.
    Object(Vec<(Name, Expr)>),
}

/// `90 days`: the digits and the unit in the singular (`millisecond second minute hour day week`; `month` and `year` are
/// parsed and answered by the checker).
#[derive(Clone, Debug, PartialEq)]
pub struct Duration {
    /// The digits; `1` for `the last day`.
    pub amount: String,
    /// The unit, singular.
    pub unit: String,
    /// Where it stands.
    pub span: Span,
}

/// `profile.first_name`, `event."Cart ID"`, `price`.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Its parts, at least one.
    pub parts: Vec<Name>,
    /// Where it stands.
    pub span: Span,
}

/// `+ - * /`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is its operator")]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// `= != < <= > >=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is its operator")]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Tests on text and lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is its operator")]
pub enum TextTest {
    Contains,
    StartsWith,
    EndsWith,
    Matches,
}

/// What a value is made of over several events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is its word")]
pub enum Aggregate {
    Sum,
    Average,
    Smallest,
    Largest,
    First,
    Last,
    MostFrequent,
    DistinctCount,
}

/// `each "A" as a then "B" within 2 hours then no "C" within 1 day with same cart_id`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    /// `each` or `earliest` before the first element.
    pub anchor: Anchor,
    /// Its elements that must come, at least one.
    pub elements: Vec<Element>,
    /// The last element that must not come.
    pub then_no: Option<Element>,
    /// Fields that must be the same.
    pub same: Vec<Path>,
    /// Where it stands.
    pub span: Span,
}

/// Which first events are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Anchor {
    /// The latest, the default.
    Latest,
    /// `earliest`.
    Earliest,
    /// `each`.
    Each,
}

/// One element of a sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    /// Its pattern.
    pub pattern: Pattern,
    /// Where `for the first time` stands, if it does.
    pub first_time: Option<Span>,
    /// The name after `as`.
    pub name: Option<Name>,
    /// The duration after `within`; the checker demands it for all but the first.
    pub within: Option<Duration>,
    /// Where the element stands, from `then` on.
    pub span: Span,
}

/// `"Event" where …`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// The events.
    pub events: PatternEvents,
    /// The condition on one event.
    pub filter: Option<Box<Expr>>,
    /// Where it stands.
    pub span: Span,
}

/// Which events a pattern looks at.
#[derive(Clone, Debug, PartialEq)]
pub enum PatternEvents {
    /// `"A"` or `any of ("A", "B")`.
    Named(Vec<Name>),
    /// `any event`.
    Any(Span),
}

/// `at least 3 times`.
#[derive(Clone, Debug, PartialEq)]
pub struct Times {
    /// At least, at most or exactly.
    pub bound: Bound,
    /// How many.
    pub count: NumberText,
    /// Where it stands.
    pub span: Span,
}

/// The bounds of `times`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is its words")]
pub enum Bound {
    AtLeast,
    AtMost,
    Exactly,
}

/// A stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Which.
    pub kind: WindowKind,
    /// Where it stands.
    pub span: Span,
}

/// The forms of a window.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each variant is named after its words")]
pub enum WindowKind {
    InTheLast(Duration),
    Ago { from: Duration, to: Duration },
    Since(Box<Expr>),
    InThisMatch,
    ThisSession,
    Today,
    ThisWeek,
    ThisMonth,
    CalendarDays(NumberText),
}
