//! Names.

use crate::{
    diagnostics::{self, listed, names},
    suggest::nearest,
};
use segue_grammar::{Diagnostic, Span};

fn guess<'n>(name: &str, known: &'n [String]) -> Option<&'n str> {
    nearest(name, known.iter().map(String::as_str))
}

pub(in crate::checker) fn unknown_function(span: Span, name: &str) -> Diagnostic {
    let known: Vec<String> =
        crate::checker::words::FUNCTIONS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let all = format!(
        "functions are {}",
        crate::checker::words::FUNCTIONS
            .iter()
            .map(|(name, _)| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ")
    );
    names::unknown_function(span, name, diagnostics::meant(guess(name, &known), "", &all))
}

pub(in crate::checker) fn unknown_name(span: Span, name: &str, known: &[String]) -> Diagnostic {
    let bare: Vec<String> = known.iter().map(|it| it.rsplit('.').next().unwrap_or(it).to_owned()).collect();
    let near =
        guess(name, &bare).and_then(|near| known.iter().find(|it| it.rsplit('.').next() == Some(near)));
    let way = "a field of the customer is `profile.NAME`, a field of the triggering event `event.NAME`; name a value with `let`";
    names::unknown_name(span, name, diagnostics::meant(near.map(String::as_str), "", way))
}

pub(in crate::checker) fn unknown_profile_field(span: Span, name: &str, known: &[String]) -> Diagnostic {
    let way = format!("declare it: `profile {{ {name}: text? }}`");
    names::unknown_field(span, name, "the profile", diagnostics::meant(guess(name, known), "", &way))
}

pub(in crate::checker) fn no_such_part(span: Span, name: &str, ty: &str) -> Diagnostic {
    names::unknown_field(
        span,
        name,
        &format!("`{name}`, {ty},"),
        "only objects and lists of objects have fields".to_owned(),
    )
}

pub(in crate::checker) fn consent_of_what(span: Span) -> Diagnostic {
    names::unknown_name(span, "profile.consent", "say for which channel: `profile.consent.sms`".to_owned())
}

pub(in crate::checker) fn no_event(span: Span, word: &str, in_sequence: bool) -> Diagnostic {
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
    diagnostics::types::no_trigger_event(span, &format!("`{word}`"), why, help)
}

pub(in crate::checker) fn no_match(span: Span) -> Diagnostic {
    diagnostics::types::no_trigger_event(
        span,
        "`in this match`",
        "needs a rule that is started by an event",
        "use it in a rule with `when \"Event\" …`, or say `in the last 2 hours`",
    )
}

pub(in crate::checker) fn no_answer(span: Span) -> Diagnostic {
    diagnostics::rules::not_supported(span, "`answer`")
}

pub(in crate::checker) fn field_not_in_all(span: Span, name: &str, event: &str) -> Diagnostic {
    names::unknown_field(
        span,
        name,
        &format!("event `{event}`"),
        "a pattern over several events can only use fields that all of them have".to_owned(),
    )
}

pub(in crate::checker) fn field_of_any_event(span: Span, name: &str) -> Diagnostic {
    let way =
        "of `any event` only `at`, `message_id` and `event_name` are known; name the event to use its fields";
    names::unknown_field(span, name, "any event", way.to_owned())
}

pub(in crate::checker) fn unknown_field(
    span: Span,
    name: &str,
    events: &[&str],
    known: &[String],
) -> Diagnostic {
    let of = events.iter().map(|event| format!("`{event}`")).collect::<Vec<_>>().join(" and ");
    let event = events.first().copied().unwrap_or_default();
    let way = format!(
        "declare it: `event \"{event}\" {{ {name}: text? }}`; known are {}",
        listed(known.iter().map(String::as_str))
    );
    names::unknown_field(span, name, &format!("event {of}"), diagnostics::meant(guess(name, known), "", &way))
}

pub(in crate::checker) fn history_in_where(span: Span, words: &str) -> Diagnostic {
    diagnostics::types::not_in_where(
        span,
        &format!("`{words}`"),
        "after `where` stand fields of this one event; ask about history outside, for example with `and`",
    )
}

pub(in crate::checker) fn unknown_channel(span: Span, name: &str, known: &[&str]) -> Diagnostic {
    names::unknown_channel(span, name, nearest(name, known.iter().copied()))
}

pub(in crate::checker) fn unknown_event(
    span: Span,
    name: &str,
    known: &[String],
    pack: Option<&str>,
) -> Diagnostic {
    names::unknown_event(span, name, guess(name, known), pack)
}

pub(in crate::checker) fn unknown_topic(span: Span, name: &str, known: &[String]) -> Diagnostic {
    names::unknown_topic(span, name, guess(name, known))
}

pub(in crate::checker) fn unknown_segment(span: Span, name: &str, known: &[String]) -> Diagnostic {
    names::unknown_segment(span, name, guess(name, known))
}

pub(in crate::checker) fn unknown_type(span: Span, name: &str) -> Diagnostic {
    names::unknown_type(span, name, nearest(name, ["text", "number", "boolean", "time", "date", "duration"]))
}

pub(in crate::checker) fn cycle(span: Span, kind: &str, name: &str, way: &str) -> Diagnostic {
    let code = if kind == "topic" { diagnostics::TOPIC_CYCLE } else { diagnostics::SEGMENT_CYCLE };
    diagnostics::rules::definition_cycle(span, code, format!("{kind} `{name}` is made of itself: {way}"))
}
