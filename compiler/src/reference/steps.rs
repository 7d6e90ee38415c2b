//! What a rule does when it is triggered [5, 11].

use super::{
    Reference,
    customer::{CountedRun, Customer, Sent, UnderWay},
    evaluate::{Asked, This},
    sequence::Match,
};
use crate::{
    content::ContentError,
    execution::Output,
    record::{ActionId, Because, Call, Emit, Fields, Instant, Json, Reason, Record, Send, Set, Suppressed},
    typed::{Content, ContentValue, EventId, Expr, Rule, Step, StepKind, TopicId},
    value::{Millis, Value},
};
use std::sync::Arc;

/// What triggered a rule.
#[derive(Clone, Debug)]
pub(super) struct Triggered {
    pub(super) found: Option<Match>,
    /// What its actions' ids are made of.
    pub(super) parts: Vec<Arc<str>>,
    pub(super) because: Because,
}

/// A run of a rule.
pub(super) struct Run<'a> {
    pub(super) rule: &'a Rule,
    /// The rule's position.
    pub(super) number: u32,
    triggered: &'a Triggered,
    pub(super) now: Millis,
    /// Whether it did anything so far.
    did_something: bool,
    /// Whether it sent a message, or would have, were the customer not held out.
    pub(super) has_sent: bool,
}

impl Reference {
    /// Decides whether a triggered rule runs, and does its steps.
    pub(super) fn trigger(
        &self,
        customer: &mut Customer,
        number: usize,
        triggered: &Triggered,
        now: Millis,
        out: &mut Output,
    ) {
        let Some(rule) = self.program.rules.get(number) else { return };
        let position = u32::try_from(number).unwrap_or(u32::MAX);
        let mut run = Run { rule, number: position, triggered, now, did_something: false, has_sent: false };
        let asked = self.asked(customer, &run);
        let per = self.run_key(rule, &asked);
        if let Some(reason) = self.kept_from_running(customer, number, rule, &per, &asked) {
            out.records.push(run.suppressed(customer, 0, None, reason));
            return;
        }
        let (_, order) = customer.next_stamp(now);
        if let Some(runs) = customer.runs.get_mut(number) {
            runs.push(CountedRun { at: now, order });
        }
        customer.under_way.push(UnderWay { rule: number, per });
        out.fired.push(rule.name.clone());
        self.steps(customer, &mut run, &rule.steps, out);
        customer.under_way.pop();
        if !run.did_something
            && let Some(runs) = customer.runs.get_mut(number)
        {
            runs.retain(|counted| counted.order != order);
        }
    }

    fn steps(&self, customer: &mut Customer, run: &mut Run<'_>, steps: &[Step], out: &mut Output) {
        for step in steps {
            match &step.kind {
                StepKind::Send { channel, to, content } => {
                    self.send(customer, run, step.number, (channel, to.as_ref(), content), out);
                }
                StepKind::Call { hook, payload } => {
                    let payload = match self.content(&self.asked(customer, run), payload) {
                        Ok(payload) => payload,
                        Err(error) => {
                            out.records.push(run.without_content(customer, step.number, None, &error));
                            continue;
                        }
                    };
                    out.records.push(Record::Call(Call {
                        at: Instant(run.now),
                        id: run.action(customer, step.number),
                        customer: customer.id.clone(),
                        rule: run.rule.name.clone(),
                        step: step.number,
                        hook: hook.clone(),
                        payload,
                        because: run.triggered.because.clone(),
                    }));
                    run.did_something = true;
                }
                StepKind::Set { field, value } => {
                    let value = self.asked(customer, run).value(value, This::Nothing);
                    let name = self.program.profile.get(field.0 as usize).map(|it| it.field.name.clone());
                    out.records.push(run.set(customer, name.unwrap_or_else(|| Arc::from("")), value.clone()));
                    let stamp = customer.next_stamp(run.now);
                    customer.record(*field, &value, stamp);
                    let action = run.action(customer, step.number);
                    self.follow_change(customer, action, run.now, out);
                }
                StepKind::SetConsent { channel, topic, granted } => {
                    let name = self.consent_name(channel, *topic);
                    out.records.push(run.set(customer, name, Value::Boolean(*granted)));
                    let stamp = customer.next_stamp(run.now);
                    customer.consent.record(channel, *topic, *granted, stamp);
                    let action = run.action(customer, step.number);
                    self.follow_change(customer, action, run.now, out);
                }
                StepKind::Emit { event, fields } => {
                    self.emit(customer, run, step.number, (*event, fields), out)
                }
                StepKind::If { arms, otherwise } => {
                    let asked = self.asked(customer, run);
                    let arm = arms.iter().find(|(condition, _)| asked.holds(condition, This::Nothing));
                    self.steps(customer, run, arm.map_or(otherwise, |(_, steps)| steps), out);
                }
            }
        }
    }

    fn send(
        &self,
        customer: &mut Customer,
        run: &mut Run<'_>,
        step: u32,
        (channel, to, content): (&Arc<str>, Option<&ContentValue>, &Content),
        out: &mut Output,
    ) {
        let asked = self.asked(customer, run);
        let to = self.address(&asked, channel, to);
        if let Some((reason, detail)) = self.kept_from_sending(customer, run, channel, to.as_deref(), &asked)
        {
            // A run counts as one that did something also for those who are held out: they are compared with the others.
            if reason == Reason::Holdout {
                run.did_something = true;
                // Only those count who would have been sent the message: so both groups are alike.
                if self.kept_from_delivery(customer, run, channel, to.as_deref(), run.now).is_none() {
                    self.begin_goal(customer, run, true, &mut out.counts);
                }
            }
            let record = run.not_done(customer, step, Some(channel), reason);
            out.records.push(Record::Suppressed(Suppressed { detail: detail.map(Arc::from), ..record }));
            return;
        }
        let content = match self.content(&asked, content) {
            Ok(content) => content,
            Err(error) => {
                out.records.push(run.without_content(customer, step, Some(channel), &error));
                return;
            }
        };
        let id = run.action(customer, step);
        out.records.push(Record::Send(Send {
            at: Instant(run.now),
            id,
            customer: customer.id.clone(),
            rule: run.rule.name.clone(),
            step,
            channel: channel.clone(),
            to: to.unwrap_or_default(),
            content,
            because: run.triggered.because.clone(),
        }));
        run.did_something = true;
        self.begin_goal(customer, run, false, &mut out.counts);
        if let Some(topic) = run.rule.topic.filter(|_| !run.rule.transactional) {
            customer.sent.push(Sent { at: run.now, topic, channel: channel.clone() });
        }
        if let Some(event) = self.built_in.message_sent {
            let topic = run.rule.topic.and_then(|topic| self.program.topics.get(topic.0 as usize));
            let value_of = |field: &str| match field {
                "channel" => Value::text(channel),
                "rule" => Value::text(&run.rule.name),
                "step" => super::evaluate::whole(step as usize),
                "message" => Value::text(&id.to_string()),
                "topic" => topic.map_or(Value::Missing, |topic| Value::text(&topic.name)),
                _ => Value::Missing,
            };
            self.follow_event(customer, event, id, &value_of, run.now, out);
        }
    }

    fn emit(
        &self,
        customer: &mut Customer,
        run: &mut Run<'_>,
        step: u32,
        (event, fields): (EventId, &[(Arc<str>, Expr)]),
        out: &mut Output,
    ) {
        let asked = self.asked(customer, run);
        let values = fields.iter().map(|(name, value)| (name.clone(), asked.value(value, This::Nothing)));
        let values: Vec<(Arc<str>, Value)> = values.filter(|(_, value)| value.is_known()).collect();
        let name = self.program.events.get(event.0 as usize).map(|event| event.name.clone());
        out.records.push(Record::Emit(Emit {
            at: Instant(run.now),
            customer: customer.id.clone(),
            rule: run.rule.name.clone(),
            event: name.unwrap_or_else(|| Arc::from("")),
            properties: Fields(
                values.iter().map(|(name, value)| (name.clone(), Json::Value(value.clone()))).collect(),
            ),
        }));
        run.did_something = true;
        let id = run.action(customer, step);
        let value_of = |field: &str| {
            values
                .iter()
                .find(|(name, _)| &**name == field)
                .map(|(_, value)| value.clone())
                .unwrap_or_default()
        };
        self.follow_event(customer, event, id, &value_of, run.now, out);
    }

    /// What a run's conditions and contents are asked of.
    fn asked<'a>(&'a self, customer: &'a Customer, run: &Run<'a>) -> Asked<'a> {
        Asked { reference: self, customer, now: run.now, found: run.triggered.found.as_ref() }
    }

    /// The address that is written, else that of the profile for the channel.
    fn address(&self, asked: &Asked<'_>, channel: &str, to: Option<&ContentValue>) -> Option<String> {
        if let Some(to) = to {
            return match self.content_value(asked, to) {
                Ok(Json::Value(value)) => value.as_text().map(str::to_owned),
                Ok(Json::Fields(_)) | Err(_) => None,
            };
        }
        let field = match channel {
            "sms" => "phone",
            "email" => "email",
            "push" => "push_token",
            _ => return None,
        };
        asked.customer.profile(super::profile_field(&self.program, field)?).as_text().map(str::to_owned)
    }

    fn content(&self, asked: &Asked<'_>, content: &Content) -> Result<Fields, ContentError> {
        let fields =
            content.iter().map(|(name, value)| Ok((name.clone(), self.content_value(asked, value)?)));
        fields.collect::<Result<_, _>>().map(Fields)
    }

    fn content_value(&self, asked: &Asked<'_>, value: &ContentValue) -> Result<Json, ContentError> {
        let rendered = |template| Ok(Json::Value(Value::text(&self.contents.render(template, asked)?)));
        match value {
            ContentValue::Template(template) => rendered(*template),
            ContentValue::Value(value) => Ok(Json::Value(asked.value(value, This::Nothing))),
            ContentValue::Variant { by, variants, otherwise } => {
                let by = asked.value(by, This::Nothing);
                let variant = variants.iter().find(|(name, _)| by.as_text() == Some(name));
                rendered(variant.map_or(*otherwise, |(_, template)| *template))
            }
            ContentValue::Object(content) => self.content(asked, content).map(Json::Fields),
        }
    }

    /// `consent.CHANNEL` or `consent.CHANNEL.TOPIC`.
    fn consent_name(&self, channel: &str, topic: Option<TopicId>) -> Arc<str> {
        match topic.and_then(|topic| self.program.topics.get(topic.0 as usize)) {
            Some(topic) => Arc::from(format!("consent.{channel}.{}", topic.name)),
            None => Arc::from(format!("consent.{channel}")),
        }
    }
}

impl Run<'_> {
    fn action(&self, customer: &Customer, step: u32) -> ActionId {
        let parts: Vec<&str> = self.triggered.parts.iter().map(|part| &**part).collect();
        ActionId::of(self.rule.identity(), &customer.id, &parts, step)
    }

    fn suppressed(
        &self,
        customer: &Customer,
        step: u32,
        channel: Option<&Arc<str>>,
        reason: Reason,
    ) -> Record {
        Record::Suppressed(self.not_done(customer, step, channel, reason))
    }

    /// An action whose content could not be made.
    fn without_content(
        &self,
        customer: &Customer,
        step: u32,
        channel: Option<&Arc<str>>,
        error: &ContentError,
    ) -> Record {
        let detail = Some(Arc::from(error.to_string()));
        Record::Suppressed(Suppressed { detail, ..self.not_done(customer, step, channel, Reason::Content) })
    }

    fn not_done(
        &self,
        customer: &Customer,
        step: u32,
        channel: Option<&Arc<str>>,
        reason: Reason,
    ) -> Suppressed {
        Suppressed {
            at: Instant(self.now),
            id: self.action(customer, step),
            customer: customer.id.clone(),
            rule: self.rule.name.clone(),
            step,
            channel: channel.cloned(),
            reason,
            detail: None,
        }
    }

    fn set(&mut self, customer: &Customer, field: Arc<str>, value: Value) -> Record {
        self.did_something = true;
        Record::Set(Set {
            at: Instant(self.now),
            customer: customer.id.clone(),
            rule: self.rule.name.clone(),
            field,
            value: Json::Value(value),
        })
    }
}
