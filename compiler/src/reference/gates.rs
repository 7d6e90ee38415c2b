//! What keeps a run from starting and a message from being sent, in the order in which it is looked at [11].

use super::{
    Reference,
    customer::Customer,
    evaluate::{Asked, This},
    steps::Run,
};
use crate::{
    address,
    hold::{self, Exceeded, Verdict},
    limits::MAX_RUNS,
    record::Reason,
    share::is_held_out,
    typed::{Limit, Overlap, Program, Quiet, Rule, TopicId},
    value::{Millis, Value},
};
use std::sync::Arc;

/// A message that is about to be sent.
pub(super) struct Message<'m> {
    /// The step that sends it.
    pub(super) step: u32,
    pub(super) channel: &'m Arc<str>,
    /// Its address.
    pub(super) to: Option<&'m str>,
    /// Whether it answers the customer, so that it is neither held nor capped.
    pub(super) is_reply: bool,
    /// Whether it came due while the service was down, too long before that is back.
    pub(super) is_late: bool,
}

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
        let view = self.views.get(number);
        if view.is_some_and(|view| view.is_cold(&self.program, rule, &self.settings, asked.now)) {
            return Some(Reason::Cold);
        }
        // A run cannot be started anew from within one of its own steps: there `restart` is as `skip`.
        if customer.under_way.iter().any(|run| run.rule == number && run.per == *per) {
            return Some(Reason::Running);
        }
        let waiting = customer.waiting.iter().filter(|run| self.current(run.memory.number) == number);
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

    /// Why a message of a run is not sent now; `to` is its address.
    pub(super) fn kept_from_sending(
        &self,
        customer: &Customer,
        run: &Run<'_>,
        message: &Message<'_>,
        asked: &Asked<'_>,
    ) -> Option<Verdict> {
        let rule = run.rule;
        if rule.still_if.as_ref().is_some_and(|condition| !asked.holds(condition, This::Nothing)) {
            return Some(Verdict::Suppressed(Reason::Condition, None));
        }
        if self.settings.holdouts
            && rule.holdout.is_some_and(|share| is_held_out(rule.identity(), &customer.id, share))
        {
            return Some(Verdict::Suppressed(Reason::Holdout, None));
        }
        self.kept_from_delivery(customer, run, message, asked)
    }

    /// Why a message is not sent now, whoever is held out.
    pub(super) fn kept_from_delivery(
        &self,
        customer: &Customer,
        run: &Run<'_>,
        message: &Message<'_>,
        asked: &Asked<'_>,
    ) -> Option<Verdict> {
        let (rule, channel) = (run.rule, &**message.channel);
        let because = |reason: Reason| Some(Verdict::Suppressed(reason, None));
        if customer.consent.is_suppressed(channel)
            || !rule.transactional && self.is_left_out(customer, rule, channel)
        {
            return because(Reason::Suppressed);
        }
        let policy = self.settings.consent;
        if !rule.transactional && !customer.consent.allows(&self.program, channel, rule.topic, policy) {
            return because(Reason::Consent);
        }
        let Some(to) = message.to.filter(|to| !to.trim().is_empty()) else {
            return because(Reason::NoAddress);
        };
        if let Some(fault) = address::fault(channel, to) {
            return Some(Verdict::Suppressed(Reason::NoAddress, Some(fault)));
        }
        if message.is_late {
            return because(Reason::Late);
        }
        if rule.transactional || message.is_reply {
            return None;
        }
        let since = run.memory.hold.as_ref().and_then(|hold| hold.waits_for_room);
        hold::of_both(self.kept_by_quiet(customer, rule, message.step, asked), since.is_some(), || {
            self.exceeded(customer, rule, channel, asked.now).verdict(since, asked.now)
        })
    }

    /// Whether it is quiet time for the customer: where several are, the last to end counts.
    fn kept_by_quiet(
        &self,
        customer: &Customer,
        rule: &Rule,
        step: u32,
        asked: &Asked<'_>,
    ) -> Option<Verdict> {
        let zone = self.zone(customer);
        let in_force = |quiet: &&Quiet| {
            quiet.end(asked.now, &zone).is_some()
                && quiet.condition.as_ref().is_none_or(|condition| asked.holds(condition, This::Nothing))
        };
        let quiet: Vec<&Quiet> = rule.quiet.iter().filter(in_force).collect();
        if quiet.iter().any(|quiet| quiet.skip) {
            return Some(Verdict::Suppressed(Reason::Quiet, None));
        }
        let until = |quiet: &&Quiet| {
            let end = quiet.end(asked.now, &zone)?;
            Some(end.saturating_add(quiet.delay(rule.identity(), &customer.id, step)))
        };
        let last = quiet.iter().filter_map(until).max()?;
        Some(Verdict::Held(Reason::Quiet, last))
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

    /// The rates of the rule's topic, and of those that it lies within, that one more message would exceed.
    fn exceeded(&self, customer: &Customer, rule: &Rule, channel: &str, now: Millis) -> Exceeded {
        let mut exceeded = Exceeded::default();
        for id in lineage(&self.program, rule.topic) {
            let Some(topic) = self.program.topics.get(id.0 as usize) else { continue };
            for rate in &topic.rates {
                if rate.channel.as_deref().is_some_and(|only| only != channel) {
                    continue;
                }
                let counted = customer.sent.iter().filter(|sent| {
                    is_recent(sent.at, rate.per, now)
                        && rate.channel.as_ref().is_none_or(|only| *only == sent.channel)
                        && lineage(&self.program, Some(sent.topic)).contains(&id)
                });
                let times: Vec<Millis> = counted.map(|sent| sent.at).collect();
                exceeded.count(&times, rate.count, rate.per, topic.hold);
            }
        }
        exceeded
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
