//! The live host of machine code, with shards, deadlines in wheels, and customers who outlive it as bytes.

use super::{Host, Told, World};
use crate::drive::Entry;
use segue_compiler::{
    execution::Execution,
    record::Record,
    typed::{Program, SegmentId},
    value::Millis,
};
use segue_runtime::{
    live::{Change, Cursor, Live, Tally},
    source::Envelope,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    num::NonZeroUsize,
    sync::Arc,
};

/// How many members are asked for at once: few, so that there is more than one page.
const PAGE: usize = 2;

/// The live host, and all that a service keeps of it.
pub struct Hosted<E: Execution> {
    executor: Arc<E>,
    settle: i64,
    live: Live<Arc<E>>,
    /// Calls in a row, which are handed over together.
    waiting: Vec<String>,
    /// What a store would hold.
    kept: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Up to when time had come.
    clock: Option<Millis>,
    records: Vec<Record>,
    /// What the hosts before the last restart counted.
    tally: Tally,
}

impl<E: Execution<Resting = Box<[u8]>> + Send + Sync> Hosted<E> {
    /// Without customers.
    pub fn new(executor: E, world: &World) -> Self {
        let (executor, settle) = (Arc::new(executor), world.settle);
        Self {
            live: Live::new(executor.clone(), settle, NonZeroUsize::MIN, 0),
            executor,
            settle,
            waiting: Vec::new(),
            kept: BTreeMap::new(),
            clock: None,
            records: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Hands over the calls that wait.
    fn hand_over(&mut self) {
        let lines = mem::take(&mut self.waiting);
        let calls: Vec<Envelope<'_>> =
            lines.iter().map(|line| Envelope::parse(line.as_bytes()).unwrap()).collect();
        self.clock = self.clock.max(calls.iter().map(Envelope::arrival).max());
        self.live.calls(calls);
        self.records.extend(self.live.records());
    }

    /// Stops the host and starts another from what was kept.
    fn restart(&mut self, shards: usize) {
        for Change { key, value } in self.live.changes() {
            match value {
                Some(value) => drop(self.kept.insert(key, value)),
                None => drop(self.kept.remove(&key)),
            }
        }
        self.tally += self.live.tally();
        let shards = NonZeroUsize::new(shards).unwrap_or(NonZeroUsize::MIN);
        self.live = Live::new(self.executor.clone(), self.settle, shards, 0);
        for (key, value) in &self.kept {
            self.live.restore(key, value).unwrap();
        }
        if let Some(clock) = self.clock {
            self.live.resume(clock);
        }
    }

    fn members(&mut self, segment: SegmentId) -> Vec<String> {
        let (mut all, mut from) = (Vec::new(), Some(Cursor::default()));
        while let Some(cursor) = from {
            let page = self.live.members(segment, cursor, PAGE);
            all.extend(page.ids.iter().map(ToString::to_string));
            from = page.next;
        }
        all.sort_unstable();
        all
    }
}

impl<E: Execution<Resting = Box<[u8]>> + Send + Sync> Host for Hosted<E> {
    fn take(&mut self, entry: &Entry) {
        if let Entry::Call(call) = entry {
            self.waiting.push(Value::to_string(call));
            return;
        }
        self.hand_over();
        if let Entry::Clock(clock) | Entry::Up(clock) = entry {
            self.clock = self.clock.max(Some(*clock));
        }
        match entry {
            Entry::Call(_) => {}
            Entry::Clock(clock) => self.live.advance(*clock),
            Entry::Up(clock) => self.live.resume(*clock),
            Entry::Erase(customer) => {
                let ids: BTreeSet<String> = self.live.erase(customer).into_iter().collect();
                self.records.retain(|record| !ids.contains(&**record.customer()));
            }
            Entry::Restart(shards) => self.restart(*shards),
        }
        self.records.extend(self.live.records());
    }

    fn finish(mut self, program: &Program, until: Millis) -> Told {
        self.hand_over();
        self.live.advance(until.saturating_add(self.settle));
        self.records.extend(self.live.records());
        self.tally += self.live.tally();
        let segments = program.segments.iter().zip(0..);
        let members = segments
            .map(|(segment, number)| (segment.name.to_string(), self.members(SegmentId(number))))
            .collect();
        let Tally { applied, late, duplicate, doubtful, quarantined, fired, .. } = self.tally;
        let outcomes = [
            ("Applied", applied),
            ("Late", late),
            ("Duplicate", duplicate),
            ("Doubtful", doubtful),
            ("Quarantined", quarantined),
        ];
        let happened = outcomes.into_iter().filter(|(_, count)| *count > 0);
        let outcomes = happened.map(|(name, count)| (name.to_owned(), count)).collect();
        let mut records = self.records;
        // Stable: what happened to one customer at one instant stays in its order.
        records.sort_by(|a, b| (a.at(), a.customer()).cmp(&(b.at(), b.customer())));
        Told { records, members, customers: self.live.customers(), outcomes, fired }
    }
}
