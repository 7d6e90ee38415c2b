//! Calendar days, weeks and months. A day is its number since 1970-01-01; weeks begin on Monday.

use crate::time;
use std::collections::BTreeSet;

/// How many days the local dates of one instant can lie apart in different zones: a customer who changes zone may find
/// that it is that much earlier again.
pub const ZONE_DAYS: i32 = 2;

/// The most days or weeks of a streak: ten years of days, as of every length of time.
pub const MAX_STREAK: i32 = 3_660;

/// A stretch of calendar days that ends today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Calendar {
    /// The last so many days; today is one of them.
    Days(u32),
    /// From Monday on.
    Week,
    /// From the first of the month on.
    Month,
}

impl Calendar {
    /// Its first day. What lies after today counts too: it happened where the day had already begun.
    #[must_use]
    pub fn first_day(self, today: i32) -> i32 {
        match self {
            Self::Days(count) => today.saturating_sub(days(count).saturating_sub(1)),
            Self::Week => Unit::Weeks.first_day(Unit::Weeks.of(today)),
            Self::Month => time::month_of(today, 0).unwrap_or(today),
        }
    }

    /// The first day on which what happened on `day` no longer lies in it.
    #[must_use]
    pub fn ends(self, day: i32) -> i32 {
        match self {
            Self::Days(count) => day.saturating_add(days(count)),
            Self::Week => Unit::Weeks.first_day(Unit::Weeks.of(day) + 1),
            Self::Month => time::month_of(day, 1).unwrap_or(day.saturating_add(1)),
        }
    }

    /// How many days it has at most.
    #[must_use]
    pub fn longest(self) -> i32 {
        match self {
            Self::Days(count) => days(count),
            Self::Week => 7,
            Self::Month => 31,
        }
    }
}

fn days(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// What a habit is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Calendar days.
    Days,
    /// Weeks that begin on Monday.
    Weeks,
}

impl Unit {
    /// The number of the day or week that a day lies in.
    #[must_use]
    pub fn of(self, day: i32) -> i32 {
        match self {
            Self::Days => day,
            // 1970-01-01 was a Thursday.
            Self::Weeks => day.saturating_add(3).div_euclid(7),
        }
    }

    /// The first day of the day or week of this number.
    #[must_use]
    pub fn first_day(self, number: i32) -> i32 {
        match self {
            Self::Days => number,
            Self::Weeks => number.saturating_mul(7).saturating_sub(3),
        }
    }
}

/// What is asked of the days or weeks on which something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Habit {
    /// On how many of the last so many; the current one is one of them.
    Of(u32),
    /// How many in a row up to the current one or the one before.
    Streak,
}

impl Habit {
    /// What it comes to, with the days or weeks on which something happened and the current one; and the day or week at
    /// whose beginning it comes to something else if nothing happens.
    #[must_use]
    pub fn count(self, active: &BTreeSet<i32>, current: i32) -> (i32, Option<i32>) {
        match self {
            Self::Of(last) => {
                let first = current.saturating_sub(days(last).saturating_sub(1));
                let mut counted = active.range(first..).peekable();
                let changes = counted.peek().map(|oldest| oldest.saturating_add(days(last)));
                (i32::try_from(counted.count()).unwrap_or(i32::MAX), changes)
            }
            Self::Streak => {
                let Some(newest) = active.last().copied().filter(|newest| *newest >= current - 1) else {
                    return (0, None);
                };
                let row = active.iter().rev().zip(0..).take_while(|(active, back)| **active == newest - back);
                (i32::try_from(row.count()).unwrap_or(i32::MAX).min(MAX_STREAK), Some(newest + 2))
            }
        }
    }

    /// How many days or weeks before the current one it looks at.
    #[must_use]
    pub fn reach(self) -> i32 {
        match self {
            Self::Of(last) => days(last),
            Self::Streak => MAX_STREAK + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> i32 {
        time::parse_date(text).unwrap()
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_their_first() {
        // 2026-01-04 is a Sunday.
        assert_eq!(Calendar::Week.first_day(day("2026-01-04")), day("2025-12-29"));
        assert_eq!(Calendar::Week.ends(day("2026-01-04")), day("2026-01-05"));
        assert_eq!(Calendar::Week.first_day(day("2026-01-05")), day("2026-01-05"));
        assert_eq!(Calendar::Month.first_day(day("2028-02-29")), day("2028-02-01"));
        assert_eq!(Calendar::Month.ends(day("2027-12-31")), day("2028-01-01"));
        assert_eq!(Calendar::Days(1).ends(day("2026-01-05")), day("2026-01-06"));
    }

    #[test]
    fn a_day_lies_within_until_its_end() {
        for calendar in [Calendar::Days(1), Calendar::Days(7), Calendar::Week, Calendar::Month] {
            for today in day("2028-01-20")..day("2028-03-20") {
                for before in 0..40 {
                    let day = today - before;
                    assert_eq!(day >= calendar.first_day(today), today < calendar.ends(day));
                    assert!(day < calendar.first_day(today) || before < calendar.longest());
                }
            }
        }
    }

    #[test]
    fn a_streak_lasts_until_a_day_was_missed() {
        let active = BTreeSet::from([3, 5, 6, 7]);
        assert_eq!(Habit::Streak.count(&active, 7), (3, Some(9)));
        assert_eq!(Habit::Streak.count(&active, 8), (3, Some(9)));
        assert_eq!(Habit::Streak.count(&active, 9), (0, None));
        assert_eq!(Habit::Of(3).count(&active, 7), (3, Some(8)));
        assert_eq!(Habit::Of(3).count(&active, 8), (2, Some(9)));
        assert_eq!(Habit::Of(3).count(&active, 10), (0, None));
    }
}
