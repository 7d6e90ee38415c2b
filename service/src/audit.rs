//! A log handed over once more, to see what it leads to: the audit of what was decided live.

use crate::{
    log::{Damage, Group, Kind, Reader, segments},
    rules::Text,
};
use segue_compiler::{execution::Execution, record::Record, value::Millis};
use segue_runtime::{
    live::{Live, Tally},
    source::Envelope,
};
use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
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
    /// Where entries put rules in force, and what tells these.
    pub rules: Vec<(u64, u64)>,
}

/// Where the log of a service lies: in the folder of its data, or there itself.
#[must_use]
pub fn log_of(folder: &Path) -> PathBuf {
    let within = folder.join("log");
    if within.is_dir() { within } else { folder.to_owned() }
}

/// Hands the log in a folder over to an executor, whose settings are the project's. What a crash left half written at the
/// end is left out, as the service does.
///
/// # Errors
/// When the log cannot be read.
pub fn audit<E: Execution + Sync>(
    executor: E,
    settle: i64,
    log: &Path,
    threads: NonZeroUsize,
) -> Result<Audit, Damage> {
    let all = segments(log)?;
    let first = all.first().map_or(0, |segment| segment.first);
    let mut reader = Reader::open(log, first)?;
    let mut audit = Audit { first, ..Audit::default() };
    let mut live: Option<Live<E>> = None;
    let mut executor = Some(executor);
    loop {
        let group = match reader.group() {
            Ok(Some(group)) => group,
            Ok(None) => break,
            Err(Damage::Entry { path, .. }) if all.last().is_some_and(|last| last.path == path) => break,
            Err(error) => return Err(error),
        };
        let start = group.entries().next().map_or(0, |entry| entry.received_at);
        if let Some(executor) = executor.take() {
            live = Some(Live::new(executor, settle, threads, start));
        }
        if let Some(live) = &mut live {
            audit.take(live, &group);
        }
    }
    if let Some(live) = &live {
        (audit.tally, audit.customers) = (live.tally(), live.customers());
    }
    audit.records.sort_by(|a, b| (a.at(), a.customer()).cmp(&(b.at(), b.customer())));
    Ok(audit)
}

impl Audit {
    fn take<E: Execution + Sync>(&mut self, live: &mut Live<E>, group: &Group) {
        let mut calls = Vec::new();
        for entry in group.entries() {
            if entry.kind == Kind::Call {
                calls.extend(Envelope::parse(entry.payload).ok().map(|it| it.received(entry.received_at)));
            } else {
                live.calls(calls.drain(..));
                match entry.kind {
                    Kind::Advance => live.advance(entry.received_at),
                    Kind::Start => live.resume(entry.received_at),
                    Kind::Erase => {
                        let ids = live.erase(&String::from_utf8_lossy(entry.payload));
                        self.records.append(&mut live.records());
                        self.records.retain(|record| !ids.iter().any(|id| **id == **record.customer()));
                    }
                    Kind::Rules => {
                        let text = Text::read(entry.payload).map_or(0, |text| text.fingerprint());
                        self.rules.push((entry.position, text));
                    }
                    Kind::Release | Kind::Done | Kind::Void | Kind::Call | Kind::Record => {}
                }
            }
            self.end = Some(entry.received_at);
        }
        live.calls(calls);
        self.records.append(&mut live.records());
        self.entries += group.len() as u64;
    }
}
