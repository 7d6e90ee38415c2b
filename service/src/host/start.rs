//! How a host starts: the last checkpoint, then the log from there, then the present.

use super::{
    Host, Options, Status, Tell,
    conductor::Conductor,
    history::History,
    hold::Hold,
    keeping::Keeping,
    notes::Notes,
    outbox::Outbox,
    questions::{Ask, Names, Question},
    state::State,
    status::lock,
    writing::Writing,
};
use crate::{
    clock::{Steps, running},
    deliver::Deliverer,
    intake::{Intake, intake},
    limits::{CLOCK_BEHIND, FAILED_WRITE_PAUSE, WAITING_GROUPS, WAITING_QUESTIONS},
    lineage::{ForceError, InForce, Lineage},
    log::{Damage, Group, Kind, Reader, Writer, end, segments},
    rules::{LogBegins, Prepared, Put, Text, TextError},
    store::{Corrupt, Found, Store},
};
use segue_compiler::{
    changes::{changes, print},
    record::Instant,
    settings::ConsentPolicy,
    value::Millis,
};
use segue_runtime::{
    channel::OpenError,
    engine::EngineError,
    live::{Live, Unreadable},
    words::{counted, reason},
};
use std::{
    collections::VecDeque,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::AtomicBool,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
};
use tokio::sync::Semaphore;

/// A host cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Consent is assumed.
    #[error(
        "consent is assumed: only replays do that. Set policy = \"required\" under [consent] in segue.toml"
    )]
    Assumed,
    /// The data belongs to another process.
    #[error("`{}` is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The data cannot be used.
    #[error("`{}`: {}", path.display(), reason(error))]
    Data {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The log cannot be read or written.
    #[error(transparent)]
    Log(#[from] Damage),
    /// The checkpoints cannot be read or written.
    #[error(transparent)]
    Store(#[from] Corrupt),
    /// The log ends before what a checkpoint says was in it.
    #[error(
        "the log ends at entry {end}, but a checkpoint was made at entry {position}: a part of the log is missing. Restore it from a backup"
    )]
    LogEnds {
        /// Where it ends.
        end: u64,
        /// Where the checkpoint was made.
        position: u64,
    },
    /// What is needed of the log is gone.
    #[error("the log begins at entry {first}, and no checkpoint can be used that was made there or later")]
    LogBegins {
        /// Where it begins.
        first: u64,
    },
    /// The rules in force cannot be used.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A customer of a checkpoint cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Machine code cannot be made.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A channel cannot be opened.
    #[error(transparent)]
    Channel(#[from] OpenError),
}

impl From<ForceError> for StartError {
    fn from(error: ForceError) -> Self {
        match error {
            ForceError::Text(error) => Self::Text(error),
            ForceError::Engine(error) => Self::Engine(error),
            ForceError::Log(error) => Self::Log(error),
        }
    }
}

pub(super) fn start(prepared: Prepared, options: Options) -> Result<Host, StartError> {
    if prepared.config.settings.consent == ConsentPolicy::Assumed {
        return Err(StartError::Assumed);
    }
    let lock = take_over(&options.data)?;
    let folder = |name: &str| options.data.join(name);
    let (log, decisions) = (folder("log"), folder("decisions"));
    let (mut store, found) = Store::open(options.disk.clone(), &folder("checkpoints"))?;
    // Before anything is cut off: what a checkpoint knows of was on disk.
    let end = end(&log)?.position;
    let known = found.as_ref().map_or(0, |found| found.position);
    if known > end {
        return Err(StartError::LogEnds { end, position: known });
    }
    let (writer, opened) = Writer::open(options.disk.clone(), &log, options.limits)?;
    if opened.cut > 0 {
        let bytes = counted(opened.cut, "byte");
        (options.tell)(&format!(
            "the log's end was torn: {bytes} of what nobody was told was kept are cut off"
        ));
    }
    if let Some(last) = opened.last.filter(|last| *last > options.clock.now() + CLOCK_BEHIND) {
        let last = Instant(last);
        (options.tell)(&format!(
            "the clock of this machine is behind the log: until it has come to {last}, all that comes is received then"
        ));
    }
    let status = Arc::new(Mutex::new(Status::default()));
    let begin = Begin { prepared, options, status, log, decisions };
    let (mut state, from) = begin.state(found)?;
    begin.catch_up(&mut state, from)?;
    if from == 0 {
        // All that there is follows from the log as it was read now: of what an earlier checkpoint knows besides, nothing may
        // come up again.
        store.clear()?;
    }
    begin.go(state, writer, opened.last, store, lock, from)
}

/// Takes the data for this process, for as long as the file is open.
fn take_over(data: &Path) -> Result<File, StartError> {
    let path = data.join("lock");
    let failed = |error| StartError::Data { path: path.clone(), error };
    fs::create_dir_all(data).map_err(failed)?;
    let file = File::create(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(StartError::InUse(data.to_owned())),
        Err(fs::TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// A start under way.
struct Begin {
    prepared: Prepared,
    options: Options,
    status: Arc<Mutex<Status>>,
    log: PathBuf,
    decisions: PathBuf,
}

impl Begin {
    /// What the newest checkpoint that can be used says, and where the log goes on from there.
    fn state(&self, found: Option<Found>) -> Result<(State, u64), StartError> {
        let first = segments(&self.log)?.first().map_or(0, |segment| segment.first);
        let mut kept = None;
        if let Some(found) = found {
            for damage in &found.damaged {
                (self.options.tell)(&format!(
                    "{damage}; an older one is taken, and the log is read from there"
                ));
            }
            kept = self.in_force(&found).map(|(notes, in_force)| (found, notes, in_force));
            if kept.is_none() {
                (self.options.tell)("no checkpoint can be used by this version, and the whole log is read");
            }
        }
        let Some((found, notes, in_force)) = kept else { return Ok((self.beginning(first)?, 0)) };
        if found.position < first {
            return Err(StartError::LogBegins { first });
        }
        let mut state = match self.empty(&notes, in_force, found.position) {
            Err(StartError::Log(damage)) if first == 0 => {
                (self.options.tell)(&format!("{damage}. The whole log is read, and decided upon once more"));
                return Ok((self.beginning(first)?, 0));
            }
            state => state?,
        };
        for (key, value) in found.values {
            match state.outbox.restore(&key, &value) {
                Ok(true) => {}
                Ok(false) => state.live.restore(&key, &value)?,
                Err(_) => return Err(Unreadable::Broken.into()),
            }
        }
        state.outbox.restore_fuses(notes.fuses);
        Ok((state, found.position))
    }

    /// What there is before the first entry of the log.
    fn beginning(&self, first: u64) -> Result<State, StartError> {
        if first > 0 {
            return Err(StartError::LogBegins { first });
        }
        let lineage = Lineage::beginning(&self.first_rules()?);
        let in_force = lineage.in_force(&self.prepared.root)?;
        self.empty(&Notes { lineage, ..Notes::default() }, in_force, 0)
    }

    /// What a checkpoint says, and the rules that were in force; nothing if this version makes something else of them.
    fn in_force(&self, found: &Found) -> Option<(Notes, InForce)> {
        let mut notes = Notes::read(&found.notes).ok()?;
        if notes.lineage == Lineage::default() {
            notes.lineage = Lineage::beginning(&self.first_rules().ok()?);
        }
        let in_force = notes.lineage.in_force(&self.prepared.root).ok()?;
        (in_force.rules == notes.rules).then_some((notes, in_force))
    }

    /// The text of the rules that were in force first.
    fn first_rules(&self) -> Result<Text, StartError> {
        let group = Reader::open(&self.log, 0)?.group()?;
        let first = group.as_ref().and_then(|group| group.entries().next());
        let said = first.filter(|entry| entry.kind == Kind::Rules).map(|entry| Put::read(entry.payload));
        Ok(said.transpose()?.map_or_else(|| self.prepared.text.clone(), |put| put.text))
    }

    fn empty(&self, notes: &Notes, in_force: InForce, position: u64) -> Result<State, StartError> {
        let Options { shards, limits, clock, disk, tell, .. } = &self.options;
        let InForce { prepared, program, engine, rules } = in_force;
        let settle = prepared.config.settings.settle;
        let names = Names::default();
        names.set(&program);
        Ok(State {
            live: Live::new(engine, settle, *shards, notes.received_at.unwrap_or_else(|| clock.now())),
            outbox: Outbox::new(self.prepared.config.fuse),
            history: History::open(disk.clone(), &self.decisions, *limits, notes.history())?,
            rules,
            lineage: notes.lineage.clone(),
            segments: program.segments.len(),
            program,
            root: self.prepared.root.clone(),
            log: self.log.clone(),
            hold: Hold::default(),
            reads: notes.reads.clone(),
            names,
            position,
            received_at: notes.received_at,
            erasing: notes.erasing.clone(),
            settle,
            clock: None,
            deliverer: None,
            status: self.status.clone(),
            tell: tell.clone(),
            stop: Arc::new(AtomicBool::new(false)),
            is_lost: false,
        })
    }

    /// Takes up what the log says since.
    fn catch_up(&self, state: &mut State, from: u64) -> Result<(), StartError> {
        let mut reader = Reader::open(&self.log, from)?;
        while let Some(group) = reader.group()? {
            state.take(&group);
        }
        Ok(())
    }

    /// Says in the log that the service is there, and starts the threads.
    fn go(
        self,
        mut state: State,
        mut writer: Writer,
        last: Option<Millis>,
        store: Store,
        lock: File,
        from: u64,
    ) -> Result<Host, StartError> {
        let Self { prepared, options, status, log, decisions, .. } = self;
        let earliest = come_up(&prepared, &options, &mut state, &mut writer, last)?;
        lock_status(&status, &writer);
        let (intake, arrivals) = intake();
        let deliverer = Deliverer::start(
            &prepared.config,
            &prepared.root,
            &decisions,
            intake.clone(),
            &options.clock,
            options.tell.clone(),
            options.dry_run,
        )?;
        state.clock = Some(options.clock.clone());
        state.deliver_by(deliverer);
        let (events, heard) = sync_channel(WAITING_GROUPS);
        let (questions, asked) = sync_channel(WAITING_QUESTIONS);
        let stop = state.stop.clone();
        let ask = ask(&state, &prepared.text, questions, &intake, &decisions);
        let keeper = Keeping {
            store,
            disk: options.disk.clone(),
            log,
            history: decisions,
            limits: options.limits,
            hold: state.hold.clone(),
            tell: options.tell.clone(),
            places: VecDeque::new(),
            // What was synced before this start is so quickly once more.
            unsynced: 0,
            unkept: None,
        };
        let writing = Writing {
            writer,
            arrivals,
            earliest: earliest + 1,
            clock: options.clock.clone(),
            events,
            status: status.clone(),
            tell: options.tell.clone(),
        };
        let conductor = Conductor {
            state,
            intake: intake.clone(),
            kept: (from, options.clock.now()),
            steps: Steps::new(options.clock.now(), running()),
            clock: options.clock,
            events: heard,
            questions: asked,
            keeper: keeper.start(),
            checkpoint_every: options.checkpoint_every,
            gathered_at_once: options.gathered_at_once,
            max_pending: options.max_pending,
            gathering: None,
            is_held: false,
            is_keeping: false,
            is_unkept: false,
            taken: 0,
            is_asked: false,
        };
        let writing = Some(thread::spawn(move || writing.run()));
        let conductor = Some(thread::spawn(move || conductor.run()));
        Ok(Host { intake, ask, status, stop, writing, conductor, _lock: lock })
    }
}

/// Appends entries durably; on a full disk it waits for room, as decisions do that the log leads to.
fn append_when_there_is_room<'p>(
    writer: &mut Writer,
    entries: impl Iterator<Item = (Kind, Millis, &'p [u8])> + Clone,
    tell: &Tell,
) -> io::Result<Group> {
    let mut is_told = false;
    loop {
        match writer.append(entries.clone(), true) {
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                if !std::mem::replace(&mut is_told, true) {
                    tell(&format!(
                        "the log cannot be written, and the start waits until it can: {}",
                        reason(&error)
                    ));
                }
                thread::sleep(FAILED_WRITE_PAUSE);
            }
            appended => return appended,
        }
    }
}

fn lock_status(status: &Mutex<Status>, writer: &Writer) {
    lock(status).written = writer.place().position;
}

/// Says in the log that the service is there, and which rules are in force from now on; gives when.
fn come_up(
    prepared: &Prepared,
    options: &Options,
    state: &mut State,
    writer: &mut Writer,
    last: Option<Millis>,
) -> Result<Millis, StartError> {
    if !state.erasing.is_empty() {
        // What is to be taken out lies in files that have ended.
        writer.rotate();
        state.history.rotate();
    }
    let earliest = options.clock.now().max(last.map_or(i64::MIN, |last| last + 1));
    let is_first = writer.place().position == 0;
    let in_force = state.lineage.latest()?;
    let is_other = !is_first && in_force != prepared.text;
    if is_other {
        tell_of_folder(&options.tell, in_force, prepared)?;
    }
    let put = Put { text: prepared.text.clone(), log_begins: Some(LogBegins::of(&state.log)?) };
    let put = (is_first || is_other).then(|| put.write());
    let rules = put.as_deref().map(|put| (Kind::Rules, earliest, put));
    let start = Some((Kind::Start, earliest, &[][..]));
    // What came due while nobody was there was due under the rules that were in force then.
    let said = if is_first { [rules, start] } else { [start, rules] };
    let group = append_when_there_is_room(writer, said.into_iter().flatten(), &options.tell)
        .map_err(|error| StartError::Data { path: state.log.clone(), error })?;
    state.take(&group);
    Ok(earliest)
}

fn ask(
    state: &State,
    rules: &Text,
    questions: SyncSender<Question>,
    intake: &Intake,
    decisions: &Path,
) -> Ask {
    Ask {
        questions,
        intake: intake.clone(),
        segments: state.names.clone(),
        rules: Arc::new(Mutex::new(Arc::new(rules.clone()))),
        hold: state.hold.clone(),
        log: state.log.as_path().into(),
        decisions: decisions.into(),
        turn: Arc::new(Semaphore::new(1)),
    }
}

/// Says that a service comes up with other rules than it had: the folder's hold.
fn tell_of_folder(tell: &Tell, in_force: Text, folder: &Prepared) -> Result<(), TextError> {
    tell("the folder has other rules than were in force at the end, and they take their place:");
    let before = in_force.prepare(folder.root.clone())?;
    print(&changes(&before.program, &folder.program)).lines().for_each(|line| tell(line));
    Ok(())
}
