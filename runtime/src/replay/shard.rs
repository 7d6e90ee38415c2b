//! A part of the customers.

use super::{Options, Summary, customers::Customers};
use crate::{limits::DRAIN, source::Envelope};
use segue_compiler::{
    execution::{Execution, Outcome, Output},
    json::JsonText,
    record::Record,
    typed::{Program, SegmentId},
    value::Millis,
};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// A part of the customers, and what came of them.
pub(super) struct Shard<C> {
    customers: Customers<C>,
    /// What the last step gave, taken up at once.
    output: Output,
    /// Each with the place of its customer.
    records: Vec<(usize, Box<Record>)>,
    summary: Summary,
}

/// The hash by which customers are found and spread, the same everywhere.
pub(super) fn hash(customer: &str) -> u64 {
    xxh3_64(customer.as_bytes())
}

impl<C> Shard<C> {
    pub(super) fn new(program: &Program) -> Self {
        let summary = Summary::of(program);
        Self { customers: Customers::new(), output: Output::default(), records: Vec::new(), summary }
    }

    pub(super) fn load_profile<E: Execution<Customer = C>>(
        &mut self,
        execution: &E,
        hash: u64,
        customer: &str,
        at: Millis,
        traits: JsonText<'_>,
    ) {
        let (_, state) = self.customers.entry(hash, customer, |id| execution.customer(id));
        execution.load_profile(state, at, traits, &mut self.output.counts);
        self.summary.profiles += 1;
    }

    pub(super) fn apply<E: Execution<Customer = C>>(
        &mut self,
        execution: &E,
        options: Options,
        envelope: &Envelope<'_>,
    ) -> Outcome {
        let id = &*envelope.customer;
        let (place, state) = self.customers.entry(hash(id), id, |id| execution.customer(id));
        let outcome = execution.apply(state, &envelope.incoming(), &mut self.output);
        self.summary.count_call(envelope, outcome, options.until);
        self.take_up(place, options);
        outcome
    }

    /// The time of the last call that was applied.
    pub(super) fn last(&self) -> Option<Millis> {
        self.summary.last
    }

    pub(super) fn customers(&self) -> impl Iterator<Item = (&Arc<str>, &C)> {
        self.customers.iter()
    }

    /// Carries time on to the end for every customer; gives the records in order, and what was counted.
    pub(super) fn finish<E: Execution<Customer = C>>(
        &mut self,
        execution: &E,
        options: Options,
        end: Option<Millis>,
    ) -> (Vec<Box<Record>>, Summary) {
        self.summary.customers = self.customers.len() as u64;
        if let Some(end) = end {
            for place in 0..self.customers.len() {
                self.carry_on(execution, options, place, end);
            }
        }
        for (segment, number) in self.summary.segments.iter_mut().zip(0..) {
            let within = |(_, state): &(&Arc<str>, &C)| execution.is_member(state, SegmentId(number));
            segment.members = self.customers.iter().filter(within).count() as u64;
        }
        let summary = std::mem::take(&mut self.summary);
        (self.sorted_records(), summary)
    }

    fn carry_on<E: Execution<Customer = C>>(
        &mut self,
        execution: &E,
        options: Options,
        place: usize,
        end: Millis,
    ) {
        let Some(state) = self.customers.get_mut(place) else { return };
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
    fn take_up(&mut self, place: usize, options: Options) {
        let Self { output, records, summary, .. } = self;
        summary.counts += std::mem::take(&mut output.counts);
        for rule in output.fired.drain(..) {
            summary.count_fired(&rule);
        }
        for record in output.records.drain(..) {
            summary.count_record(&record);
            if options.kinds.has(&record) {
                records.push((place, Box::new(record)));
            }
        }
    }

    /// All records in order of time, then customer, then happening.
    fn sorted_records(&mut self) -> Vec<Box<Record>> {
        let mut ranks = vec![0_usize; self.customers.len()];
        for (rank, place) in self.customers.in_order().into_iter().enumerate() {
            ranks[place] = rank;
        }
        // The sort is stable: records of one customer at one instant stay in the order of happening.
        let mut records = std::mem::take(&mut self.records);
        records.sort_by_key(|(place, record)| (record.at(), ranks[*place]));
        records.into_iter().map(|(_, record)| record).collect()
    }
}
