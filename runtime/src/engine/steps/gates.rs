//! What stands between a decision and a message.

use crate::engine::{
    Engine,
    customer::{Customer, Sent},
    run::Run,
};
use segue_compiler::{
    address,
    plan::Content,
    record::{Json, Reason},
    share::is_held_out,
    typed::TopicId,
    value::{Millis, Value},
};

impl Engine {
    /// The first reason for which a message is not sent, and what there is to say about it.
    pub(super) fn gate(
        &self,
        customer: &mut Customer,
        run: &Run<'_>,
        channel: &str,
        address: &str,
        now: Millis,
    ) -> Option<(Reason, Option<&'static str>)> {
        let because = |reason: Reason| Some((reason, None));
        let rule = run.rule;
        if !run
            .plan
            .still_if
            .is_none_or(|condition| self.holds(customer, now, run.completed.as_ref(), condition))
        {
            return because(Reason::Condition);
        }
        if self.settings.holdouts
            && rule.holdout.is_some_and(|share| is_held_out(rule.identity(), &customer.id, share))
        {
            return because(Reason::Holdout);
        }
        self.delivery_gate(customer, run, channel, address, now)
    }

    /// The first reason for which a message cannot be sent, whoever is held out.
    pub(super) fn delivery_gate(
        &self,
        customer: &Customer,
        run: &Run<'_>,
        channel: &str,
        address: &str,
        now: Millis,
    ) -> Option<(Reason, Option<&'static str>)> {
        let because = |reason: Reason| Some((reason, None));
        if customer.consent.is_suppressed(channel) || self.is_suppressed(customer, run, channel) {
            return because(Reason::Suppressed);
        }
        let transactional = run.rule.transactional;
        if !transactional
            && !customer.consent.allows(&self.program, channel, run.rule.topic, self.settings.consent)
        {
            return because(Reason::Consent);
        }
        if address.trim().is_empty() {
            return because(Reason::NoAddress);
        }
        if let Some(fault) = address::fault(channel, address) {
            return Some((Reason::NoAddress, Some(fault)));
        }
        (!transactional && self.is_capped(customer, run, channel, now)).then_some((Reason::Cap, None))
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

    fn is_capped(&self, customer: &Customer, run: &Run<'_>, channel: &str, now: Millis) -> bool {
        self.topics(run.rule.topic).any(|topic| {
            let rates = self
                .program
                .topics
                .get(topic.0 as usize)
                .map(|topic| topic.rates.as_slice())
                .unwrap_or_default();
            rates.iter().filter(|rate| rate.channel.as_deref().is_none_or(|other| other == channel)).any(
                |rate| {
                    let counts = |sent: &&Sent| {
                        sent.at > now - rate.per
                            && rate.channel.as_deref().is_none_or(|other| other == &*sent.channel)
                            && self.topics(Some(sent.topic)).any(|other| other == topic)
                    };
                    customer.sends.iter().filter(counts).count() >= rate.count as usize
                },
            )
        })
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
