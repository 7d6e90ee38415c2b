//! The thread that writes checkpoints, and lets go of what is no longer needed.

use super::{
    Tell, history,
    hold::Hold,
    notes::{Erasing, Read},
    outbox::hash,
};
use crate::{
    clock::running,
    disk::Disk,
    limits::{DECISIONS_SYNCED_EVERY, RESTS_FOR, WORKS_FOR},
    log::{self, Damage, Entry, Kind, Place, scrub, segments, trim},
    store::{Checkpoint, Corrupt, Store, joined},
};
use segue_compiler::value::Millis;
use segue_runtime::{
    engine::Engine,
    live::{Change, Given, in_order},
    source::Envelope,
};
use std::{
    collections::{BTreeMap, VecDeque},
    io,
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

/// A checkpoint to be kept, its changes in any order. All is as of its position but `reads`.
pub(super) struct Job {
    pub(super) checkpoint: Checkpoint,
    /// The customers who changed, once all of them are gathered.
    pub(super) given: Option<Given<Arc<Engine>>>,
    /// How far the decisions had come by then.
    pub(super) history: Place,
    /// The first file of decisions that is needed for delivery.
    pub(super) pending: Option<u64>,
    /// What changes of rules read of the log, also those after the position: they will be made again after a crash.
    pub(super) reads: Vec<Read>,
    /// Who is to be taken out of everything that was written.
    pub(super) erasing: BTreeMap<u64, Erasing>,
    pub(super) now: Millis,
    /// Whether it is waited for.
    pub(super) is_last: bool,
}

/// What became of it; nothing where it could not be kept, which is made good with the next one.
pub(super) type Kept = Option<Done>;

/// A checkpoint was kept.
pub(super) struct Done {
    /// Its position.
    pub(super) position: u64,
    /// When it was made.
    pub(super) at: Millis,
    /// The position from which on the log is handed over again should the older checkpoint be needed.
    pub(super) needed: u64,
    /// Whether something should go, and is needed until further checkpoints are there.
    pub(super) is_held: bool,
    /// Who was taken out of everything, and up to where.
    pub(super) erased: BTreeMap<u64, Erasing>,
}

pub(super) struct Keeping {
    pub(super) store: Store,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) log: PathBuf,
    pub(super) history: PathBuf,
    pub(super) limits: log::Limits,
    pub(super) hold: Hold,
    pub(super) tell: Tell,
    /// By position of checkpoints, how far the decisions had come.
    pub(super) places: VecDeque<(u64, u64)>,
    /// The first file of decisions of which not all need be on disk.
    pub(super) unsynced: u64,
    /// Changes of checkpoints that could not be kept.
    pub(super) unkept: Option<Vec<Change>>,
}

/// A thread that keeps checkpoints, one at a time.
pub(super) struct Keeper {
    pub(super) jobs: Option<SyncSender<Job>>,
    pub(super) kept: Receiver<Kept>,
    pub(super) thread: Option<JoinHandle<()>>,
}

impl Keeping {
    pub(super) fn start(mut self) -> Keeper {
        let (jobs, receiver) = sync_channel::<Job>(1);
        let (answers, kept) = sync_channel::<Kept>(1);
        let thread = thread::spawn(move || {
            loop {
                match receiver.recv_timeout(DECISIONS_SYNCED_EVERY) {
                    Ok(job) => {
                        if answers.send(self.keep(job)).is_err() {
                            return;
                        }
                    }
                    // What cannot be done now is with the next checkpoint, which tells of it.
                    Err(RecvTimeoutError::Timeout) => drop(self.sync_decisions(None)),
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        });
        Keeper { jobs: Some(jobs), kept, thread: Some(thread) }
    }

    fn keep(&mut self, job: Job) -> Kept {
        let Job { mut checkpoint, given, history, pending, reads, erasing, now, is_last } = job;
        let mut since = running();
        for change in given.into_iter().flatten() {
            checkpoint.changes.push(change);
            if running() - since >= WORKS_FOR && !is_last {
                // Whoever decides may need the processor.
                thread::sleep(RESTS_FOR);
                since = running();
            }
        }
        checkpoint.changes = in_order(checkpoint.changes);
        if let Some(unkept) = self.unkept.take() {
            checkpoint.changes = joined(unkept, checkpoint.changes);
        }
        if let Err(error) = self.write(&checkpoint, history) {
            let why = segue_runtime::words::reason(&error);
            (self.tell)(&format!("a checkpoint could not be written, and is tried again: {why}"));
            self.unkept = Some(checkpoint.changes);
            return None;
        }
        self.places.push_back((checkpoint.position, history.segment));
        let (needed, is_held) = self.tidy(pending, &reads, now).unwrap_or_else(|why| {
            (self.tell)(&format!("what is no longer needed could not be removed: {why}"));
            (0, false)
        });
        let erased = match self.erase(&erasing) {
            Ok(()) => erasing,
            Err(why) => {
                (self.tell)(&format!(
                    "what was written of who was erased is still there, and tried again: {why}"
                ));
                BTreeMap::new()
            }
        };
        Some(Done { position: checkpoint.position, at: now, needed, is_held, erased })
    }

    /// Takes people out of everything that was written: first of the checkpoints, of which the newest knows nothing of them,
    /// then of the decisions, then of the log with what asked for it.
    fn erase(&mut self, erasing: &BTreeMap<u64, Erasing>) -> Result<(), String> {
        if erasing.is_empty() {
            return Ok(());
        }
        self.store.rewrite().map_err(|error| error.to_string())?;
        let before = erasing.values().map(|it| it.history).max().unwrap_or_default();
        let is_theirs = |entry: &Entry<'_>| {
            history::unpack(entry).is_some_and(|record| {
                erasing.get(&hash(record.customer())).is_some_and(|up_to| entry.position < up_to.history)
            })
        };
        scrub(&*self.disk, &self.history, before, &is_theirs).map_err(|error| error.to_string())?;
        let before = erasing.values().map(|it| it.log + 1).max().unwrap_or_default();
        let is_theirs = |entry: &Entry<'_>| is_of(entry, erasing);
        scrub(&*self.disk, &self.log, before, &is_theirs).map_err(|error| error.to_string())?;
        Ok(())
    }

    fn write(&mut self, checkpoint: &Checkpoint, history: Place) -> io::Result<()> {
        // Decisions are there before anything says that they were made.
        self.sync_decisions(Some(history.segment))?;
        self.store.keep(checkpoint)
    }

    /// Has the decisions on disk, up to a file or all there are.
    fn sync_decisions(&mut self, up_to: Option<u64>) -> io::Result<()> {
        let all = segments(&self.history).map_err(io::Error::other)?;
        let unsynced = self.unsynced..=up_to.unwrap_or(u64::MAX);
        for segment in all.iter().filter(|it| unsynced.contains(&it.first)) {
            self.disk.append(&segment.path)?.sync()?;
            self.unsynced = segment.first;
        }
        Ok(())
    }

    /// Lets go of what is no longer needed; gives from where on the log is, and whether more should have gone.
    fn tidy(&mut self, pending: Option<u64>, reads: &[Read], now: Millis) -> Result<(u64, bool), String> {
        let words = |error: Corrupt| error.to_string();
        let damage = |error: Damage| error.to_string();
        self.store.tidy().map_err(words)?;
        let needed = self.store.needed().map_err(words)?;
        // A change of rules that would be made again reads what it read.
        let read = reads.iter().filter(|read| read.at >= needed).map(|read| read.from).min();
        let kept = read.map_or(needed, |read| read.min(needed));
        let log = self.hold.trim(|| trim(&*self.disk, &self.log, self.limits, kept, now)).map_err(damage)?;
        // Of the decisions, what the older checkpoint goes on from is needed, and what is still to be delivered. Of several
        // checkpoints of one position it may be any.
        while self.places.front().is_some_and(|(position, _)| *position < needed)
            && self.places.get(1).is_some_and(|(position, _)| *position <= needed)
        {
            self.places.pop_front();
        }
        // What checkpoints before this start went on from is not known: all of it may be needed.
        let place = self.places.front().filter(|(position, _)| *position <= needed);
        let segment = place.map_or(0, |(_, segment)| *segment);
        let first = pending.map_or(segment, |pending| pending.min(segment));
        let decisions = trim(&*self.disk, &self.history, self.limits, first, now).map_err(damage)?;
        // No checkpoint helps against what waits for its delivery.
        let is_held = log.is_held || decisions.is_held && first == segment;
        if is_held {
            // The next time less of it is needed.
            self.store.renew().map_err(words)?;
        }
        Ok((needed, is_held))
    }
}

/// Whether an entry of the log is of somebody who is being erased.
fn is_of(entry: &Entry<'_>, erasing: &BTreeMap<u64, Erasing>) -> bool {
    let is_erased = |id: &str| erasing.get(&hash(id)).is_some_and(|up_to| entry.position <= up_to.log);
    match entry.kind {
        Kind::Call => Envelope::parse(entry.payload).is_ok_and(|envelope| {
            is_erased(&envelope.customer) || envelope.same_as.as_deref().is_some_and(is_erased)
        }),
        Kind::Erase => is_erased(&String::from_utf8_lossy(entry.payload)),
        Kind::Void
        | Kind::Advance
        | Kind::Start
        | Kind::Rules
        | Kind::Release
        | Kind::Done
        | Kind::Record => false,
    }
}

impl Keeper {
    /// Ends, once what is under way is done.
    pub(super) fn stop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
