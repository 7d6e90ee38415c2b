//! What happened to one customer: what was heard of them, and what was decided.

use super::{Busy, Progress, history};
use crate::{
    limits::TIMELINE_FILES,
    log::{Damage, Entry, Kind, Reader, Segment, segments},
};
use segue_compiler::{record::Record, value::Millis};
use segue_runtime::{live::Portrait, source::Envelope};
use std::path::Path;

/// What happened to a customer of late.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// What is so at present.
    pub portrait: Portrait,
    /// What was heard of them, in the order of arrival.
    pub calls: Vec<Heard>,
    /// What was decided and what changed, in order.
    pub records: Vec<Record>,
    /// How far each send or call among the records has come, in their order.
    pub progress: Vec<Progress>,
}

/// A call as it is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its position.
    pub position: u64,
    /// When it was received.
    pub received_at: Millis,
    /// The call, as a line of JSON.
    pub line: String,
}

/// There is no time line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TimelineError {
    /// Too much is asked.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// A file cannot be read.
    #[error(transparent)]
    Damage(#[from] Damage),
}

/// Reads what was heard of somebody, and what was decided.
pub(super) fn read(
    log: &Path,
    decisions: &Path,
    ids: &[String],
    most: usize,
) -> Result<(Vec<Heard>, Vec<Record>), Damage> {
    let is_theirs = |id: &str| ids.iter().any(|it| it == id);
    let heard = |entry: &Entry<'_>| {
        if entry.kind != Kind::Call {
            return None;
        }
        let line = std::str::from_utf8(entry.payload).ok()?;
        // Mostly it is somebody else's, which is seen without reading it, unless ids may be written in another way.
        if !line.contains('\\') && !ids.iter().any(|id| line.contains(id.as_str())) {
            return None;
        }
        let is_it = is_theirs(&Envelope::parse(entry.payload).ok()?.customer);
        is_it.then(|| Heard {
            position: entry.position,
            received_at: entry.received_at,
            line: line.to_owned(),
        })
    };
    let decided = |entry: &Entry<'_>| history::unpack(entry).filter(|record| is_theirs(record.customer()));
    Ok((newest(log, most, &heard)?, newest(decisions, most, &decided)?))
}

/// The newest of what a function finds in a log, in order.
fn newest<T>(folder: &Path, most: usize, find: &dyn Fn(&Entry<'_>) -> Option<T>) -> Result<Vec<T>, Damage> {
    let mut found = Vec::new();
    for segment in segments(folder)?.into_iter().rev().take(TIMELINE_FILES) {
        let mut within = in_file(segment, find)?;
        within.append(&mut found);
        found = within;
        if found.len() >= most {
            break;
        }
    }
    let surplus = found.len().saturating_sub(most);
    found.drain(..surplus);
    Ok(found)
}

fn in_file<T>(segment: Segment, find: &dyn Fn(&Entry<'_>) -> Option<T>) -> Result<Vec<T>, Damage> {
    let mut found = Vec::new();
    let first = segment.first;
    let mut reader = Reader::over(vec![segment], first);
    loop {
        match reader.group() {
            Ok(Some(group)) => found.extend(group.entries().filter_map(|entry| find(&entry))),
            // At the end of the newest file an entry may be half written, and a file may have gone meanwhile.
            Ok(None) | Err(Damage::Entry { .. } | Damage::Io { .. }) => return Ok(found),
            Err(error) => return Err(error),
        }
    }
}
