//! New rules take the place of those in force: everybody is taken over, and what is new is filled from what the log tells.

use super::{Live, shard::Shard};
use crate::{
    identities::Owner,
    source::Envelope,
    threads::{beside_each_other, hash, shard_of},
};
use segue_compiler::{
    arrival::Arrivals,
    execution::{Execution, Output},
    reach::Reach,
    value::Millis,
};
use std::{borrow::Cow, collections::BTreeSet, mem, num::NonZeroUsize, sync::Arc};

impl<E: Execution + Sync> Live<E> {
    /// A host of other rules, to whom the log is told: what is known changes, and nothing comes of it. If the log begins at
    /// `log_from`, what the profile said before is known already. `start` is about when the log begins. It is told each call
    /// [as it was](Live::as_told).
    #[must_use]
    pub fn listener(&mut self, execution: E, settle: i64, log_from: Option<Millis>, start: Millis) -> Self {
        let shards = NonZeroUsize::new(self.shards.len()).unwrap_or(NonZeroUsize::MIN);
        let mut told = Self::new(execution, settle, shards, start);
        told.shards.iter_mut().for_each(Shard::silence);
        if let Some(log_from) = log_from {
            let passage = told.execution.passage(&self.execution);
            let change = (&self.execution, &told.execution, &passage);
            let pairs = self.shards.iter_mut().zip(&mut told.shards);
            let work = pairs.map(|(shard, told)| move || shard.begin(change, told, log_from));
            beside_each_other(work.collect());
        }
        told
    }

    /// Rules are about to change at an instant: time passes for everybody as before a call that arrives then. Gives the rules
    /// that have runs under way, by their positions.
    pub fn before_change(&mut self, at: Millis) -> BTreeSet<u32> {
        self.capture_all();
        let until = self.arrivals.before_call(at);
        let execution = &self.execution;
        let work = self.shards.iter_mut().map(|shard| move || shard.before_change(execution, until));
        beside_each_other(work.collect()).into_iter().flatten().collect()
    }

    /// How far back the log must be told of to an executor whose rules are to take the place of those in force.
    pub fn to_fill(&self, next: &E) -> Reach {
        next.to_fill(&self.execution, &next.passage(&self.execution))
    }

    /// Everybody is taken over by the executor of another host, to whom the log up to the change was told, and who has as many
    /// shards. Its rules are the succession of those in force, which are let go.
    pub fn succeeded_by(&mut self, told: Self) {
        self.capture_all();
        let Self { execution, settle, shards, .. } = told;
        let before = mem::replace(&mut self.execution, execution);
        let passage = self.execution.passage(&before);
        let change = (&before, &self.execution, &passage);
        let start = self.arrivals.passed();
        let pairs = mem::take(&mut self.shards).into_iter().zip(shards);
        let work = pairs.map(|(shard, told)| move || shard.succeeded_by(change, told, start));
        self.shards = beside_each_other(work.collect());
        self.settle = settle;
        self.arrivals = Arrivals::new(settle);
        self.arrivals.come_to(start.saturating_add(settle));
    }

    /// A call of the log as it is told: it is of whom it was when it came. `start` is when the first of what is told arrived;
    /// none where that is all there ever was.
    #[must_use]
    pub fn as_told<'c>(&self, mut call: Envelope<'c>, start: Option<Millis>) -> Envelope<'c> {
        let was_before = |owner: &Owner| start.is_some_and(|start| owner.since <= start);
        if !call.known
            && let Some(owner) = self.identities.owner(&call.customer)
            && was_before(owner)
        {
            call.customer = Cow::Owned(owner.known.to_string());
        }
        let customer = &call.customer;
        call.same_as = call.same_as.filter(|id| match self.identities.owner(id) {
            Some(owner) => *owner.known == **customer && !was_before(owner),
            None => !self.shards[shard_of(hash(id), self.shards.len())].is_known(&self.execution, id),
        });
        call
    }
}

impl<E: Execution> Shard<E> {
    fn silence(&mut self) {
        self.output = Output::silent();
    }

    /// Everybody begins anew in another shard, to whom a log is to be told that begins at an instant.
    fn begin(&mut self, (before, after, passage): (&E, &E, &E::Passage), told: &mut Self, log_from: Millis) {
        for place in self.each_place() {
            let begun = after.begin((before, passage), self.customers.wake(before, place), log_from);
            let id = self.customers.id(before, place);
            let (place, state) = told.customers.entry(after, hash(id), id);
            *state = begun;
            let due = after.next_deadline(state);
            told.take_up(place, due);
        }
    }

    fn before_change(&mut self, execution: &E, until: Millis) -> BTreeSet<u32> {
        let mut all = BTreeSet::new();
        for place in self.each_place() {
            self.advance_one(execution, place, until);
            all.extend(execution.under_way(self.customers.wake(execution, place)));
        }
        all
    }

    fn succeeded_by(
        mut self,
        (before, after, passage): (&E, &E, &E::Passage),
        mut told: Self,
        start: Millis,
    ) -> Self {
        let mut next = Self::new(start);
        (next.records, next.tally) = (mem::take(&mut self.records), self.tally);
        for place in self.each_place() {
            let id: Arc<str> = Arc::from(self.customers.id(before, place));
            let (hash, is_known) = (hash(&id), self.customers.is_known(place));
            let customer = self.customers.release(before, place);
            let of_log = told.customers.find(after, hash, &id);
            let of_log = of_log.map(|place| told.customers.release(after, place));
            let of_log = of_log.unwrap_or_else(|| after.customer(id.clone()));
            let carried = after.carry((before, passage), customer, of_log, &mut next.output);
            let (place, state) = next.customers.entry(after, hash, &id);
            *state = carried;
            let due = after.next_deadline(state);
            if is_known {
                next.customers.note_known(place);
            }
            next.take_up(place, due);
        }
        next
    }

    /// The places of customers.
    fn each_place(&self) -> Vec<u32> {
        (0..).take(self.customers.len()).filter(|place| !self.customers.is_gone(*place)).collect()
    }
}
