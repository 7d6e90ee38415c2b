//! Clauses for every rule that does not say otherwise.

use super::{Checker, Scope, rule::RuleScope};
use crate::{diagnostics::rules, limits::MAX_LIMIT_COUNT};
use segue_grammar::ast::{self, Clause, ClauseKind, Item};

impl Checker<'_> {
    /// The defaults of a project, of each kind the first. They are checked here as far as they do not depend on a trigger,
    /// and again in each rule that uses them.
    pub(super) fn defaults(&mut self, items: &[&Item]) -> Vec<Clause> {
        let mut defaults: Vec<Clause> = Vec::new();
        for item in items {
            let Item::Defaults(declared) = item else { continue };
            for clause in &declared.clauses {
                let out_of_place = match clause.kind {
                    ClauseKind::When(_) => Some(("`when`", "write it in the rule")),
                    ClauseKind::Was(_) => Some(("`was`", "write it in the rule that got a new name")),
                    _ => None,
                };
                if let Some((what, help)) = out_of_place {
                    self.report(rules::not_in_defaults(clause.span, what, help));
                    continue;
                }
                let said = defaults.iter().find(|other| kind(other) == kind(clause));
                if let Some(first) = said.filter(|_| kind(clause).is_some()) {
                    self.report(rules::duplicate_clause(clause.span, first.span));
                    continue;
                }
                self.check_default(clause);
                if kind(clause).is_some() || matches!(clause.kind, ClauseKind::Quiet(_)) {
                    defaults.push(clause.clone());
                }
            }
        }
        defaults
    }

    fn check_default(&mut self, clause: &Clause) {
        // What `event` means, each rule says for itself.
        let unknown = RuleScope { refused: true, ..RuleScope::default() };
        let scope = Scope { rule: Some(&unknown), ..Scope::default() };
        match &clause.kind {
            ClauseKind::OnlyIf(condition)
            | ClauseKind::StillIf(condition)
            | ClauseKind::StopWhen(ast::StopWhen::Condition(condition)) => {
                if let Some(checked) = self.condition(condition, scope) {
                    self.judge(&checked);
                }
            }
            ClauseKind::StopWhen(ast::StopWhen::Event(pattern)) => {
                self.pattern(pattern, scope);
            }
            ClauseKind::LimitPer { count, per } => {
                self.count(count, 1, MAX_LIMIT_COUNT);
                self.duration(per);
            }
            ClauseKind::Topic(name) => {
                self.topic(name);
            }
            ClauseKind::Priority(number) => {
                self.priority(number);
            }
            ClauseKind::Holdout(percent) => {
                self.share(percent);
            }
            ClauseKind::Goal { pattern, within } => {
                self.goal_of(clause.span, pattern, within.as_ref(), scope);
            }
            ClauseKind::Quiet(quiet) => {
                self.quiet(quiet, scope);
            }
            ClauseKind::LateAfter(after) => {
                self.duration(after);
            }
            ClauseKind::When(_)
            | ClauseKind::Was(_)
            | ClauseKind::LimitOnce
            | ClauseKind::OverlapSkip
            | ClauseKind::OverlapRestart
            | ClauseKind::OverlapPer(_)
            | ClauseKind::Transactional
            | ClauseKind::LateNever
            | ClauseKind::StartCold => {}
        }
    }
}

/// What a clause says, of which a rule says one; nothing for those that are not there yet.
fn kind(clause: &Clause) -> Option<u8> {
    match &clause.kind {
        ClauseKind::OnlyIf(_) => Some(0),
        ClauseKind::StillIf(_) => Some(1),
        ClauseKind::StopWhen(_) => Some(2),
        ClauseKind::LimitOnce | ClauseKind::LimitPer { .. } => Some(3),
        ClauseKind::OverlapSkip | ClauseKind::OverlapRestart | ClauseKind::OverlapPer(_) => Some(4),
        ClauseKind::Topic(_) | ClauseKind::Transactional => Some(5),
        ClauseKind::Priority(_) => Some(6),
        ClauseKind::Holdout(_) => Some(7),
        ClauseKind::Goal { .. } => Some(8),
        ClauseKind::StartCold => Some(9),
        ClauseKind::LateAfter(_) | ClauseKind::LateNever => Some(10),
        ClauseKind::When(_) | ClauseKind::Quiet(_) | ClauseKind::Was(_) => None,
    }
}
