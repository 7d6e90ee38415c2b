//! The rules of a project as the log keeps them: their whole text, with all that they refer to and the settings.

use crate::log::{Damage, Reader, segments};
use segue_compiler::{
    findings::{Finding, findings},
    project::{Project, Source, compile},
    typed::Program,
    value::Millis,
};
use segue_runtime::config::{Config, ConfigError};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};
use xxhash_rust::xxh3::xxh3_64;

/// How hard texts are compressed: rules change seldom.
const COMPRESSION: i32 = 9;
/// Longest text of a project that is believed (256 MiB).
const MAX_TEXT: usize = 256 << 20;

/// A checked project, ready to be put in force.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The folder that paths of channels are relative to.
    pub root: PathBuf,
    /// The program.
    pub program: Arc<Program>,
    /// The settings.
    pub config: Config,
    /// The texts.
    pub text: Text,
}

/// The text of a project: all that it is made of, but not where it lies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// Rule files by name.
    pub sources: BTreeMap<String, String>,
    /// Content files by path from the root.
    pub files: BTreeMap<String, String>,
    /// `segue.toml`.
    pub settings: String,
}

/// The text of a project is not such, or does not check with this version.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// The bytes are broken.
    #[error("the text of the rules in force is broken")]
    Broken,
    /// It was right once.
    #[error("this version of segue refuses the rules in force: {0}")]
    Refused(String),
}

/// Rules as an entry of the log puts them in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Put {
    /// Their text.
    #[serde(flatten)]
    pub text: Text,
    /// Where the log began then: what is new is filled from there. Entries of the first version do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_begins: Option<LogBegins>,
}

/// The first entry of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogBegins {
    /// Its position.
    pub position: u64,
    /// When it was received; nothing where there is none.
    pub received_at: Option<Millis>,
}

impl LogBegins {
    /// Where the log in a folder begins.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(log: &Path) -> Result<Self, Damage> {
        let position = segments(log)?.first().map_or(0, |segment| segment.first);
        let group = Reader::open(log, position)?.group()?;
        let received_at = group.and_then(|group| group.entries().next().map(|entry| entry.received_at));
        Ok(Self { position, received_at })
    }
}

impl Put {
    /// As an entry of the log says it.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        pack(self)
    }

    /// Reads what [`Put::write`] wrote.
    ///
    /// # Errors
    /// When it is not such.
    pub fn read(payload: &[u8]) -> Result<Self, TextError> {
        unpack(payload)
    }
}

impl Text {
    /// As a checkpoint keeps it.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        pack(self)
    }

    /// Reads what [`Text::write`] wrote.
    ///
    /// # Errors
    /// When it is not such.
    pub fn read(packed: &[u8]) -> Result<Self, TextError> {
        unpack(packed)
    }

    /// What tells it from any other.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        xxh3_64(&serde_json::to_vec(self).unwrap_or_default())
    }

    /// Checks it; gives what is probably not meant with it.
    ///
    /// # Errors
    /// When it cannot be used; gives all that there is to say, warnings too.
    pub fn check(self, root: PathBuf) -> Result<(Prepared, Vec<Finding>), Vec<Finding>> {
        let (config, errors) = Config::read("segue.toml", &self.settings);
        let mut found: Vec<Finding> = errors.iter().map(ConfigError::finding).collect();
        let sources = self.sources.iter();
        let project = Project {
            sources: sources.map(|(name, text)| Source { name: name.clone(), text: text.clone() }).collect(),
            files: self.files.clone(),
            time_zone: config.settings.time_zone.clone(),
        };
        let checked = compile(&project);
        found.extend(findings(&checked.diagnostics, &project));
        match checked.program.filter(|_| errors.is_empty()) {
            Some(program) => Ok((Prepared { root, program: Arc::new(program), config, text: self }, found)),
            None => Err(found),
        }
    }

    /// Checks it again, as rules that were in force.
    ///
    /// # Errors
    /// When this version refuses them.
    pub fn prepare(self, root: PathBuf) -> Result<Prepared, TextError> {
        let checked = self.check(root).map(|(prepared, _)| prepared);
        checked.map_err(|found| {
            let first = found.into_iter().find(Finding::is_error);
            TextError::Refused(first.map(|finding| finding.message).unwrap_or_default())
        })
    }
}

fn pack(said: &impl Serialize) -> Vec<u8> {
    let json = serde_json::to_vec(said).unwrap_or_default();
    // Memory is all that this could lack.
    zstd::encode_all(json.as_slice(), COMPRESSION).unwrap_or_default()
}

fn unpack<T: for<'de> Deserialize<'de>>(packed: &[u8]) -> Result<T, TextError> {
    let json = zstd::bulk::decompress(packed, MAX_TEXT).map_err(|_| TextError::Broken)?;
    serde_json::from_slice(&json).map_err(|_| TextError::Broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let text = Text {
            sources: BTreeMap::from([("a.segue".to_owned(), "rule".repeat(1_000))]),
            files: BTreeMap::from([("b.html".to_owned(), "<p>".to_owned())]),
            settings: String::new(),
        };
        let written = text.write();
        assert!(written.len() < 400);
        let read = Text::read(&written).unwrap();
        assert_eq!((&read, read.fingerprint()), (&text, text.fingerprint()));
        assert!(matches!(Text::read(&written[1..]), Err(TextError::Broken)));
        // Entries of the first version have the text alone.
        let put = Put { text, log_begins: None };
        assert_eq!(Put::read(&written).unwrap(), put);
        let begins = LogBegins { position: 7, received_at: Some(1) };
        let put = Put { log_begins: Some(begins), ..put };
        assert_eq!(Put::read(&put.write()).unwrap(), put);
    }
}
