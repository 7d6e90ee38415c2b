//! Numbers, dates and lengths of time that are out of bounds.

use super::Diagnostic;
use segue_grammar::Span;

pub(crate) fn bad_count(span: Span, text: &str, what: &str, most: u32) -> Diagnostic {
    Diagnostic::error(
        super::BAD_COUNT,
        span,
        format!("{what} is a whole number from 1 to {most}; found `{text}`"),
    )
}

pub(crate) fn bad_literal(span: Span, text: &str, what: &str, help: &str) -> Diagnostic {
    Diagnostic::error(super::BAD_LITERAL, span, format!("`{text}` is {what}")).help(help)
}

pub(crate) fn not_positive(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error(super::BAD_DURATION, span, format!("`{text}` is no length of time"))
        .help("a length of time is longer than 0 milliseconds")
}

pub(crate) fn calendar_unit(span: Span, unit: &str, days: &str) -> Diagnostic {
    Diagnostic::error(super::BAD_DURATION, span, format!("a {unit} has no fixed length"))
        .help(format!("write it in days: `{days} days`"))
}

pub(crate) fn not_whole(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error(super::BAD_DURATION, span, format!("`{text}` is no whole number of milliseconds"))
        .help("use a smaller unit")
}

pub(crate) fn too_long(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error(super::DURATION_TOO_LARGE, span, format!("`{text}` is longer than 3,660 days"))
        .help("leave the time out to look at all of history")
}

pub(crate) fn too_large(span: Span, what: &str, most: usize) -> Diagnostic {
    Diagnostic::error(super::TOO_LARGE, span, format!("{what}: at most {most}"))
}
