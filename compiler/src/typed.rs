//! The checked program: names resolved to positions, every expression with its type. Data only.

pub mod guardrail;
mod judged;
mod pattern;
pub mod rewrite;
mod rule;
pub mod schedule;
pub mod test;
pub mod visit;
pub mod wait;
pub mod words;

pub use crate::calendar::{Calendar, Unit};
use crate::{
    succession::Made,
    types::{Field, Type},
    value::{Millis, Value},
};
pub use guardrail::{Goal, Quiet, Rate, Suppression, Topic};
pub use judged::Judged;
pub use pattern::{EventSet, Pattern, Window};
pub use rule::{Limit, Overlap, Rule, StopWhen, Trigger};
pub use segue_grammar::ast::{Aggregate, Anchor, Arithmetic, Bound, Comparison, TextTest};
use segue_grammar::span::Span;
use std::sync::Arc;
pub use wait::{About, Arm, Awaited, Until};

/// Position in [`Program::events`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u32);
/// Position in [`Program::profile`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(pub u32);
/// Position in [`Program::lets`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LetId(pub u32);
/// Position in [`Program::segments`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(pub u32);
/// Position in [`Program::held`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeldId(pub u32);
/// Position in [`Program::topics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId(pub u32);
/// Position in [`Program::sequences`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SequenceId(pub u32);
/// Position in [`Program::schedules`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduleId(pub u32);
/// Position in [`Program::templates`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateId(pub u32);

/// A checked project.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    /// Every event that is declared or used by a pack, in order of first declaration.
    pub events: Vec<EventType>,
    /// Every profile field, the built-in ones first.
    pub profile: Vec<ProfileField>,
    /// Named values, each after those it uses.
    pub lets: Vec<Let>,
    /// Segments in order of evaluation: each after those it uses, directly or through lets; otherwise by name.
    pub segments: Vec<Segment>,
    /// Topics; a topic stands after the one it lies within.
    pub topics: Vec<Topic>,
    /// `suppress TOPIC … for segment …`.
    pub suppressions: Vec<Suppression>,
    /// Rules in the order in which they are triggered within an instant: highest priority first, then by name.
    pub rules: Vec<Rule>,
    /// Every sequence that needs a matcher: those of triggers, and those of `did` that are more than a plain pattern.
    pub sequences: Vec<Sequence>,
    /// Every schedule that triggers rules, each once.
    pub schedules: Vec<schedule::Schedule>,
    /// Every template.
    pub templates: Vec<Template>,
    /// Tests in the order written.
    pub tests: Vec<test::Test>,
    /// Every condition that must hold without a break, each after those within it.
    pub held: Vec<Held>,
    /// Whether anything asks for sessions.
    pub sessions: bool,
    /// Each change of rules that customers have been through, where these rules took the place of others.
    pub changes: Vec<Change>,
    /// Since which change the customer's own activity is remembered; 0: from the beginning.
    pub active_since: u32,
}

/// A change of rules under way. What is remembered since the n-th one was filled from the log then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// When it was.
    pub at: Millis,
    /// From when on the log told of everything that came in; all that ever did when `None`.
    pub log_from: Option<Millis>,
    /// What rules had made until then, of which no log tells.
    pub made: Made,
}

crate::packed!(Change { at, log_from, made });

/// A condition of which is asked how long it has held.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// The condition; it looks neither at an event nor at a match.
    pub condition: Expr,
    /// For how many milliseconds.
    pub duration: i64,
    /// Since which change of rules it is remembered; 0: from the beginning.
    pub since: u32,
}

/// A declared event.
#[derive(Clone, Debug, PartialEq)]
pub struct EventType {
    /// Its name, as trackers send it.
    pub name: Arc<str>,
    /// Whether it is done to the customer, so that it is no activity.
    pub passive: bool,
    /// Its fields.
    pub fields: Vec<Field>,
    /// How many of the last fields are declared no more: only runs that began before that look at them.
    pub former: usize,
}

impl EventType {
    /// The fields that are declared now.
    #[must_use]
    pub fn declared(&self) -> &[Field] {
        self.fields.get(..self.fields.len().saturating_sub(self.former)).unwrap_or_default()
    }
}

/// A field of the profile. `consent` is not among them (see [`ExprKind::Consent`]).
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileField {
    /// Its name and type.
    pub field: Field,
    /// Its value while nothing was recorded: the declared default, else missing.
    pub default: Value,
}

/// A named value.
#[derive(Clone, Debug, PartialEq)]
pub struct Let {
    /// Its name.
    pub name: Arc<str>,
    /// `value if condition`, in order.
    pub arms: Vec<(Expr, Expr)>,
    /// The value when no arm's condition holds.
    pub value: Expr,
}

/// A condition with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Its name.
    pub name: Arc<str>,
    /// Its title.
    pub title: Option<Arc<str>>,
    /// Its condition.
    pub condition: Expr,
}

/// One step of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its position in the rule from 1, counted in the order written, steps within `if` included.
    pub number: u32,
    /// What it does.
    pub kind: StepKind,
}

/// The kinds of steps.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// A message.
    Send {
        /// `sms`, `email`, `push` or another.
        channel: Arc<str>,
        /// The address, when `to` is written.
        to: Option<ContentValue>,
        /// The fields of the message; a bare string is the field `text`.
        content: Content,
    },
    /// A call of a system.
    Call {
        /// The hook's name.
        hook: Arc<str>,
        /// What it is given.
        payload: Content,
    },
    /// Sets a profile field.
    Set {
        /// The field.
        field: FieldId,
        /// Its new value.
        value: Expr,
    },
    /// `grant consent` and `withdraw consent`.
    SetConsent {
        /// The channel.
        channel: Arc<str>,
        /// The topic; all when `None`.
        topic: Option<TopicId>,
        /// Whether it is granted.
        granted: bool,
    },
    /// An event of the customer's, made by the rule.
    Emit {
        /// The event.
        event: EventId,
        /// Its fields.
        fields: Vec<(Arc<str>, Expr)>,
    },
    /// The first arm whose condition holds, else the last steps.
    If {
        /// Conditions and their steps.
        arms: Vec<(Expr, Vec<Step>)>,
        /// Steps when none holds.
        otherwise: Vec<Step>,
    },
    /// A message on the channel of the event that it answers.
    Reply {
        /// The channel.
        channel: Expr,
        /// The address, when `to` is written.
        to: Option<ContentValue>,
        /// As in [`StepKind::Send`].
        content: Content,
    },
    /// Nothing is done for a while.
    Wait(Until<Expr>),
    /// Nothing is done until an event comes, or the time is up.
    WaitFor {
        /// How many milliseconds at most.
        up_to: i64,
        /// For what.
        what: Awaited,
        /// Steps when it came.
        steps: Vec<Step>,
        /// Steps when it did not.
        otherwise: Vec<Step>,
    },
    /// One arm's steps, the same for the same run.
    Split(Vec<Arm>),
    /// The run ends.
    Stop,
}

/// Fields of a message or payload, in the order written.
pub type Content = Vec<(Arc<str>, ContentValue)>;

/// A field of a message or payload.
#[derive(Clone, Debug, PartialEq)]
pub enum ContentValue {
    /// Text with places to fill in.
    Template(TemplateId),
    /// A value.
    Value(Expr),
    /// A template chosen by a value.
    Variant {
        /// The text that chooses.
        by: Expr,
        /// Variants by that text.
        variants: Vec<(Arc<str>, TemplateId)>,
        /// The one when none fits.
        otherwise: TemplateId,
    },
    /// Fields within.
    Object(Content),
}

/// A MiniJinja template and the names that it reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// Its text.
    pub source: Arc<str>,
    /// Whether values are escaped for HTML.
    pub html: bool,
    /// The profile fields it reads.
    pub profile: Vec<FieldId>,
    /// The named values it reads.
    pub lets: Vec<LetId>,
    /// The events it reads and, for each, the top-level fields (`at`, `message_id`, `event_name` included).
    pub events: Vec<(EventRole, Vec<Arc<str>>)>,
}

/// An event that an expression can look at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EventRole {
    /// In a `where` or the value of an aggregate: the event that is looked at.
    This,
    /// `event`: the last event of the trigger's match; for `then no` the one it waits from.
    Trigger,
    /// `answer`: the event that ended a wait.
    Answer,
    /// A named element of the trigger's match, by its position in [`Sequence::elements`], and its name.
    Element(u32, Arc<str>),
}

/// A field of an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FieldPath {
    /// `at`: its time.
    At,
    /// `message_id`.
    MessageId,
    /// `event_name`.
    EventName,
    /// A declared field and a path into it.
    Property(Vec<Arc<str>>),
}

/// An expression with its type.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its type.
    pub ty: Type,
    /// Where it stands.
    pub span: Span,
}

impl PartialEq for Expr {
    /// Equality ignores places, so that the same condition written twice is one.
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.ty == other.ty
    }
}

/// The forms of an expression. Conditions have type boolean.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields are named after their part in the phrase")]
pub enum ExprKind {
    Literal(Value),
    /// A profile field and a path into it.
    Profile {
        field: FieldId,
        path: Vec<Arc<str>>,
    },
    /// `profile.consent.CHANNEL[.TOPIC]`: what is recorded, else missing.
    Consent {
        channel: Arc<str>,
        topic: Option<TopicId>,
    },
    /// A field of an event.
    Field {
        of: EventRole,
        path: FieldPath,
    },
    Let(LetId),
    Call {
        function: Function,
        arguments: Vec<Expr>,
    },
    Arithmetic {
        operator: Arithmetic,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    Compare {
        operator: Comparison,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    Between {
        value: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
    },
    /// `value in [choices]`; negation is a [`ExprKind::Not`] around it, here and below.
    In {
        value: Box<Expr>,
        choices: Vec<Expr>,
    },
    /// On text: substring, prefix, suffix, regular expression (a literal). On a list: `contains` one of its items.
    TextTest {
        value: Box<Expr>,
        test: TextTest,
        operand: Box<Expr>,
    },
    IsKnown(Box<Expr>),
    Not(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    AtLeastOf {
        count: u32,
        conditions: Vec<Expr>,
    },
    InSegment(SegmentId),
    /// Counted occurrences against a bound.
    Did {
        what: Occurrence,
        bound: Bound,
        count: u32,
        window: Window,
    },
    /// No active event within, and known for that long. Milliseconds.
    NoActivity(i64),
    /// Milliseconds since first seen.
    KnownFor(i64),
    /// Whether a condition has held for so many milliseconds without a break, at every instant that was judged.
    Held {
        id: HeldId,
        condition: Box<Expr>,
        duration: i64,
    },
    Count {
        pattern: Pattern,
        window: Window,
    },
    Aggregate {
        function: Aggregate,
        value: Box<Expr>,
        pattern: Pattern,
        window: Window,
    },
    /// The newest `count` matching events as objects, newest first.
    LastOf {
        count: u32,
        pattern: Pattern,
        distinct_by: Option<FieldPath>,
        window: Window,
    },
    TimeSince {
        first: bool,
        pattern: Pattern,
    },
    /// Whether it happened in at least `count` of the `last` days or weeks, the current one included.
    Regularly {
        pattern: Pattern,
        count: u32,
        last: u32,
        unit: Unit,
    },
    /// In how many days or weeks in a row it happened, up to the current one or the one before.
    Streak {
        pattern: Pattern,
        unit: Unit,
    },
}

/// What `did` counts.
#[derive(Clone, Debug, PartialEq)]
pub enum Occurrence {
    /// Events.
    Pattern(Pattern),
    /// Completed matches.
    Sequence(SequenceId),
}

/// Built-in functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is its name")]
pub enum Function {
    Lower,
    Upper,
    Trim,
    Length,
    Round,
    Abs,
    Coalesce,
    Hour,
    Weekday,
    Day,
    Month,
}

/// A sequence to be matched.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// Which first events are kept.
    pub anchor: Anchor,
    /// Whether the first element is only the customer's first such event ever.
    pub first_time: bool,
    /// The elements that must come; at least one.
    pub elements: Vec<Element>,
    /// The event that must not come, and for how many milliseconds.
    pub then_no: Option<(Pattern, i64)>,
    /// Fields that must be the same in all events.
    pub same: Vec<FieldPath>,
    /// Where it stands.
    pub span: Span,
    /// Since which change of rules it is followed; 0: from the beginning.
    pub since: u32,
    /// Whether nothing follows it any more: only runs under way look at what it says.
    pub idle: bool,
}

impl PartialEq for Sequence {
    fn eq(&self, other: &Self) -> bool {
        (self.anchor, self.first_time) == (other.anchor, other.first_time)
            && self.elements == other.elements
            && self.then_no == other.then_no
            && self.same == other.same
    }
}

/// An element of a sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    /// Which events.
    pub pattern: Pattern,
    /// The name after `as`.
    pub name: Option<Arc<str>>,
    /// How many milliseconds after the element before it, at most; 0 for the first.
    pub within: i64,
}

impl Program {
    /// The event of this name.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<EventId> {
        let position = self.events.iter().position(|event| &*event.name == name)?;
        u32::try_from(position).ok().map(EventId)
    }

    /// The topic of this name.
    #[must_use]
    pub fn topic(&self, name: &str) -> Option<TopicId> {
        let position = self.topics.iter().position(|topic| &*topic.name == name)?;
        u32::try_from(position).ok().map(TopicId)
    }

    /// The segment of this name.
    #[must_use]
    pub fn segment(&self, name: &str) -> Option<SegmentId> {
        let position = self.segments.iter().position(|segment| &*segment.name == name)?;
        u32::try_from(position).ok().map(SegmentId)
    }
}
