//! The rules of a project as the log keeps them: their whole text, with all that they refer to and the settings.

use segue_compiler::{
    project::{Project, Source, compile},
    typed::Program,
};
use segue_runtime::config::{Config, ConfigError};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};
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

impl Text {
    /// As an entry of the log says it.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let json = serde_json::to_vec(self).unwrap_or_default();
        // Memory is all that this could lack.
        zstd::encode_all(json.as_slice(), COMPRESSION).unwrap_or_default()
    }

    /// Reads what [`Text::write`] wrote.
    ///
    /// # Errors
    /// When it is not such.
    pub fn read(payload: &[u8]) -> Result<Self, TextError> {
        let json = zstd::bulk::decompress(payload, MAX_TEXT).map_err(|_| TextError::Broken)?;
        serde_json::from_slice(&json).map_err(|_| TextError::Broken)
    }

    /// What tells it from any other.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        xxh3_64(&serde_json::to_vec(self).unwrap_or_default())
    }

    /// Checks it again, as rules that were in force.
    ///
    /// # Errors
    /// When this version refuses them.
    pub fn prepare(self, root: PathBuf) -> Result<Prepared, TextError> {
        let config = Config::parse("segue.toml", &self.settings);
        let config = config.map_err(|errors| refused(errors.first().map(ConfigError::to_string)))?;
        let sources = self.sources.iter();
        let project = Project {
            sources: sources.map(|(name, text)| Source { name: name.clone(), text: text.clone() }).collect(),
            files: self.files.clone(),
            time_zone: config.settings.time_zone.clone(),
        };
        let checked = compile(&project);
        let first = checked.diagnostics.first().map(|diagnostic| diagnostic.message.clone());
        let program = checked.program.ok_or_else(|| refused(first))?;
        Ok(Prepared { root, program: Arc::new(program), config, text: self })
    }
}

fn refused(why: Option<String>) -> TextError {
    TextError::Refused(why.unwrap_or_default())
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
    }
}
