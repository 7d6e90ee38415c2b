//! What a node uses.

use super::{CellId, Class, Node, NodeId, QueryResult};
use crate::typed::{Aggregate, Function};

impl Node {
    /// The nodes that this one uses.
    #[must_use]
    pub fn operands(&self) -> Vec<NodeId> {
        match self {
            Self::Missing
            | Self::Word(_)
            | Self::Text(_)
            | Self::Slot { .. }
            | Self::Profile { .. }
            | Self::Consent { .. }
            | Self::Counter(_)
            | Self::Moment(_)
            | Self::Nth(_)
            | Self::Total(..)
            | Self::Window { .. }
            | Self::Days { .. }
            | Self::Habit(..)
            | Self::Constant(_)
            | Self::InSegment(_)
            | Self::NoActivity(_)
            | Self::KnownFor(_)
            | Self::Held { .. } => Vec::new(),
            Self::Choose { arms, otherwise, class: _ } => {
                arms.iter().flat_map(|(condition, value)| [*condition, *value]).chain([*otherwise]).collect()
            }
            Self::Arithmetic { operation: _, left, right } => vec![*left, *right],
            Self::Coalesce(left, right)
            | Self::Compare(_, left, right)
            | Self::SameText(left, right)
            | Self::SameValue(left, right)
            | Self::TextTest(_, left, right) => vec![*left, *right],
            Self::ListContains { list, item, class: _ } => vec![*list, *item],
            Self::Call { argument, .. } => vec![*argument],
            Self::FromCondition(inner)
            | Self::Since(inner)
            | Self::LocalDay(inner)
            | Self::Truth(inner)
            | Self::Not(inner)
            | Self::IsKnown(inner)
            | Self::Matches(inner, _)
            | Self::Within(inner, _)
            | Self::Elapsed(_, inner, _) => vec![*inner],
            Self::And(list) | Self::Or(list) | Self::AtLeast(_, list) => list.clone(),
            Self::Query { filter, .. } => filter.iter().copied().collect(),
        }
    }

    /// The cell that this node reads.
    #[must_use]
    pub fn cell(&self) -> Option<CellId> {
        match self {
            Self::Counter(cell) | Self::Moment(cell) | Self::Nth(cell) | Self::Total(cell, _) => Some(*cell),
            Self::Window { cell, .. }
            | Self::Query { cell, .. }
            | Self::Days { cell, .. }
            | Self::Habit(cell, _) => Some(*cell),
            _ => None,
        }
    }

    /// Whether this node holds or does not (else it is a value).
    #[must_use]
    pub fn is_condition(&self) -> bool {
        match self {
            Self::Constant(_)
            | Self::Truth(_)
            | Self::Not(_)
            | Self::And(_)
            | Self::Or(_)
            | Self::AtLeast(..)
            | Self::Compare(..)
            | Self::SameText(..)
            | Self::SameValue(..)
            | Self::TextTest(..)
            | Self::Matches(..)
            | Self::ListContains { .. }
            | Self::IsKnown(_)
            | Self::InSegment(_)
            | Self::NoActivity(_)
            | Self::KnownFor(_)
            | Self::Held { .. }
            | Self::Within(..)
            | Self::Elapsed(..) => true,
            Self::Missing
            | Self::Word(_)
            | Self::Text(_)
            | Self::Slot { .. }
            | Self::Profile { .. }
            | Self::Consent { .. }
            | Self::Choose { .. }
            | Self::Arithmetic { .. }
            | Self::Call { .. }
            | Self::Coalesce(..)
            | Self::FromCondition(_)
            | Self::Counter(_)
            | Self::Moment(_)
            | Self::Nth(_)
            | Self::Total(..)
            | Self::Window { .. }
            | Self::Query { .. }
            | Self::Since(_)
            | Self::LocalDay(_)
            | Self::Days { .. }
            | Self::Habit(..) => false,
        }
    }

    /// Whether it takes more than a few instructions, so that it is worth a jump around it.
    #[must_use]
    pub fn is_costly(&self) -> bool {
        matches!(
            self,
            Self::Consent { .. }
                | Self::Call { .. }
                | Self::Nth(_)
                | Self::Total(..)
                | Self::Window { .. }
                | Self::Query { .. }
                | Self::LocalDay(_)
                | Self::Days { .. }
                | Self::Habit(..)
                | Self::SameText(..)
                | Self::SameValue(..)
                | Self::TextTest(..)
                | Self::Matches(..)
                | Self::ListContains { .. }
                | Self::Arithmetic { .. }
        )
    }

    /// Whether this node itself reads the customer's record or the clock.
    #[must_use]
    pub fn reads_customer(&self) -> bool {
        match self {
            Self::Profile { .. }
            | Self::Consent { .. }
            | Self::Counter(_)
            | Self::Moment(_)
            | Self::Nth(_)
            | Self::Total(..)
            | Self::Window { .. }
            | Self::Query { .. }
            | Self::Since(_)
            | Self::LocalDay(_)
            | Self::Days { .. }
            | Self::Habit(..)
            | Self::InSegment(_)
            | Self::NoActivity(_)
            | Self::KnownFor(_)
            | Self::Held { .. }
            | Self::Within(..)
            | Self::Elapsed(..) => true,
            Self::Missing
            | Self::Word(_)
            | Self::Text(_)
            | Self::Slot { .. }
            | Self::Choose { .. }
            | Self::Arithmetic { .. }
            | Self::Call { .. }
            | Self::Coalesce(..)
            | Self::FromCondition(_)
            | Self::Constant(_)
            | Self::Truth(_)
            | Self::Not(_)
            | Self::And(_)
            | Self::Or(_)
            | Self::AtLeast(..)
            | Self::Compare(..)
            | Self::SameText(..)
            | Self::SameValue(..)
            | Self::TextTest(..)
            | Self::Matches(..)
            | Self::ListContains { .. }
            | Self::IsKnown(_) => false,
        }
    }

    /// How a value's word is read. Words of constants say nothing of it: they take the class of what they meet.
    #[must_use]
    pub fn class<'a>(&'a self, get: &dyn Fn(NodeId) -> &'a Node) -> Class {
        match self {
            Self::Text(_) => Class::Text,
            Self::Slot { class, .. }
            | Self::Profile { class, .. }
            | Self::Choose { class, .. }
            | Self::Window { class, .. }
            | Self::Days { class, .. }
            | Self::Query { class, result: QueryResult::Aggregate(_) | QueryResult::Newest { .. }, .. } => {
                *class
            }
            Self::Query { result: QueryResult::Count | QueryResult::Habit(..), .. } | Self::Habit(..) => {
                Class::Number
            }
            Self::LocalDay(_) => Class::Date,
            Self::Query { result: QueryResult::FirstTime | QueryResult::LastTime, .. }
            | Self::Moment(_)
            | Self::Nth(_) => Class::Time,
            Self::Since(_) => Class::Duration,
            Self::Coalesce(left, _) => get(*left).class(get),
            Self::Arithmetic { operation: _, left, .. } => get(*left).class(get),
            Self::Call { function, class, .. } => match function {
                Function::Lower | Function::Upper | Function::Trim | Function::Weekday => Class::Text,
                Function::Length | Function::Round | Function::Hour | Function::Day | Function::Month => {
                    Class::Number
                }
                Function::Abs | Function::Coalesce => *class,
            },
            Self::Total(_, Aggregate::DistinctCount) => Class::Number,
            Self::Consent { .. } | Self::FromCondition(_) => Class::Boolean,
            _ => Class::Number,
        }
    }
}
