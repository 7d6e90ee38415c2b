//! Names that are not known, or known twice.

use super::{Diagnostic, meant};
use segue_grammar::Span;

pub(crate) fn unknown_event(span: Span, name: &str, guess: Option<&str>, pack: Option<&str>) -> Diagnostic {
    let help = match pack {
        Some(pack) => format!("write `use {pack}` at the top of a file: it declares this event"),
        None => meant(guess, "\"", &format!("declare it: `event \"{name}\" {{ … }}`")),
    };
    Diagnostic::error(super::UNKNOWN_EVENT, span, format!("event `{name}` is not declared")).help(help)
}

pub(crate) fn unknown_field(span: Span, name: &str, of: &str, help: String) -> Diagnostic {
    Diagnostic::error(super::UNKNOWN_FIELD, span, format!("{of} has no field `{name}`")).help(help)
}

pub(crate) fn unknown_name(span: Span, name: &str, help: String) -> Diagnostic {
    Diagnostic::error(super::UNKNOWN_NAME, span, format!("`{name}` means nothing here")).help(help)
}

pub(crate) fn unknown_segment(span: Span, name: &str, guess: Option<&str>) -> Diagnostic {
    let declare = format!("declare it: `segment {name} {{ … }}`");
    Diagnostic::error(super::UNKNOWN_SEGMENT, span, format!("segment `{name}` is not declared"))
        .help(meant(guess, "", &declare))
}

pub(crate) fn unknown_topic(span: Span, name: &str, guess: Option<&str>) -> Diagnostic {
    let declare = format!("declare it: `topic {name} {{ 2 per 7 days else skip }}`");
    Diagnostic::error(super::UNKNOWN_TOPIC, span, format!("topic `{name}` is not declared"))
        .help(meant(guess, "", &declare))
}

pub(crate) fn unknown_type(span: Span, name: &str, guess: Option<&str>) -> Diagnostic {
    let all = "types are `text`, `number`, `boolean`, `time`, `date`, `duration`, `list of …` and `{ … }`";
    Diagnostic::error(super::UNKNOWN_TYPE, span, format!("`{name}` is no type")).help(meant(guess, "", all))
}

pub(crate) fn unknown_pack(span: Span, name: &str, guess: Option<&str>) -> Diagnostic {
    Diagnostic::error(super::UNKNOWN_PACK, span, format!("there is no pack `{name}`")).help(meant(
        guess,
        "",
        "packs are `ecommerce` and `messaging`",
    ))
}

pub(crate) fn unknown_function(span: Span, name: &str, help: String) -> Diagnostic {
    Diagnostic::error(super::UNKNOWN_FUNCTION, span, format!("there is no function `{name}`")).help(help)
}

pub(crate) fn unknown_channel(span: Span, name: &str, guess: Option<&str>) -> Diagnostic {
    let way = "channels with an address in the profile are `sms`, `email` and `push`; any other is sent with `to: …`";
    Diagnostic::error(super::UNKNOWN_CHANNEL, span, format!("channel `{name}` is not known"))
        .help(meant(guess, "", way))
}

pub(crate) fn unknown_file(span: Span, name: &str, guess: Option<&str>) -> Diagnostic {
    Diagnostic::error(super::UNKNOWN_FILE, span, format!("there is no file `{name}` in the project"))
        .help(meant(guess, "\"", "paths start at the project's folder"))
}

pub(crate) fn duplicate(span: Span, what: &str, name: &str, first: Span) -> Diagnostic {
    Diagnostic::error(super::DUPLICATE_NAME, span, format!("{what} `{name}` is declared twice"))
        .also(first, "first declared here")
        .help("give one of them another name")
}

pub(crate) fn taken(span: Span, name: &str, meaning: &str) -> Diagnostic {
    Diagnostic::error(super::DUPLICATE_NAME, span, format!("`{name}` already is {meaning}"))
        .help("choose another name")
}

pub(crate) fn duplicate_field(span: Span, name: &str, first: Span) -> Diagnostic {
    Diagnostic::error(super::DUPLICATE_FIELD, span, format!("field `{name}` stands here twice"))
        .also(first, "it stands here first")
        .help("leave one of them out")
}

pub(crate) fn type_conflict(span: Span, name: &str, types: (&str, &str), first: Span) -> Diagnostic {
    let (here, there) = types;
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
