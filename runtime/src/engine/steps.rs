//! What a run does, operation by operation.

mod content;
mod gates;

use super::{
    Engine,
    customer::{Customer, Opened, Sent},
    host::Occasion,
    instant::Moment,
    run::{Pause, Run},
};
use gates::Message;
use segue_compiler::{
    content::ContentError,
    hold::{self, Overdue, Verdict},
    plan::{Class, ConditionId, Content, Op, OpKind, Task, ValueId},
    record::{ActionId, Call, Emit, Fields, Instant, Json, Reason, Record, Send, Set, Suppressed},
    share::choose,
    typed::{EventId, FieldId, TopicId, Until},
    value::{Decimal, Millis, Value},
    wait,
};
use std::sync::Arc;

impl Engine {
    /// Does operations from a place on until one waits; nothing when the run is at its end.
    pub(super) fn operations(
        &self,
        customer: &mut Customer,
        run: &mut Run<'_>,
        mut place: usize,
        moment: &mut Moment<'_>,
    ) -> Option<Pause> {
        let plan = run.plan;
        while let Some(Op { step, kind }) = plan.operations.get(place) {
            place += 1;
            match kind {
                OpKind::Jump(to) => place = *to as usize,
                OpKind::Unless(condition, to) => {
                    if !self.holds(customer, moment.now, run.completed.as_ref(), *condition) {
                        place = *to as usize;
                    }
                }
                OpKind::Wait(until) => match self.end_of_wait(customer, run, until, moment.now) {
                    Ok(until) if until == moment.now => {}
                    Ok(until) => {
                        let since = (moment.now, customer.next_order());
                        return Some(Pause { place, step: *step, until, since, answered: None });
                    }
                    Err(reason) => {
                        let id = run.id(customer, *step);
                        let record = suppressed(moment.now, id, customer, run, *step, None, reason, None);
                        moment.out.records.push(record);
                        return None;
                    }
                },
                OpKind::WaitFor { up_to, heard: _, otherwise } => {
                    return Some(Pause {
                        place: *otherwise as usize,
                        step: *step,
                        until: moment.now.saturating_add(*up_to),
                        since: (moment.now, customer.next_order()),
                        answered: Some(place),
                    });
                }
                OpKind::Split(arms) => {
                    let position = run.place_in_split(customer, *step);
                    let chosen = choose(arms.iter().map(|(share, _)| *share), position);
                    if let Some((_, start)) = chosen.and_then(|chosen| arms.get(chosen)) {
                        place = *start as usize;
                    }
                }
                OpKind::Stop => return None,
                OpKind::Send { .. }
                | OpKind::Reply { .. }
                | OpKind::Call { .. }
                | OpKind::Set { .. }
                | OpKind::SetConsent { .. }
                | OpKind::Emit { .. } => {
                    if let Some(until) = self.act(customer, run, *step, kind, moment) {
                        let since = (moment.now, customer.next_order());
                        return Some(Pause { place: place - 1, step: *step, until, since, answered: None });
                    }
                }
            }
        }
        None
    }

    /// The instant at which a wait ends, or why there is none.
    fn end_of_wait(
        &self,
        customer: &mut Customer,
        run: &Run<'_>,
        until: &Until<ValueId>,
        now: Millis,
    ) -> Result<Millis, Reason> {
        let zone = self.zone(customer).clone();
        let end =
            wait::end(until, now, &zone, |value| self.value(customer, now, run.completed.as_ref(), *value));
        let end = end.ok_or(Reason::Condition)?;
        if end < now { Err(Reason::Late) } else { Ok(end) }
    }

    /// Does an operation that takes no time; where it sends a message that is held, gives the instant at which it is asked
    /// again.
    fn act(
        &self,
        customer: &mut Customer,
        run: &mut Run<'_>,
        step: u32,
        kind: &OpKind,
        moment: &mut Moment<'_>,
    ) -> Option<Millis> {
        match kind {
            OpKind::Send { channel, to, content } => {
                return self.send(customer, run, step, (channel, false), to.as_ref(), content, moment);
            }
            OpKind::Reply { channel, to, content } => {
                let channel = self.value(customer, moment.now, run.completed.as_ref(), *channel);
                let Some(channel) = channel.as_text().map(Arc::from) else {
                    let (id, reason) = (run.id(customer, step), Reason::NoAddress);
                    let record = suppressed(moment.now, id, customer, run, step, None, reason, None);
                    moment.out.records.push(record);
                    return None;
                };
                return self.send(customer, run, step, (&channel, true), to.as_ref(), content, moment);
            }
            OpKind::Call { hook, payload } => {
                let payload = match self.fields(customer, run, payload, moment.now) {
                    Ok(payload) => payload,
                    Err(error) => {
                        let record = without_content(moment.now, customer, run, step, None, &error);
                        moment.out.records.push(record);
                        return None;
                    }
                };
                run.memory.acted = true;
                moment.out.records.push(Record::Call(Call {
                    at: Instant(moment.now),
                    id: run.id(customer, step),
                    customer: customer.id.clone(),
                    rule: run.rule.name.clone(),
                    step,
                    hook: hook.clone(),
                    payload,
                    because: run.memory.because.clone(),
                }));
            }
            OpKind::Set { field, value } => {
                self.set(customer, run, *field, *value, moment);
                self.follow_change(customer, run, step, moment);
            }
            OpKind::SetConsent { channel, topic, granted } => {
                self.set_consent(customer, run, channel, *topic, *granted, moment);
                self.follow_change(customer, run, step, moment);
            }
            OpKind::Emit { event, fields } => self.emit(customer, run, step, *event, fields, moment),
            OpKind::Wait(_)
            | OpKind::WaitFor { .. }
            | OpKind::Split(_)
            | OpKind::Stop
            | OpKind::Jump(_)
            | OpKind::Unless(..) => {}
        }
        None
    }

    /// Sends a message, or decides that it is not sent; where it is held, gives the instant at which it is asked again.
    #[expect(clippy::too_many_arguments, reason = "the parts of a send step")]
    fn send(
        &self,
        customer: &mut Customer,
        run: &mut Run<'_>,
        step: u32,
        (channel, is_reply): (&Arc<str>, bool),
        to: Option<&Content>,
        content: &[(Arc<str>, Content)],
        moment: &mut Moment<'_>,
    ) -> Option<Millis> {
        let id = run.id(customer, step);
        let address = self.address(customer, run, channel, to, moment.now);
        let overdue =
            hold::overdue(customer.back_at, moment.now, run.memory.hold.as_ref(), run.rule.late_after);
        let is_late = overdue == Some(Overdue::Late);
        let message = Message { step, channel, address: &address, is_reply, is_late };
        if let Some(Overdue::Waits { due, until }) = overdue {
            self.wait_for_service(customer, run, &message, (due, until), moment.now);
            return Some(until);
        }
        let verdict = self.gate(customer, run, &message, moment.now);
        if let Some(Verdict::Held(reason, until)) = verdict {
            self.hold(customer, run, &message, (reason, until), moment);
            return Some(until);
        }
        if let Some(Verdict::Suppressed(reason, detail)) = verdict {
            // Those who are held out are compared with the others, so that their runs count as theirs do.
            if reason == Reason::Holdout {
                run.memory.acted = true;
                // Only those count who would have been sent the message, from when it would have left: so both groups
                // are alike.
                let kept = self.delivery_gate(customer, run, &message, moment.now);
                if let Some(at) = hold::leaves(kept, moment.now) {
                    self.begin_goal(customer, run, (true, at), moment);
                }
            }
            run.memory.hold = None;
            let channel = Some(channel.clone());
            let record = suppressed(moment.now, id, customer, run, step, channel, reason, detail);
            moment.out.records.push(record);
            return None;
        }
        run.memory.hold = None;
        let content = match self.fields(customer, run, content, moment.now) {
            Ok(content) => content,
            Err(error) => {
                let channel = Some(channel.clone());
                let record = without_content(moment.now, customer, run, step, channel, &error);
                moment.out.records.push(record);
                return None;
            }
        };
        run.memory.acted = true;
        run.memory.sent.push((id, channel.clone()));
        self.begin_goal(customer, run, (false, moment.now), moment);
        moment.out.records.push(Record::Send(Send {
            at: Instant(moment.now),
            id,
            customer: customer.id.clone(),
            rule: run.rule.name.clone(),
            step,
            channel: channel.clone(),
            to: address,
            content,
            because: run.memory.because.clone(),
        }));
        if let Some(topic) = run.rule.topic.filter(|_| !run.rule.transactional && !is_reply) {
            self.count_message(customer, Sent { at: moment.now, topic, channel: channel.clone() });
        }
        if let Some(sent) = self.messaging.sent {
            let topic = run.rule.topic.and_then(|topic| self.program.topics.get(topic.0 as usize));
            let field = |name: &str| match name {
                "channel" => Value::text(channel),
                "rule" => Value::text(&run.rule.name),
                "step" => Decimal::whole(i64::from(step)).map_or(Value::Missing, Value::Number),
                "message" => Value::text(&id.to_string()),
                "topic" => topic.map_or(Value::Missing, |topic| Value::text(&topic.name)),
                _ => Value::Missing,
            };
            self.make(customer, sent, &id, field, moment);
        }
        None
    }

    fn set(
        &self,
        customer: &mut Customer,
        run: &mut Run<'_>,
        field: FieldId,
        value: ValueId,
        moment: &mut Moment<'_>,
    ) {
        let value = self.value(customer, moment.now, run.completed.as_ref(), value);
        let Some(definition) = self.program.profile.get(field.0 as usize) else { return };
        run.memory.acted = true;
        moment.out.records.push(set(moment.now, customer, run, definition.field.name.clone(), value.clone()));
        let stamp = (moment.now, customer.next_order());
        self.record_field(customer, field, value, stamp);
    }

    fn set_consent(
        &self,
        customer: &mut Customer,
        run: &mut Run<'_>,
        channel: &Arc<str>,
        topic: Option<TopicId>,
        granted: bool,
        moment: &mut Moment<'_>,
    ) {
        let topic_name =
            topic.and_then(|topic| self.program.topics.get(topic.0 as usize)).map(|topic| &topic.name);
        let field = match topic_name {
            Some(topic) => format!("consent.{channel}.{topic}"),
            None => format!("consent.{channel}"),
        };
        run.memory.acted = true;
        moment.out.records.push(set(moment.now, customer, run, field.into(), Value::Boolean(granted)));
        let stamp = (moment.now, customer.next_order());
        customer.consent.record(channel, topic, granted, stamp);
    }

    /// What a step set follows as an instant of its own.
    fn follow_change(&self, customer: &mut Customer, run: &Run<'_>, step: u32, moment: &mut Moment<'_>) {
        moment.count_consequence();
        self.change_instant(customer, &run.id(customer, step).to_string(), true, moment);
    }

    fn emit(
        &self,
        customer: &mut Customer,
        run: &mut Run<'_>,
        step: u32,
        event: EventId,
        fields: &[(Arc<str>, ValueId)],
        moment: &mut Moment<'_>,
    ) {
        let values: Vec<(Arc<str>, Value)> = fields
            .iter()
            .map(|(name, value)| {
                (name.clone(), self.value(customer, moment.now, run.completed.as_ref(), *value))
            })
            .filter(|(_, value)| value.is_known())
            .collect();
        let Some(definition) = self.program.events.get(event.0 as usize) else { return };
        let properties =
            values.iter().map(|(name, value)| (name.clone(), Json::Value(value.clone()))).collect();
        run.memory.acted = true;
        moment.out.records.push(Record::Emit(Emit {
            at: Instant(moment.now),
            customer: customer.id.clone(),
            rule: run.rule.name.clone(),
            event: definition.name.clone(),
            properties: Fields(properties),
        }));
        let id = run.id(customer, step);
        let field = |name: &str| {
            let value = values.iter().find(|(other, _)| **other == *name);
            value.map_or(Value::Missing, |(_, value)| value.clone())
        };
        self.make(customer, event, &id, field, moment);
    }

    /// Applies an event that a rule made, as the next instant of the same time.
    fn make(
        &self,
        customer: &mut Customer,
        event: EventId,
        id: &ActionId,
        fields: impl Fn(&str) -> Value,
        moment: &mut Moment<'_>,
    ) {
        let message_id = id.to_string();
        let order = customer.next_order();
        customer.admission.made(&message_id, moment.now, &self.settings, &mut moment.out.counts);
        let frame = self.made(event, &message_id, moment.now, order, fields);
        moment.count_consequence();
        self.event_instant(customer, &frame, true, moment);
    }

    pub(super) fn holds(
        &self,
        customer: &mut Customer,
        now: Millis,
        completed: Option<&Opened>,
        condition: ConditionId,
    ) -> bool {
        let occasion = Occasion { now, run: completed, ..Occasion::default() };
        self.run(customer, occasion, None, Task::Condition(condition)).0 != 0
    }

    pub(super) fn value(
        &self,
        customer: &mut Customer,
        now: Millis,
        completed: Option<&Opened>,
        value: ValueId,
    ) -> Value {
        let Some(plan) = self.machine.plan.values.get(value.0 as usize) else { return Value::Missing };
        if let Some(constant) = self.machine.plan.constant(plan) {
            return constant;
        }
        let occasion = Occasion { now, run: completed, ..Occasion::default() };
        self.run(customer, occasion, Some(Class::of(&plan.ty)), Task::Value(value)).1.value
    }
}

impl Moment<'_> {
    /// One more consequence follows within the instant; too many are counted, and trigger nothing.
    fn count_consequence(&mut self) {
        self.consequences = self.consequences.and_then(|left| left.checked_sub(1));
        self.out.counts.consequences_dropped += u64::from(self.consequences.is_none());
    }
}

#[expect(clippy::too_many_arguments, reason = "the parts of a record")]
pub(super) fn suppressed(
    now: Millis,
    id: ActionId,
    customer: &Customer,
    run: &Run<'_>,
    step: u32,
    channel: Option<Arc<str>>,
    reason: Reason,
    detail: Option<&str>,
) -> Record {
    Record::Suppressed(Suppressed {
        at: Instant(now),
        id,
        customer: customer.id.clone(),
        rule: run.rule.name.clone(),
        step,
        channel,
        reason,
        detail: detail.map(Arc::from),
    })
}

/// An action whose content could not be made.
fn without_content(
    now: Millis,
    customer: &Customer,
    run: &Run<'_>,
    step: u32,
    channel: Option<Arc<str>>,
    error: &ContentError,
) -> Record {
    Record::Suppressed(Suppressed {
        at: Instant(now),
        id: run.id(customer, step),
        customer: customer.id.clone(),
        rule: run.rule.name.clone(),
        step,
        channel,
        reason: Reason::Content,
        detail: Some(Arc::from(error.to_string())),
    })
}

fn set(now: Millis, customer: &Customer, run: &Run<'_>, field: Arc<str>, value: Value) -> Record {
    Record::Set(Set {
        at: Instant(now),
        customer: customer.id.clone(),
        rule: run.rule.name.clone(),
        field,
        value: Json::Value(value),
    })
}
