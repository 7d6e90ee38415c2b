//! Tests: what they name, and when.

use super::{Diagnostic, listed, meant};
use crate::suggest::nearest;
use segue_grammar::Span;

pub(crate) fn unknown_customer<'n>(
    span: Span,
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> Diagnostic {
    let way =
        format!("introduce them at the top of the test: `customer {name} {{ phone: \"+4790000000\" }}`");
    let message = format!("this test has no customer `{name}`");
    Diagnostic::error(super::UNKNOWN_CUSTOMER, span, message).help(meant(nearest(name, known), "", &way))
}

/// `is_customer` tells whether a customer of the test bears the name.
pub(crate) fn unknown_rule<'n>(
    span: Span,
    name: &str,
    is_customer: bool,
    known: impl IntoIterator<Item = &'n str> + Clone,
) -> Diagnostic {
    let way = match (is_customer, known.clone().into_iter().next()) {
        (true, _) => format!("rules act, customers enter and leave segments: `expect RULE for {name} to …`"),
        (false, Some(_)) => format!("the rules of this project are {}", listed(known.clone())),
        (false, None) => "this project has no rules".to_owned(),
    };
    let near = if is_customer { None } else { nearest(name, known) };
    Diagnostic::error(super::UNKNOWN_RULE, span, format!("there is no rule `{name}`"))
        .help(meant(near, "", &way))
}

pub(crate) fn unknown_reason(span: Span, name: &str, known: &[&str]) -> Diagnostic {
    let way = format!("the reasons are {}", known.join(", "));
    let near = nearest(name, known.iter().copied());
    Diagnostic::error(super::UNKNOWN_REASON, span, format!("nothing is suppressed by `{name}`"))
        .help(meant(near, "", &way))
}

/// `does` are the words for what the rule does instead.
pub(crate) fn not_in_rule(span: Span, rule: &str, never: &str, does: &[String]) -> Diagnostic {
    let help = match does {
        [] => format!("`{rule}` only waits"),
        _ => format!("`{rule}` {}", does.join(" and ")),
    };
    Diagnostic::error(super::NOT_IN_RULE, span, format!("`{rule}` never {never}")).help(help)
}

pub(crate) fn goes_back(span: Span, reached: &str) -> Diagnostic {
    Diagnostic::error(super::TEST_TIME, span, format!("this is before {reached}, which the test has reached"))
        .help("a test goes forward in time: put statements in the order in which things happen")
}

pub(crate) fn no_start(span: Span) -> Diagnostic {
    Diagnostic::error(super::TEST_TIME, span, "the test has no time yet")
        .help("begin with a date and a time: `at 2026-01-05 10:00 …`")
}

pub(crate) fn missing_until(span: Span) -> Diagnostic {
    Diagnostic::error(super::MISSING_UNTIL, span, "nothing is expected, but until when?")
        .help("write `expect nothing for 7 days`, or `expect nothing until 2026-01-12 10:00`")
}

pub(crate) fn without_expect(span: Span) -> Diagnostic {
    Diagnostic::warning(super::TEST_WITHOUT_EXPECT, span, "this test expects nothing, so it always passes")
        .help("say what should happen: `expect RULE to send sms`, or `expect nothing for 7 days`")
}
