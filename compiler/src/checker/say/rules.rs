//! Rules, conditions and windows.

use crate::diagnostics::{self, conditions, rules};
use segue_grammar::{Diagnostic, Span};

pub(in crate::checker) fn ago_reversed(span: Span, near: &str, far: &str) -> Diagnostic {
    let message = format!("`between {near} and {far} ago` is empty: the nearer bound stands first");
    conditions::bad_window(span, &message, format!("write `between {far} and {near} ago`"))
}

pub(in crate::checker) fn anchor_without_sequence(span: Span) -> Diagnostic {
    conditions::bad_window(
        span,
        "`each` and `earliest` need a sequence",
        "leave the word out, or add `then …`".to_owned(),
    )
}

pub(in crate::checker) fn first_time_not_first(span: Span) -> Diagnostic {
    rules::not_supported(span, "`for the first time` after the first event of a sequence")
}

pub(in crate::checker) fn emit_without(span: Span, event: &str, field: &str) -> Diagnostic {
    rules::missing_field(span, event, &format!("`{field}`"))
}

pub(in crate::checker) fn missing_content(span: Span, channel: &str, field: &str) -> Diagnostic {
    let example = match channel {
        "email" => "`send email { subject: \"…\", body: \"…\" }`",
        "push" => "`send push { title: \"…\", body: \"…\" }`",
        _ => "`send sms \"…\"`",
    };
    rules::missing_content(span, channel, &format!("`{field}`"), &format!("for example {example}"))
}

pub(in crate::checker) fn set_what(span: Span, words: &str) -> Diagnostic {
    diagnostics::names::unknown_name(
        span,
        words,
        "only profile fields can be set: `set profile.NAME = …`; consent with `grant` and `withdraw`"
            .to_owned(),
    )
}

pub(in crate::checker) fn decided(span: Span, holds: bool, words: &str) -> Diagnostic {
    let why = format!("`{}`", words.trim().trim_start_matches('(').trim_end_matches(')'));
    let help = if holds {
        "leave it out, or compare with another number"
    } else {
        "nobody would ever be in: compare with another number"
    };
    conditions::decided(span, holds, &why, help)
}
