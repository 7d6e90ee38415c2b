//! Habits in durations, dates and times of day.

use super::Scan;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::parse::token::Kind;

/// Short and other names of units, with ours in the plural.
const UNITS: &[(&str, &str)] = &[
    ("ms", "milliseconds"),
    ("s", "seconds"),
    ("sec", "seconds"),
    ("secs", "seconds"),
    ("m", "minutes"),
    ("min", "minutes"),
    ("mins", "minutes"),
    ("h", "hours"),
    ("hr", "hours"),
    ("hrs", "hours"),
    ("d", "days"),
    ("w", "weeks"),
    ("wk", "weeks"),
    ("wks", "weeks"),
    ("mo", "months"),
    ("y", "years"),
    ("yr", "years"),
    ("yrs", "years"),
];

impl Scan<'_, '_> {
    /// `30d`, `30days`, `30 hrs`.
    pub(super) fn number(&mut self, index: usize) -> usize {
        if self.tokens.word(index + 1) == "," {
            return self.comma(index);
        }
        if self.tokens.kind(index + 1) != Some(Kind::Word) {
            return 0;
        }
        let close = self.tokens.touches(index);
        let word = self.tokens.word(index + 1);
        let lower = word.to_ascii_lowercase();
        if matches!(lower.as_str(), "am" | "pm") {
            return self.half_day(index);
        }
        let known = super::words::UNITS.iter().find(|unit| **unit == lower).copied();
        let short = UNITS.iter().find(|(theirs, _)| *theirs == lower).map(|(_, ours)| *ours);
        let unit = match (known, short) {
            (Some(unit), _) if close => unit,
            (None, Some(unit)) if close || (self.tokens.same_line(index + 1) && lower.len() > 1) => unit,
            (Some(_) | None, _) => return if close { self.letters(index) } else { 0 },
        };
        let amount = self.tokens.word(index);
        let unit = if amount == "1" { unit.strip_suffix('s').unwrap_or(unit) } else { unit };
        let shown = self.joined(index, index + 1);
        let said = format!("the unit of a duration is a word; found `{shown}`");
        self.replace(codes::HABIT_DURATION, index, index + 1, said, &format!("{amount} {unit}"))
    }

    /// The text from one token to another.
    pub(super) fn joined(&self, first: usize, last: usize) -> String {
        let (Some(from), Some(to)) = (self.tokens.get(first), self.tokens.get(last)) else {
            return String::new();
        };
        self.tokens.text.get(from.start..to.end).unwrap_or("").to_owned()
    }

    /// `3x`: neither a number nor a name.
    fn letters(&mut self, index: usize) -> usize {
        let (Some(from), Some(to)) = (self.tokens.get(index), self.tokens.get(index + 1)) else { return 0 };
        let said = format!("a number with letters; found `{}`", self.joined(index, index + 1));
        let said = Diagnostic::error(codes::SYNTAX, self.report.span(from.start, to.end), said)
            .help("a duration is written like `2 hours`; a name starts with a letter");
        let amount = self.tokens.word(index);
        self.report.guess(said, from.start, to.end, amount);
        2
    }

    /// `9am`, `9:30 pm`.
    fn half_day(&mut self, index: usize) -> usize {
        let (hours, minutes) = match self.tokens.word(index).split_once(':') {
            Some((hours, minutes)) => (hours, minutes),
            None => (self.tokens.word(index), "00"),
        };
        let afternoon = self.tokens.word(index + 1).eq_ignore_ascii_case("pm");
        let Ok(hour @ 1..=12) = hours.parse::<u8>() else { return 0 };
        let hour = hour % 12 + if afternoon { 12 } else { 0 };
        let said = format!("a day has 24 hours here; found `{}`", self.joined(index, index + 1));
        self.replace(codes::HABIT_DATE, index, index + 1, said, &format!("{hour:02}:{minutes}"))
    }

    /// `2026-1-31`, `2026-01-31T08:00`.
    pub(super) fn date(&mut self, index: usize) -> usize {
        let written = self.tokens.word(index);
        let padded = pad(written, '-');
        if self.tokens.touches(index) && self.tokens.kind(index + 1) == Some(Kind::Word) {
            return self.iso(index, &padded);
        }
        if padded == written {
            return 0;
        }
        let said = format!("month and day have two digits; found `{written}`");
        self.replace(codes::HABIT_DATE, index, index, said, &padded)
    }

    /// `T08` after a date was cut into a word and what follows it.
    fn iso(&mut self, index: usize, date: &str) -> usize {
        let Some(hour) = self.tokens.word(index + 1).strip_prefix('T') else { return self.letters(index) };
        let mut last = index + 1;
        let mut time = hour.to_owned();
        while self.tokens.touches(last) && last < index + 8 {
            let part = self.tokens.word(last + 1);
            if !matches!(self.tokens.kind(last + 1), Some(Kind::Number | Kind::Time))
                && !matches!(part, ":" | "Z")
            {
                break;
            }
            time.push_str(part.trim_end_matches('Z'));
            last += 1;
        }
        if !hour.bytes().all(|byte| byte.is_ascii_digit()) || time.len() < 4 {
            return self.letters(index);
        }
        let said = format!("date and time are parted by a space; found `{}`", self.joined(index, last));
        self.replace(codes::HABIT_DATE, index, last, said, &format!("{date} {}", pad(&time, ':')))
    }

    /// `8:00`.
    pub(super) fn time(&mut self, index: usize) -> usize {
        let written = self.tokens.word(index);
        let next = self.tokens.word(index + 1);
        if matches!(next.to_ascii_lowercase().as_str(), "am" | "pm") {
            return self.half_day(index);
        }
        let padded = pad(written, ':');
        if padded == written {
            return 0;
        }
        let said = format!("the hour has two digits; found `{written}`");
        self.replace(codes::HABIT_DATE, index, index, said, &padded)
    }
}

/// Gives each part of one digit a zero.
fn pad(text: &str, separator: char) -> String {
    let parts: Vec<String> = text.split(separator).map(|part| format!("{part:0>2}")).collect();
    parts.join(&separator.to_string())
}
