//! How far something is from a date or a point in time.

use super::{DAY_MS, Zone};
use crate::value::{Millis, Value};
use std::fmt;

/// How far after a date or a point in time; negative before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Distance {
    /// So many days: of a date on the calendar, of a point in time 24 hours each.
    Days(i32),
    /// So many milliseconds by the clock.
    Clock(i64),
}

impl Distance {
    /// The instant that far from a value, in a customer's zone; with a time of day, in minutes past midnight, on the local
    /// calendar day so many days from it. A date begins with its first moment. `None` when the value is no date and no point
    /// in time, or there is no such instant.
    #[must_use]
    pub fn from(self, value: &Value, minutes: Option<i64>, zone: &Zone) -> Option<Millis> {
        let day = match (value, minutes) {
            (Value::Time(at), None) => return at.checked_add(self.millis()),
            (Value::Time(at), Some(_)) => zone.date(*at)?,
            (Value::Date(day), _) => *day,
            _ => return None,
        };
        match (self, minutes) {
            (Self::Clock(length), None) => zone.at(day, 0)?.checked_add(length),
            _ => zone.at(day.checked_add(self.days()?)?, minutes.unwrap_or(0)),
        }
    }

    /// As far on the other side.
    #[must_use]
    pub fn before(self) -> Self {
        match self {
            Self::Days(days) => Self::Days(days.saturating_neg()),
            Self::Clock(length) => Self::Clock(length.saturating_neg()),
        }
    }

    fn millis(self) -> i64 {
        match self {
            Self::Days(days) => i64::from(days) * DAY_MS,
            Self::Clock(length) => length,
        }
    }

    fn days(self) -> Option<i32> {
        match self {
            Self::Days(days) => Some(days),
            Self::Clock(length) => i32::try_from(length.div_euclid(DAY_MS)).ok(),
        }
    }
}

/// As it is written: `3 days before`, `24 hours after`.
impl fmt::Display for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.millis();
        let word = if length < 0 { "before" } else { "after" };
        match length.saturating_abs() {
            // A day has 24 hours for whoever does not say days.
            length if matches!(self, Self::Clock(_)) && length % DAY_MS == 0 => {
                write!(f, "{} hours {word}", length / 3_600_000)
            }
            length => write!(f, "{} {word}", crate::plan::print::duration(length)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{parse_date, parse_instant, print_date};

    #[test]
    fn days_go_by_the_calendar_and_hours_by_the_clock() {
        let oslo = Zone::named("Europe/Oslo").unwrap();
        // On 29 March 2026 the clocks go forward.
        let date = Value::Date(parse_date("2026-03-30").unwrap());
        let time = Value::Time(parse_instant("2026-03-30T10:00:00Z").unwrap());
        let hours = |hours: i64| Distance::Clock(hours * 3_600_000);
        for (distance, words, from_date, from_time) in [
            (Distance::Days(-1), "1 day before", "2026-03-28T23:00:00Z", "2026-03-29T10:00:00Z"),
            (hours(-24), "24 hours before", "2026-03-28T22:00:00Z", "2026-03-29T10:00:00Z"),
            (hours(-25), "25 hours before", "2026-03-28T21:00:00Z", "2026-03-29T09:00:00Z"),
            (hours(48).before(), "48 hours before", "2026-03-27T22:00:00Z", "2026-03-28T10:00:00Z"),
            (Distance::Days(-3).before(), "3 days after", "2026-04-01T22:00:00Z", "2026-04-02T10:00:00Z"),
        ] {
            assert_eq!(distance.to_string(), words);
            assert_eq!(distance.from(&date, None, &oslo), parse_instant(from_date), "{words}");
            assert_eq!(distance.from(&time, None, &oslo), parse_instant(from_time), "{words}");
        }
        for (value, expected) in [(&date, "2026-03-27"), (&time, "2026-03-27")] {
            let at = Distance::Days(-3).from(value, Some(540), &oslo).unwrap();
            assert_eq!((print_date(oslo.date(at).unwrap()).as_str(), oslo.hour(at)), (expected, Some(9)));
        }
        assert_eq!(Distance::Days(0).from(&Value::Missing, None, &oslo), None);
    }
}
