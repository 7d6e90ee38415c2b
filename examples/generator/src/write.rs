//! Writes the stream: plain or compressed, by the ending of the file's name.

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// An output file of lines.
#[derive(Debug)]
pub(crate) enum Output {
    /// Lines as they are.
    Plain(BufWriter<File>),
    /// Lines compressed by gzip.
    Gzip(GzEncoder<BufWriter<File>>),
}

impl Output {
    /// Creates the file; one that ends in `.gz` is compressed. Fails where it cannot be created.
    pub(crate) fn create(path: &Path) -> io::Result<Output> {
        let file = BufWriter::new(File::create(path)?);
        if path.extension().is_some_and(|ending| ending == "gz") {
            // Without a time in the header, the same events are the same bytes.
            Ok(Output::Gzip(GzBuilder::new().mtime(0).write(file, Compression::best())))
        } else {
            Ok(Output::Plain(file))
        }
    }

    /// Writes one line. Fails where the file cannot be written.
    pub(crate) fn line(&mut self, line: &str) -> io::Result<()> {
        let out: &mut dyn Write = match self {
            Output::Plain(file) => file,
            Output::Gzip(file) => file,
        };
        out.write_all(line.as_bytes())?;
        out.write_all(b"\n")
    }

    /// Ends the file. Fails where its last part cannot be written.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Output::Plain(mut file) => file.flush(),
            Output::Gzip(file) => file.finish()?.flush(),
        }
    }
}
