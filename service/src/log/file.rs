//! The files of a log.

use super::entry::HEAD;
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};
use xxhash_rust::xxh3::xxh3_64;

/// The version of the format of files.
pub const FORMAT: u32 = 1;
/// What a file begins with: this, the version, the position of its first entry, and a checksum of these.
const MAGIC: &[u8; 8] = b"SEGUELOG";
/// How long that is.
pub(super) const HEADER: usize = 8 + 4 + 8 + 8;

/// A file of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it lies.
    pub path: PathBuf,
    /// The position of its first entry.
    pub first: u64,
}

/// A log cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The system says so.
    #[error("`{}` cannot be read: {}", path.display(), segue_runtime::words::reason(error))]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is no file of a log.
    #[error("`{}` does not begin as a file of the log does", path.display())]
    Header {
        /// Which file.
        path: PathBuf,
    },
    /// A later version wrote it.
    #[error("`{}` has format {version}; this version of segue reads up to {FORMAT}", path.display())]
    Version {
        /// Which file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// An entry is broken in the midst of the log.
    #[error("`{}` is damaged at byte {offset}: what follows cannot be read. Restore the file from a backup", path.display())]
    Entry {
        /// Which file.
        path: PathBuf,
        /// Where the entry begins.
        offset: u64,
    },
    /// A file is missing between others.
    #[error("the log has a gap: `{}` should begin with entry {expected}", path.display())]
    Gap {
        /// The file after the gap.
        path: PathBuf,
        /// The position that the file before ends at.
        expected: u64,
    },
}

/// The files of a log, in order.
///
/// # Errors
/// When the folder cannot be read.
pub fn segments(folder: &Path) -> Result<Vec<Segment>, Damage> {
    let damage = |error| Damage::Io { path: folder.to_owned(), error };
    let mut segments = Vec::new();
    for entry in fs::read_dir(folder).map_err(damage)? {
        let path = entry.map_err(damage)?.path();
        if path.extension().is_some_and(|extension| extension == "log")
            && let Some(first) = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok())
        {
            segments.push(Segment { path, first });
        }
    }
    segments.sort_by_key(|segment| segment.first);
    Ok(segments)
}

/// The path of a file by the position of its first entry.
pub(super) fn path_of(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.log"))
}

/// What a file begins with.
pub(super) fn header(first: u64) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&first.to_le_bytes());
    let check = xxh3_64(&bytes);
    bytes.extend_from_slice(&check.to_le_bytes());
    bytes
}

impl Segment {
    /// Opens the file behind its header.
    pub(super) fn open(&self) -> Result<File, Damage> {
        let damage = |error| Damage::Io { path: self.path.clone(), error };
        let mut file = File::open(&self.path).map_err(damage)?;
        let mut bytes = [0; HEADER];
        match file.read_exact(&mut bytes) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(Damage::Header { path: self.path.clone() });
            }
            Err(error) => return Err(damage(error)),
        }
        let wrong = || Damage::Header { path: self.path.clone() };
        let (read, check) = bytes.split_last_chunk::<8>().ok_or_else(wrong)?;
        if !read.starts_with(MAGIC) || xxh3_64(read) != u64::from_le_bytes(*check) {
            return Err(wrong());
        }
        let version = read.get(8..12).and_then(|it| it.try_into().ok()).map_or(0, u32::from_le_bytes);
        if version != FORMAT {
            return Err(Damage::Version { path: self.path.clone(), version });
        }
        if read.get(12..) != Some(&self.first.to_le_bytes()) {
            return Err(wrong());
        }
        Ok(file)
    }

    /// How many bytes it has.
    pub(super) fn length(&self) -> Result<u64, Damage> {
        let length = fs::metadata(&self.path).map(|metadata| metadata.len());
        length.map_err(|error| Damage::Io { path: self.path.clone(), error })
    }
}

/// Whether a file is shorter than anything that was ever acknowledged in it.
pub(super) fn is_stillborn(length: u64) -> bool {
    length < (HEADER + HEAD) as u64
}
