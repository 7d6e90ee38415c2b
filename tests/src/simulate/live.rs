//! The live host, with shards, deadlines in wheels, customers who outlive it as bytes, and rules that change under way.

use super::Told;
use crate::{
    changing::{Changing, Happening, NewRules, told_of},
    drive::Entry,
    simulate::world::names,
};
use segue_compiler::{
    execution::Execution,
    goal,
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

/// What a live host tells of a log, and of the changes of rules on its way, with the executors that `make` makes.
///
/// # Panics
/// When it keeps the rules of before a change.
#[must_use]
pub fn hosted<E>(first: Arc<Program>, changing: &Changing<'_>, make: &dyn Fn(Arc<Program>) -> E) -> Told
where
    E: Execution<Resting = Box<[u8]>, Customer: Clone> + Send + Sync,
{
    let all = changing.happenings();
    let (settle, shards) = (changing.settings.settle, NonZeroUsize::MIN);
    let live = Live::new(Arc::new(make(first.clone())), settle, shards, 0);
    let mut host = Hosted::new(first, live, settle, shards);
    for (place, happening) in all.iter().enumerate() {
        match happening {
            Happening::Entry(entry) => host.take(entry),
            Happening::Change(new) => host.change(new, &all[..=place], make),
        }
    }
    host.finish(changing)
}

/// The live host, and all that a service keeps of it.
struct Hosted<E: Execution> {
    program: Arc<Program>,
    settle: i64,
    live: Live<Arc<E>>,
    shards: NonZeroUsize,
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

impl<E: Execution<Resting = Box<[u8]>, Customer: Clone> + Send + Sync> Hosted<E> {
    /// Without customers.
    fn new(program: Arc<Program>, live: Live<Arc<E>>, settle: i64, shards: NonZeroUsize) -> Self {
        Self {
            program,
            live,
            settle,
            shards,
            waiting: Vec::new(),
            kept: BTreeMap::new(),
            clock: None,
            records: Vec::new(),
            tally: Tally::default(),
        }
    }

    fn take(&mut self, entry: &Entry) {
        if let Entry::Call(call) = entry {
            self.waiting.push(Value::to_string(call));
            return;
        }
        self.hand_over();
        self.take_in_turn(entry);
    }

    /// Takes what is no call; those before are handed over.
    fn take_in_turn(&mut self, entry: &Entry) {
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

    /// Hands over the calls that wait.
    fn hand_over(&mut self) {
        self.hand_over_as(|call| call);
    }

    /// Hands them over as they are told.
    fn hand_over_as(&mut self, as_told: impl for<'c> Fn(Envelope<'c>) -> Envelope<'c>) {
        let lines = mem::take(&mut self.waiting);
        let read = lines.iter().map(|line| Envelope::parse(line.as_bytes()).unwrap());
        let calls: Vec<Envelope<'_>> = read.map(as_told).collect();
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
        self.shards = NonZeroUsize::new(shards).unwrap_or(NonZeroUsize::MIN);
        self.live = Live::new(self.live.execution().clone(), self.settle, self.shards, 0);
        for (key, value) in &self.kept {
            self.live.restore(key, value).unwrap();
        }
        if let Some(clock) = self.clock {
            self.live.resume(clock);
        }
    }

    /// Other rules are put in force; `all` is what happened so far, and this.
    fn change(&mut self, new: &NewRules, all: &[Happening<'_>], make: &dyn Fn(Arc<Program>) -> E) {
        self.hand_over();
        let before = Arc::downgrade(self.live.execution());
        let under_way = self.live.before_change(new.at);
        self.program = Arc::new(new.succeed(&self.program, &under_way));
        let executor = Arc::new(make(self.program.clone()));
        let told = self.live.listener(executor, self.settle, new.log_from, 0);
        let mut told = Self::new(self.program.clone(), told, self.settle, self.shards);
        // Who was joined at its first instant or later is joined as it tells.
        let who_since = new.log_from.map(|from| from - 1);
        for happening in told_of(all, new.log_from) {
            if let Happening::Entry(entry @ Entry::Call(_)) = happening {
                told.take(entry);
                continue;
            }
            told.hand_over_as(|call| self.live.as_told(call, who_since));
            match happening {
                // The log tells that the service came up, and of no hosts.
                Happening::Entry(Entry::Restart(_)) => told.come_up(),
                Happening::Entry(entry) => told.take_in_turn(entry),
                Happening::Change(change) => drop(told.live.before_change(change.at)),
            }
        }
        told.hand_over_as(|call| self.live.as_told(call, who_since));
        assert!(told.records.is_empty(), "reading a log tells nothing");
        self.live.succeeded_by(told.live);
        assert!(before.upgrade().is_none(), "what was in force before is let go");
        self.records.extend(self.live.records());
    }

    fn come_up(&mut self) {
        self.hand_over();
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

    /// What came of goals, of those whom the log names.
    fn goals(&mut self, log: &[Entry]) -> BTreeMap<String, Vec<goal::Outcome>> {
        let mut all = BTreeMap::new();
        for id in names(log) {
            let is_own = self.live.portrait(&id, 0).is_some_and(|it| *it.id == *id);
            let goals = if is_own { self.live.goals(&id) } else { Vec::new() };
            if !goals.is_empty() {
                all.insert(id, goals);
            }
        }
        all
    }

    fn finish(mut self, changing: &Changing<'_>) -> Told {
        self.hand_over();
        self.live.advance(changing.until.unwrap_or_default().saturating_add(self.settle));
        self.records.extend(self.live.records());
        self.tally += self.live.tally();
        let goals = self.goals(changing.log);
        let program = self.program.clone();
        let segments = program.segments.iter().zip(0..);
        let members = segments
            .map(|(segment, number)| (segment.name.to_string(), self.members(SegmentId(number))))
            .collect();
        let Tally { applied, late, duplicate, doubtful, quarantined, fired, counts, .. } = self.tally;
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
        let (customers, ended) = (self.live.customers(), counts.runs_ended);
        Told { records, members, customers, outcomes, fired, ended, goals }
    }
}
