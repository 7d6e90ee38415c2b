//! Letting go of the oldest files of a log.

use super::{
    file::{Damage, Segment, segments},
    read::{received_first, received_last},
    writer::{Limits, io_damage},
};
use crate::disk::Disk;
use segue_compiler::value::Millis;
use std::path::Path;

/// What became of the oldest files of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// How many bytes went.
    pub went: u64,
    /// Whether more should have gone, and is needed.
    pub is_held: bool,
}

/// Removes the oldest files as far as limits want it; what lies at `needed` or after it stays. `now` is the present. The last
/// file stays, as it is written.
///
/// # Errors
/// When the log cannot be read, or a file not removed.
pub fn trim(
    disk: &dyn Disk,
    folder: &Path,
    limits: Limits,
    needed: u64,
    now: Millis,
) -> Result<Trimmed, Damage> {
    let all = segments(folder)?;
    let mut total = all.iter().map(Segment::length).sum::<Result<u64, Damage>>()?;
    let mut trimmed = Trimmed::default();
    for (segment, next) in all.iter().zip(all.iter().skip(1)) {
        let is_too_much = limits.max_bytes.is_some_and(|most| total > most);
        if !is_too_much && !is_old(limits, segment, next, now)? {
            break;
        }
        if next.first > needed {
            trimmed.is_held = true;
            break;
        }
        let length = segment.length()?;
        disk.remove(&segment.path).map_err(|error| io_damage(&segment.path, error))?;
        total -= length;
        trimmed.went += length;
    }
    if trimmed.went > 0 {
        disk.sync_folder(folder).map_err(|error| io_damage(folder, error))?;
    }
    Ok(trimmed)
}

/// Whether everything in a file was received longer ago than entries are kept.
fn is_old(limits: Limits, segment: &Segment, next: &Segment, now: Millis) -> Result<bool, Damage> {
    let Some((keep, span)) = limits.keep.zip(limits.span()) else { return Ok(false) };
    let earliest = now.saturating_sub(keep);
    if received_first(next)?.is_some_and(|at| at < earliest) {
        return Ok(true);
    }
    // Long after its last entry the next file begins where nothing came for long, as while the service was down. Its last entry
    // is looked for only where it must be old, unless the file was written before `keep` was what it is.
    if received_first(segment)?.is_none_or(|at| at >= earliest.saturating_sub(span)) {
        return Ok(false);
    }
    Ok(received_last(segment)?.is_some_and(|at| at < earliest))
}
