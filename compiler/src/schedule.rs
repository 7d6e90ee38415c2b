//! When schedules come round.
//!
//! An occurrence is at one instant for one customer. It has a mark, which stays the same when the instant is moved because
//! the customer's zone changes, so that no occurrence comes twice.

use crate::{
    time::{self, Zone},
    typed::{Program, schedule::Schedule, wait::WEEKDAYS},
    value::{Millis, Value},
};

/// So many calendar days after one hold each day of the week, and one to spare for days whose time has passed, and for days
/// that begin early in one zone and late in another.
const DAYS: i32 = 9;
/// So many years hold each day of the year, and one to spare.
const YEARS: i32 = 2;

/// An occurrence of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// When it is.
    pub at: Millis,
    /// Which it is: the local day of one by days of the week, the year of a yearly one, else the date or instant that it
    /// goes by.
    pub mark: i64,
}

impl Schedule {
    /// The first occurrence at or after an instant. `value` is what the profile says of the schedule's date, and `done`
    /// the mark of the last occurrence that was: none comes a second time, and of days and years none before it.
    #[must_use]
    pub fn next(&self, value: &Value, zone: &Zone, from: Millis, done: Option<i64>) -> Option<Occurrence> {
        let ahead = |at: Option<Millis>| at.filter(|at| *at >= from);
        let after_done = done.and_then(|done| i32::try_from(done).ok()).map(|done| done.saturating_add(1));
        match self {
            Self::Weekly { days, minutes } => {
                let yesterday = zone.date(from)?.checked_sub(1)?;
                let first = after_done.map_or(yesterday, |next| next.max(yesterday));
                let mut nearest = (first..=first.checked_add(DAYS)?).filter(|day| is_among(*day, days));
                nearest.find_map(|day| {
                    let at = ahead(zone.at(day, *minutes))?;
                    Some(Occurrence { at, mark: i64::from(day) })
                })
            }
            Self::Yearly { field: _, minutes } => {
                let date = day_of(value, zone)?;
                let last_year = time::date_year(zone.date(from)?)?.checked_sub(1)?;
                let first = last_year.max(time::date_year(date)?).max(after_done.unwrap_or(i32::MIN));
                (first..=first.checked_add(YEARS)?).find_map(|year| {
                    let at = ahead(zone.at(time::anniversary(date, year)?, *minutes))?;
                    Some(Occurrence { at, mark: i64::from(year) })
                })
            }
            Self::Offset { field: _, offset, minutes } => {
                let mark = match value {
                    Value::Time(at) => *at,
                    Value::Date(day) => i64::from(*day),
                    _ => return None,
                };
                let at = offset.from(value, *minutes, zone);
                let at = ahead(at).filter(|_| done != Some(mark))?;
                Some(Occurrence { at, mark })
            }
        }
    }

    /// As it is written.
    #[must_use]
    pub fn words(&self, program: &Program) -> String {
        let at = |minutes: i64| format!(" at {:02}:{:02}", minutes / 60, minutes % 60);
        let date = self.date().map_or(String::new(), |date| {
            let field = program.profile.get(date.field.0 as usize).map_or("", |it| &*it.field.name);
            let path: String = date.path.iter().map(|part| format!(".{part}")).collect();
            format!("profile.{field}{path}")
        });
        match self {
            Self::Weekly { days, minutes } => {
                let named: Vec<&str> =
                    WEEKDAYS.iter().zip(days).filter(|(_, on)| **on).map(|(name, _)| *name).collect();
                let named = if named.len() == WEEKDAYS.len() { "day".to_owned() } else { named.join(", ") };
                format!("every {named}{}", at(*minutes))
            }
            Self::Yearly { minutes, .. } => format!("every year on {date}{}", at(*minutes)),
            Self::Offset { offset, minutes, .. } => {
                format!("{offset} {date}{}", minutes.map_or(String::new(), at))
            }
        }
    }
}

fn is_among(day: i32, days: &[bool; 7]) -> bool {
    let name = time::date_weekday(day);
    WEEKDAYS.iter().zip(days).any(|(weekday, on)| *on && name == Some(*weekday))
}

/// The calendar day of a date, or of a point in time for the customer.
fn day_of(value: &Value, zone: &Zone) -> Option<i32> {
    match value {
        Value::Date(day) => Some(*day),
        Value::Time(at) => zone.date(*at),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        time::{parse_date, parse_instant, print_date},
        typed::{FieldId, schedule::DateField},
    };

    fn at(text: &str) -> Millis {
        parse_instant(text).unwrap()
    }

    fn date(text: &str) -> Value {
        Value::Date(parse_date(text).unwrap())
    }

    fn zone(name: &str) -> Zone {
        Zone::named(name).unwrap()
    }

    fn field() -> DateField {
        DateField { field: FieldId(0), path: Vec::new() }
    }

    #[test]
    fn every_day_of_a_year_comes_once_whatever_clocks_do() {
        let daily = Schedule::Weekly { days: [true; 7], minutes: 150 };
        for name in ["Europe/Oslo", "Pacific/Apia", "America/Sao_Paulo", "Asia/Tokyo"] {
            let zone = zone(name);
            let (mut from, mut done) = (at("2011-01-01T12:00:00Z"), None);
            while let Some(next) = daily.next(&Value::Missing, &zone, from, done) {
                if next.at >= at("2012-02-01T00:00:00Z") {
                    break;
                }
                // Samoa had no 30 December 2011, and 24 hours lie between the days around it.
                let hours = (next.at - (from - 1)) / 3_600_000;
                assert!(done.is_none() || (23..=25).contains(&hours), "{name}: {hours} hours");
                assert!(done.is_none_or(|done| done < next.mark), "{name}");
                (from, done) = (next.at + 1, Some(next.mark));
            }
            assert!(done.is_some(), "{name}");
        }
    }

    #[test]
    fn a_day_is_not_done_twice_in_two_zones() {
        let daily = Schedule::Weekly { days: [true; 7], minutes: 540 };
        let first =
            daily.next(&Value::Missing, &zone("Asia/Tokyo"), at("2026-01-04T20:00:00Z"), None).unwrap();
        assert_eq!(first.at, at("2026-01-05T00:00:00Z"));
        let again =
            daily.next(&Value::Missing, &zone("Europe/Oslo"), first.at + 1, Some(first.mark)).unwrap();
        assert_eq!(again.at, at("2026-01-06T08:00:00Z"));
    }

    #[test]
    fn leap_days_are_on_the_28th_in_other_years() {
        let yearly = Schedule::Yearly { field: field(), minutes: 0 };
        let next = |from: &str| {
            let next = yearly.next(&date("1992-02-29"), &Zone::utc(), at(from), None).unwrap();
            print_date(Zone::utc().date(next.at).unwrap())
        };
        assert_eq!(next("2026-01-01T00:00:00Z"), "2026-02-28");
        assert_eq!(next("2027-03-01T00:00:00Z"), "2028-02-29");
    }

    #[test]
    fn a_year_does_not_come_before_its_date() {
        let yearly = Schedule::Yearly { field: field(), minutes: 0 };
        let next = yearly.next(&date("2028-05-01"), &Zone::utc(), at("2026-01-01T00:00:00Z"), None);
        assert_eq!(next.map(|it| it.at), Some(at("2028-05-01T00:00:00Z")));
    }
}
