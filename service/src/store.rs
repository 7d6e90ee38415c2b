//! Checkpoints: what the log had led to at a position, so that a start need not read all of it.
//!
//! A checkpoint is a file of keys with values, sorted: either everything, or what changed since the one before. Enough of
//! those are merged beside the work, with their like in size, so that what changed is written a few times and not each time
//! anew; and into one of everything once they are as much. Each file has checksums and is whole or not there; where one is
//! damaged, the checkpoint before it is taken, and the log is read from there.
//!
//! All that is asked of a store here is to be written in bulk and read as a whole, since customers' states lie in memory.

mod file;
mod merge;

pub use file::{Corrupt, FORMAT};

use crate::{
    disk::Disk,
    limits::{MERGED_AFTER, MERGED_BYTES, MERGED_WITH},
};
use file::{Header, Run};
use merge::Merged;
use segue_runtime::live::Change;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The checkpoints in a folder.
#[derive(Debug)]
pub struct Store {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    /// The number of the newest, and those that it consists of, the one of everything first.
    chain: Vec<Link>,
    /// The numbers of those that it consisted of before some were merged: of use while the merged one is young.
    before: Vec<u64>,
    /// How many were kept since the one of everything.
    since_whole: usize,
}

/// A file that a checkpoint consists of.
#[derive(Clone, Copy, Debug)]
struct Link {
    number: u64,
    position: u64,
    bytes: u64,
}

/// A checkpoint that is to be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// The position in the log of the first entry that is not in it.
    pub position: u64,
    /// What else there is to know.
    pub notes: Vec<u8>,
    /// What changed since the one before; when it is kept, in order of the keys.
    pub changes: Vec<Change>,
}

/// The newest sound checkpoint.
#[derive(Debug)]
pub struct Found {
    /// The position in the log of the first entry that is not in it.
    pub position: u64,
    /// What else there is to know.
    pub notes: Vec<u8>,
    /// Every key with its value, in order.
    pub values: Vec<(Vec<u8>, Vec<u8>)>,
    /// What was found to be damaged, for people.
    pub damaged: Vec<String>,
}

impl Store {
    /// Opens the checkpoints in a folder and reads the newest sound one; none where there is none at all.
    ///
    /// # Errors
    /// When the folder cannot be read, or a later version wrote it.
    pub fn open(disk: Arc<dyn Disk>, folder: &Path) -> Result<(Self, Option<Found>), Corrupt> {
        fs::create_dir_all(folder).map_err(|error| Corrupt::io(folder, error))?;
        let mut store =
            Self { disk, folder: folder.to_owned(), chain: Vec::new(), before: Vec::new(), since_whole: 0 };
        let numbers = file::numbers(folder)?;
        let mut damaged = Vec::new();
        for head in numbers.iter().rev() {
            match store.read(*head) {
                Ok((chain, mut found)) => {
                    store.since_whole = chain.len() - 1;
                    store.chain = chain;
                    found.damaged = damaged;
                    return Ok((store, Some(found)));
                }
                Err(error @ Corrupt::Version { .. }) => return Err(error),
                Err(error) => {
                    let words = error.to_string();
                    if !damaged.contains(&words) {
                        damaged.push(words);
                    }
                }
            }
        }
        let nothing = Found { position: 0, notes: Vec::new(), values: Vec::new(), damaged };
        let found = (!nothing.damaged.is_empty()).then_some(nothing);
        Ok((store, found))
    }

    /// Keeps a checkpoint. When it returns, it is on disk.
    ///
    /// # Errors
    /// When it cannot be written. It may be there all the same, and may be tried again.
    pub fn keep(&mut self, checkpoint: &Checkpoint) -> io::Result<()> {
        let parent = self.chain.last().map(|last| last.number);
        let header = Header { number: self.next_number(), parent, position: checkpoint.position };
        let entries = checkpoint.changes.iter().map(|it| (&*it.key, it.value.as_deref()));
        let bytes = file::write(&*self.disk, &self.folder, header, &checkpoint.notes, entries)?;
        self.chain.push(Link { number: header.number, position: checkpoint.position, bytes });
        self.since_whole += 1;
        Ok(())
    }

    /// Merges what changed, if that is worth it; removes what nobody needs any more.
    ///
    /// # Errors
    /// When something cannot be read or written; the checkpoints are as good as before then.
    pub fn tidy(&mut self) -> Result<(), Corrupt> {
        if let Some(from) = self.worth_merging() {
            self.merge(from)?;
        }
        self.remove_old()
    }

    /// From where on files are merged, the one of everything included or not.
    fn worth_merging(&self) -> Option<usize> {
        let (whole, changes) = self.chain.split_first()?;
        let bytes: u64 = changes.iter().map(|link| link.bytes).sum();
        if !changes.is_empty() && bytes > whole.bytes.max(MERGED_BYTES) {
            return Some(0);
        }
        if changes.len() < MERGED_AFTER {
            return None;
        }
        // Older ones are larger. Those go together that are not much larger than all that came after them.
        let (mut from, mut bytes) = (self.chain.len(), 0);
        for (index, link) in self.chain.iter().enumerate().skip(1).rev() {
            if self.chain.len() - from >= 2 && link.bytes > bytes * MERGED_WITH {
                break;
            }
            (from, bytes) = (index, bytes + link.bytes);
        }
        Some(from)
    }

    /// Writes a checkpoint of everything, so that the log need not reach as far back, see [`Store::needed`]. Not sooner than
    /// some others were kept since the last.
    ///
    /// # Errors
    /// As [`Store::tidy`].
    pub fn renew(&mut self) -> Result<(), Corrupt> {
        if self.since_whole < MERGED_AFTER {
            return Ok(());
        }
        self.merge(0)?;
        self.remove_old()
    }

    /// Writes a checkpoint of everything, which leaves out all that is no more, and removes every other: nothing of what
    /// was erased is left.
    ///
    /// # Errors
    /// As [`Store::tidy`].
    pub fn rewrite(&mut self) -> Result<(), Corrupt> {
        self.merge(0)?;
        self.remove_all_but(self.chain.last().map(|link| link.number))
    }

    /// Begins anew: nothing that was kept is of use, and what is kept next is everything.
    ///
    /// # Errors
    /// As [`Store::tidy`].
    pub fn clear(&mut self) -> Result<(), Corrupt> {
        self.chain.clear();
        self.since_whole = 0;
        self.remove_all_but(None)
    }

    fn remove_all_but(&mut self, kept: Option<u64>) -> Result<(), Corrupt> {
        self.before.clear();
        for number in file::numbers(&self.folder)?.into_iter().filter(|number| Some(*number) != kept) {
            self.remove(number)?;
        }
        self.sync_folder()
    }

    /// Where the log must reach back to, so that also the checkpoint before is of use.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn needed(&self) -> Result<u64, Corrupt> {
        let wholes = self.wholes()?;
        let before = wholes.iter().rev().nth(1);
        Ok(before.map_or(0, |(_, position)| *position))
    }

    /// Merges the files from a place in the chain on.
    fn merge(&mut self, from: usize) -> Result<(), Corrupt> {
        let Some(last) = self.chain.last().copied() else { return Ok(()) };
        let runs = self.chain.iter().skip(from).map(|link| Run::open(&self.folder, link.number));
        let runs = runs.collect::<Result<Vec<Run>, Corrupt>>()?;
        let notes = runs.last().map(|run| run.notes.clone()).unwrap_or_default();
        let parent = from.checked_sub(1).and_then(|before| self.chain.get(before)).map(|link| link.number);
        let header = Header { number: self.next_number(), parent, position: last.position };
        let mut merged = Merged::of(runs)?;
        let bytes = file::write_with(&*self.disk, &self.folder, header, &notes, |write| {
            while let Some(Change { key, value }) = merged.next()? {
                // That something is no more is to be known only where something older may say that it is.
                if value.is_some() || parent.is_some() {
                    write(&key, value.as_deref())?;
                }
            }
            Ok(())
        })?;
        self.before = self.chain.iter().map(|link| link.number).collect();
        self.chain.truncate(from);
        if from == 0 {
            self.since_whole = 0;
        }
        self.chain.push(Link { number: header.number, position: header.position, bytes });
        Ok(())
    }

    /// Removes what neither the newest checkpoint consists of nor one to fall back to: the one before the last merge, and
    /// the last but one of everything.
    fn remove_old(&self) -> Result<(), Corrupt> {
        let Some(newest) = self.chain.last().map(|link| link.number) else { return Ok(()) };
        let wholes = self.wholes()?;
        let oldest = wholes.iter().rev().nth(1).map(|(number, _)| *number);
        let is_needed = |number: &u64| {
            *number > newest
                || Some(*number) == oldest
                || self.before.contains(number)
                || self.chain.iter().any(|link| link.number == *number)
        };
        let old: Vec<u64> = file::numbers(&self.folder)?.into_iter().filter(|it| !is_needed(it)).collect();
        for number in &old {
            self.remove(*number)?;
        }
        if old.is_empty() { Ok(()) } else { self.sync_folder() }
    }

    /// Number and position of the checkpoints of everything, in order.
    fn wholes(&self) -> Result<Vec<(u64, u64)>, Corrupt> {
        let mut wholes = Vec::new();
        for number in file::numbers(&self.folder)? {
            // What cannot be opened is of no use to anybody.
            if let Ok(run) = Run::open(&self.folder, number)
                && run.header.parent.is_none()
            {
                wholes.push((number, run.header.position));
            }
        }
        Ok(wholes)
    }

    /// Reads the checkpoint that ends with a file.
    fn read(&self, head: u64) -> Result<(Vec<Link>, Found), Corrupt> {
        let mut runs = vec![Run::open(&self.folder, head)?];
        while let Some(parent) = runs.last().and_then(|run| run.header.parent) {
            runs.push(Run::open(&self.folder, parent)?);
        }
        runs.reverse();
        let link =
            |run: &Run| Link { number: run.header.number, position: run.header.position, bytes: run.bytes };
        let chain: Vec<Link> = runs.iter().map(link).collect();
        let (position, notes) =
            runs.last().map_or((0, Vec::new()), |it| (it.header.position, it.notes.clone()));
        let mut merged = Merged::of(runs)?;
        let mut values = Vec::new();
        while let Some(Change { key, value }) = merged.next()? {
            values.extend(value.map(|value| (key, value)));
        }
        Ok((chain, Found { position, notes, values, damaged: Vec::new() }))
    }

    fn next_number(&self) -> u64 {
        // Also beyond what is damaged.
        let taken = file::numbers(&self.folder).unwrap_or_default().last().copied();
        taken.max(self.chain.last().map(|link| link.number)).map_or(1, |number| number + 1)
    }

    fn remove(&self, number: u64) -> Result<(), Corrupt> {
        let path = file::path_of(&self.folder, number);
        self.disk.remove(&path).map_err(|error| Corrupt::io(&path, error))
    }

    fn sync_folder(&self) -> Result<(), Corrupt> {
        self.disk.sync_folder(&self.folder).map_err(|error| Corrupt::io(&self.folder, error))
    }
}

/// Changes in order of the keys, the later ones instead of the earlier; each of both has a key once.
#[must_use]
pub fn joined(earlier: Vec<Change>, later: Vec<Change>) -> Vec<Change> {
    let mut all: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
    for change in earlier.into_iter().chain(later) {
        all.insert(change.key, change.value);
    }
    all.into_iter().map(|(key, value)| Change { key, value }).collect()
}
