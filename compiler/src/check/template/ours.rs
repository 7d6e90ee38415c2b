//! The language's own filters: what they take, and what they are told.

use super::{Checker, Walk, path::literal};
use crate::{
    diagnostics::templates,
    time::{Zone, format_date},
    types::Type,
};
use minijinja::machinery::ast::{CallArg, Expr, Filter};

impl Checker<'_> {
    /// Sees to it that a filter of the language can print something of what it is given.
    pub(super) fn own_filter(
        &mut self,
        filter: &Filter<'_>,
        input: Option<&Type>,
        expr: &Expr<'_>,
        walk: &Walk<'_>,
    ) {
        let (fits, takes, example): (fn(&Type) -> bool, _, _) = match filter.name {
            "money" => (|it| matches!(it, Type::Number | Type::Text), "a number", "money('EUR')"),
            "date" => {
                (|it| matches!(it, Type::Time | Type::Date | Type::Text), "a time or a date", "date('%d %B')")
            }
            "link" => (|it| *it == Type::Text, "an address", "link('summer')"),
            _ => return,
        };
        let (span, place) = walk.at(expr);
        if let Some(input) = input.filter(|input| !fits(input)) {
            self.report(templates::filter_input(span, &place, filter.name, takes, input));
            return;
        }
        let said = match filter.args.as_slice() {
            [CallArg::Pos(Expr::Const(constant))] if constant.value.as_str().is_none() => None,
            [CallArg::Pos(said)] => Some(said),
            _ => None,
        };
        let Some(said) = said else {
            self.report(templates::filter_argument(span, &place, filter.name, example));
            return;
        };
        if let ("date", Some(form)) = (filter.name, literal(said)) {
            // 2001-02-03 04:05:06 UTC.
            let time = || Zone::utc().format(981_173_106_000, &form);
            let date = || format_date(11_356, &form);
            let printed = match input {
                Some(Type::Date) => date(),
                Some(_) => time(),
                None => time().or_else(date),
            };
            match printed {
                None => {
                    let is_date = input == Some(&Type::Date) && time().is_some();
                    self.report(templates::date_form(span, &place, &form, is_date));
                }
                // Nothing of the date is in it.
                Some(printed) if printed == form => {
                    self.report(templates::date_form(span, &place, &form, false));
                }
                Some(_) => {}
            }
        }
    }
}
