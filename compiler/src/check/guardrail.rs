//! Clauses that keep messages back, and the names that rules had.

use super::{Checker, Scope, rule::first_send};
use crate::{
    diagnostics::{limits, rules},
    limits::LATE_AFTER,
    share::Share,
    typed::{EventRole, ExprKind, Goal, Quiet, visit, wait::weekday_number},
    value::Decimal,
};
use segue_grammar::{
    ast::{self, Clause, ClauseKind, Item, NumberText},
    span::Span,
};
use std::collections::BTreeMap;

impl Checker<'_> {
    /// Who is held out. The default is not for transactional rules, whose messages customers wait for.
    pub(super) fn holdout(
        &mut self,
        rule: &ast::Rule,
        clause: Option<&Clause>,
        transactional: bool,
    ) -> Option<Share> {
        let clause = clause?;
        let ClauseKind::Holdout(percent) = &clause.kind else { return None };
        let is_own = rule.clauses.iter().any(|own| own.span == clause.span);
        if is_own && first_send(&rule.steps).is_none() {
            self.report(rules::no_message(clause.span, "`holdout`", &rule.name.text));
        }
        self.share(percent).filter(|_| is_own || !transactional)
    }

    /// The quiet times of a rule. A transactional one has none: its messages are waited for.
    pub(super) fn quiet_times(
        &mut self,
        rule: &ast::Rule,
        clauses: &[&Clause],
        transactional: bool,
        scope: Scope<'_>,
    ) -> Vec<Quiet> {
        let is_own = |clause: &Clause| rule.clauses.iter().any(|own| own.span == clause.span);
        let mut times = Vec::new();
        for clause in clauses {
            let ClauseKind::Quiet(quiet) = &clause.kind else { continue };
            if transactional && is_own(clause) {
                self.report(rules::transactional_quiet(clause.span));
            } else if is_own(clause) && first_send(&rule.steps).is_none() {
                self.report(rules::no_message(clause.span, "`quiet`", &rule.name.text));
            }
            times.extend(self.quiet(quiet, scope));
        }
        if let Some(last) = clauses.last().filter(|_| is_always(&times)) {
            self.report(rules::always_quiet(last.span));
        }
        if transactional { Vec::new() } else { times }
    }

    pub(super) fn quiet(&mut self, quiet: &ast::Quiet, scope: Scope<'_>) -> Option<Quiet> {
        let (from, to) = (self.time_of_day(&quiet.from), self.time_of_day(&quiet.to));
        let condition = match &quiet.filter {
            Some(filter) => {
                let checked = self.condition(filter, scope)?;
                self.judge(&checked);
                Some(checked)
            }
            None => None,
        };
        let spread = match &quiet.spread {
            Some(spread) => self.duration(spread)?,
            None => 0,
        };
        let mut days = [quiet.days.is_empty(); 7];
        for name in &quiet.days {
            let day = weekday_number(&name.text).and_then(|day| usize::try_from(day).ok());
            if let Some(on) = day.and_then(|day| days.get_mut(day)) {
                *on = true;
            }
        }
        Some(Quiet { from: from?, to: to?, days, condition, skip: quiet.skip, spread })
    }

    /// How long after it was due a message still goes out where the service was down.
    pub(super) fn late_after(&mut self, rule: &ast::Rule, clause: Option<&Clause>) -> Option<i64> {
        let Some(clause) = clause else { return Some(LATE_AFTER) };
        let is_own = rule.clauses.iter().any(|own| own.span == clause.span);
        if is_own && first_send(&rule.steps).is_none() {
            self.report(rules::no_message(clause.span, "`late`", &rule.name.text));
        }
        match &clause.kind {
            ClauseKind::LateAfter(after) => self.duration(after),
            _ => None,
        }
    }

    /// What a rule is for. In the defaults it is for every rule that sends.
    pub(super) fn goal(
        &mut self,
        rule: &ast::Rule,
        clause: Option<&Clause>,
        scope: Scope<'_>,
    ) -> Option<Goal> {
        let clause = clause?;
        let ClauseKind::Goal { pattern, within } = &clause.kind else { return None };
        let sends = first_send(&rule.steps).is_some();
        if !sends && rule.clauses.iter().any(|own| own.span == clause.span) {
            self.report(rules::no_message(clause.span, "`goal`", &rule.name.text));
        }
        self.goal_of(clause.span, pattern, within.as_ref(), scope).filter(|_| sends)
    }

    pub(super) fn goal_of(
        &mut self,
        span: Span,
        pattern: &ast::Pattern,
        within: Option<&ast::Duration>,
        scope: Scope<'_>,
    ) -> Option<Goal> {
        let pattern = self.pattern(pattern, scope);
        let within = match within {
            Some(within) => self.duration(within),
            None => {
                self.report(rules::goal_without_within(span));
                None
            }
        };
        let pattern = pattern?;
        let mut of_trigger = false;
        if let Some(filter) = &pattern.filter {
            visit::expression(filter, &mut |it| {
                of_trigger |= matches!(
                    it.kind,
                    ExprKind::Field {
                        of: EventRole::Trigger | EventRole::Answer | EventRole::Element(..),
                        ..
                    }
                );
            });
        }
        Some(Goal { pattern, of_trigger, within: within? })
    }

    /// A percentage of customers that is neither none nor all of them.
    pub(super) fn share(&mut self, percent: &NumberText) -> Option<Share> {
        let part = Decimal::parse(&percent.text).and_then(|it| it.checked_div(Decimal(100_000_000)));
        let share = part.and_then(|part| u32::try_from(part.0).ok()).map(Share);
        let share = share.filter(|share| (Share(1)..Share(1_000_000)).contains(share));
        if share.is_none() {
            self.report(limits::bad_share(percent.span, &percent.text));
        }
        share
    }

    /// `was`: no rule has the name that another had, and no two had the same.
    pub(super) fn former_names(&mut self, items: &[&Item]) {
        let all =
            || items.iter().filter_map(|item| if let Item::Rule(rule) = item { Some(rule) } else { None });
        let mut named: BTreeMap<&str, Span> = BTreeMap::new();
        for rule in all() {
            named.entry(&rule.name.text).or_insert(rule.name.span);
        }
        let mut said: BTreeMap<&str, Span> = BTreeMap::new();
        for clause in all().flat_map(|rule| &rule.clauses) {
            let ClauseKind::Was(name) = &clause.kind else { continue };
            if let Some(first) = named.get(name.text.as_str()) {
                self.report(rules::was_is_there(name.span, &name.text, *first));
            } else if let Some(first) = said.insert(&name.text, name.span) {
                self.report(rules::was_twice(name.span, &name.text, first));
            }
        }
    }
}

/// Whether quiet times for everybody leave no minute of the week.
fn is_always(times: &[Quiet]) -> bool {
    const DAY: i64 = 24 * 60;
    let is_quiet = |minute: i64| {
        times.iter().filter(|quiet| quiet.condition.is_none()).any(|quiet| {
            let length = (quiet.to - quiet.from - 1).rem_euclid(DAY) + 1;
            quiet
                .days
                .iter()
                .zip(0..)
                .any(|(on, day)| *on && (minute - day * DAY - quiet.from).rem_euclid(7 * DAY) < length)
        })
    };
    (0..7 * DAY).all(is_quiet)
}
