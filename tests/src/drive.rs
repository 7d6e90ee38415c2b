//! Drives an executor over calls, customer by customer, as a replay does, or over the log of a live service.

use crate::read::Read;
use segue_compiler::{
    admission::is_ahead,
    arrival::Arrivals,
    execution::{Counts, Execution, Outcome, Output, join},
    goal,
    pack::Packer,
    record::{Instant, Record},
    typed::{Program, SegmentId},
    value::Millis,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::Deref,
    sync::Arc,
};

/// What an executor made of some calls.
#[derive(Debug, PartialEq)]
pub struct Driven {
    /// Records in order of time, then customer, then happening.
    pub records: Vec<Record>,
    /// By customer, the names of the segments they are in at the end.
    pub members: BTreeMap<String, Vec<String>>,
    /// The rule of each run that started.
    pub fired: Vec<Arc<str>>,
    /// By customer, what came of goals.
    pub goals: BTreeMap<String, Vec<goal::Outcome>>,
    /// What became of each call.
    pub outcomes: Vec<String>,
    /// What became of those that were held, in order per customer.
    pub settled: Vec<Outcome>,
}

/// An entry of a log.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A Segment-spec call.
    Call(Value),
    /// The wall clock has come to an instant. Only where the host is live.
    Clock(Millis),
    /// The service comes up again. Only where the host is live.
    Up(Millis),
    /// A customer is to be forgotten.
    Erase(String),
    /// The host stops, and goes on from the bytes that it kept, with so many shards, at the time that it stopped. Only where
    /// it is live.
    Restart(usize),
}

impl Entry {
    /// When it happened; nothing where that is not said.
    #[must_use]
    pub fn at(&self) -> Option<Millis> {
        match self {
            Self::Call(call) => Read::of(call).map(|read| read.at),
            Self::Clock(_) | Self::Up(_) | Self::Erase(_) | Self::Restart(_) => None,
        }
    }

    /// When it came; a call without an arrival came when it happened.
    #[must_use]
    pub fn arrival(&self) -> Option<Millis> {
        match self {
            Self::Call(call) => Read::of(call).map(|read| read.received_at.unwrap_or(read.at)),
            Self::Clock(at) | Self::Up(at) => Some(*at),
            Self::Erase(_) | Self::Restart(_) => None,
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(call) => write!(f, "{call}"),
            Self::Clock(at) => write!(f, "clock {}", Instant(*at)),
            Self::Up(at) => write!(f, "up {}", Instant(*at)),
            Self::Erase(customer) => write!(f, "erase {customer}"),
            Self::Restart(shards) => write!(f, "restart {shards}"),
        }
    }
}

/// Applies calls in order and lets time pass to `until`, or to the last call's time.
#[must_use]
pub fn drive<E: Execution>(
    program: &Program,
    executor: &E,
    calls: &[Value],
    until: Option<Millis>,
) -> Driven {
    drive_and_count(program, executor, calls, until).0
}

/// As [`drive`], and what was counted.
#[must_use]
pub fn drive_and_count<E: Execution>(
    program: &Program,
    executor: &E,
    calls: &[Value],
    until: Option<Millis>,
) -> (Driven, Counts) {
    let mut driver = Driver::new(executor, until);
    calls.iter().for_each(|call| driver.call(call));
    driver.finish(program)
}

/// As [`drive`], over the log of a live service; at the end time passes to `until`.
#[must_use]
pub fn drive_live<E: Execution>(
    program: &Program,
    executor: &E,
    log: &[Entry],
    settle: i64,
    until: Option<Millis>,
) -> Driven {
    let mut driver = Driver::new(executor, None).live(settle);
    log.iter().for_each(|entry| driver.take(entry));
    driver.until = until;
    driver.finish(program).0
}

/// Applies calls in order, up to an end; what the customers are at rest then, and what became of each call.
pub fn apply<E: Execution>(
    executor: &E,
    calls: &[Value],
    until: Option<Millis>,
    out: &mut Output,
) -> (BTreeMap<String, E::Resting>, Vec<String>) {
    let mut driver = Driver::new(executor, until);
    calls.iter().for_each(|call| driver.call(call));
    *out = driver.out;
    (driver.customers, driver.outcomes)
}

/// Who is who.
#[derive(Clone, Default)]
struct Who {
    /// Who was ever named by a `userId`.
    known: BTreeSet<String>,
    /// Whose anonymous ids are, as far as calls have said so, and when the call came.
    owners: BTreeMap<String, (String, Option<Millis>)>,
}

impl Who {
    /// Whether an id may have been joined with a customer when a call said so.
    fn may_be(&self, id: &str, customer: &str) -> bool {
        match self.owners.get(id) {
            Some((owner, _)) => owner == customer,
            None => !self.known.contains(id),
        }
    }
}

/// A host that is as simple as one can be. It holds its executor, or a reference to it.
pub struct Driver<R: Deref<Target: Execution> + Clone> {
    executor: R,
    /// The wall clock, where the host is live.
    arrivals: Option<Arrivals>,
    until: Option<Millis>,
    customers: BTreeMap<String, <R::Target as Execution>::Resting>,
    who: Who,
    /// Who is who in the end, where a log is only told: as it was in truth.
    truth: Option<Who>,
    /// Of the last call, as hosts use it again for the next, whatever that is.
    reading: <R::Target as Execution>::Reading,
    out: Output,
    outcomes: Vec<String>,
    /// The latest time of a call.
    latest: Option<Millis>,
    /// How far the wall clock has come.
    clock: Option<Millis>,
}

impl<E: Execution, R: Deref<Target = E> + Clone> Driver<R> {
    /// Without customers; `until` is the end of time.
    pub fn new(executor: R, until: Option<Millis>) -> Self {
        Self {
            executor,
            arrivals: None,
            until,
            customers: BTreeMap::new(),
            who: Who::default(),
            truth: None,
            reading: Default::default(),
            out: Output::default(),
            outcomes: Vec::new(),
            latest: None,
            clock: None,
        }
    }

    /// The same, moved by the wall clock.
    #[must_use]
    pub fn live(self, settle: i64) -> Self {
        Self { arrivals: Some(Arrivals::new(settle)), ..self }
    }

    /// The same, with another end of time.
    #[must_use]
    pub fn until(self, until: Millis) -> Self {
        Self { until: Some(until), ..self }
    }

    /// A host of another executor, to whom the log is only told: nothing comes of it. If the log begins at an instant, what
    /// the profile said before is known already. It is told what came from an instant on: who was who by then is known, too.
    #[must_use]
    pub fn listener(&mut self, executor: R, (log_from, told_from): (Option<Millis>, Option<Millis>)) -> Self {
        let mut told = Self::new(executor.clone(), self.until);
        told.out = Output::silent();
        told.who.owners.clone_from(&self.who.owners);
        told.who.owners.retain(|_, (_, since)| *since < told_from);
        told.truth = Some(self.who.clone());
        if let Some(log_from) = log_from {
            let passage = executor.passage(&self.executor);
            for id in self.customers.keys().cloned().collect::<Vec<_>>() {
                let Some(customer) = self.wake(&id) else { continue };
                let begun = executor.begin((&self.executor, &passage), &customer, log_from);
                told.rest(id.clone(), begun);
                self.rest(id, customer);
            }
        }
        told
    }

    /// Time has an end now.
    pub fn ends(&mut self, until: Option<Millis>) {
        self.until = until;
    }

    /// The end of time: if nothing says so, that of the latest call.
    #[must_use]
    pub fn end(&self) -> Millis {
        self.until.or(self.latest).unwrap_or(i64::MIN)
    }

    /// Lets time pass for everybody up to what has settled at an instant.
    pub fn come_to(&mut self, at: Millis) {
        let arrivals = self.arrivals;
        self.everybody(|executor, customer, out| {
            let until = arrivals.map(|arrivals| arrivals.before_call(at));
            let until = until.unwrap_or_else(|| executor.meeting(customer, at));
            executor.advance(customer, until, out);
        });
    }

    /// The rules that have runs under way.
    pub fn under_way(&mut self) -> BTreeSet<u32> {
        let mut all = BTreeSet::new();
        self.everybody(|executor, customer, _| all.extend(executor.under_way(customer)));
        all
    }

    /// Everybody is taken over by another executor. `told` is one of its hosts, to whom the log was told.
    #[must_use]
    pub fn succeeded_by(mut self, mut told: Self) -> Self {
        assert!(told.out.records.is_empty() && told.out.fired.is_empty(), "reading a log tells nothing");
        let (before, after) = (self.executor.clone(), told.executor.clone());
        let passage = after.passage(&before);
        let mut customers = BTreeMap::new();
        for id in self.customers.keys().cloned().collect::<Vec<_>>() {
            let Some(customer) = self.wake(&id) else { continue };
            let of_log = told.wake(&id).unwrap_or_else(|| after.customer(Arc::from(id.as_str())));
            let carried = after.carry((&*before, &passage), customer, of_log, &mut self.out);
            customers.insert(id, after.rest(carried, &mut Packer::default()));
        }
        let Self { arrivals, until, who, truth, reading, out, outcomes, latest, clock, .. } = self;
        Self {
            executor: after,
            arrivals,
            until,
            customers,
            who,
            truth,
            reading,
            out,
            outcomes,
            latest,
            clock,
        }
    }

    /// Takes an entry of a log.
    ///
    /// # Panics
    /// On a clock where the host is not live.
    pub fn take(&mut self, entry: &Entry) {
        if let Entry::Clock(clock) | Entry::Up(clock) = entry {
            self.clock = self.clock.max(Some(*clock));
        }
        match entry {
            Entry::Call(call) => self.call(call),
            Entry::Clock(clock) => {
                let until = self.arrivals.as_mut().unwrap().come_to(*clock);
                self.everybody(|executor, customer, out| executor.advance(customer, until, out));
            }
            Entry::Up(clock) => {
                let until = self.arrivals.as_mut().unwrap().come_up(*clock);
                self.everybody(|executor, customer, out| executor.overdue(customer, until, *clock, out));
            }
            Entry::Erase(customer) => self.erase(customer),
            // Everybody rests in any case. The service comes up when it went down.
            Entry::Restart(_) => {
                if let Some(clock) = self.clock {
                    self.take(&Entry::Up(clock));
                }
            }
        }
    }

    /// Applies a call.
    pub fn call(&mut self, call: &Value) {
        let Some(mut read) = Read::of(call) else {
            self.outcomes.push("unreadable".to_owned());
            return;
        };
        self.latest = self.latest.max(Some(read.at));
        self.clock = self.clock.max(Some(read.received_at.unwrap_or(read.at)));
        let ahead = is_ahead(read.at, read.received_at, self.until);
        let joins = read.same_as.take().filter(|id| {
            let is_true = self.truth.as_ref().is_none_or(|truth| truth.may_be(id, &read.customer));
            let is_free = !self.who.known.contains(id) && !self.who.owners.contains_key(id);
            !ahead && *id != read.customer && is_true && is_free
        });
        if read.known {
            self.who.known.insert(read.customer.clone());
        } else if let Some((owner, _)) = self.who.owners.get(&read.customer) {
            read.customer.clone_from(owner);
        }
        let mut customer = match self.wake(&read.customer) {
            Some(customer) => customer,
            None => self.executor.customer(Arc::from(read.customer.as_str())),
        };
        let (executor, arrivals) = (self.executor.clone(), self.arrivals);
        let executor = &*executor;
        if let Some(anonymous) = joins {
            if let Some(mut other) = self.wake(&anonymous) {
                if let Some(arrivals) = arrivals {
                    let passed = arrivals.before_call(read.received_at.unwrap_or(read.at));
                    executor.advance(&mut other, passed, &mut self.out);
                    executor.advance(&mut customer, passed, &mut self.out);
                }
                join(executor, &mut customer, other, read.at, &mut self.out);
            }
            self.who.owners.insert(anonymous, (read.customer.clone(), self.clock));
        }
        let (incoming, reading) = (read.incoming(), &mut self.reading);
        let outcome = match arrivals {
            Some(arrivals) => arrivals.apply(executor, &mut customer, &incoming, reading, &mut self.out),
            None => {
                executor.read(&incoming, reading);
                executor.apply_read(&mut customer, &incoming, reading, &mut self.out)
            }
        };
        self.outcomes.push(format!("{outcome:?}"));
        self.rest(read.customer, customer);
    }

    /// Carries time on to the end. Gives what came of it, and what was counted.
    #[must_use]
    pub fn finish(mut self, program: &Program) -> (Driven, Counts) {
        let end = self.end();
        self.everybody(|executor, customer, out| executor.advance(customer, end, out));
        let Output { mut records, fired, settled, counts, silent: _ } = std::mem::take(&mut self.out);
        // Stable: what happened to one customer at one instant stays in its order.
        records.sort_by(|a, b| (a.at(), a.customer()).cmp(&(b.at(), b.customer())));
        let (mut members, mut goals) = (BTreeMap::new(), BTreeMap::new());
        let executor = &*self.executor;
        for (id, mut resting) in self.customers {
            let customer = executor.wake(&mut resting);
            let segments = program.segments.iter().zip(0..);
            let of = segments.filter(|(_, number)| executor.is_member(&customer, SegmentId(*number)));
            members.insert(id.clone(), of.map(|(segment, _)| segment.name.to_string()).collect());
            goals.insert(id, executor.goals(&customer));
        }
        (Driven { records, members, fired, goals, outcomes: self.outcomes, settled }, counts)
    }

    /// Everybody rests between calls: nothing may be lost by that.
    fn rest(&mut self, id: String, customer: E::Customer) {
        self.customers.insert(id, self.executor.rest(customer, &mut Packer::default()));
    }

    fn wake(&mut self, id: &str) -> Option<E::Customer> {
        self.customers.remove(id).map(|mut resting| self.executor.wake(&mut resting))
    }

    fn everybody(&mut self, mut what: impl FnMut(&E, &mut E::Customer, &mut Output)) {
        let ids: Vec<String> = self.customers.keys().cloned().collect();
        for id in ids {
            if let Some(mut customer) = self.wake(&id) {
                what(&self.executor, &mut customer, &mut self.out);
                self.rest(id, customer);
            }
        }
    }

    /// Forgets a customer, with the anonymous ids that are theirs and what is told of all of these.
    fn erase(&mut self, customer: &str) {
        self.who.owners.remove(customer);
        let theirs = self.who.owners.extract_if(.., |_, (owner, _)| owner == customer);
        let ids: BTreeSet<String> = theirs.map(|(id, _)| id).chain([customer.to_owned()]).collect();
        for id in &ids {
            self.customers.remove(id);
            self.who.known.remove(id);
        }
        self.out.records.retain(|record| !ids.contains(&**record.customer()));
    }
}
