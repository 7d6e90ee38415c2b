//! What other tools and everyday speech call it, where the place tells what was meant.

use super::{Scan, words};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::parse::token::Kind;

/// Whom other tools let enter a segment.
const WHO: &[&str] = &[
    "customer",
    "customers",
    "user",
    "users",
    "profile",
    "person",
    "contact",
    "somebody",
    "someone",
    "anyone",
];
/// What may end a wait, and the words with which it does here.
const ENGAGEMENTS: &[(&str, &str)] =
    &[("click", "a click"), ("open", "an open"), ("reply", "a reply"), ("delivery", "a delivery")];
/// What is made of many events, and what other languages call it.
const AGGREGATES: &[(&str, &str)] = &[
    ("sum", "sum"),
    ("total", "sum"),
    ("average", "average"),
    ("avg", "average"),
    ("mean", "average"),
    ("largest", "largest"),
    ("max", "largest"),
    ("maximum", "largest"),
    ("smallest", "smallest"),
    ("min", "smallest"),
    ("minimum", "smallest"),
    ("first", "first"),
    ("last", "last"),
];
/// Up to how many tokens an argument has that is looked at.
const ARGUMENT: usize = 12;

impl Scan<'_, '_> {
    /// Looks for such a phrase at a word; returns how many tokens it took.
    pub(super) fn speech(&mut self, index: usize) -> usize {
        let next = self.tokens.word(index + 1);
        match self.tokens.word(index) {
            "enters" | "leaves" if next == "segment" && self.is_name(index + 2) => {
                self.leave_out(index, index + 1)
            }
            "when" if WHO.contains(&next) && matches!(self.tokens.word(index + 2), "enters" | "leaves") => {
                self.leave_out(index, index + 1)
            }
            "no" if self.tokens.kind(index + 1) == Some(Kind::Text) && self.starts_value(index) => {
                let said = "what somebody did not do is `not did`; found `no`".to_owned();
                self.replace(codes::HABIT_WORD, index, index, said, "not did")
            }
            "never" if matches!(next, "did" | "done") || self.tokens.kind(index + 1) == Some(Kind::Text) => {
                let last = if matches!(next, "did" | "done") { index + 1 } else { index };
                let said = "what somebody never did is `not did`; found `never`".to_owned();
                self.replace(codes::HABIT_WORD, index, last, said, "not did")
            }
            "stop" if next == "when" && matches!(self.tokens.word(index + 2), "enters" | "leaves") => {
                let with =
                    if self.tokens.word(index + 2) == "enters" { "in segment" } else { "not in segment" };
                let said = "what stops a run is a condition that starts to hold".to_owned();
                2 + self.replace(codes::HABIT_WORD, index + 2, index + 2, said, with)
            }
            "on" | "every" => self.days(index),
            "in" | "times" | "drop" if self.declaration == "topic" => self.rate(index),
            "is" if next == "in" && self.tokens.word(index + 2) == "segment" => self.is_in_segment(index),
            "wait" if next == "for" && self.is_amount(index + 2) => self.leave_out(index, index + 1),
            "quiet" if matches!(next, "hours" | "time" | "times" | "from" | "between") => {
                if self.tokens.kind(index + 2) == Some(Kind::Time) {
                    self.leave_out(index, index + 1)
                } else {
                    0
                }
            }
            "limit" if self.is_amount(index + 1) => self.per(index + 2),
            "for" => self.engagement(index),
            "like" if self.tokens.kind(index + 1) == Some(Kind::Text) => self.like(index),
            "exists" | "does" => self.exists(index),
            "days" | "weeks" | "hours" | "minutes" if next == "since" => self.units_since(index),
            "if" if self.declaration == "let" && self.tokens.before(index) == "=" => self.if_first(index),
            "count" if next == "(" && self.tokens.touches(index) => self.counted(index),
            word => match AGGREGATES.iter().find(|(theirs, _)| *theirs == word) {
                Some((_, ours)) if next == "(" && self.tokens.touches(index) => self.as_function(index, ours),
                Some(_) | None => 0,
            },
        }
    }

    /// Whether a condition may begin at a word.
    fn starts_value(&self, index: usize) -> bool {
        matches!(self.tokens.before(index), "{" | "(" | "and" | "or" | "not" | "if")
    }

    /// `on weekends`, `every weekday`.
    fn days(&mut self, index: usize) -> usize {
        let days = match self.tokens.word(index + 1) {
            "weekday" | "weekdays" | "workday" | "workdays" => "monday, tuesday, wednesday, thursday, friday",
            "weekend" | "weekends" => "saturday, sunday",
            _ => return 0,
        };
        let said = format!("days have names here; found `{}`", self.tokens.word(index + 1));
        1 + self.replace(codes::HABIT_WORD, index + 1, index + 1, said, days)
    }

    /// `3 in 7 days`, `3 times per 7 days`, `else drop` in a topic.
    fn rate(&mut self, index: usize) -> usize {
        let word = self.tokens.word(index);
        let after_amount = self.is_amount(index.wrapping_sub(1));
        match word {
            "in" if after_amount && self.is_amount(index + 1) => self.replace(
                codes::HABIT_WORD,
                index,
                index,
                "a rate is a number `per` a time; found `in`".to_owned(),
                "per",
            ),
            "times" if after_amount && self.tokens.word(index + 1) == "per" => {
                let said = "a rate is a number `per` a time, without `times`".to_owned();
                self.replace(codes::HABIT_WORD, index, index + 1, said, "per")
            }
            "drop" if self.tokens.before(index) == "else" => {
                let said = "what is too much is left out with `skip`; found `drop`".to_owned();
                self.replace(codes::HABIT_WORD, index, index, said, "skip")
            }
            _ => 0,
        }
    }

    fn is_amount(&self, index: usize) -> bool {
        self.tokens.kind(index) == Some(Kind::Number)
    }

    fn is_name(&self, index: usize) -> bool {
        self.tokens.kind(index) == Some(Kind::Word) && self.tokens.same_line(index)
    }

    /// A word too many between two that belong together.
    fn leave_out(&mut self, index: usize, extra: usize) -> usize {
        let unit = words::UNITS.contains(&self.tokens.word(extra + 2));
        let last = if self.is_amount(extra + 1) && unit { extra + 2 } else { extra + 1 };
        let with = format!("{} {}", self.tokens.word(index), self.joined(extra + 1, last));
        let said =
            format!("`{}` is not said here; found `{}`", self.tokens.word(extra), self.joined(index, last));
        self.replace(codes::HABIT_WORD, index, last, said, &with)
    }

    /// `is in segment vip`.
    fn is_in_segment(&mut self, index: usize) -> usize {
        let said = "membership is asked without `is`".to_owned();
        self.replace(codes::HABIT_WORD, index, index + 2, said, "in segment")
    }

    /// `limit 1 in 7 days`, `limit 1 every week`.
    fn per(&mut self, index: usize) -> usize {
        if !matches!(self.tokens.word(index), "in" | "a" | "an" | "every" | "each")
            || !self.tokens.same_line(index)
        {
            return 0;
        }
        let said = format!("a limit is a number `per` a time; found `{}`", self.tokens.word(index));
        2 + self.replace(codes::HABIT_WORD, index, index, said, "per")
    }

    /// `wait up to 3 days for click { … }`.
    fn engagement(&mut self, index: usize) -> usize {
        let next = self.tokens.word(index + 1);
        let Some((_, ours)) = ENGAGEMENTS.iter().find(|(theirs, _)| *theirs == next) else { return 0 };
        if !matches!(self.tokens.word(index + 2), "{" | "where") {
            return 0;
        }
        let said = format!("what ends the wait is `{ours}`; found `{next}`");
        1 + self.replace(codes::HABIT_WORD, index + 1, index + 1, said, ours)
    }

    /// `like "%shoes%"`, as databases have it.
    fn like(&mut self, index: usize) -> usize {
        let quotes = |it: char| matches!(it, '"' | '\'' | '“' | '”' | '‘' | '’');
        let pattern = self.tokens.word(index + 1).trim_matches(quotes);
        let (open, close) = (pattern.starts_with('%'), pattern.ends_with('%'));
        let text = pattern.trim_matches('%');
        let with = match (open, close) {
            _ if text.contains(['%', '_']) || text.is_empty() => return self.regular(index),
            (true, true) => format!("contains \"{text}\""),
            (true, false) => format!("ends with \"{text}\""),
            (false, true) => format!("starts with \"{text}\""),
            (false, false) => format!("= \"{text}\""),
        };
        let said =
            "a text is compared with `contains`, `starts with` or `ends with`; found `like`".to_owned();
        self.replace(codes::HABIT_WORD, index, index + 1, said, &with)
    }

    fn regular(&mut self, index: usize) -> usize {
        let Some(token) = self.tokens.get(index) else { return 0 };
        let said =
            "a text is compared with `contains`, `starts with`, `ends with` or `matches`; found `like`";
        let said = Diagnostic::error(codes::HABIT_WORD, self.report.span(token.start, token.end), said)
            .help("write `matches` and a regular expression, in which `.*` stands for anything: `matches \"^a.*b$\"`");
        self.report.guess(said, token.start, token.end, "contains");
        1
    }

    /// `profile.phone exists`, `profile.phone does not exist`.
    fn exists(&mut self, index: usize) -> usize {
        let negated = self.tokens.word(index + 1) == "not" && self.tokens.word(index + 2) == "exist";
        let (last, with) = match self.tokens.word(index) {
            "does" if negated => (index + 2, "is not known"),
            "exists" => (index, "is known"),
            _ => return 0,
        };
        let before = self.tokens.before(index);
        let after_value =
            self.tokens.kind(index.wrapping_sub(1)) == Some(Kind::Word) && !words::is_keyword(before);
        let after = self.tokens.word(last + 1);
        let ends = matches!(after, "" | "}" | ")" | "," | "and" | "or") || !self.tokens.same_line(last + 1);
        if !after_value || !self.tokens.same_line(index) || !ends {
            return 0;
        }
        let said = format!("whether there is a value is `is known`; found `{}`", self.joined(index, last));
        self.replace(codes::HABIT_WORD, index, last, said, with)
    }

    /// `days since last "Event" > 30`.
    fn units_since(&mut self, index: usize) -> usize {
        let word = self.tokens.word(index + 2);
        let event = if matches!(word, "first" | "last") { index + 3 } else { index + 2 };
        if self.tokens.kind(event) != Some(Kind::Text) || self.is_amount(index.wrapping_sub(1)) {
            return 0;
        }
        let asked = format!("time {}", self.joined(index + 1, event));
        let sign = self.tokens.word(event + 1);
        let compared = matches!(sign, "=" | ">" | "<" | ">=" | "<=" | "!=") && self.is_amount(event + 2);
        let (last, with) = if compared {
            let (amount, unit) = (self.tokens.word(event + 2), self.tokens.word(index));
            (event + 2, format!("{asked} {sign} {amount} {unit}"))
        } else {
            (event, asked)
        };
        let said = "how long ago something was is `time since`, a length of time".to_owned();
        self.replace(codes::HABIT_WORD, index, last, said, &with)
    }

    /// `let tier = if spent > 100 …`.
    fn if_first(&mut self, index: usize) -> usize {
        let Some(token) = self.tokens.get(index) else { return 0 };
        let said = "a value comes first, then when it counts; found `if`";
        let said = Diagnostic::error(codes::HABIT_WORD, self.report.span(token.start, token.end), said)
            .help("write `let NAME = \"gold\" if spent >= 1_000, otherwise \"none\"`");
        self.report.mark(said, token.start, token.end, false);
        1
    }

    /// What stands in the parentheses after a word: its first and last token.
    fn argument(&self, index: usize) -> Option<(usize, usize)> {
        let first = index + 2;
        let close = (first..first + ARGUMENT).find(|at| matches!(self.tokens.word(*at), ")" | "("))?;
        (close > first && self.tokens.word(close) == ")").then(|| (first, close - 1))
    }

    /// `count("Event")`.
    fn counted(&mut self, index: usize) -> usize {
        let said = "`count` is no function".to_owned();
        match self.argument(index) {
            Some((first, last)) if first == last && self.tokens.kind(first) == Some(Kind::Text) => {
                let with = format!("count of {}", self.tokens.word(first));
                self.replace(codes::HABIT_WORD, index, last + 1, said, &with)
            }
            Some(_) | None => self.no_function(index, said, "count of \"Event\""),
        }
    }

    /// `sum(total) of "Event"`.
    pub(super) fn as_function(&mut self, index: usize, ours: &str) -> usize {
        let said = format!("`{}` is no function", self.tokens.word(index));
        match self.argument(index) {
            Some((first, last)) if self.tokens.word(last + 2) == "of" => {
                let with = format!("{ours} of {} of", self.joined(first, last));
                self.replace(codes::HABIT_WORD, index, last + 2, said, &with)
            }
            Some(_) | None => self.no_function(index, said, &format!("{ours} of FIELD of \"Event\"")),
        }
    }

    fn no_function(&mut self, index: usize, said: String, with: &str) -> usize {
        let Some(token) = self.tokens.get(index) else { return 0 };
        let said = Diagnostic::error(codes::HABIT_WORD, self.report.span(token.start, token.end), said)
            .help(format!("write `{with}`"));
        self.report.mark(said, token.start, token.end, false);
        1
    }
}
