//! A part of the customers.

use super::{
    Options, Summary,
    errand::Errand,
    records::Part,
    visits::{Gathering, Visit},
};
use crate::{
    customers::Customers,
    limits::{DRAIN, READ_TOGETHER, WOKEN_TOGETHER},
    threads::hash,
};
use segue_compiler::{
    execution::{Execution, Output},
    json::JsonText,
    typed::{Program, SegmentId},
    value::Millis,
};
use smallvec::SmallVec;
use std::sync::Arc;

/// A part of the customers, and what came of them.
pub(super) struct Shard<E: Execution> {
    customers: Customers<E>,
    /// What is read of some calls before they are applied.
    readings: Vec<E::Reading>,
    /// What the last step gave, taken up at once.
    output: Output,
    records: Part,
    summary: Summary,
    pub(super) gathering: Gathering,
}

/// What a shard gives at the end.
pub(super) struct Finished {
    /// In order.
    pub(super) records: Part,
    pub(super) summary: Summary,
    /// By segment, who is in it, where that is wanted.
    pub(super) members: Vec<Vec<Arc<str>>>,
}

impl<E: Execution> Shard<E> {
    pub(super) fn new(program: &Program) -> Self {
        Self {
            customers: Customers::new(),
            readings: Vec::new(),
            output: Output::default(),
            records: Part::default(),
            summary: Summary::of(program),
            gathering: Gathering::default(),
        }
    }

    pub(super) fn load_profile(
        &mut self,
        execution: &E,
        hash: u64,
        customer: &str,
        at: Millis,
        traits: JsonText<'_>,
    ) {
        let (place, state) = self.customers.entry(execution, hash, customer);
        execution.load_profile(state, at, traits, &mut self.output.counts);
        self.customers.note_known(place);
        self.summary.profiles += 1;
    }

    /// How many customers can be awake.
    pub(super) fn seats(&self) -> usize {
        self.customers.seats()
    }

    /// How many customers there are.
    pub(super) fn customers(&self) -> usize {
        self.customers.len()
    }

    /// Applies some calls. They are read before the first of them is applied: what is done to several in turn is done by code
    /// that lies near the processor. So are a few customers woken before the first call of theirs is applied, and laid to
    /// rest after the last.
    pub(super) fn apply(&mut self, execution: &E, options: Options, visits: &[Visit<'_>]) {
        let mut readings = std::mem::take(&mut self.readings);
        if readings.len() < visits.len() {
            readings.resize_with(visits.len(), E::Reading::default);
        }
        for (visit, reading) in visits.iter().zip(&mut readings) {
            execution.read(&visit.call.incoming(), reading);
        }
        self.customers.approach(turns(visits).filter_map(<[_]>::first).map(|visit| visit.hash));
        let (mut visits, mut read) = (visits, readings.as_mut_slice());
        while !visits.is_empty() {
            let few = turns(visits).take(WOKEN_TOGETHER).map(<[_]>::len).sum();
            let ((some, others), (of_some, of_others)) = (visits.split_at(few), read.split_at_mut(few));
            self.apply_read(execution, options, some, of_some);
            (visits, read) = (others, of_others);
        }
        self.readings = readings;
    }

    /// Applies calls of a few customers that were read.
    fn apply_read(
        &mut self,
        execution: &E,
        options: Options,
        visits: &[Visit<'_>],
        readings: &mut [E::Reading],
    ) {
        let mut places: SmallVec<[u32; READ_TOGETHER]> = SmallVec::new();
        for visit in visits {
            let place = self.customers.place(execution, visit.hash, &visit.call.customer);
            self.customers.wake(execution, place);
            places.push(place);
        }
        for ((visit, reading), (number, place)) in visits.iter().zip(readings).zip(places.iter().enumerate())
        {
            let state = self.customers.woken(execution, *place);
            let outcome = execution.apply_read(state, &visit.call.incoming(), reading, &mut self.output);
            self.summary.count_call(visit.call, outcome, options.until);
            if visit.call.known {
                self.customers.note_known(*place);
            }
            if places.get(number + 1) != Some(place) {
                self.take_up(*place, options);
            }
        }
        for (_, place) in visits.iter().zip(places).filter(|(visit, _)| visit.leaves) {
            self.customers.lay_to_rest(execution, place);
        }
    }

    /// Whether there is a customer who was ever named by this `userId`.
    pub(super) fn is_known(&self, execution: &E, id: &str) -> bool {
        let place = self.customers.find(execution, hash(id), id);
        place.is_some_and(|place| self.customers.is_known(place))
    }

    /// Does an errand. Where the other shard does not answer, it has failed, and so does the replay.
    pub(super) fn run(&mut self, execution: &E, options: Options, errand: Errand<E::Customer>) {
        match errand {
            Errand::Join(link) => {
                let Some(from) = self.find(execution, &link.anonymous) else { return };
                let into = self.customers.entry(execution, hash(&link.known), &link.known).0;
                let meeting = self.meeting(execution, from, link.at);
                let meeting = meeting.max(self.meeting(execution, into, link.at));
                self.advance(execution, options, from, meeting);
                self.advance(execution, options, into, meeting);
                let state = self.customers.take(execution, from);
                self.join(execution, options, into, state);
            }
            Errand::Give { link, mine, other, state } => {
                let from = self.find(execution, &link.anonymous);
                let meeting = from.map(|place| self.meeting(execution, place, link.at));
                let _ = mine.send(meeting);
                if let (Some(from), Some(meeting)) = (from, meeting)
                    && let Ok(other) = other.recv()
                {
                    self.advance(execution, options, from, meeting.max(other));
                    let _ = state.send(self.customers.take(execution, from));
                }
            }
            Errand::Take { link, mine, other, state } => {
                let Ok(Some(other)) = other.recv() else { return };
                let into = self.customers.entry(execution, hash(&link.known), &link.known).0;
                let meeting = self.meeting(execution, into, link.at);
                let _ = mine.send(meeting);
                self.advance(execution, options, into, meeting.max(other));
                if let Ok(state) = state.recv() {
                    self.join(execution, options, into, state);
                }
            }
        }
    }

    fn find(&self, execution: &E, id: &str) -> Option<u32> {
        self.customers.find(execution, hash(id), id)
    }

    fn meeting(&mut self, execution: &E, place: u32, at: Millis) -> Millis {
        execution.meeting(self.customers.wake(execution, place), at)
    }

    fn advance(&mut self, execution: &E, options: Options, place: u32, until: Millis) {
        execution.advance(self.customers.wake(execution, place), until, &mut self.output);
        self.take_up(place, options);
    }

    fn join(&mut self, execution: &E, options: Options, place: u32, other: E::Customer) {
        execution.merge(self.customers.wake(execution, place), other, &mut self.output);
        self.summary.joined += 1;
        self.take_up(place, options);
    }

    /// Forgets a customer and what is still to be told of them; whether there was one.
    pub(super) fn erase(&mut self, execution: &E, id: &str) -> bool {
        let Some((place, was_there)) = self.customers.erase(execution, hash(id), id) else { return false };
        self.records.forget(place);
        was_there
    }

    /// The time of the last call that was applied.
    pub(super) fn last(&self) -> Option<Millis> {
        self.summary.last
    }

    fn places(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.customers.len()).unwrap_or(u32::MAX)
    }

    /// Carries time on to the end for every customer, for the last time.
    pub(super) fn finish(&mut self, execution: &E, options: Options, end: Option<Millis>) -> Finished {
        self.summary.customers = self.customers.count() as u64;
        let mut members = vec![Vec::new(); self.summary.segments.len()];
        for place in self.places() {
            let mut state = self.customers.release(execution, place);
            if let Some(end) = end {
                self.carry_on(execution, options, &mut state, end);
                self.take_up(place, options);
            }
            for ((segment, ids), number) in self.summary.segments.iter_mut().zip(&mut members).zip(0..) {
                if execution.is_member(&state, SegmentId(number)) {
                    segment.members += 1;
                    ids.extend(options.members.then(|| Arc::from(self.customers.id(execution, place))));
                }
            }
            self.summary.count_goals(&execution.goals(&state));
        }
        let (mut records, customers) = (std::mem::take(&mut self.records), &self.customers);
        records.sort(|place| customers.id(execution, place));
        Finished { records, summary: std::mem::take(&mut self.summary), members }
    }

    fn carry_on(&mut self, execution: &E, options: Options, state: &mut E::Customer, end: Millis) {
        let output = &mut self.output;
        execution.advance(state, end, output);
        let mut reached = end;
        while options.drain
            && let Some(deadline) = execution.next_deadline(state).filter(|deadline| *deadline > reached)
        {
            if deadline > end.saturating_add(DRAIN) {
                self.summary.undrained += 1;
                break;
            }
            execution.advance(state, deadline, output);
            reached = deadline;
        }
        self.summary.drained = self.summary.drained.max(options.drain.then_some(reached));
    }

    /// Counts what the last step gave, and keeps what is wanted.
    fn take_up(&mut self, place: u32, options: Options) {
        let Self { output, records, summary, .. } = self;
        summary.counts += std::mem::take(&mut output.counts);
        for outcome in output.settled.drain(..) {
            summary.count_settled(outcome);
        }
        for rule in output.fired.drain(..) {
            summary.count_fired(&rule);
        }
        for record in &output.records {
            summary.count_record(record);
            if options.fuse.is_some() {
                summary.note_send(record);
            }
            if options.kinds.has(record) {
                records.push(place, record);
            }
        }
        output.records.clear();
    }
}

/// Calls in a row that are of one customer each.
fn turns<'v, 'c>(visits: &'v [Visit<'c>]) -> impl Iterator<Item = &'v [Visit<'c>]> {
    visits.chunk_by(|one, next| one.hash == next.hash)
}
