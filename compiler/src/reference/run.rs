//! Runs from their start to their end: what keeps one from starting, what it remembers while it waits, what ends it [5].

use super::{
    Reference,
    customer::{CountedRun, Customer, Event, UnderWay},
    evaluate::{Asked, This},
    merge::Shift,
    sequence::Match,
    steps::{Paused, Run},
};
use crate::{
    consent::Stamp,
    execution::Output,
    hold::{self, Hold},
    limits::MAX_RUNS,
    record::{ActionId, Because, Reason},
    typed::{About, Overlap, Rule, Step, StopWhen},
    value::{Millis, Value},
};
use std::{cmp::Reverse, collections::VecDeque, sync::Arc};

/// What triggered a rule.
#[derive(Clone, Debug)]
pub(super) struct Triggered {
    pub(super) found: Option<Match>,
    /// What its actions' ids are made of.
    pub(super) parts: Vec<Arc<str>>,
    pub(super) because: Because,
}

/// What a run remembers from one step to the next.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    /// The rule's position.
    pub(super) number: usize,
    /// Tells runs apart, and is their order.
    pub(super) id: u64,
    /// The value that tells the rule's runs apart.
    pub(super) per: Value,
    pub(super) triggered: Triggered,
    /// Whose it was when it began, where that customer was joined with another: its actions' ids stay as they are.
    pub(super) origin: Option<Arc<str>>,
    /// The event that ended a wait last.
    pub(super) answer: Option<Arc<Event>>,
    /// The messages that it sent, and on which channel.
    pub(super) sent: Vec<(ActionId, Arc<str>)>,
    /// The place of what triggered it: what comes later can stop it.
    pub(super) began: Stamp,
    /// Whether it did anything so far.
    pub(super) did_something: bool,
    /// Whether it sent a message, or would have, were the customer not held out.
    pub(super) has_sent: bool,
    /// The message that is held, with which it goes on.
    pub(super) hold: Option<Hold>,
    /// The steps that are still to be done.
    pub(super) rest: VecDeque<Step>,
}

/// A run that waits, or whose next step is a message that is held.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) memory: Memory,
    pub(super) paused: Paused,
    /// Whether the condition of `stop when` held when it was last asked.
    stop_holds: bool,
}

impl Memory {
    /// Puts steps before those that are left.
    pub(super) fn do_next(&mut self, steps: &[Step]) {
        for step in steps.iter().rev() {
            self.rest.push_front(step.clone());
        }
    }
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
        let asked = Asked { reference: self, customer, now, found: triggered.found.as_ref(), answer: None };
        let per = self.run_key(rule, &asked);
        let refused = self.kept_from_running(customer, number, rule, &per, &asked);
        let stamp = customer.next_stamp(now);
        let began = self.place_of(rule, triggered.found.as_ref()).unwrap_or(stamp);
        let triggered = triggered.clone();
        let memory = Memory {
            number,
            id: stamp.1,
            per,
            triggered,
            origin: None,
            answer: None,
            sent: Vec::new(),
            began,
            did_something: false,
            has_sent: false,
            hold: None,
            rest: rule.steps.iter().cloned().collect(),
        };
        if let Some(reason) = refused {
            let is_full = reason == Reason::Running && self.runs_of(customer, number) >= MAX_RUNS;
            out.counts.runs_refused += u64::from(is_full);
            if reason != Reason::Condition || !self.program.is_for_everybody(rule) {
                out.records.push(Run { rule, now, memory }.suppressed(customer, 0, None, reason));
            }
            return;
        }
        if rule.overlap == Overlap::Restart {
            let is_it = |run: &mut Waiting| self.current(run.memory.number) == number;
            for run in customer.waiting.extract_if(.., is_it).collect::<Vec<_>>() {
                self.stop(customer, run, now, out);
            }
        }
        if let Some(runs) = customer.runs.get_mut(number) {
            runs.push(CountedRun { at: now, order: memory.id });
        }
        out.fired.push(rule.name.clone());
        self.go_on(customer, memory, now, out);
    }

    /// The current version of a rule: that by which limits, overlaps and goals go.
    pub(super) fn current(&self, number: usize) -> usize {
        self.current.get(number).map_or(number, |current| *current as usize)
    }

    /// How many runs of a rule are under way, of whatever version.
    pub(super) fn runs_of(&self, customer: &Customer, number: usize) -> usize {
        let waiting = customer.waiting.iter().filter(|run| self.current(run.memory.number) == number);
        waiting.count() + customer.under_way.iter().filter(|run| run.rule == number).count()
    }

    /// The place of the event that triggers; nothing where time or a change of a segment does.
    fn place_of(&self, rule: &Rule, found: Option<&Match>) -> Option<Stamp> {
        let id = rule.trigger.sequence()?;
        let sequence = self.program.sequences.get(id.0 as usize)?;
        let event = found?.events.last()?;
        sequence.then_no.is_none().then_some(event.stamp)
    }

    /// Does a run's steps until it waits or ends.
    fn go_on(&self, customer: &mut Customer, memory: Memory, now: Millis, out: &mut Output) {
        let Some(rule) = self.program.rules.get(memory.number) else { return };
        customer.under_way.push(UnderWay { rule: self.current(memory.number), per: memory.per.clone() });
        let mut run = Run { rule, now, memory };
        let paused = self.steps(customer, &mut run, out);
        customer.under_way.pop();
        match paused {
            Some(paused) => self.pause(customer, run, paused),
            None => self.give_back(customer, &run.memory),
        }
    }

    /// Keeps a run until it goes on. Of the events of its match it keeps what is kept of any event.
    fn pause(&self, customer: &mut Customer, mut run: Run<'_>, paused: Paused) {
        if let Some(found) = &mut run.memory.triggered.found {
            for event in &mut found.events {
                *event = Arc::new(event.kept());
            }
        }
        if let Some(answer) = &mut run.memory.answer {
            *answer = Arc::new(answer.kept());
        }
        let stop_holds = self.stop_condition_holds(customer, &run.memory, run.now);
        let place = |other: &Waiting| (other.memory.number, other.memory.id);
        let waiting = Waiting { memory: run.memory, paused, stop_holds };
        let position = customer.waiting.partition_point(|other| place(other) < place(&waiting));
        customer.waiting.insert(position, waiting);
    }

    /// Goes on with the runs of a rule whose wait is over at this instant.
    pub(super) fn end_waits(&self, customer: &mut Customer, number: usize, now: Millis, out: &mut Output) {
        let is_over = |run: &Waiting| run.memory.number == number && run.paused.until <= now;
        while let Some(position) = customer.waiting.iter().position(is_over) {
            let Waiting { mut memory, paused, .. } = customer.waiting.remove(position);
            if let Some(listening) = &paused.listening {
                memory.do_next(&listening.otherwise);
            }
            self.go_on(customer, memory, now, out);
        }
    }

    /// The runs, by their ids, whose wait an event ends, each with the place where that wait began.
    pub(super) fn answered(&self, customer: &Customer, event: &Event, now: Millis) -> Vec<(u64, Stamp)> {
        let hears = |run: &&Waiting| {
            run.paused.listening.as_ref().is_some_and(|listening| {
                let memory = &run.memory;
                let found = memory.triggered.found.as_ref();
                let answer = memory.answer.as_deref();
                let asked = Asked { reference: self, customer, now, found, answer };
                event.stamp > run.paused.since
                    && self.is_about(memory, listening.what.about, event)
                    && asked.matches(&listening.what.pattern, event)
            })
        };
        customer.waiting.iter().filter(hears).map(|run| (run.memory.id, run.paused.since)).collect()
    }

    /// Whether an event is about the messages that a run listens for.
    fn is_about(&self, memory: &Memory, about: About, event: &Event) -> bool {
        let text = |field: &str| event.property(&self.program, field).and_then(Value::as_text);
        match (about, text("message")) {
            (About::Anything, _) => true,
            (About::Message | About::MessageOrChannel, Some(message)) => {
                memory.sent.iter().any(|(id, _)| id.to_string() == message)
            }
            (About::Message, None) => false,
            (About::MessageOrChannel, None) => {
                let channel = text("channel");
                memory.sent.iter().any(|(_, other)| channel == Some(&**other))
            }
        }
    }

    /// Goes on with the runs of a rule whose wait an event ends, unless something else did.
    pub(super) fn go_on_with(
        &self,
        customer: &mut Customer,
        number: usize,
        (answered, event): (&[(u64, Stamp)], &Arc<Event>),
        now: Millis,
        out: &mut Output,
    ) {
        for (id, since) in answered {
            let is_it = |run: &Waiting| {
                run.memory.number == number && run.memory.id == *id && run.paused.since == *since
            };
            let Some(position) = customer.waiting.iter().position(is_it) else { continue };
            let Waiting { mut memory, paused, .. } = customer.waiting.remove(position);
            memory.answer = Some(event.clone());
            if let Some(listening) = &paused.listening {
                memory.do_next(&listening.what_follows);
            }
            self.go_on(customer, memory, now, out);
        }
    }

    /// Asks again for messages that are held for quiet time, of customers who have moved: it may end at another instant.
    pub(super) fn ask_who_moved(&self, customer: &mut Customer, now: Millis, out: &mut Output) {
        let zone = self.zone(customer);
        let has_moved = |run: &Waiting| run.memory.hold.as_ref().is_some_and(|it| it.is_elsewhere(&zone));
        let moved: Vec<u64> =
            customer.waiting.iter().filter(|run| has_moved(run)).map(|it| it.memory.id).collect();
        for id in moved {
            let zone = self.zone(customer);
            let has_moved = |run: &Waiting| {
                run.memory.id == id && run.memory.hold.as_ref().is_some_and(|it| it.is_elsewhere(&zone))
            };
            if let Some(position) = customer.waiting.iter().position(has_moved) {
                let run = customer.waiting.remove(position);
                self.go_on(customer, run.memory, now, out);
            }
        }
    }

    /// Ends the runs that an event, or a condition that starts to hold, stops while they wait.
    pub(super) fn stop_runs(
        &self,
        customer: &mut Customer,
        event: Option<&Event>,
        now: Millis,
        out: &mut Output,
    ) {
        for mut run in std::mem::take(&mut customer.waiting) {
            let held = run.stop_holds;
            run.stop_holds = self.stop_condition_holds(customer, &run.memory, now);
            let by_event = event.is_some_and(|event| self.is_stopped_by(customer, &run.memory, event, now));
            if by_event || run.stop_holds && !held {
                self.stop(customer, run, now, out);
            } else {
                customer.waiting.push(run);
            }
        }
    }

    fn stop_condition_holds(&self, customer: &Customer, memory: &Memory, now: Millis) -> bool {
        let rule = self.program.rules.get(memory.number);
        let Some(StopWhen::Condition(condition)) = rule.and_then(|rule| rule.stop_when.as_ref()) else {
            return false;
        };
        let asked = Asked {
            reference: self,
            customer,
            now,
            found: memory.triggered.found.as_ref(),
            answer: memory.answer.as_deref(),
        };
        asked.holds(condition, This::Nothing)
    }

    /// Whether an event stops a run: by its `stop when`, or because it is what the trigger says must not come.
    fn is_stopped_by(&self, customer: &Customer, memory: &Memory, event: &Event, now: Millis) -> bool {
        let Some(rule) = self.program.rules.get(memory.number) else { return false };
        let found = memory.triggered.found.as_ref();
        let asked = Asked { reference: self, customer, now, found, answer: None };
        if let Some(StopWhen::Event(pattern)) = &rule.stop_when
            && event.stamp > memory.began
            && asked.matches(pattern, event)
        {
            return true;
        }
        let Some(id) = rule.trigger.sequence() else { return false };
        let sequence = self.program.sequences.get(id.0 as usize);
        let Some((sequence, (no, _))) = sequence.and_then(|it| Some((it, it.then_no.as_ref()?))) else {
            return false;
        };
        let Some(last) = found.and_then(|found| found.events.last()) else { return false };
        let same = sequence
            .same
            .iter()
            .all(|field| event.field(&self.program, field).kept() == last.field(&self.program, field).kept());
        let alone = Asked { found: None, answer: None, ..asked };
        same && event.stamp > last.stamp && alone.matches(no, event)
    }

    /// Puts the runs of two customers together: of two with the same value the one that has come farther stays, else the
    /// one that began earlier.
    pub(super) fn merge_waiting(
        &self,
        into: &mut Customer,
        (id, waiting): (&Arc<str>, Vec<Waiting>),
        shift: Shift,
        out: &mut Output,
    ) {
        let farther = |run: &Waiting| (Reverse(run.paused.step), run.memory.began);
        for mut theirs in waiting {
            theirs.memory.id = shift.order(theirs.memory.id);
            theirs.memory.origin.get_or_insert_with(|| id.clone());
            theirs.memory.began = shift.stamp(theirs.memory.began);
            theirs.memory.answer = theirs.memory.answer.map(|event| shift.event(&event));
            theirs.paused.since = shift.stamp(theirs.paused.since);
            if let Some(found) = &mut theirs.memory.triggered.found {
                found.first = shift.stamp(found.first);
                found.events.iter_mut().for_each(|event| *event = shift.event(event));
            }
            let (number, per) = (self.current(theirs.memory.number), theirs.memory.per.clone());
            let same = |run: &Waiting| self.current(run.memory.number) == number && run.memory.per == per;
            let lost = match into.waiting.iter().position(same) {
                Some(position) if farther(&into.waiting[position]) <= farther(&theirs) => theirs,
                Some(position) => std::mem::replace(&mut into.waiting[position], theirs),
                None if self.runs_of(into, number) >= MAX_RUNS => {
                    out.counts.runs_refused += 1;
                    theirs
                }
                None => {
                    into.waiting.push(theirs);
                    continue;
                }
            };
            self.give_back(into, &lost.memory);
        }
        into.waiting.sort_by_key(|run| (run.memory.number, run.memory.id));
    }

    /// What conditions of `stop when` say after customers were joined is no start.
    pub(super) fn settle_waiting(&self, customer: &mut Customer, now: Millis) {
        for mut run in std::mem::take(&mut customer.waiting) {
            run.stop_holds = self.stop_condition_holds(customer, &run.memory, now);
            hold::settle(&mut run.memory.hold, &self.zone(customer));
            customer.waiting.push(run);
        }
    }

    /// Ends a run while it waits.
    pub(super) fn stop(&self, customer: &mut Customer, run: Waiting, now: Millis, out: &mut Output) {
        let Some(rule) = self.program.rules.get(run.memory.number) else { return };
        self.give_back(customer, &run.memory);
        let channel = run.memory.hold.as_ref().map(|hold| hold.channel.clone());
        let stopped = Run { rule, now, memory: run.memory };
        out.records.push(stopped.suppressed(customer, run.paused.step, channel.as_ref(), Reason::Stopped));
    }

    /// A run that did nothing does not count for the rule's limit.
    fn give_back(&self, customer: &mut Customer, memory: &Memory) {
        if !memory.did_something
            && let Some(runs) = customer.runs.get_mut(self.current(memory.number))
        {
            runs.retain(|counted| counted.order != memory.id);
        }
    }
}
