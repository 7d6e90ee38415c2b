//! A part of the customers.

use super::{Tally, changes::Asked};
use crate::{customers::Customers, deadlines::Deadlines, source::Envelope, threads::hash};
use segue_compiler::{
    arrival::Arrivals,
    execution::{Execution, Outcome, Output},
    goal,
    record::Record,
    typed::SegmentId,
    value::Millis,
};
use std::sync::Arc;

pub(super) struct Shard<E: Execution> {
    pub(super) customers: Customers<E>,
    pub(super) deadlines: Deadlines,
    pub(super) changed: Changed,
    /// Who is still to be given out as they were when changes were last asked for.
    pub(super) asked: Option<Asked<E>>,
    pub(super) records: Vec<Record>,
    pub(super) tally: Tally,
    /// What was read of the last call, to be written over by the next.
    reading: E::Reading,
    /// What the last step gave, taken up at once.
    pub(super) output: Output,
}

/// Places of whom something changed, each once.
#[derive(Debug, Default)]
pub(super) struct Changed {
    marks: Vec<u64>,
    /// Also those that were taken out.
    places: Vec<u32>,
    count: usize,
}

impl Changed {
    pub(super) fn insert(&mut self, place: u32) {
        let (word, bit) = (place as usize / 64, 1 << (place % 64));
        if self.marks.len() <= word {
            self.marks.resize(word + 1, 0);
        }
        if let Some(marks) = self.marks.get_mut(word)
            && *marks & bit == 0
        {
            *marks |= bit;
            self.count += 1;
            self.places.push(place);
        }
    }

    /// Takes one out; whether it was there.
    pub(super) fn remove(&mut self, place: u32) -> bool {
        let (word, bit) = (place as usize / 64, 1 << (place % 64));
        let Some(marks) = self.marks.get_mut(word).filter(|marks| **marks & bit != 0) else { return false };
        *marks &= !bit;
        self.count -= 1;
        true
    }

    /// Takes any of them out.
    pub(super) fn pop(&mut self) -> Option<u32> {
        loop {
            let place = self.places.pop()?;
            // Those that were taken out have no mark any more.
            if self.remove(place) {
                return Some(place);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl<E: Execution> Shard<E> {
    pub(super) fn new(start: Millis) -> Self {
        Self {
            customers: Customers::new(),
            deadlines: Deadlines::new(start),
            changed: Changed::default(),
            asked: None,
            records: Vec::new(),
            tally: Tally::default(),
            reading: E::Reading::default(),
            output: Output::default(),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.customers.count()
    }

    pub(super) fn places(&self) -> usize {
        self.customers.len()
    }

    pub(super) fn wake_at(&self) -> Option<Millis> {
        self.deadlines.wake_at()
    }

    pub(super) fn apply(&mut self, execution: &E, arrivals: Arrivals, call: &Envelope<'_>) {
        let id = &*call.customer;
        let place = self.customers.place(execution, hash(id), id);
        self.before_changing(execution, place, self.deadlines.at(place));
        let state = self.customers.wake(execution, place);
        let outcome = arrivals.apply(execution, state, &call.incoming(), &mut self.reading, &mut self.output);
        let next = execution.next_deadline(state);
        if call.known {
            self.customers.note_known(place);
        }
        self.output.settled.push(outcome);
        self.take_up(place, next);
    }

    /// Lets time pass for those of whom something is due, at most so many.
    pub(super) fn advance(&mut self, execution: &E, until: Millis, most: usize) {
        for _ in 0..most {
            let Some(due) = self.deadlines.pop(until) else { break };
            self.before_changing(execution, due.place, Some(due.at));
            let state = self.customers.wake(execution, due.place);
            execution.advance(state, until, &mut self.output);
            let next = execution.next_deadline(state);
            self.take_up(due.place, next);
        }
    }

    /// As [`Shard::advance`], after nobody was there.
    pub(super) fn resume(&mut self, execution: &E, until: Millis, now: Millis, most: usize) {
        for _ in 0..most {
            let Some(due) = self.deadlines.pop(until) else { break };
            self.before_changing(execution, due.place, Some(due.at));
            let state = self.customers.wake(execution, due.place);
            execution.overdue(state, until, now, &mut self.output);
            let next = execution.next_deadline(state);
            self.take_up(due.place, next);
        }
    }

    /// Whether there is a customer who was ever named by this `userId`.
    pub(super) fn is_known(&self, execution: &E, id: &str) -> bool {
        let place = self.customers.find(execution, hash(id), id);
        place.is_some_and(|place| self.customers.is_known(place))
    }

    /// Until when time passes for a customer before being joined with another; none when there is nobody.
    pub(super) fn meeting(&mut self, execution: &E, id: &str, at: Millis, settled: Millis) -> Option<Millis> {
        let place = self.customers.find(execution, hash(id), id)?;
        Some(self.meeting_at(execution, place, at, settled))
    }

    /// As [`Shard::meeting`], of somebody who may be new.
    pub(super) fn entry_meeting(
        &mut self,
        execution: &E,
        id: &str,
        at: Millis,
        settled: Millis,
    ) -> (u32, Millis) {
        let place = self.customers.place(execution, hash(id), id);
        (place, self.meeting_at(execution, place, at, settled))
    }

    fn meeting_at(&mut self, execution: &E, place: u32, at: Millis, settled: Millis) -> Millis {
        self.advance_one(execution, place, settled);
        execution.meeting(self.customers.wake(execution, place), at)
    }

    /// Gives a customer away, as of an instant.
    pub(super) fn give(&mut self, execution: &E, id: &str, meeting: Millis) -> Option<E::Customer> {
        let place = self.customers.find(execution, hash(id), id)?;
        self.advance_one(execution, place, meeting);
        self.deadlines.remove(place);
        // Where nobody is nothing has changed; that they went is told by who asked for it.
        self.changed.remove(place);
        Some(self.customers.take(execution, place))
    }

    /// Takes up what another did.
    pub(super) fn join(&mut self, execution: &E, place: u32, meeting: Millis, other: E::Customer) {
        let state = self.customers.wake(execution, place);
        execution.advance(state, meeting, &mut self.output);
        execution.merge(state, other, &mut self.output);
        let next = execution.next_deadline(state);
        self.customers.note_known(place);
        self.take_up(place, next);
    }

    pub(super) fn advance_one(&mut self, execution: &E, place: u32, until: Millis) {
        self.before_changing(execution, place, self.deadlines.at(place));
        let state = self.customers.wake(execution, place);
        execution.advance(state, until, &mut self.output);
        let next = execution.next_deadline(state);
        self.take_up(place, next);
    }

    pub(super) fn erase(&mut self, execution: &E, hash: u64, id: &str) {
        if let Some(place) = self.customers.find(execution, hash, id) {
            self.before_changing(execution, place, self.deadlines.at(place));
            self.deadlines.remove(place);
            self.changed.remove(place);
        }
        self.customers.erase(execution, hash, id);
    }

    /// The segments that a customer is in, of so many, and the next deadline.
    pub(super) fn look_at(
        &mut self,
        execution: &E,
        hash: u64,
        id: &str,
        segments: usize,
    ) -> Option<(Vec<SegmentId>, Option<Millis>)> {
        let place = self.customers.find(execution, hash, id)?;
        let state = self.customers.wake(execution, place);
        let all = (0..u32::try_from(segments).unwrap_or(u32::MAX)).map(SegmentId);
        let within = all.filter(|segment| execution.is_member(state, *segment)).collect();
        Some((within, self.deadlines.at(place)))
    }

    /// What came of the goals of rules for a customer.
    pub(super) fn goals(&mut self, execution: &E, hash: u64, id: &str) -> Vec<goal::Outcome> {
        let place = self.customers.find(execution, hash, id);
        place.map(|place| execution.goals(self.customers.wake(execution, place))).unwrap_or_default()
    }

    /// The id of the customer at a place, when they are in a segment.
    pub(super) fn member_at(&mut self, execution: &E, place: u32, segment: SegmentId) -> Option<Arc<str>> {
        if self.customers.is_gone(place) {
            return None;
        }
        let is_member = execution.is_member(self.customers.wake(execution, place), segment);
        is_member.then(|| Arc::from(self.customers.id(execution, place)))
    }

    /// Counts what the last step gave, keeps its records, and notes when the customer is next due.
    pub(super) fn take_up(&mut self, place: u32, next: Option<Millis>) {
        let Self { output, records, tally, .. } = self;
        records.append(&mut output.records);
        tally.fired += output.fired.drain(..).count() as u64;
        for outcome in output.settled.drain(..) {
            match outcome {
                Outcome::Applied => tally.applied += 1,
                Outcome::Late => tally.late += 1,
                Outcome::Duplicate => tally.duplicate += 1,
                Outcome::Doubtful => tally.doubtful += 1,
                Outcome::Quarantined => tally.quarantined += 1,
                // It is counted when it is applied.
                Outcome::Held => {}
            }
        }
        tally.counts += std::mem::take(&mut output.counts);
        self.changed.insert(place);
        if self.deadlines.at(place) != next {
            match next {
                Some(at) => self.deadlines.schedule(place, at),
                None => {
                    self.deadlines.remove(place);
                }
            }
        }
    }
}
