//! Messages that are held: how long, and what is remembered meanwhile. The same for both executors.

use crate::{packed, record::Reason, share::place, time::Zone, typed::Quiet, value::Millis};
use std::sync::Arc;

/// What keeps a message back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is not sent, with what there is to say about it.
    Suppressed(Reason, Option<&'static str>),
    /// It is asked again at an instant.
    Held(Reason, Millis),
}

/// When a message leaves by a verdict that was given now; `None` when it does not.
#[must_use]
pub fn leaves(verdict: Option<Verdict>, now: Millis) -> Option<Millis> {
    match verdict {
        None => Some(now),
        Some(Verdict::Held(_, until)) => Some(until),
        Some(Verdict::Suppressed(..)) => None,
    }
}

/// What quiet time and the rates of topics come to together. Where a message has waited for room as long as its topic holds,
/// it does not wait for the morning as well; `waited` is whether it has waited for room at all.
#[must_use]
pub fn of_both(
    quiet: Option<Verdict>,
    waited: bool,
    room: impl FnOnce() -> Option<Verdict>,
) -> Option<Verdict> {
    match quiet {
        None => room(),
        Some(Verdict::Held(..)) if waited => {
            room().filter(|room| matches!(room, Verdict::Suppressed(..))).or(quiet)
        }
        Some(_) => quiet,
    }
}

/// A message that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// `quiet` or `cap`.
    pub reason: Reason,
    /// When it is asked again.
    pub until: Millis,
    /// Its channel.
    pub channel: Arc<str>,
    /// The customer's zone by which the end of the quiet time was worked out.
    pub zone: Arc<str>,
    /// Since when it waits for room, if it does or did.
    pub waits_for_room: Option<Millis>,
    /// When it was due, if the service was down then, so that it waits until the service is back.
    pub due: Option<Millis>,
}

packed!(Hold { reason, until, channel, zone, waits_for_room, due });

impl Hold {
    /// Whether the end of the quiet time is another one now, because the customer has moved.
    #[must_use]
    pub fn is_elsewhere(&self, zone: &Zone) -> bool {
        self.reason == Reason::Quiet && *self.zone != *zone.name()
    }
}

/// What becomes of a message that comes due while the service is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// It is asked when the service is back.
    Waits {
        /// When it was due.
        due: Millis,
        /// When the service is back.
        until: Millis,
    },
    /// It would be too late then, so it is not sent.
    Late,
}

/// What becomes of a message that is asked for at an instant; nothing special unless the service was down then, until
/// `back`. What waited already when the service failed again is due since it was first.
#[must_use]
pub fn overdue(
    back: Option<Millis>,
    now: Millis,
    hold: Option<&Hold>,
    late_after: Option<i64>,
) -> Option<Overdue> {
    let until = back.filter(|back| *back > now)?;
    let due = hold.and_then(|hold| hold.due).unwrap_or(now);
    let is_late = late_after.is_some_and(|after| until.saturating_sub(due) > after);
    Some(if is_late { Overdue::Late } else { Overdue::Waits { due, until } })
}

impl Quiet {
    /// When the quiet time ends that is in force at an instant; `None` when none is. A time that clocks show twice is
    /// quiet both times.
    #[must_use]
    pub fn end(&self, now: Millis, zone: &Zone) -> Option<Millis> {
        let today = zone.date(now)?;
        let over_midnight = i32::from(self.to <= self.from);
        // One that began yesterday may go on until today.
        let ends = [today.checked_sub(1)?, today].into_iter().filter_map(|day| {
            let begins = zone.at(day, self.from)?;
            let ends = zone.last_at(day.checked_add(over_midnight)?, self.to)?;
            (self.is_on(day) && begins <= now && now < ends).then_some(ends)
        });
        ends.max()
    }

    /// Whether it begins on a calendar day.
    fn is_on(&self, day: i32) -> bool {
        // 1970-01-01 was a Thursday.
        self.days.get(((day.rem_euclid(7) + 3) % 7) as usize).copied().unwrap_or_default()
    }

    /// How long after its end a message goes out: always the same for a rule's identity, a customer and a step.
    #[must_use]
    pub fn delay(&self, identity: &str, customer: &str, step: u32) -> i64 {
        let place = place(&["quiet", identity, customer, &step.to_string()]);
        let part = (u128::from(place) * u128::from(self.spread.unsigned_abs())) >> 64;
        i64::try_from(part).unwrap_or_default()
    }
}

/// What is remembered of a message that is held for one of two customers who turned out to be one: their zone is the one
/// by which its quiet time is taken to end, so that joining them sends nothing.
pub fn settle(hold: &mut Option<Hold>, zone: &Zone) {
    if let Some(hold) = hold {
        hold.zone = Arc::from(zone.name());
    }
}

/// The rates that one more message would exceed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exceeded {
    /// When there is room by all of them; `None` when there is room now.
    room: Option<Millis>,
    /// How long the strictest of their topics holds; `None` when one of them does not.
    hold: Option<i64>,
}

impl Exceeded {
    /// Takes a rate into account: the times of the messages that count for it, in order.
    pub fn count(&mut self, times: &[Millis], count: u32, per: i64, hold: Option<i64>) {
        let Some(first) = times.len().checked_sub(count as usize) else { return };
        // When this one leaves, there is one less than the rate allows.
        let Some(leaves) = times.get(first).map(|at| at.saturating_add(per)) else { return };
        self.hold = match self.room {
            None => hold,
            Some(_) => self.hold.zip(hold).map(|(one, other)| one.min(other)),
        };
        self.room = self.room.max(Some(leaves));
    }

    /// What this means for a message that has waited for room since an instant.
    #[must_use]
    pub fn verdict(self, since: Option<Millis>, now: Millis) -> Option<Verdict> {
        let room = self.room?;
        let end = self.hold.map(|hold| since.unwrap_or(now).saturating_add(hold));
        Some(match end {
            Some(end) if end > now => Verdict::Held(Reason::Cap, room.min(end)),
            Some(_) | None => Verdict::Suppressed(Reason::Cap, None),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{parse_date, parse_instant};

    fn quiet(from: i64, to: i64, days: [bool; 7]) -> Quiet {
        Quiet { from: from * 60, to: to * 60, days, condition: None, skip: false, spread: 0 }
    }

    fn end(quiet: &Quiet, at: &str) -> Option<String> {
        let oslo = Zone::named("Europe/Oslo").unwrap();
        quiet.end(parse_instant(at).unwrap(), &oslo).map(|end| crate::record::Instant(end).to_string())
    }

    #[test]
    fn ends_by_the_clocks_of_the_customer() {
        let night = quiet(21, 8, [true; 7]);
        assert_eq!(end(&night, "2026-01-05T19:59:59.999Z"), None);
        assert_eq!(end(&night, "2026-01-05T20:00:00Z").as_deref(), Some("2026-01-06T07:00:00.000Z"));
        assert_eq!(end(&night, "2026-01-06T06:59:59.999Z").as_deref(), Some("2026-01-06T07:00:00.000Z"));
        assert_eq!(end(&night, "2026-01-06T07:00:00Z"), None);
        // The nights in which clocks change are an hour shorter, and longer.
        assert_eq!(end(&night, "2026-03-28T23:00:00Z").as_deref(), Some("2026-03-29T06:00:00.000Z"));
        assert_eq!(end(&night, "2026-10-24T22:00:00Z").as_deref(), Some("2026-10-25T07:00:00.000Z"));
    }

    #[test]
    fn a_time_that_comes_twice_is_quiet_twice_and_one_that_is_skipped_is_as_much_later() {
        let early = Quiet { to: 150, ..quiet(1, 0, [true; 7]) };
        // 00:30 UTC is 02:30 summer time, 01:30 UTC is 02:30 again.
        assert_eq!(end(&early, "2026-10-25T00:45:00Z").as_deref(), Some("2026-10-25T01:30:00.000Z"));
        assert_eq!(end(&early, "2026-10-25T01:30:00Z"), None);
        assert_eq!(end(&early, "2026-03-29T00:30:00Z").as_deref(), Some("2026-03-29T01:30:00.000Z"));
    }

    #[test]
    fn days_are_those_on_which_it_begins() {
        let saturday = [false, false, false, false, false, true, false];
        let night = quiet(21, 8, saturday);
        // 2026-01-10 is a Saturday.
        assert_eq!(parse_date("2026-01-10").map(|day| night.is_on(day)), Some(true));
        assert!(
            end(&night, "2026-01-10T21:00:00Z").is_some() && end(&night, "2026-01-11T05:00:00Z").is_some()
        );
        assert!(
            end(&night, "2026-01-09T21:00:00Z").is_none() && end(&night, "2026-01-10T05:00:00Z").is_none()
        );
        let whole = quiet(0, 0, saturday);
        assert_eq!(end(&whole, "2026-01-10T12:00:00Z").as_deref(), Some("2026-01-10T23:00:00.000Z"));
        assert_eq!(end(&whole, "2026-01-11T12:00:00Z"), None);
    }

    #[test]
    fn messages_are_spread_over_the_time_after() {
        let spread = Quiet { spread: 60_000, ..quiet(21, 8, [true; 7]) };
        let delays: Vec<i64> = (0..100).map(|n| spread.delay("rule", &format!("customer {n}"), 1)).collect();
        assert!(delays.iter().all(|delay| (0..60_000).contains(delay)));
        assert!(delays.iter().any(|delay| *delay < 10_000) && delays.iter().any(|delay| *delay > 50_000));
        assert_ne!(spread.delay("rule", "ada", 1), spread.delay("rule", "ada", 2));
    }

    #[test]
    fn room_is_there_when_all_rates_have_some() {
        let mut exceeded = Exceeded::default();
        exceeded.count(&[10, 20], 3, 100, None);
        assert_eq!(exceeded.verdict(None, 30), None);
        exceeded.count(&[10, 20], 2, 100, Some(500));
        assert_eq!(exceeded.verdict(None, 30), Some(Verdict::Held(Reason::Cap, 110)));
        exceeded.count(&[10, 20], 1, 50, Some(90));
        // The second has room at 70 already; the shorter time to wait counts for both.
        assert_eq!(exceeded.verdict(None, 30), Some(Verdict::Held(Reason::Cap, 110)));
        assert_eq!(exceeded.verdict(Some(15), 30), Some(Verdict::Held(Reason::Cap, 105)));
        assert_eq!(exceeded.verdict(Some(15), 105), Some(Verdict::Suppressed(Reason::Cap, None)));
        exceeded.count(&[25], 1, 10, None);
        assert_eq!(exceeded.verdict(None, 30), Some(Verdict::Suppressed(Reason::Cap, None)));
    }
}
