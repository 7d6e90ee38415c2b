//! Taking out of a log what somebody said or what was said of them.
//!
//! An entry that is taken out leaves another of the same length that says nothing, so that every other stays where it is.
//! Each file is written anew beside the old one, and takes its place once it is on disk.

use super::{
    entry::{Entry, Kind, encode},
    file::{Damage, Segment, header, segments},
    read::Reader,
};
use crate::disk::Disk;
use std::{io, path::Path};

/// Takes out every entry before a position that `is_it` says, in files that are not written any more. Gives how many there
/// were.
///
/// # Errors
/// When the log cannot be read or written, or still writes a file that such an entry may lie in. It may be tried again.
pub fn scrub(
    disk: &dyn Disk,
    folder: &Path,
    before: u64,
    is_it: &dyn Fn(&Entry<'_>) -> bool,
) -> Result<u64, Damage> {
    let all = segments(folder)?;
    let mut taken = 0;
    for segment in all.iter().filter(|segment| segment.first < before) {
        let is_current = all.last() == Some(segment);
        let (bytes, found) = without(segment, before, is_it)?;
        if found == 0 {
            continue;
        }
        let failed = |error| Damage::Io { path: segment.path.clone(), error };
        if is_current {
            return Err(failed(io::Error::other("it is still written")));
        }
        let draft = folder.join("scrubbed");
        let mut file = disk.create(&draft).map_err(failed)?;
        file.write(&bytes).and_then(|()| file.sync()).map_err(failed)?;
        disk.rename(&draft, &segment.path).map_err(failed)?;
        disk.sync_folder(folder).map_err(failed)?;
        taken += found;
    }
    Ok(taken)
}

/// A file without some of its entries, and how many these are.
fn without(
    segment: &Segment,
    before: u64,
    is_it: &dyn Fn(&Entry<'_>) -> bool,
) -> Result<(Vec<u8>, u64), Damage> {
    let mut bytes = header(segment.first);
    let mut found = 0;
    let mut reader = Reader::over(vec![segment.clone()], segment.first);
    while let Some(group) = reader.group()? {
        for entry in group.entries() {
            let goes = entry.position < before && entry.kind != Kind::Void && is_it(&entry);
            if goes {
                found += 1;
                encode(&mut bytes, Kind::Void, entry.received_at, &vec![0; entry.payload.len()]);
            } else {
                encode(&mut bytes, entry.kind, entry.received_at, entry.payload);
            }
        }
    }
    Ok((bytes, found))
}
