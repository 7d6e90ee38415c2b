//! Events replayed in virtual time, without I/O: calls in, records and a summary out.
//!
//! Customers do not touch each other, so they are spread over shards by the hash of their id, and each shard has a thread
//! of its own. What comes out does not tell how many there were.

mod errand;
mod goals;
mod kinds;
mod lanes;
mod records;
mod shard;
mod summary;
mod visits;

pub use goals::{Estimate, GoalSummary, Group};
pub use kinds::Kinds;
pub use records::Records;
pub use summary::{RuleSummary, SegmentSummary, Summary};

use crate::{
    fuse::Fuse,
    identities::{Identities, Linked},
    limits::{BATCH_BYTES, LARGE_BATCH_BYTES, MANY_CUSTOMERS, PARSED_LINES, SHARED_BATCH_BYTES},
    source::{Batch, Envelope, Item, Reject, fault},
    threads::{beside_each_other, hash, shard_of},
};
use errand::Errand;
use lanes::Parsed;
use segue_compiler::{
    execution::{Execution, Outcome},
    json::JsonText,
    typed::{Program, SegmentId},
    value::Millis,
};
use shard::{Finished, Shard};
use std::{
    iter,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
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
        let count = options.threads.map_or(1, NonZeroUsize::get);
        let shards = (0..count).map(|_| Shard::new(&program)).collect();
        let summary = Summary::of(&program);
        Self {
            execution,
            program,
            options,
            shards,
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

    /// How many bytes of lines should be read ahead, for [`crate::source::Events::fill`].
    #[must_use]
    pub fn reads_ahead(&self) -> usize {
        let are_many = self.shards.iter().any(|shard| shard.customers() >= MANY_CUSTOMERS);
        match self.shards.len() {
            _ if are_many => LARGE_BATCH_BYTES,
            0 | 1 => BATCH_BYTES,
            _ => SHARED_BATCH_BYTES,
        }
    }

    /// The program that is replayed.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }
}

impl<E: Execution + Sync> Replay<E> {
    /// Applies a call.
    pub fn apply(&mut self, envelope: &Envelope<'_>) -> Outcome {
        let mut parsed = Parsed::new(self.shards.len());
        let mut envelope = envelope.clone();
        parsed.links.extend(self.identities.news(&envelope, self.options.until).map(|link| (0, link)));
        self.identities.resolve(&mut envelope);
        parsed.push(0, envelope);
        let outcomes = self.apply_parsed(&mut [parsed]);
        outcomes.into_iter().next().unwrap_or(Outcome::Quarantined)
    }

    /// Applies calls, each shard its own.
    fn apply_parsed(&mut self, parsed: &mut [Parsed<'_>]) -> Vec<Outcome> {
        let (execution, options) = (&self.execution, self.options);
        let errands = lanes::link(&mut self.identities, execution, &self.shards, parsed);
        self.summary.unmerged += errands.refused;
        let parsed = &*parsed;
        let work = self.shards.iter_mut().zip(errands.of_shards).zip(0_usize..);
        let work = work.map(|((shard, errands), number)| {
            let mut calls = parsed.iter().filter_map(move |part| part.calls.get(number)).flatten().peekable();
            move || {
                let mut visits = Visits::default();
                let mut last = None;
                for (place, errand) in errands {
                    while let Some((_, envelope)) = calls.next_if(|(position, _)| *position < place) {
                        visits.push(envelope);
                        last = visits.apply_enough(shard, execution, options).or(last);
                    }
                    last = visits.apply(shard, execution, options).or(last);
                    shard.run(execution, options, errand);
                }
                for (_, envelope) in calls {
                    visits.push(envelope);
                    last = visits.apply_enough(shard, execution, options).or(last);
                }
                visits.apply(shard, execution, options).or(last)
            }
        });
        beside_each_other(work.collect()).into_iter().flatten().collect()
    }

    /// Applies the calls of a batch and gives the lines that were none; with `strict` also those that break their
    /// declarations.
    pub fn apply_batch<'b>(&mut self, batch: &'b Batch, strict: bool) -> Vec<Reject<'b>> {
        if self.shards.len() == 1 {
            return self.apply_in_order(batch, strict);
        }
        let count = self.shards.len();
        let (program, identities, until) = (&*self.program, &self.identities, self.options.until);
        let parse = |part: usize| {
            let from = part * PARSED_LINES;
            let mut parsed = Parsed::new(count);
            for (position, item) in (from..from + PARSED_LINES).map_while(|it| Some((it, batch.item(it)?))) {
                match call_of(item, strict.then_some(program)) {
                    Err(reject) => parsed.rejects.push(reject),
                    Ok(mut envelope) => {
                        parsed.links.extend(identities.news(&envelope, until).map(|link| (position, link)));
                        identities.resolve(&mut envelope);
                        parsed.push(position, envelope);
                    }
                }
            }
            parsed
        };
        // Whoever is done with a part takes the next one, so that none waits for another who was held up.
        let next = AtomicUsize::new(0);
        let take =
            || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|part| part * PARSED_LINES < batch.len());
        let work = (0..count).map(|_| || iter::from_fn(take).map(|part| (part, parse(part))).collect());
        let mut parsed: Vec<(usize, Parsed<'b>)> =
            beside_each_other::<Vec<_>, _>(work.collect()).into_iter().flatten().collect();
        parsed.sort_unstable_by_key(|(part, _)| *part);
        let mut parsed: Vec<Parsed<'b>> = parsed.into_iter().map(|(_, parsed)| parsed).collect();
        self.apply_parsed(&mut parsed);
        let rejects: Vec<Reject<'b>> = parsed.into_iter().flat_map(|part| part.rejects).collect();
        self.summary.rejected += rejects.len() as u64;
        rejects
    }

    /// As [`Replay::apply_batch`], of one shard: one line after the other, and nothing is shared out.
    fn apply_in_order<'b>(&mut self, batch: &'b Batch, strict: bool) -> Vec<Reject<'b>> {
        let mut rejects = Vec::new();
        let program = strict.then(|| self.program.clone());
        let Self { execution, options, shards, identities, summary, .. } = self;
        let Some(shard) = shards.first_mut() else { return rejects };
        let mut visits: Visits<Envelope<'b>> = Visits::default();
        for item in (0..batch.len()).map_while(|position| batch.item(position)) {
            let mut envelope = match call_of(item, program.as_deref()) {
                Ok(envelope) => envelope,
                Err(reject) => {
                    rejects.push(reject);
                    continue;
                }
            };
            if let Some(link) = identities.news(&envelope, options.until) {
                // What was before is applied before two customers are joined.
                visits.apply(shard, execution, *options);
                match identities.link(&link, shard.is_known(execution, &link.anonymous)) {
                    Linked::Now => shard.run(execution, *options, Errand::Join(link)),
                    Linked::Refused => summary.unmerged += 1,
                    Linked::Already => {}
                }
            }
            identities.resolve(&mut envelope);
            visits.push(envelope);
            visits.apply_enough(shard, execution, *options);
        }
        visits.apply(shard, execution, *options);
        summary.rejected += rejects.len() as u64;
        rejects
    }

    /// Carries time on to the end for every customer. Gives the records in order of time, then customer, then happening.
    pub fn finish(&mut self) -> Records {
        let (execution, options) = (&self.execution, self.options);
        let last = self.shards.iter().filter_map(Shard::last).max();
        let end = options.until.or(last);
        let work = self.shards.iter_mut().map(|shard| move || shard.finish(execution, options, end));
        let finished = beside_each_other(work.collect());
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
