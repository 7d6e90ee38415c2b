//! What stands between a decision and a message.

use crate::engine::{
    Engine,
    customer::{Customer, Sent},
    instant::Moment,
    run::Run,
};
use segue_compiler::{
    address,
    hold::{self, Exceeded, Hold, Verdict},
    plan::Content,
    record::{Held, Instant, Json, Reason, Record},
    share::is_held_out,
    typed::TopicId,
    value::{Millis, Value},
};
use std::sync::Arc;

/// A message that is about to be sent.
pub(super) struct Message<'m> {
    /// The step that sends it.
    pub(super) step: u32,
    pub(super) channel: &'m Arc<str>,
    pub(super) address: &'m str,
    /// Whether it answers the customer, so that it is neither held nor capped.
    pub(super) is_reply: bool,
    /// Whether it came due while the service was down, too long before that is back.
    pub(super) is_late: bool,
}

impl Engine {
    /// The first reason for which a message is not sent now.
    pub(super) fn gate(
        &self,
        customer: &mut Customer,
        run: &Run<'_>,
        message: &Message<'_>,
        now: Millis,
    ) -> Option<Verdict> {
        let rule = run.rule;
        if !run
            .plan
            .still_if
            .is_none_or(|condition| self.holds(customer, now, run.completed.as_ref(), condition))
        {
            return Some(Verdict::Suppressed(Reason::Condition, None));
        }
        if self.settings.holdouts
            && rule.holdout.is_some_and(|share| is_held_out(rule.identity(), &customer.id, share))
        {
            return Some(Verdict::Suppressed(Reason::Holdout, None));
        }
        self.delivery_gate(customer, run, message, now)
    }

    /// The first reason for which a message is not sent now, whoever is held out.
    pub(super) fn delivery_gate(
        &self,
        customer: &mut Customer,
        run: &Run<'_>,
        message: &Message<'_>,
        now: Millis,
    ) -> Option<Verdict> {
        let because = |reason: Reason| Some(Verdict::Suppressed(reason, None));
        let (channel, transactional) = (&**message.channel, run.rule.transactional);
        if customer.consent.is_suppressed(channel) || self.is_suppressed(customer, run, channel) {
            return because(Reason::Suppressed);
        }
        if !transactional
            && !customer.consent.allows(&self.program, channel, run.rule.topic, self.settings.consent)
        {
            return because(Reason::Consent);
        }
        if message.address.trim().is_empty() {
            return because(Reason::NoAddress);
        }
        if let Some(fault) = address::fault(channel, message.address) {
            return Some(Verdict::Suppressed(Reason::NoAddress, Some(fault)));
        }
        if message.is_late {
            return because(Reason::Late);
        }
        if transactional || message.is_reply {
            return None;
        }
        let since = run.memory.hold.as_ref().and_then(|hold| hold.waits_for_room);
        let quiet = self.quiet_gate(customer, run, message.step, now);
        let room = || self.exceeded(customer, run, channel, now).verdict(since, now);
        hold::of_both(quiet, since.is_some(), room)
    }

    /// Whether it is quiet time: the last to end of those in force counts.
    fn quiet_gate(&self, customer: &mut Customer, run: &Run<'_>, step: u32, now: Millis) -> Option<Verdict> {
        let mut last = None;
        let mut skip = false;
        for (quiet, condition) in run.rule.quiet.iter().zip(&run.plan.quiet) {
            let Some(end) = quiet.end(now, self.zone(customer)) else { continue };
            if condition.is_none_or(|it| self.holds(customer, now, run.completed.as_ref(), it)) {
                let delay = quiet.delay(run.rule.identity(), &customer.id, step);
                last = last.max(Some(end.saturating_add(delay)));
                skip |= quiet.skip;
            }
        }
        if skip {
            return Some(Verdict::Suppressed(Reason::Quiet, None));
        }
        last.map(|until| Verdict::Held(Reason::Quiet, until))
    }

    /// Keeps a message until it is asked again. Being asked meanwhile with the same answer is not told twice.
    pub(super) fn hold(
        &self,
        customer: &Customer,
        run: &mut Run<'_>,
        message: &Message<'_>,
        (reason, until): (Reason, Millis),
        moment: &mut Moment<'_>,
    ) {
        let hold = self.held(customer, run, message, (reason, until), moment.now);
        let before = run.memory.hold.replace(hold);
        let channel = message.channel;
        if before.is_none_or(|before| (before.reason, before.until) != (reason, until)) {
            moment.out.records.push(Record::Held(Held {
                at: Instant(moment.now),
                id: run.id(customer, message.step),
                customer: customer.id.clone(),
                rule: run.rule.name.clone(),
                step: message.step,
                channel: channel.clone(),
                reason,
                until: Some(Instant(until)),
            }));
        }
    }

    /// Keeps a message that came due while the service was down until that is back.
    pub(super) fn wait_for_service(
        &self,
        customer: &Customer,
        run: &mut Run<'_>,
        message: &Message<'_>,
        (due, until): (Millis, Millis),
        now: Millis,
    ) {
        let hold = self.held(customer, run, message, (Reason::Late, until), now);
        run.memory.hold = Some(Hold { due: Some(due), ..hold });
    }

    /// What is remembered of a message that is held.
    fn held(
        &self,
        customer: &Customer,
        run: &Run<'_>,
        message: &Message<'_>,
        (reason, until): (Reason, Millis),
        now: Millis,
    ) -> Hold {
        let waits_for_room = run.memory.hold.as_ref().and_then(|hold| hold.waits_for_room);
        Hold {
            reason,
            until,
            channel: message.channel.clone(),
            zone: Arc::from(self.zone(customer).name()),
            waits_for_room: waits_for_room.or((reason == Reason::Cap).then_some(now)),
            due: None,
        }
    }

    /// A topic and those that it lies within, innermost first.
    fn topics(&self, topic: Option<TopicId>) -> impl Iterator<Item = TopicId> {
        let within =
            |topic: &TopicId| self.program.topics.get(topic.0 as usize).and_then(|topic| topic.within);
        std::iter::successors(topic, within)
    }

    fn is_suppressed(&self, customer: &Customer, run: &Run<'_>, channel: &str) -> bool {
        !run.rule.transactional
            && self.program.suppressions.iter().any(|suppression| {
                self.topics(run.rule.topic).any(|topic| topic == suppression.topic)
                    && suppression.channel.as_deref().is_none_or(|other| other == channel)
                    && customer.is_member(&self.machine.plan.record, suppression.segment)
            })
    }

    /// Remembers a message for the rates of its topic and of those around it.
    pub(super) fn count_message(&self, customer: &mut Customer, sent: Sent) {
        let rates = self.program.topics.iter().flat_map(|topic| &topic.rates);
        let Some(longest) = rates.map(|rate| rate.per).max() else { return };
        customer.sends.retain(|other| other.at > sent.at - longest);
        customer.sends.push_back(sent);
        self.keep_newest_messages(customer);
    }

    /// Forgets messages that no rate looks at: of each topic and channel the newest are kept, as many as any rate counts.
    pub(in crate::engine) fn keep_newest_messages(&self, customer: &mut Customer) {
        let rates = self.program.topics.iter().flat_map(|topic| &topic.rates);
        let most = rates.map(|rate| rate.count as usize).max().unwrap_or(0);
        let sends = &mut customer.sends;
        for place in (0..sends.len().saturating_sub(most)).rev() {
            let Some(sent) = sends.get(place) else { continue };
            let is_alike = |other: &&Sent| other.topic == sent.topic && other.channel == sent.channel;
            if sends.range(place + 1..).filter(is_alike).count() >= most {
                sends.remove(place);
            }
        }
    }

    /// The rates of the rule's topic, and of those that it lies within, that one more message would exceed.
    fn exceeded(&self, customer: &Customer, run: &Run<'_>, channel: &str, now: Millis) -> Exceeded {
        let mut exceeded = Exceeded::default();
        for id in self.topics(run.rule.topic) {
            let Some(topic) = self.program.topics.get(id.0 as usize) else { continue };
            for rate in &topic.rates {
                if rate.channel.as_deref().is_some_and(|only| only != channel) {
                    continue;
                }
                let counts = |sent: &&Sent| {
                    sent.at > now - rate.per
                        && rate.channel.as_deref().is_none_or(|only| only == &*sent.channel)
                        && self.topics(Some(sent.topic)).any(|other| other == id)
                };
                let times: Vec<Millis> = customer.sends.iter().filter(counts).map(|sent| sent.at).collect();
                exceeded.count(&times, rate.count, rate.per, topic.hold);
            }
        }
        exceeded
    }

    pub(super) fn address(
        &self,
        customer: &mut Customer,
        run: &Run<'_>,
        channel: &str,
        to: Option<&Content>,
        now: Millis,
    ) -> String {
        let field = match (to, channel) {
            (Some(to), _) => {
                return match self.content(customer, run, to, now) {
                    Ok(Json::Value(Value::Text(text))) => text.to_string(),
                    Ok(Json::Value(_) | Json::Fields(_)) | Err(_) => String::new(),
                };
            }
            (None, "sms") => self.fields.phone,
            (None, "email") => self.fields.email,
            (None, "push") => self.fields.push_token,
            (None, _) => None,
        };
        let value = field.and_then(|field| customer.field(&self.program, field));
        value.and_then(Value::as_text).unwrap_or_default().to_owned()
    }
}
