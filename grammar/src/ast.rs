//! The syntax tree: what the author wrote, nothing resolved, every node with its span.

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

/// `use ecommerce` or `use "path"`.
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    /// The pack's name or the path.
    pub target: Name,
    /// Whether it was quoted, that is, a path.
    pub is_path: bool,
    /// The whole declaration.
    pub span: Span,
}

/// `event "Name" { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct EventDecl {
    /// Whether `passive` stands before it.
    pub passive: bool,
    /// The event's name.
    pub name: Name,
    /// Its fields.
    pub fields: Vec<FieldDecl>,
    /// The whole declaration.
    pub span: Span,
}

/// `profile { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileDecl {
    /// Its fields.
    pub fields: Vec<FieldDecl>,
    /// The whole declaration.
    pub span: Span,
}

/// `name: type? = literal`.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDecl {
    /// The field.
    pub name: Name,
    /// Its type.
    pub ty: TypeExpr,
    /// Whether `?` follows.
    pub optional: bool,
    /// The default, only meaningful in a profile.
    pub default: Option<Expr>,
}

/// A type as written.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeExpr {
    /// What it is.
    pub kind: TypeKind,
    /// Where it stands.
    pub span: Span,
}

/// The forms of a type.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// `text`, `number`, … or a word that is no type.
    Named(String),
    /// `list of T`.
    List(Box<TypeExpr>),
    /// `{ name: T, … }`.
    Object(Vec<FieldDecl>),
}

/// `let name = …`.
#[derive(Clone, Debug, PartialEq)]
pub struct Let {
    /// The name.
    pub name: Name,
    /// `value if condition` arms; empty for a plain `let`.
    pub arms: Vec<(Expr, Expr)>,
    /// The value, or the one after `otherwise`; `None` when arms stand without `otherwise`.
    pub value: Option<Expr>,
    /// The whole declaration.
    pub span: Span,
}

/// `segment name "title" { condition }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// The name.
    pub name: Name,
    /// The title.
    pub title: Option<Name>,
    /// The condition.
    pub condition: Expr,
    /// The whole declaration.
    pub span: Span,
}

/// `topic name "title" within other { rates else … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Topic {
    /// The name.
    pub name: Name,
    /// The title.
    pub title: Option<Name>,
    /// The topic it lies within.
    pub within: Option<Name>,
    /// Its rates.
    pub rates: Vec<Rate>,
    /// What happens above a rate.
    pub otherwise: Option<TopicElse>,
    /// The whole declaration.
    pub span: Span,
}

/// `sms 1 per 1 day`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    /// The channel it is for; all when absent.
    pub channel: Option<Name>,
    /// How many.
    pub count: NumberText,
    /// In how long, rolling.
    pub per: Duration,
    /// The whole rate.
    pub span: Span,
}

/// What happens to a message above a topic's rate.
#[derive(Clone, Debug, PartialEq)]
pub enum TopicElse {
    /// `else skip`.
    Skip(Span),
    /// `else hold up to DURATION`; the span is the whole phrase.
    Hold(Duration, Span),
}

/// `defaults { clauses }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Defaults {
    /// The clauses.
    pub clauses: Vec<Clause>,
    /// The whole declaration.
    pub span: Span,
}

/// `suppress topic on channel for segment name`.
#[derive(Clone, Debug, PartialEq)]
pub struct Suppress {
    /// The topic.
    pub topic: Name,
    /// The channel; all when absent.
    pub channel: Option<Name>,
    /// The segment.
    pub segment: Name,
    /// The whole declaration.
    pub span: Span,
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
