//! Where secrets are.

use super::{
    diagnostic::Finding,
    table::{Table, wrong_type},
};
use crate::words::reason;
use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
};
use toml::de::DeValue;

/// Where a secret is; never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// In a variable of the environment.
    Env(String),
    /// In a file, from the project's root; blanks around it are left out.
    File(PathBuf),
}

impl Secret {
    /// The secret itself, without blanks around it. `root` is the project's folder.
    ///
    /// # Errors
    /// When it is not there; says so for a person.
    pub fn read(&self, root: &Path) -> Result<String, String> {
        let text = match self {
            Self::Env(name) => env::var(name)
                .map_err(|_| format!("the environment has no variable `{name}` for its secret"))?,
            Self::File(path) => fs::read_to_string(root.join(path)).map_err(|error| {
                format!("cannot read its secret from `{}`: {}", path.display(), reason(&error))
            })?,
        };
        Ok(text.trim().to_owned())
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(to, "the environment's variable `{name}`"),
            Self::File(path) => write!(to, "the file `{}`", path.display()),
        }
    }
}

pub(super) fn read(table: &Table<'_>, key: &str, findings: &mut Vec<Finding>) -> Option<Secret> {
    let (value, span) = table.value(key)?;
    let DeValue::Table(members) = value else {
        let help = "secrets are not written here: { env = \"NAME\" } or { file = \"PATH\" }";
        findings.push(wrong_type(key, "a table", value, span).help(help));
        return None;
    };
    let secret = Table::new(key, members);
    secret.only(&["env", "file"], findings);
    let env = secret.text("env", findings).map(|(name, _)| name.to_owned());
    let file = secret.text("file", findings).map(|(path, _)| PathBuf::from(path));
    match (env, file) {
        (Some(name), None) => Some(Secret::Env(name)),
        (None, Some(path)) => Some(Secret::File(path)),
        (Some(_), Some(_)) | (None, None) => {
            let finding = Finding::new("bad-secret", span, "a secret comes from one place");
            findings.push(finding.help("write { env = \"NAME\" } or { file = \"PATH\" }"));
            None
        }
    }
}
