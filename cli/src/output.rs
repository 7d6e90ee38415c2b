//! Words to standard error, results to standard output.

use segue_runtime::words::reason;
use std::io::{self, Write};

/// Why a command cannot go on.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The reader of standard output has gone: nobody is left to tell.
    ClosedPipe,
    /// The rules have errors, already told.
    Refused,
    /// Wrong usage or unreadable input, in words.
    Words(String),
}

impl Problem {
    /// A problem in words.
    pub(crate) fn words(words: impl Into<String>) -> Self {
        Self::Words(words.into())
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ClosedPipe
        } else {
            Self::Words(format!("cannot write the results to standard output: {}", reason(&error)))
        }
    }
}

/// Writes a line to standard error; one that cannot be written has nobody to read it.
pub(crate) fn tell(words: &str) {
    let _ = writeln!(io::stderr().lock(), "{words}");
}

/// Standard output, buffered: a replay prints many lines.
pub(crate) fn results() -> io::BufWriter<io::StdoutLock<'static>> {
    io::BufWriter::with_capacity(1 << 16, io::stdout().lock())
}
