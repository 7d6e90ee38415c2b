//! Events replayed in virtual time, without I/O: calls in, records and a summary out.

mod customers;
mod kinds;
mod summary;

pub use kinds::Kinds;
pub use summary::{RuleSummary, SegmentSummary, Summary};

use customers::Customers;

use crate::{limits::DRAIN, source::Envelope};
use segue_compiler::{
    execution::{Execution, Outcome, Output},
    json::JsonText,
    record::Record,
    typed::{Program, SegmentId},
    value::Millis,
};
use std::sync::Arc;

/// How far a replay goes and what it keeps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The end of time; without it the last event of all is.
    pub until: Option<Millis>,
    /// Whether every pending deadline passes after the end.
    pub drain: bool,
    /// Which records are kept.
    pub kinds: Kinds,
}

/// A replay under way.
pub struct Replay<E: Execution> {
    execution: E,
    program: Arc<Program>,
    options: Options,
    shard: Shard<E::Customer>,
    summary: Summary,
}

/// A part of the customers. Customers do not touch each other, so parts can run beside each other.
struct Shard<C> {
    customers: Customers<C>,
    /// What the last step gave, taken up at once.
    output: Output,
    /// Each with the place of its customer.
    records: Vec<(usize, Record)>,
}

impl<E: Execution> Replay<E> {
    /// Starts a replay. The executor's own settings must bear the same end as the options.
    #[must_use]
    pub fn new(execution: E, program: Arc<Program>, options: Options) -> Self {
        let shard = Shard { customers: Customers::new(), output: Output::default(), records: Vec::new() };
        let summary = Summary::of(&program);
        Self { execution, program, options, shard, summary }
    }

    /// Sets traits before the first event.
    pub fn load_profile(&mut self, customer: &str, at: Millis, traits: JsonText<'_>) {
        let execution = &self.execution;
        self.shard.with(execution, customer, |state, output| {
            execution.load_profile(state, at, traits, &mut output.counts);
        });
        self.summary.profiles += 1;
    }

    /// Applies a call.
    pub fn apply(&mut self, envelope: &Envelope<'_>) -> Outcome {
        let execution = &self.execution;
        let apply = |state: &mut E::Customer, output: &mut Output| {
            execution.apply(state, &envelope.incoming(), output)
        };
        let (place, outcome) = self.shard.with(execution, &envelope.customer, apply);
        self.summary.count_call(envelope, outcome, self.options.until);
        self.take_up(place);
        outcome
    }

    /// Counts a line that was no call.
    pub fn reject(&mut self) {
        self.summary.rejected += 1;
    }

    /// Counts a row of profiles that could not be used.
    pub fn reject_profile(&mut self) {
        self.summary.rejected_profiles += 1;
    }

    /// Carries time on to the end for every customer. Gives the records in order of time, then customer, then happening.
    pub fn finish(&mut self) -> Vec<Record> {
        let end = self.options.until.or(self.summary.last);
        self.summary.end = end;
        self.summary.customers = self.shard.customers.len() as u64;
        if let Some(end) = end {
            for place in 0..self.shard.customers.len() {
                self.carry_on(place, end);
            }
        }
        for (position, segment) in self.summary.segments.iter_mut().enumerate() {
            let Ok(number) = u32::try_from(position) else { continue };
            let customers = self.shard.customers.iter();
            segment.members = customers
                .filter(|(_, state)| self.execution.is_member(state, SegmentId(number)))
                .count() as u64;
        }
        self.shard.sorted_records()
    }

    fn carry_on(&mut self, place: usize, end: Millis) {
        let Some(state) = self.shard.customers.get_mut(place) else { return };
        let output = &mut self.shard.output;
        self.execution.advance(state, end, output);
        let mut reached = end;
        while self.options.drain
            && let Some(deadline) = self.execution.next_deadline(state).filter(|deadline| *deadline > reached)
        {
            if deadline > end.saturating_add(DRAIN) {
                self.summary.undrained += 1;
                break;
            }
            self.execution.advance(state, deadline, output);
            reached = deadline;
        }
        self.summary.drained = self.summary.drained.max(self.options.drain.then_some(reached));
        self.take_up(place);
    }

    /// Counts what the last step gave, and keeps what is wanted.
    fn take_up(&mut self, place: usize) {
        let Shard { output, records, .. } = &mut self.shard;
        self.summary.counts += std::mem::take(&mut output.counts);
        for rule in output.fired.drain(..) {
            self.summary.count_fired(&rule);
        }
        for record in output.records.drain(..) {
            self.summary.count_record(&record);
            if self.options.kinds.has(&record) {
                records.push((place, record));
            }
        }
    }

    /// What was counted; complete after [`Replay::finish`].
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The customers within a segment now, sorted.
    #[must_use]
    pub fn members(&self, segment: SegmentId) -> Vec<Arc<str>> {
        let customers = self.shard.customers.iter();
        let within = customers.filter(|(_, state)| self.execution.is_member(state, segment));
        let mut ids: Vec<Arc<str>> = within.map(|(id, _)| id.clone()).collect();
        ids.sort_unstable();
        ids
    }

    /// The program that is replayed.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }
}

impl<C> Shard<C> {
    /// Does something with a customer's state, which is made when the customer is not known yet.
    fn with<E: Execution<Customer = C>, R>(
        &mut self,
        execution: &E,
        id: &str,
        act: impl FnOnce(&mut C, &mut Output) -> R,
    ) -> (usize, R) {
        let (place, state) = self.customers.entry(id, |id| execution.customer(id));
        (place, act(state, &mut self.output))
    }

    /// All records in order of time, then customer, then happening.
    fn sorted_records(&mut self) -> Vec<Record> {
        let mut ranks = vec![0_usize; self.customers.len()];
        for (rank, place) in self.customers.in_order().into_iter().enumerate() {
            ranks[place] = rank;
        }
        let mut records: Vec<Option<Record>> = Vec::with_capacity(self.records.len());
        let mut order: Vec<(Millis, usize, usize)> = Vec::with_capacity(self.records.len());
        for (place, record) in self.records.drain(..) {
            order.push((record.at(), ranks[place], records.len()));
            records.push(Some(record));
        }
        order.sort_unstable();
        order.into_iter().filter_map(|(_, _, number)| records[number].take()).collect()
    }
}
