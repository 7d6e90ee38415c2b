//! Values of the wrong type, and places where a value is not at hand.

use super::{Diagnostic, article};
use crate::types::Type;
use segue_grammar::Span;

/// A type in a sentence: `number`, `list of text`, `object`.
fn words(ty: &Type) -> String {
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
pub(super) fn a(ty: &Type) -> String {
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

fn mismatch(span: Span, expected: &str, found: &Type) -> Diagnostic {
    Diagnostic::error(super::TYPE_MISMATCH, span, format!("expected {expected}, found {}", a(found)))
}

/// `other` is the place that asks for the expected type, or `span` itself.
pub(crate) fn different_types(span: Span, expected: &Type, found: &Type, other: Span) -> Diagnostic {
    let help = match (expected, found) {
        (Type::Text, Type::Number) => "put it in quotes",
        (Type::Number, Type::Text) => "leave the quotes out",
        (Type::Duration, Type::Number) => "say of what: `3 days`",
        (Type::Time, Type::Date) => "an instant has a time of day: `2026-01-31 08:00`",
        (Type::Boolean, Type::Text | Type::Number) => {
            "it is a condition by itself: leave the comparison out, or write `not` before it"
        }
        (Type::List(item), found) if **item == *found => "ask whether it is among them: `contains`",
        (Type::Boolean, Type::Date | Type::Time) => {
            "the one window that names a date is `since 2026-01-31`, after an event"
        }
        _ => "both sides must be of one type",
    };
    let diagnostic = mismatch(span, &a(expected), found).help(help);
    if other == span { diagnostic } else { diagnostic.also(other, format!("this is {}", a(expected))) }
}

/// `wanted` is how many values a function takes, in words.
pub(crate) fn argument_count(span: Span, function: &str, wanted: &str, found: usize) -> Diagnostic {
    let found = match found {
        0 => "none".to_owned(),
        1 => "one".to_owned(),
        more => more.to_string(),
    };
    let help = match function {
        "coalesce" => "add what stands in for a missing value: `coalesce(profile.points, 0)`".to_owned(),
        _ => format!("write `{function}(…)` with one value in the parentheses"),
    };
    Diagnostic::error(super::TYPE_MISMATCH, span, format!("`{function}` takes {wanted}, found {found}"))
        .help(help)
}

/// `found` is the type of the first argument, if there is one.
pub(crate) fn wrong_argument(span: Span, function: &str, expected: &str, found: Option<&Type>) -> Diagnostic {
    match found {
        Some(found) => mismatch(span, &format!("{expected} for `{function}`"), found),
        None => Diagnostic::error(super::TYPE_MISMATCH, span, format!("`{function}` needs {expected}")),
    }
}

/// A list or an object in a test, where something else belongs.
pub(crate) fn other_literal(span: Span, expected: &Type, found: &str) -> Diagnostic {
    Diagnostic::error(super::TYPE_MISMATCH, span, format!("expected {}, found {found}", a(expected)))
        .help(format!("it is declared as `{expected}`"))
}

pub(crate) fn consent_literal(span: Span) -> Diagnostic {
    Diagnostic::error(super::TYPE_MISMATCH, span, "expected consent by channel")
        .help("write `consent: { sms: true, email: { marketing: false } }`")
}

pub(crate) fn not_ordered(span: Span, operator: &str, ty: &Type) -> Diagnostic {
    mismatch(span, &format!("a number, time, date or duration for `{operator}`"), ty)
        .help("texts and booleans are only equal or not")
}

pub(crate) fn no_date(span: Span, ty: &Type) -> Diagnostic {
    mismatch(span, "a date or a time", ty).help("declare the field so: `profile { birth_date: date? }`")
}

pub(crate) fn no_profile_date(span: Span, words: &str) -> Diagnostic {
    Diagnostic::error(super::TYPE_MISMATCH, span, format!("`{words}` is no field of the profile"))
        .help("a rule goes by a date of the profile, as in `when 3 days before profile.renewal at 09:00`")
}

pub(crate) fn no_text_test(span: Span, operator: &str, ty: &Type) -> Diagnostic {
    let wanted = if operator == "contains" { "a text or a list" } else { "a text or a list of texts" };
    mismatch(span, &format!("{wanted} for `{operator}`"), ty)
}

pub(crate) fn field_differs(span: Span, name: &str, event: &str, first: &Type, other: &Type) -> Diagnostic {
    mismatch(span, &format!("`{name}` to be {} in every event", a(first)), other)
        .help(format!("in event `{event}` it is {}; ask about each event by itself", a(other)))
}

pub(crate) fn no_aggregate(span: Span, function: &str, ty: &Type) -> Diagnostic {
    let wanted = match function {
        "sum" | "average" => "a number or a duration",
        "smallest" | "largest" => "a number, time, date or duration",
        _ => "a single value",
    };
    mismatch(span, &format!("{wanted} for `{function} of`"), ty)
}

pub(crate) fn not_scalar(span: Span, ty: &Type) -> Diagnostic {
    mismatch(span, "a single value such as a text or a number", ty)
}

pub(crate) fn variant_not_text(span: Span, ty: &Type) -> Diagnostic {
    mismatch(span, "a text that chooses the file", ty)
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

pub(crate) fn history_in_where(span: Span, words: &str) -> Diagnostic {
    Diagnostic::error(super::NOT_IN_WHERE, span, format!("`{words}` cannot stand after `where`")).help(
        "after `where` stand fields of this one event; ask about history outside, for example with `and`",
    )
}

pub(crate) fn no_event(span: Span, word: &str, in_sequence: bool) -> Diagnostic {
    let (why, help) = if in_sequence {
        (
            "means the event of the finished match, which does not exist while the match is looked for",
            "use `with same FIELD` to tie events together",
        )
    } else {
        (
            "needs a rule that is started by an event",
            "start the rule with `when \"Event\"`, or use a value such as `last of FIELD of \"Event\"`",
        )
    };
    Diagnostic::error(super::NO_TRIGGER_EVENT, span, format!("`{word}` {why}")).help(help)
}

/// After `where`, `field` is one of the event that is looked at.
pub(crate) fn bare_field(span: Span, field: &str) -> Diagnostic {
    let message =
        format!("after `where`, the event's own fields stand bare; here is no other event with `{field}`");
    Diagnostic::error(super::NO_TRIGGER_EVENT, span, message).help(format!("write `{field}`"))
}

/// An element of a sequence by name, while it is looked for.
pub(crate) fn element_while_looking(span: Span, name: &str) -> Diagnostic {
    let message =
        format!("while a sequence is looked for, `where` sees its own event only, and not `{name}`");
    Diagnostic::error(super::NO_TRIGGER_EVENT, span, message)
        .help("tie events together `with same FIELD`, or compare them in `only if`")
}

pub(crate) fn no_event_for_a_while(span: Span, word: &str) -> Diagnostic {
    let message = format!(
        "whether a condition has held for a while is asked of every customer at all times, and there is no `{word}`"
    );
    Diagnostic::error(super::NO_TRIGGER_EVENT, span, message)
        .help(format!("compare with `{word}` outside of the parentheses before `for`"))
}

pub(crate) fn no_moment(span: Span, ty: &Type) -> Diagnostic {
    Diagnostic::error(
        super::TYPE_MISMATCH,
        span,
        format!("a wait ends at a time or on a date; this is {}", a(ty)),
    )
    .help("wait for a length of time, as in `wait 3 days`, or until a field that is a `time` or a `date`")
}

pub(crate) fn no_answer(span: Span) -> Diagnostic {
    Diagnostic::error(
        super::NO_TRIGGER_EVENT,
        span,
        "`answer` is the event that ended a wait, and here none has surely come",
    )
    .help("use it within `wait up to 2 days for … { … }`, or after it where `otherwise` ends with `stop`")
}

pub(crate) fn no_match(span: Span) -> Diagnostic {
    Diagnostic::error(
        super::NO_TRIGGER_EVENT,
        span,
        "`in this match` needs a rule that is started by an event",
    )
    .help("use it in a rule with `when \"Event\" …`, or say `in the last 2 hours`")
}
