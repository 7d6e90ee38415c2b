//! What the log led to: everything that a host knows. It changes by entries of the log only.

use super::{
    Status, Tell,
    history::{At, History},
    hold::Hold,
    notes::{Erasing, Notes, Read},
    outbox::{self, Outbox, Pending, Way},
    questions::Names,
    status::lock,
};
use crate::{
    clock::Clock,
    deliver::Deliverer,
    limits::HISTORY_PAUSE,
    lineage::{ForceError, InForce, Lineage, UnderWay},
    log::{Delivered, Entry, Group, Kind},
    rules::{LogBegins, Put},
    store::Checkpoint,
};
use segue_compiler::{
    record::{ActionId, Record},
    typed::Program,
    value::Millis,
};
use segue_runtime::{engine::Engine, live::Live, source::Envelope, words::reason};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

pub(super) struct State {
    pub(super) live: Live<Arc<Engine>>,
    pub(super) outbox: Outbox,
    pub(super) history: History,
    /// What tells the rules in force.
    pub(super) rules: u64,
    /// All that were in force, up to those that are.
    pub(super) lineage: Lineage,
    /// The program in force.
    pub(super) program: Arc<Program>,
    /// The folder that paths of channels are relative to.
    pub(super) root: PathBuf,
    /// Where the log lies.
    pub(super) log: PathBuf,
    /// Keeps what a change needs of it.
    pub(super) hold: Hold,
    /// Changes of rules that an older checkpoint would have to make again, and what they read of the log.
    pub(super) reads: Vec<Read>,
    /// The names of the segments, for whoever asks.
    pub(super) names: Names,
    /// The position of the next entry.
    pub(super) position: u64,
    /// When the last one was received.
    pub(super) received_at: Option<Millis>,
    /// Who was erased, and is still to be taken out of what was written of them.
    pub(super) erasing: BTreeMap<u64, Erasing>,
    pub(super) settle: i64,
    /// How many segments there are.
    pub(super) segments: usize,
    /// What tells how late something is; nothing while the log is caught up with.
    pub(super) clock: Option<Arc<dyn Clock>>,
    /// What delivers; nothing yet while the log is caught up with.
    pub(super) deliverer: Option<Deliverer>,
    pub(super) status: Arc<Mutex<Status>>,
    pub(super) tell: Tell,
    /// Whether there is to be an end.
    pub(super) stop: Arc<AtomicBool>,
    /// Whether something could not be kept, so that no checkpoint may be made of this.
    pub(super) is_lost: bool,
}

impl State {
    /// Takes up entries of the log.
    pub(super) fn take(&mut self, group: &Group) {
        let mut calls = Vec::new();
        for entry in group.entries() {
            if entry.kind == Kind::Call {
                // What is in the log was looked at before it came there.
                calls.extend(Envelope::parse(entry.payload).ok().map(|it| it.received(entry.received_at)));
                self.received_at = Some(entry.received_at);
            } else {
                self.live.calls(calls.drain(..));
                self.gather(false);
                self.received_at = Some(entry.received_at);
                self.take_other(&entry);
            }
        }
        self.live.calls(calls);
        self.gather(false);
        self.position = group.end();
        let mut status = lock(&self.status);
        status.applied = self.position;
        status.received_at = self.received_at;
        status.pending = self.outbox.len();
        status.erasing = self.erasing.len();
        status.customers = self.live.customers();
        status.tally = self.live.tally();
    }

    fn take_other(&mut self, entry: &Entry<'_>) {
        match entry.kind {
            Kind::Advance => self.live.advance(entry.received_at),
            Kind::Start => self.live.resume(entry.received_at),
            Kind::Done => {
                if let Some((id, how)) = Delivered::read(entry.payload) {
                    self.done(id, how);
                }
            }
            Kind::Release => {
                let rule = String::from_utf8_lossy(entry.payload);
                let released = self.outbox.release(&rule);
                released.iter().for_each(|(id, pending)| self.send(*id, pending));
                lock(&self.status).held = self.outbox.held();
            }
            Kind::Erase => {
                let customer = String::from_utf8_lossy(entry.payload);
                self.history.rotate();
                let up_to = Erasing { log: entry.position, history: self.history.place().position };
                for id in self.live.erase(&customer) {
                    let hash = outbox::hash(&id);
                    self.outbox.erase(hash);
                    if let Some(deliverer) = &self.deliverer {
                        deliverer.forget(hash);
                    }
                    self.erasing.insert(hash, up_to);
                }
            }
            Kind::Rules => {
                self.change(entry);
                self.hold.end();
            }
            Kind::Void | Kind::Call | Kind::Record => {}
        }
        self.gather(entry.kind == Kind::Advance);
    }

    /// Other rules are put in force; what cannot be is told, and changes nothing.
    fn change(&mut self, entry: &Entry<'_>) {
        if let Err(error) = self.put_in_force(entry) {
            let position = entry.position;
            (self.tell)(&format!("the rules of entry {position} of the log cannot be put in force: {error}"));
        }
    }

    fn put_in_force(&mut self, entry: &Entry<'_>) -> Result<(), ForceError> {
        let Put { text, log_begins } = Put::read(entry.payload)?;
        if text == self.lineage.latest()? {
            return Ok(());
        }
        let prepared = text.prepare(self.root.clone())?;
        let begins = log_begins.map_or_else(|| LogBegins::of(&self.log), Ok)?;
        let under_way = self.live.before_change(entry.received_at);
        let mut lineage = self.lineage.clone();
        let InForce { prepared, program, engine, rules } =
            lineage.follow(&self.program, prepared, (entry.received_at, begins.received_at), under_way)?;
        let settle = prepared.config.settings.settle;
        let stretch = begins.position..entry.position;
        let change =
            UnderWay { log: &self.log, stretch, log_from: begins.received_at, at: entry.received_at };
        let (told, from) = change.tell(&mut self.live, (engine, settle))?;
        self.live.succeeded_by(told);
        self.reads.push(Read { at: entry.position, from });
        (self.lineage, self.program, self.rules, self.settle) = (lineage, program, rules, settle);
        self.segments = self.program.segments.len();
        self.names.set(&self.program);
        Ok(())
    }

    fn done(&mut self, id: ActionId, how: Delivered) {
        if !self.outbox.done(id) {
            return;
        }
        let mut status = lock(&self.status);
        match how {
            Delivered::Taken => status.delivered += 1,
            Delivered::Failed => status.failed += 1,
            Delivered::Unsent => {}
        }
    }

    /// Keeps what was decided, and has it delivered; `is_time` is whether it was because of time alone.
    fn gather(&mut self, is_time: bool) {
        let records = self.live.records();
        if records.is_empty() {
            return;
        }
        let Some(places) = self.keep(&records) else { return };
        let mut held = Vec::new();
        for (record, at) in records.iter().zip(places) {
            let Some((id, way)) = self.outbox.add(record, at) else { continue };
            match way {
                Way::Out => {
                    if let Some(deliverer) = &self.deliverer
                        && let Some((channel, customer)) = self.outbox.whereto(id)
                    {
                        deliverer.deliver(id, at, customer, &channel);
                    }
                }
                Way::Held => held.extend(told_of(record)),
                Way::Blown => {
                    held.extend(told_of(record));
                    if let Record::Send(send) = record {
                        (self.tell)(&format!(
                            "the fuse has stopped rule `{}`: its messages are held until a person lets it go on",
                            send.rule
                        ));
                    }
                }
            }
        }
        let mut status = lock(&self.status);
        records.iter().for_each(|record| status.count(record));
        if let Some(clock) = self.clock.as_ref().filter(|_| is_time) {
            let due = clock.now().saturating_sub(self.settle);
            records.iter().for_each(|record| status.lateness.add(due.saturating_sub(record.at()), 1));
        }
        if !held.is_empty() {
            status.held = self.outbox.held();
            held.iter().for_each(|record| status.count(record));
            drop(status);
            self.keep(&held);
        }
    }

    /// Writes decisions down, however long it takes until there is room; not at all when there is to be an end meanwhile.
    fn keep(&mut self, records: &[Record]) -> Option<Vec<At>> {
        let mut is_told = false;
        loop {
            match self.history.append(records, self.received_at.unwrap_or_default()) {
                Ok(places) => {
                    if is_told {
                        lock(&self.status).is_stuck = false;
                        (self.tell)("decisions can be written down again");
                    }
                    return Some(places);
                }
                Err(error) => {
                    if !std::mem::replace(&mut is_told, true) {
                        lock(&self.status).is_stuck = true;
                        let why = reason(&error);
                        (self.tell)(&format!(
                            "decisions cannot be written down, and wait until they can: {why}"
                        ));
                    }
                    if self.stop.load(Ordering::SeqCst) {
                        self.is_lost = true;
                        return None;
                    }
                    thread::sleep(HISTORY_PAUSE);
                }
            }
        }
    }

    fn send(&self, id: ActionId, pending: &Pending) {
        if let Some(deliverer) = &self.deliverer {
            let at = At { segment: pending.segment, offset: pending.offset };
            deliverer.deliver(id, at, pending.customer, &pending.channel);
        }
    }

    /// From now on decisions are delivered, also those that were on their way already.
    pub(super) fn deliver_by(&mut self, deliverer: Deliverer) {
        self.deliverer = Some(deliverer);
        lock(&self.status).held = self.outbox.held();
        for (id, pending) in self.outbox.outgoing() {
            self.send(id, &pending);
        }
    }

    /// All that is to be kept of the present, as what changed since this was last asked, but for the customers: changes of those
    /// are asked for, and given by [`Live::give_changes`].
    pub(super) fn checkpoint(&mut self) -> Checkpoint {
        if let Some(received_at) = self.received_at {
            self.history.end_old(received_at);
        }
        let place = self.history.place();
        let notes = Notes {
            rules: self.rules,
            received_at: self.received_at,
            position: place.position,
            segment: place.segment,
            offset: place.offset,
            erasing: self.erasing.clone(),
            fuses: self.outbox.fuses().cloned(),
            lineage: self.lineage.clone(),
            reads: self.reads.clone(),
        };
        self.live.ask_changes();
        Checkpoint { position: self.position, notes: notes.write(), changes: self.outbox.changes() }
    }
}

/// What is told of a message that is held.
fn told_of(record: &Record) -> Option<Record> {
    if let Record::Send(send) = record { Some(send.held_by_fuse()) } else { None }
}
