//! Numbers, dates and lengths of time that are out of bounds.

use super::Diagnostic;
use segue_grammar::Span;

pub(crate) fn count_out_of_range(span: Span, text: &str, least: u32, most: u32) -> Diagnostic {
    let message = format!("this is a whole number from {least} to {most}; found `{text}`");
    Diagnostic::error(super::BAD_COUNT, span, message)
}

/// How often something was done.
pub(crate) fn times_out_of_range(span: Span, text: &str, least: u32, most: u32) -> Diagnostic {
    let help = match text.parse::<u64>() {
        Ok(0) => "what never happened is asked with `not did \"Event\"`",
        Ok(_) => "larger numbers are compared: `count of \"Event\" >= 1_000`",
        Err(_) => "write it in digits, without a fraction",
    };
    count_out_of_range(span, text, least, most).help(help)
}

pub(crate) fn priority_not_whole(span: Span, text: &str) -> Diagnostic {
    let message = format!("a priority is a whole number; found `{text}`");
    Diagnostic::error(super::BAD_COUNT, span, message)
}

pub(crate) fn bad_share(span: Span, percent: &str) -> Diagnostic {
    let message =
        format!("a holdout is some of the customers, more than none and fewer than all; found `{percent}%`");
    Diagnostic::error(super::BAD_SHARE, span, message).help("usual are `holdout 5%` and `holdout 10%`")
}

pub(crate) fn misplaced_literal(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error(super::BAD_LITERAL, span, format!("`{text}` is no value that stands here"))
        .help("times of day, lists and objects stand only in clauses and tests")
}

pub(crate) fn no_such_date(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error(super::BAD_LITERAL, span, format!("`{text}` is no date that exists"))
        .help("write dates as `2026-01-31` and instants as `2026-01-31 08:00`")
}

pub(crate) fn no_such_time(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error(super::BAD_LITERAL, span, format!("`{text}` is no time of day"))
        .help("times of day reach from `00:00` to `23:59`")
}

pub(crate) fn part_of_day(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error(
        super::BAD_DURATION,
        span,
        format!("`{text}` is no whole number of days, but a time of day is given"),
    )
    .help("say so many days, as in `3 days before … at 09:00` or `wait 3 days at 10:00`, or leave the time of day out")
}

pub(crate) fn number_too_large(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error(super::BAD_LITERAL, span, format!("`{text}` is too large a number"))
        .help("numbers reach from -9.2 to 9.2 million million")
}

pub(crate) fn not_positive(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error(super::BAD_DURATION, span, format!("`{text}` is no length of time"))
        .help("a length of time is longer than 0 milliseconds")
}

pub(crate) fn calendar_unit(span: Span, unit: &str, amount: &str) -> Diagnostic {
    let factor = if unit == "year" { 365 } else { 30 };
    let days = amount.parse::<i64>().ok().and_then(|amount| amount.checked_mul(factor)).unwrap_or(factor);
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
