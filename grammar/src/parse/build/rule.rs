//! Clauses and triggers.

use super::Build;
use crate::ast::{Clause, ClauseKind, Quiet, StopWhen, Trigger};
use crate::parse::grammar::{Node, Rule, has, kid, kids};

impl Build<'_> {
    /// A `clause`.
    pub(super) fn clause(&self, node: &Node<'_>) -> Option<Clause> {
        let inner = node.clone().into_inner().next()?;
        Some(Clause { kind: self.clause_kind(&inner)?, span: self.span(node) })
    }

    fn clause_kind(&self, node: &Node<'_>) -> Option<ClauseKind> {
        Some(match node.as_rule() {
            Rule::when_clause => ClauseKind::When(self.trigger(node)?),
            Rule::only_if => ClauseKind::OnlyIf(self.kid_expr(node)?),
            Rule::still_if => ClauseKind::StillIf(self.kid_expr(node)?),
            Rule::stop_when => ClauseKind::StopWhen(match kid(node, Rule::pattern) {
                Some(pattern) => StopWhen::Event(self.pattern(&pattern)?),
                None => StopWhen::Condition(self.kid_expr(node)?),
            }),
            Rule::limit if has(node, Rule::k_once) => ClauseKind::LimitOnce,
            Rule::limit => {
                ClauseKind::LimitPer { count: self.kid_number(node)?, per: self.kid_duration(node)? }
            }
            Rule::overlap if has(node, Rule::k_skip) => ClauseKind::OverlapSkip,
            Rule::overlap if has(node, Rule::k_restart) => ClauseKind::OverlapRestart,
            Rule::overlap => ClauseKind::OverlapPer(self.kid_path(node)?),
            Rule::topic_clause => ClauseKind::Topic(self.kid_name(node, Rule::name)?),
            Rule::k_transactional => ClauseKind::Transactional,
            Rule::quiet => ClauseKind::Quiet(self.quiet(node)?),
            Rule::holdout => ClauseKind::Holdout(self.percent(node)?),
            Rule::goal => ClauseKind::Goal {
                pattern: self.pattern(&kid(node, Rule::pattern)?)?,
                within: kid(node, Rule::within).and_then(|within| self.kid_duration(&within)),
            },
            Rule::priority => ClauseKind::Priority(self.kid_number(node)?),
            Rule::was => ClauseKind::Was(self.kid_name(node, Rule::name)?),
            Rule::k_start_cold => ClauseKind::StartCold,
            Rule::late if has(node, Rule::k_late_never) => ClauseKind::LateNever,
            Rule::late => ClauseKind::LateAfter(self.kid_duration(node)?),
            _ => return None,
        })
    }

    fn quiet(&self, node: &Node<'_>) -> Option<Quiet> {
        let mut times = kids(node, Rule::time).map(|time| self.name(&time));
        let days = kid(node, Rule::quiet_days)
            .map_or_else(Vec::new, |days| kids(&days, Rule::weekday).map(|day| self.name(&day)).collect());
        let filter = match kid(node, Rule::quiet_where) {
            Some(filter) => Some(self.kid_expr(&filter)?),
            None => None,
        };
        Some(Quiet {
            from: times.next()?,
            to: times.next()?,
            days,
            filter,
            skip: has(node, Rule::quiet_skip),
            spread: kid(node, Rule::quiet_spread).and_then(|spread| self.kid_duration(&spread)),
        })
    }

    fn trigger(&self, clause: &Node<'_>) -> Option<Trigger> {
        // The first child is `when` itself.
        let node = &clause.clone().into_inner().nth(1)?;
        Some(match node.as_rule() {
            Rule::enters => Trigger::Enters(self.kid_name(node, Rule::name)?),
            Rule::leaves => Trigger::Leaves(self.kid_name(node, Rule::name)?),
            Rule::every => match kid(node, Rule::yearly) {
                Some(yearly) => Trigger::Yearly {
                    field: self.kid_path(&yearly)?,
                    at: self.kid_name(&yearly, Rule::time)?,
                },
                None => {
                    let days = kid(node, Rule::days)?;
                    let days = kids(&days, Rule::day).map(|day| self.name(&day)).collect();
                    Trigger::Every { days, at: self.kid_name(node, Rule::time)? }
                }
            },
            Rule::offset => {
                let (duration, before) = self.before_after(&kid(node, Rule::before_after)?)?;
                Trigger::Offset { duration, before, field: self.kid_path(node)?, at: self.at_time(node) }
            }
            Rule::sequence => Trigger::Sequence(self.sequence(node)?),
            Rule::expr => Trigger::Condition(self.expr(node)?),
            _ => return None,
        })
    }
}
