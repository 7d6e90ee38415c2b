//! Looks for what a test expects among what happened.

use super::{Failure, Happening, Stage, What};
use segue_compiler::{
    execution::Execution,
    record::{Change, Fields, Json, Reason, Record},
    typed::{
        Step, StepKind,
        test::{Action, ExpectedOutcome, Statement, StatementKind, Test},
    },
    value::{Millis, Value},
};
use std::sync::Arc;

/// What is looked for, whenever it may be.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) customer: Option<Arc<str>>,
    pub(super) what: Thing,
}

/// A thing that a test can expect.
#[derive(Clone, Debug)]
pub(super) enum Thing {
    /// Not by one of the steps that reply.
    Send {
        rule: Arc<str>,
        channel: Arc<str>,
        replies: Vec<u32>,
        containing: Option<Arc<str>>,
    },
    Reply {
        rule: Arc<str>,
        replies: Vec<u32>,
        containing: Option<Arc<str>>,
    },
    Call {
        rule: Arc<str>,
        hook: Arc<str>,
        containing: Option<Arc<str>>,
    },
    Set {
        rule: Arc<str>,
        field: Arc<str>,
        value: Option<Value>,
    },
    Emit {
        rule: Arc<str>,
        event: Arc<str>,
        containing: Option<Arc<str>>,
    },
    Suppressed {
        rule: Arc<str>,
        reason: Option<Reason>,
    },
    Held {
        rule: Arc<str>,
    },
    Change {
        segment: Arc<str>,
        change: Change,
    },
}

impl Wanted {
    pub(super) fn is(&self, happening: &Happening) -> bool {
        let What::Record(record) = &happening.what else { return false };
        self.customer.as_ref().is_none_or(|customer| *customer == happening.customer) && self.what.is(record)
    }

    /// The same, whatever it says.
    pub(super) fn whatever_it_says(&self) -> Self {
        let what = match &self.what {
            Thing::Send { rule, channel, replies, .. } => Thing::Send {
                rule: rule.clone(),
                channel: channel.clone(),
                replies: replies.clone(),
                containing: None,
            },
            Thing::Reply { rule, replies, .. } => {
                Thing::Reply { rule: rule.clone(), replies: replies.clone(), containing: None }
            }
            Thing::Call { rule, hook, .. } => {
                Thing::Call { rule: rule.clone(), hook: hook.clone(), containing: None }
            }
            Thing::Set { rule, field, .. } => {
                Thing::Set { rule: rule.clone(), field: field.clone(), value: None }
            }
            Thing::Emit { rule, event, .. } => {
                Thing::Emit { rule: rule.clone(), event: event.clone(), containing: None }
            }
            other => other.clone(),
        };
        Self { customer: self.customer.clone(), what }
    }
}

impl Thing {
    fn is(&self, record: &Record) -> bool {
        match (self, record) {
            (Self::Send { rule, channel, replies, containing }, Record::Send(send)) => {
                *rule == send.rule
                    && *channel == send.channel
                    && !replies.contains(&send.step)
                    && says(&send.content, containing.as_deref())
            }
            (Self::Reply { rule, replies, containing }, Record::Send(send)) => {
                *rule == send.rule
                    && replies.contains(&send.step)
                    && says(&send.content, containing.as_deref())
            }
            (Self::Call { rule, hook, containing }, Record::Call(call)) => {
                *rule == call.rule && *hook == call.hook && says(&call.payload, containing.as_deref())
            }
            (Self::Set { rule, field, value }, Record::Set(set)) => {
                let is = |value: &Value| matches!(&set.value, Json::Value(it) if it == value);
                *rule == set.rule && *field == set.field && value.as_ref().is_none_or(is)
            }
            (Self::Emit { rule, event, containing }, Record::Emit(emit)) => {
                *rule == emit.rule && *event == emit.event && says(&emit.properties, containing.as_deref())
            }
            (Self::Suppressed { rule, reason }, Record::Suppressed(it)) => {
                *rule == it.rule && reason.is_none_or(|reason| reason == it.reason)
            }
            (Self::Held { rule }, Record::Held(it)) => *rule == it.rule,
            (Self::Change { segment, change }, Record::Segment(it)) => {
                *segment == it.segment && *change == it.change
            }
            _ => false,
        }
    }
}

fn replies(steps: &[Step], found: &mut Vec<u32>) {
    for step in steps {
        match &step.kind {
            StepKind::Reply { .. } => found.push(step.number),
            StepKind::If { arms, otherwise } => {
                arms.iter().for_each(|(_, steps)| replies(steps, found));
                replies(otherwise, found);
            }
            StepKind::WaitFor { steps, otherwise, .. } => {
                replies(steps, found);
                replies(otherwise, found);
            }
            StepKind::Split(arms) => arms.iter().for_each(|arm| replies(&arm.steps, found)),
            StepKind::Send { .. }
            | StepKind::Call { .. }
            | StepKind::Set { .. }
            | StepKind::SetConsent { .. }
            | StepKind::Emit { .. }
            | StepKind::Wait(_)
            | StepKind::Stop => {}
        }
    }
}

/// Whether one of the fields contains a text; where there is none, yes.
fn says(fields: &Fields, text: Option<&str>) -> bool {
    let Some(text) = text else { return true };
    fields.0.iter().any(|(_, value)| match value {
        Json::Fields(fields) => says(fields, Some(text)),
        Json::Value(value) => match value.as_text() {
            Some(value) => value.contains(text),
            None => serde_json::to_string(value).is_ok_and(|value| value.contains(text)),
        },
    })
}

impl<E: Execution> Stage<'_, E> {
    /// Whether an expectation is met; what meets it is taken, so that it meets no other.
    pub(super) fn judge(
        &mut self,
        statement: &Statement,
        number: usize,
        before: Millis,
        test: &Test,
    ) -> Result<(), Failure> {
        let at = match &statement.kind {
            StatementKind::ExpectAction { at, .. }
            | StatementKind::ExpectOutcome { at, .. }
            | StatementKind::ExpectSegment { at, .. } => *at,
            StatementKind::ExpectNothing | StatementKind::Customer { .. } | StatementKind::Event { .. } => {
                None
            }
        };
        let Some(wanted) = self.wanted(&statement.kind) else {
            return self.judge_nothing(statement, before);
        };
        let found = self
            .happenings
            .iter_mut()
            .find(|it| it.expected_by.is_none() && at.is_none_or(|at| it.at == at) && wanted.is(it));
        match found {
            Some(found) => {
                found.expected_by = Some(number);
                Ok(())
            }
            None => Err(self.missing(statement, &wanted, at, test)),
        }
    }

    /// What an expectation looks for; `None` for `expect nothing`.
    fn wanted(&self, kind: &StatementKind) -> Option<Wanted> {
        match kind {
            StatementKind::ExpectAction { rule, customer, action, containing, .. } => {
                let (rule, containing) = (rule.clone(), containing.clone());
                let what = match action {
                    Action::Send(channel) => {
                        let (channel, replies) = (channel.clone(), self.replies(&rule));
                        Thing::Send { rule, channel, replies, containing }
                    }
                    Action::Reply => Thing::Reply { replies: self.replies(&rule), rule, containing },
                    Action::Call(hook) => Thing::Call { rule, hook: hook.clone(), containing },
                    Action::Set { field, value } => {
                        Thing::Set { rule, field: field.clone(), value: value.clone() }
                    }
                    Action::Emit(event) => Thing::Emit { rule, event: event.clone(), containing },
                };
                Some(Wanted { customer: customer.clone(), what })
            }
            StatementKind::ExpectOutcome { rule, customer, outcome, .. } => {
                let what = match outcome {
                    ExpectedOutcome::Suppressed(reason) => {
                        Thing::Suppressed { rule: rule.clone(), reason: *reason }
                    }
                    ExpectedOutcome::Held => Thing::Held { rule: rule.clone() },
                };
                Some(Wanted { customer: customer.clone(), what })
            }
            StatementKind::ExpectSegment { customer, change, segment, .. } => {
                let segment = self.program.segments.get(segment.0 as usize)?.name.clone();
                Some(Wanted {
                    customer: Some(customer.clone()),
                    what: Thing::Change { segment, change: *change },
                })
            }
            StatementKind::ExpectNothing | StatementKind::Customer { .. } | StatementKind::Event { .. } => {
                None
            }
        }
    }

    /// The numbers of a rule's steps that reply.
    fn replies(&self, rule: &str) -> Vec<u32> {
        let mut found = Vec::new();
        if let Some(rule) = self.program.rules.iter().find(|it| *it.name == *rule) {
            replies(&rule.steps, &mut found);
        }
        found
    }

    /// Whether nothing reached a customer or a system since the time before, but what was expected.
    fn judge_nothing(&mut self, statement: &Statement, before: Millis) -> Result<(), Failure> {
        let reaches = |it: &Happening| matches!(it.what, What::Record(Record::Send(_) | Record::Call(_)));
        let place =
            self.happenings.iter().position(|it| it.expected_by.is_none() && it.at >= before && reaches(it));
        let Some(place) = place else { return Ok(()) };
        // What came after it explains nothing.
        self.happenings.truncate(place + 1);
        let Some(found) = self.happenings.last_mut() else { return Ok(()) };
        found.unexpected = true;
        let found = found.clone();
        Err(self.unexpected(statement, &found))
    }
}
