//! How a host starts: the last checkpoint, then the log from there, then the present.

use super::{
    Host, Options, Status,
    conductor::Conductor,
    history::History,
    keeping::Keeping,
    notes::Notes,
    outbox::Outbox,
    questions::{Ask, Question},
    state::State,
    status::lock,
    writing::Writing,
};
use crate::{
    deliver::Deliverer,
    intake::{Intake, intake},
    limits::{WAITING_GROUPS, WAITING_QUESTIONS},
    log::{Damage, Group, Kind, Place, Reader, Writer, segments},
    rules::{Prepared, Text, TextError},
    store::{Corrupt, Found, Store},
};
use segue_compiler::{plan::print::ir, settings::ConsentPolicy, value::Millis};
use segue_runtime::{
    channel::OpenError,
    engine::{Engine, EngineError},
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
use xxhash_rust::xxh3::xxh3_64;

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
    /// Other rules are in force.
    #[error("the rules differ from those in force in `{}`", .0.display())]
    OtherRules(PathBuf),
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

pub(super) fn start(prepared: Prepared, options: Options) -> Result<Host, StartError> {
    if prepared.config.settings.consent == ConsentPolicy::Assumed {
        return Err(StartError::Assumed);
    }
    let lock = take_over(&options.data)?;
    let engine = Engine::new(prepared.program.clone(), prepared.config.settings.clone())?;
    // Bytes of customers mean something to this program and this version's plan of it only.
    let rules = prepared.text.fingerprint() ^ xxh3_64(ir(&prepared.program, engine.plan()).as_bytes());
    let folder = |name: &str| options.data.join(name);
    let (log, decisions) = (folder("log"), folder("decisions"));
    let (writer, opened) = Writer::open(options.disk.clone(), &log, options.limits)?;
    if opened.cut > 0 {
        let bytes = counted(opened.cut, "byte");
        (options.tell)(&format!(
            "the log's end was torn: {bytes} of what nobody was told was kept are cut off"
        ));
    }
    let (store, found) = Store::open(options.disk.clone(), &folder("checkpoints"))?;
    let status = Arc::new(Mutex::new(Status::default()));
    let mut begin = Begin { prepared, options, engine: Some(engine), rules, status, log, decisions };
    let (mut state, from) = begin.state(found, writer.place())?;
    begin.catch_up(&mut state, from)?;
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
    engine: Option<Engine>,
    /// What tells the rules.
    rules: u64,
    status: Arc<Mutex<Status>>,
    log: PathBuf,
    decisions: PathBuf,
}

impl Begin {
    /// What the newest checkpoint that can be used says, and where the log goes on from there.
    fn state(&mut self, found: Option<Found>, end: Place) -> Result<(State, u64), StartError> {
        let first = segments(&self.log)?.first().map_or(0, |segment| segment.first);
        let mut kept = None;
        if let Some(found) = found {
            for damage in &found.damaged {
                (self.options.tell)(&format!(
                    "{damage}; an older one is taken, and the log is read from there"
                ));
            }
            if found.position > end.position {
                return Err(StartError::LogEnds { end: end.position, position: found.position });
            }
            match Notes::read(&found.notes) {
                Ok(notes) if notes.rules == self.rules => kept = Some((found, notes)),
                _ => (self.options.tell)("the checkpoint is of another version, and the whole log is read"),
            }
        }
        let position = kept.as_ref().map_or(0, |(found, _)| found.position);
        if position < first {
            return Err(StartError::LogBegins { first });
        }
        let (values, notes) = kept.map_or_else(Default::default, |(found, notes)| (found.values, notes));
        let mut state = self.empty(&notes, position)?;
        for (key, value) in values {
            match state.outbox.restore(&key, &value) {
                Ok(true) => {}
                Ok(false) => state.live.restore(&key, &value)?,
                Err(_) => return Err(Unreadable::Broken.into()),
            }
        }
        state.outbox.restore_fuses(notes.fuses);
        Ok((state, position))
    }

    fn empty(&mut self, notes: &Notes, position: u64) -> Result<State, StartError> {
        let Options { shards, limits, clock, disk, tell, .. } = &self.options;
        let settle = self.prepared.config.settings.settle;
        let engine = match self.engine.take() {
            Some(engine) => engine,
            None => Engine::new(self.prepared.program.clone(), self.prepared.config.settings.clone())?,
        };
        Ok(State {
            live: Live::new(engine, settle, *shards, notes.received_at.unwrap_or_else(|| clock.now())),
            outbox: Outbox::new(self.prepared.config.fuse),
            history: History::open(disk.clone(), &self.decisions, *limits, notes.history())?,
            rules: self.rules,
            position,
            received_at: notes.received_at,
            erasing: notes.erasing.clone(),
            settle,
            segments: self.prepared.program.segments.len(),
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
            self.look_at_rules(&group)?;
            state.take(&group);
        }
        Ok(())
    }

    /// Rules that were put in force must be those of now.
    fn look_at_rules(&self, group: &Group) -> Result<(), StartError> {
        for entry in group.entries().filter(|entry| entry.kind == Kind::Rules) {
            if Text::read(entry.payload)?.fingerprint() != self.prepared.text.fingerprint() {
                return Err(StartError::OtherRules(self.options.data.clone()));
            }
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
        if !state.erasing.is_empty() {
            // What is to be taken out lies in files that have ended.
            writer.rotate();
            state.history.rotate();
        }
        let earliest = options.clock.now().max(last.map_or(i64::MIN, |last| last + 1));
        let text = (writer.place().position == 0).then(|| prepared.text.write());
        let rules = text.as_deref().map(|text| (Kind::Rules, earliest, text));
        let said = rules.into_iter().chain([(Kind::Start, earliest, &[][..])]);
        let group =
            writer.append(said, true).map_err(|error| StartError::Data { path: log.clone(), error })?;
        state.take(&group);
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
        let ask = ask(&prepared, questions, &intake, &log, &decisions);
        let keeper = Keeping {
            store,
            disk: options.disk.clone(),
            log,
            history: decisions,
            limits: options.limits,
            tell: options.tell.clone(),
            places: VecDeque::new(),
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
            clock: options.clock,
            events: heard,
            questions: asked,
            keeper: keeper.start(),
            checkpoint_every: options.checkpoint_every,
            is_keeping: false,
            unkept: None,
            is_asked: false,
        };
        let writing = Some(thread::spawn(move || writing.run()));
        let conductor = Some(thread::spawn(move || conductor.run()));
        Ok(Host { intake, ask, status, stop, writing, conductor, _lock: lock })
    }
}

fn lock_status(status: &Mutex<Status>, writer: &Writer) {
    lock(status).written = writer.place().position;
}

fn ask(
    prepared: &Prepared,
    questions: SyncSender<Question>,
    intake: &Intake,
    log: &Path,
    decisions: &Path,
) -> Ask {
    let names: Vec<Arc<str>> = prepared.program.segments.iter().map(|it| it.name.clone()).collect();
    Ask {
        questions,
        intake: intake.clone(),
        segments: names.into(),
        rules: Arc::new(prepared.text.clone()),
        log: log.into(),
        decisions: decisions.into(),
        turn: Arc::new(Semaphore::new(1)),
    }
}
