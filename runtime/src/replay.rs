//! Events replayed in virtual time, without I/O: calls in, records and a summary out.
//!
//! Customers do not touch each other, so they are spread over shards by the hash of their id, and each shard has a thread
//! of its own. What comes out does not tell how many there were.

mod abreast;
mod errand;
mod feed;
mod goals;
mod kinds;
mod lanes;
mod records;
mod shard;
mod summary;
mod visits;

pub use feed::Feed;
pub use goals::{Estimate, GoalSummary, Group};
pub use kinds::Kinds;
pub use records::Records;
pub use summary::{RuleSummary, SegmentSummary, Summary};

use crate::{
    fuse::Fuse,
    identities::{Identities, Linked},
    limits::{BYTES_AHEAD, LARGE_PART_BYTES, MANY_CUSTOMERS, PART_BYTES, PARTS_AHEAD, SHARED_PART_BYTES},
    source::{Batch, Envelope, Item, Reject, fault},
    threads::{Crew, hash, shard_of},
};
use errand::Errand;
use segue_compiler::{
    execution::Execution,
    json::JsonText,
    typed::{Program, SegmentId},
    value::Millis,
};
use shard::{Finished, Shard};
use std::{num::NonZeroUsize, sync::Arc};
use visits::Visits;

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
    /// Whether it is kept who is in which segment at the end.
    pub members: bool,
    /// How many threads share the customers; one when absent.
    pub threads: Option<NonZeroUsize>,
}

/// A replay under way.
pub struct Replay<E: Execution> {
    execution: E,
    program: Arc<Program>,
    options: Options,
    shards: Vec<Shard<E>>,
    crew: Crew,
    identities: Identities,
    /// By segment, who is in it at the end.
    members: Vec<Vec<Arc<str>>>,
    /// What was counted so far of what belongs to no shard; after the end, all.
    summary: Summary,
}

impl<E: Execution> Replay<E> {
    /// Starts a replay. The executor's own settings must bear the same end as the options.
    #[must_use]
    pub fn new(execution: E, program: Arc<Program>, options: Options) -> Self {
        let crew = Crew::new(options.threads.map_or(1, NonZeroUsize::get));
        let shards = (0..crew.size()).map(|_| Shard::new(&program)).collect();
        let summary = Summary::of(&program);
        Self {
            execution,
            program,
            options,
            shards,
            crew,
            identities: Identities::default(),
            members: Vec::new(),
            summary,
        }
    }

    /// Sets traits before the first event.
    pub fn load_profile(&mut self, customer: &str, at: Millis, traits: JsonText<'_>) {
        let hash = hash(customer);
        let shard = shard_of(hash, self.shards.len());
        self.shards[shard].load_profile(&self.execution, hash, customer, at, traits);
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

    /// The customers within a segment at the end, sorted, after [`Replay::finish`] with [`Options::members`].
    #[must_use]
    pub fn members(&self, segment: SegmentId) -> &[Arc<str>] {
        self.members.get(segment.0 as usize).map(Vec::as_slice).unwrap_or_default()
    }

    /// Forgets a customer, and every record of them that was not given out yet; whether there was one. Anonymous ids that
    /// were joined with them mean nobody from now on, and what is heard of any of these ids later is of somebody new.
    pub fn erase(&mut self, customer: &str) -> bool {
        let mut was_there = false;
        for id in self.identities.forget(customer) {
            let shard = shard_of(hash(&id), self.shards.len());
            was_there |= self.shards[shard].erase(&self.execution, &id);
        }
        was_there
    }

    /// How many bytes of lines are worked on at a time.
    fn part_bytes(&self) -> usize {
        let are_many = self.shards.iter().any(|shard| shard.customers() >= MANY_CUSTOMERS);
        match self.shards.len() {
            _ if are_many => LARGE_PART_BYTES,
            1 => PART_BYTES,
            _ => SHARED_PART_BYTES,
        }
    }

    /// How many bytes of lines a batch has.
    fn batch_bytes(&self) -> usize {
        let part = self.part_bytes();
        if self.shards.len() == 1 { part } else { part.max(BYTES_AHEAD.min(part * PARTS_AHEAD)) }
    }

    /// The program that is replayed.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }
}

impl<E: Execution + Sync> Replay<E> {
    /// Applies the calls of a batch and gives the lines that were none; with `strict` also those that break their
    /// declarations. Where several threads work on it, one of them does `meanwhile` once for each part.
    fn apply_batch<'b>(
        &mut self,
        batch: &'b Batch,
        strict: bool,
        meanwhile: &mut (dyn FnMut() + Send),
    ) -> Vec<Reject<'b>> {
        let program = strict.then(|| self.program.clone());
        let rejects = match self.shards.len() {
            1 => self.apply_in_order(batch, program.as_deref()),
            _ => self.apply_abreast(batch, program.as_deref(), self.part_bytes(), meanwhile),
        };
        self.summary.rejected += rejects.len() as u64;
        rejects
    }

    /// As [`Replay::apply_batch`], of one shard: one line after the other, and nothing is shared out.
    fn apply_in_order<'b>(&mut self, batch: &'b Batch, declared: Option<&Program>) -> Vec<Reject<'b>> {
        let mut rejects = Vec::new();
        let Self { execution, options, shards, identities, summary, .. } = self;
        let Some(shard) = shards.first_mut() else { return rejects };
        let mut visits: Visits<Envelope<'b>> = Visits::of(batch.len());
        for item in (0..batch.len()).map_while(|position| batch.item(position)) {
            let mut envelope = match call_of(item, declared) {
                Ok(envelope) => envelope,
                Err(reject) => {
                    rejects.push(reject);
                    continue;
                }
            };
            if let Some(link) = identities.news(&envelope, options.until) {
                // What was before is applied before two customers are joined.
                visits.apply(shard, execution, *options);
                let is_known = shard.is_known(execution, &link.anonymous);
                match identities.link(&link, link.at, is_known) {
                    Linked::Now => shard.run(execution, *options, Errand::Join(link)),
                    Linked::Refused => summary.unmerged += 1,
                    Linked::Already => {}
                }
            }
            identities.resolve(&mut envelope);
            visits.push(hash(&envelope.customer), envelope);
            visits.apply_enough(shard, execution, *options);
        }
        visits.apply(shard, execution, *options);
        rejects
    }

    /// Carries time on to the end for every customer. Gives the records in order of time, then customer, then happening.
    pub fn finish(&mut self) -> Records {
        let (execution, options) = (&self.execution, self.options);
        let last = self.shards.iter().filter_map(Shard::last).max();
        let end = options.until.or(last);
        let work = self.shards.iter_mut().map(|shard| move || shard.finish(execution, options, end));
        let finished = self.crew.work(work.collect());
        self.members = vec![Vec::new(); self.program.segments.len()];
        let mut parts = Vec::with_capacity(finished.len());
        for Finished { records, summary, members } in finished {
            self.summary.add(summary);
            parts.push(records);
            for (all, ids) in self.members.iter_mut().zip(members) {
                all.extend(ids);
            }
        }
        for ids in &mut self.members {
            ids.sort_unstable();
        }
        self.summary.end = end;
        if let Some(fuse) = options.fuse {
            self.summary.check_fuse(fuse);
        }
        Records::of(parts)
    }
}

/// The call of a line; with `declared` only if it keeps to its declaration.
#[inline(always)]
fn call_of<'b>(item: Item<'b>, declared: Option<&Program>) -> Result<Envelope<'b>, Reject<'b>> {
    match item {
        Item::Reject(reject) => Err(reject),
        Item::Event(event) => match declared.and_then(|program| fault(program, &event.envelope)) {
            Some(reason) => Err(event.refuse(reason)),
            None => Ok(event.envelope),
        },
    }
}
