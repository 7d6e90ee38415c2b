//! Triggers by the calendar and by dates of the profile.

use super::{FieldId, Program, Rule, Trigger};
use crate::time::Distance;
use std::sync::Arc;

/// When a rule is triggered by time. Times of day are minutes past midnight, in the customer's zone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Schedule {
    /// On these days of the week, from Monday.
    Weekly {
        /// Which days.
        days: [bool; 7],
        /// When on them.
        minutes: i64,
    },
    /// Every year on the day of a date.
    Yearly {
        /// The date.
        field: DateField,
        /// When on that day.
        minutes: i64,
    },
    /// Once, before or after a date or a point in time.
    Offset {
        /// The date or point in time.
        field: DateField,
        /// How far after it.
        offset: Distance,
        /// When on the day that it then is.
        minutes: Option<i64>,
    },
}

/// A date or point in time of the profile.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DateField {
    /// The field.
    pub field: FieldId,
    /// The path into it.
    pub path: Vec<Arc<str>>,
}

impl Schedule {
    /// What of the profile it looks at.
    #[must_use]
    pub fn date(&self) -> Option<&DateField> {
        match self {
            Self::Weekly { .. } => None,
            Self::Yearly { field, .. } | Self::Offset { field, .. } => Some(field),
        }
    }
}

impl Program {
    /// Whether a rule comes round for everybody: then its `only if` says who is meant, and of those who are not, nothing is
    /// recorded.
    #[must_use]
    pub fn is_for_everybody(&self, rule: &Rule) -> bool {
        let Trigger::Schedule(id) = rule.trigger else { return false };
        matches!(self.schedules.get(id.0 as usize), Some(Schedule::Weekly { .. }))
    }
}
