//! A file of keys with values.

use crate::{
    disk::{Disk, DiskFile},
    limits::SYNCED_BYTES,
};
use segue_runtime::live::Change;
use std::{
    fs::{self, File},
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};
use xxhash_rust::xxh3::Xxh3Default;

/// The version of the format of files.
pub const FORMAT: u32 = 1;
const MAGIC: &[u8; 8] = b"SEGUERUN";
/// Instead of the length of a value: there is none any more.
const GONE: u32 = u32::MAX;
/// Instead of the length of a key: the end, followed by the checksum of all before it.
const END: u32 = u32::MAX;
/// Longest key or value that is believed.
const MAX_LENGTH: u32 = 256 << 20;
/// In how large pieces it is written.
const PIECE: usize = 1 << 20;

/// A checkpoint cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Corrupt {
    /// The system says so.
    #[error("`{}`: {}", path.display(), segue_runtime::words::reason(error))]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is not as it was written.
    #[error("the checkpoint `{}` is damaged", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// A later version wrote it.
    #[error("the checkpoint `{}` has format {version}; this version of segue reads up to {FORMAT}", path.display())]
    Version {
        /// Which file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
}

impl Corrupt {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.to_owned(), error }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) number: u64,
    /// The one that this changes; none when it is of everything.
    pub(super) parent: Option<u64>,
    pub(super) position: u64,
}

pub(super) fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:020}.run"))
}

/// The numbers of all files, in order.
pub(super) fn numbers(folder: &Path) -> Result<Vec<u64>, Corrupt> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| Corrupt::io(folder, error))? {
        let path = entry.map_err(|error| Corrupt::io(folder, error))?.path();
        if path.extension().is_some_and(|extension| extension == "run") {
            let number = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
            // After the last number there would be none.
            numbers.extend(number.filter(|number| *number < u64::MAX));
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Writes a file; gives its length.
pub(super) fn write<'e>(
    disk: &dyn Disk,
    folder: &Path,
    header: Header,
    notes: &[u8],
    entries: impl Iterator<Item = (&'e [u8], Option<&'e [u8]>)>,
) -> io::Result<u64> {
    let written = write_with(disk, folder, header, notes, |write| {
        for (key, value) in entries {
            write(key, value)?;
        }
        Ok(())
    });
    written.map_err(|error| match error {
        Corrupt::Io { error, .. } => error,
        Corrupt::Damaged { .. } | Corrupt::Version { .. } => io::Error::other(error),
    })
}

/// What takes a key with its value.
type Take<'t> = dyn FnMut(&[u8], Option<&[u8]>) -> Result<(), Corrupt> + 't;

/// Writes a file of what a function gives; gives its length. The file bears its name only once it is whole and on disk.
pub(super) fn write_with(
    disk: &dyn Disk,
    folder: &Path,
    header: Header,
    notes: &[u8],
    give: impl FnOnce(&mut Take<'_>) -> Result<(), Corrupt>,
) -> Result<u64, Corrupt> {
    let (path, draft) = (path_of(folder, header.number), folder.join("new"));
    let failed = |error| Corrupt::io(&draft, error);
    let mut output = Output::new(disk.create(&draft).map_err(failed)?);
    output.header(header, notes).map_err(failed)?;
    give(&mut |key, value| output.entry(key, value).map_err(failed))?;
    let length = output.finish().map_err(failed)?;
    disk.rename(&draft, &path).and_then(|()| disk.sync_folder(folder)).map_err(failed)?;
    Ok(length)
}

/// A file that is being written.
struct Output {
    file: Box<dyn DiskFile>,
    piece: Vec<u8>,
    check: Xxh3Default,
    length: u64,
    /// How many bytes were written since the last that are surely on disk.
    unsynced: usize,
}

impl Output {
    fn new(file: Box<dyn DiskFile>) -> Self {
        Self { file, piece: Vec::with_capacity(PIECE), check: Xxh3Default::new(), length: 0, unsynced: 0 }
    }

    fn header(&mut self, header: Header, notes: &[u8]) -> io::Result<()> {
        let Header { number, parent, position } = header;
        self.bytes(MAGIC)?;
        self.bytes(&FORMAT.to_le_bytes())?;
        self.bytes(&number.to_le_bytes())?;
        self.bytes(&parent.unwrap_or_default().to_le_bytes())?;
        self.bytes(&position.to_le_bytes())?;
        self.bytes(&length(notes).to_le_bytes())?;
        self.bytes(notes)
    }

    fn entry(&mut self, key: &[u8], value: Option<&[u8]>) -> io::Result<()> {
        self.bytes(&length(key).to_le_bytes())?;
        self.bytes(&value.map_or(GONE, length).to_le_bytes())?;
        self.bytes(key)?;
        self.bytes(value.unwrap_or_default())
    }

    fn finish(mut self) -> io::Result<u64> {
        self.bytes(&END.to_le_bytes())?;
        let check = self.check.digest();
        self.bytes(&check.to_le_bytes())?;
        self.flush()?;
        self.file.sync()?;
        Ok(self.length)
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.check.update(bytes);
        self.length += bytes.len() as u64;
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write(&self.piece)?;
        self.unsynced += self.piece.len();
        self.piece.clear();
        if self.unsynced < SYNCED_BYTES {
            return Ok(());
        }
        self.unsynced = 0;
        self.file.sync()
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(END - 1)
}

/// A file that is being read. That it is sound is known at its end.
pub(super) struct Run {
    pub(super) header: Header,
    pub(super) notes: Vec<u8>,
    pub(super) bytes: u64,
    path: PathBuf,
    input: BufReader<File>,
    check: Xxh3Default,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("header", &self.header).field("path", &self.path).finish_non_exhaustive()
    }
}

impl Run {
    pub(super) fn open(folder: &Path, number: u64) -> Result<Self, Corrupt> {
        let path = path_of(folder, number);
        let file = File::open(&path).map_err(|error| Corrupt::io(&path, error))?;
        let bytes = file.metadata().map_err(|error| Corrupt::io(&path, error))?.len();
        let mut run = Self {
            header: Header { number, parent: None, position: 0 },
            notes: Vec::new(),
            bytes,
            path,
            input: BufReader::with_capacity(PIECE, file),
            check: Xxh3Default::new(),
        };
        if run.read(MAGIC.len())? != MAGIC {
            return Err(run.damaged());
        }
        let version = run.short()?;
        if version != FORMAT {
            return Err(Corrupt::Version { path: run.path, version });
        }
        if run.long()? != number {
            return Err(run.damaged());
        }
        run.header.parent = Some(run.long()?).filter(|parent| *parent != 0);
        if run.header.parent.is_some_and(|parent| parent >= number) {
            return Err(run.damaged());
        }
        run.header.position = run.long()?;
        let length = run.short()?;
        run.notes = run.sized(length)?;
        Ok(run)
    }

    /// The next key with its value; none at the end, if the file is as it was written.
    pub(super) fn next(&mut self) -> Result<Option<Change>, Corrupt> {
        let length = self.short()?;
        if length == END {
            let check = self.check.digest();
            return if self.long()? == check { Ok(None) } else { Err(self.damaged()) };
        }
        let value = self.short()?;
        let key = self.sized(length)?;
        let value = if value == GONE { None } else { Some(self.sized(value)?) };
        Ok(Some(Change { key, value }))
    }

    fn short(&mut self) -> Result<u32, Corrupt> {
        let bytes = self.read(4)?;
        bytes.try_into().map(u32::from_le_bytes).map_err(|_| self.damaged())
    }

    fn long(&mut self) -> Result<u64, Corrupt> {
        let bytes = self.read(8)?;
        bytes.try_into().map(u64::from_le_bytes).map_err(|_| self.damaged())
    }

    fn sized(&mut self, length: u32) -> Result<Vec<u8>, Corrupt> {
        if length > MAX_LENGTH || u64::from(length) > self.bytes {
            return Err(self.damaged());
        }
        self.read(length as usize)
    }

    fn read(&mut self, length: usize) -> Result<Vec<u8>, Corrupt> {
        let mut bytes = vec![0; length];
        match self.input.read_exact(&mut bytes) {
            Ok(()) => {
                self.check.update(&bytes);
                Ok(bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.damaged()),
            Err(error) => Err(Corrupt::io(&self.path, error)),
        }
    }

    fn damaged(&self) -> Corrupt {
        Corrupt::Damaged { path: self.path.clone() }
    }
}
