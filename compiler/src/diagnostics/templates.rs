//! What is wrong within a template. For content files, `place` is ` (file:line)`.

use super::{Diagnostic, listed, meant, names::nearest_part, types::a};
use crate::{suggest::nearest, types::Type};
use segue_grammar::Span;

pub(crate) fn syntax(span: Span, place: &str, why: &str) -> Diagnostic {
    let help = match why.contains("`:`") {
        true => "what a filter needs stands in parentheses: `{{ profile.first_name | default('friend') }}`",
        false => "values stand in `{{ … }}`, conditions in `{% if … %} … {% endif %}`",
    };
    Diagnostic::error(super::TEMPLATE_SYNTAX, span, format!("this template cannot be read: {why}{place}"))
        .help(help)
}

/// A name in the signs of another tool, which would be printed as it stands.
pub(crate) fn other_signs(span: Span, place: &str, written: &str, name: &str) -> Diagnostic {
    Diagnostic::warning(super::TEMPLATE_SYNTAX, span, format!("`{written}` is printed as it stands{place}"))
        .help(format!("values stand in two braces: `{{{{ {name} }}}}`"))
}

pub(crate) fn unknown_name<'n>(
    span: Span,
    place: &str,
    name: &str,
    known: impl IntoIterator<Item = &'n str> + Clone,
) -> Diagnostic {
    let way = match name.strip_prefix("profile.") {
        None if name.starts_with("event.") && !known.clone().into_iter().any(|it| it.starts_with("event.")) => {
            "there is no `event` in a rule that no event starts; start it with `when \"Event\"`, or name a value: `let last_order = last of order_id of \"Order Completed\"`".to_owned()
        }
        Some(field) if !field.contains('.') => format!("declare it: `profile {{ {field}: text? }}`"),
        None if !name.contains('.') => {
            format!("a field of the customer is `profile.NAME`; here stand {}", listed(known.clone()))
        }
        Some(_) | None => format!("here stand {}", listed(known.clone())),
    };
    let near = if name.contains('.') { nearest(name, known) } else { nearest_part(name, known) };
    Diagnostic::error(
        super::UNKNOWN_TEMPLATE_NAME,
        span,
        format!("`{name}` means nothing in this template{place}"),
    )
    .help(meant(near, "", &way))
}

pub(crate) fn optional(span: Span, place: &str, path: &str) -> Diagnostic {
    let last = path.rsplit('.').next().unwrap_or(path);
    let stand_in = if last.contains("name") { "there" } else { "…" };
    Diagnostic::error(super::OPTIONAL_IN_TEMPLATE, span, format!("`{path}` may be missing{place}"))
        .help(format!("say what stands there then: `{{{{ {path} | default('{stand_in}') }}}}`"))
}

/// `what` is `filter`, `test` or `function`, of which `known` are those that one could have meant.
pub(crate) fn unknown_filter<'n>(
    span: Span,
    place: &str,
    what: &str,
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> Diagnostic {
    let way = match what {
        "test" => {
            "whether there is a value is `is defined`, as in `{% if profile.first_name is defined %}`; comparisons have signs, as in `{% if event.total > 5 %}`"
        }
        "function" => "functions are `range`, `dict` and `namespace`; other values stand in a `let`",
        _ => "own filters are `default('…')`, `money('EUR')`, `date('%-d %B')` and `link('name')`",
    };
    Diagnostic::error(super::UNKNOWN_FILTER, span, format!("templates know no {what} `{name}`{place}"))
        .help(meant(nearest(name, known), "", way))
}

/// A value of which a filter can print nothing.
pub(crate) fn filter_input(span: Span, place: &str, filter: &str, takes: &str, input: &Type) -> Diagnostic {
    let found = a(input);
    Diagnostic::error(
        super::FILTER_PRINTS_NOTHING,
        span,
        format!("`{filter}` takes {takes}, and this is {found}: nothing would stand there{place}"),
    )
    .help(format!("leave out `| {filter}`, or name a value that is {takes}"))
}

/// A filter that is not told what it needs to know.
pub(crate) fn filter_argument(span: Span, place: &str, filter: &str, example: &str) -> Diagnostic {
    Diagnostic::error(
        super::FILTER_PRINTS_NOTHING,
        span,
        format!("`{filter}` is told one text, and here it is not: no message could be sent{place}"),
    )
    .help(format!("write `{example}`"))
}

/// A form of a date that prints nothing, or nothing of the date.
pub(crate) fn date_form(span: Span, place: &str, form: &str, is_date: bool) -> Diagnostic {
    let why = if is_date { "asks for a time of day, and a date has none" } else { "says no part of a date" };
    Diagnostic::error(
        super::FILTER_PRINTS_NOTHING,
        span,
        format!("the form `{form}` {why}{place}"),
    )
    .help("`%d` is the day, `%B` the month by name, `%m` by number, `%Y` the year, `%H:%M` the time of day: `date('%d.%m.%Y')`")
}
