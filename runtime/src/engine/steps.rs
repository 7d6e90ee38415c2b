//! Runs: what a triggered rule decides and does.

mod content;
mod gates;

use super::{
    Engine,
    customer::{Customer, Opened, Sent},
    frame::Kept,
    host::Occasion,
    instant::{Cause, Moment},
    merge::kept,
};
use segue_compiler::{
    content::ContentError,
    plan::{Class, ConditionId, Content, RulePlan, StepKind, StepPlan, ValueId},
    reach::{Reach, is_cold},
    record::{ActionId, Because, Call, Emit, Fields, Instant, Json, Reason, Record, Send, Set, Suppressed},
    typed::{EventId, FieldId, Limit, Rule, TopicId},
    value::{Millis, Value},
};
use std::sync::Arc;

/// A run under way.
struct Run<'r> {
    rule: &'r Rule,
    plan: &'r RulePlan,
    number: u32,
    completed: Option<Opened>,
    trigger: Vec<String>,
    because: Because,
    /// Whether it did something.
    acted: bool,
    /// Whether it sent a message, or would have, were the customer not held out.
    has_sent: bool,
}

impl Engine {
    /// Decides on a trigger and, if a run starts, takes its steps.
    pub(super) fn trigger(
        &self,
        customer: &mut Customer,
        number: u32,
        cause: &Cause,
        moment: &mut Moment<'_>,
    ) {
        let (Some(rule), Some(plan)) =
            (self.program.rules.get(number as usize), self.machine.plan.rules.get(number as usize))
        else {
            return;
        };
        let mut run = Run {
            rule,
            plan,
            number,
            completed: match cause {
                Cause::Match(completed) => Some(completed.open(&self.machine)),
                Cause::Schedule | Cause::Change { .. } => None,
            },
            trigger: self.trigger_parts(cause, moment.now),
            because: self.because(cause, moment.now),
            acted: false,
            has_sent: false,
        };
        let per = plan
            .overlap_per
            .map_or(Value::Missing, |value| self.value(customer, moment.now, run.completed.as_ref(), value));
        if let Some(reason) = self.refusal(customer, number, &run, &per, moment.now) {
            let id = run.id(customer, 0);
            moment.out.records.push(suppressed(moment.now, id, customer, &run, 0, None, reason, None));
            return;
        }
        let runs = customer.runs.entry(number);
        let started = moment.now;
        runs.under_way.push(per.clone());
        moment.out.fired.push(rule.name.clone());
        if let Some(limit) = rule.limit {
            runs.started.push_back(started);
            while runs.started.len() > kept(limit) {
                runs.started.pop_front();
            }
        }
        self.steps(customer, &mut run, &plan.steps, moment);
        let Some(runs) = customer.runs.get_mut(number) else { return };
        runs.under_way.retain(|other| *other != per);
        if !run.acted && runs.started.back() == Some(&started) {
            runs.started.pop_back();
        }
        if runs.started.is_empty() && runs.under_way.is_empty() {
            customer.runs.remove(number);
        }
    }

    /// The first reason for which a run does not start.
    fn refusal(
        &self,
        customer: &mut Customer,
        number: u32,
        run: &Run<'_>,
        per: &Value,
        now: Millis,
    ) -> Option<Reason> {
        let reach = self.reaches.get(number as usize).copied().unwrap_or(Reach::NONE);
        if is_cold(run.rule, reach, &self.settings, now) {
            return Some(Reason::Cold);
        }
        if let Some(runs) = customer.runs.get(number) {
            if runs.under_way.contains(per) {
                return Some(Reason::Running);
            }
            let reached = match run.rule.limit {
                None => false,
                Some(Limit::Once) => !runs.started.is_empty(),
                Some(Limit::Per { count, per }) => {
                    runs.started.iter().filter(|started| **started > now - per).count() >= count as usize
                }
            };
            if reached {
                return Some(Reason::Limit);
            }
        }
        let condition = run
            .plan
            .only_if
            .is_none_or(|condition| self.holds(customer, now, run.completed.as_ref(), condition));
        (!condition).then_some(Reason::Condition)
    }

    fn steps(&self, customer: &mut Customer, run: &mut Run<'_>, steps: &[StepPlan], moment: &mut Moment<'_>) {
        for step in steps {
            match &step.kind {
                StepKind::Send { channel, to, content } => {
                    self.send(customer, run, step.number, channel, to.as_ref(), content, moment);
                }
                StepKind::Call { hook, payload } => {
                    let payload = match self.fields(customer, run, payload, moment.now) {
                        Ok(payload) => payload,
                        Err(error) => {
                            let record =
                                without_content(moment.now, customer, run, step.number, None, &error);
                            moment.out.records.push(record);
                            continue;
                        }
                    };
                    run.acted = true;
                    moment.out.records.push(Record::Call(Call {
                        at: Instant(moment.now),
                        id: run.id(customer, step.number),
                        customer: customer.id.clone(),
                        rule: run.rule.name.clone(),
                        step: step.number,
                        hook: hook.clone(),
                        payload,
                        because: run.because.clone(),
                    }));
                }
                StepKind::Set { field, value } => {
                    self.set(customer, run, *field, *value, moment);
                    self.follow_change(customer, run, step.number, moment);
                }
                StepKind::SetConsent { channel, topic, granted } => {
                    self.set_consent(customer, run, channel, *topic, *granted, moment);
                    self.follow_change(customer, run, step.number, moment);
                }
                StepKind::Emit { event, fields } => {
                    self.emit(customer, run, step.number, *event, fields, moment)
                }
                StepKind::If { arms, otherwise } => {
                    let arm = arms.iter().find(|(condition, _)| {
                        self.holds(customer, moment.now, run.completed.as_ref(), *condition)
                    });
                    self.steps(customer, run, arm.map_or(otherwise, |(_, steps)| steps), moment);
                }
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a send step")]
    fn send(
        &self,
        customer: &mut Customer,
        run: &mut Run<'_>,
        step: u32,
        channel: &Arc<str>,
        to: Option<&Content>,
        content: &[(Arc<str>, Content)],
        moment: &mut Moment<'_>,
    ) {
        let id = run.id(customer, step);
        let address = self.address(customer, run, channel, to, moment.now);
        if let Some((reason, detail)) = self.gate(customer, run, channel, &address, moment.now) {
            // Those who are held out are compared with the others, so that their runs count as theirs do.
            if reason == Reason::Holdout {
                run.acted = true;
                // Only those count who would have been sent the message: so both groups are alike.
                if self.delivery_gate(customer, run, channel, &address, moment.now).is_none() {
                    self.first_message(customer, run, true, moment);
                }
            }
            let channel = Some(channel.clone());
            let record = suppressed(moment.now, id, customer, run, step, channel, reason, detail);
            moment.out.records.push(record);
            return;
        }
        let content = match self.fields(customer, run, content, moment.now) {
            Ok(content) => content,
            Err(error) => {
                let channel = Some(channel.clone());
                let record = without_content(moment.now, customer, run, step, channel, &error);
                moment.out.records.push(record);
                return;
            }
        };
        run.acted = true;
        self.first_message(customer, run, false, moment);
        moment.out.records.push(Record::Send(Send {
            at: Instant(moment.now),
            id,
            customer: customer.id.clone(),
            rule: run.rule.name.clone(),
            step,
            channel: channel.clone(),
            to: address,
            content,
            because: run.because.clone(),
        }));
        if let Some(topic) = run.rule.topic.filter(|_| !run.rule.transactional) {
            let longest =
                self.program.topics.iter().flat_map(|topic| &topic.rates).map(|rate| rate.per).max();
            if let Some(longest) = longest {
                customer.sends.retain(|sent| sent.at > moment.now - longest);
                customer.sends.push_back(Sent { at: moment.now, topic, channel: channel.clone() });
            }
        }
        if let Some(sent) = self.messaging.sent {
            let fields = sent_fields(
                run,
                step,
                channel,
                &id,
                run.rule
                    .topic
                    .and_then(|topic| self.program.topics.get(topic.0 as usize))
                    .map(|topic| topic.name.clone()),
            );
            self.make(customer, sent, &id, &fields, moment);
        }
    }

    /// A run sends, or would, were the customer not held out.
    fn first_message(
        &self,
        customer: &mut Customer,
        run: &mut Run<'_>,
        held_out: bool,
        moment: &mut Moment<'_>,
    ) {
        if !std::mem::replace(&mut run.has_sent, true) && run.plan.goal.is_some() {
            self.begin_goal(customer, run.number, held_out, moment.now, &mut moment.out.counts);
        }
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
        run.acted = true;
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
        run.acted = true;
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
        run.acted = true;
        moment.out.records.push(Record::Emit(Emit {
            at: Instant(moment.now),
            customer: customer.id.clone(),
            rule: run.rule.name.clone(),
            event: definition.name.clone(),
            properties: Fields(properties),
        }));
        let id = run.id(customer, step);
        self.make(customer, event, &id, &values, moment);
    }

    /// Applies an event that a rule made, as the next instant of the same time.
    fn make(
        &self,
        customer: &mut Customer,
        event: EventId,
        id: &ActionId,
        fields: &[(Arc<str>, Value)],
        moment: &mut Moment<'_>,
    ) {
        let message_id = id.to_string();
        let order = customer.next_order();
        customer.admission.made(&message_id, moment.now, &self.settings, &mut moment.out.counts);
        let frame = self.made(event, &message_id, moment.now, order, fields);
        moment.count_consequence();
        self.event_instant(customer, &frame, true, moment);
    }

    fn holds(
        &self,
        customer: &mut Customer,
        now: Millis,
        completed: Option<&Opened>,
        condition: ConditionId,
    ) -> bool {
        let occasion = Occasion { now, run: completed, ..Occasion::default() };
        self.run(customer, occasion, None, |code, call| code.holds(condition, call)).0
    }

    fn value(
        &self,
        customer: &mut Customer,
        now: Millis,
        completed: Option<&Opened>,
        value: ValueId,
    ) -> Value {
        let Some(plan) = self.machine.plan.values.get(value.0 as usize) else { return Value::Missing };
        let occasion = Occasion { now, run: completed, ..Occasion::default() };
        self.run(customer, occasion, Some(Class::of(&plan.ty)), |code, call| code.value(value, call)).1.value
    }

    fn trigger_parts(&self, cause: &Cause, now: Millis) -> Vec<String> {
        match cause {
            Cause::Match(completed) => {
                completed.events.iter().map(|event| event.message_id.to_string()).collect()
            }
            Cause::Schedule => vec![Instant(now).to_string()],
            Cause::Change { segment, change, id, .. } => {
                let word = match change {
                    segue_compiler::record::Change::Enter => "enter",
                    segue_compiler::record::Change::Leave => "leave",
                };
                let segment = self.segment_name(*segment).to_string();
                vec![segment, word.to_owned(), Instant(now).to_string(), id.to_string()]
            }
        }
    }

    fn because(&self, cause: &Cause, now: Millis) -> Because {
        let of = |event: &Arc<Kept>| (event.name.clone(), event.message_id.clone());
        match cause {
            Cause::Match(completed) => {
                let (name, message_id) = completed.events.last().map(of).unzip();
                let at = Instant(completed.events.last().map_or(now, |event| event.at));
                Because { event: name, message_id, segment: None, at }
            }
            Cause::Schedule => Because { at: Instant(now), ..Because::default() },
            Cause::Change { segment, event, .. } => {
                let (name, message_id) = event.clone().map(|event| (event.name, event.message_id)).unzip();
                Because {
                    event: name,
                    message_id,
                    segment: Some(self.segment_name(*segment)),
                    at: Instant(now),
                }
            }
        }
    }

    fn segment_name(&self, segment: segue_compiler::typed::SegmentId) -> Arc<str> {
        self.program.segments.get(segment.0 as usize).map(|segment| segment.name.clone()).unwrap_or_default()
    }
}

impl Moment<'_> {
    /// One more consequence follows within the instant; too many are counted, and trigger nothing.
    fn count_consequence(&mut self) {
        self.consequences = self.consequences.and_then(|left| left.checked_sub(1));
        self.out.counts.consequences_dropped += u64::from(self.consequences.is_none());
    }
}

impl Run<'_> {
    fn id(&self, customer: &Customer, step: u32) -> ActionId {
        let parts: Vec<&str> = self.trigger.iter().map(String::as_str).collect();
        ActionId::of(self.rule.identity(), &customer.id, &parts, step)
    }
}

/// The fields of the "Message Sent" that a send makes.
fn sent_fields(
    run: &Run<'_>,
    step: u32,
    channel: &Arc<str>,
    id: &ActionId,
    topic: Option<Arc<str>>,
) -> Vec<(Arc<str>, Value)> {
    let mut fields = vec![
        (Arc::from("channel"), Value::text(channel)),
        (Arc::from("rule"), Value::text(&run.rule.name)),
        (
            Arc::from("step"),
            segue_compiler::value::Decimal::whole(i64::from(step)).map_or(Value::Missing, Value::Number),
        ),
        (Arc::from("message"), Value::text(&id.to_string())),
    ];
    fields.extend(topic.map(|topic| (Arc::from("topic"), Value::text(&topic))));
    fields
}

#[expect(clippy::too_many_arguments, reason = "the parts of a record")]
fn suppressed(
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
