//! When waits end: the same for both executors.

use crate::{
    time::Zone,
    typed::wait::Until,
    value::{Millis, Value},
};

/// The instant at which a wait that begins now ends, in a customer's zone. It may have passed; `None` when the value that
/// tells it is missing, or there is no such instant.
#[must_use]
pub fn end<V>(until: &Until<V>, now: Millis, zone: &Zone, value: impl FnOnce(&V) -> Value) -> Option<Millis> {
    match until {
        Until::For(length) => now.checked_add(*length),
        Until::Days { days, at } => zone.at(zone.date(now)?.checked_add(*days)?, *at),
        Until::Clock { weekday, at } => {
            let today = zone.date(now)?;
            let fits = |day: &i32| weekday.is_none_or(|weekday| day_of_week(*day) == weekday);
            let days = (0..=7).filter_map(|days| today.checked_add(days)).filter(fits);
            days.filter_map(|day| zone.at(day, *at)).find(|instant| *instant >= now)
        }
        Until::Moment { value: asked, offset, at } => offset.from(&value(asked), *at, zone),
    }
}

/// The day of the week of a day number, from 0 for Monday.
fn day_of_week(day: i32) -> i32 {
    // 1970-01-01 was a Thursday.
    (day.rem_euclid(7) + 3) % 7
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::parse_instant;

    #[test]
    fn days_of_the_week_are_those_of_the_calendar() {
        for day in -10_000..10_000 {
            let name = crate::time::date_weekday(day).unwrap();
            assert_eq!(crate::typed::wait::weekday_number(name), Some(day_of_week(day)), "{day}");
        }
    }

    #[test]
    fn a_clock_that_shows_the_time_is_not_waited_for() {
        let oslo = Zone::named("Europe/Oslo").unwrap();
        let end = |weekday, at, now: &str| {
            let until = Until::<()>::Clock { weekday, at };
            end(&until, parse_instant(now).unwrap(), &oslo, |()| Value::Missing)
        };
        let monday = "2026-01-05T09:00:00Z";
        assert_eq!(end(None, 600, monday), parse_instant(monday));
        assert_eq!(end(Some(0), 600, monday), parse_instant(monday));
        assert_eq!(end(Some(0), 599, monday), parse_instant("2026-01-12T08:59:00Z"));
        assert_eq!(end(None, 599, monday), parse_instant("2026-01-06T08:59:00Z"));
    }
}
