//! What a run does, step by step [5, 11].

use super::{
    Reference,
    customer::{Customer, Sent},
    evaluate::{Asked, This},
    gates::Message,
    run::Memory,
};
use crate::{
    consent::Stamp,
    content::ContentError,
    execution::Output,
    hold::{self, Hold, Overdue, Verdict},
    record::{ActionId, Call, Emit, Fields, Held, Instant, Json, Reason, Record, Send, Set, Suppressed},
    share::{choose, in_split},
    typed::{Awaited, Content, ContentValue, EventId, Expr, Rule, Step, StepKind, TopicId, Until},
    value::{Millis, Value},
    wait,
};
use std::sync::Arc;

/// A run of a rule that does its steps.
pub(super) struct Run<'a> {
    pub(super) rule: &'a Rule,
    pub(super) now: Millis,
    pub(super) memory: Memory,
}

/// A run leaves off, to go on later with the steps that are left.
#[derive(Clone, Debug)]
pub(super) struct Paused {
    /// The step at which it leaves off.
    pub(super) step: u32,
    /// The instant at which it goes on.
    pub(super) until: Millis,
    /// Where in the customer's order it left off: what comes later is new.
    pub(super) since: Stamp,
    /// What may end the wait earlier.
    pub(super) listening: Option<Listening>,
}

/// An event that ends a wait.
#[derive(Clone, Debug)]
pub(super) struct Listening {
    pub(super) what: Awaited,
    /// What is done when it comes.
    pub(super) what_follows: Vec<Step>,
    /// What is done when it does not.
    pub(super) otherwise: Vec<Step>,
}

impl Reference {
    /// Does the steps that are left until one waits; nothing when the run is at its end.
    pub(super) fn steps(
        &self,
        customer: &mut Customer,
        run: &mut Run<'_>,
        out: &mut Output,
    ) -> Option<Paused> {
        while let Some(step) = run.memory.rest.pop_front() {
            match &step.kind {
                StepKind::If { arms, otherwise } => {
                    let asked = self.asked(customer, run);
                    let arm = arms.iter().find(|(condition, _)| asked.holds(condition, This::Nothing));
                    run.memory.do_next(arm.map_or(otherwise, |(_, steps)| steps));
                }
                StepKind::Wait(until) => match self.end_of_wait(customer, run, until) {
                    Ok(until) if until == run.now => {}
                    Ok(until) => {
                        let since = customer.next_stamp(run.now);
                        return Some(Paused { step: step.number, until, since, listening: None });
                    }
                    Err(reason) => {
                        out.records.push(run.suppressed(customer, step.number, None, reason));
                        return None;
                    }
                },
                StepKind::WaitFor { up_to, what, steps, otherwise } => {
                    let listening = Listening {
                        what: what.clone(),
                        what_follows: steps.clone(),
                        otherwise: otherwise.clone(),
                    };
                    return Some(Paused {
                        step: step.number,
                        until: run.now.saturating_add(*up_to),
                        since: customer.next_stamp(run.now),
                        listening: Some(listening),
                    });
                }
                StepKind::Split(arms) => {
                    let place = run.place_in_split(customer, step.number);
                    let chosen = choose(arms.iter().map(|arm| arm.share), place);
                    let steps = chosen.and_then(|chosen| arms.get(chosen)).map(|arm| arm.steps.as_slice());
                    run.memory.do_next(steps.unwrap_or_default());
                }
                StepKind::Stop => return None,
                StepKind::Send { .. }
                | StepKind::Reply { .. }
                | StepKind::Call { .. }
                | StepKind::Set { .. }
                | StepKind::SetConsent { .. }
                | StepKind::Emit { .. } => {
                    if let Some(until) = self.act(customer, run, &step, out) {
                        let (number, since) = (step.number, customer.next_stamp(run.now));
                        run.memory.rest.push_front(step);
                        return Some(Paused { step: number, until, since, listening: None });
                    }
                }
            }
        }
        None
    }

    /// The instant at which a wait ends, or why there is none.
    fn end_of_wait(&self, customer: &Customer, run: &Run<'_>, until: &Until<Expr>) -> Result<Millis, Reason> {
        let asked = self.asked(customer, run);
        let end = wait::end(until, run.now, &self.zone(customer), |value| asked.value(value, This::Nothing));
        let end = end.ok_or(Reason::Condition)?;
        if end < run.now { Err(Reason::Late) } else { Ok(end) }
    }

    /// Does a step that takes no time; where it sends a message that is held, gives the instant at which it is asked again.
    fn act(
        &self,
        customer: &mut Customer,
        run: &mut Run<'_>,
        step: &Step,
        out: &mut Output,
    ) -> Option<Millis> {
        match &step.kind {
            StepKind::Send { channel, to, content } => {
                let outgoing = Outgoing { channel, to: to.as_ref(), content, is_reply: false };
                return self.send(customer, run, step.number, outgoing, out);
            }
            StepKind::Reply { channel, to, content } => {
                let channel = self.asked(customer, run).value(channel, This::Nothing);
                let Some(channel) = channel.as_text().map(Arc::from) else {
                    out.records.push(run.suppressed(customer, step.number, None, Reason::NoAddress));
                    return None;
                };
                let outgoing = Outgoing { channel: &channel, to: to.as_ref(), content, is_reply: true };
                return self.send(customer, run, step.number, outgoing, out);
            }
            StepKind::Call { hook, payload } => {
                let payload = match self.content(&self.asked(customer, run), payload) {
                    Ok(payload) => payload,
                    Err(error) => {
                        out.records.push(run.without_content(customer, step.number, None, &error));
                        return None;
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
                    because: run.memory.triggered.because.clone(),
                }));
                run.memory.did_something = true;
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
            StepKind::Emit { event, fields } => self.emit(customer, run, step.number, (*event, fields), out),
            StepKind::If { .. }
            | StepKind::Wait(_)
            | StepKind::WaitFor { .. }
            | StepKind::Split(_)
            | StepKind::Stop => {}
        }
        None
    }

    /// Sends a message, or decides that it is not sent; where it is held, gives the instant at which it is asked again.
    fn send(
        &self,
        customer: &mut Customer,
        run: &mut Run<'_>,
        step: u32,
        Outgoing { channel, to, content, is_reply }: Outgoing<'_>,
        out: &mut Output,
    ) -> Option<Millis> {
        let asked = self.asked(customer, run);
        let to = self.address(&asked, channel, to);
        let overdue = hold::overdue(customer.back_at, run.now, run.memory.hold.as_ref(), run.rule.late_after);
        let is_late = overdue == Some(Overdue::Late);
        let message = Message { step, channel, to: to.as_deref(), is_reply, is_late };
        if let Some(Overdue::Waits { due, until }) = overdue {
            run.memory.hold = Some(self.held(customer, run, &message, (Reason::Late, until), Some(due)));
            return Some(until);
        }
        let verdict = self.kept_from_sending(customer, run, &message, &asked);
        if let Some(Verdict::Held(reason, until)) = verdict {
            self.hold(customer, run, &message, (reason, until), out);
            return Some(until);
        }
        if let Some(Verdict::Suppressed(reason, detail)) = verdict {
            // Only those who are held out count who would have been sent the message, from when it would have left: so both
            // groups are alike.
            let leaves = (reason == Reason::Holdout)
                .then(|| self.kept_from_delivery(customer, run, &message, &asked))
                .and_then(|verdict| hold::leaves(verdict, run.now));
            run.memory.hold = None;
            // A run counts as one that did something also for those who are held out: they are compared with the others.
            if reason == Reason::Holdout {
                run.memory.did_something = true;
            }
            if let Some(at) = leaves {
                self.begin_goal(customer, run, (true, at), &mut out.counts);
            }
            let record = run.not_done(customer, step, Some(channel), reason);
            out.records.push(Record::Suppressed(Suppressed { detail: detail.map(Arc::from), ..record }));
            return None;
        }
        let content = self.content(&asked, content);
        run.memory.hold = None;
        let content = match content {
            Ok(content) => content,
            Err(error) => {
                out.records.push(run.without_content(customer, step, Some(channel), &error));
                return None;
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
            because: run.memory.triggered.because.clone(),
        }));
        run.memory.did_something = true;
        run.memory.sent.push((id, channel.clone()));
        self.begin_goal(customer, run, (false, run.now), &mut out.counts);
        if let Some(topic) = run.rule.topic.filter(|_| !run.rule.transactional && !is_reply) {
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
        None
    }

    /// Keeps a message until it is asked again. Being asked meanwhile with the same answer is not told twice.
    fn hold(
        &self,
        customer: &Customer,
        run: &mut Run<'_>,
        message: &Message<'_>,
        (reason, until): (Reason, Millis),
        out: &mut Output,
    ) {
        let hold = self.held(customer, run, message, (reason, until), None);
        let before = run.memory.hold.replace(hold);
        if before.is_none_or(|before| (before.reason, before.until) != (reason, until)) {
            out.records.push(Record::Held(Held {
                at: Instant(run.now),
                id: run.action(customer, message.step),
                customer: customer.id.clone(),
                rule: run.rule.name.clone(),
                step: message.step,
                channel: message.channel.clone(),
                reason,
                until: Some(Instant(until)),
            }));
        }
    }

    /// What is remembered of a message that is held.
    fn held(
        &self,
        customer: &Customer,
        run: &Run<'_>,
        message: &Message<'_>,
        (reason, until): (Reason, Millis),
        due: Option<Millis>,
    ) -> Hold {
        let waits_for_room = run.memory.hold.as_ref().and_then(|hold| hold.waits_for_room);
        Hold {
            reason,
            until,
            channel: message.channel.clone(),
            zone: Arc::from(self.zone(customer).name()),
            waits_for_room: waits_for_room.or((reason == Reason::Cap).then_some(run.now)),
            due,
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
        run.memory.did_something = true;
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
    fn asked<'a>(&'a self, customer: &'a Customer, run: &'a Run<'_>) -> Asked<'a> {
        Asked {
            reference: self,
            customer,
            now: run.now,
            found: run.memory.triggered.found.as_ref(),
            answer: run.memory.answer.as_deref(),
        }
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
        let rendered = |template| Ok(Json::Value(Value::Text(self.contents.render(template, asked)?)));
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

/// What a step sends.
struct Outgoing<'a> {
    channel: &'a Arc<str>,
    to: Option<&'a ContentValue>,
    content: &'a Content,
    /// Whether it answers the customer, so that it is not capped and counts for no rate.
    is_reply: bool,
}

impl Run<'_> {
    /// Where the run stands in a split.
    fn place_in_split(&self, customer: &Customer, step: u32) -> u64 {
        let parts: Vec<&str> = self.memory.triggered.parts.iter().map(|part| &**part).collect();
        in_split(self.rule.identity(), self.origin(customer), &parts, step)
    }

    /// Whose the run was when it began.
    fn origin<'c>(&'c self, customer: &'c Customer) -> &'c str {
        self.memory.origin.as_ref().unwrap_or(&customer.id)
    }

    fn action(&self, customer: &Customer, step: u32) -> ActionId {
        let parts: Vec<&str> = self.memory.triggered.parts.iter().map(|part| &**part).collect();
        ActionId::of(self.rule.identity(), self.origin(customer), &parts, step)
    }

    pub(super) fn suppressed(
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
        self.memory.did_something = true;
        Record::Set(Set {
            at: Instant(self.now),
            customer: customer.id.clone(),
            rule: self.rule.name.clone(),
            field,
            value: Json::Value(value),
        })
    }
}
