//! Writing a log.

use super::{
    entry::{Group, Kind, measure},
    file::{Damage, HEADER, Segment, header, is_stillborn, path_of, segments},
    read::{Reader, received_first},
};
use crate::{
    disk::{Disk, DiskFile},
    limits::{FILES_OF_AGE, MAX_RESERVED},
};
use segue_compiler::value::Millis;
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// How long files get, and how long they are kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A file that is longer is followed by another.
    pub segment_bytes: u64,
    /// For how many milliseconds entries are kept at least, and not much longer; for ever when absent.
    pub keep: Option<i64>,
    /// How many bytes all files may take before the oldest go, even if they should be kept; none is no bound.
    pub max_bytes: Option<u64>,
}

impl Limits {
    /// How many milliseconds there are at most between the first entry of a file and the last; none is no bound.
    pub(super) fn span(&self) -> Option<i64> {
        self.keep.map(|keep| (keep / FILES_OF_AGE).max(1))
    }
}

/// A place in a log, between entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The position of the next entry.
    pub position: u64,
    /// The position of the first entry of the file.
    pub segment: u64,
    /// Where in the file the next entry begins.
    pub offset: u64,
}

/// What was found when a log was opened to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// How many bytes of a torn end were cut off.
    pub cut: u64,
    /// When the last entry was received.
    pub last: Option<Millis>,
}

/// Appends to a log.
#[derive(Debug)]
pub struct Writer {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    limits: Limits,
    file: Box<dyn DiskFile>,
    place: Place,
    /// When the first entry of the file was received; of the file before, while there is none.
    since: Option<Millis>,
    /// Whether there may be more in the file than what was appended.
    is_torn: bool,
    /// Whether the next entry begins another file.
    is_full: bool,
    /// How many entries were appended last, and their bytes: as much room is made for the next.
    usual: (usize, usize),
}

impl Writer {
    /// Opens the log in a folder, and makes one where there is none. What a crash left half written at its end is cut off.
    ///
    /// # Errors
    /// When it cannot be read or written, or is damaged elsewhere than at its end.
    pub fn open(disk: Arc<dyn Disk>, folder: &Path, limits: Limits) -> Result<(Self, Opened), Damage> {
        fs::create_dir_all(folder).map_err(|error| io_damage(folder, error))?;
        let mut all = segments(folder)?;
        if let Some(last) = all.last()
            && is_stillborn(last.length()?)
            && (all.len() > 1 || last.open().is_err())
        {
            // The crash came before anything in it was acknowledged.
            disk.remove(&last.path).map_err(|error| io_damage(&last.path, error))?;
            all.pop();
        }
        let Some(last) = all.last().cloned() else {
            return Ok((Self::begin(disk, folder, limits, 0)?, Opened::default()));
        };
        let mut opened = Opened::default();
        let place = end_of(&all, &mut opened)?;
        let mut file = disk.append(&last.path).map_err(|error| io_damage(&last.path, error))?;
        let length = last.length()?;
        opened.cut = length.saturating_sub(place.offset);
        if opened.cut > 0 {
            file.cut(place.offset)
                .and_then(|()| file.sync())
                .map_err(|error| io_damage(&last.path, error))?;
        }
        let since = since_of(&all)?;
        Ok((Self::at(disk, folder, limits, file, place, since), opened))
    }

    /// Opens a log of which only what lies before a place is to be there; the rest is cut off.
    ///
    /// # Errors
    /// When it cannot be read or written, or does not reach to the place.
    pub fn open_at(disk: Arc<dyn Disk>, folder: &Path, limits: Limits, place: Place) -> Result<Self, Damage> {
        fs::create_dir_all(folder).map_err(|error| io_damage(folder, error))?;
        for segment in segments(folder)?.into_iter().rev() {
            if segment.first > place.segment || place.position == 0 {
                disk.remove(&segment.path).map_err(|error| io_damage(&segment.path, error))?;
            }
        }
        if place.position == 0 {
            return Self::begin(disk, folder, limits, 0);
        }
        let last = Segment { path: path_of(folder, place.segment), first: place.segment };
        last.open()?;
        if last.length()? < place.offset {
            return Err(Damage::Entry { path: last.path.clone(), offset: place.offset });
        }
        let mut file = disk.append(&last.path).map_err(|error| io_damage(&last.path, error))?;
        file.cut(place.offset).and_then(|()| file.sync()).map_err(|error| io_damage(&last.path, error))?;
        let since = since_of(&segments(folder)?)?;
        Ok(Self::at(disk, folder, limits, file, place, since))
    }

    fn begin(disk: Arc<dyn Disk>, folder: &Path, limits: Limits, first: u64) -> Result<Self, Damage> {
        let file = create(&*disk, folder, first).map_err(|error| io_damage(folder, error))?;
        let place = Place { position: first, segment: first, offset: HEADER as u64 };
        Ok(Self::at(disk, folder, limits, file, place, None))
    }

    /// A log that goes on in a file at a place.
    fn at(
        disk: Arc<dyn Disk>,
        folder: &Path,
        limits: Limits,
        file: Box<dyn DiskFile>,
        place: Place,
        since: Option<Millis>,
    ) -> Self {
        Self {
            disk,
            folder: folder.to_owned(),
            limits,
            file,
            place,
            since,
            is_torn: false,
            is_full: false,
            usual: (0, 0),
        }
    }

    /// Where the next entry comes.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// Whether the file has had entries for long enough, so that what is received now belongs into another. Where nothing comes
    /// for that long, an entry that says nothing makes it end all the same, so that it may go when its time has come.
    #[must_use]
    pub fn is_old(&self, now: Millis) -> bool {
        let span = self.limits.span().zip(self.since);
        span.is_some_and(|(span, since)| now.saturating_sub(since) >= span)
    }

    /// Appends entries, all of them or none, and gives them back with their places. When `durable`, they are on disk
    /// afterwards.
    ///
    /// # Errors
    /// When they cannot be written. It may be tried again.
    pub fn append<'p>(
        &mut self,
        entries: impl IntoIterator<Item = (Kind, Millis, &'p [u8])>,
        durable: bool,
    ) -> io::Result<Group> {
        self.mend()?;
        let mut entries = entries.into_iter().peekable();
        let first = entries.peek().map(|(_, received_at, _)| *received_at);
        let is_empty = self.place.position == self.place.segment;
        let is_over =
            self.place.offset >= self.limits.segment_bytes || first.is_some_and(|at| self.is_old(at));
        if !is_empty && (self.is_full || is_over) {
            self.begin_another()?;
        }
        let begins = self.place.position == self.place.segment;
        let mut group = Group::at(self.place.position, self.place.segment, self.place.offset);
        group.reserve(self.usual);
        for (kind, received_at, payload) in entries {
            group.push(kind, received_at, payload);
        }
        // Until it is known that all of it is there.
        self.is_torn = true;
        let written = self.file.write(group.bytes());
        if let Err(error) = written.and_then(|()| if durable { self.file.sync() } else { Ok(()) }) {
            // Room for others; where not even this can be done, it is tried again before the next entry.
            let _ = self.mend();
            return Err(error);
        }
        self.is_torn = false;
        self.usual = (group.len().min(MAX_RESERVED.0), group.bytes().len().min(MAX_RESERVED.1));
        if begins {
            self.since = first.or(self.since);
        }
        self.place.position = group.end();
        self.place.offset += group.bytes().len() as u64;
        Ok(group)
    }

    /// Ends the file: what is in it is not written any more. Where another cannot be begun at once, the next entry begins it.
    pub fn rotate(&mut self) {
        if self.place.position > self.place.segment {
            self.is_full = true;
            // The next entry tries again.
            let _ = self.mend().and_then(|()| self.begin_another());
        }
    }

    /// What is in the file is as durable as it was appended.
    fn begin_another(&mut self) -> io::Result<()> {
        self.file = create(&*self.disk, &self.folder, self.place.position)?;
        self.place.segment = self.place.position;
        self.place.offset = HEADER as u64;
        self.is_full = false;
        Ok(())
    }

    /// Cuts off what was not appended.
    fn mend(&mut self) -> io::Result<()> {
        if self.is_torn {
            self.file.cut(self.place.offset)?;
            self.file.sync()?;
            self.is_torn = false;
        }
        Ok(())
    }
}

/// When the first entry of the last file that has one was received.
fn since_of(all: &[Segment]) -> Result<Option<Millis>, Damage> {
    for segment in all.iter().rev() {
        if let Some(received_at) = received_first(segment)? {
            return Ok(Some(received_at));
        }
    }
    Ok(None)
}

/// Makes a file; it bears its name only once its header is whole.
fn create(disk: &dyn Disk, folder: &Path, first: u64) -> io::Result<Box<dyn DiskFile>> {
    let (path, draft) = (path_of(folder, first), folder.join("new"));
    let mut file = disk.create(&draft)?;
    file.write(&header(first))?;
    file.sync()?;
    disk.rename(&draft, &path)?;
    disk.sync_folder(folder)?;
    Ok(file)
}

/// Where a log ends, as it is taken when it is opened to be written: what a crash left half written at its end is no part of
/// it. Nothing is cut off.
///
/// # Errors
/// When it cannot be read, or is damaged elsewhere than at its end.
pub fn end(folder: &Path) -> Result<Place, Damage> {
    let all = if folder.exists() { segments(folder)? } else { Vec::new() };
    let sound =
        all.len() - usize::from(all.last().map(Segment::length).transpose()?.is_some_and(is_stillborn));
    end_of(all.get(..sound).unwrap_or_default(), &mut Opened::default())
}

/// Where the last whole entry ends. The files must be sound but for the end of the last.
fn end_of(all: &[Segment], opened: &mut Opened) -> Result<Place, Damage> {
    let Some(last) = all.last() else { return Ok(Place::default()) };
    for (segment, next) in all.iter().zip(all.iter().skip(1)) {
        segment.open()?;
        if next.first < segment.first {
            return Err(Damage::Gap { path: next.path.clone(), expected: segment.first });
        }
    }
    // The last but one tells when its entries were received, should the last hold none.
    let from = all.iter().rev().nth(1).unwrap_or(last).first;
    let mut place = Place { position: from, segment: from, offset: HEADER as u64 };
    let mut reader = Reader::over(all.to_vec(), from);
    loop {
        match reader.group() {
            Ok(Some(group)) => {
                for entry in group.entries() {
                    opened.last = opened.last.max(Some(entry.received_at));
                }
                place = Place { position: group.end(), segment: group.segment, offset: group.after() };
            }
            Ok(None) => break,
            Err(Damage::Entry { path, offset }) if path == last.path => {
                if is_followed(&path, offset)? {
                    return Err(Damage::Entry { path, offset });
                }
                break;
            }
            Err(error) => return Err(error),
        }
    }
    if place.segment != last.first {
        if place.position != last.first {
            return Err(Damage::Gap { path: last.path.clone(), expected: place.position });
        }
        place = Place { position: last.first, segment: last.first, offset: HEADER as u64 };
    }
    Ok(place)
}

/// Whether entries follow a broken one that were written after it was on disk, so that the file did not just end there: only
/// what is written together, and so received together, is ever on disk in part or in another order.
fn is_followed(path: &Path, offset: u64) -> Result<bool, Damage> {
    let bytes = fs::read(path).map_err(|error| io_damage(path, error))?;
    let mut rest = usize::try_from(offset).ok().and_then(|at| bytes.get(at + 1..)).unwrap_or_default();
    let mut times = BTreeSet::new();
    while times.len() < 2
        && let Some((_, behind)) = rest.split_first()
    {
        match measure(rest) {
            Ok(length) => {
                let mut group = Group::at(0, 0, 0);
                group.push_read(rest.get(..length).unwrap_or_default());
                times.extend(group.entries().map(|entry| entry.received_at));
                rest = rest.get(length..).unwrap_or_default();
            }
            Err(_) => rest = behind,
        }
    }
    Ok(times.len() > 1)
}

pub(super) fn io_damage(path: &Path, error: io::Error) -> Damage {
    Damage::Io { path: path.to_owned(), error }
}
