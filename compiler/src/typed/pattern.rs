//! Which events, and in which stretch of time.

use super::{Calendar, EventId, Expr};
use crate::value::Millis;
use segue_grammar::span::Span;

/// Which events, and which of them.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The events.
    pub events: EventSet,
    /// The condition on one event; sees [`super::EventRole::This`], the profile, and in rules the other roles.
    pub filter: Option<Box<Expr>>,
    /// Where it stands.
    pub span: Span,
    /// Where it is remembered: since which change of rules; 0: from the beginning.
    pub since: u32,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.events == other.events && self.filter == other.filter
    }
}

/// Which events a pattern looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EventSet {
    /// Any event, declared or not (never identify, group or alias calls).
    Any,
    /// These, sorted.
    Of(Vec<EventId>),
}

/// A stretch of time, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// All of history.
    Always,
    /// `(now − D, now]`.
    Last(i64),
    /// `between D1 and D2 ago` with D1 < D2: `(now − D2, now − D1]`.
    Ago {
        /// D1.
        near: i64,
        /// D2.
        far: i64,
    },
    /// From this instant on.
    Since(Millis),
    /// From the first event of the trigger's match to now, in order of application among equal times.
    ThisMatch,
    /// From the beginning of the session to now, as long as it is not over.
    ThisSession,
    /// Calendar days: those of the customer's zone when the event was applied, up to today in the customer's zone now.
    Calendar(Calendar),
}
