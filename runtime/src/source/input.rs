//! Files as they are: plain, gzip, Zstandard, or standard input.

use crate::{limits::BLOCK_BYTES, words::reason};
use std::{
    fs::{File, Metadata},
    io::{self, BufRead, BufReader, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// An input that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// It cannot be opened.
    #[error("cannot open `{file}`: {}", reason(.error))]
    Open {
        /// The file.
        file: String,
        /// Why.
        error: io::Error,
    },
    /// Reading stopped in its midst: the disk, or a compressed file that is cut off.
    #[error("cannot read on in `{file}` after line {line}: {}", broken(.error))]
    Read {
        /// The file.
        file: String,
        /// The last line that was read.
        line: u64,
        /// Why.
        error: io::Error,
    },
    /// A profile file whose first line cannot be used.
    #[error("the first line of `{file}` cannot be used: {reason}")]
    Header {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// A profile file without a column for the customer.
    #[error(
        "`{file}` has no column `user_id`: its first line names the columns, and that one says whose traits a line holds"
    )]
    NoCustomerColumn {
        /// The file.
        file: String,
    },
}

/// Why reading stopped in its midst.
fn broken(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            "the compressed file ends early; was it copied completely?".to_owned()
        }
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
            format!("the compressed file is damaged ({}); copy or compress it again", reason(error))
        }
        _ => reason(error),
    }
}

/// Whether a file is a device that has no end; an empty one and a terminal have.
fn is_endless(path: &Path, file: &Metadata) -> bool {
    let named = ["/dev/null", "/dev/stdin", "/dev/tty"].iter().any(|it| path == Path::new(it));
    !named && !file.is_file() && !is_pipe(file)
}

#[cfg(unix)]
fn is_pipe(file: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    file.file_type().is_fifo() || file.file_type().is_socket()
}

#[cfg(not(unix))]
fn is_pipe(_: &Metadata) -> bool {
    true
}

/// How much of the input was read: bytes of the files as they lie on disk.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    /// Bytes read so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// An opened input.
pub(crate) struct Input {
    /// Its name in messages.
    pub(crate) name: String,
    /// Its content, no longer compressed.
    pub(crate) reader: Box<dyn BufRead + Send>,
    /// Its length on disk, where there is one.
    pub(crate) length: Option<u64>,
}

impl Input {
    /// Opens a file, or standard input for `-`. Compression is told by the first bytes, not by the name.
    pub(crate) fn open(path: &Path, progress: &Progress) -> Result<Self, SourceError> {
        let progress = progress.clone();
        if path.as_os_str() == "-" {
            let reader = decoded(Counted { reader: io::stdin(), progress });
            let name = "standard input".to_owned();
            return match reader {
                Ok(reader) => Ok(Self { name, reader, length: None }),
                Err(error) => Err(SourceError::Open { file: name, error }),
            };
        }
        let name = path.display().to_string();
        let opened = File::open(path).and_then(|file| {
            let metadata = file.metadata()?;
            if metadata.is_dir() {
                return Err(io::Error::other("it is a folder; name the files in it"));
            }
            if is_endless(path, &metadata) {
                return Err(io::Error::other("it is a device, not a file"));
            }
            Ok((decoded(Counted { reader: file, progress })?, metadata.is_file().then_some(metadata.len())))
        });
        match opened {
            Ok((reader, length)) => Ok(Self { name, reader, length }),
            Err(error) => Err(SourceError::Open { file: name, error }),
        }
    }
}

fn decoded(mut reader: impl Read + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    let mut start = Vec::with_capacity(4);
    reader.by_ref().take(4).read_to_end(&mut start)?;
    let gzip = start.starts_with(&[0x1F, 0x8B]);
    let zstandard = start.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]);
    let whole = BufReader::with_capacity(BLOCK_BYTES, io::Cursor::new(start).chain(reader));
    Ok(if gzip {
        Box::new(BufReader::with_capacity(BLOCK_BYTES, flate2::bufread::MultiGzDecoder::new(whole)))
    } else if zstandard {
        Box::new(BufReader::with_capacity(BLOCK_BYTES, zstd::Decoder::with_buffer(whole)?))
    } else {
        Box::new(whole)
    })
}

/// Counts what is read through it.
struct Counted<R> {
    reader: R,
    progress: Progress,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.progress.0.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
