//! Lines that could not be used: told, counted and kept.

use crate::output::{Problem, tell};
use segue_runtime::{source::Reject, words::reason};
use std::{
    fs::{self, File},
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
            may_be_written(path, used).map_err(|reason| {
                Problem::words(format!("`--rejects {}`: {reason}; name a new file", path.display()))
            })?;
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

fn may_be_written(path: &Path, used: &[PathBuf]) -> Result<(), String> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name == "segue.toml" || path.extension().is_some_and(|it| it.eq_ignore_ascii_case("segue")) {
        return Err("rules and settings are not written over".to_owned());
    }
    if path.is_dir() {
        return Err("it is a folder".to_owned());
    }
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(format!("there is no folder `{}`", folder.display()));
    }
    let Some(identity) = identity(path) else { return Ok(()) };
    let standard_input = PathBuf::from("/dev/stdin");
    let read = |used: &&PathBuf| self::identity(if used.as_os_str() == "-" { &standard_input } else { used });
    match used.iter().find(|used| read(used).as_ref() == Some(&identity)) {
        Some(used) => Err(format!("it is the same file as `{}`, which is read", used.display())),
        None => Ok(()),
    }
}

/// What makes a file itself, whatever it is called; `None` when there is none.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    Some((metadata.dev(), metadata.ino()))
}

/// What makes a file itself, whatever it is called; `None` when there is none.
#[cfg(not(unix))]
fn identity(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok()
}
