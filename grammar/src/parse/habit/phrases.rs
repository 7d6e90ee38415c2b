//! Phrases of everyday speech that are nearly those of the language.

use super::{Scan, words};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::parse::token::Kind;

/// Comparisons as people say them.
const MORE: &[&str] = &["more", "greater", "larger", "bigger", "higher"];
const LESS: &[&str] = &["less", "fewer", "smaller", "lower"];
/// Words for how often.
const OFTEN: &[(&str, &str)] = &[("once", "1"), ("twice", "2"), ("thrice", "3")];

impl Scan<'_, '_> {
    /// Looks for a phrase at a word; returns how many tokens it took.
    pub(super) fn phrase(&mut self, index: usize) -> usize {
        let next = self.tokens.word(index + 1);
        match self.tokens.word(index) {
            "is" => self.is(index),
            "equals" if self.is_literal(index + 1) => self.sign(index, index, "="),
            word if next == "than" && (MORE.contains(&word) || LESS.contains(&word)) => {
                self.than(index, index)
            }
            "at" if self.tokens.kind(index + 2) == Some(Kind::Number) => self.misspelt_at(index),
            "in" | "within" | "during" | "over" | "for" | "last" => self.in_the_last(index),
            "not" if next == "activity" && self.is_stretch(index + 2) => {
                let said = "silence is `no activity` here".to_owned();
                self.replace(codes::HABIT_WORD, index, index + 1, said, "no activity")
            }
            "not" | "without" if self.tokens.before(index) == "then" => self.then_no(index, index),
            "but" if matches!(next, "not" | "no") => self.then_no(index, index + 1),
            "limit" => self.limit(index),
            "on" => self.on(index),
            _ => 0,
        }
    }

    fn is_number(&self, index: usize) -> bool {
        self.tokens.kind(index) == Some(Kind::Number)
    }

    fn is_literal(&self, index: usize) -> bool {
        matches!(self.tokens.kind(index), Some(Kind::Text | Kind::Number | Kind::Date))
            || matches!(self.tokens.word(index), "true" | "false")
    }

    /// Whether `in the last …`, or nearly so, stands at a place.
    fn is_stretch(&self, index: usize) -> bool {
        matches!(self.tokens.word(index), "in" | "for" | "within" | "during" | "over")
            && (matches!(self.tokens.word(index + 1), "the" | "last" | "past") || self.is_number(index + 1))
    }

    /// `is "shoes"`, `is not "shoes"`, `is greater than 5`, `is at least 5`.
    fn is(&mut self, index: usize) -> usize {
        let negated = self.tokens.word(index + 1) == "not";
        let last = if negated { index + 1 } else { index };
        if self.is_literal(last + 1) {
            return self.sign(index, last, if negated { "!=" } else { "=" });
        }
        let next = self.tokens.word(index + 1);
        if self.tokens.word(index + 2) == "than" && (MORE.contains(&next) || LESS.contains(&next)) {
            return self.than(index, index + 1);
        }
        let sign = match (next, self.tokens.word(index + 2)) {
            ("at", "least") => ">=",
            ("at", "most") => "<=",
            _ => return 0,
        };
        if self.is_number(index + 3) { self.sign(index, index + 2, sign) } else { 0 }
    }

    fn sign(&mut self, first: usize, last: usize, sign: &str) -> usize {
        let said = format!("a comparison is a sign here; found `{}`", self.joined(first, last));
        self.replace(codes::HABIT_OPERATOR, first, last, said, sign)
    }

    /// `more than 3 times`, `is less than or equal to 5`; `word` is where `more` or `less` stands.
    fn than(&mut self, first: usize, word: usize) -> usize {
        let more = MORE.contains(&self.tokens.word(word));
        let number = word + 2;
        if matches!(self.tokens.word(number + 1), "times" | "time") && self.is_number(number) {
            let Ok(count) = self.tokens.word(number).parse::<u64>() else { return 0 };
            let with = if more {
                format!("at least {} times", count.saturating_add(1))
            } else {
                format!("at most {} times", count.saturating_sub(1))
            };
            let said = format!(
                "a count is `at least`, `at most` or `exactly`; found `{}`",
                self.joined(first, number + 1)
            );
            return self.replace(codes::HABIT_WORD, first, number + 1, said, &with);
        }
        let or_equal = self.tokens.word(word + 2) == "or" && self.tokens.word(word + 3) == "equal";
        let last = match (or_equal, self.tokens.word(word + 4)) {
            (true, "to") => word + 4,
            (true, _) => word + 3,
            (false, _) => word + 1,
        };
        let sign = match (more, or_equal) {
            (true, false) => ">",
            (true, true) => ">=",
            (false, false) => "<",
            (false, true) => "<=",
        };
        self.sign(first, last, sign)
    }

    /// `at leest 3`.
    fn misspelt_at(&mut self, index: usize) -> usize {
        let word = self.tokens.word(index + 1);
        if self.tokens.kind(index + 1) != Some(Kind::Word) || matches!(word, "least" | "most") {
            return 0;
        }
        let Some(meant) = words::nearest(word, &[&["least", "most"]]) else { return 0 };
        let said = format!("expected `at least` or `at most`; found `{}`", self.joined(index, index + 1));
        self.replace(codes::HABIT_WORD, index, index + 1, said, &format!("at {meant}"))
    }

    /// `in last 30 days`, `in the past 30 days`, `within the last 30 days`, `"Event" last 30 days`, and `no activity
    /// for 30 days`.
    fn in_the_last(&mut self, index: usize) -> usize {
        let (word, next) = (self.tokens.word(index), self.tokens.word(index + 1));
        let passed = |word: &str| matches!(word, "last" | "past");
        let start = match word {
            "last" => {
                let after = self.tokens.before(index) == "times"
                    || self.tokens.kind(index.wrapping_sub(1)) == Some(Kind::Text);
                if !after {
                    return 0;
                }
                index + 1
            }
            _ if next == "the" && passed(self.tokens.word(index + 2)) => {
                if word == "in" && self.tokens.word(index + 2) == "last" {
                    return 0;
                }
                index + 3
            }
            _ if passed(next) => index + 2,
            _ if self.tokens.before(index) == "activity" && self.is_number(index + 1) => index + 1,
            _ => return 0,
        };
        let unit = if self.is_number(start) { start + 1 } else { start };
        let is_unit = |at: usize| words::UNITS.contains(&self.tokens.word(at));
        let (last, amount) = if is_unit(unit) {
            (unit, format!(" {}", self.joined(start, unit)))
        } else if self.tokens.word(unit) == "calendar" || self.is_number(start) && word != "last" {
            (start - 1, String::new())
        } else {
            return 0;
        };
        let said = format!("a stretch of time is `in the last …`; found `{}`", self.joined(index, last));
        self.replace(codes::HABIT_WORD, index, last, said, &format!("in the last{amount}"))
    }

    fn then_no(&mut self, first: usize, last: usize) -> usize {
        if self.tokens.kind(last + 1) != Some(Kind::Text) && self.tokens.word(last + 1) != "any" {
            return 0;
        }
        let from = if self.tokens.before(first) == "then" { first - 1 } else { first };
        let said = format!("what must not follow is `then no` here; found `{}`", self.joined(from, last));
        self.replace(codes::HABIT_WORD, from, last, said, "then no").min(last + 1 - first)
    }

    /// `limit twice`, `limit once per day`, `limit once a week`.
    fn limit(&mut self, index: usize) -> usize {
        let word = self.tokens.word(index + 1);
        let Some((_, number)) = OFTEN.iter().find(|(often, _)| *often == word) else { return 0 };
        match self.tokens.word(index + 2) {
            "per" => {
                let said = format!("how often is a number here; found `{word}`");
                1 + self.replace(codes::HABIT_WORD, index + 1, index + 1, said, number)
            }
            "a" | "an" | "every" | "each" | "in" if self.tokens.same_line(index + 2) => {
                let said = "a limit is a number `per` a time".to_owned();
                1 + self.replace(codes::HABIT_WORD, index + 1, index + 2, said, &format!("{number} per"))
            }
            _ if word == "once" => 0,
            _ => {
                let Some(token) = self.tokens.get(index + 1) else { return 0 };
                let said = format!("expected a number and a time after `limit`; found `{word}`");
                let span = self.report.span(token.start, token.end);
                let said = Diagnostic::error(codes::HABIT_WORD, span, said)
                    .help(format!("write `{number} per 7 days`, or another time"));
                self.report.guess(said, token.start, token.end, format!("{number} per 7 days"));
                2
            }
        }
    }

    /// `on "Event"` at the start of a line of a rule.
    fn on(&mut self, index: usize) -> usize {
        let leads = self.tokens.get(index).is_some_and(|token| token.leads);
        let starts = self.tokens.kind(index + 1) == Some(Kind::Text)
            || self.tokens.word(index + 1) == "any"
            || self.is_event_word(index + 1);
        if !leads || !starts || matches!(self.declaration, "" | "suppress") {
            return 0;
        }
        let said = "a rule starts with `when`; found `on`".to_owned();
        self.replace(codes::HABIT_WORD, index, index, said, "when")
    }

    fn is_event_word(&self, index: usize) -> bool {
        let word = self.tokens.word(index);
        self.tokens.kind(index) == Some(Kind::Word)
            && word.starts_with(|first: char| first.is_ascii_uppercase())
            && !words::is_keyword(&word.to_ascii_lowercase())
    }

    /// `did Order Completed`: the name of an event without quotes.
    pub(super) fn bare_event(&mut self, index: usize) -> usize {
        let before = self.tokens.before(index).to_ascii_lowercase();
        let expected = match before.as_str() {
            "did" | "done" | "then" | "no" | "when" | "each" | "earliest" => true,
            "on" => self.tokens.get(index - 1).is_some_and(|token| token.leads),
            "of" => index >= 2 && self.tokens.word(index - 2) == "count",
            "since" => index >= 2 && self.tokens.word(index - 2) == "time",
            _ => false,
        };
        if !expected || !self.is_event_word(index) || self.tokens.word(index + 1) == "." {
            return 0;
        }
        let mut last = index;
        while self.tokens.same_line(last + 1) && self.is_event_word(last + 1) {
            last += 1;
        }
        self.in_quotes(index, last)
    }

    /// `event Foo Bar {` and `test my test {`.
    pub(super) fn bare_title(&mut self, index: usize) -> usize {
        let leads = |at: usize| self.tokens.get(at).is_some_and(|token| token.leads);
        let declares = leads(index) || self.tokens.before(index) == "passive" && leads(index - 1);
        if !declares {
            return 0;
        }
        let mut last = index;
        while matches!(self.tokens.kind(last + 1), Some(Kind::Word | Kind::Number))
            && self.tokens.same_line(last + 1)
        {
            last += 1;
        }
        if last == index || self.tokens.word(last + 1) != "{" {
            return 0;
        }
        1 + self.in_quotes(index + 1, last)
    }

    fn in_quotes(&mut self, first: usize, last: usize) -> usize {
        let shown = self.joined(first, last);
        let said = format!("the name of an event or a test stands in quotes; found `{shown}`");
        self.replace(codes::HABIT_QUOTE, first, last, said, &format!("\"{shown}\""))
    }

    /// `rule "r" {`, `segment "vip" {`: names stand without quotes; what is more than a name is the title.
    pub(super) fn quoted_name(&mut self, index: usize) -> usize {
        let leads = self.tokens.get(index).is_some_and(|token| token.leads);
        if self.tokens.kind(index + 1) != Some(Kind::Text) {
            return 0;
        }
        let declares = leads && self.tokens.word(index + 2) == "{";
        let names = matches!(self.tokens.word(index), "enters" | "leaves")
            || self.tokens.word(index) == "segment" && matches!(self.tokens.before(index), "in" | "for")
            || self.tokens.word(index) == "topic" && leads && !declares;
        if !(declares || names) {
            return 0;
        }
        let written = self.tokens.word(index + 1);
        let title = written.trim_matches('"');
        let name = snake(title);
        if name.is_empty() || words::is_taken(&name) || self.tokens.word(index + 1).starts_with("\"\"\"") {
            return 0;
        }
        let with = if declares && name != title { format!("{name} {written}") } else { name };
        let said = format!("a name stands without quotes; found `{written}`");
        1 + self.replace(codes::HABIT_QUOTE, index + 1, index + 1, said, &with)
    }

    /// `let and = 1`: a word that may be no name at all.
    pub(super) fn reserved_name(&mut self, index: usize) -> usize {
        let leads = self.tokens.get(index).is_some_and(|token| token.leads);
        let word = self.tokens.word(index + 1);
        let declares = matches!(self.tokens.word(index + 2), "=" | "{");
        let Some(token) = self.tokens.get(index + 1).filter(|_| leads && declares) else { return 0 };
        if !words::RESERVED.contains(&word) {
            return 0;
        }
        let said = format!("`{word}` is a word of the language and cannot be a name");
        let said = Diagnostic::error(codes::RESERVED_NAME, self.report.span(token.start, token.end), said)
            .help(format!("choose another name, for example `my_{word}`"));
        self.report.guess(said, token.start, token.end, format!("my_{word}"));
        2
    }

    /// `when "A" or "B"`: one of several events.
    pub(super) fn either(&mut self, index: usize) -> usize {
        let before = self.tokens.before(index).to_ascii_lowercase();
        let event = matches!(before.as_str(), "when" | "then" | "no" | "did" | "done" | "each" | "earliest")
            || before == "on" && self.tokens.get(index - 1).is_some_and(|token| token.leads);
        if !event {
            return 0;
        }
        let mut events = vec![self.tokens.word(index)];
        let mut last = index;
        while self.tokens.word(last + 1) == "or" && self.tokens.kind(last + 2) == Some(Kind::Text) {
            last += 2;
            events.push(self.tokens.word(last));
        }
        if events.len() < 2 {
            return 0;
        }
        let said = "one of several events is `any of (…)`; found `or` between their names".to_owned();
        self.replace(codes::HABIT_WORD, index, last, said, &format!("any of ({})", events.join(", ")))
    }

    /// `50,00` and `1,000`.
    pub(super) fn comma(&mut self, index: usize) -> usize {
        let close = self.tokens.touches(index) && self.tokens.touches(index + 1);
        if self.tokens.word(index + 1) != "," || !close || !self.is_number(index + 2) {
            return 0;
        }
        // In a list two numbers may stand so.
        if matches!(self.tokens.before(index), "[" | "(" | ",") {
            return 0;
        }
        let (whole, rest) = (self.tokens.word(index), self.tokens.word(index + 2));
        let shown = self.joined(index, index + 2);
        let said = format!("a decimal point is `.` here; found `{shown}`");
        if rest.split('.').next().map(str::len) != Some(3) {
            return self.replace(
                codes::HABIT_PUNCTUATION,
                index,
                index + 2,
                said,
                &format!("{whole}.{rest}"),
            );
        }
        let (Some(from), Some(to)) = (self.tokens.get(index), self.tokens.get(index + 2)) else { return 0 };
        let said = format!("a number has no comma; found `{shown}`");
        let thousands = format!("{whole}_{rest}");
        let decimal =
            if rest.contains('.') { String::new() } else { format!(", or `{whole}.{rest}` for a fraction") };
        let said = Diagnostic::error(codes::HABIT_PUNCTUATION, self.report.span(from.start, to.end), said)
            .help(format!("write `{thousands}`{decimal}"));
        self.report.guess(said, from.start, to.end, thousands);
        3
    }
}

/// A title as a name: small letters, digits and `_`.
fn snake(title: &str) -> String {
    let name: String = title
        .chars()
        .map(|it| if it.is_ascii_alphanumeric() { it.to_ascii_lowercase() } else { '_' })
        .collect();
    let parts: Vec<&str> = name.split('_').filter(|part| !part.is_empty()).collect();
    let name = parts.join("_");
    if name.starts_with(|first: char| first.is_ascii_digit()) { String::new() } else { name }
}
