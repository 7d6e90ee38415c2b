//! Triggers by the calendar and by dates of the profile.

use super::{Checker, Scope};
use crate::{
    diagnostics::{conditions, limits, types},
    time::Distance,
    typed::{
        Expr, ExprKind, ScheduleId,
        schedule::{DateField, Schedule},
        wait::WEEKDAYS,
    },
    types::Type,
};
use segue_grammar::{ast, span::Span};

impl Checker<'_> {
    /// The schedule of `every …`, `… before` or `… after`.
    pub(super) fn schedule(&mut self, trigger: &ast::Trigger) -> Option<ScheduleId> {
        let schedule = match trigger {
            ast::Trigger::Every { days, at } => {
                let minutes = self.time_of_day(at)?;
                let on = |name: &str| days.iter().any(|day| day.text == "day" || day.text == name);
                Schedule::Weekly { days: WEEKDAYS.map(on), minutes }
            }
            ast::Trigger::Yearly { field, at } => {
                let (field, minutes) = (self.date_field(field), self.time_of_day(at));
                Schedule::Yearly { field: field?, minutes: minutes? }
            }
            ast::Trigger::Offset { duration, before, field, at } => {
                let (distance, field) = (self.distance(duration, at.is_some()), self.date_field(field));
                let minutes = match at {
                    Some(at) => Some(self.time_of_day(at)?),
                    None => None,
                };
                let distance = distance?;
                let offset = if *before { distance.before() } else { distance };
                Schedule::Offset { field: field?, offset, minutes }
            }
            ast::Trigger::Sequence(_)
            | ast::Trigger::Enters(_)
            | ast::Trigger::Leaves(_)
            | ast::Trigger::Condition(_) => return None,
        };
        let known = self.program.schedules.iter().position(|other| *other == schedule);
        let position = known.unwrap_or_else(|| {
            self.program.schedules.push(schedule);
            self.program.schedules.len() - 1
        });
        u32::try_from(position).ok().map(ScheduleId)
    }

    /// How far before or after a date: a duration, or none at all, which is on the day itself.
    fn distance(&mut self, duration: &ast::Duration, has_time: bool) -> Option<Distance> {
        let units = ["millisecond", "second", "minute", "hour", "day", "week"];
        if duration.amount == "0" && units.contains(&duration.unit.as_str()) {
            return Some(Distance::Days(0));
        }
        self.length(duration, has_time)
    }

    fn date_field(&mut self, path: &ast::Path) -> Option<DateField> {
        let checked = self.path(path, Scope::default())?;
        match checked.kind {
            ExprKind::Profile { field, path } if matches!(checked.ty, Type::Date | Type::Time) => {
                Some(DateField { field, path })
            }
            ExprKind::Profile { .. } | ExprKind::Consent { .. } => {
                self.report(types::no_date(path.span, &checked.ty));
                None
            }
            _ => {
                self.report(types::no_profile_date(path.span, self.text(path.span)));
                None
            }
        }
    }

    /// A time of day in minutes past midnight.
    pub(super) fn time_of_day(&mut self, at: &ast::Name) -> Option<i64> {
        let parts = at.text.split_once(':').filter(|(hour, minute)| hour.len() == 2 && minute.len() == 2);
        let numbers = parts.and_then(|(hour, minute)| {
            let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
            (hour < 24 && minute < 60).then_some(hour * 60 + minute)
        });
        if numbers.is_none() {
            self.report(limits::no_such_time(at.span, &at.text));
        }
        numbers
    }

    /// A rule by a schedule is about everybody, so that what it asks must not hold for want of a history.
    pub(super) fn schedule_on_empty_history(&mut self, id: ScheduleId, only_if: Option<&Expr>, span: Span) {
        let Some(schedule) = self.program.schedules.get(id.0 as usize) else { return };
        let of_some = schedule.date().is_some_and(|date| {
            let field = self.program.profile.get(date.field.0 as usize);
            !field.is_some_and(|field| field.default.at(&date.path).is_known())
        });
        let Some(condition) = only_if.filter(|_| !of_some) else { return };
        if self.holds_on_empty(condition) {
            self.report(conditions::empty_history_of_all(condition, span));
        }
    }
}
