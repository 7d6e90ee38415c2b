//! Visits of a customer: what lies between gaps of more than half an hour in what the customer does.

use crate::{
    consent::Stamp,
    packed,
    record::{ActionId, Instant},
    value::{Decimal, Millis, Value},
};

/// The event at the beginning of a session.
pub const STARTED: &str = "Session Started";
/// The event at its end.
pub const ENDED: &str = "Session Ended";
/// The longest gap within a session, in milliseconds: half an hour, as everywhere where visits are counted.
pub const GAP: i64 = 30 * 60_000;

/// The latest session of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Where it begins in the customer's history.
    first: Stamp,
    /// The latest time that the customer did something in it.
    last: Millis,
    /// Whether its end has come.
    ended: bool,
    /// How often the customer did something in it.
    events: u64,
    /// How many pages and screens there were among that.
    pages: u64,
}

packed!(Session { first, last, ended, events, pages });

impl Session {
    /// A session that begins here.
    #[must_use]
    pub fn beginning(first: Stamp) -> Self {
        Self { first, last: first.0, ended: false, events: 0, pages: 0 }
    }

    /// Whether something that the customer does at `at`, and that arrives now, begins another session than the latest one.
    /// What is so late that its own session would be over begins none.
    #[must_use]
    pub fn begins(latest: Option<&Self>, at: Millis, now: Millis) -> bool {
        let apart = latest.is_none_or(|session| {
            let end = session.end();
            at > end || at == end && session.ended
        });
        apart && at.saturating_add(GAP) >= now
    }

    /// Adds what the customer did. A session that is over stays as it was, and so does its beginning.
    pub fn add(&mut self, at: Millis, page: bool) {
        if self.ended || at < self.first.0 {
            return;
        }
        self.last = self.last.max(at);
        self.events += 1;
        self.pages += u64::from(page);
    }

    /// The same of a customer whose order of application lies elsewhere.
    #[must_use]
    pub fn placed(&self, place: impl Fn(Stamp) -> Stamp) -> Self {
        Self { first: place(self.first), ..self.clone() }
    }

    /// The latest session of two customers who turned out to be one, for whom time has passed up to the same instant. Two
    /// that are under way are one: no gap can be between them.
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        match (self.ended, other.ended) {
            (false, false) => Self {
                first: self.first.min(other.first),
                last: self.last.max(other.last),
                ended: false,
                events: self.events + other.events,
                pages: self.pages + other.pages,
            },
            (false, true) => self,
            (true, false) => other,
            (true, true) if (other.last, other.first) > (self.last, self.first) => other,
            (true, true) => self,
        }
    }

    /// When it ends, if nothing more is done.
    fn end(&self) -> Millis {
        self.last.saturating_add(GAP)
    }

    /// When its end is still to come.
    #[must_use]
    pub fn comes_to_its_end(&self) -> Option<Millis> {
        (!self.ended).then(|| self.end())
    }

    /// Ends it, if its end has come; gives the time of its end.
    pub fn finish(&mut self, now: Millis) -> Option<Millis> {
        let end = self.comes_to_its_end().filter(|end| *end <= now)?;
        self.ended = true;
        Some(end)
    }

    /// Where what happened in it begins, as long as it is this session: up to its end, which is still part of it.
    #[must_use]
    pub fn reaches_back_to(&self, now: Millis) -> Option<Stamp> {
        (now <= self.end()).then_some(self.first)
    }

    /// From when on it is this session no longer.
    #[must_use]
    pub fn is_over_from(&self) -> Millis {
        self.end().saturating_add(1)
    }

    /// A field of the event at its end.
    #[must_use]
    pub fn field(&self, name: &str) -> Value {
        let whole = |count: u64| i64::try_from(count).ok().and_then(Decimal::whole);
        match name {
            "length" => Value::Duration(self.last.saturating_sub(self.first.0)),
            "events" => whole(self.events).map_or(Value::Missing, Value::Number),
            "pages" => whole(self.pages).map_or(Value::Missing, Value::Number),
            _ => Value::Missing,
        }
    }

    /// The message id of an event that the engine makes of it. That of its end also says when it ends: who is joined with
    /// somebody whose session began at the same moment and goes on sees it end again.
    #[must_use]
    pub fn message_id(&self, event: &str, customer: &str) -> String {
        let (first, end) = (Instant(self.first.0).to_string(), Instant(self.end()).to_string());
        let of = if event == ENDED { &[&*first, &*end][..] } else { &[&*first][..] };
        ActionId::of(event, customer, of, 0).to_string()
    }
}

/// Whether an event is a page or screen that was looked at.
#[must_use]
pub fn is_page(event: &str) -> bool {
    matches!(event, "Page Viewed" | "Screen Viewed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_of_half_an_hour_goes_on_and_one_of_more_does_not() {
        let mut session = Session::beginning((0, 1));
        session.add(0, true);
        assert!(!Session::begins(Some(&session), GAP, GAP));
        assert!(Session::begins(Some(&session), GAP + 1, GAP + 1));
        assert_eq!(session.finish(GAP - 1), None);
        assert_eq!(session.reaches_back_to(GAP), Some((0, 1)));
        assert_eq!(session.finish(GAP), Some(GAP));
        assert_eq!((session.reaches_back_to(GAP), session.reaches_back_to(GAP + 1)), (Some((0, 1)), None));
        // What comes at the very end after it has ended cannot belong to it any more.
        assert!(Session::begins(Some(&session), GAP, GAP));
        assert!(!Session::begins(Some(&session), GAP - 1, GAP));
    }

    #[test]
    fn the_end_of_a_session_that_goes_on_after_all_is_another_one() {
        let mut session = Session::beginning((0, 1));
        session.add(0, true);
        let mut other = Session::beginning((0, 2));
        other.add(GAP, true);
        session.finish(GAP);
        let first_end = session.message_id(ENDED, "ada");
        let mut joined = session.merged(other);
        assert_eq!(joined.finish(2 * GAP), Some(2 * GAP));
        assert_ne!(joined.message_id(ENDED, "ada"), first_end);
    }
}
