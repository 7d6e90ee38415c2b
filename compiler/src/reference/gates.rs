//! What keeps a run from starting and a message from being sent, in the order in which it is looked at [11].

use super::{
    Reference,
    customer::Customer,
    evaluate::{Asked, This},
    steps::Run,
};
use crate::{
    address,
    limits::MAX_RUNS,
    reach::{self, Reach},
    record::Reason,
    share::is_held_out,
    typed::{Limit, Overlap, Program, Rule, TopicId},
    value::{Millis, Value},
};

impl Reference {
    /// Why a triggered rule does not run.
    pub(super) fn kept_from_running(
        &self,
        customer: &Customer,
        number: usize,
        rule: &Rule,
        per: &Value,
        asked: &Asked<'_>,
    ) -> Option<Reason> {
        let reach = self.reaches.get(number).copied().unwrap_or(Reach::NONE);
        if reach::is_cold(rule, reach, &self.settings, asked.now) {
            return Some(Reason::Cold);
        }
        // A run cannot be started anew from within one of its own steps: there `restart` is as `skip`.
        if customer.under_way.iter().any(|run| run.rule == number && run.per == *per) {
            return Some(Reason::Running);
        }
        let waiting = customer.waiting.iter().filter(|run| run.memory.number == number);
        // The run that gives way: where it has done nothing, it will not have counted.
        let mut given_back = None;
        if rule.overlap == Overlap::Restart {
            given_back = waiting.map(|run| &run.memory).find(|run| !run.did_something).map(|run| run.id);
        } else if waiting.clone().any(|run| run.memory.per == *per)
            || self.runs_of(customer, number) >= MAX_RUNS
        {
            return Some(Reason::Running);
        }
        let runs = customer.runs.get(number).map(Vec::as_slice).unwrap_or_default();
        let mut counted = runs.iter().filter(|run| Some(run.order) != given_back);
        let exhausted = match rule.limit {
            None => false,
            Some(Limit::Once) => counted.next().is_some(),
            Some(Limit::Per { count, per }) => {
                counted.filter(|run| is_recent(run.at, per, asked.now)).count() >= count as usize
            }
        };
        if exhausted {
            return Some(Reason::Limit);
        }
        let refused = rule.only_if.as_ref().is_some_and(|condition| !asked.holds(condition, This::Nothing));
        refused.then_some(Reason::Condition)
    }

    /// Why a message of a run is not sent, and what there is to say about it; `to` is its address.
    pub(super) fn kept_from_sending(
        &self,
        customer: &Customer,
        run: &Run<'_>,
        channel: &str,
        to: Option<&str>,
        asked: &Asked<'_>,
    ) -> Option<(Reason, Option<&'static str>)> {
        let because = |reason: Reason| Some((reason, None));
        let rule = run.rule;
        if rule.still_if.as_ref().is_some_and(|condition| !asked.holds(condition, This::Nothing)) {
            return because(Reason::Condition);
        }
        if self.settings.holdouts
            && rule.holdout.is_some_and(|share| is_held_out(rule.identity(), &customer.id, share))
        {
            return because(Reason::Holdout);
        }
        self.kept_from_delivery(customer, run, channel, to, asked.now)
    }

    /// Why a message cannot be sent, whoever is held out.
    pub(super) fn kept_from_delivery(
        &self,
        customer: &Customer,
        run: &Run<'_>,
        channel: &str,
        to: Option<&str>,
        now: Millis,
    ) -> Option<(Reason, Option<&'static str>)> {
        let because = |reason: Reason| Some((reason, None));
        let rule = run.rule;
        if customer.consent.is_suppressed(channel)
            || !rule.transactional && self.is_left_out(customer, rule, channel)
        {
            return because(Reason::Suppressed);
        }
        let policy = self.settings.consent;
        if !rule.transactional && !customer.consent.allows(&self.program, channel, rule.topic, policy) {
            return because(Reason::Consent);
        }
        let Some(to) = to.filter(|to| !to.trim().is_empty()) else { return because(Reason::NoAddress) };
        if let Some(fault) = address::fault(channel, to) {
            return Some((Reason::NoAddress, Some(fault)));
        }
        let capped = !rule.transactional && self.is_capped(customer, rule, channel, now);
        capped.then_some((Reason::Cap, None))
    }

    /// Whether a segment of the customer's does not get messages of the rule's topic.
    fn is_left_out(&self, customer: &Customer, rule: &Rule, channel: &str) -> bool {
        let topics = lineage(&self.program, rule.topic);
        self.program.suppressions.iter().any(|suppression| {
            topics.contains(&suppression.topic)
                && suppression.channel.as_deref().is_none_or(|only| only == channel)
                && customer.is_member(suppression.segment)
        })
    }

    /// Whether one more message would be more than a rate of the rule's topic, or of one that it lies within, allows.
    fn is_capped(&self, customer: &Customer, rule: &Rule, channel: &str, now: Millis) -> bool {
        lineage(&self.program, rule.topic).into_iter().any(|topic| {
            let rates = self.program.topics.get(topic.0 as usize).map(|topic| topic.rates.as_slice());
            let rates = rates.unwrap_or_default().iter();
            rates.filter(|rate| rate.channel.as_deref().is_none_or(|only| only == channel)).any(|rate| {
                let counted = customer.sent.iter().filter(|sent| {
                    is_recent(sent.at, rate.per, now)
                        && rate.channel.as_ref().is_none_or(|only| *only == sent.channel)
                        && lineage(&self.program, Some(sent.topic)).contains(&topic)
                });
                counted.count() >= rate.count as usize
            })
        })
    }

    /// The value that tells runs of a rule apart; one for all when they are not told apart.
    pub(super) fn run_key(&self, rule: &Rule, asked: &Asked<'_>) -> Value {
        match &rule.overlap {
            Overlap::Skip | Overlap::Restart => Value::Missing,
            Overlap::Per(path) => {
                let event = asked.found.and_then(|found| found.events.last());
                event.map_or(Value::Missing, |event| event.field(&self.program, path).kept())
            }
        }
    }
}

/// A topic and those that it lies within.
fn lineage(program: &Program, topic: Option<TopicId>) -> Vec<TopicId> {
    let within = |topic: &TopicId| program.topics.get(topic.0 as usize).and_then(|topic| topic.within);
    std::iter::successors(topic, within).collect()
}

/// Whether something lies in `(now − per, now]`.
fn is_recent(at: Millis, per: i64, now: Millis) -> bool {
    at > now.saturating_sub(per) && at <= now
}
