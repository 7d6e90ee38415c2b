//! Calendar and time zones, and how instants are read and written.

mod country;
mod distance;

pub use distance::Distance;

use crate::value::{Millis, Value};
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// A time zone.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

/// The earliest and latest instants that are accepted (years 1 to 9999 are more than any event needs; these bounds keep
/// sums of instants and durations within 64 bits).
pub const EARLIEST: Millis = -62_135_596_800_000;
/// See [`EARLIEST`].
pub const LATEST: Millis = 253_402_207_200_000;

const DAY_MS: i64 = 86_400_000;

impl Zone {
    /// Coordinated universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The zone of an IANA name; `None` when there is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }

    /// The zone of a country that has one, by its ISO 3166 code of two letters.
    #[must_use]
    pub fn of_country(code: &str) -> Option<Self> {
        country::zone_of(code).and_then(Self::named)
    }

    /// A customer's own zone: the one that is named, else that of the country.
    #[must_use]
    pub fn of_profile(time_zone: Option<&str>, country: Option<&str>) -> Option<Self> {
        time_zone.and_then(Self::named).or_else(|| country.and_then(Self::of_country))
    }

    /// Its IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The name of a zone that one may have meant by a name that is none.
    #[must_use]
    pub fn nearest(name: &str) -> Option<String> {
        let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
        let city = |zone: &&String| {
            zone.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(name.trim()))
        };
        known
            .iter()
            .find(city)
            .cloned()
            .or_else(|| crate::suggest::nearest(name, known.iter().map(String::as_str)).map(str::to_owned))
    }

    /// The local time of an instant.
    fn local(&self, at: Millis) -> Option<DateTime> {
        Timestamp::from_millisecond(at).ok().map(|instant| self.0.to_datetime(instant))
    }

    /// The local hour, 0 to 23.
    #[must_use]
    pub fn hour(&self, at: Millis) -> Option<i64> {
        self.local(at).map(|local| i64::from(local.hour()))
    }

    /// The local day of the week, `monday` to `sunday`.
    #[must_use]
    pub fn weekday(&self, at: Millis) -> Option<&'static str> {
        self.local(at).map(|local| weekday_name(local.date()))
    }

    /// The local day of the month, 1 to 31.
    #[must_use]
    pub fn day(&self, at: Millis) -> Option<i64> {
        self.local(at).map(|local| i64::from(local.day()))
    }

    /// The local month, 1 to 12.
    #[must_use]
    pub fn month(&self, at: Millis) -> Option<i64> {
        self.local(at).map(|local| i64::from(local.month()))
    }

    /// The local date and time as rules write it: `2026-01-31 08:00`, with seconds and milliseconds where there are some.
    #[must_use]
    pub fn print(&self, at: Millis) -> String {
        let Some(local) = self.local(at) else { return format!("{at} ms") };
        let form = match at {
            _ if at % 60_000 == 0 => "%Y-%m-%d %H:%M",
            _ if at % 1_000 == 0 => "%Y-%m-%d %H:%M:%S",
            _ => "%Y-%m-%d %H:%M:%S.%3f",
        };
        local.strftime(form).to_string()
    }

    /// The instant of a local date and time; in a gap the time after it, in a fold the first.
    #[must_use]
    pub fn instant(&self, local: DateTime) -> Option<Millis> {
        self.0.to_timestamp(local).ok().map(Timestamp::as_millisecond)
    }

    /// The local calendar day, as days since 1970-01-01.
    #[must_use]
    pub fn date(&self, at: Millis) -> Option<i32> {
        self.local(at).and_then(|local| days_of(local.date()))
    }

    /// The instant of so many minutes past midnight on a local calendar day; in a gap the time after it, in a fold the
    /// first. Midnight itself is the first moment of the day, also where clocks skip it.
    #[must_use]
    pub fn at(&self, days: i32, minutes: i64) -> Option<Millis> {
        let (hour, minute) = (i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?);
        let time = jiff::civil::Time::new(hour, minute, 0, 0).ok()?;
        self.instant(civil(days)?.to_datetime(time))
    }

    /// The first instant after another at which it is this local calendar day, or later. Where clocks go back over midnight
    /// the day begins twice.
    #[must_use]
    pub fn begins(&self, days: i32, after: Millis) -> Option<Millis> {
        let midnight = civil(days)?.to_datetime(jiff::civil::Time::midnight());
        let later = || self.0.to_ambiguous_timestamp(midnight).later().ok().map(Timestamp::as_millisecond);
        self.instant(midnight).filter(|at| *at > after).or_else(later).filter(|at| *at > after)
    }

    /// As [`Zone::at`], but in a fold the second.
    #[must_use]
    pub fn last_at(&self, days: i32, minutes: i64) -> Option<Millis> {
        let (hour, minute) = (i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?);
        let time = jiff::civil::Time::new(hour, minute, 0, 0).ok()?;
        let local = civil(days)?.to_datetime(time);
        self.0.to_ambiguous_timestamp(local).later().ok().map(Timestamp::as_millisecond)
    }

    /// An instant printed in this zone by a `strftime` format; `None` when the format is wrong.
    #[must_use]
    pub fn format(&self, at: Millis, format: &str) -> Option<String> {
        let zoned = Timestamp::from_millisecond(at).ok()?.to_zoned_datetime(self.0.clone());
        jiff::fmt::strtime::format(format, &zoned).ok()
    }
}

/// `monday` to `sunday`.
fn weekday_name(date: Date) -> &'static str {
    match date.weekday() {
        jiff::civil::Weekday::Monday => "monday",
        jiff::civil::Weekday::Tuesday => "tuesday",
        jiff::civil::Weekday::Wednesday => "wednesday",
        jiff::civil::Weekday::Thursday => "thursday",
        jiff::civil::Weekday::Friday => "friday",
        jiff::civil::Weekday::Saturday => "saturday",
        jiff::civil::Weekday::Sunday => "sunday",
    }
}

/// The day from which days are numbered.
const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// The calendar day of a day number.
fn civil(days: i32) -> Option<Date> {
    match Timestamp::from_millisecond(i64::from(days) * DAY_MS) {
        Ok(instant) => Some(TimeZone::UTC.to_datetime(instant).date()),
        // The last day is no instant's, and what is slower is for it alone.
        Err(_) => EPOCH.checked_add(jiff::Span::new().try_days(days).ok()?).ok(),
    }
}

/// The day number of a calendar day. Every day has one, also the last, on which no instant is told.
fn days_of(date: Date) -> Option<i32> {
    i32::try_from(date.duration_since(EPOCH).as_hours() / 24).ok()
}

/// The day of the week of a date.
#[must_use]
pub fn date_weekday(days: i32) -> Option<&'static str> {
    civil(days).map(weekday_name)
}

/// The day of the month of a date.
#[must_use]
pub fn date_day(days: i32) -> Option<i64> {
    civil(days).map(|date| i64::from(date.day()))
}

/// The month of a date.
#[must_use]
pub fn date_month(days: i32) -> Option<i64> {
    civil(days).map(|date| i64::from(date.month()))
}

/// The year of a date.
#[must_use]
pub fn date_year(days: i32) -> Option<i32> {
    civil(days).map(|date| i32::from(date.year()))
}

/// The day of a date in another year; the 29th of February is the 28th where there is none.
#[must_use]
pub fn anniversary(days: i32, year: i32) -> Option<i32> {
    let (date, year) = (civil(days)?, i16::try_from(year).ok()?);
    let on = |day: i8| Date::new(year, date.month(), day).ok();
    on(date.day()).or_else(|| on(28)).and_then(days_of)
}

/// The first day of a date's month, or of a later one.
#[must_use]
pub fn month_of(days: i32, later: i32) -> Option<i32> {
    let first = civil(days)?.first_of_month();
    days_of(first.checked_add(jiff::Span::new().try_months(later).ok()?).ok()?)
}

/// `2026-01-31`.
#[must_use]
pub fn print_date(days: i32) -> String {
    civil(days).map_or_else(|| format!("day {days}"), |date| date.to_string())
}

/// A date printed by a `strftime` format; `None` when the format is wrong.
#[must_use]
pub fn format_date(days: i32, format: &str) -> Option<String> {
    jiff::fmt::strtime::format(format, civil(days)?).ok()
}

/// Reads `2026-01-31` as days since 1970-01-01.
#[must_use]
pub fn parse_date(text: &str) -> Option<i32> {
    if text.len() != 10 {
        return None;
    }
    days_of(text.parse().ok()?)
}

/// Reads `2026-01-31`, `2026-01-31 08:00`, `2026-01-31 08:00:30.250` as an instant in a zone.
#[must_use]
pub fn parse_local(text: &str, zone: &Zone) -> Option<Millis> {
    let local: DateTime = if text.len() == 10 {
        text.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight())
    } else {
        text.parse().ok()?
    };
    zone.instant(local).filter(in_range)
}

/// Reads an instant as trackers send it: ISO-8601 with `Z` or an offset (without one it is UTC).
#[must_use]
pub fn parse_instant(text: &str) -> Option<Millis> {
    if let Some(at) = parse_common_instant(text.as_bytes()) {
        return Some(at);
    }
    let at = match text.parse::<Timestamp>() {
        Ok(instant) => instant.as_millisecond(),
        Err(_) => return parse_local(text, &Zone::utc()),
    };
    Some(at).filter(in_range)
}

/// Reads an instant from the command line: with `Z` or an offset as it is, else in the zone.
#[must_use]
pub fn parse_instant_in(text: &str, zone: &Zone) -> Option<Millis> {
    parse_local(text, zone).or_else(|| parse_instant(text))
}

/// The form that nearly every tracker sends, `2026-01-31T08:00:30.250Z` (milliseconds optional), without a library's
/// generality: it is on the path of every event.
fn parse_common_instant(text: &[u8]) -> Option<Millis> {
    let (head, rest) = text.split_first_chunk::<19>()?;
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1, b':', s0, s1] = *head else {
        return None;
    };
    let [t0, t1, t2] = match *rest {
        [b'Z'] => [b'0'; 3],
        [b'.', t0, t1, t2, b'Z'] => [t0, t1, t2],
        _ => return None,
    };
    let written = [y0, y1, y2, y3, m0, m1, d0, d1, h0, h1, n0, n1, s0, s1, t0, t1, t2];
    if !written.iter().fold(true, |all, byte| all & byte.is_ascii_digit()) {
        return None;
    }
    let digit = |byte: u8| u32::from(byte & 15);
    let two = |tens: u8, ones: u8| digit(tens) * 10 + digit(ones);
    let (year, month, day) = (two(y0, y1) * 100 + two(y2, y3), two(m0, m1), two(d0, d1));
    let (hour, minute, second) = (two(h0, h1), two(n0, n1), two(s0, s1));
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days_of_month = [0, 31, 28 + u32::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month_days = *days_of_month.get(month as usize)?;
    if year == 0 || day == 0 || day > month_days || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days from the civil calendar: years start in March so that the leap day comes last. No year is before the first one.
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = shifted_year / 4 - shifted_year / 100 + shifted_year / 400;
    let days = i64::from(shifted_year * 365 + leap_days + day_of_year) - 719_468;
    let seconds = i64::from((hour * 60 + minute) * 60 + second);
    let millis = i64::from(digit(t0) * 100 + two(t1, t2));
    Some((days * 86_400 + seconds) * 1_000 + millis)
}

fn in_range(at: &Millis) -> bool {
    (EARLIEST..=LATEST).contains(at)
}

/// Reads an instant from a JSON number of milliseconds; `None` when out of range.
#[must_use]
pub fn instant_from_number(millis: i64) -> Option<Millis> {
    Some(millis).filter(in_range)
}

/// What `hour`, `weekday`, `day` and `month` give for a time (in the zone) or a date.
#[must_use]
pub fn calendar(function: crate::typed::Function, value: &Value, zone: &Zone) -> Value {
    use crate::typed::Function;
    let number =
        |n: Option<i64>| n.and_then(crate::value::Decimal::whole).map_or(Value::Missing, Value::Number);
    let word = |w: Option<&'static str>| w.map_or(Value::Missing, Value::text);
    match (function, value) {
        (Function::Hour, Value::Time(at)) => number(zone.hour(*at)),
        (Function::Weekday, Value::Time(at)) => word(zone.weekday(*at)),
        (Function::Day, Value::Time(at)) => number(zone.day(*at)),
        (Function::Month, Value::Time(at)) => number(zone.month(*at)),
        (Function::Weekday, Value::Date(days)) => word(date_weekday(*days)),
        (Function::Day, Value::Date(days)) => number(date_day(*days)),
        (Function::Month, Value::Date(days)) => number(date_month(*days)),
        _ => Value::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_reader_agrees_with_the_library() {
        for text in [
            "1970-01-01T00:00:00Z",
            "1969-12-31T23:59:59.999Z",
            "2000-02-29T12:34:56.789Z",
            "1900-02-28T00:00:00Z",
            "2026-11-24T03:07:00.001Z",
            "0001-03-01T00:00:00Z",
        ] {
            let library = text.parse::<Timestamp>().map(Timestamp::as_millisecond).ok();
            assert_eq!(parse_common_instant(text.as_bytes()), library, "{text}");
        }
        for bad in
            ["2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01 00:00:00Z"]
        {
            assert_eq!(parse_common_instant(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn local_days_are_as_long_as_clocks_make_them() {
        let oslo = Zone::named("Europe/Oslo").unwrap();
        let hours = |date: &str| {
            let day = parse_date(date).unwrap();
            (oslo.at(day + 1, 0).unwrap() - oslo.at(day, 0).unwrap()) / 3_600_000
        };
        assert_eq!([hours("2026-03-28"), hours("2026-03-29"), hours("2026-10-25")], [24, 23, 25]);
        let start = oslo.at(parse_date("2026-03-29").unwrap(), 0).unwrap();
        assert_eq!(oslo.date(start), parse_date("2026-03-29"));
        assert_eq!(oslo.date(start - 1), parse_date("2026-03-28"));
        // Half past two does not exist on that day.
        assert_eq!(oslo.at(parse_date("2026-03-29").unwrap(), 150), parse_instant("2026-03-29T01:30:00Z"));
    }

    #[test]
    fn reads_what_trackers_send() {
        assert_eq!(parse_instant("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(parse_instant("1970-01-02"), Some(DAY_MS));
        assert_eq!(parse_instant("yesterday"), None);
        assert_eq!(parse_date("1970-01-02"), Some(1));
        assert_eq!(print_date(20_454), "2026-01-01");
        for date in ["0001-01-01", "1969-12-31", "2024-02-29", "9999-12-30", "9999-12-31"] {
            assert_eq!(parse_date(date).map(print_date).as_deref(), Some(date));
        }
        let last = parse_date("9999-12-31").unwrap();
        assert_eq!((Zone::utc().at(last, 0), date_weekday(last)), (None, Some("friday")));
        assert_eq!(civil(last + 1), None);
    }
}
