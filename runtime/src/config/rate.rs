//! Rates as in rules.

use super::duration::parse_duration;
use std::time::Duration;

/// At most so many in any stretch of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many; never 0.
    pub count: u32,
    /// In how many milliseconds; never 0.
    pub per: i64,
}

impl Rate {
    /// Reads a rate such as `5_000 per hour` or `10 per 2 minutes`.
    ///
    /// # Errors
    /// What to write instead, for a person.
    pub fn parse(text: &str) -> Result<Self, String> {
        let example = || "write a number and a stretch of time, such as \"5_000 per hour\"".to_owned();
        let (count, per) = text.split_once(" per ").ok_or_else(example)?;
        let count =
            count.trim().replace('_', "").parse().ok().filter(|count| *count > 0).ok_or_else(example)?;
        let per = per.trim();
        let per = if per.starts_with(|it: char| it.is_ascii_digit()) {
            parse_duration(per)?
        } else {
            parse_duration(&format!("1 {per}"))?
        };
        if per > 0 { Ok(Self { count, per }) } else { Err(example()) }
    }

    /// The time from one to the next when they are evenly spaced, so that no stretch ever holds more than the rate allows.
    #[must_use]
    pub fn gap(self) -> Duration {
        let per = Duration::from_millis(u64::try_from(self.per).unwrap_or_default());
        let nanos = per.as_nanos().div_ceil(u128::from(self.count.max(1)));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_rates() {
        assert_eq!(Rate::parse("5_000 per hour"), Ok(Rate { count: 5_000, per: 3_600_000 }));
        assert_eq!(Rate::parse("3 per 2 days"), Ok(Rate { count: 3, per: 172_800_000 }));
        for text in ["5000", "per hour", "0 per hour", "-1 per hour", "5 per 0 hours", "5 per", "5 / hour"] {
            assert!(Rate::parse(text).is_err_and(|help| help.contains("5_000 per hour")), "{text}");
        }
        assert_eq!(
            Rate::parse("5 per month"),
            Err("the units are seconds, minutes, hours, days and weeks".to_owned())
        );
    }

    #[test]
    fn gaps_are_never_too_short() {
        assert_eq!(Rate { count: 3, per: 1_000 }.gap(), Duration::from_nanos(333_333_334));
        assert_eq!(Rate { count: 1, per: 60_000 }.gap(), Duration::from_secs(60));
    }
}
