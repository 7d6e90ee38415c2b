//! Values of the wrong type, and places where a value is not at hand.

use super::{Diagnostic, article};
use crate::types::Type;
use segue_grammar::Span;

/// A type in a sentence: `number`, `list of text`, `object`.
pub(crate) fn words(ty: &Type) -> String {
    match ty {
        Type::Object(_) => "object".to_owned(),
        Type::List(item) => match &**item {
            Type::Object(_) => "list of objects".to_owned(),
            other => format!("list of {}", words(other)),
        },
        Type::Text | Type::Number | Type::Boolean | Type::Time | Type::Date | Type::Duration => {
            ty.to_string()
        }
    }
}

/// `a number`.
pub(crate) fn a(ty: &Type) -> String {
    article(&words(ty))
}

pub(crate) fn not_a_condition(span: Span, source: &str, ty: &Type) -> Diagnostic {
    let help = match ty {
        Type::Number => "compare it, for example with `>= 1`",
        Type::Text => "compare it, for example with `= \"…\"`",
        Type::Duration => "compare it, for example with `> 1 day`",
        Type::Boolean | Type::Time | Type::Date | Type::List(_) | Type::Object(_) => {
            "compare it, or ask whether it `is known`"
        }
    };
    Diagnostic::error(super::NOT_A_CONDITION, span, format!("`{source}` is {}, a condition is needed", a(ty)))
        .help(help)
}

pub(crate) fn mismatch(span: Span, expected: &str, found: &Type) -> Diagnostic {
    Diagnostic::error(super::TYPE_MISMATCH, span, format!("expected {expected}, found {}", a(found)))
}

pub(crate) fn arithmetic(span: Span, sign: &str, left: &Type, right: &Type) -> Diagnostic {
    Diagnostic::error(super::TYPE_MISMATCH, span, format!("`{sign}` does not fit {} and {}", a(left), a(right)))
        .help("numbers go with numbers; a time minus a time is a duration; durations can be added, and multiplied by numbers")
}

pub(crate) fn bad_regex(span: Span, why: &str) -> Diagnostic {
    Diagnostic::error(super::BAD_REGEX, span, format!("this regular expression cannot be read: {why}"))
        .help("to search for the text itself, use `contains`")
}

pub(crate) fn regex_not_literal(span: Span) -> Diagnostic {
    Diagnostic::error(super::TYPE_MISMATCH, span, "`matches` needs a regular expression in quotes")
        .help("to search for a value, use `contains`")
}

pub(crate) fn not_in_where(span: Span, what: &str, help: &str) -> Diagnostic {
    Diagnostic::error(super::NOT_IN_WHERE, span, format!("{what} cannot stand after `where`")).help(help)
}

pub(crate) fn no_trigger_event(span: Span, what: &str, why: &str, help: &str) -> Diagnostic {
    Diagnostic::error(super::NO_TRIGGER_EVENT, span, format!("{what} {why}")).help(help)
}
