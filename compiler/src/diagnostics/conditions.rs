//! Conditions that are well formed and yet not what anybody means.

use super::Diagnostic;
use crate::typed::{Expr, ExprKind};
use segue_grammar::Span;

/// What a condition that is decided asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// Who is in.
    Customers,
    /// Which events are meant, after `where`.
    Events,
    /// The day of the week, of either.
    Weekday,
    /// One of several values after `in`.
    Choice,
    /// Which steps are done, or which value counts.
    Way,
}

/// `holds` says which way the condition, whose words are `words`, is decided.
pub(crate) fn decided(span: Span, holds: bool, words: &str, about: About) -> Diagnostic {
    let (code, verdict) = if holds { (super::ALWAYS_HOLDS, "always") } else { (super::NEVER_HOLDS, "never") };
    let help = match (about, holds) {
        (About::Weekday, _) => {
            "the days are `\"monday\"`, `\"tuesday\"` and so on to `\"sunday\"`, in small letters"
        }
        (About::Choice, _) => "leave this value out, or write another one",
        (About::Customers | About::Events | About::Way, true) => {
            "leave it out, or compare with another number"
        }
        (About::Customers, false) => "nobody would ever be in: compare with another number",
        (About::Way, false) => "this way would never be taken: compare with another number",
        (About::Events, false) => "no event would ever be meant: compare with another number",
    };
    Diagnostic::error(code, span, format!("this {verdict} holds: `{}`", bare(words))).help(help)
}

/// A condition without parentheses around all of it.
fn bare(words: &str) -> &str {
    let words = words.trim();
    let Some(inner) = words.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else { return words };
    let mut depth = 0_usize;
    for character in inner.chars() {
        match character {
            '(' => depth += 1,
            ')' if depth == 0 => return words,
            ')' => depth -= 1,
            _ => {}
        }
    }
    bare(inner)
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

pub(crate) fn empty_history(span: Span, segment: &str, condition: &Expr) -> Diagnostic {
    Diagnostic::error(
        super::EMPTY_HISTORY,
        span,
        format!("segment `{segment}` holds for customers who never did anything, so that every import starts this rule"),
    )
    .also(condition.span, "holds on an empty history")
    .help(format!("{} to the segment", known_for(condition)))
}

/// How somebody is kept out of a condition who was just imported.
fn known_for(condition: &Expr) -> &'static str {
    match condition.kind {
        ExprKind::Or(_) => "put all of it in parentheses, and add `and known for 30 days`",
        _ => "add `and known for 30 days`",
    }
}

/// `when` is the trigger of the rule.
pub(crate) fn empty_history_of_all(condition: &Expr, when: Span) -> Diagnostic {
    Diagnostic::error(
        super::EMPTY_HISTORY,
        condition.span,
        "this holds for customers who never did anything, so that everybody who was just imported hears of it",
    )
    .also(when, "this is for every customer")
    .help(format!("{}, or leave `only if` out if you mean everybody", known_for(condition)))
}

pub(crate) fn ago_reversed(span: Span, near: &str, far: &str) -> Diagnostic {
    Diagnostic::error(
        super::BAD_WINDOW,
        span,
        format!("`between {near} and {far} ago` is empty: the nearer bound stands first"),
    )
    .help(format!("write `between {far} and {near} ago`"))
}

pub(crate) fn anchor_without_sequence(span: Span) -> Diagnostic {
    Diagnostic::error(super::BAD_WINDOW, span, "`each` and `earliest` need a sequence")
        .help("leave the word out, or add `then …`")
}

pub(crate) fn same_without_sequence(span: Span) -> Diagnostic {
    Diagnostic::error(super::BAD_WINDOW, span, "`with same` needs a sequence, whose events have it in common")
        .help("leave it out, or add `then …` before it")
}

/// Of several events that are asked for `in this match` some have the field of `with same`, some have not.
pub(crate) fn not_all_in_match(span: Span, field: &str) -> Diagnostic {
    let message = format!("`in this match` goes by `{field}`, which not all of these events have");
    Diagnostic::error(super::UNKNOWN_FIELD, span, message)
        .help("ask about those that have it and those that have not by themselves")
}
