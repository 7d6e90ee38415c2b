//! Mistakes whose place tells what was meant.

use super::grammar::Rule;
use super::token::{Kind, Tokens};
use super::words;

/// How far back a phrase is looked at, in tokens.
const BACK: usize = 64;
/// The longest piece of a file that is shown in a way out, in bytes.
const SHOWN: usize = 100;

/// What other tools call a clause or a step, and what it is here.
const OTHER_WORDS: &[(&str, &str)] = &[
    ("trigger", "when"),
    ("filter", "only if"),
    ("condition", "only if"),
    ("exit", "stop"),
    ("frequency", "limit"),
    ("delay", "wait"),
    ("sleep", "wait"),
    ("pause", "wait"),
    ("message", "send"),
    ("notify", "send"),
    ("email", "send email"),
    ("sms", "send sms"),
    ("push", "send push"),
    ("webhook", "call"),
    ("update", "set"),
    ("track", "emit"),
    ("branch", "if"),
    ("experiment", "split"),
    ("end", "stop"),
];
/// Conditions that were meant to belong to one `where`.
pub(super) const SEVERAL_AFTER_WHERE: &str =
    "`where` takes one comparison; several stand in parentheses: `where (a = 1 and b = 2)`";
/// Words that make a value of many events.
const AGGREGATES: &[&str] = &["sum", "average", "smallest", "largest", "first", "last", "frequent"];

/// What another tool's word for a clause or a step is called here.
pub(super) fn other_word(word: &str) -> Option<&'static str> {
    OTHER_WORDS.iter().find(|(theirs, _)| *theirs == word).map(|(_, ours)| *ours)
}

/// A place that cannot be read, and what was expected there.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) tokens: Tokens<'a>,
    pub(super) index: usize,
    pub(super) word: &'a str,
    /// All keyword phrases that could have stood there.
    pub(super) keywords: &'a [String],
    pub(super) rules: &'a [Rule],
}

impl<'a> Place<'a> {
    /// One way out, if the place tells what was meant.
    pub(super) fn help(self) -> Option<String> {
        let ways: [fn(Self) -> Option<String>; 7] = [
            Self::stop_if,
            Self::in_declaration,
            Self::in_test,
            Self::in_value,
            Self::in_behaviour,
            Self::in_trigger,
            Self::in_step,
        ];
        ways.iter().find_map(|way| way(self))
    }

    fn expects(self, phrase: &str) -> bool {
        self.keywords.iter().any(|known| known == phrase)
    }

    /// The word so many tokens before the place.
    fn ago(self, count: usize) -> &'a str {
        self.index.checked_sub(count).map_or("", |index| self.tokens.word(index))
    }

    /// Positions before the place, the nearest first.
    fn back(self) -> impl Iterator<Item = usize> {
        (self.index.saturating_sub(BACK)..self.index).rev()
    }

    /// The text from one token to another, on one line.
    fn text(self, first: usize, last: usize) -> Option<&'a str> {
        let (from, to) = (self.tokens.get(first)?.start, self.tokens.get(last)?.end);
        self.tokens.text.get(from..to).filter(|text| text.len() <= SHOWN && !text.contains('\n'))
    }

    /// The last token on the line, or before a brace or the next clause or step.
    fn line_end(self) -> usize {
        let ends = |at: &usize| {
            let next = self.tokens.word(*at + 1);
            !self.tokens.same_line(*at + 1)
                || matches!(next, "{" | "}")
                || words::CLAUSES.contains(&next)
                || words::STEPS.contains(&next)
        };
        (self.index..self.index + BACK).find(ends).unwrap_or(self.index)
    }

    /// The clause or step that the place lies in.
    fn starts_with(self) -> Option<usize> {
        self.back().find(|at| {
            let word = self.tokens.word(*at);
            words::CLAUSES.contains(&word) || words::STEPS.contains(&word)
        })
    }

    fn in_declaration(self) -> Option<String> {
        let is_name = self.tokens.kind(self.index) == Some(Kind::Word);
        if self.word == "-"
            && matches!(self.ago(2), "rule" | "segment" | "topic" | "let")
            && matches!(self.tokens.kind(self.index + 1), Some(Kind::Word | Kind::Number))
        {
            let name = format!("{}_{}", self.ago(1), self.tokens.word(self.index + 1));
            return Some(format!("a name has no hyphen; write `{name}`"));
        }
        if self.ago(2) == "segment" && self.ago(3) != "in" && self.rules.contains(&Rule::s_open) {
            return Some(format!("a condition stands in braces: `segment {} {{ … }}`", self.ago(1)));
        }
        if self.ago(1) == "for" && self.expects("segment") && is_name {
            return Some(format!("write `for segment {}`", self.word));
        }
        if self.rules.contains(&Rule::s_colon) && is_name && !words::is_keyword(self.ago(1)) {
            return Some(format!("write `{}: {}`", self.ago(1), self.word));
        }
        if self.word == "[" && self.ago(1) == ":" && self.rules.contains(&Rule::type_expr) {
            return Some(format!("write `list of {}`", self.tokens.word(self.index + 1)));
        }
        None
    }

    fn in_test(self) -> Option<String> {
        let kind = self.tokens.kind(self.index);
        if kind == Some(Kind::Date) && self.ago(1) == "at" {
            return Some(format!("add the time of day: `at {} 10:00`", self.word));
        }
        // `expect … at 2026-01-31 08:00` at the end is read as a statement of its own.
        if self.ago(3) == "at"
            && self.tokens.kind(self.index.wrapping_sub(1)) == Some(Kind::Time)
            && self.tokens.same_line(self.index.wrapping_sub(3))
            && self.rules.contains(&Rule::name)
        {
            return Some("the moment stands before `to`: `expect RULE at … to …`".to_owned());
        }
        if !self.expects("containing") {
            return None;
        }
        match (kind, self.word) {
            (Some(Kind::Text), text) => Some(format!("write `containing {text}`")),
            (_, "contains" | "contain" | "with" | "saying") => {
                let text = self.index + 1;
                let is_text = self.tokens.kind(text) == Some(Kind::Text);
                let text = if is_text { self.tokens.word(text) } else { "\"…\"" };
                Some(format!("write `containing {text}`"))
            }
            _ => None,
        }
    }

    fn in_value(self) -> Option<String> {
        if matches!(self.ago(1), "first" | "last") && self.tokens.kind(self.index) == Some(Kind::Text) {
            let (word, event) = (self.ago(1), self.word);
            return Some(format!(
                "how long ago is `time since {word} {event}`, a field of it `{word} of FIELD of {event}`"
            ));
        }
        if matches!(self.word, "=" | "!=" | "<" | ">" | "<=" | ">=")
            && super::expected::joins_after_where(self.tokens, self.index)
        {
            return Some(SEVERAL_AFTER_WHERE.to_owned());
        }
        let is_value = |rule: &Rule| matches!(rule, Rule::not_expr | Rule::primary | Rule::flat_primary);
        if self.word == "[" && self.rules.iter().any(is_value) {
            let help = if matches!(self.ago(1), "=" | "!=") && !self.rules.contains(&Rule::not_expr) {
                "one of several values is asked for with `in`: `in [\"a\", \"b\"]`"
            } else {
                "a list cannot be written out here; name a field that is a list, or give each value a field of its own"
            };
            return Some(help.to_owned());
        }
        let aggregate = |at: usize| match (self.tokens.word(at), at.checked_sub(1)) {
            ("frequent", Some(before)) if self.tokens.word(before) == "most" => Some("most frequent"),
            ("count", Some(before)) if self.tokens.word(before) == "distinct" => Some("distinct count"),
            (word, _) => AGGREGATES.iter().find(|known| **known == word).copied(),
        };
        let last = self.index.checked_sub(1)?;
        if self.word == "." && self.tokens.kind(last) == Some(Kind::Text) && self.ago(2) == "of" {
            let function = aggregate(self.index.checked_sub(3)?)?;
            let field = self.tokens.word(self.index + 1);
            return Some(format!(
                "the field stands before its event: `{function} of {field} of {}`",
                self.tokens.word(last)
            ));
        }
        let counts = matches!(self.ago(1), "count" | "streak") || aggregate(last).is_some();
        if counts && !words::is_keyword(self.word) && words::nearest(self.word, &[&["of"]]).is_some() {
            return Some(format!("write `{} of`", aggregate(last).unwrap_or(self.ago(1))));
        }
        if self.expects("of")
            && let Some(function) = aggregate(last)
        {
            return Some(format!("say of what: `{function} of FIELD of \"Event\"`"));
        }
        if self.expects("of") && self.ago(2) == "of" {
            let function = aggregate(self.index.checked_sub(3)?)?;
            return Some(format!(
                "say of which event: `{function} of {} of \"Event\"`",
                self.tokens.word(last)
            ));
        }
        (self.word == "ago").then(|| {
            "what is so long ago is asked of events: `did \"Event\" in the last 3 days`; to do something so long after a date, start a rule with `when 3 days after profile.FIELD`".to_owned()
        })
    }

    fn in_behaviour(self) -> Option<String> {
        let next = self.tokens.word(self.index + 1);
        if self.word == "within" && self.follows_did() {
            let amount = self.text(self.index + 1, self.index + 2).unwrap_or("30 days");
            return Some(format!("write `in the last {amount}`"));
        }
        if matches!(self.word, "before" | "until" | "after")
            && self.tokens.kind(self.index + 1) == Some(Kind::Date)
        {
            return Some(self.beside_a_date(next));
        }
        if self.expects("calendar days")
            && let Some(number) =
                self.index.checked_sub(1).filter(|at| self.tokens.kind(*at) == Some(Kind::Number))
        {
            let number = self.tokens.word(number);
            return Some(format!(
                "say of what: `{number} days`, `{number} calendar days`, `{number} hours` or the like"
            ));
        }
        let event_before = self.index.checked_sub(1).filter(|at| self.tokens.kind(*at) == Some(Kind::Text));
        if let (Some(_), "{" | "and" | "or" | "not" | "(" | "if") = (event_before, self.ago(2))
            && matches!(self.word, "at" | "in" | "exactly" | "between" | "since" | "today" | "where")
        {
            return Some(format!("what somebody did is `did {} {} …`", self.ago(1), self.word));
        }
        if let (Some(_), "once" | "twice") = (event_before, self.word) {
            let (count, times) = if self.word == "once" { (1, "time") } else { (2, "times") };
            return Some(format!("write `exactly {count} {times}` or `at least {count} {times}`"));
        }
        if self.word == "where" {
            let event = self.back().find(|at| self.tokens.kind(*at) == Some(Kind::Text))?;
            let between = event + 1..self.index;
            let is_window = |at: usize| {
                matches!(
                    self.tokens.word(at),
                    "times" | "time" | "in" | "since" | "between" | "today" | "this"
                )
            };
            if between.clone().any(is_window) && !between.clone().any(|at| self.tokens.word(at) == "where") {
                let event = self.tokens.word(event);
                return Some(format!("`where` stands right after its event: `{event} where …`"));
            }
        }
        None
    }

    /// `did "Event" before 2026-01-31`.
    fn beside_a_date(self, date: &str) -> String {
        if self.word == "after" {
            return format!("the one window that names a date is `since {date}`, that day included");
        }
        let begins = |at: &usize| match self.tokens.word(*at) {
            "did" | "done" | "{" => true,
            "of" => self.tokens.before(*at) != "any",
            _ => false,
        };
        let did = self.back().find(begins);
        let did = did.filter(|at| matches!(self.tokens.word(*at), "did" | "done"));
        if let Some(did) = did
            && super::expected::joins_after_where(self.tokens, self.index)
            && (did..self.index).any(|at| self.tokens.word(at) == "where")
        {
            return SEVERAL_AFTER_WHERE.to_owned();
        }
        // How often it happened would be asked on both sides of the date.
        let times = |at: &usize| matches!(self.tokens.word(*at), "at" | "exactly");
        let written = did.and_then(|did| {
            let end = (did..self.index).find(times).unwrap_or(self.index);
            self.text(did + 1, end.checked_sub(1)?)
        });
        let event = written.unwrap_or("\"Event\"");
        format!(
            "the one window that names a date is `since {date}`; what was before it, and not after, is `did {event} and not did {event} since {date}`"
        )
    }

    /// Whether the place follows `did` and a single event.
    fn follows_did(self) -> bool {
        let words = ["then", "did", "done", "of"];
        let nearest = self.back().map(|at| self.tokens.word(at)).find(|word| words.contains(word));
        nearest.is_some_and(|word| word != "then")
    }

    fn in_trigger(self) -> Option<String> {
        let day = matches!(
            self.ago(1),
            "day" | "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday"
        );
        if day && self.expects("at") {
            return Some(format!("say when: `every {} at 09:00`", self.ago(1)));
        }
        if self.ago(1) == "every" {
            return Some(
                "a rule comes round every day, on days of the week (`every monday at 09:00`), or once a year on a date (`every year on profile.birth_date at 09:00`)".to_owned(),
            );
        }
        let when = self.starts_with().filter(|at| {
            self.tokens.word(*at) == "when"
                && at.checked_sub(1).is_none_or(|before| self.tokens.word(before) != "stop")
        })?;
        let inside = when + 1..self.index;
        match self.word {
            "and" | "or" if inside.clone().any(|at| self.tokens.word(at) == "where") => {
                Some(SEVERAL_AFTER_WHERE.to_owned())
            }
            "at" | "exactly" | "in" | "between" | "since" | "today" | "this"
                if inside.clone().any(|at| self.tokens.kind(at) == Some(Kind::Text)) =>
            {
                let condition = self.asked(when + 1);
                Some(format!(
                    "how often and how long ago is a condition; name it: `segment r_audience {{ did {condition} }}`, and start the rule with `when enters r_audience`"
                ))
            }
            _ => None,
        }
    }

    /// What stands on the line from a place on, as a condition has it: `in the last …`, not `within …`.
    fn asked(self, first: usize) -> String {
        let end = self.line_end();
        let within = (self.index..=end).find(|at| self.tokens.word(*at) == "within");
        let parts = within.and_then(|within| {
            Some((self.text(first, within.checked_sub(1)?)?, self.text(within + 1, end)?))
        });
        match parts {
            Some((before, after)) => format!("{before} in the last {after}"),
            None => self.text(first, end).unwrap_or("\"Event\" …").to_owned(),
        }
    }

    fn in_step(self) -> Option<String> {
        let sends = matches!(self.ago(2), "send");
        if sends && self.word == "to" {
            let fields = match self.ago(1) {
                "email" => "subject: \"…\", body: \"…\"",
                "push" => "title: \"…\", body: \"…\"",
                _ => "text: \"…\"",
            };
            return Some(format!("an address is a field: `send {} {{ to: …, {fields} }}`", self.ago(1)));
        }
        let is_content = self.rules.contains(&Rule::content);
        if sends && is_content && self.tokens.kind(self.index) == Some(Kind::Word) {
            return Some(format!("put the text in quotes: `send {} \"…\"`", self.ago(1)));
        }
        if self.ago(2) == "limit" && self.expects("per") {
            let count = self.ago(1);
            return Some(format!(
                "say in which time: `limit {count} per 7 days`; once for ever is `limit once`"
            ));
        }
        if self.ago(1) == "priority" {
            return Some("write a number; the highest goes first: `priority 10`".to_owned());
        }
        if self.ago(1) == "call" && self.tokens.kind(self.index) == Some(Kind::Text) {
            return Some(
                "a system has a name, and `segue.toml` says where it is: `call crm { … }`".to_owned(),
            );
        }
        if self.ago(1) == "split" {
            return Some(
                "each way has a name, its part and its steps: `split { a 50% { … } b 50% { … } }`".to_owned(),
            );
        }
        let start = self.starts_with()?;
        let first = self.tokens.word(start);
        let waits = first == "wait" && self.tokens.before(start) != "{";
        if first == "wait" && (self.word == "for" && self.ago(1) == "wait" || waits && self.word == "{") {
            return Some(
                "write `wait up to 3 days for a click { … } otherwise { … }`, or `wait 3 days`".to_owned(),
            );
        }
        let braces = self.rules.contains(&Rule::s_open) || self.rules.contains(&Rule::block);
        if first == "if" && braces && words::CLAUSES.contains(&self.word) {
            let condition = self.text(start + 1, self.index - 1).unwrap_or("…");
            return Some(format!(
                "steps of an `if` stand in braces; a condition for the whole rule is `only if {condition}`"
            ));
        }
        let steps = self.rules.contains(&Rule::clause) || self.rules.contains(&Rule::step);
        other_word(self.word).filter(|_| steps).map(|ours| format!("write `{ours}`"))
    }

    /// `stop if …`.
    fn stop_if(self) -> Option<String> {
        let start = self.starts_with()?;
        let is_stop = self.tokens.word(start) == "if" && self.tokens.before(start) == "stop";
        if !is_stop || !self.tokens.same_line(start) {
            return None;
        }
        let goes_on = self.tokens.same_line(self.index)
            && !matches!(self.word, "" | "{" | "}")
            && !words::STEPS.contains(&self.word)
            && !words::CLAUSES.contains(&self.word);
        let last = if goes_on { self.line_end() } else { self.index.checked_sub(1)? };
        let condition = self.text(start + 1, last).unwrap_or("…");
        if self.tokens.kind(start + 1) == Some(Kind::Text) || self.tokens.word(start + 1) == "any" {
            return Some(format!("write `stop when {condition}`"));
        }
        Some(format!("write `if {condition} {{ stop }}`; what ends a run while it waits is `stop when …`"))
    }
}
