//! Events replayed in virtual time, without I/O: calls in, records and a summary out.
//!
//! Customers do not touch each other, so they are spread over shards by the hash of their id, and each shard has a thread
//! of its own. What comes out does not tell how many there were.

mod customers;
mod goals;
mod kinds;
mod records;
mod shard;
mod summary;

pub use goals::{Estimate, GoalSummary, Group};
pub use kinds::Kinds;
pub use records::Records;
pub use summary::{RuleSummary, SegmentSummary, Summary};

use crate::{
    fuse::Fuse,
    source::{Batch, Envelope, Item, Reject, fault},
};
use segue_compiler::{
    execution::{Execution, Outcome},
    json::JsonText,
    typed::{Program, SegmentId},
    value::Millis,
};
use shard::{Shard, hash};
use std::{num::NonZeroUsize, ops::Range, sync::Arc, thread};

/// How far a replay goes and what it keeps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The end of time; without it the last event of all is.
    pub until: Option<Millis>,
    /// Whether every pending deadline passes after the end.
    pub drain: bool,
    /// Which records are kept.
    pub kinds: Kinds,
    /// The fuse of a live service, of which the summary says when it would have stopped a rule.
    pub fuse: Option<Fuse>,
    /// How many threads share the customers; one when absent.
    pub threads: Option<NonZeroUsize>,
}

/// A replay under way.
pub struct Replay<E: Execution> {
    execution: E,
    program: Arc<Program>,
    options: Options,
    shards: Vec<Shard<E>>,
    /// What was counted so far of what belongs to no shard; after the end, all.
    summary: Summary,
}

/// A part of a batch, parsed.
struct Parsed<'b> {
    /// By shard, in the order of the stream.
    calls: Vec<Vec<Envelope<'b>>>,
    rejects: Vec<Reject<'b>>,
}

impl<E: Execution> Replay<E> {
    /// Starts a replay. The executor's own settings must bear the same end as the options.
    #[must_use]
    pub fn new(execution: E, program: Arc<Program>, options: Options) -> Self {
        let count = options.threads.map_or(1, NonZeroUsize::get);
        let shards = (0..count).map(|_| Shard::new(&program)).collect();
        let summary = Summary::of(&program);
        Self { execution, program, options, shards, summary }
    }

    /// Sets traits before the first event.
    pub fn load_profile(&mut self, customer: &str, at: Millis, traits: JsonText<'_>) {
        let hash = hash(customer);
        let shard = shard_of(hash, self.shards.len());
        self.shards[shard].load_profile(&self.execution, hash, customer, at, traits);
    }

    /// Applies a call.
    pub fn apply(&mut self, envelope: &Envelope<'_>) -> Outcome {
        let shard = shard_of(hash(&envelope.customer), self.shards.len());
        self.shards[shard].apply(&self.execution, self.options, envelope)
    }

    /// Counts a line that was no call.
    pub fn reject(&mut self) {
        self.summary.rejected += 1;
    }

    /// Counts a row of profiles that could not be used.
    pub fn reject_profile(&mut self) {
        self.summary.rejected_profiles += 1;
    }

    /// What was counted; complete after [`Replay::finish`].
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The customers within a segment now, sorted.
    #[must_use]
    pub fn members(&mut self, segment: SegmentId) -> Vec<Arc<str>> {
        let (shards, execution) = (self.shards.iter_mut(), &self.execution);
        let mut ids: Vec<Arc<str>> = shards.flat_map(|shard| shard.members(execution, segment)).collect();
        ids.sort_unstable();
        ids
    }

    /// The program that is replayed.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }
}

impl<E: Execution + Sync> Replay<E> {
    /// Applies the calls of a batch and gives the lines that were none; with `strict` also those that break their
    /// declarations.
    pub fn apply_batch<'b>(&mut self, batch: &'b Batch, strict: bool) -> Vec<Reject<'b>> {
        let (program, execution, options) = (&*self.program, &self.execution, self.options);
        let items = |positions: Range<usize>| positions.filter_map(|position| batch.item(position));
        if let [shard] = self.shards.as_mut_slice() {
            // One line after the other: nothing has to be shared out.
            let mut rejects = Vec::new();
            for item in items(0..batch.len()) {
                match call_of(item, strict.then_some(program)) {
                    Ok(envelope) => {
                        shard.apply(execution, options, &envelope);
                    }
                    Err(reject) => rejects.push(reject),
                }
            }
            self.summary.rejected += rejects.len() as u64;
            return rejects;
        }
        let count = self.shards.len();
        let part = batch.len().div_ceil(count).max(1);
        let parse = |from: usize| {
            let mut parsed = Parsed { calls: (0..count).map(|_| Vec::new()).collect(), rejects: Vec::new() };
            for item in items(from..(from + part).min(batch.len())) {
                match call_of(item, strict.then_some(program)) {
                    Ok(envelope) => {
                        let shard = shard_of(hash(&envelope.customer), count);
                        parsed.calls[shard].push(envelope);
                    }
                    Err(reject) => parsed.rejects.push(reject),
                }
            }
            parsed
        };
        let starts = (0..batch.len()).step_by(part);
        let parsed: Vec<Parsed<'b>> = beside_each_other(starts.map(|from| move || parse(from)).collect());
        let work = self.shards.iter_mut().zip(0_usize..).map(|(shard, number)| {
            let calls = parsed.iter().filter_map(move |part| part.calls.get(number)).flatten();
            move || {
                for envelope in calls {
                    shard.apply(execution, options, envelope);
                }
            }
        });
        beside_each_other(work.collect());
        let rejects: Vec<Reject<'b>> = parsed.into_iter().flat_map(|part| part.rejects).collect();
        self.summary.rejected += rejects.len() as u64;
        rejects
    }

    /// Carries time on to the end for every customer. Gives the records in order of time, then customer, then happening.
    pub fn finish(&mut self) -> Records {
        let (execution, options) = (&self.execution, self.options);
        let last = self.shards.iter().filter_map(Shard::last).max();
        let end = options.until.or(last);
        let work = self.shards.iter_mut().map(|shard| move || shard.finish(execution, options, end));
        let finished = beside_each_other(work.collect());
        let mut parts = Vec::with_capacity(finished.len());
        for (records, summary) in finished {
            self.summary.add(summary);
            parts.push(records);
        }
        self.summary.end = end;
        if let Some(fuse) = options.fuse {
            self.summary.check_fuse(fuse);
        }
        Records::of(parts)
    }
}

/// The call of a line; with `declared` only if it keeps to its declaration.
fn call_of<'b>(item: Item<'b>, declared: Option<&Program>) -> Result<Envelope<'b>, Reject<'b>> {
    match item {
        Item::Reject(reject) => Err(reject),
        Item::Event(event) => match declared.and_then(|program| fault(program, &event.envelope)) {
            Some(reason) => Err(event.refuse(reason)),
            None => Ok(event.envelope),
        },
    }
}

/// The shard of a customer.
fn shard_of(hash: u64, count: usize) -> usize {
    // The upper half: the lower one finds places in tables.
    (hash >> 32) as usize % count
}

/// Does things at the same time, one of them on this thread; gives what they gave in their order.
fn beside_each_other<R: Send, W: FnOnce() -> R + Send>(mut work: Vec<W>) -> Vec<R> {
    let Some(last) = work.pop() else { return Vec::new() };
    thread::scope(|scope| {
        let others: Vec<_> = work.into_iter().map(|work| scope.spawn(work)).collect();
        let last = last();
        let mut results: Vec<R> = Vec::with_capacity(others.len() + 1);
        for other in others {
            match other.join() {
                Ok(result) => results.push(result),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results.push(last);
        results
    })
}
