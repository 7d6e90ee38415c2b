//! Customers hosted live: what arrives is applied as it arrives, and time passes as the host says. No I/O, no clock, no
//! threads that outlive a call.
//!
//! The host keeps a log of what arrived, and hands its entries over in order: calls with [`Live::calls`], the coming of
//! time with [`Live::advance`], the end of an outage with [`Live::resume`]. What comes of them is the same however the
//! entries were grouped and however many shards there are, so a host that starts again from an older state and hands over
//! the same entries once more gets the same decisions, with the same ids.
//!
//! What entries mean is said by [`Arrivals`]. A host that starts again hands over only what was received later than the last
//! instant that time came to.
//!
//! Rules change between two entries: with [`Live::before_change`], and [`Live::succeeded_by`] a [listener](Live::listener), a
//! host of the new rules to whom the log was told.
//!
//! Customers are spread over shards, which work beside each other. [`Live::changes`] gives those of whom something changed
//! since it was last asked, as bytes that [`Live::restore`] takes up again; [`Live::ask_changes`] and [`Live::give_changes`]
//! do the same bit by bit, while entries go on to be handed over.

mod changes;
mod foresight;
mod shard;
mod succession;

pub use changes::{Change, FORMAT, Given, Unreadable, in_order};
pub use foresight::{Earliest, Foreseen};

use crate::{
    identities::{Identities, Link, Linked},
    limits::{APPROACHED, MEMBERS_LOOKED_AT, WORTH_A_THREAD},
    source::Envelope,
    threads::{beside_each_other, hash, shard_of},
};
use changes::Removed;
use segue_compiler::{
    arrival::Arrivals,
    execution::{Counts, Execution},
    goal,
    record::Record,
    typed::SegmentId,
    value::Millis,
};
use shard::Shard;
use std::{mem, num::NonZeroUsize, ops::AddAssign, sync::Arc};

/// All customers of a host.
pub struct Live<E: Execution> {
    execution: E,
    settle: i64,
    arrivals: Arrivals,
    shards: Vec<Shard<E>>,
    identities: Identities,
    /// What went since changes were last asked for.
    removed: Removed,
    /// Changes that were asked for, as far as no shard has them.
    given: Option<Given<E>>,
    tally: Tally,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls applied in order.
    pub applied: u64,
    /// Calls applied behind the customer's clock.
    pub late: u64,
    /// Calls whose id was known.
    pub duplicate: u64,
    /// Calls that may be duplicates and only stopped and cancelled.
    pub doubtful: u64,
    /// Calls stamped after their arrival.
    pub quarantined: u64,
    /// Anonymous customers who were joined with known ones.
    pub joined: u64,
    /// Calls that would have joined two known customers.
    pub unmerged: u64,
    /// Runs that started.
    pub fired: u64,
    /// Limits and broken fields.
    pub counts: Counts,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.applied += other.applied;
        self.late += other.late;
        self.duplicate += other.duplicate;
        self.doubtful += other.doubtful;
        self.quarantined += other.quarantined;
        self.joined += other.joined;
        self.unmerged += other.unmerged;
        self.fired += other.fired;
        self.counts += other.counts;
    }
}

/// What is known of one customer at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portrait {
    /// The id.
    pub id: Arc<str>,
    /// Every id that is theirs: this one, and the anonymous ones that were joined with them, in order.
    pub ids: Vec<String>,
    /// The segments that they are in.
    pub segments: Vec<SegmentId>,
    /// When something may change by time alone.
    pub next_deadline: Option<Millis>,
}

/// Some members of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// Their ids, in no order that means something.
    pub ids: Vec<Arc<str>>,
    /// Where to go on; none at the end.
    pub next: Option<Cursor>,
}

/// A place among all customers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The shard.
    pub shard: u32,
    /// The place within it.
    pub place: u32,
}

impl<E: Execution> Live<E> {
    /// A host without customers. `settle` is the executor's own, `start` about when time begins.
    #[must_use]
    pub fn new(execution: E, settle: i64, shards: NonZeroUsize, start: Millis) -> Self {
        Self {
            execution,
            settle,
            arrivals: Arrivals::new(settle),
            shards: (0..shards.get()).map(|_| Shard::new(start)).collect(),
            identities: Identities::remembering(),
            removed: Removed::default(),
            given: None,
            tally: Tally::default(),
        }
    }

    /// The executor.
    pub fn execution(&self) -> &E {
        &self.execution
    }

    /// What was counted so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = self.tally;
        self.shards.iter().for_each(|shard| tally += shard.tally);
        tally
    }

    /// How many customers there are.
    #[must_use]
    pub fn customers(&self) -> usize {
        self.shards.iter().map(Shard::count).sum()
    }

    /// What happened since this was last asked, in order of time, then customer, then happening.
    pub fn records(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        for shard in &mut self.shards {
            records.append(&mut shard.records);
        }
        records.sort_by(|a, b| (a.at(), a.customer()).cmp(&(b.at(), b.customer())));
        records
    }

    /// By when time should come on: to then or later. It may be early, never late.
    #[must_use]
    pub fn wake_at(&self) -> Option<Millis> {
        let first = self.shards.iter().filter_map(Shard::wake_at).min();
        first.map(|at| at.saturating_add(self.settle))
    }

    /// What is known of a customer, by any of their ids.
    pub fn portrait(&mut self, id: &str, segments: usize) -> Option<Portrait> {
        let id = self.identities.whose(id);
        let hash = hash(&id);
        let shard = shard_of(hash, self.shards.len());
        let (segments, next_deadline) = self.shards[shard].look_at(&self.execution, hash, &id, segments)?;
        Some(Portrait { ids: self.identities.ids_of(&id), id, segments, next_deadline })
    }

    /// What came of the goals of rules for a customer, by any of their ids, in order of the rules.
    pub fn goals(&mut self, id: &str) -> Vec<goal::Outcome> {
        let id = self.identities.whose(id);
        let hash = hash(&id);
        let shard = shard_of(hash, self.shards.len());
        self.shards[shard].goals(&self.execution, hash, &id)
    }

    /// Members of a segment from a place on, at most so many; it looks at no more than some thousand customers, so there may
    /// be few or none on the way to the end.
    pub fn members(&mut self, segment: SegmentId, from: Cursor, most: usize) -> Members {
        let mut members = Members::default();
        let mut looked_at = 0;
        let mut cursor = from;
        while let Some(shard) = self.shards.get_mut(cursor.shard as usize) {
            if cursor.place as usize >= shard.places() {
                cursor = Cursor { shard: cursor.shard + 1, place: 0 };
                continue;
            }
            if looked_at == MEMBERS_LOOKED_AT || members.ids.len() >= most {
                members.next = Some(cursor);
                break;
            }
            looked_at += 1;
            members.ids.extend(shard.member_at(&self.execution, cursor.place, segment));
            cursor.place += 1;
        }
        members
    }

    /// Forgets a customer; gives every id that was theirs. Anonymous ids that were joined with them mean nobody from now on.
    pub fn erase(&mut self, customer: &str) -> Vec<String> {
        let customer = self.identities.whose(customer);
        let ids = self.identities.forget(&customer);
        for id in &ids {
            let hash = hash(id);
            let shard = shard_of(hash, self.shards.len());
            self.shards[shard].erase(&self.execution, hash, id);
            self.removed.customers.insert(id.clone());
            self.removed.links.insert(id.clone());
        }
        ids
    }
}

impl<E: Execution + Sync> Live<E> {
    /// Applies calls in their order. Each says when it was received, see [`Envelope::received`]; none is older than the one
    /// before.
    pub fn calls<'c>(&mut self, calls: impl IntoIterator<Item = Envelope<'c>>) {
        let mut lanes: Vec<Vec<Envelope<'c>>> = self.shards.iter().map(|_| Vec::new()).collect();
        for mut envelope in calls {
            if let Some(link) = self.identities.news(&envelope, None) {
                // Who is who is decided in order: what came before goes first.
                self.drain(&mut lanes);
                self.link(&link, envelope.arrival());
            }
            self.identities.resolve(&mut envelope);
            let shard = shard_of(hash(&envelope.customer), lanes.len());
            lanes[shard].push(envelope);
        }
        self.drain(&mut lanes);
    }

    /// Time has come to an instant: whatever was due by then, `settle` before it, passes.
    pub fn advance(&mut self, now: Millis) {
        let until = self.arrivals.come_to(now);
        self.pass(until, |shard, execution, most| shard.advance(execution, until, most));
    }

    /// Time goes on at an instant after nobody was there: what was due meanwhile settles at its own time, and what it would
    /// send is decided now.
    pub fn resume(&mut self, now: Millis) {
        let until = self.arrivals.come_up(now);
        self.pass(until, |shard, execution, most| shard.resume(execution, until, now, most));
    }

    fn pass(&mut self, until: Millis, pass: impl Fn(&mut Shard<E>, &E, usize) + Sync) {
        let (execution, pass) = (&self.execution, &pass);
        let is_due = |shard: &&mut Shard<E>| shard.wake_at().is_some_and(|at| at <= until);
        self.shards.iter_mut().filter(is_due).for_each(|shard| pass(shard, execution, WORTH_A_THREAD));
        // Who is left are many.
        let due = self.shards.iter_mut().filter(is_due);
        beside_each_other(due.map(|shard| move || pass(shard, execution, usize::MAX)).collect());
    }

    /// Applies what lies in the lanes, each shard its own.
    fn drain(&mut self, lanes: &mut [Vec<Envelope<'_>>]) {
        let (execution, arrivals) = (&self.execution, self.arrivals);
        let work = self.shards.iter_mut().zip(lanes.iter_mut()).filter(|(_, lane)| !lane.is_empty());
        let work: Vec<_> = work
            .map(|(shard, lane)| {
                let lane = mem::take(lane);
                let length = lane.len();
                let apply = move || {
                    for calls in lane.chunks(APPROACHED) {
                        shard.customers.approach(calls.iter().map(|next| hash(&next.customer)));
                        calls.iter().for_each(|call| shard.apply(execution, arrivals, call));
                    }
                };
                (length, apply)
            })
            .collect();
        let few = work.iter().filter(|(length, _)| *length >= WORTH_A_THREAD).count() < 2;
        let work = work.into_iter().map(|(_, apply)| apply);
        if few {
            work.for_each(|mut apply| apply());
        } else {
            beside_each_other(work.collect());
        }
    }

    /// Takes up what a call says of who is who.
    fn link(&mut self, link: &Link, arrival: Millis) {
        let count = self.shards.len();
        let [from, into] = [&link.anonymous, &link.known].map(|id| shard_of(hash(id), count));
        let is_known = self.shards[from].is_known(&self.execution, &link.anonymous);
        match self.identities.link(link, arrival, is_known) {
            Linked::Already => {}
            Linked::Refused => self.tally.unmerged += 1,
            Linked::Now => {
                self.removed.links.remove(&link.anonymous);
                self.join(from, into, link, arrival);
            }
        }
    }

    fn join(&mut self, from: usize, into: usize, link: &Link, arrival: Millis) {
        let execution = &self.execution;
        let settled = self.arrivals.before_call(arrival);
        let Some(meeting) = self.shards[from].meeting(execution, &link.anonymous, link.at, settled) else {
            return;
        };
        let (place, other) = self.shards[into].entry_meeting(execution, &link.known, link.at, settled);
        let meeting = meeting.max(other);
        let Some(state) = self.shards[from].give(execution, &link.anonymous, meeting) else { return };
        self.removed.customers.insert(link.anonymous.clone());
        self.shards[into].join(execution, place, meeting, state);
        self.tally.joined += 1;
    }
}
