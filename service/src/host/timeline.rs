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
    pub calls: Newest<Heard>,
    /// What was decided and what changed, in order.
    pub records: Newest<Record>,
    /// How far each send or call among the records has come, in their order.
    pub progress: Vec<Progress>,
}

/// The newest of something, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Newest<T> {
    /// What was found.
    pub found: Vec<T>,
    /// From when on it is all there is, by when it was received or decided; none when nothing older is kept.
    pub since: Option<Millis>,
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
) -> Result<(Newest<Heard>, Newest<Record>), Damage> {
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

/// What was found in files.
struct Found<T> {
    /// Each with when its entry was received.
    found: Vec<(Millis, T)>,
    /// When the first entry was that was looked at.
    first: Option<Millis>,
}

/// The newest of what a function finds in a log, in order.
fn newest<T>(
    folder: &Path,
    most: usize,
    find: &dyn Fn(&Entry<'_>) -> Option<T>,
) -> Result<Newest<T>, Damage> {
    let mut all = Found { found: Vec::new(), first: None };
    let files = segments(folder)?;
    let mut looked_at = 0;
    for segment in files.iter().rev().take(TIMELINE_FILES) {
        let mut within = in_file(segment.clone(), find)?;
        within.found.append(&mut all.found);
        all = Found { found: within.found, first: within.first.or(all.first) };
        looked_at += 1;
        if all.found.len() >= most {
            break;
        }
    }
    let surplus = all.found.len().saturating_sub(most);
    let is_cut = surplus > 0;
    all.found.drain(..surplus);
    let oldest = all.found.first().map(|(received_at, _)| *received_at);
    let since = if is_cut { oldest } else { all.first.filter(|_| looked_at < files.len()) };
    Ok(Newest { found: all.found.into_iter().map(|(_, found)| found).collect(), since })
}

fn in_file<T>(segment: Segment, find: &dyn Fn(&Entry<'_>) -> Option<T>) -> Result<Found<T>, Damage> {
    let mut all = Found { found: Vec::new(), first: None };
    let first = segment.first;
    let mut reader = Reader::over(vec![segment], first);
    loop {
        match reader.group() {
            Ok(Some(group)) => {
                let entries = group.entries();
                entries.for_each(|entry| {
                    all.first.get_or_insert(entry.received_at);
                    all.found.extend(find(&entry).map(|found| (entry.received_at, found)));
                });
            }
            // At the end of the newest file an entry may be half written, and a file may have gone meanwhile.
            Ok(None) | Err(Damage::Entry { .. } | Damage::Io { .. }) => return Ok(all),
            Err(error) => return Err(error),
        }
    }
}
