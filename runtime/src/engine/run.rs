//! Runs from their start to their end: what keeps one from starting, what it remembers while it waits, what ends it.

mod carry;
mod merge;

pub(super) use carry::under_way;

use super::{
    Engine,
    customer::{Customer, Match, Opened},
    frame::{Frame, Kept},
    host::Occasion,
    instant::{Cause, Moment},
    merge::kept,
    sequence,
    steps::suppressed,
};
use segue_compiler::{
    abi::NO_DEADLINE,
    consent::Stamp,
    hold::Hold,
    limits::MAX_RUNS,
    packed,
    plan::{Heard, OpKind, RulePlan, Task},
    record::{ActionId, Because, Change, Instant, Reason},
    share::in_split,
    typed::{About, Limit, Overlap, Rule, SegmentId},
    value::{Millis, Value},
};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

/// A run that does its steps.
pub(super) struct Run<'r> {
    pub(super) rule: &'r Rule,
    pub(super) plan: &'r RulePlan,
    /// The events that it can look at.
    pub(super) completed: Option<Opened>,
    pub(super) memory: Memory,
}

/// What a run remembers from one step to the next.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    /// The rule's number.
    pub(super) rule: u32,
    /// Tells runs apart, and is their order.
    id: u64,
    /// The value that tells the rule's runs apart.
    per: Value,
    /// Whose it was when it began, where that customer was joined with another: its actions' ids stay as they are.
    origin: Option<Arc<str>>,
    pub(super) completed: Option<Match>,
    /// The event that ended a wait last.
    answer: Option<Arc<Kept>>,
    /// The messages that it sent, and on which channel.
    pub(super) sent: Vec<(ActionId, Arc<str>)>,
    /// What its actions' ids are made of.
    trigger: SmallVec<[Arc<str>; 1]>,
    pub(super) because: Because,
    /// The place of what triggered it: what comes later can stop it.
    began: Stamp,
    /// When it was started.
    started: Millis,
    /// Whether it did something.
    pub(super) acted: bool,
    /// Whether it sent a message, or would have, were the customer not held out.
    pub(super) has_sent: bool,
    /// The message that is held, with which it goes on.
    pub(super) hold: Option<Hold>,
}

/// A run leaves off, to go on later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    /// The operation with which it goes on: the next one, or one that is held and done anew.
    pub(super) place: usize,
    /// The step at which it leaves off.
    pub(super) step: u32,
    /// The instant at which it goes on.
    pub(super) until: Millis,
    /// Where in the customer's order it left off: what comes later is new.
    pub(super) since: Stamp,
    /// The operation with which it goes on when the event comes that the one before waits for.
    pub(super) answered: Option<usize>,
}

/// A run that waits.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    memory: Memory,
    pause: Pause,
    /// Whether the condition of `stop when` held when it was last asked.
    stop_holds: bool,
    /// When that may change by time.
    next_change: Millis,
}

packed!(Memory {
    rule,
    id,
    per,
    origin,
    completed,
    answer,
    sent,
    trigger,
    because,
    began,
    started,
    acted,
    has_sent,
    hold
});
packed!(Pause { place, step, until, since, answered });
packed!(Waiting { memory, pause, stop_holds, next_change });

impl Waiting {
    /// The next instant at which time alone may have to do with it.
    pub(super) fn next_deadline(&self) -> Millis {
        self.pause.until.min(self.next_change)
    }

    fn place(&self) -> (u32, u64) {
        (self.memory.rule, self.memory.id)
    }
}

impl Customer {
    /// The runs whose wait is over, by rule and id.
    pub(super) fn waits_over(&self, now: Millis) -> Vec<(u32, u64)> {
        self.waiting.iter().filter(|run| run.pause.until <= now).map(Waiting::place).collect()
    }
}

impl Engine {
    /// The current version of a rule: that by which limits, overlaps and goals go.
    pub(super) fn current(&self, rule: u32) -> u32 {
        self.current.get(rule as usize).copied().unwrap_or(rule)
    }

    /// How many runs of a rule are under way, of whatever version.
    fn runs_of(&self, customer: &Customer, rule: u32) -> usize {
        let waiting = customer.waiting.iter().filter(|run| self.current(run.memory.rule) == rule).count();
        waiting + customer.runs.get(rule).map_or(0, |runs| runs.under_way.len())
    }

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
        let completed = match cause {
            Cause::Match(completed) => Some(completed.clone()),
            Cause::Schedule | Cause::Change { .. } => None,
        };
        let (now, id) = (moment.now, customer.next_order());
        let memory = Memory {
            rule: number,
            id,
            per: Value::Missing,
            began: self.place_of(rule, completed.as_ref()).unwrap_or((now, id)),
            trigger: self.trigger_parts(cause, now),
            because: self.because(cause, now),
            started: now,
            origin: None,
            answer: None,
            sent: Vec::new(),
            acted: false,
            has_sent: false,
            hold: None,
            completed,
        };
        let mut run = self.resume(rule, plan, memory);
        if let Some(value) = plan.overlap_per {
            run.memory.per = self.value(customer, now, run.completed.as_ref(), value);
        }
        if let Some(reason) = self.refusal(customer, &run, now) {
            let full = reason == Reason::Running && self.runs_of(customer, number) >= MAX_RUNS;
            moment.out.counts.runs_refused += u64::from(full);
            if reason == Reason::Condition && self.program.is_for_everybody(rule) {
                return;
            }
            let id = run.id(customer, 0);
            moment.out.records.push(suppressed(now, id, customer, &run, 0, None, reason, None));
            return;
        }
        if rule.overlap == Overlap::Restart {
            let old: Vec<Waiting> =
                customer.waiting.extract_if(.., |other| self.current(other.memory.rule) == number).collect();
            old.into_iter().for_each(|old| self.stop(customer, old, moment));
        }
        if let Some(limit) = rule.limit {
            let runs = customer.runs.entry(number);
            runs.started.push_back(now);
            while runs.started.len() > kept(limit) {
                runs.started.pop_front();
            }
        }
        moment.out.fired.push(rule.name.clone());
        self.go_on(customer, run, 0, moment);
    }

    /// The place of the event that triggers; nothing where time or a change of a segment does.
    fn place_of(&self, rule: &Rule, completed: Option<&Match>) -> Option<Stamp> {
        let id = rule.trigger.sequence()?;
        let plan = self.machine.plan.sequences.get(id.0 as usize)?;
        completed.filter(|_| plan.then_no.is_none()).map(Match::waits_from)
    }

    #[inline(always)]
    fn resume<'r>(&self, rule: &'r Rule, plan: &'r RulePlan, memory: Memory) -> Run<'r> {
        let mut completed = memory.completed.as_ref().map(|completed| completed.open(&self.machine));
        if let Some(answer) = &memory.answer {
            let nothing = || Opened { frames: Vec::new(), first: (0, 0), answer: None };
            completed.get_or_insert_with(nothing).answer = Some(answer.frame(&self.machine));
        }
        Run { rule, plan, completed, memory }
    }

    /// The first reason for which a run does not start.
    fn refusal(&self, customer: &mut Customer, run: &Run<'_>, now: Millis) -> Option<Reason> {
        let number = run.memory.rule;
        let view = self.views.get(number as usize);
        if view.is_some_and(|view| view.is_cold(&self.program, run.rule, &self.settings, now)) {
            return Some(Reason::Cold);
        }
        let under_way = customer.runs.get(number).map(|runs| runs.under_way.as_slice());
        if under_way.unwrap_or_default().contains(&run.memory.per) {
            return Some(Reason::Running);
        }
        let mut waiting = customer.waiting.iter().filter(|other| self.current(other.memory.rule) == number);
        // The start of a run that gives way: where it did nothing, it will not have counted.
        let mut given_back = None;
        if run.rule.overlap == Overlap::Restart {
            given_back = waiting.next().filter(|old| !old.memory.acted).map(|old| old.memory.started);
        } else if waiting.any(|other| other.memory.per == run.memory.per)
            || self.runs_of(customer, number) >= MAX_RUNS
        {
            return Some(Reason::Running);
        }
        let counted = |since: Option<Millis>| {
            let started = customer.runs.get(number).into_iter().flat_map(|runs| &runs.started);
            let counts = |at: Millis| since.is_none_or(|since| at > since);
            let all = started.filter(|at| counts(**at)).count();
            all.saturating_sub(usize::from(given_back.is_some_and(counts)))
        };
        let reached = match run.rule.limit {
            None => false,
            Some(Limit::Once) => counted(None) > 0,
            Some(Limit::Per { count, per }) => counted(Some(now - per)) >= count as usize,
        };
        if reached {
            return Some(Reason::Limit);
        }
        let condition = run
            .plan
            .only_if
            .is_none_or(|condition| self.holds(customer, now, run.completed.as_ref(), condition));
        (!condition).then_some(Reason::Condition)
    }

    /// Does a run's operations from a place on until it waits or ends.
    fn go_on(&self, customer: &mut Customer, mut run: Run<'_>, place: usize, moment: &mut Moment<'_>) {
        let number = self.current(run.memory.rule);
        customer.runs.entry(number).under_way.push(run.memory.per.clone());
        let pause = self.operations(customer, &mut run, place, moment);
        if let Some(runs) = customer.runs.get_mut(number) {
            runs.under_way.retain(|other| *other != run.memory.per);
        }
        match pause {
            Some(pause) => self.pause(customer, run, pause, moment.now),
            None => self.give_back(customer, &run.memory),
        }
        if customer.runs.get(number).is_some_and(|it| it.started.is_empty() && it.under_way.is_empty()) {
            customer.runs.remove(number);
        }
    }

    /// Keeps a run until it goes on.
    fn pause(&self, customer: &mut Customer, run: Run<'_>, pause: Pause, now: Millis) {
        let Run { rule, plan, mut memory, .. } = run;
        for event in memory.completed.iter_mut().flat_map(|completed| &mut completed.events) {
            *event = Arc::new(event.cut());
        }
        if let Some(answer) = &mut memory.answer {
            *answer = Arc::new(answer.cut());
        }
        let run = self.resume(rule, plan, memory);
        let (stop_holds, next_change) = self.stop_condition(customer, &run, now);
        let waiting = Waiting { memory: run.memory, pause, stop_holds, next_change };
        let place = customer.waiting.partition_point(|other| other.place() < waiting.place());
        customer.waiting.insert(place, waiting);
    }

    /// Goes on with a run whose wait is over.
    pub(super) fn end_wait(&self, customer: &mut Customer, id: (u32, u64), moment: &mut Moment<'_>) {
        let over = |run: &Waiting| run.place() == id && run.pause.until <= moment.now;
        let Some(place) = customer.waiting.iter().position(over) else { return };
        let Waiting { memory, pause, .. } = customer.waiting.remove(place);
        if let Some(run) = self.woken(memory) {
            self.go_on(customer, run, pause.place, moment);
        }
    }

    /// The runs whose wait an event ends, each with the place where that wait began.
    pub(super) fn answered(
        &self,
        customer: &mut Customer,
        event: &Frame,
        now: Millis,
    ) -> Vec<((u32, u64), Stamp)> {
        let mut answered = Vec::new();
        for waiting in std::mem::take(&mut customer.waiting) {
            let plan = self.machine.plan.rules.get(waiting.memory.rule as usize);
            let before = waiting.pause.answered.and_then(|place| place.checked_sub(1));
            let waits = before.and_then(|place| plan?.operations.get(place));
            let ends = match waits.map(|waits| &waits.kind) {
                Some(OpKind::WaitFor { heard, .. }) => {
                    event.stamp() > waiting.pause.since
                        && heard.concerns(event.event)
                        && waiting.memory.has_to_do_with(heard, event)
                        && self.woken(waiting.memory.clone()).is_some_and(|run| {
                            self.hears(customer, heard, run.completed.as_ref(), event, now)
                        })
                }
                _ => false,
            };
            if ends {
                answered.push((waiting.place(), waiting.pause.since));
            }
            customer.waiting.push(waiting);
        }
        answered
    }

    /// Goes on with a run whose wait an event ends, unless something else did.
    pub(super) fn answer(
        &self,
        customer: &mut Customer,
        (id, since): ((u32, u64), Stamp),
        event: &Frame,
        moment: &mut Moment<'_>,
    ) {
        let is_it = |run: &Waiting| run.place() == id && run.pause.since == since;
        let Some(place) = customer.waiting.iter().position(is_it) else { return };
        let Waiting { mut memory, pause, .. } = customer.waiting.remove(place);
        memory.answer = Some(event.kept(&self.machine, true));
        if let (Some(run), Some(place)) = (self.woken(memory), pause.answered) {
            self.go_on(customer, run, place, moment);
        }
    }

    /// Asks again for messages that are held for quiet time, of customers who have moved.
    pub(super) fn ask_who_moved(&self, customer: &mut Customer, moment: &mut Moment<'_>) {
        let has_moved = |engine: &Self, customer: &Customer, run: &Waiting| {
            run.memory.hold.as_ref().is_some_and(|hold| hold.is_elsewhere(engine.zone(customer)))
        };
        let moved = customer.waiting.iter().filter(|run| has_moved(self, customer, run)).map(Waiting::place);
        for id in moved.collect::<Vec<_>>() {
            let is_it = |run: &Waiting| run.place() == id && has_moved(self, customer, run);
            let Some(place) = customer.waiting.iter().position(is_it) else { continue };
            let Waiting { memory, pause, .. } = customer.waiting.remove(place);
            if let Some(run) = self.woken(memory) {
                self.go_on(customer, run, pause.place, moment);
            }
        }
    }

    fn woken(&self, memory: Memory) -> Option<Run<'_>> {
        let number = memory.rule as usize;
        Some(self.resume(self.program.rules.get(number)?, self.machine.plan.rules.get(number)?, memory))
    }

    /// Ends the runs that an event, or a condition that starts to hold, stops while they wait.
    pub(super) fn stop_runs(&self, customer: &mut Customer, event: Option<&Frame>, moment: &mut Moment<'_>) {
        for mut waiting in std::mem::take(&mut customer.waiting) {
            let Some(plan) = self.machine.plan.rules.get(waiting.memory.rule as usize) else { continue };
            let concerns = |heard: &Option<Heard>| {
                heard.as_ref().is_some_and(|heard| event.is_some_and(|event| heard.concerns(event.event)))
            };
            if plan.stop_condition.is_none() && !concerns(&plan.stop_event) && !concerns(&plan.stop_no) {
                customer.waiting.push(waiting);
                continue;
            }
            let Some(run) = self.woken(waiting.memory) else { continue };
            let by_event = event.is_some_and(|event| self.is_stopped_by(customer, &run, event, moment.now));
            let held = waiting.stop_holds;
            (waiting.stop_holds, waiting.next_change) = self.stop_condition(customer, &run, moment.now);
            waiting.memory = run.memory;
            if by_event || waiting.stop_holds && !held {
                self.stop(customer, waiting, moment);
            } else {
                customer.waiting.push(waiting);
            }
        }
    }

    /// Whether the condition of `stop when` holds, and when that may change by time.
    fn stop_condition(&self, customer: &mut Customer, run: &Run<'_>, now: Millis) -> (bool, Millis) {
        let Some(watch) = run.plan.stop_condition else { return (false, NO_DEADLINE) };
        let occasion = Occasion { now, run: run.completed.as_ref(), ..Occasion::default() };
        let (holds, effects) = self.run(customer, occasion, None, Task::Watch(watch));
        (holds != 0, effects.deadline)
    }

    /// Whether an event stops a run: by its `stop when`, or because it is what the trigger says must not come.
    fn is_stopped_by(&self, customer: &mut Customer, run: &Run<'_>, event: &Frame, now: Millis) -> bool {
        if let Some(heard) = &run.plan.stop_event
            && event.stamp() > run.memory.began
            && self.hears(customer, heard, run.completed.as_ref(), event, now)
        {
            return true;
        }
        let (Some(heard), Some(completed)) = (&run.plan.stop_no, &run.memory.completed) else { return false };
        let Some(id) = run.rule.trigger.sequence() else { return false };
        let Some(plan) = self.machine.plan.sequences.get(id.0 as usize) else { return false };
        event.stamp() > completed.waits_from()
            && sequence::same_key(plan, event, run.completed.as_ref().and_then(|opened| opened.frames.last()))
            && self.hears(customer, heard, None, event, now)
    }

    /// Whether an event is one that is listened for.
    pub(super) fn hears(
        &self,
        customer: &mut Customer,
        heard: &Heard,
        run: Option<&Opened>,
        event: &Frame,
        now: Millis,
    ) -> bool {
        let occasion = Occasion { now, event: Some((event, true)), run, ..Occasion::default() };
        heard.concerns(event.event)
            && heard
                .filter
                .is_none_or(|condition| self.run(customer, occasion, None, Task::Condition(condition)).0 != 0)
    }

    /// Ends a run while it waits.
    pub(super) fn stop(&self, customer: &mut Customer, waiting: Waiting, moment: &mut Moment<'_>) {
        self.give_back(customer, &waiting.memory);
        let step = waiting.pause.step;
        let channel = waiting.memory.hold.as_ref().map(|hold| hold.channel.clone());
        let Some(run) = self.woken(waiting.memory) else { return };
        let id = run.id(customer, step);
        moment.out.records.push(suppressed(
            moment.now,
            id,
            customer,
            &run,
            step,
            channel,
            Reason::Stopped,
            None,
        ));
    }

    fn trigger_parts(&self, cause: &Cause, now: Millis) -> SmallVec<[Arc<str>; 1]> {
        match cause {
            Cause::Match(completed) => {
                completed.events.iter().map(|event| Arc::from(&*event.message_id)).collect()
            }
            Cause::Schedule => smallvec![Arc::from(Instant(now).to_string())],
            Cause::Change { segment, change, id, .. } => {
                let word = match change {
                    Change::Enter => "enter",
                    Change::Leave => "leave",
                };
                let instant = Instant(now).to_string();
                smallvec![self.segment_name(*segment), Arc::from(word), Arc::from(instant), id.clone()]
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

    fn segment_name(&self, segment: SegmentId) -> Arc<str> {
        self.program.segments.get(segment.0 as usize).map(|segment| segment.name.clone()).unwrap_or_default()
    }
}

impl Memory {
    /// Whether an event is about the messages that a run listens for.
    fn has_to_do_with(&self, heard: &Heard, event: &Frame) -> bool {
        let text = |slot: u32| event.values.get(slot as usize).and_then(Value::as_text);
        let [message, channel] = heard.slots;
        match (heard.about, text(message)) {
            (About::Anything, _) => true,
            (About::Message | About::MessageOrChannel, Some(message)) => {
                self.sent.iter().any(|(id, _)| id.to_string() == message)
            }
            (About::Message, None) => false,
            (About::MessageOrChannel, None) => {
                let channel = text(channel);
                self.sent.iter().any(|(_, other)| channel == Some(&**other))
            }
        }
    }
}

/// How many parts of a trigger are looked at without memory of their own: as many as a change of a segment has.
const TRIGGER_PARTS: usize = 4;

impl Run<'_> {
    /// Where the run stands in a split.
    pub(super) fn place_in_split(&self, customer: &Customer, step: u32) -> u64 {
        in_split(self.rule.identity(), self.origin(customer), &self.trigger(), step)
    }

    /// Whose the run was when it began.
    fn origin<'c>(&'c self, customer: &'c Customer) -> &'c str {
        self.memory.origin.as_ref().unwrap_or(&customer.id)
    }

    pub(super) fn id(&self, customer: &Customer, step: u32) -> ActionId {
        ActionId::of(self.rule.identity(), self.origin(customer), &self.trigger(), step)
    }

    /// What its actions' ids are made of.
    fn trigger(&self) -> SmallVec<[&str; TRIGGER_PARTS]> {
        self.memory.trigger.iter().map(|part| &**part).collect()
    }
}

impl Engine {
    /// A run that did nothing does not count for the rule's limit.
    fn give_back(&self, customer: &mut Customer, memory: &Memory) {
        let rule = self.current(memory.rule);
        let Some(runs) = customer.runs.get_mut(rule).filter(|_| !memory.acted) else { return };
        if let Some(place) = runs.started.iter().rposition(|started| *started == memory.started) {
            runs.started.remove(place);
        }
        if runs.started.is_empty() && runs.under_way.is_empty() {
            customer.runs.remove(rule);
        }
    }
}
