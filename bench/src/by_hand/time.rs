//! Time: instants in UTC, read and written as `2026-01-31T08:00:00.000Z`.

/// A point in time, in milliseconds since 1970.
pub(super) type Millis = i64;

/// An hour, in milliseconds.
pub(super) const HOUR: Millis = 3_600_000;
/// A day, in milliseconds.
pub(super) const DAY: Millis = 24 * HOUR;
/// Before every event: what never happened.
pub(super) const NEVER: Millis = Millis::MIN;
/// After every event: what will not happen.
pub(super) const NEVER_MORE: Millis = Millis::MAX;

/// How many bytes a written instant has.
const LENGTH: usize = 24;
/// What stands between the numbers of an instant, and where.
const SIGNS: [(usize, u8); 7] =
    [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (23, b'Z')];

/// Reads an instant in exactly this form; nothing where it is written otherwise.
pub(super) fn parse(text: &str) -> Option<Millis> {
    let text: &[u8; LENGTH] = text.as_bytes().try_into().ok()?;
    let mut is_well_formed = SIGNS.iter().all(|(place, sign)| text[*place] == *sign);
    let mut digit = |place: usize| {
        let digit = text[place].wrapping_sub(b'0');
        is_well_formed &= digit <= 9;
        i64::from(digit)
    };
    let mut two = |place: usize| 10 * digit(place) + digit(place + 1);
    let (year, month, day) = (100 * two(0) + two(2), two(5), two(8));
    let (hour, minute, second) = (two(11), two(14), two(17));
    let milli = 10 * two(20) + digit(22);
    let is_in_range = year > 0
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    let time = hour * HOUR + minute * 60_000 + second * 1_000 + milli;
    (is_well_formed && is_in_range).then(|| days(year, month, day) * DAY + time)
}

/// The days from 1970 to a date of the Gregorian calendar, after the year 0. Years begin in March here, so
/// that the leap day is their last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// The date that is so many days after 1970: year, month and day.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// An instant as it is written.
pub(super) struct Written([u8; LENGTH]);

impl Written {
    /// Writes an instant of the years 0 to 9999.
    pub(super) fn of(at: Millis) -> Self {
        let (year, month, day) = date(at.div_euclid(DAY));
        let rest = at.rem_euclid(DAY);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut write = |mut number: i64, from: usize, to: usize| {
            for place in text[from..to].iter_mut().rev() {
                *place = b'0' + u8::try_from(number % 10).unwrap_or_default();
                number /= 10;
            }
        };
        write(year, 0, 4);
        write(month, 5, 7);
        write(day, 8, 10);
        write(rest / HOUR, 11, 13);
        write(rest / 60_000 % 60, 14, 16);
        write(rest / 1_000 % 60, 17, 19);
        write(rest % 1_000, 20, 23);
        Self(text)
    }

    /// The text.
    pub(super) fn text(&self) -> &str {
        // It is made of ASCII alone.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}
