//! Filters and tests of templates: which there are, and what they give.

use super::{Checker, Walk, path::literal};
use crate::{
    diagnostics::templates,
    types::{Field, Type},
};
use minijinja::machinery::ast::{CallArg, Expr, Filter};
use std::sync::Arc;

/// Filters that templates know: MiniJinja's own and ours.
const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "date",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "link",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "money",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "trim",
    "unique",
    "upper",
    "zip",
];

/// Tests that templates know.
const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "int",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "safe",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
];

/// Whether a filter gives another value for a missing one.
pub(super) fn is_default(name: &str) -> bool {
    matches!(name, "default" | "d")
}

impl Checker<'_> {
    /// What a filter gives, for input of some type.
    pub(super) fn filter(
        &mut self,
        filter: &Filter<'_>,
        input: Option<Type>,
        expr: &Expr<'_>,
        walk: &Walk<'_>,
    ) -> Option<Type> {
        self.known_filter(filter.name, expr, walk);
        self.own_filter(filter, input.as_ref(), expr, walk);
        let first = positional(filter, 0);
        match filter.name {
            "select" | "reject" => first.iter().for_each(|name| self.known_test(name, expr, walk)),
            "selectattr" | "rejectattr" => {
                positional(filter, 1).iter().for_each(|name| self.known_test(name, expr, walk));
            }
            "map" => first.iter().for_each(|name| self.known_filter(name, expr, walk)),
            _ => {}
        }
        let by_position = matches!(filter.name, "groupby" | "selectattr" | "rejectattr");
        let attribute = named(filter, "attribute").or_else(|| first.filter(|_| by_position));
        let reached = match (&attribute, &input) {
            (Some(attribute), Some(Type::List(item))) => {
                self.attributes((**item).clone(), attribute, expr, walk)
            }
            _ => None,
        };
        let list = |item: Type| Some(Type::List(Box::new(item)));
        match (filter.name, input) {
            ("default" | "d", input) => {
                // Another value may be of another type.
                input.filter(|input| *input == Type::Text || filter.args.is_empty())
            }
            (
                "sort" | "reverse" | "unique" | "list" | "select" | "reject" | "selectattr" | "rejectattr",
                input,
            ) => input.filter(|input| matches!(input, Type::List(_))),
            ("first" | "last" | "min" | "max", Some(Type::List(item))) => Some(*item),
            ("batch" | "slice", Some(items @ Type::List(_))) => list(items),
            ("map", Some(Type::List(_))) => reached.and_then(list),
            ("groupby", Some(items @ Type::List(_))) => {
                let field = |name: &str, ty| Field { name: Arc::from(name), ty, optional: false };
                // A grouper whose type is not known is printed like a text.
                let grouper = field("grouper", reached.unwrap_or(Type::Text));
                list(Type::Object(vec![grouper, field("list", items)]))
            }
            ("lines" | "split", _) => list(Type::Text),
            ("length" | "count" | "int" | "float" | "round" | "abs", _) => Some(Type::Number),
            (
                "capitalize" | "date" | "e" | "escape" | "format" | "indent" | "join" | "link" | "lower"
                | "money" | "replace" | "safe" | "string" | "title" | "trim" | "upper",
                _,
            ) => Some(Type::Text),
            _ => None,
        }
    }

    /// `a.b` of each item.
    fn attributes(&mut self, item: Type, path: &str, expr: &Expr<'_>, walk: &Walk<'_>) -> Option<Type> {
        let mut reached = item;
        for name in path.split('.') {
            // A number is the place of an item.
            reached = match reached {
                Type::List(item) if name.parse::<usize>().is_ok() => *item,
                other => self.attribute(other, name, expr, walk)?,
            };
        }
        Some(reached)
    }

    fn known_filter(&mut self, name: &str, expr: &Expr<'_>, walk: &Walk<'_>) {
        if !FILTERS.contains(&name) {
            let (span, place) = walk.at(expr);
            self.report(templates::unknown_filter(span, &place, "filter", name, FILTERS.iter().copied()));
        }
    }

    pub(super) fn known_test(&mut self, name: &str, expr: &Expr<'_>, walk: &Walk<'_>) {
        if !TESTS.contains(&name) {
            let (span, place) = walk.at(expr);
            self.report(templates::unknown_filter(span, &place, "test", name, TESTS.iter().copied()));
        }
    }
}

/// A text in quotes among the arguments, by its place.
fn positional(filter: &Filter<'_>, place: usize) -> Option<String> {
    let mut positional = filter.args.iter().filter_map(|argument| match argument {
        CallArg::Pos(value) => Some(value),
        CallArg::Kwarg(..) | CallArg::PosSplat(_) | CallArg::KwargSplat(_) => None,
    });
    positional.nth(place).and_then(literal)
}

/// A text in quotes among the arguments, by its name.
fn named(filter: &Filter<'_>, name: &str) -> Option<String> {
    filter.args.iter().find_map(|argument| match argument {
        CallArg::Kwarg(key, value) if *key == name => literal(value),
        CallArg::Kwarg(..) | CallArg::Pos(_) | CallArg::PosSplat(_) | CallArg::KwargSplat(_) => None,
    })
}
