//! Types and literals.

use crate::{
    diagnostics::{limits, types},
    types::Type,
};
use segue_grammar::{Diagnostic, Span};

pub(in crate::checker) fn misplaced_literal(span: Span, text: &str) -> Diagnostic {
    limits::bad_literal(
        span,
        text,
        "no value that stands here",
        "times of day, lists and objects stand only in clauses and tests",
    )
}

pub(in crate::checker) fn no_such_date(span: Span, text: &str) -> Diagnostic {
    limits::bad_literal(
        span,
        text,
        "no date that exists",
        "write dates as `2026-01-31` and instants as `2026-01-31 08:00`",
    )
}

pub(in crate::checker) fn number_too_large(span: Span, text: &str) -> Diagnostic {
    limits::bad_literal(span, text, "too large a number", "numbers reach from -9.2 to 9.2 million million")
}

pub(in crate::checker) fn wrong_argument(
    span: Span,
    function: &str,
    expected: &str,
    found: Option<&Type>,
) -> Diagnostic {
    match found {
        Some(found) => types::mismatch(span, &format!("{expected} for `{function}`"), found),
        None => Diagnostic::error(
            crate::diagnostics::TYPE_MISMATCH,
            span,
            format!("`{function}` needs {expected}"),
        ),
    }
}

pub(in crate::checker) fn not_ordered(span: Span, operator: &str, ty: &Type) -> Diagnostic {
    types::mismatch(span, &format!("a number, time, date or duration for `{operator}`"), ty)
        .help("texts and booleans are only equal or not")
}

pub(in crate::checker) fn different_types(
    span: Span,
    expected: &Type,
    found: &Type,
    other: Span,
) -> Diagnostic {
    let diagnostic = types::mismatch(span, &types::a(expected), found);
    let help = match (expected, found) {
        (Type::Text, Type::Number) => "put it in quotes",
        (Type::Number, Type::Text) => "leave the quotes out",
        (Type::Duration, Type::Number) => "say of what: `3 days`",
        (Type::Time, Type::Date) => "an instant has a time of day: `2026-01-31 08:00`",
        _ => "both sides must be of one type",
    };
    let diagnostic = diagnostic.help(help);
    if other == span { diagnostic } else { diagnostic.also(other, format!("this is {}", types::a(expected))) }
}

pub(in crate::checker) fn no_text_test(span: Span, operator: &str, ty: &Type) -> Diagnostic {
    let wanted = if operator == "contains" { "a text or a list" } else { "a text" };
    types::mismatch(span, &format!("{wanted} for `{operator}`"), ty)
}

pub(in crate::checker) fn field_differs(
    span: Span,
    name: &str,
    event: &str,
    first: &Type,
    other: &Type,
) -> Diagnostic {
    types::mismatch(span, &format!("`{name}` to be {} in every event", types::a(first)), other)
        .help(format!("in event `{event}` it is {}; ask about each event by itself", types::a(other)))
}

pub(in crate::checker) fn no_aggregate(span: Span, function: &str, ty: &Type) -> Diagnostic {
    let wanted = match function {
        "sum" | "average" => "a number or a duration",
        "smallest" | "largest" => "a number, time, date or duration",
        _ => "a single value",
    };
    types::mismatch(span, &format!("{wanted} for `{function} of`"), ty)
}

pub(in crate::checker) fn not_scalar(span: Span, ty: &Type) -> Diagnostic {
    types::mismatch(span, "a single value such as a text or a number", ty)
}

pub(in crate::checker) fn no_such_unit(span: Span, unit: &str, amount: &str) -> Diagnostic {
    let factor = if unit == "year" { 365 } else { 30 };
    let days = amount.parse::<i64>().ok().and_then(|amount| amount.checked_mul(factor));
    limits::calendar_unit(span, unit, &days.map_or_else(|| factor.to_string(), |days| days.to_string()))
}

pub(in crate::checker) fn count_out_of_range(span: Span, text: &str, least: u32, most: u32) -> Diagnostic {
    if least == 1 {
        return limits::bad_count(span, text, "this", most);
    }
    let message = format!("this is a whole number from {least} to {most}; found `{text}`");
    Diagnostic::error(crate::diagnostics::BAD_COUNT, span, message)
}

pub(in crate::checker) fn priority_not_whole(span: Span, text: &str) -> Diagnostic {
    let message = format!("a priority is a whole number; found `{text}`");
    Diagnostic::error(crate::diagnostics::BAD_COUNT, span, message)
}

pub(in crate::checker) fn consent_is_built_in(span: Span) -> Diagnostic {
    crate::diagnostics::names::taken(span, "consent", "what every profile has")
}
