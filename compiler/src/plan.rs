//! The plan: what is kept of a customer and what is computed when, as data. Machine code is made from it, and the engine
//! walks it.
//!
//! Conditions and values are nodes of one graph in which equal sub-expressions are one node. What must be remembered lies
//! in cells. A handler says, for one event name, which cells it feeds, which sequences it moves and which segments it can
//! change.

mod cells;
mod handler;
mod layout;
pub mod meaning;
mod operands;
pub mod print;
mod rule;
mod task;
pub mod verify;

pub use cells::{Cell, CellKind, CellSource};
pub use handler::{Handler, NO_ELEMENT, Role, SchedulePlan, SequencePlan, Touched};
pub use layout::{
    FIRST_SEEN_WORD, FIXED_SLOTS, FieldUse, LAST_ACTIVE_WORD, Layout, NEVER, ProfileSlot, RecordLayout,
    SlotUse, UNSEEN,
};
pub use rule::{Content, GoalPlan, Heard, Op, OpKind, RulePlan};
pub use task::Task;

use crate::{
    calendar::{Calendar, Habit, Unit},
    typed::{Aggregate, Function, HeldId, Judged, SegmentId, TextTest, TopicId},
    types::Type,
    value::Value,
};
use std::sync::Arc;

/// Position in [`Plan::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);
/// Position in [`Plan::cells`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellId(pub u32);
/// Position in [`Plan::texts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextId(pub u32);
/// Position in [`Plan::conditions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConditionId(pub u32);
/// Position in [`Plan::watched`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatchId(pub u32);
/// Position in [`Plan::values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(pub u32);

/// Everything that machine code and engine need to know about a program.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The graph of conditions and values; a node stands after those it uses.
    pub nodes: Vec<Node>,
    /// Every text constant; a text that equals one carries its number, so that comparing is comparing numbers.
    pub texts: Vec<Arc<str>>,
    /// Regular expressions.
    pub patterns: Vec<Arc<str>>,
    /// What is remembered.
    pub cells: Vec<Cell>,
    /// The layout of each event's frame, by [`crate::typed::EventId`].
    pub layouts: Vec<Layout>,
    /// The layout of the fixed part of a customer's state.
    pub record: RecordLayout,
    /// One handler for each event, by [`crate::typed::EventId`].
    pub handlers: Vec<Handler>,
    /// The handler of events that are not declared.
    pub other: Handler,
    /// Every condition whose level is kept: those of segments, then those that must hold without a break.
    pub levels: Vec<NodeId>,
    /// How many of them are segments.
    pub segments: u32,
    /// The levels in order of evaluation.
    pub order: Vec<SegmentId>,
    /// Every sequence.
    pub sequences: Vec<SequencePlan>,
    /// Every schedule.
    pub schedules: Vec<SchedulePlan>,
    /// Conditions asked by rules.
    pub conditions: Vec<NodeId>,
    /// Conditions that are asked of runs that wait, each with the instant at which it may next change.
    pub watched: Vec<NodeId>,
    /// Values used by rules, templates and payloads.
    pub values: Vec<ValuePlan>,
    /// Every rule, in order of trigger.
    pub rules: Vec<RulePlan>,
    /// Values of lets that templates read.
    pub lets: Vec<Option<ValueId>>,
    /// What each let became where something else uses it.
    pub let_nodes: Vec<Vec<NodeId>>,
}

/// A value on demand.
#[derive(Clone, Debug, PartialEq)]
pub struct ValuePlan {
    /// Its node.
    pub node: NodeId,
    /// Its type.
    pub ty: Type,
}

/// Where a node finds an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameRef {
    /// The event that is being applied.
    This,
    /// `event`.
    Trigger,
    /// `answer`.
    Answer,
    /// A named element.
    Element(u32),
    /// A remembered row that is being looked at.
    Row,
}

/// A condition or a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    // Values: missing, or a word.
    /// No value.
    Missing,
    /// A number of millionths, milliseconds or days, or 0 and 1.
    Word(i64),
    /// A text constant.
    Text(TextId),
    /// A slot of an event's frame.
    Slot {
        /// Which event.
        frame: FrameRef,
        /// Its slot.
        slot: u32,
        /// How the slot is read.
        class: Class,
    },
    /// A slot of the profile.
    Profile {
        /// Its position in [`RecordLayout::profile`].
        slot: u32,
        /// How the slot is read.
        class: Class,
    },
    /// Recorded consent.
    Consent {
        /// The channel.
        channel: TextId,
        /// The topic.
        topic: Option<TopicId>,
    },
    /// The first arm whose condition holds, else the last value.
    Choose {
        /// Conditions and values.
        arms: Vec<(NodeId, NodeId)>,
        /// The last value.
        otherwise: NodeId,
        /// How the values are read.
        class: Class,
    },
    /// Arithmetic; a result out of range is missing.
    Arithmetic {
        /// Which.
        operation: Operation,
        /// Left.
        left: NodeId,
        /// Right.
        right: NodeId,
    },
    /// A built-in function of one value.
    Call {
        /// Which.
        function: Function,
        /// Its argument.
        argument: NodeId,
        /// The argument's class.
        class: Class,
        /// Whether calendar functions use the zone at the time of the event (in `where`), else the zone now.
        of_event: bool,
    },
    /// The first known of two values.
    Coalesce(NodeId, NodeId),
    /// A condition as a value.
    FromCondition(NodeId),
    /// A count of events ever, in millionths.
    Counter(CellId),
    /// The time of the first or last matching event.
    Moment(CellId),
    /// The time of the oldest row of a cell that is full: of the Nth newest, where it keeps N.
    Nth(CellId),
    /// An aggregate over all of history.
    Total(CellId, Aggregate),
    /// An aggregate over rows of a window; `None` counts. In millionths where it is a number.
    Window {
        /// The rows.
        cell: CellId,
        /// What is made of them; `None` counts them.
        function: Option<Aggregate>,
        /// Which rows.
        span: WindowSpan,
        /// How the result is read.
        class: Class,
    },
    /// An aggregate over the rows that fulfil a condition asked now.
    Query {
        /// The rows.
        cell: CellId,
        /// The condition on [`FrameRef::Row`]; `None`: all.
        filter: Option<NodeId>,
        /// Which rows.
        span: WindowSpan,
        /// What is made of them.
        result: QueryResult,
        /// How the result is read.
        class: Class,
    },
    /// `now − time`, as a duration, for content.
    Since(NodeId),
    /// The calendar day of a time in the customer's zone.
    LocalDay(NodeId),
    /// An aggregate over calendar days; `None` counts.
    Days {
        /// The totals of each day.
        cell: CellId,
        /// What is made of them; `None` counts.
        function: Option<Aggregate>,
        /// Which days.
        calendar: Calendar,
        /// How the result is read.
        class: Class,
    },
    /// What the days or weeks on which something happened come to.
    Habit(CellId, Habit),

    // Conditions: hold or do not.
    /// Always or never.
    Constant(bool),
    /// A boolean value that is known and true.
    Truth(NodeId),
    /// Does not hold.
    Not(NodeId),
    /// All hold.
    And(Vec<NodeId>),
    /// One holds.
    Or(Vec<NodeId>),
    /// At least so many hold.
    AtLeast(u32, Vec<NodeId>),
    /// Both are known and compare so, as words.
    Compare(Order, NodeId, NodeId),
    /// Both are known and the same text.
    SameText(NodeId, NodeId),
    /// Both are known and equal lists or objects.
    SameValue(NodeId, NodeId),
    /// A test of a text, or of any item of a list, by a text.
    TextTest(TextTest, NodeId, NodeId),
    /// A regular expression finds something in a text, or in any item of a list.
    Matches(NodeId, u32),
    /// A list has an item.
    ListContains {
        /// The list.
        list: NodeId,
        /// The item.
        item: NodeId,
        /// How the item is read.
        class: Class,
    },
    /// There is a value.
    IsKnown(NodeId),
    /// The customer is in a segment.
    InSegment(SegmentId),
    /// No activity for so many milliseconds, and known for that long.
    NoActivity(i64),
    /// Known for so many milliseconds.
    KnownFor(i64),
    /// A condition whose level is kept has held for so many milliseconds.
    Held {
        /// Which.
        held: HeldId,
        /// For how long.
        duration: i64,
    },
    /// A time within the last so many milliseconds.
    Within(NodeId, i64),
    /// `now − time` compares so with so many milliseconds; the time must be known.
    Elapsed(Order, NodeId, i64),
}

/// How the word of a value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i64)]
pub enum Class {
    /// Millionths.
    Number = 0,
    /// 0 or 1.
    Boolean = 1,
    /// Milliseconds since 1970.
    Time = 2,
    /// Days since 1970.
    Date = 3,
    /// Milliseconds.
    Duration = 4,
    /// A handle of a text.
    Text = 5,
    /// A handle of a list or object.
    Value = 6,
}

/// Arithmetic on words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Sum of words of one unit (or an instant and a duration).
    Add,
    /// Difference.
    Subtract,
    /// Number × number.
    Multiply,
    /// Number ÷ number.
    Divide,
    /// Milliseconds × number.
    Scale,
    /// Milliseconds ÷ number.
    Shrink,
}

/// Comparisons of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is its operator")]
pub enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Which rows are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WindowSpan {
    /// All that are kept.
    All,
    /// `(now − D, now]`.
    Last(i64),
    /// `(now − far, now − near]`.
    Ago {
        /// Nearer bound.
        near: i64,
        /// Farther bound.
        far: i64,
    },
    /// From the first event of the match.
    ThisMatch,
    /// From the beginning of the session.
    ThisSession,
    /// Those of calendar days; the day is the first column.
    Calendar(Calendar),
}

/// What a query makes of the rows it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueryResult {
    /// Their number.
    Count,
    /// An aggregate of the last column.
    Aggregate(Aggregate),
    /// The newest so many values of the last column; distinct by the column before it.
    Newest {
        /// How many.
        count: u32,
        /// Whether only the newest of each value of the first column is taken.
        distinct: bool,
    },
    /// The time of the first.
    FirstTime,
    /// The time of the last.
    LastTime,
    /// What their days, which are the first column, come to.
    Habit(Unit, Habit),
}

impl Class {
    /// How values of a type are read.
    #[must_use]
    pub fn of(ty: &Type) -> Self {
        match ty {
            Type::Text => Self::Text,
            Type::Number => Self::Number,
            Type::Boolean => Self::Boolean,
            Type::Time => Self::Time,
            Type::Date => Self::Date,
            Type::Duration => Self::Duration,
            Type::List(_) | Type::Object(_) => Self::Value,
        }
    }

    /// The class of a number that machine code passes.
    #[must_use]
    pub fn from_number(number: i64) -> Self {
        [Self::Number, Self::Boolean, Self::Time, Self::Date, Self::Duration, Self::Text]
            .into_iter()
            .find(|class| *class as i64 == number)
            .unwrap_or(Self::Value)
    }

    /// Whether the word is a handle of something that lies elsewhere.
    #[must_use]
    pub fn is_handle(self) -> bool {
        matches!(self, Self::Text | Self::Value)
    }

    /// The word of a value that is neither text, list nor object.
    #[must_use]
    pub fn word(value: &Value) -> Option<i64> {
        match value {
            Value::Boolean(value) => Some(i64::from(*value)),
            Value::Number(number) => Some(number.0),
            Value::Time(at) => Some(*at),
            Value::Date(days) => Some(i64::from(*days)),
            Value::Duration(length) => Some(*length),
            Value::Missing | Value::Text(_) | Value::List(_) | Value::Object(_) => None,
        }
    }

    /// The value of a word; missing for handles.
    #[must_use]
    pub fn value(self, word: i64) -> Value {
        match self {
            Self::Number => Value::Number(crate::value::Decimal(word)),
            Self::Boolean => Value::Boolean(word != 0),
            Self::Time => Value::Time(word),
            Self::Date => i32::try_from(word).map_or(Value::Missing, Value::Date),
            Self::Duration => Value::Duration(word),
            Self::Text | Self::Value => Value::Missing,
        }
    }
}

impl Plan {
    /// A node.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(id.0 as usize).unwrap_or(&Node::Missing)
    }

    /// The number of a level. Segments have their own; conditions that must hold without a break follow.
    #[must_use]
    pub fn level(&self, judged: Judged) -> SegmentId {
        match judged {
            Judged::Segment(id) => id,
            Judged::Held(HeldId(number)) => SegmentId(self.segments + number),
        }
    }

    /// The condition that must hold without a break, if a level is that of one.
    #[must_use]
    pub fn held(&self, level: SegmentId) -> Option<HeldId> {
        level.0.checked_sub(self.segments).map(HeldId)
    }

    /// A value that is always the same, so that no code need be made for it.
    #[must_use]
    pub fn constant(&self, value: &ValuePlan) -> Option<Value> {
        match self.node(value.node) {
            Node::Missing => Some(Value::Missing),
            Node::Word(word) => Some(Class::of(&value.ty).value(*word)),
            Node::Text(text) => self.texts.get(text.0 as usize).map(|text| Value::text(text)),
            _ => None,
        }
    }

    /// By node, whether it looks at a remembered row.
    #[must_use]
    pub fn of_row(&self) -> Vec<bool> {
        let mut of_row: Vec<bool> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            // INVARIANT: operands stand before the node (checked by the verifier).
            let is_below = |id: &NodeId| of_row.get(id.0 as usize).copied().unwrap_or(false);
            let looks = match node {
                Node::Slot { frame: FrameRef::Row, .. } => true,
                Node::Query { .. } => false,
                _ => node.operands().iter().any(is_below),
            };
            of_row.push(looks);
        }
        of_row
    }

    /// A cell.
    #[must_use]
    pub fn cell(&self, id: CellId) -> Option<&Cell> {
        self.cells.get(id.0 as usize)
    }
}
