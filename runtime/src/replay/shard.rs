//! A part of the customers.

use super::{Options, Summary, customers::Customers, records::Part};
use crate::{limits::DRAIN, source::Envelope};
use segue_compiler::{
    execution::{Execution, Outcome, Output},
    json::JsonText,
    typed::{Program, SegmentId},
    value::Millis,
};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// A part of the customers, and what came of them.
pub(super) struct Shard<E: Execution> {
    customers: Customers<E>,
    /// What the last step gave, taken up at once.
    output: Output,
    records: Part,
    summary: Summary,
}

/// The hash by which customers are found and spread, the same everywhere.
pub(super) fn hash(customer: &str) -> u64 {
    xxh3_64(customer.as_bytes())
}

impl<E: Execution> Shard<E> {
    pub(super) fn new(program: &Program) -> Self {
        let summary = Summary::of(program);
        Self { customers: Customers::new(), output: Output::default(), records: Part::default(), summary }
    }

    pub(super) fn load_profile(
        &mut self,
        execution: &E,
        hash: u64,
        customer: &str,
        at: Millis,
        traits: JsonText<'_>,
    ) {
        let (_, state) = self.customers.entry(execution, hash, customer);
        execution.load_profile(state, at, traits, &mut self.output.counts);
        self.summary.profiles += 1;
    }

    pub(super) fn apply(&mut self, execution: &E, options: Options, envelope: &Envelope<'_>) -> Outcome {
        let id = &*envelope.customer;
        let (place, state) = self.customers.entry(execution, hash(id), id);
        let outcome = execution.apply(state, &envelope.incoming(), &mut self.output);
        self.summary.count_call(envelope, outcome, options.until);
        self.take_up(place, options);
        outcome
    }

    /// The time of the last call that was applied.
    pub(super) fn last(&self) -> Option<Millis> {
        self.summary.last
    }

    /// The customers who are in a segment.
    pub(super) fn members(&mut self, execution: &E, segment: SegmentId) -> Vec<Arc<str>> {
        let mut members = Vec::new();
        for place in self.places() {
            let state = self.customers.wake(execution, place);
            if execution.is_member(state, segment) {
                members.push(Arc::from(execution.id(state)));
            }
        }
        members
    }

    fn places(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.customers.len()).unwrap_or(u32::MAX)
    }

    /// Carries time on to the end for every customer; gives the records in order, and what was counted.
    pub(super) fn finish(&mut self, execution: &E, options: Options, end: Option<Millis>) -> (Part, Summary) {
        self.summary.customers = self.customers.len() as u64;
        for place in self.places() {
            if let Some(end) = end {
                self.carry_on(execution, options, place, end);
            }
            let state = self.customers.wake(execution, place);
            for (segment, number) in self.summary.segments.iter_mut().zip(0..) {
                segment.members += u64::from(execution.is_member(state, SegmentId(number)));
            }
            self.summary.count_goals(&execution.goals(state));
        }
        let (mut records, customers) = (std::mem::take(&mut self.records), &self.customers);
        records.sort(|place| customers.id(execution, place));
        (records, std::mem::take(&mut self.summary))
    }

    fn carry_on(&mut self, execution: &E, options: Options, place: u32, end: Millis) {
        let state = self.customers.wake(execution, place);
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
        self.take_up(place, options);
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
        for record in output.records.drain(..) {
            summary.count_record(&record);
            if options.fuse.is_some() {
                summary.note_send(&record);
            }
            if options.kinds.has(&record) {
                records.push(place, &record);
            }
        }
    }
}
