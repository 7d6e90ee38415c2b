//! Rules that are incomplete, contradictory or endless.

use super::Diagnostic;
use segue_grammar::Span;

pub(crate) fn when_condition(span: Span, name: &str, condition: &str) -> Diagnostic {
    Diagnostic::error(
        super::WHEN_CONDITION,
        span,
        "a rule starts on an event or a change, this is a condition",
    )
    .help(format!(
        "name it: `segment {name} {{ {condition} }}`, and start the rule with `when enters {name}`"
    ))
}

pub(crate) fn missing_when(span: Span, rule: &str) -> Diagnostic {
    Diagnostic::error(super::MISSING_WHEN, span, format!("rule `{rule}` does not say when it starts"))
        .help("add `when \"Event\"` or `when enters SEGMENT` as its first line")
}

pub(crate) fn no_steps(span: Span, rule: &str) -> Diagnostic {
    Diagnostic::error(super::NO_STEPS, span, format!("rule `{rule}` does nothing"))
        .help("add a step, for example `send sms \"…\"`")
}

pub(crate) fn duplicate_clause(span: Span, first: Span) -> Diagnostic {
    Diagnostic::error(super::DUPLICATE_CLAUSE, span, "this clause is said twice")
        .also(first, "said here first")
        .help("leave one of them out")
}

pub(crate) fn clause_after_step(span: Span, step: Span) -> Diagnostic {
    Diagnostic::warning(
        super::CLAUSE_AFTER_STEP,
        span,
        "this clause is for the whole rule, but stands after a step",
    )
    .also(step, "the first step")
    .help("move it above the first step: clauses first, then what happens")
}

pub(crate) fn missing_within(span: Span, no: bool) -> Diagnostic {
    let words = if no { "then no" } else { "then" };
    Diagnostic::error(super::MISSING_WITHIN, span, format!("this `{words}` does not say within how long"))
        .help("add for example `within 2 hours`")
}

pub(crate) fn goal_without_within(span: Span) -> Diagnostic {
    Diagnostic::error(super::MISSING_WITHIN, span, "this `goal` does not say within how long")
        .help("add for example `within 14 days`, counted from the first message of a run")
}

pub(crate) fn missing_topic(span: Span, rule: &str) -> Diagnostic {
    Diagnostic::error(super::MISSING_TOPIC, span, format!("rule `{rule}` sends a message without a topic"))
        .help("add `topic NAME`, what customers consent to, or `transactional` for receipts and the like")
}

pub(crate) fn transactional_segment(span: Span) -> Diagnostic {
    Diagnostic::error(
        super::TRANSACTIONAL_SEGMENT,
        span,
        "only a rule that is started by an event is transactional",
    )
    .help("give it a topic, or start it with `when \"Event\"`")
}

pub(crate) fn bad_split(span: Span, sum: &str) -> Diagnostic {
    Diagnostic::error(
        super::BAD_SPLIT,
        span,
        format!("the arms of a split are 100% together; these are {sum}%"),
    )
    .help("for example `split { a 50% { … } b 50% { … } }`")
}

pub(crate) fn bad_arm(span: Span, percent: &str) -> Diagnostic {
    Diagnostic::error(super::BAD_SPLIT, span, format!("`{percent}%` is no part of all runs"))
        .help("a part has four places at most: `33.3333%`")
}

pub(crate) fn no_reply(span: Span) -> Diagnostic {
    Diagnostic::error(super::NO_REPLY, span, "there is nothing to reply to").help(
        "reply within `wait up to 2 days for a reply { … }`, or in a rule with `when \"Message Replied\"`",
    )
}

pub(crate) fn not_of_this_run(span: Span, event: &str) -> Diagnostic {
    let message = format!("`{event}` does not say which message it is about: it has no text `message`");
    Diagnostic::error(super::NOT_OF_THIS_RUN, span, message)
        .help("leave `of this run` out, or wait for an event of `use messaging`, such as `a click`")
}

pub(crate) fn not_in_defaults(span: Span, what: &str, help: &str) -> Diagnostic {
    Diagnostic::error(super::NOT_IN_DEFAULTS, span, format!("{what} cannot be a default")).help(help)
}

pub(crate) fn no_message(span: Span, what: &str, rule: &str) -> Diagnostic {
    Diagnostic::error(
        super::NO_MESSAGE,
        span,
        format!("{what} is about messages, but rule `{rule}` sends none"),
    )
    .help("leave it out, or add a step such as `send sms \"…\"`")
}

pub(crate) fn nothing_to_answer(span: Span) -> Diagnostic {
    let message = "this waits for what becomes of a message, but the rule has sent none before it";
    Diagnostic::warning(super::NO_MESSAGE, span, message).help(
        "send one first, or wait for an event in quotes: `wait up to 3 days for \"Order Completed\" { … }`",
    )
}

pub(crate) fn transactional_quiet(span: Span) -> Diagnostic {
    Diagnostic::error(super::TRANSACTIONAL_QUIET, span, "a transactional rule is outside quiet times")
        .help("leave one out: `quiet`, or `transactional` for a topic")
}

pub(crate) fn always_quiet(span: Span) -> Diagnostic {
    Diagnostic::error(super::ALWAYS_QUIET, span, "it is always quiet, so that nothing would ever be sent")
        .help("let it end at a time later than it begins, or say on which days: `quiet 00:00 to 00:00 on sunday`")
}

pub(crate) fn was_is_there(span: Span, name: &str, first: Span) -> Diagnostic {
    Diagnostic::error(
        super::DUPLICATE_NAME,
        span,
        format!("no rule can have been `{name}`: there is a rule of that name"),
    )
    .also(first, "this one")
    .help("after `was` stands the name that the rule had, which no other rule has now")
}

pub(crate) fn was_twice(span: Span, name: &str, first: Span) -> Diagnostic {
    Diagnostic::error(super::DUPLICATE_NAME, span, format!("two rules cannot both have been `{name}`"))
        .also(first, "said here first")
        .help("leave it to the rule that goes on with what the old one began")
}

pub(crate) fn misplaced_default(span: Span, field: &str) -> Diagnostic {
    Diagnostic::error(
        super::MISPLACED_DEFAULT,
        span,
        format!("`{field}` has a default here, but only a field of the profile can have one"),
    )
    .help(format!("mark the field with `?`, and say `coalesce({field}, …)` where it is used"))
}

pub(crate) fn missing_otherwise(span: Span, name: &str) -> Diagnostic {
    Diagnostic::error(super::MISSING_OTHERWISE, span, format!("`{name}` has no value for all other cases"))
        .help("end it with `, otherwise …`")
}

pub(crate) fn missing_content(span: Span, channel: &str, field: &str) -> Diagnostic {
    let example = match channel {
        "email" => "`send email { subject: \"…\", body: \"…\" }`",
        "push" => "`send push { title: \"…\", body: \"…\" }`",
        _ => "`send sms \"…\"`",
    };
    Diagnostic::error(super::MISSING_CONTENT, span, format!("this `{channel}` message has no `{field}`"))
        .help(format!("for example {example}"))
}

pub(crate) fn missing_field(span: Span, event: &str, field: &str) -> Diagnostic {
    Diagnostic::error(
        super::MISSING_FIELD,
        span,
        format!("event `{event}` always has `{field}`, missing here"),
    )
    .help("add it, or declare it with `?`")
}

/// `kind` is `topic`, `segment` or `let`; `way` leads from the name back to itself.
pub(crate) fn definition_cycle(span: Span, kind: &str, name: &str, way: &str) -> Diagnostic {
    let code = if kind == "topic" { super::TOPIC_CYCLE } else { super::SEGMENT_CYCLE };
    Diagnostic::error(code, span, format!("{kind} `{name}` is made of itself: {way}"))
        .help("break the circle: one of them must not need the other")
}

pub(crate) fn rule_cycle(span: Span, rules: &str, send: bool) -> Diagnostic {
    let help = if send {
        "add a `limit` to one of them"
    } else {
        "let the trigger look at something that these rules do not change"
    };
    Diagnostic::error(super::RULE_CYCLE, span, format!("what this does starts it again without end: {rules}"))
        .help(help)
}

pub(crate) fn not_yours_to_emit(span: Span, event: &str, why: &str) -> Diagnostic {
    Diagnostic::error(super::BUILT_IN_EVENT, span, format!("a rule cannot emit \"{event}\": {why}"))
        .help("emit an event of your own, declared with `event \"…\" { … }`, and let rules look for that")
}
