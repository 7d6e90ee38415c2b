//! Reading a log.

use super::{
    entry::{Entry, Group, HEAD, MAX_LENGTH, measure},
    file::{Damage, HEADER, Segment, is_stillborn, segments},
};
use crate::limits::READ_BYTES;
use segue_compiler::value::Millis;
use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    ops::Range,
    path::Path,
};

/// Reads a log from a position on, group by group.
#[derive(Debug)]
pub struct Reader {
    segments: std::vec::IntoIter<Segment>,
    current: Option<Current>,
    /// The position of the next entry.
    next: u64,
    from: u64,
}

/// A file that is being read.
#[derive(Debug)]
struct Current {
    segment: Segment,
    file: File,
    /// Read, and not given out yet.
    bytes: Vec<u8>,
    /// Where in the file these begin.
    offset: u64,
    is_at_end: bool,
}

impl Reader {
    /// Opens the log in a folder. What lies before `from` is passed over.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(folder: &Path, from: u64) -> Result<Self, Damage> {
        Ok(Self::over(segments(folder)?, from))
    }

    pub(crate) fn over(all: Vec<Segment>, from: u64) -> Self {
        let start = all.partition_point(|segment| segment.first <= from).saturating_sub(1);
        let segments: Vec<Segment> = all.into_iter().skip(start).collect();
        let next = segments.first().map_or(from, |segment| segment.first);
        Self { segments: segments.into_iter(), current: None, next, from }
    }

    /// The position of the entry that comes next.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.next.max(self.from)
    }

    /// The next entries; none at the end.
    ///
    /// # Errors
    /// When what follows cannot be read. What the crash left of an entry at the end of the last file is such, too.
    pub fn group(&mut self) -> Result<Option<Group>, Damage> {
        loop {
            let Some(current) = &mut self.current else {
                let Some(segment) = self.segments.next() else { return Ok(None) };
                if segment.first != self.next {
                    return Err(Damage::Gap { path: segment.path, expected: self.next });
                }
                self.current = Some(Current::open(segment)?);
                continue;
            };
            let Some(group) = current.group(self.next)? else {
                self.current = None;
                continue;
            };
            self.next = group.end();
            if group.end() <= self.from {
                continue;
            }
            return Ok(Some(group.from(self.from)));
        }
    }
}

impl Current {
    fn open(segment: Segment) -> Result<Self, Damage> {
        let file = segment.open()?;
        Ok(Self { segment, file, bytes: Vec::new(), offset: HEADER as u64, is_at_end: false })
    }

    /// Some whole entries; none at the end of the file.
    fn group(&mut self, first: u64) -> Result<Option<Group>, Damage> {
        let mut group = Group::at(first, self.segment.first, self.offset);
        let mut wanted = READ_BYTES;
        loop {
            self.fill(wanted)?;
            let mut start = 0;
            let missing = loop {
                let rest = self.bytes.get(start..).unwrap_or_default();
                match measure(rest) {
                    Ok(length) => {
                        group.push_read(rest.get(..length).unwrap_or_default());
                        start += length;
                    }
                    Err(missing) => break missing,
                }
            };
            self.bytes.drain(..start);
            self.offset += start as u64;
            if !group.is_empty() {
                return Ok(Some(group));
            }
            match missing {
                _ if self.is_at_end && self.bytes.is_empty() => return Ok(None),
                Some(missing) if !self.is_at_end => wanted = missing.max(self.bytes.len() + 1),
                _ => {
                    return Err(Damage::Entry { path: self.segment.path.clone(), offset: self.offset });
                }
            }
        }
    }

    /// Reads on until there are so many bytes, or the end is reached.
    fn fill(&mut self, wanted: usize) -> Result<(), Damage> {
        let missing = wanted.saturating_sub(self.bytes.len());
        if self.is_at_end || missing == 0 {
            return Ok(());
        }
        let read = (&mut self.file).take(missing as u64).read_to_end(&mut self.bytes);
        let read = read.map_err(|error| Damage::Io { path: self.segment.path.clone(), error })?;
        self.is_at_end = read < missing;
        Ok(())
    }
}

/// Where in a stretch of a log to begin so that everything is read that was received at an instant or later: the first entry
/// of a file.
///
/// # Errors
/// When it cannot be read.
pub fn since(folder: &Path, stretch: Range<u64>, at: Millis) -> Result<u64, Damage> {
    let within = |segment: &Segment| stretch.contains(&segment.first);
    for segment in segments(folder)?.iter().rev().filter(|segment| within(segment)) {
        let group = Reader::over(vec![segment.clone()], segment.first).group()?;
        let first = group.as_ref().and_then(|group| group.entries().next());
        if first.is_some_and(|entry| entry.received_at < at) {
            return Ok(segment.first);
        }
    }
    Ok(stretch.start)
}

/// When the first entry of a file was received; none where there is none yet.
pub(super) fn received_first(segment: &Segment) -> Result<Option<Millis>, Damage> {
    if is_stillborn(segment.length()?) {
        return Ok(None);
    }
    let mut file = segment.open()?;
    let at = HEADER as u64;
    read_entry(&segment.path, &mut file, segment.first, at, |entry| entry.received_at).map(Some)
}

/// When the last entry of a file was received that has ended. All of it is read.
pub(super) fn received_last(segment: &Segment) -> Result<Option<Millis>, Damage> {
    let mut reader = Reader::over(vec![segment.clone()], segment.first);
    let mut last = None;
    while let Some(group) = reader.group()? {
        last = group.entries().last().map(|entry| entry.received_at).or(last);
    }
    Ok(last)
}

/// Reads one entry at a place, and hands it over.
///
/// # Errors
/// When it cannot be read.
pub fn entry_at<R>(
    folder: &Path,
    segment: u64,
    offset: u64,
    take: impl FnOnce(Entry<'_>) -> R,
) -> Result<R, Damage> {
    let path = super::file::path_of(folder, segment);
    let damage = |error| Damage::Io { path: path.clone(), error };
    let mut file = File::open(&path).map_err(damage)?;
    read_entry(&path, &mut file, segment, offset, take)
}

fn read_entry<R>(
    path: &Path,
    file: &mut File,
    segment: u64,
    offset: u64,
    take: impl FnOnce(Entry<'_>) -> R,
) -> Result<R, Damage> {
    let damage = |error| Damage::Io { path: path.to_owned(), error };
    file.seek(SeekFrom::Start(offset)).map_err(damage)?;
    let mut bytes = Vec::new();
    (&mut *file).take(HEAD as u64).read_to_end(&mut bytes).map_err(damage)?;
    if let Err(Some(length)) = measure(&bytes)
        && length <= MAX_LENGTH + HEAD
    {
        (&mut *file).take((length - bytes.len()) as u64).read_to_end(&mut bytes).map_err(damage)?;
    }
    let broken = || Damage::Entry { path: path.to_owned(), offset };
    measure(&bytes).map_err(|_| broken())?;
    let mut group = Group::at(0, segment, offset);
    group.push_read(&bytes);
    group.entries().next().map(take).ok_or_else(broken)
}
