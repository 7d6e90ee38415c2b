//! Lines that could not be used: told, counted and kept.

use crate::{
    output::{Problem, tell},
    project::guard,
};
use segue_runtime::{source::Reject, words::reason};
use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

/// How many rejects are told line by line; the summary counts all, and `--rejects` keeps all.
const TOLD: u64 = 20;

/// Lines that could not be used.
pub(crate) struct Rejects {
    /// How many there were.
    pub(crate) count: u64,
    quiet: bool,
    path: Option<PathBuf>,
    /// Opened at the first one, so that a run without rejects leaves no file.
    kept: Option<BufWriter<File>>,
}

impl Rejects {
    /// No rejects yet. A file that is one of `used` is refused: what is read is not written over.
    pub(crate) fn new(path: Option<&Path>, used: &[PathBuf], quiet: bool) -> Result<Self, Problem> {
        if let Some(path) = path {
            guard("--rejects", path, used)?;
        }
        Ok(Self { count: 0, quiet, path: path.map(Path::to_owned), kept: None })
    }

    /// Tells something about the input, if anything is told.
    pub(crate) fn note(&self, words: &str) {
        if !self.quiet {
            tell(&format!("note: {words}"));
        }
    }

    /// Takes one.
    pub(crate) fn take(&mut self, reject: &Reject<'_>) -> Result<(), Problem> {
        self.count += 1;
        if !self.quiet && self.count <= TOLD {
            tell(&format!("{}:{}: rejected: {}", reject.file, reject.number, reject.reason));
        } else if !self.quiet && self.count == TOLD + 1 {
            tell("further rejected lines are only counted; `--rejects FILE` keeps them all");
        }
        let (Some(path), Some(line)) = (&self.path, reject.line) else { return Ok(()) };
        let failed = |error| unwritable(path, &error);
        let kept = match &mut self.kept {
            Some(kept) => kept,
            None => self.kept.insert(BufWriter::new(File::create(path).map_err(failed)?)),
        };
        kept.write_all(line).and_then(|()| kept.write_all(b"\n")).map_err(failed)
    }

    /// Writes what is still held back.
    pub(crate) fn finish(&mut self) -> Result<(), Problem> {
        match (&mut self.kept, &self.path) {
            (Some(kept), Some(path)) => kept.flush().map_err(|error| unwritable(path, &error)),
            (_, _) => Ok(()),
        }
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Problem {
    Problem::words(format!("cannot write `{}`: {}", path.display(), reason(error)))
}
