//! Durations as in rules.

use crate::{limits::MAX_DURATION, words::nearest};

/// Units with their short forms in other places, and milliseconds.
const UNITS: [(&str, &str, i64); 5] = [
    ("second", "s", 1_000),
    ("minute", "m", 60_000),
    ("hour", "h", 3_600_000),
    ("day", "d", 86_400_000),
    ("week", "w", 604_800_000),
];

/// Reads a duration as rules write it, such as `10 minutes` or `1_000 days`, as milliseconds.
///
/// # Errors
/// What to write instead, for a person.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    let text = text.trim();
    let end = text.find(|it: char| !it.is_ascii_digit() && it != '_').unwrap_or(text.len());
    let (digits, word) = text.split_at(end);
    let digits = digits.replace('_', "");
    let unit = word.trim();
    let Ok(count) = digits.parse::<i64>() else {
        return Err("write a number and a unit, such as \"10 minutes\"".to_owned());
    };
    let singular = unit.strip_suffix('s').unwrap_or(unit);
    let known = UNITS.iter().find(|(name, ..)| *name == singular).filter(|_| word.starts_with(' '));
    if let Some((.., millis)) = known {
        let total = count.checked_mul(*millis).filter(|total| *total <= MAX_DURATION);
        return total.ok_or_else(|| "at most 36525 days".to_owned());
    }
    let lower = unit.to_lowercase();
    let names = UNITS.map(|(name, ..)| name);
    let meant = UNITS
        .iter()
        .find(|(_, short, _)| *short == lower)
        .map(|(name, ..)| *name)
        .or_else(|| nearest(lower.strip_suffix('s').unwrap_or(&lower), &names));
    Err(match meant {
        Some(name) => format!("write \"{count} {name}{}\"", if count == 1 { "" } else { "s" }),
        None => "the units are seconds, minutes, hours, days and weeks".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations() {
        assert_eq!(parse_duration("90 seconds"), Ok(90_000));
        assert_eq!(parse_duration("1 day"), Ok(86_400_000));
        assert_eq!(parse_duration("1_000 weeks"), Ok(604_800_000_000));
        assert_eq!(parse_duration("0 seconds"), Ok(0));
        for (text, help) in [
            ("10m", "write \"10 minutes\""),
            ("1 Hours", "write \"1 hour\""),
            ("5minutes", "write \"5 minutes\""),
            ("3 fortnights", "the units are seconds, minutes, hours, days and weeks"),
            ("soon", "write a number and a unit, such as \"10 minutes\""),
            ("-1 day", "write a number and a unit, such as \"10 minutes\""),
            ("9999999999 weeks", "at most 36525 days"),
        ] {
            assert_eq!(parse_duration(text), Err(help.to_owned()), "{text}");
        }
    }
}
