//! What must not be written over: rules and settings, wherever they lie, and whatever else is in use.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Why a file of this name must not be written.
pub const NOT_WRITTEN_OVER: &str = "rules and settings are not written over";

/// Whether a file has the name of rules or settings, whether it is there or not.
#[must_use]
pub fn is_named_as_rules(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.eq_ignore_ascii_case("segue.toml")
        || path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("segue"))
}

/// Whether a file may be written, where these are in use: it is none of them under whatever name, no rules, no settings, and
/// no folder. `-` among them is standard input.
///
/// # Errors
/// When it may not; says why.
pub fn may_be_written(path: &Path, used: &[PathBuf]) -> Result<(), String> {
    if is_named_as_rules(path) {
        return Err(NOT_WRITTEN_OVER.to_owned());
    }
    if path.is_dir() {
        return Err("it is a folder".to_owned());
    }
    let Some(identity) = identity(path) else { return Ok(()) };
    let standard_input = PathBuf::from("/dev/stdin");
    let of = |used: &&PathBuf| self::identity(if used.as_os_str() == "-" { &standard_input } else { used });
    match used.iter().find(|used| of(used).as_ref() == Some(&identity)) {
        Some(used) => Err(format!("it is the same file as `{}`, which is in use", used.display())),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_settings_and_what_is_in_use_stay() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["events", "other"] {
            fs::write(at(name), "").unwrap();
        }
        fs::hard_link(at("events"), at("link")).unwrap();
        let refused = |path: &Path| may_be_written(path, &[PathBuf::from("-"), at("events")]).unwrap_err();
        for name in ["new.segue", "NEW.SEGUE", "segue.toml", "Segue.toml"] {
            assert_eq!(refused(&at(name)), NOT_WRITTEN_OVER, "{name}");
        }
        assert_eq!(refused(folder.path()), "it is a folder");
        for name in ["events", "link"] {
            assert!(refused(&at(name)).ends_with("events`, which is in use"), "{name}");
        }
        for name in ["other", "new"] {
            assert_eq!(may_be_written(&at(name), &[at("events")]), Ok(()), "{name}");
        }
    }
}
