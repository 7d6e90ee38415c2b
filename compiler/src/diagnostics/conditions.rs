//! Conditions that are well formed and yet not what anybody means.

use super::Diagnostic;
use segue_grammar::Span;

pub(crate) fn decided(span: Span, holds: bool, why: &str, help: &str) -> Diagnostic {
    if holds {
        Diagnostic::error(super::ALWAYS_HOLDS, span, format!("this always holds: {why}")).help(help)
    } else {
        Diagnostic::error(super::NEVER_HOLDS, span, format!("this never holds: {why}")).help(help)
    }
}

pub(crate) fn negated_optional(span: Span, path: &str) -> Diagnostic {
    Diagnostic::warning(super::NEGATED_OPTIONAL, span, format!("this also holds where `{path}` is missing"))
        .label("may be missing")
        .help(format!("add `and {path} is known` if a value is expected, in parentheses after `where`"))
}

pub(crate) fn time_since(span: Span) -> Diagnostic {
    Diagnostic::error(
        super::TIME_SINCE_COMPARISON,
        span,
        "in a condition, `time since` can only be compared with a fixed length of time",
    )
    .help("for example `time since last \"Order Completed\" > 30 days`")
}

pub(crate) fn empty_history(span: Span, segment: &str, condition: Span, example: &str) -> Diagnostic {
    Diagnostic::error(
        super::EMPTY_HISTORY,
        span,
        format!("segment `{segment}` holds for customers who never did anything, so that every import starts this rule"),
    )
    .also(condition, "holds on an empty history")
    .help(format!("add `and known for {example}` to the segment"))
}

pub(crate) fn bad_window(span: Span, message: &str, help: String) -> Diagnostic {
    Diagnostic::error(super::BAD_WINDOW, span, message).help(help)
}
