//! Days and instants of the simulated weeks, and how they are written.

/// Milliseconds of a second.
pub(crate) const SECOND: i64 = 1_000;
/// Milliseconds of a minute.
pub(crate) const MINUTE: i64 = 60 * SECOND;
/// Milliseconds of an hour.
pub(crate) const HOUR: i64 = 60 * MINUTE;
/// Milliseconds of a day.
pub(crate) const DAY: i64 = 24 * HOUR;
/// 2026-01-05T00:00:00Z, a Monday, in milliseconds since 1970.
const FIRST_DAY: i64 = 1_767_571_200_000;

/// A day of the simulation, counted from the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(pub(crate) u32);

impl Day {
    /// Tells the first instant of this day in UTC, in milliseconds since 1970.
    pub(crate) fn start(self) -> i64 {
        FIRST_DAY + i64::from(self.0) * DAY
    }

    /// Tells whether this is a Saturday or a Sunday.
    pub(crate) fn is_weekend(self) -> bool {
        self.0 % 7 >= 5
    }
}

/// Writes an instant as ISO-8601 in UTC with milliseconds.
pub(crate) fn iso(instant: i64) -> String {
    let (year, month, day) = civil(instant.div_euclid(DAY));
    let rest = instant.rem_euclid(DAY);
    let (hour, minute) = (rest / HOUR, rest % HOUR / MINUTE);
    let (second, milli) = (rest % MINUTE / SECOND, rest % SECOND);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// Turns days since 1970 into year, month and day of the Gregorian calendar.
///
/// Years are counted from 1 March, so that the leap day is a year's last.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468; // from 0000-03-01
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_known_instants() {
        assert_eq!(iso(Day(0).start()), "2026-01-05T00:00:00.000Z");
        assert_eq!(iso(Day(42).start() - 1), "2026-02-15T23:59:59.999Z");
        assert_eq!(iso(951_782_400_000), "2000-02-29T00:00:00.000Z");
    }
}
