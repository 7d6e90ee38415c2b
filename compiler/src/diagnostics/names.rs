//! Names that are not known, or known twice.

use super::{Diagnostic, listed, meant, types::a};
use crate::{suggest::nearest, types::Type};
use segue_grammar::Span;

pub(crate) fn unknown_event<'n>(
    span: Span,
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
    pack: Option<&str>,
) -> Diagnostic {
    let help = match pack {
        Some(pack) => format!("write `use {pack}` at the top of a file: it declares this event"),
        None => meant(nearest(name, known), "\"", &format!("declare it: `event \"{name}\" {{ … }}`")),
    };
    Diagnostic::error(super::UNKNOWN_EVENT, span, format!("event `{name}` is not declared")).help(help)
}

/// `events` are those that could have the field, `known` the fields that they have.
pub(crate) fn unknown_field<'n>(
    span: Span,
    name: &str,
    events: &[&str],
    known: impl IntoIterator<Item = &'n str> + Clone,
) -> Diagnostic {
    let of = events.iter().map(|event| format!("`{event}`")).collect::<Vec<_>>().join(" and ");
    let event = events.first().copied().unwrap_or_default();
    let way =
        format!("declare it: `event \"{event}\" {{ {name}: text? }}`; known are {}", listed(known.clone()));
    without_field(span, &format!("event {of}"), name, &meant(nearest(name, known), "", &way))
}

pub(crate) fn unknown_profile_field<'n>(
    span: Span,
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> Diagnostic {
    let way = match name {
        "segment" | "segments" => "membership is a condition: `in segment NAME`".to_owned(),
        _ => format!("declare it: `profile {{ {name}: text? }}`"),
    };
    without_field(span, "the profile", name, &meant(nearest(name, known), "", &way))
}

pub(crate) fn field_not_in_all(span: Span, name: &str, event: &str) -> Diagnostic {
    let help = "a pattern over several events can only use fields that all of them have";
    without_field(span, &format!("event `{event}`"), name, help)
}

pub(crate) fn field_of_any_event(span: Span, name: &str) -> Diagnostic {
    let help =
        "of `any event` only `at`, `message_id` and `event_name` are known; name the event to use its fields";
    without_field(span, "any event", name, help)
}

pub(crate) fn no_such_part(span: Span, name: &str, ty: &Type) -> Diagnostic {
    let help = "only objects and lists of objects have fields";
    without_field(span, &format!("`{name}`, {},", a(ty)), name, help)
}

/// A field of an object in a test.
pub(crate) fn unknown_part<'n>(
    span: Span,
    name: &str,
    known: impl IntoIterator<Item = &'n str> + Clone,
) -> Diagnostic {
    let way = format!("declare it, or use one of {}", listed(known.clone()));
    without_field(span, "this object", name, &meant(nearest(name, known), "", &way))
}

fn without_field(span: Span, of: &str, name: &str, help: &str) -> Diagnostic {
    Diagnostic::error(super::UNKNOWN_FIELD, span, format!("{of} has no field `{name}`")).help(help)
}

/// A field of the events of a `where` that ended before it.
pub(crate) fn field_beyond_where(span: Span, name: &str) -> Diagnostic {
    let way = "`where` takes one comparison; several stand in parentheses: `where (a = 1 and b = 2)`";
    meaningless(span, name, way)
}

/// Known names are compared by their last part, since what stands before it may have been left out.
pub(crate) fn unknown_name<'n>(
    span: Span,
    name: &str,
    known: impl IntoIterator<Item = &'n str> + Clone,
) -> Diagnostic {
    // The words that begin what somebody did are not misspelt, but left alone.
    let near = nearest_part(name, known).filter(|_| !matches!(name, "did" | "count"));
    let way = match name {
        "did" => "the name of an event in quotes follows it: `did \"Event\"`",
        "count" => "say of what: `count of \"Event\"`",
        "now" | "today" | "yesterday" | "tomorrow" => {
            "conditions have no clock; write for example `did \"Event\" today`, `in the last 3 days` or `time since last \"Event\" > 3 days`"
        }
        "null" | "none" | "nil" | "undefined" => "there is no null; ask `is known` or `is not known`",
        _ => {
            "a field of the customer is `profile.NAME`, a field of the triggering event `event.NAME`; name a value with `let`"
        }
    };
    meaningless(span, name, &meant(near, "", way))
}

/// The known name whose last part is the name, else the one whose last part is nearest to it.
pub(super) fn nearest_part<'n>(
    name: &str,
    known: impl IntoIterator<Item = &'n str> + Clone,
) -> Option<&'n str> {
    let same = known.clone().into_iter().find(|known| last_part(known) == name && *known != name);
    same.or_else(|| {
        let near = nearest(name, known.clone().into_iter().map(last_part))?;
        known.into_iter().find(|known| last_part(known) == near)
    })
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

pub(crate) fn consent_of_what(span: Span) -> Diagnostic {
    meaningless(span, "profile.consent", "say for which channel: `profile.consent.sms`")
}

pub(crate) fn set_what(span: Span, words: &str) -> Diagnostic {
    let help = "only profile fields can be set: `set profile.NAME = …`; consent with `grant` and `withdraw`";
    meaningless(span, words, help)
}

fn meaningless(span: Span, name: &str, help: &str) -> Diagnostic {
    Diagnostic::error(super::UNKNOWN_NAME, span, format!("`{name}` means nothing here")).help(help)
}

pub(crate) fn unknown_segment<'n>(
    span: Span,
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> Diagnostic {
    let way = format!("declare it: `segment {name} {{ … }}`");
    Diagnostic::error(super::UNKNOWN_SEGMENT, span, format!("segment `{name}` is not declared")).help(meant(
        nearest(name, known),
        "",
        &way,
    ))
}

pub(crate) fn unknown_topic<'n>(
    span: Span,
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> Diagnostic {
    let way = format!("declare it: `topic {name} {{ 2 per 7 days else skip }}`");
    Diagnostic::error(super::UNKNOWN_TOPIC, span, format!("topic `{name}` is not declared")).help(meant(
        nearest(name, known),
        "",
        &way,
    ))
}

/// Types of other languages and ours.
const OTHER_TYPES: &[(&str, &str)] = &[
    ("string", "text"),
    ("str", "text"),
    ("varchar", "text"),
    ("uuid", "text"),
    ("enum", "text"),
    ("integer", "number"),
    ("int", "number"),
    ("float", "number"),
    ("double", "number"),
    ("decimal", "number"),
    ("money", "number"),
    ("bool", "boolean"),
    ("datetime", "time"),
    ("timestamp", "time"),
    ("instant", "time"),
    ("array", "list of text"),
    ("object", "{ name: text }"),
];

pub(crate) fn unknown_type(span: Span, name: &str) -> Diagnostic {
    let known = ["text", "number", "boolean", "time", "date", "duration"];
    let other =
        OTHER_TYPES.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(name)).map(|(_, ours)| *ours);
    if let Some(ours) = other {
        return Diagnostic::error(super::UNKNOWN_TYPE, span, format!("`{name}` is no type"))
            .help(format!("write `{ours}`"));
    }
    let all = "types are `text`, `number`, `boolean`, `time`, `date`, `duration`, `list of …` and `{ … }`";
    Diagnostic::error(super::UNKNOWN_TYPE, span, format!("`{name}` is no type")).help(meant(
        nearest(name, known),
        "",
        all,
    ))
}

/// `is_pack` says whether a pack has that name.
pub(crate) fn unknown_use(span: Span, path: &str, is_pack: bool) -> Diagnostic {
    let help = if is_pack {
        format!("packs are named without quotes: `use {path}`")
    } else {
        "name a `.segue` file of the project or a folder with some, from this file's folder on".to_owned()
    };
    Diagnostic::error(super::UNKNOWN_USE, span, format!("`{path}` leads to no rule file of this project"))
        .help(help)
}

pub(crate) fn unknown_pack<'n>(
    span: Span,
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> Diagnostic {
    let all = "packs are `ecommerce` and `messaging`";
    Diagnostic::error(super::UNKNOWN_PACK, span, format!("there is no pack `{name}`")).help(meant(
        nearest(name, known),
        "",
        all,
    ))
}

pub(crate) fn unknown_function<'n>(
    span: Span,
    name: &str,
    known: impl IntoIterator<Item = &'n str> + Clone,
) -> Diagnostic {
    let names: Vec<String> = known.clone().into_iter().map(|name| format!("`{name}`")).collect();
    let all = match name {
        "age" => "compare the date: `profile.birth_date <= 2008-12-31`".to_owned(),
        "now" | "today" | "date" | "current_date" | "datediff" | "date_diff" => {
            "conditions have no clock; write for example `in the last 3 days` or `time since last \"Event\" > 3 days`"
                .to_owned()
        }
        _ => format!("functions are {}", names.join(", ")),
    };
    Diagnostic::error(super::UNKNOWN_FUNCTION, span, format!("there is no function `{name}`")).help(meant(
        nearest(name, known),
        "",
        &all,
    ))
}

pub(crate) fn unknown_channel<'n>(
    span: Span,
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> Diagnostic {
    let way = "channels with an address in the profile are `sms`, `email` and `push`; any other is sent with `to: …`";
    Diagnostic::error(super::UNKNOWN_CHANNEL, span, format!("channel `{name}` is not known")).help(meant(
        nearest(name, known),
        "",
        way,
    ))
}

/// A channel that is named where nothing is sent.
pub(crate) fn silent_channel(span: Span, name: &str, known: &[&str]) -> Diagnostic {
    let way = format!("messages go by {}", listed(known.iter().copied()));
    Diagnostic::warning(super::UNKNOWN_CHANNEL, span, format!("no rule sends anything on channel `{name}`"))
        .help(meant(nearest(name, known.iter().copied()), "", &way))
}

pub(crate) fn topic_for_channel(span: Span, name: &str, granted: bool) -> Diagnostic {
    let word = if granted { "grant" } else { "withdraw" };
    Diagnostic::error(super::UNKNOWN_CHANNEL, span, format!("`{name}` is a topic; consent is for a channel"))
        .help(format!("say the channel first: `{word} consent email {name}`"))
}

pub(crate) fn unknown_file<'n>(
    span: Span,
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> Diagnostic {
    Diagnostic::error(super::UNKNOWN_FILE, span, format!("there is no file `{name}` in the project"))
        .help(meant(nearest(name, known), "\"", "paths start at the project's folder"))
}

pub(crate) fn duplicate_name(span: Span, name: &str, first: Span) -> Diagnostic {
    Diagnostic::error(super::DUPLICATE_NAME, span, format!("the name `{name}` is declared twice"))
        .also(first, "first declared here")
        .help("give one of them another name")
}

pub(crate) fn consent_is_built_in(span: Span) -> Diagnostic {
    Diagnostic::error(super::DUPLICATE_NAME, span, "`consent` already is what every profile has")
        .help("choose another name")
}

pub(crate) fn duplicate_field(span: Span, name: &str, first: Span) -> Diagnostic {
    Diagnostic::error(super::DUPLICATE_FIELD, span, format!("field `{name}` stands here twice"))
        .also(first, "it stands here first")
        .help("leave one of them out")
}

pub(crate) fn type_conflict(span: Span, name: &str, here: &Type, there: &Type, first: Span) -> Diagnostic {
    Diagnostic::error(
        super::FIELD_TYPE_CONFLICT,
        span,
        format!("field `{name}` is declared as `{here}` here and as `{there}` elsewhere"),
    )
    .also(first, format!("`{there}` here"))
    .help("fields of several declarations add up, so that their types must agree")
}

pub(crate) fn let_is_field(span: Span, name: &str, event: &str) -> Diagnostic {
    Diagnostic::error(super::LET_IS_FIELD, span, format!("`{name}` is also a field of event `{event}`")).help(
        format!("choose another name, such as `{name}_value`: after `where` the bare name is the field"),
    )
}
