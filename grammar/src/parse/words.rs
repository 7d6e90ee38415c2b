//! The words of the language, and which known word is nearest to an unknown one.

/// Words that start a declaration.
pub(super) const DECLARATIONS: &[&str] = &[
    "use", "passive", "event", "profile", "let", "segment", "topic", "defaults", "suppress", "rule", "test",
];

/// Words that start a clause.
pub(super) const CLAUSES: &[&str] = &[
    "when",
    "only",
    "still",
    "stop",
    "limit",
    "overlap",
    "topic",
    "transactional",
    "quiet",
    "holdout",
    "goal",
    "priority",
    "was",
    "start",
    "late",
];

/// Words that start a step.
pub(super) const STEPS: &[&str] =
    &["send", "reply", "call", "wait", "if", "split", "set", "grant", "withdraw", "emit", "stop"];

/// Words that start a statement of a test.
pub(super) const STATEMENTS: &[&str] = &["customer", "at", "expect", "holdout"];

/// Words after which a name stands that was declared, or is.
pub(super) const BEFORE_NAMES: &[&str] =
    &["let", "segment", "topic", "rule", "suppress", "enters", "leaves", "enter", "leave", "as", "was"];

/// Words that may not be names at all.
pub(super) const RESERVED: &[&str] = &["and", "or", "not", "true", "false"];

/// Units of time, singular and plural.
pub(super) const UNITS: &[&str] = &[
    "millisecond",
    "milliseconds",
    "second",
    "seconds",
    "minute",
    "minutes",
    "hour",
    "hours",
    "day",
    "days",
    "week",
    "weeks",
    "month",
    "months",
    "year",
    "years",
];

/// All other keywords; `a` and `an` are not among them, so that they may name the arms of a split.
const OTHERS: &[&str] = &[
    "activity",
    "after",
    "ago",
    "any",
    "as",
    "average",
    "be",
    "before",
    "between",
    "by",
    "calendar",
    "click",
    "cold",
    "consent",
    "contains",
    "containing",
    "count",
    "delivery",
    "did",
    "distinct",
    "done",
    "each",
    "earliest",
    "else",
    "ends",
    "enter",
    "enters",
    "every",
    "exactly",
    "file",
    "first",
    "for",
    "frequent",
    "friday",
    "has",
    "held",
    "hold",
    "in",
    "is",
    "known",
    "largest",
    "last",
    "least",
    "leave",
    "leaves",
    "list",
    "matches",
    "monday",
    "most",
    "no",
    "nothing",
    "of",
    "on",
    "once",
    "open",
    "otherwise",
    "per",
    "restart",
    "same",
    "saturday",
    "session",
    "since",
    "skip",
    "smallest",
    "spread",
    "starts",
    "streak",
    "sum",
    "sunday",
    "suppressed",
    "the",
    "then",
    "this",
    "thursday",
    "time",
    "times",
    "to",
    "today",
    "tuesday",
    "until",
    "up",
    "wednesday",
    "where",
    "with",
    "within",
];

/// Words that carry a phrase on to the next line.
const CONTINUATIONS: &[&str] = &[
    "ago",
    "and",
    "as",
    "at",
    "before",
    "after",
    "between",
    "by",
    "contains",
    "containing",
    "distinct",
    "else",
    "ends",
    "exactly",
    "for",
    "in",
    "is",
    "matches",
    "not",
    "of",
    "on",
    "or",
    "otherwise",
    "per",
    "since",
    "starts",
    "the",
    "then",
    "this",
    "times",
    "to",
    "today",
    "until",
    "where",
    "with",
    "within",
];

/// Keywords that can be names nevertheless: they mean something only after a number, or before `of`, `with` or an event.
const FREE: &[&str] = &["ends", "first", "last", "starts"];

/// Whether a word cannot be declared as a name.
pub(super) fn is_taken(word: &str) -> bool {
    is_keyword(word) && !UNITS.contains(&word) && !FREE.contains(&word)
}

/// Whether a word is a keyword.
pub(super) fn is_keyword(word: &str) -> bool {
    [DECLARATIONS, CLAUSES, STEPS, STATEMENTS, RESERVED, UNITS, OTHERS]
        .iter()
        .any(|list| list.contains(&word))
}

/// Whether a word at the start of a line goes on with the phrase before it.
pub(super) fn continues(word: &str) -> bool {
    CONTINUATIONS.contains(&word)
}

/// The word of the lists that is nearest to an unknown word, if any is near.
pub(super) fn nearest<'a>(word: &str, lists: &[&[&'a str]]) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    if word.len() > 24 {
        return None;
    }
    // Of words that are equally near, the one with the same first letter or the same length was more likely meant.
    let mut best: Option<((usize, bool, usize), &str)> = None;
    for candidate in lists.iter().flat_map(|list| list.iter()) {
        let distance = distance(&word, candidate);
        let allowed = if candidate.len() <= 4 { 1 } else { 2 };
        let far = (distance, candidate.get(..1) != word.get(..1), candidate.len().abs_diff(word.len()));
        if distance <= allowed && best.is_none_or(|(least, _)| far < least) {
            best = Some((far, candidate));
        }
    }
    best.map(|(_, word)| word)
}

/// How many letters must be changed, added, left out or swapped with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    let mut last = None;
    for (row, from) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, to) in right.iter().enumerate() {
            let at = |list: &[usize], index: usize| list.get(index).copied().unwrap_or(usize::MAX / 2);
            let cost = usize::from(from != *to);
            let mut least = (at(&previous, column) + cost)
                .min(at(&previous, column + 1) + 1)
                .min(at(&current, column) + 1);
            let swapped = column > 0 && last == Some(*to) && right.get(column - 1) == Some(&from);
            if swapped {
                least = least.min(at(&before, column - 1) + 1);
            }
            current.push(least);
        }
        before = std::mem::replace(&mut previous, current);
        last = Some(from);
    }
    previous.last().copied().unwrap_or(0)
}
