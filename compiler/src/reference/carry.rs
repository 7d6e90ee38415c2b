//! A customer under new rules [10]: what is known goes on where it means the same, and the rest is what the log tells.

use super::{
    Reference,
    customer::{CountedRun, Customer, Event, Recorded, Sent},
    run::Waiting,
    sequence::Match,
    steps::Listening,
};
use crate::{
    consent::{Consent, Stamp},
    execution::Output,
    guard::counting_messages,
    succession::{Matched, counts_from},
    typed::{EventId, FieldId, Rule, SequenceId, Step, StepKind, visit},
    value::{Millis, Value},
};
use std::{collections::BTreeSet, sync::Arc};

/// From one program to the next.
struct Change<'a> {
    before: &'a Reference,
    after: &'a Reference,
    matched: &'a Matched,
}

impl Reference {
    /// Takes a customer over from the rules that were in force before. `told` is what the log tells of the customer, as
    /// read under the rules of now.
    pub(super) fn carry_customer(
        &self,
        before: &Self,
        matched: &Matched,
        mut customer: Customer,
        told: Customer,
        out: &mut Output,
    ) -> Customer {
        let change = Change { before, after: self, matched };
        let mut carried = Customer::new(customer.id.clone(), &self.program);
        carried.clock = customer.clock;
        carried.order = customer.order;
        carried.first_seen = customer.first_seen;
        carried.held = customer.held.take();
        carried.admission = std::mem::take(&mut customer.admission);
        carried.waiting = change.waiting(&mut customer, out);
        carried.runs = change.counted_runs(&customer);
        carried.profile = change.profile(&customer, &told);
        carried.consent = customer.consent.carried(&told.consent, matched);
        let (order, generation) = (customer.order, self.program.generation());
        carried.history =
            customer.history.carried(|event| change.event(event), generation, &told.history, order);
        carried.sent = change.messages(&customer);
        for (rule, progress) in &customer.goals {
            if let Some(Some(current)) = matched.goals.get(*rule as usize) {
                carried.goals.insert(*current, progress.mapped(|found| change.found(found, found.sequence)));
            }
        }
        carried.session = match (self.program.sessions, before.program.sessions) {
            (false, _) => None,
            (true, true) => customer.session.clone(),
            (true, false) => told.session.as_ref().map(|session| session.placed(first_of_its_time)),
        };
        carried.schedules = customer.schedules.carried(
            &matched.schedules,
            carried.clock,
            !before.program.schedules.is_empty(),
        );
        change.sequences(&mut carried, customer, told);
        let recorded = carried.profile.iter().filter_map(|recorded| recorded.stamp).max();
        let now = carried.clock.or(recorded.map(|(at, _)| at)).unwrap_or_default();
        self.settle_in(&mut carried, now);
        carried
    }

    /// A customer to whom a log is to be told that begins at an instant.
    pub(super) fn begin_customer(
        &self,
        matched: &Matched,
        customer: &Customer,
        log_from: Millis,
    ) -> Customer {
        let mut begun = Customer::new(customer.id.clone(), &self.program);
        begun.first_seen = customer.first_seen.filter(|seen| *seen < log_from);
        for (recorded, place) in begun.profile.iter_mut().zip(&matched.profile) {
            let same = place.and_then(|FieldId(place)| customer.profile.get(place as usize));
            if let Some(same) = same.filter(|it| it.stamp.is_some_and(|(at, _)| at < log_from)) {
                *recorded = same.carried(&recorded.default);
                recorded.stamp = recorded.stamp.map(first_of_its_time);
            }
        }
        begun.consent = customer.consent.before(log_from).carried(&Consent::default(), matched);
        let recorded = begun.profile.iter().filter_map(|recorded| recorded.stamp).max();
        // From then on all of it was so.
        if let Some(now) = recorded.map(|(at, _)| at).max(begun.first_seen) {
            begun.clock = Some(now);
            begun.schedules.reach(now);
            self.settle_in(&mut begun, now);
        }
        begun
    }

    /// Finds out what follows from the rest.
    fn settle_in(&self, customer: &mut Customer, now: Millis) {
        self.watches.look_back(customer, now);
        self.judge_segments(customer, now);
        if customer.first_seen.is_none() {
            // Nothing has lasted before anything happened.
            customer.lasting.fill(None);
        }
        self.settle_waiting(customer, now);
    }
}

impl Change<'_> {
    /// An event as the new rules declare it.
    fn event(&self, event: &Event) -> Event {
        let id = self.after.program.event(&event.name);
        let declared = id.and_then(|id| self.after.program.events.get(id.0 as usize));
        let mut fields = vec![Value::Missing; declared.map_or(0, |declared| declared.fields.len())];
        let places = event.id.and_then(|EventId(id)| self.matched.event_fields.get(id as usize));
        for (value, place) in event.fields.iter().zip(places.into_iter().flatten()) {
            if let Some(field) = place.and_then(|place| fields.get_mut(place)) {
                field.clone_from(value);
            }
        }
        Event { id, fields, ..event.clone() }
    }

    fn found(&self, found: &Match, sequence: SequenceId) -> Match {
        let events = found.events.iter().map(|event| Arc::new(self.event(event))).collect();
        Match { sequence, events, first: found.first }
    }

    fn profile(&self, customer: &Customer, told: &Customer) -> Vec<Recorded> {
        let same = |place: &Option<FieldId>| customer.profile.get(place.as_ref()?.0 as usize);
        let fields = self.after.program.profile.iter().zip(&self.matched.profile).zip(&told.profile);
        let fields = fields.map(|((field, place), told)| match same(place) {
            Some(recorded) => recorded.carried(&field.default),
            None => Recorded { stamp: told.stamp.map(first_of_its_time), ..told.clone() },
        });
        fields.collect()
    }

    /// The runs that count for limits: those that counted for the limit of before.
    fn counted_runs(&self, customer: &Customer) -> Vec<Vec<CountedRun>> {
        let mut runs = vec![Vec::new(); self.after.program.rules.len()];
        let rules = self.before.program.rules.iter().zip(&self.matched.rules).zip(&customer.runs);
        for ((rule, current), counted) in rules.filter(|((rule, _), _)| !rule.is_former()) {
            let from = customer.clock.and_then(|now| counts_from(rule.limit, now));
            if let (Some(from), Some(runs)) = (from, current.and_then(|it| runs.get_mut(it as usize))) {
                *runs = counted.iter().filter(|run| run.at >= from).copied().collect();
            }
        }
        runs
    }

    /// The runs that wait; those that no version goes on with are stopped.
    fn waiting(&self, customer: &mut Customer, out: &mut Output) -> Vec<Waiting> {
        let now = customer.clock.unwrap_or_default();
        let mut all = Vec::new();
        for run in std::mem::take(&mut customer.waiting) {
            let number = self.matched.runs.get(run.memory.number).copied().flatten();
            let rule =
                number.and_then(|number| Some((number, self.after.program.rules.get(number as usize)?)));
            match rule {
                Some((number, rule)) => all.push(self.run(run, number as usize, rule)),
                None => {
                    out.counts.runs_ended += 1;
                    self.before.stop(customer, run, now, out);
                }
            }
        }
        all.sort_by_key(|run| (run.memory.number, run.memory.id));
        all
    }

    fn run(&self, mut run: Waiting, number: usize, rule: &Rule) -> Waiting {
        let memory = &mut run.memory;
        memory.number = number;
        let sequence = rule.trigger.sequence().unwrap_or(SequenceId(u32::MAX));
        memory.triggered.found = memory.triggered.found.as_ref().map(|found| self.found(found, sequence));
        memory.answer = memory.answer.as_ref().map(|event| Arc::new(self.event(event)));
        memory.rest = memory.rest.iter().filter_map(|step| step_of(rule, step.number)).collect();
        if run.paused.listening.is_some()
            && let Some(StepKind::WaitFor { up_to: _, what, steps, otherwise }) =
                step_of(rule, run.paused.step).map(|step| step.kind)
        {
            run.paused.listening = Some(Listening { what, what_follows: steps, otherwise });
        }
        run
    }

    fn messages(&self, customer: &Customer) -> Vec<Sent> {
        let Some(now) = customer.clock else { return Vec::new() };
        let all: Vec<_> = customer.sent.iter().map(|sent| (sent.at, sent.topic, &*sent.channel)).collect();
        let counting = counting_messages(&self.before.program, &all, now);
        let counting = counting.into_iter().filter_map(|place| {
            let sent = customer.sent.get(place)?;
            let topic = self.matched.topics.get(sent.topic.0 as usize).copied().flatten()?;
            Some(Sent { topic, ..sent.clone() })
        });
        counting.collect()
    }

    /// What is under way in sequences, and how often they completed.
    fn sequences(&self, carried: &mut Customer, customer: Customer, told: Customer) {
        let order = customer.order;
        let mut matchers = told.matchers.into_iter();
        for (number, place) in self.matched.sequences.iter().enumerate() {
            let filled = matchers.next().unwrap_or_default();
            let same = place.map(|place| place.0 as usize);
            let (matcher, completions) = match same {
                Some(place) => (
                    customer
                        .matchers
                        .get(place)
                        .map(|it| it.mapped(|event| self.event(event), |stamp| stamp)),
                    customer.completions.get(place).cloned(),
                ),
                None => (
                    Some(filled.mapped(
                        |event| Event { stamp: first_of_its_time(event.stamp), ..event.clone() },
                        first_of_its_time,
                    )),
                    told.completions.get(number).map(|all| {
                        all.iter()
                            .map(|it| super::customer::Completed { stamp: (it.stamp.0, order), ..*it })
                            .collect()
                    }),
                ),
            };
            if let (Some(place), Some(matcher)) = (carried.matchers.get_mut(number), matcher) {
                *place = matcher;
                let triggered = self.matched.triggered.get(number).and_then(Option::as_ref);
                if let (Some(triggered), Some(now)) = (triggered, carried.clock) {
                    let before = customer.matchers.get(triggered.by.0 as usize);
                    place.forget_triggered(triggered, before, now);
                }
            }
            if let (Some(place), Some(completions)) = (carried.completions.get_mut(number), completions) {
                *place = completions;
            }
        }
        for (lasting, (place, told)) in
            carried.lasting.iter_mut().zip(self.matched.held.iter().zip(told.lasting))
        {
            *lasting = match place {
                Some(place) => customer.lasting.get(place.0 as usize).copied().flatten(),
                None => told,
            };
        }
    }
}

/// Where something lies that the log tells: before everything else of its time, so that what counts from it on includes all
/// of that time.
fn first_of_its_time((at, _): Stamp) -> Stamp {
    (at, 0)
}

/// The step of a rule by its number.
fn step_of(rule: &Rule, number: u32) -> Option<Step> {
    let mut found = None;
    visit::each_step(&rule.steps, &mut |step| {
        if step.number == number {
            found = Some(step.clone());
        }
    });
    found
}

/// The rules that have runs under way.
pub(super) fn under_way(customer: &Customer) -> BTreeSet<u32> {
    customer.waiting.iter().filter_map(|run| u32::try_from(run.memory.number).ok()).collect()
}
