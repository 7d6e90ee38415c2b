//! Tests: names, values and times.

use super::{Checker, unread::Missing};
use crate::{
    diagnostics::{limits, scenarios},
    limits::MAX_STATEMENTS,
    record::{Change, Reason},
    time,
    typed::test::{ExpectedOutcome, Statement, StatementKind, Test},
    value::Millis,
};
use segue_grammar::{
    ast::{self, Item, Moment, Name},
    span::Span,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What the statements of a test see.
struct Stage<'r> {
    /// The rules of the project, those that have errors included.
    rules: &'r BTreeMap<&'r str, &'r ast::Rule>,
    /// The customers so far.
    customers: BTreeSet<String>,
    /// When the test begins, once that is known.
    start: Option<Millis>,
    /// The time that it has reached.
    now: Option<Millis>,
    /// Whether it was said that there is none.
    told: bool,
}

impl Checker<'_> {
    /// Every test.
    pub(super) fn tests(&mut self, items: &[&Item]) {
        let rules = items.iter().filter_map(|item| match item {
            Item::Rule(rule) => Some((rule.name.text.as_str(), rule)),
            _ => None,
        });
        let rules = rules.collect();
        for item in items {
            if let Item::Test(test) = item {
                let checked = self.test(test, &rules);
                self.program.tests.extend(checked);
            }
        }
    }

    fn test(&mut self, test: &ast::Test, rules: &BTreeMap<&str, &ast::Rule>) -> Option<Test> {
        if let Some(statement) = test.statements.get(MAX_STATEMENTS) {
            let what = format!("this test has {} statements", test.statements.len());
            self.report(limits::too_large(statement.span, &what, MAX_STATEMENTS));
            return None;
        }
        let mut stage = Stage { rules, customers: BTreeSet::new(), start: None, now: None, told: false };
        let errors = self.errors();
        // Customers come before the first time; they get it when it is known.
        let mut checked: Vec<(Option<Millis>, StatementKind, Span)> = Vec::new();
        for statement in &test.statements {
            if let Some(kind) = self.test_statement(statement, &mut stage) {
                checked.push((stage.now, kind, statement.span));
            }
        }
        if self.errors() > errors {
            return None;
        }
        let expects = |kind: &StatementKind| {
            !matches!(kind, StatementKind::Customer { .. } | StatementKind::Event { .. })
        };
        let is_whole = checked.len() == test.statements.len();
        if is_whole && !checked.iter().any(|(_, kind, _)| expects(kind)) {
            self.report(scenarios::without_expect(test.title.span));
        }
        let start = stage.start.unwrap_or_default();
        let holdouts = test.statements.iter().any(|it| it.kind == ast::StatementKind::HoldoutOn);
        let statements = checked
            .into_iter()
            .map(|(time, kind, span)| Statement { time: time.unwrap_or(start), kind, span })
            .collect();
        Some(Test {
            title: Arc::from(test.title.text.as_str()),
            holdouts,
            start,
            statements,
            span: test.title.span,
        })
    }

    fn test_statement(&mut self, statement: &ast::Statement, stage: &mut Stage<'_>) -> Option<StatementKind> {
        match &statement.kind {
            ast::StatementKind::Customer { name, fields } => {
                stage.customers.insert(name.text.clone());
                Some(StatementKind::Customer {
                    customer: Arc::from(name.text.as_str()),
                    traits: self.traits(fields)?,
                })
            }
            ast::StatementKind::Event { at, customer, event, fields } => {
                let reached =
                    self.moment(at, stage).and_then(|to| self.forward(to, span_of(at), stage, true));
                let customer = self.customer(customer, stage);
                let event = self.event(event)?;
                let fields = self.event_fields(event, fields);
                reached?;
                Some(StatementKind::Event { customer: customer?, event, fields: fields? })
            }
            ast::StatementKind::ExpectNothing { .. }
            | ast::StatementKind::ExpectAction { .. }
            | ast::StatementKind::ExpectOutcome { .. }
            | ast::StatementKind::ExpectSegment { .. } => self.expectation(statement, stage),
            // It is said of the test as a whole.
            ast::StatementKind::HoldoutOn => None,
        }
    }

    /// A statement with `expect`.
    fn expectation(&mut self, statement: &ast::Statement, stage: &mut Stage<'_>) -> Option<StatementKind> {
        match &statement.kind {
            ast::StatementKind::ExpectNothing { until, duration } => {
                let end = match (until, duration) {
                    (Some(until), _) => self.moment(until, stage)?,
                    (None, Some(duration)) => {
                        let length = self.duration(duration)?;
                        self.reached(duration.span, stage)? + length
                    }
                    (None, None) => {
                        self.report(scenarios::missing_until(statement.span));
                        return None;
                    }
                };
                self.forward(end, statement.span, stage, false)?;
                Some(StatementKind::ExpectNothing)
            }
            ast::StatementKind::ExpectAction { rule, customer, at, action, containing } => {
                let declared = self.rule_named(rule, stage);
                let customer = self.maybe_customer(customer.as_ref(), stage);
                let at = self.expected_at(at.as_ref(), statement.span, stage);
                let action = self.expected_action(action, declared?, rule.span)?;
                Some(StatementKind::ExpectAction {
                    rule: Arc::from(rule.text.as_str()),
                    customer: customer?,
                    at: at?,
                    action,
                    containing: containing.as_ref().map(|text| Arc::from(text.text.as_str())),
                })
            }
            ast::StatementKind::ExpectOutcome { rule, customer, at, held, reason } => {
                let declared = self.rule_named(rule, stage);
                let customer = self.maybe_customer(customer.as_ref(), stage);
                let at = self.expected_at(at.as_ref(), statement.span, stage);
                let outcome = if *held {
                    Some(ExpectedOutcome::Held)
                } else {
                    self.reason(reason.as_ref()).map(ExpectedOutcome::Suppressed)
                };
                declared?;
                Some(StatementKind::ExpectOutcome {
                    rule: Arc::from(rule.text.as_str()),
                    customer: customer?,
                    at: at?,
                    outcome: outcome?,
                })
            }
            ast::StatementKind::ExpectSegment { customer, at, enter, segment } => {
                let customer = self.customer(customer, stage);
                let at = self.expected_at(at.as_ref(), statement.span, stage);
                let segment = self.segment(segment)?;
                let change = if *enter { Change::Enter } else { Change::Leave };
                Some(StatementKind::ExpectSegment { customer: customer?, at: at?, change, segment })
            }
            ast::StatementKind::Customer { .. }
            | ast::StatementKind::Event { .. }
            | ast::StatementKind::HoldoutOn => None,
        }
    }

    /// The instant that a moment names.
    fn moment(&mut self, moment: &Moment, stage: &mut Stage<'_>) -> Option<Millis> {
        match moment {
            Moment::Instant(name) => {
                let at = time::parse_local(&name.text, &self.project.time_zone);
                if at.is_none() {
                    self.report(limits::no_such_date(name.span, &name.text));
                }
                at
            }
            Moment::After(duration) => {
                let length = self.duration(duration)?;
                Some(self.reached(duration.span, stage)? + length)
            }
        }
    }

    /// The time that the test has reached.
    fn reached(&mut self, span: Span, stage: &mut Stage<'_>) -> Option<Millis> {
        if stage.now.is_none() && !std::mem::replace(&mut stage.told, true) {
            self.report(scenarios::no_start(span));
        }
        stage.now
    }

    /// Carries the test's time on. Where it begins with an event, it begins with that; else with that day.
    fn forward(&mut self, at: Millis, span: Span, stage: &mut Stage<'_>, event: bool) -> Option<()> {
        if let Some(now) = stage.now.filter(|now| *now > at) {
            self.report(scenarios::goes_back(span, &self.project.time_zone.print(now)));
            return None;
        }
        let zone = &self.project.time_zone;
        let begins = || zone.date(at).and_then(|day| zone.at(day, 0)).filter(|begin| *begin <= at && !event);
        stage.start = stage.start.or_else(begins).or(Some(at));
        stage.now = Some(at);
        Some(())
    }

    /// The time of an expectation, which may lie in what the test has seen.
    fn expected_at(
        &mut self,
        at: Option<&Moment>,
        span: Span,
        stage: &mut Stage<'_>,
    ) -> Option<Option<Millis>> {
        let Some(moment) = at else { return self.reached(span, stage).map(|_| None) };
        let at = self.moment(moment, stage)?;
        if stage.now.is_none_or(|now| now < at) {
            self.forward(at, span, stage, false)?;
        }
        Some(Some(at))
    }

    fn customer(&mut self, name: &Name, stage: &Stage<'_>) -> Option<Arc<str>> {
        if !stage.customers.contains(&name.text) {
            let known = stage.customers.iter().map(String::as_str);
            self.report(scenarios::unknown_customer(name.span, &name.text, known));
            return None;
        }
        Some(Arc::from(name.text.as_str()))
    }

    fn maybe_customer(&mut self, name: Option<&Name>, stage: &Stage<'_>) -> Option<Option<Arc<str>>> {
        match name {
            Some(name) => self.customer(name, stage).map(Some),
            None => Some(None),
        }
    }

    fn rule_named<'r>(&mut self, name: &Name, stage: &Stage<'r>) -> Option<&'r ast::Rule> {
        let rule = stage.rules.get(name.text.as_str());
        if rule.is_none() {
            let is_customer = stage.customers.contains(&name.text);
            let known = stage.rules.keys().copied();
            let unknown = scenarios::unknown_rule(name.span, &name.text, is_customer, known);
            self.report_missing(Missing::Rule(&name.text), unknown);
        }
        rule.copied()
    }

    fn reason(&mut self, name: Option<&Name>) -> Option<Option<Reason>> {
        let Some(name) = name else { return Some(None) };
        let reason = Reason::all().find(|reason| reason.word() == name.text || reason.noun() == name.text);
        if reason.is_none() {
            let known: Vec<&str> = Reason::all().map(Reason::noun).collect();
            self.report(scenarios::unknown_reason(name.span, &name.text, &known));
        }
        reason.map(Some)
    }
}

/// Where a moment stands.
fn span_of(moment: &Moment) -> Span {
    match moment {
        Moment::Instant(name) => name.span,
        Moment::After(duration) => duration.span,
    }
}
