//! Waits: how long, until when.

use super::{Checker, Scope};
use crate::{
    diagnostics::{limits, types},
    time::Distance,
    typed::{Expr, Until, wait::weekday_number},
    types::Type,
};
use segue_grammar::ast;

const DAY: i64 = 86_400_000;

impl Checker<'_> {
    /// `wait 3 days at 10:00`.
    pub(super) fn wait(&mut self, duration: &ast::Duration, at: Option<&ast::Name>) -> Option<Until<Expr>> {
        let Some(at) = at else { return self.duration(duration).map(Until::For) };
        let (days, at) = (self.days(duration), self.time_of_day(at));
        Some(Until::Days { days: days?, at: at? })
    }

    /// `wait until …`.
    pub(super) fn wait_until(&mut self, until: &ast::WaitUntil, scope: Scope<'_>) -> Option<Until<Expr>> {
        match until {
            ast::WaitUntil::Time(at) => Some(Until::Clock { weekday: None, at: self.time_of_day(at)? }),
            ast::WaitUntil::Weekday(day, at) => {
                let at = self.time_of_day(at)?;
                Some(Until::Clock { weekday: Some(weekday_number(&day.text)?), at })
            }
            ast::WaitUntil::Moment { offset, value, at } => {
                let value = self.waited_for(value, scope);
                let offset = match offset {
                    None => Some(Distance::Days(0)),
                    Some((duration, before)) => {
                        let length = self.length(duration, at.is_some());
                        length.map(|length| if *before { length.before() } else { length })
                    }
                };
                let at = match at {
                    Some(at) => Some(self.time_of_day(at)?),
                    None => None,
                };
                Some(Until::Moment { value: value?, offset: offset?, at })
            }
        }
    }

    /// A value that is a time or a date.
    fn waited_for(&mut self, value: &ast::Expr, scope: Scope<'_>) -> Option<Expr> {
        let checked = self.expr(value, scope)?;
        if !matches!(checked.ty, Type::Time | Type::Date) {
            self.report(types::no_moment(checked.span, &checked.ty));
            return None;
        }
        Some(checked)
    }

    /// How far something is: what is written in days or weeks goes by the calendar, all else by the clock. What ends at a
    /// time of day is whole days away.
    pub(super) fn length(&mut self, duration: &ast::Duration, has_time: bool) -> Option<Distance> {
        if has_time {
            return self.days(duration).map(Distance::Days);
        }
        let length = self.duration(duration)?;
        let days = i32::try_from(length / DAY).ok().filter(|_| length % DAY == 0);
        let is_in_days = matches!(duration.unit.as_str(), "day" | "week");
        Some(days.filter(|_| is_in_days).map_or(Distance::Clock(length), Distance::Days))
    }

    /// A whole number of days, for what ends at a time of day.
    fn days(&mut self, duration: &ast::Duration) -> Option<i32> {
        let length = self.duration(duration)?;
        if length % DAY != 0 {
            let text = self.text(duration.span).to_owned();
            self.report(limits::part_of_day(duration.span, &text));
            return None;
        }
        i32::try_from(length / DAY).ok()
    }
}
