//! Instants: a call, a deadline, a consequence.

use super::{
    Engine,
    customer::{Customer, Match},
    frame::{Frame, Reading, Tracked},
    host::{Effects, Occasion},
    sequence::{self, Completed},
};
use segue_compiler::{
    consent::Stamp,
    event::Incoming,
    execution::{Outcome, Output},
    limits::MAX_CONSEQUENCES,
    plan::Task,
    record::{Change, Instant, Record, SegmentChange},
    typed::{SegmentId, SequenceId},
    value::{Millis, Text},
};
use std::sync::Arc;

/// Why a run started.
#[derive(Clone, Debug)]
pub(super) enum Cause {
    /// A match.
    Match(Match),
    /// A schedule came round.
    Schedule,
    /// A segment changed, with the event of the instant, if there was one, and the id of what changed it.
    Change { segment: SegmentId, change: Change, event: Option<Origin>, id: Arc<str> },
}

/// The event of the instant in which something changed.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) name: Arc<str>,
    pub(super) message_id: Text,
}

impl Origin {
    fn of(event: &Frame) -> Self {
        Self { name: event.name.clone(), message_id: event.message_id.clone() }
    }
}

/// A rule's turn within an instant.
enum Turn {
    /// A run goes on, because its time is up.
    GoOn((u32, u64)),
    /// A run goes on, because what it waits for has come.
    Answer(((u32, u64), Stamp)),
    /// A run may start.
    Start(Cause),
}

/// An instant being worked through.
pub(super) struct Moment<'o> {
    pub(super) now: Millis,
    pub(super) out: &'o mut Output,
    /// How many consequences may still trigger rules; `None` in those that may not.
    pub(super) consequences: Option<u32>,
}

impl Engine {
    /// Applies one call that is not held, and was read.
    pub(super) fn apply_call(
        &self,
        customer: &mut Customer,
        incoming: &Incoming<'_>,
        reading: &mut Reading,
        out: &mut Output,
    ) -> Outcome {
        let outcome = customer.admission.admit(incoming, customer.clock, &self.settings, &mut out.counts);
        match outcome {
            Outcome::Duplicate | Outcome::Quarantined | Outcome::Held => return outcome,
            Outcome::Applied | Outcome::Late | Outcome::Doubtful => {}
        }
        self.pass_deadlines(customer, incoming.at - 1, out);
        let now = customer.clock.map_or(incoming.at, |clock| clock.max(incoming.at));
        customer.clock = Some(now);
        if outcome == Outcome::Doubtful {
            self.apply_doubtful(customer, (incoming, reading), now, out);
            return outcome;
        }
        // A session begins before the event that begins it.
        let session = self.begins_session(customer, incoming, now);
        let session = session.then(|| (incoming.at, customer.next_order()));
        let stamp = (incoming.at, customer.next_order());
        let starts = now - incoming.at <= self.settings.lateness;
        self.reach(customer, incoming.at - 1);
        self.record_zone(customer, incoming.time_zone, stamp);
        let mut moment = Moment { now, out, consequences: Some(MAX_CONSEQUENCES) };
        match Tracked::of(&incoming.call, incoming.message_id) {
            Some(event) => {
                let frame = reading.event(stamp.1, &mut moment.out.counts);
                let active = self.is_active(frame.event);
                self.follow_messaging(customer, frame, event);
                if let Some(first) = session {
                    customer.seen(incoming.at, false);
                    self.start_session(customer, first, starts, &mut moment);
                }
                customer.seen(incoming.at, active);
                if active {
                    self.continue_session(customer, frame);
                }
                self.event_instant(customer, frame, starts, &mut moment);
            }
            None => {
                customer.seen(incoming.at, false);
                self.record_call(customer, &incoming.call, stamp, &mut moment.out.counts);
                self.change_instant(customer, incoming.message_id, starts, &mut moment);
            }
        }
        self.plan_schedules(customer);
        outcome
    }

    /// The instant of an event.
    pub(super) fn event_instant(
        &self,
        customer: &mut Customer,
        event: &Frame,
        starts: bool,
        moment: &mut Moment<'_>,
    ) {
        self.follow_goals(customer, event, moment.now);
        let due = customer.next_change <= moment.now;
        let occasion = Occasion { now: moment.now, event: Some((event, starts)), ..Occasion::default() };
        let task = Task::Event { event: event.event, due };
        let (next, mut effects) = self.run(customer, occasion, None, task);
        customer.next_change = if due { next } else { customer.next_change.min(next) };
        self.follow(customer, &mut effects, Some(event), &event.message_id, starts, moment);
    }

    /// An instant in which something other than an event changed, by the call or action with an id.
    pub(super) fn change_instant(
        &self,
        customer: &mut Customer,
        id: &str,
        starts: bool,
        moment: &mut Moment<'_>,
    ) {
        let mut effects = self.evaluate(customer, moment.now);
        self.follow(customer, &mut effects, None, id, starts, moment);
    }

    pub(super) fn evaluate(&self, customer: &mut Customer, now: Millis) -> Effects {
        let occasion = Occasion { now, ..Occasion::default() };
        let (next, effects) = self.run(customer, occasion, None, Task::Evaluate);
        customer.next_change = next;
        effects
    }

    /// Gives segments their level without a change.
    pub(super) fn set_levels(&self, customer: &mut Customer, now: Millis) {
        let _ = self.evaluate(customer, now);
        customer.next_change = i64::MIN;
        if !customer.is_seen() {
            // Nothing has lasted before anything happened.
            customer.forget_held(&self.machine.plan);
        }
        self.plan_schedules(customer);
    }

    /// Lets every deadline up to and including an instant pass.
    pub(super) fn pass_deadlines(&self, customer: &mut Customer, until: Millis, out: &mut Output) {
        while let Some(at) = customer.next_deadline().filter(|at| *at <= until) {
            let now = customer.clock.map_or(at, |clock| clock.max(at));
            customer.clock = Some(now);
            // The end of a session is an event, and the deadlines of its time come after it.
            if self.end_session(customer, now, out) {
                self.plan_schedules(customer);
                continue;
            }
            let matches = self.completed(customer, now);
            let scheduled = self.pass_schedules(customer, now);
            let waits_over = customer.waits_over(now);
            // A schedule or the end of a wait alone changes no segment.
            let may_change = customer.next_change <= now || !matches.is_empty();
            let mut effects = if may_change { self.evaluate(customer, now) } else { Effects::default() };
            (effects.matches, effects.scheduled, effects.waits_over) = (matches, scheduled, waits_over);
            let mut moment = Moment { now, out, consequences: Some(MAX_CONSEQUENCES) };
            self.follow(customer, &mut effects, None, "", true, &mut moment);
            self.plan_schedules(customer);
        }
    }

    /// The matches whose last event did not come, sequence by sequence.
    fn completed(&self, customer: &mut Customer, now: Millis) -> Vec<(SequenceId, Match)> {
        if customer.next_match.is_none_or(|next| next > now) {
            return Vec::new();
        }
        let mut all = Vec::new();
        let order = customer.order();
        customer.sequences.retain(|number, sequence| {
            if sequence.next_deadline().is_none_or(|due| due > now) {
                return true;
            }
            let state = sequence.read(&self.machine);
            let Some(plan) = self.machine.plan.sequences.get(number as usize) else { return false };
            all.extend(
                state.complete(plan, now).into_iter().map(|completed| (SequenceId(number), completed)),
            );
            !state.is_empty()
        });
        customer.schedule_matches();
        for (sequence, _) in &all {
            let record = &mut customer.record;
            let add = |word: u32| {
                if let Some(word) = record.get_mut(word as usize) {
                    *word += 1;
                }
            };
            let zone = customer.zone.as_ref().unwrap_or(&self.settings.time_zone);
            let completed = Completed { at: now, order, now, zone };
            sequence::feed(&self.machine, *sequence, completed, add, &mut customer.rings, &mut customer.days);
        }
        all
    }

    /// Records changed segments, stops runs, then goes on with those whose wait is over and starts what is triggered.
    pub(super) fn follow(
        &self,
        customer: &mut Customer,
        effects: &mut Effects,
        event: Option<&Frame>,
        id: &str,
        starts: bool,
        moment: &mut Moment<'_>,
    ) {
        moment.out.counts += effects.counts;
        if moment.out.silent {
            return;
        }
        for (segment, level) in &effects.edges {
            let Some(definition) = self.program.segments.get(segment.0 as usize) else { continue };
            moment.out.records.push(Record::Segment(SegmentChange {
                at: Instant(moment.now),
                customer: customer.id.clone(),
                segment: definition.name.clone(),
                change: if *level { Change::Enter } else { Change::Leave },
            }));
        }
        if !customer.waiting.is_empty() {
            self.stop_runs(customer, event, moment);
            self.ask_who_moved(customer, moment);
        }
        let starts = starts && moment.consequences.is_some();
        let answered = match event {
            Some(event) if starts && !customer.waiting.is_empty() => {
                self.answered(customer, event, moment.now)
            }
            _ => Vec::new(),
        };
        let nothing = answered.is_empty()
            && effects.edges.is_empty()
            && effects.matches.is_empty()
            && effects.scheduled.is_empty()
            && effects.waits_over.is_empty();
        if !starts || nothing {
            return;
        }
        // Of each rule first the runs that go on, then those that start.
        let mut turns: Vec<(u32, Turn)> =
            effects.waits_over.drain(..).map(|id| (id.0, Turn::GoOn(id))).collect();
        turns.extend(answered.into_iter().map(|answered| (answered.0.0, Turn::Answer(answered))));
        for (sequence, completed) in effects.matches.drain(..) {
            let Some(plan) = self.machine.plan.sequences.get(sequence.0 as usize) else { continue };
            turns.extend(plan.rules.iter().map(|rule| (*rule, Turn::Start(Cause::Match(completed.clone())))));
        }
        for (segment, level) in effects.edges.drain(..) {
            let Some(changes) = self.changes.get(segment.0 as usize) else { continue };
            let (rules, change) =
                if level { (&changes.enters, Change::Enter) } else { (&changes.leaves, Change::Leave) };
            let cause = Cause::Change { segment, change, event: event.map(Origin::of), id: id.into() };
            turns.extend(rules.iter().map(|rule| (*rule, Turn::Start(cause.clone()))));
        }
        for schedule in effects.scheduled.drain(..) {
            let Some(plan) = self.machine.plan.schedules.get(schedule.0 as usize) else { continue };
            turns.extend(plan.rules.iter().map(|rule| (*rule, Turn::Start(Cause::Schedule))));
        }
        // Stable: the matches of one rule stay in their order.
        turns.sort_by_key(|(rule, _)| *rule);
        for (rule, turn) in turns {
            match turn {
                Turn::GoOn(id) => self.end_wait(customer, id, moment),
                Turn::Answer(answered) => {
                    if let Some(event) = event {
                        self.answer(customer, answered, event, moment);
                    }
                }
                Turn::Start(cause) => self.trigger(customer, rule, &cause, moment),
            }
        }
    }
}
