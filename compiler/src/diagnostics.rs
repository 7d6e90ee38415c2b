//! Everything the checker can say: the register of its codes, and one function for each finding.

pub(crate) mod conditions;
pub(crate) mod limits;
pub(crate) mod names;
pub(crate) mod rules;
pub(crate) mod scenarios;
pub(crate) mod templates;
pub(crate) mod types;

pub use segue_grammar::{Diagnostic, Severity};

/// Declares the codes of this crate once: a constant for each, their list, and what they mean.
macro_rules! codes {
    ($($name:ident = $code:literal: $meaning:literal,)*) => {
        $(#[doc = $meaning] pub const $name: &str = $code;)*

        /// All codes of this crate, in alphabetical order. They are stable: people look them up.
        pub const CODES: &[&str] = &[$($name),*];

        /// What each code of this crate means, in one line.
        pub const MEANINGS: &[(&str, &str)] = &[$(($name, $meaning)),*];
    };
}

codes! {
    ALWAYS_HOLDS = "always-holds": "a condition that holds for everybody at all times",
    ALWAYS_QUIET = "always-quiet": "quiet times that leave no time to send",
    BAD_COUNT = "bad-count": "a count that is not whole or out of its bounds",
    BAD_DURATION = "bad-duration": "a length of time that is zero, negative, or no fixed number of hours",
    BAD_LITERAL = "bad-literal": "a number, date or time that does not exist or is out of range",
    BAD_REGEX = "bad-regex": "a regular expression that cannot be read",
    BAD_SHARE = "bad-share": "a share of customers that is nobody or everybody",
    BAD_SPLIT = "bad-split": "arms of a split that are not a whole together",
    BAD_WINDOW = "bad-window": "a stretch of time that is empty or turned around",
    BUILT_IN_EVENT = "built-in-event": "a rule that emits an event which others tell of",
    CLAUSE_AFTER_STEP = "clause-after-step": "a clause that stands after a step",
    DUPLICATE_CLAUSE = "duplicate-clause": "a clause that a rule, or the defaults, say twice",
    DUPLICATE_FIELD = "duplicate-field": "a field that one list names twice",
    DUPLICATE_NAME = "duplicate-name": "a name that is declared twice or means something else already",
    DURATION_TOO_LARGE = "duration-too-large": "a length of time beyond ten years",
    EMPTY_HISTORY = "empty-history": "a trigger on a segment that holds for customers who never did anything",
    FIELD_TYPE_CONFLICT = "field-type-conflict": "a field that two declarations give different types",
    FILTER_PRINTS_NOTHING = "filter-prints-nothing": "a filter of a template that can print nothing of what it is given",
    LET_IS_FIELD = "let-is-field": "a named value that bears the name of a field",
    MISPLACED_DEFAULT = "misplaced-default": "a default for a field that is not one of the profile",
    MISSING_CONTENT = "missing-content": "a message without the fields that its channel needs",
    MISSING_FIELD = "missing-field": "an event made by a rule without a field that it always has",
    MISSING_OTHERWISE = "missing-otherwise": "a named value with conditions but none for the other cases",
    MISSING_TOPIC = "missing-topic": "a rule that sends but says neither a topic nor `transactional`",
    MISSING_UNTIL = "missing-until": "a test that expects nothing without saying until when",
    MISSING_WHEN = "missing-when": "a rule that does not say when it starts",
    MISSING_WITHIN = "missing-within": "a `then` or `goal` that does not say within how long",
    NEGATED_OPTIONAL = "negated-optional": "a negation that also holds where an optional field is missing",
    NEVER_HOLDS = "never-holds": "a condition that cannot hold for anybody",
    NO_MESSAGE = "no-message": "a clause about messages in a rule that sends none",
    NO_STEPS = "no-steps": "a rule that does nothing",
    NO_REPLY = "no-reply": "a reply where there is nothing to reply to",
    NO_TRIGGER_EVENT = "no-trigger-event": "`event`, a named element or `in this match` where there is none",
    NOT_A_CONDITION = "not-a-condition": "a value where a condition is needed",
    NOT_IN_DEFAULTS = "not-in-defaults": "a clause that cannot be a default",
    NOT_IN_RULE = "not-in-rule": "a test that expects of a rule what no step of it does",
    NOT_IN_WHERE = "not-in-where": "history, a segment or a named value after `where`",
    NOT_OF_THIS_RUN = "not-of-this-run": "`of this run` for events that do not say which message they are about",
    OPTIONAL_IN_TEMPLATE = "optional-in-template": "a value that may be missing, printed without a default",
    RULE_CYCLE = "rule-cycle": "rules that start each other without end",
    SEGMENT_CYCLE = "segment-cycle": "segments or named values that are defined by themselves",
    TEMPLATE_SYNTAX = "template-syntax": "a template that cannot be read",
    TEST_TIME = "test-time": "a statement of a test that goes back in time, or has no time to count from",
    TEST_WITHOUT_EXPECT = "test-without-expect": "a test that expects nothing to happen or not to happen",
    TIME_SINCE_COMPARISON = "time-since-comparison": "`time since` in a condition other than compared with a fixed length of time",
    TOO_LARGE = "too-large": "more of something than the language allows",
    TOPIC_CYCLE = "topic-cycle": "topics that lie within each other",
    TRANSACTIONAL_QUIET = "transactional-quiet": "quiet times in a rule that is outside them",
    TRANSACTIONAL_SEGMENT = "transactional-segment": "a transactional rule that is not started by an event",
    TYPE_MISMATCH = "type-mismatch": "a value of one type where another is needed",
    UNKNOWN_CHANNEL = "unknown-channel": "a channel without an address of its own",
    UNKNOWN_CUSTOMER = "unknown-customer": "a customer that a test does not introduce",
    UNKNOWN_EVENT = "unknown-event": "an event that is not declared",
    UNKNOWN_FIELD = "unknown-field": "a field that is not declared",
    UNKNOWN_FILE = "unknown-file": "a content file that is not there",
    UNKNOWN_FILTER = "unknown-filter": "a filter, test or function that templates do not know",
    UNKNOWN_FUNCTION = "unknown-function": "a function that does not exist",
    UNKNOWN_NAME = "unknown-name": "a name that means nothing here",
    UNKNOWN_PACK = "unknown-pack": "a pack that does not exist",
    UNKNOWN_REASON = "unknown-reason": "a reason that nothing is suppressed by",
    UNKNOWN_RULE = "unknown-rule": "a rule that is not declared",
    UNKNOWN_SEGMENT = "unknown-segment": "a segment that is not declared",
    UNKNOWN_TEMPLATE_NAME = "unknown-template-name": "a name in a template that means nothing there",
    UNKNOWN_TOPIC = "unknown-topic": "a topic that is not declared",
    UNKNOWN_USE = "unknown-use": "a path that leads to no rule file of the project",
    UNKNOWN_TYPE = "unknown-type": "a type that does not exist",
    WHEN_CONDITION = "when-condition": "a trigger that is a condition, not an event or a change",
}

/// `did you mean NAME` for a name that is near enough, else the other way out.
fn meant(guess: Option<&str>, quote: &str, otherwise: &str) -> String {
    match guess {
        Some(guess) => format!("did you mean `{quote}{guess}{quote}`?"),
        None => otherwise.to_owned(),
    }
}

/// The first names of a list, as people list them.
fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    const SHOWN: usize = 8;
    let names: Vec<&str> = names.into_iter().collect();
    let mut text = String::new();
    for (number, name) in names.iter().take(SHOWN).enumerate() {
        let comma = if number == 0 { "" } else { ", " };
        text.push_str(&format!("{comma}`{name}`"));
    }
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

/// `a number`, `an object`.
fn article(words: &str) -> String {
    let vowel = words.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {words}", if vowel { "an" } else { "a" })
}
