//! A log handed over once more, to see what it leads to: the audit of what was decided live, or a backtest of other rules.

use crate::{
    lineage,
    log::{Damage, Entry, Group, Kind, Reader, segments},
    rules::{LogBegins, Prepared, Put, TextError},
};
use segue_compiler::{
    execution::Execution, record::Record, settings::Settings, succession::succession, typed::Program,
    value::Millis,
};
use segue_runtime::{
    live::{Live, Tally},
    source::Envelope,
};
use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What a log led to.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// Everything that happened, in order of time, then customer, then happening.
    pub records: Vec<Record>,
    /// What was counted.
    pub tally: Tally,
    /// How many customers there were at the end.
    pub customers: usize,
    /// How many entries were read.
    pub entries: u64,
    /// The position of the first.
    pub first: u64,
    /// When the last was received.
    pub end: Option<Millis>,
    /// Where entries put other rules in force than those that were.
    pub changes: Vec<Change>,
}

/// An entry that puts other rules in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its position.
    pub position: u64,
    /// What became of it.
    pub fate: Fate,
}

/// What becomes of an entry that puts other rules in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// They are in force from there on.
    InForce,
    /// Given rules are obeyed over the whole log.
    PassedOver,
    /// This version cannot put them in force; why not.
    Refused(String),
}

/// A log cannot be handed over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// It cannot be read.
    #[error(transparent)]
    Log(#[from] Damage),
    /// Its first rules cannot be used.
    #[error(transparent)]
    Text(#[from] TextError),
    /// An executor cannot be made.
    #[error("{0}")]
    Executor(String),
    /// There is none.
    #[error("`{}` holds no log; name the folder of a service's data, or of its log", folder.display())]
    NoLog {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// The log does not say which rules to obey.
    #[error(
        "the log begins at entry {first}, and does not say which rules were in force there: name a project to see what its rules make of this log"
    )]
    NoRules {
        /// Its first entry.
        first: u64,
    },
}

/// Makes an executor of a program.
pub type Make<'m, E> = &'m dyn Fn(&Arc<Program>, &Settings) -> Result<E, String>;

/// Where the log of a service lies: in the folder of its data, or there itself.
///
/// # Errors
/// When there is none, or the folder cannot be read.
pub fn log_of(folder: &Path) -> Result<PathBuf, AuditError> {
    let within = folder.join("log");
    let log = if within.is_dir() { within } else { folder.to_owned() };
    if segments(&log)?.is_empty() {
        return Err(AuditError::NoLog { folder: folder.to_owned() });
    }
    Ok(log)
}

/// Hands the log in a folder over to executors that `make` makes: of the rules that the log puts in force, as the service
/// did; or of given ones, over the whole log. What a crash left half written at the end is left out, as the service does.
///
/// # Errors
/// When the log cannot be read, or there are no rules to obey.
pub fn audit<E: Execution + Sync>(
    make: Make<'_, E>,
    given: Option<Prepared>,
    log: &Path,
    threads: NonZeroUsize,
) -> Result<Audit, AuditError> {
    let all = segments(log)?;
    let first = all.first().map_or(0, |segment| segment.first);
    let mut reader = Reader::open(log, first)?;
    let mut auditor: Option<Auditor<'_, E>> = None;
    loop {
        let group = match reader.group() {
            Ok(Some(group)) => group,
            Ok(None) => break,
            Err(Damage::Entry { path, .. }) if all.last().is_some_and(|last| last.path == path) => break,
            Err(error) => return Err(error.into()),
        };
        if auditor.is_none() {
            auditor = Some(Auditor::begin(make, given.clone(), (log, threads), &group)?);
        }
        if let Some(auditor) = &mut auditor {
            auditor.take(&group)?;
        }
    }
    Ok(auditor.map(Auditor::finish).unwrap_or_default())
}

/// A log that is being handed over.
struct Auditor<'a, E: Execution> {
    make: Make<'a, E>,
    live: Live<E>,
    /// The rules that were put in force last.
    latest: Prepared,
    /// The program in force.
    program: Arc<Program>,
    is_given: bool,
    log: &'a Path,
    audit: Audit,
}

impl<'a, E: Execution + Sync> Auditor<'a, E> {
    fn begin(
        make: Make<'a, E>,
        given: Option<Prepared>,
        (log, threads): (&'a Path, NonZeroUsize),
        group: &Group,
    ) -> Result<Self, AuditError> {
        let is_given = given.is_some();
        let first = group.first;
        let latest = match (given, group.entries().next()) {
            (Some(given), _) => given,
            (None, Some(entry)) if entry.kind == Kind::Rules => {
                Put::read(entry.payload)?.text.prepare(log.to_owned())?
            }
            (None, _) => return Err(AuditError::NoRules { first }),
        };
        let (program, settings) = (latest.program.clone(), &latest.config.settings);
        let executor = make(&program, settings).map_err(AuditError::Executor)?;
        let start = group.entries().next().map_or(0, |entry| entry.received_at);
        let live = Live::new(executor, settings.settle, threads, start);
        let audit = Audit { first, ..Audit::default() };
        Ok(Self { make, live, latest, program, is_given, log, audit })
    }

    fn take(&mut self, group: &Group) -> Result<(), AuditError> {
        let mut calls = Vec::new();
        for entry in group.entries() {
            if entry.kind == Kind::Call {
                calls.extend(Envelope::parse(entry.payload).ok().map(|it| it.received(entry.received_at)));
            } else {
                self.live.calls(calls.drain(..));
                self.take_other(&entry)?;
            }
            self.audit.end = Some(entry.received_at);
        }
        self.live.calls(calls);
        self.audit.records.append(&mut self.live.records());
        self.audit.entries += group.len() as u64;
        Ok(())
    }

    fn take_other(&mut self, entry: &Entry<'_>) -> Result<(), AuditError> {
        match entry.kind {
            Kind::Advance => self.live.advance(entry.received_at),
            Kind::Start => self.live.resume(entry.received_at),
            Kind::Erase => {
                let ids = self.live.erase(&String::from_utf8_lossy(entry.payload));
                self.audit.records.append(&mut self.live.records());
                self.audit.records.retain(|record| !ids.iter().any(|id| **id == **record.customer()));
            }
            Kind::Rules => self.change(entry)?,
            Kind::Release | Kind::Done | Kind::Void | Kind::Call | Kind::Record => {}
        }
        Ok(())
    }

    /// What an entry with other rules leads to, as [`State`](crate::host) has it.
    fn change(&mut self, entry: &Entry<'_>) -> Result<(), AuditError> {
        let position = entry.position;
        let fate = match Put::read(entry.payload) {
            Ok(put) if put.text == self.latest.text => return Ok(()),
            _ if self.is_given => Fate::PassedOver,
            Ok(put) => match put.text.prepare(self.log.to_owned()) {
                Ok(prepared) => {
                    self.succeed(entry, prepared, put.log_begins)?;
                    Fate::InForce
                }
                Err(error) => Fate::Refused(error.to_string()),
            },
            Err(error) => Fate::Refused(error.to_string()),
        };
        self.audit.changes.push(Change { position, fate });
        Ok(())
    }

    fn succeed(
        &mut self,
        entry: &Entry<'_>,
        prepared: Prepared,
        begins: Option<LogBegins>,
    ) -> Result<(), AuditError> {
        let begins = begins.map_or_else(|| LogBegins::of(self.log), Ok)?;
        let under_way = self.live.before_change(entry.received_at);
        let program = Arc::new(succession(
            &self.program,
            &prepared.program,
            (entry.received_at, begins.received_at),
            &under_way,
        ));
        let settings = &prepared.config.settings;
        let executor = (self.make)(&program, settings).map_err(AuditError::Executor)?;
        let stretch = begins.position..entry.position;
        let (log_from, at) = (begins.received_at, entry.received_at);
        let change = lineage::UnderWay { log: self.log, stretch, log_from, at };
        let (told, _) = change.tell(&mut self.live, (executor, settings.settle))?;
        self.live.succeeded_by(told);
        (self.latest, self.program) = (prepared, program);
        Ok(())
    }

    fn finish(self) -> Audit {
        let Self { live, mut audit, .. } = self;
        (audit.tally, audit.customers) = (live.tally(), live.customers());
        audit.records.sort_by(|a, b| (a.at(), a.customer()).cmp(&(b.at(), b.customer())));
        audit
    }
}
