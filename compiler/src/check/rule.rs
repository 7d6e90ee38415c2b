//! Rules: trigger, clauses, steps.

use super::{Checker, Scope, empty, unread::Missing};
use crate::{
    diagnostics::{conditions, limits, rules, types},
    limits::MAX_LIMIT_COUNT,
    typed::{EventSet, Expr, FieldPath, Limit, Overlap, Rule, Sequence, StopWhen, TopicId, Trigger},
    types::Type,
};
use segue_grammar::{
    ast::{self, Clause, ClauseKind},
    span::Span,
};
use std::sync::Arc;

/// What conditions and steps of a rule see of its trigger.
#[derive(Clone, Debug, Default)]
pub(super) struct RuleScope {
    /// The events that `event` can be.
    pub(super) trigger: Option<EventSet>,
    /// Named elements: name, number, events.
    pub(super) elements: Vec<(Arc<str>, u32, EventSet)>,
    /// The fields of `event` that all events of the match have in common, with their types.
    pub(super) same: Vec<(FieldPath, Type)>,
    /// The events that `answer` surely is.
    pub(super) answer: Option<EventSet>,
    /// Whether the trigger was refused, so that what `event` means is not known.
    pub(super) refused: bool,
}

impl RuleScope {
    fn of(sequence: &Sequence) -> Self {
        let named = sequence.elements.iter().zip(0..).filter_map(|(element, number)| {
            Some((element.name.clone()?, number, element.pattern.events.clone()))
        });
        Self {
            trigger: sequence.elements.last().map(|element| element.pattern.events.clone()),
            elements: named.collect(),
            same: Vec::new(),
            answer: None,
            refused: false,
        }
    }
}

/// The clauses of a rule, each at most once, defaults where the rule says nothing.
#[derive(Default)]
struct Clauses<'c> {
    when: Option<&'c Clause>,
    only_if: Option<&'c Clause>,
    still_if: Option<&'c Clause>,
    stop_when: Option<&'c Clause>,
    limit: Option<&'c Clause>,
    overlap: Option<&'c Clause>,
    topic: Option<&'c Clause>,
    priority: Option<&'c Clause>,
    /// Several may hold at once.
    quiet: Vec<&'c Clause>,
    holdout: Option<&'c Clause>,
    goal: Option<&'c Clause>,
    was: Option<&'c Clause>,
    start_cold: Option<&'c Clause>,
    late: Option<&'c Clause>,
}

impl<'c> Clauses<'c> {
    /// Where a clause belongs of which there is one.
    fn place(&mut self, kind: &ClauseKind) -> Option<&mut Option<&'c Clause>> {
        match kind {
            ClauseKind::When(_) => Some(&mut self.when),
            ClauseKind::OnlyIf(_) => Some(&mut self.only_if),
            ClauseKind::StillIf(_) => Some(&mut self.still_if),
            ClauseKind::StopWhen(_) => Some(&mut self.stop_when),
            ClauseKind::LimitOnce | ClauseKind::LimitPer { .. } => Some(&mut self.limit),
            ClauseKind::OverlapSkip | ClauseKind::OverlapRestart | ClauseKind::OverlapPer(_) => {
                Some(&mut self.overlap)
            }
            ClauseKind::Topic(_) | ClauseKind::Transactional => Some(&mut self.topic),
            ClauseKind::Priority(_) => Some(&mut self.priority),
            ClauseKind::Holdout(_) => Some(&mut self.holdout),
            ClauseKind::Goal { .. } => Some(&mut self.goal),
            ClauseKind::Was(_) => Some(&mut self.was),
            ClauseKind::StartCold => Some(&mut self.start_cold),
            ClauseKind::LateAfter(_) | ClauseKind::LateNever => Some(&mut self.late),
            ClauseKind::Quiet(_) => None,
        }
    }
}

impl Checker<'_> {
    /// A rule.
    pub(super) fn rule(&mut self, rule: &ast::Rule, defaults: &[Clause]) -> Option<Rule> {
        let clauses = self.clauses(rule, defaults);
        let errors = self.errors();
        let trigger = self.trigger(rule, clauses.when);
        let mut scope = RuleScope { refused: trigger.is_none(), ..RuleScope::default() };
        if let Some(Trigger::Sequence(id)) = trigger {
            scope = self.program.sequences.get(id.0 as usize).map(RuleScope::of).unwrap_or_default();
            scope.same = self.same_in_match(id);
        }
        let in_rule = Scope { rule: Some(&scope), ..Scope::default() };
        let only_if = self.clause_condition(clauses.only_if, in_rule);
        if let (Some(Trigger::Schedule(id)), Some(when)) = (trigger, clauses.when) {
            self.schedule_on_empty_history(id, only_if.as_ref(), when.span);
        }
        let still_if = self.clause_condition(clauses.still_if, in_rule);
        let stop_when = self.stop_when(clauses.stop_when, in_rule);
        let limit = clauses.limit.and_then(|clause| self.limit(clause));
        let overlap = self.overlap(clauses.overlap, &scope);
        let transactional =
            clauses.topic.is_some_and(|clause| matches!(clause.kind, ClauseKind::Transactional));
        let topic = match clauses.topic.map(|clause| &clause.kind) {
            Some(ClauseKind::Topic(name)) => self.topic(name),
            _ => None,
        };
        let priority = match clauses.priority.map(|clause| &clause.kind) {
            Some(ClauseKind::Priority(number)) => self.priority(number),
            _ => 0,
        };
        let holdout = self.holdout(rule, clauses.holdout, transactional);
        let quiet = self.quiet_times(rule, &clauses.quiet, transactional, in_rule);
        let goal = self.goal(rule, clauses.goal, in_rule);
        let late_after = self.late_after(rule, clauses.late);
        let was = match clauses.was.map(|clause| &clause.kind) {
            Some(ClauseKind::Was(name)) => Some(Arc::from(name.text.as_str())),
            _ => None,
        };
        let mut number = 0;
        let steps = self.steps(&rule.steps, in_rule, &mut number);
        self.waits_in_vain(&rule.steps, first_send(&rule.steps));
        if rule.steps.is_empty() {
            self.report(rules::no_steps(rule.name.span, &rule.name.text));
        }
        self.delivery(rule, topic, clauses.topic, transactional, trigger);
        if self.errors() > errors {
            return None;
        }
        Some(Rule {
            name: Arc::from(rule.name.text.as_str()),
            title: rule.title.as_ref().map(|title| Arc::from(title.text.as_str())),
            trigger: trigger?,
            only_if,
            still_if,
            stop_when,
            limit,
            overlap,
            topic,
            transactional,
            quiet,
            holdout,
            goal,
            priority,
            was,
            start_cold: clauses.start_cold.is_some(),
            late_after,
            steps,
        })
    }

    fn clauses<'c>(&mut self, rule: &'c ast::Rule, defaults: &'c [Clause]) -> Clauses<'c> {
        let mut clauses = Clauses::default();
        let first_step = rule.steps.iter().map(|step| step.span.start).min().unwrap_or(u32::MAX);
        for clause in &rule.clauses {
            if clause.span.start > first_step {
                self.report(rules::clause_after_step(
                    clause.span,
                    rule.steps.first().map(|step| step.span).unwrap_or_default(),
                ));
            }
            match clauses.place(&clause.kind) {
                Some(Some(first)) => {
                    let first = first.span;
                    self.report(rules::duplicate_clause(clause.span, first));
                }
                Some(place) => *place = Some(clause),
                None => clauses.quiet.push(clause),
            }
        }
        if clauses.quiet.is_empty() {
            let quiet = defaults.iter().filter(|clause| matches!(clause.kind, ClauseKind::Quiet(_)));
            clauses.quiet.extend(quiet);
        }
        for clause in defaults {
            if let Some(place @ None) = clauses.place(&clause.kind) {
                *place = Some(clause);
            }
        }
        clauses
    }

    fn trigger(&mut self, rule: &ast::Rule, clause: Option<&Clause>) -> Option<Trigger> {
        let Some(Clause { kind: ClauseKind::When(trigger), .. }) = clause else {
            self.report(rules::missing_when(rule.name.span, &rule.name.text));
            return None;
        };
        match trigger {
            ast::Trigger::Sequence(sequence) => {
                let scope = Scope { in_sequence: true, ..Scope::default() };
                self.sequence(sequence, scope).map(Trigger::Sequence)
            }
            ast::Trigger::Enters(name) => {
                let segment = self.segment(name)?;
                if let Some(definition) = self.program.segments.get(segment.0 as usize)
                    && self.empty.get(segment.0 as usize).is_some_and(empty::is_of_the_idle)
                {
                    self.report(conditions::empty_history(name.span, &name.text, &definition.condition));
                    return None;
                }
                Some(Trigger::Enters(segment))
            }
            ast::Trigger::Leaves(name) => self.segment(name).map(Trigger::Leaves),
            ast::Trigger::Every { .. } | ast::Trigger::Yearly { .. } | ast::Trigger::Offset { .. } => {
                self.schedule(trigger).map(Trigger::Schedule)
            }
            ast::Trigger::Condition(condition) => {
                let name = format!("{}_audience", rule.name.text);
                let text = self.text(condition.span).to_owned();
                self.report(rules::when_condition(condition.span, &name, &text));
                let _ = self.condition(condition, Scope::default());
                None
            }
        }
    }

    fn clause_condition(&mut self, clause: Option<&Clause>, scope: Scope<'_>) -> Option<Expr> {
        match &clause?.kind {
            ClauseKind::OnlyIf(condition) | ClauseKind::StillIf(condition) => {
                let checked = self.condition(condition, scope)?;
                self.judge(&checked);
                Some(checked)
            }
            _ => None,
        }
    }

    fn stop_when(&mut self, clause: Option<&Clause>, scope: Scope<'_>) -> Option<StopWhen> {
        match &clause?.kind {
            ClauseKind::StopWhen(ast::StopWhen::Event(pattern)) => {
                self.pattern(pattern, scope).map(StopWhen::Event)
            }
            ClauseKind::StopWhen(ast::StopWhen::Condition(condition)) => {
                let checked = self.condition(condition, scope)?;
                self.judge(&checked);
                Some(StopWhen::Condition(checked))
            }
            _ => None,
        }
    }

    fn limit(&mut self, clause: &Clause) -> Option<Limit> {
        match &clause.kind {
            ClauseKind::LimitPer { count, per } => {
                let (count, per) = (self.count(count, 1, MAX_LIMIT_COUNT), self.duration(per));
                Some(Limit::Per { count: count?, per: per? })
            }
            _ => Some(Limit::Once),
        }
    }

    fn overlap(&mut self, clause: Option<&Clause>, scope: &RuleScope) -> Overlap {
        match clause.map(|clause| (&clause.kind, clause.span)) {
            Some((ClauseKind::OverlapRestart, _)) => Overlap::Restart,
            Some((ClauseKind::OverlapPer(path), span)) => match &scope.trigger {
                Some(events) => self.scalar_path(events, path).map_or(Overlap::Skip, Overlap::Per),
                None => {
                    if !scope.refused {
                        self.report(types::no_event(span, "overlap per", false));
                    }
                    Overlap::Skip
                }
            },
            _ => Overlap::Skip,
        }
    }

    pub(super) fn priority(&mut self, number: &ast::NumberText) -> i64 {
        number.text.parse().unwrap_or_else(|_| {
            self.report(limits::priority_not_whole(number.span, &number.text));
            0
        })
    }

    /// A rule that sends needs a topic or is transactional.
    fn delivery(
        &mut self,
        rule: &ast::Rule,
        topic: Option<TopicId>,
        clause: Option<&Clause>,
        transactional: bool,
        trigger: Option<Trigger>,
    ) {
        if transactional
            && matches!(trigger, Some(Trigger::Enters(_) | Trigger::Leaves(_) | Trigger::Schedule(_)))
            && let Some(clause) = clause
        {
            self.report(rules::transactional_segment(clause.span));
        }
        if let Some(send) = first_send(&rule.steps)
            && topic.is_none()
            && clause.is_none()
        {
            self.report_missing(Missing::UsualTopic, rules::missing_topic(send, &rule.name.text));
        }
    }
}

/// Where a rule first sends.
pub(super) fn first_send(steps: &[ast::Step]) -> Option<Span> {
    steps.iter().find_map(|step| match &step.kind {
        ast::StepKind::Send { .. } | ast::StepKind::Reply { .. } => Some(step.span),
        ast::StepKind::If { arms, otherwise } => {
            arms.iter().find_map(|(_, steps)| first_send(steps)).or_else(|| first_send(otherwise.as_deref()?))
        }
        ast::StepKind::WaitFor(wait) => {
            first_send(&wait.steps).or_else(|| first_send(wait.otherwise.as_deref()?))
        }
        ast::StepKind::Split(arms) => arms.iter().find_map(|arm| first_send(&arm.steps)),
        _ => None,
    })
}
