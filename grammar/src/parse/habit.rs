//! Habits from other languages, known by their tokens: each is reported with what to write instead, and where the
//! author certainly means it, that is what pest then reads.

use super::mend::Report;
use super::token::{Kind, Tokens};
use super::words;
use crate::codes;
use crate::diagnostic::Diagnostic;

mod capitals;
mod numbers;
mod phrases;
mod speech;

/// Operators of other languages and ours.
const OPERATORS: &[(&str, &str)] = &[
    ("==", "="),
    ("===", "="),
    ("!==", "!="),
    ("<>", "!="),
    ("=>", ">="),
    ("=<", "<="),
    ("≠", "!="),
    ("≤", "<="),
    ("≥", ">="),
    ("&&", "and"),
    ("||", "or"),
    ("&", "and"),
    ("|", "or"),
];

/// Reports all habits of a text.
pub(super) fn scan(tokens: Tokens<'_>, report: &mut Report) {
    let mut scan = Scan { tokens, report, declaration: "" };
    let mut index = 0;
    while index < tokens.all.len() {
        if tokens.get(index).is_some_and(|token| token.leads)
            && words::DECLARATIONS.contains(&tokens.word(index))
        {
            scan.declaration = tokens.word(index);
        }
        index += scan.at(index).max(1);
    }
}

struct Scan<'a, 'r> {
    tokens: Tokens<'a>,
    report: &'r mut Report,
    /// The word of the declaration that the place lies in.
    declaration: &'a str,
}

impl Scan<'_, '_> {
    /// Looks at one place; returns how many tokens a habit took, 0 for none.
    fn at(&mut self, index: usize) -> usize {
        match self.tokens.kind(index) {
            Some(Kind::Mark) => self.mark(index),
            Some(Kind::Word) => self.word(index),
            Some(Kind::Number) => self.number(index),
            Some(Kind::Date) => self.date(index),
            Some(Kind::Time) => self.time(index),
            Some(Kind::Text) => self.either(index),
            None => 0,
        }
    }

    /// Reports tokens `first..=last` and reads something else instead.
    fn replace(&mut self, code: &'static str, first: usize, last: usize, said: String, with: &str) -> usize {
        let (Some(from), Some(to)) = (self.tokens.get(first), self.tokens.get(last)) else { return 0 };
        let span = self.report.span(from.start, to.end);
        let said = Diagnostic::error(code, span, said).help(format!("write `{}`", with.trim()));
        self.report.replace(said, from.start, to.end, with);
        last + 1 - first
    }

    /// Pads a replacement where it would run into its neighbours.
    fn padded(&self, index: usize, with: &str) -> String {
        let touches_before = index.checked_sub(1).is_some_and(|previous| self.tokens.touches(previous));
        let left = if touches_before { " " } else { "" };
        let right = if self.tokens.touches(index) { " " } else { "" };
        format!("{left}{with}{right}")
    }

    fn mark(&mut self, index: usize) -> usize {
        let mark = self.tokens.word(index);
        let next = self.tokens.word(index + 1);
        if matches!(mark, "=" | "==" | "!=" | "<>") && matches!(next, "null" | "nil" | "undefined") {
            let with = if matches!(mark, "=" | "==") { "is not known" } else { "is known" };
            let with = self.padded(index, with).trim_end().to_owned();
            return self.known(index, index + 1, &with);
        }
        if let Some((_, ours)) = OPERATORS.iter().find(|(theirs, _)| *theirs == mark) {
            let words = ours.starts_with(char::is_alphabetic);
            let with = if words { self.padded(index, ours) } else { (*ours).to_owned() };
            let name = if words { "is a word" } else { "has another sign" };
            return self.replace(codes::HABIT_OPERATOR, index, index, format!("`{mark}` {name} here"), &with);
        }
        match mark {
            "!" => self.replace(codes::HABIT_OPERATOR, index, index, "`!` is a word here".to_owned(), "not "),
            ";" => self.semicolon(index),
            "-" => self.minus(index),
            _ => 0,
        }
    }

    fn semicolon(&mut self, index: usize) -> usize {
        let Some(token) = self.tokens.get(index) else { return 0 };
        let span = self.report.span(token.start, token.end);
        let last = !self.tokens.same_line(index + 1) || matches!(self.tokens.word(index + 1), "}" | ";");
        let (help, with) = if last {
            ("leave it out: a new line is enough", " ")
        } else {
            ("write `,` or start a new line", ",")
        };
        let said =
            Diagnostic::error(codes::HABIT_PUNCTUATION, span, "`;` does not end anything here").help(help);
        self.report.replace(said, token.start, token.end, with);
        1
    }

    /// `a-b`, `a -b` and `a- b`: a minus has a space on both sides. `21:00-08:00`.
    fn minus(&mut self, index: usize) -> usize {
        let Some(previous) = index.checked_sub(1) else { return 0 };
        if [previous, index + 1].iter().all(|at| self.tokens.kind(*at) == Some(Kind::Time)) {
            let with = format!("{} to {}", self.tokens.word(previous), self.tokens.word(index + 1));
            let said =
                format!("a stretch of the day has a `to`; found `{}`", self.joined(previous, index + 1));
            return self.replace(codes::HABIT_OPERATOR, previous, index + 1, said, &with).saturating_sub(1);
        }
        let (Some(left), Some(minus), Some(right)) =
            (self.tokens.get(previous), self.tokens.get(index), self.tokens.get(index + 1))
        else {
            return 0;
        };
        let (close, open) = (self.tokens.touches(previous), self.tokens.touches(index));
        if minus.leads || right.leads || !(close || open) || !self.is_operand(previous, close) {
            return 0;
        }
        let in_name = right.kind == Kind::Word || right.kind == Kind::Number && self.is_declared(previous);
        if close && open && left.kind == Kind::Word && in_name {
            return self.hyphen(index);
        }
        let shown = self.tokens.text.get(left.start..right.end).unwrap_or("-");
        let better = format!("{} - {}", self.tokens.slice(left), self.tokens.slice(right));
        let span = self.report.span(minus.start, minus.end);
        let said = Diagnostic::error(
            codes::HABIT_OPERATOR,
            span,
            format!("`-` needs a space on both sides: `{shown}`"),
        )
        .help(format!("write `{better}`"));
        let with = self.padded(index, "-");
        let end = if open { minus.end } else { minus.start + 1 };
        self.report.replace(said, minus.start, end, with);
        1
    }

    /// Whether a value may end at a token, so that a `-` after it is an operator.
    fn is_operand(&self, index: usize, close: bool) -> bool {
        match self.tokens.kind(index) {
            Some(Kind::Word) => close || !words::is_keyword(self.tokens.word(index)),
            Some(Kind::Number | Kind::Date | Kind::Time) => true,
            Some(Kind::Text) => close,
            Some(Kind::Mark) => self.tokens.word(index) == ")",
            None => false,
        }
    }

    /// Whether a name stands at a place, and no value.
    fn is_declared(&self, index: usize) -> bool {
        words::BEFORE_NAMES.contains(&self.tokens.before(index))
    }

    /// `cart-id`: a name or a difference, only the author knows.
    fn hyphen(&mut self, index: usize) -> usize {
        let mut last = index + 1;
        loop {
            if self.tokens.touches(last)
                && self.tokens.word(last + 1) == "-"
                && self.tokens.touches(last + 1)
                && matches!(self.tokens.kind(last + 2), Some(Kind::Word | Kind::Number))
            {
                last += 2;
            } else if self.tokens.kind(last) == Some(Kind::Number)
                && self.tokens.touches(last)
                && self.tokens.kind(last + 1) == Some(Kind::Word)
            {
                // `last-30d`
                last += 1;
            } else {
                break;
            }
        }
        let (Some(from), Some(to)) = (self.tokens.get(index - 1), self.tokens.get(last)) else { return 0 };
        let shown = self.tokens.text.get(from.start..to.end).unwrap_or("");
        let name = shown.replace(['-', '.'], "_");
        let help = if self.is_declared(index - 1) || self.tokens.word(last + 1) == ":" {
            format!("write `{name}`")
        } else {
            format!("write `{name}`, or `{}` with spaces", shown.replace('-', " - "))
        };
        let said = Diagnostic::error(
            codes::HYPHEN_NAME,
            self.report.span(from.start, to.end),
            format!("a name has no hyphen; found `{shown}`"),
        )
        .help(help);
        self.report.guess(said, from.start, to.end, name);
        last + 1 - index
    }

    fn word(&mut self, index: usize) -> usize {
        let word = self.tokens.word(index);
        if self.tokens.before(index) == "." || self.tokens.word(index + 1) == ":" {
            return 0;
        }
        let next = self.tokens.word(index + 1);
        match word {
            "didn't" | "didn’t" => self.never(index, index),
            "hasn't" | "hasn’t" if next == "done" => self.never(index, index + 1),
            "did" if next == "not" => self.never(index, index + 1),
            "has" if next == "not" && self.tokens.word(index + 2) == "done" => self.never(index, index + 2),
            "is" if matches!(next, "null" | "missing" | "unknown" | "empty") => {
                self.known(index, index + 1, "is not known")
            }
            "is" if next == "not"
                && matches!(self.tokens.word(index + 2), "null" | "missing" | "unknown" | "empty") =>
            {
                self.known(index, index + 2, "is known")
            }
            "else" if self.is_otherwise(index) => {
                let said = "the other way is `otherwise` here, not `else`".to_owned();
                self.replace(codes::HABIT_WORD, index, index, said, "otherwise")
            }
            "elif" | "elsif" | "elseif" if self.tokens.before(index) == "}" => self.replace(
                codes::HABIT_WORD,
                index,
                index,
                format!("`{word}` is two words here"),
                "otherwise if",
            ),
            "max" | "min" | "avg" | "mean" | "maximum" | "minimum" => self.aggregate(index),
            _ => self.others(index),
        }
    }

    /// The habits that more than one word tells.
    fn others(&mut self, index: usize) -> usize {
        let habits: [fn(&mut Self, usize) -> usize; 6] =
            [Self::times, Self::speech, Self::declared, Self::phrase, Self::bare_event, Self::capitals];
        for habit in habits {
            let taken = habit(self, index);
            if taken > 0 {
                return taken;
            }
        }
        0
    }

    /// What is declared or named, in quotes or without.
    fn declared(&mut self, index: usize) -> usize {
        match self.tokens.word(index) {
            "event" | "test" => self.bare_title(index),
            "let" => self.reserved_name(index),
            "rule" | "segment" | "topic" => match self.reserved_name(index) {
                0 => self.quoted_name(index),
                taken => taken,
            },
            "enters" | "leaves" => self.quoted_name(index),
            _ => 0,
        }
    }

    fn never(&mut self, first: usize, last: usize) -> usize {
        let said = "`not` stands before `did`".to_owned();
        self.replace(codes::HABIT_WORD, first, last, said, "not did")
    }

    fn known(&mut self, first: usize, last: usize, with: &str) -> usize {
        let said = "a value is known or not; there is no null".to_owned();
        self.replace(codes::HABIT_WORD, first, last, said, with)
    }

    fn is_otherwise(&self, index: usize) -> bool {
        match self.tokens.word(index + 1) {
            "{" | "if" => true,
            "skip" | "hold" => false,
            _ => self.tokens.before(index) == "," || self.declaration == "let",
        }
    }

    fn aggregate(&mut self, index: usize) -> usize {
        let word = self.tokens.word(index);
        let ours = match word {
            "max" | "maximum" => "largest",
            "min" | "minimum" => "smallest",
            _ => "average",
        };
        match self.tokens.word(index + 1) {
            // In `sum of max of "A"` it is the name of a field.
            "of" if self.tokens.before(index) != "of" => {
                let said = format!("`{word}` has another name here");
                self.replace(codes::HABIT_WORD, index, index, said, ours)
            }
            "(" if self.tokens.touches(index) => self.as_function(index, ours),
            _ => 0,
        }
    }

    /// `at least 3`, `at most 3` and `exactly 3` without `times`.
    fn times(&mut self, index: usize) -> usize {
        let number = match (self.tokens.word(index), self.tokens.word(index + 1)) {
            ("at", "least" | "most") if self.tokens.before(index) != "in" => index + 2,
            ("exactly", _) => index + 1,
            _ => return 0,
        };
        let after = self.tokens.word(number + 1);
        if self.tokens.kind(number) != Some(Kind::Number)
            || self.tokens.touches(number)
                && self.tokens.kind(number + 1).is_some_and(|kind| matches!(kind, Kind::Word | Kind::Mark))
                && !matches!(after, "}" | ")" | "," | "]")
            || matches!(after, "times" | "time" | "of" | "=" | ".")
            || words::UNITS.contains(&after)
        {
            return 0;
        }
        let (Some(from), Some(to)) = (self.tokens.get(index), self.tokens.get(number)) else { return 0 };
        let shown = self.tokens.text.get(from.start..to.end).unwrap_or("");
        let said = Diagnostic::error(
            codes::MISSING_TIMES,
            self.report.span(from.start, to.end),
            format!("expected `times` after `{shown}`"),
        )
        .help(format!("write `{shown} times`"));
        self.report.replace(said, to.end, to.end, " times");
        number + 1 - index
    }
}
