//! The host: everything that runs between what comes in and what goes out.
//!
//! Each thing has a thread of its own, and what lies between them is bounded: one writes the log and answers who submitted
//! (`writing`); one hands the log's entries to the customers in order, keeps what is decided and asks for time to come
//! (`conductor`); one writes checkpoints (`keeping`); some deliver (`deliver`). What the conductor knows is a
//! function of the log alone, so that after a crash it comes to the same from the last checkpoint.

mod conductor;
mod history;
mod hold;
mod keeping;
mod notes;
mod outbox;
mod questions;
mod start;
mod state;
mod status;
mod timeline;
mod writing;

pub(crate) use history::{At, read_at};
pub use questions::{Ask, Busy, Progress};
pub use start::StartError;
pub use status::{BUCKETS, Histogram, Status};
pub use timeline::{Heard, Newest, Timeline, TimelineError};

use crate::{
    clock::Clock,
    disk::{Disk, RealDisk},
    intake::Intake,
    limits::{CHECKPOINT_EVERY, GATHERED_AT_ONCE, MAX_PENDING, SEGMENT_BYTES},
    log,
    rules::Prepared,
    store,
};
use segue_runtime::live;
use std::{
    num::NonZeroUsize,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// What a host is told.
#[derive(Clone)]
pub struct Options {
    /// Where log, checkpoints and decisions lie.
    pub data: PathBuf,
    /// Whether nothing is sent.
    pub dry_run: bool,
    /// How many threads share the customers.
    pub shards: NonZeroUsize,
    /// How long the log is kept, and in how long files.
    pub limits: log::Limits,
    /// How often a checkpoint is made.
    pub checkpoint_every: Duration,
    /// How many customers are gathered for it at least before entries go on to be taken up.
    pub gathered_at_once: usize,
    /// How many messages may be on their way before no more calls come in.
    pub max_pending: usize,
    /// What tells the time.
    pub clock: Arc<dyn Clock>,
    /// Where files are written.
    pub disk: Arc<dyn Disk>,
    /// Who is told what people should know.
    pub tell: Tell,
}

impl Options {
    /// Those of a service that keeps everything in a folder, sends what it decides, and tells nobody.
    #[must_use]
    pub fn new(data: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self {
            data,
            dry_run: false,
            shards: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            limits: log::Limits { segment_bytes: SEGMENT_BYTES, keep: None, max_bytes: None },
            checkpoint_every: CHECKPOINT_EVERY,
            gathered_at_once: GATHERED_AT_ONCE,
            max_pending: MAX_PENDING,
            clock,
            disk: Arc::new(RealDisk),
            tell: Arc::new(|_| {}),
        }
    }
}

/// The versions of the formats of all that is written, each by its name. Data of every one of them is read, as
/// `tests/formats.rs` shows with data that has it.
#[must_use]
pub fn formats() -> [(&'static str, u32); 6] {
    [
        ("log", log::FORMAT),
        ("checkpoint", store::FORMAT),
        ("notes", notes::FORMAT.into()),
        ("customer", live::FORMAT.into()),
        ("pending", outbox::FORMAT.into()),
        ("record", history::FORMAT.into()),
    ]
}

/// Who is told what people should know, a sentence each.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// Sees how a host is; copies see the same.
#[derive(Clone)]
pub struct Watch(Arc<Mutex<Status>>);

impl Watch {
    /// How it is.
    #[must_use]
    pub fn status(&self) -> Status {
        status::read(&self.0)
    }

    /// Whether calls can be taken.
    ///
    /// # Errors
    /// When they cannot; says why, for a person.
    pub fn ready(&self) -> Result<(), String> {
        let status = status::lock(&self.0);
        if status.is_broken {
            Err("the service has failed".to_owned())
        } else if status.is_full {
            Err("the log cannot be written: the disk is full or fails".to_owned())
        } else if status.is_stuck {
            Err("decisions cannot be written down: the disk is full or fails".to_owned())
        } else {
            Ok(())
        }
    }
}

/// A host at work.
pub struct Host {
    intake: Intake,
    ask: Ask,
    status: Arc<Mutex<Status>>,
    stop: Arc<AtomicBool>,
    writing: Option<JoinHandle<()>>,
    conductor: Option<JoinHandle<()>>,
    /// Held as long as the host works: nobody else may work on the data.
    _lock: std::fs::File,
}

impl Host {
    /// Starts a host: what the log led to is taken up, then it goes on.
    ///
    /// # Errors
    /// When the data cannot be read or is another host's, or the rules cannot be used.
    pub fn start(prepared: Prepared, options: Options) -> Result<Self, StartError> {
        start::start(prepared, options)
    }

    /// The way in.
    #[must_use]
    pub fn intake(&self) -> Intake {
        self.intake.clone()
    }

    /// Whom to ask.
    #[must_use]
    pub fn ask(&self) -> Ask {
        self.ask.clone()
    }

    /// Who may look how it is, also when somebody else ends it.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch(self.status.clone())
    }

    /// How it is.
    #[must_use]
    pub fn status(&self) -> Status {
        status::read(&self.status)
    }

    /// Ends in good order: nothing more is taken in, what was is decided, what is being delivered is waited for a while,
    /// and all of it is kept.
    pub fn close(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.intake.close();
        // The conductor ends when there is nothing more to come from who writes; a thread that panicked has said so.
        for thread in [self.conductor.take(), self.writing.take()].into_iter().flatten() {
            let _ = thread.join();
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.end();
    }
}
