//! The events of a customer, as far as they are known [1, 10].

use super::{customer::Event, merge::Shift};
use crate::consent::Stamp;
use std::{collections::BTreeMap, sync::Arc};

/// Every event, by (time, order of application).
///
/// What rules ask for since they were changed is told by the log as it was then, which may begin later than the customer's
/// history, and is read without the rules that were in force: so it has a history of its own.
#[derive(Debug, Default)]
pub(super) struct History {
    all: Vec<Arc<Event>>,
    /// By the change of rules: what the log told then, and what came later.
    refilled: BTreeMap<u32, Vec<Arc<Event>>>,
}

impl History {
    /// The events that are remembered since a change of rules; 0: from the beginning. Of those who came later, everything.
    pub(super) fn since(&self, change: u32) -> &[Arc<Event>] {
        self.refilled.get(&change).unwrap_or(&self.all)
    }

    /// Puts an event into its place.
    pub(super) fn remember(&mut self, event: &Arc<Event>) {
        for events in self.refilled.values_mut().chain([&mut self.all]) {
            let place = events.partition_point(|other| other.stamp < event.stamp);
            events.insert(place, event.clone());
        }
    }

    /// The most events that there are of any time.
    pub(super) fn len(&self) -> usize {
        self.each().map(Vec::len).max().unwrap_or_default()
    }

    /// All events, those of each log by themselves.
    pub(super) fn events(&self) -> impl Iterator<Item = &Arc<Event>> {
        self.each().flatten()
    }

    fn each(&self) -> impl Iterator<Item = &Vec<Arc<Event>>> {
        self.refilled.values().chain([&self.all])
    }

    /// Takes up what happened to another customer, who turned out to be the same.
    pub(super) fn merge(&mut self, other: &Self, shift: Shift) {
        for change in other.refilled.keys() {
            if !self.refilled.contains_key(change) {
                self.refilled.insert(*change, self.all.clone());
            }
        }
        let join = |mine: &mut Vec<Arc<Event>>, theirs: &[Arc<Event>]| {
            mine.extend(theirs.iter().map(|event| shift.event(event)));
            mine.sort_by_key(|event| event.stamp);
        };
        for (change, mine) in &mut self.refilled {
            join(mine, other.since(*change));
        }
        join(&mut self.all, &other.all);
    }

    /// The same after a change of rules: `known` gives events as the new rules see them, and `log` is what the log tells.
    /// Where it does not tell which of several events of one time was first, those that it tells come last: `order` is the
    /// place of the latest event that was applied.
    pub(super) fn carried(
        &self,
        known: impl Fn(&Event) -> Event,
        change: u32,
        log: &Self,
        order: u64,
    ) -> Self {
        let carried =
            |events: &Vec<Arc<Event>>| events.iter().map(|event| Arc::new(known(event))).collect::<Vec<_>>();
        let mut refilled: BTreeMap<_, _> =
            self.refilled.iter().map(|(change, events)| (*change, carried(events))).collect();
        let told = log.all.iter().map(|event| {
            let stamp: Stamp = (event.stamp.0, order);
            Arc::new(Event { stamp, ..(**event).clone() })
        });
        refilled.insert(change, told.collect());
        Self { all: carried(&self.all), refilled }
    }
}
