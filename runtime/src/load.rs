//! A project's files from disk.

use crate::{
    config::{Config, ConfigError},
    limits::{MAX_CONTENT_FILE_BYTES, MAX_FOLDER_DEPTH, MAX_PROJECT_FILES, MAX_TEXT_FILE_BYTES},
};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// A project's files.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The folder that paths are relative to.
    pub root: PathBuf,
    /// Names, as they are shown in messages, and texts of the rule files, in order of name.
    pub sources: Vec<(String, String)>,
    /// Texts of the content files by their path from the root, parted by `/`.
    pub files: BTreeMap<String, String>,
    /// Content files that were left out, and why.
    pub left_out: Vec<(String, &'static str)>,
    /// The settings.
    pub config: Config,
}

/// A project that cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file or folder cannot be read.
    #[error("cannot read `{path}`: {error}")]
    Unreadable {
        /// The file or folder.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// A file is longer than any rule file.
    #[error("`{path}` is longer than {} MiB", MAX_TEXT_FILE_BYTES >> 20)]
    TooLong {
        /// The file.
        path: String,
    },
    /// There are no rules.
    #[error("`{path}` holds no `.segue` file")]
    NoRules {
        /// The folder.
        path: String,
    },
    /// There are more files than a project has.
    #[error("`{path}` holds more than {MAX_PROJECT_FILES} files; name the folder of the rules")]
    TooManyFiles {
        /// The folder.
        path: String,
    },
    /// `segue.toml` has errors.
    #[error("`segue.toml` has errors")]
    Config(Vec<ConfigError>),
}

const CONTENT: [&str; 5] = ["html", "htm", "txt", "md", "mjml"];

/// Loads a project: a folder with its `.segue` files, or one such file. A folder within that has a `segue.toml` of its
/// own is another project and left out.
///
/// # Errors
/// When something cannot be read, there are no rules, or `segue.toml` has errors.
pub fn load(path: &Path) -> Result<Loaded, LoadError> {
    let is_folder = fs::metadata(path).map_err(|error| unreadable(path, error))?.is_dir();
    let root = if is_folder {
        path.to_owned()
    } else {
        path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
    };
    let config = config(&root)?;
    let found = match find(&root) {
        Ok(found) => found,
        // A single file may lie in any folder; without its content files it can still be checked.
        Err(LoadError::TooManyFiles { .. }) if !is_folder => Found::default(),
        Err(error) => return Err(error),
    };
    let rules = if is_folder { found.rules } else { vec![path.to_owned()] };
    if rules.is_empty() {
        return Err(LoadError::NoRules { path: path.display().to_string() });
    }
    let mut sources = Vec::with_capacity(rules.len());
    for path in rules {
        sources.push((shown(&path), read_text(&path)?));
    }
    let mut loaded = Loaded { files: BTreeMap::new(), left_out: Vec::new(), root, sources, config };
    for path in found.content {
        loaded.add_content(&path);
    }
    Ok(loaded)
}

/// The projects at a path: itself, and the folders within that have a `segue.toml` of their own.
///
/// # Errors
/// When something cannot be read, or nothing is a project.
pub fn projects(path: &Path) -> Result<Vec<PathBuf>, LoadError> {
    if !fs::metadata(path).map_err(|error| unreadable(path, error))?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut projects = Vec::new();
    let found = find(path)?;
    if !found.rules.is_empty() {
        projects.push(path.to_owned());
    }
    for folder in found.projects {
        match self::projects(&folder) {
            Ok(within) => projects.extend(within),
            Err(LoadError::NoRules { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    if projects.is_empty() {
        Err(LoadError::NoRules { path: path.display().to_string() })
    } else {
        Ok(projects)
    }
}

impl Loaded {
    fn add_content(&mut self, path: &Path) {
        let Ok(relative) = path.strip_prefix(&self.root) else { return };
        let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        let name = parts.join("/");
        let reason = match fs::metadata(path) {
            Ok(metadata) if metadata.len() > MAX_CONTENT_FILE_BYTES => "longer than 1 MiB",
            Ok(_) => match fs::read_to_string(path) {
                Ok(text) => {
                    self.files.insert(name, text);
                    return;
                }
                Err(_) => "not readable as UTF-8 text",
            },
            Err(_) => "not readable",
        };
        self.left_out.push((name, reason));
    }
}

fn config(root: &Path) -> Result<Config, LoadError> {
    let path = root.join("segue.toml");
    if !path.is_file() {
        return Ok(Config::assumed());
    }
    Config::parse(&shown(&path), &read_text(&path)?).map_err(LoadError::Config)
}

fn read_text(path: &Path) -> Result<String, LoadError> {
    let length = fs::metadata(path).map_err(|error| unreadable(path, error))?.len();
    if length > MAX_TEXT_FILE_BYTES {
        return Err(LoadError::TooLong { path: path.display().to_string() });
    }
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, error))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// What lies in a folder, each sorted by path.
#[derive(Default)]
struct Found {
    rules: Vec<PathBuf>,
    content: Vec<PathBuf>,
    projects: Vec<PathBuf>,
}

fn find(root: &Path) -> Result<Found, LoadError> {
    let mut found = Found::default();
    let mut folders = vec![(root.to_owned(), 0)];
    let mut count = 0_usize;
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| unreadable(&folder, error))? {
            let entry = entry.map_err(|error| unreadable(&folder, error))?;
            count += 1;
            if count > MAX_PROJECT_FILES {
                return Err(LoadError::TooManyFiles { path: root.display().to_string() });
            }
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if name.starts_with('.') {
                continue;
            }
            // Links to files are followed, links to folders are not: they may lead in circles.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if path.join("segue.toml").is_file() {
                    found.projects.push(path);
                } else if depth < MAX_FOLDER_DEPTH && name != "target" && name != "node_modules" {
                    folders.push((path, depth + 1));
                }
            } else if path.is_file() {
                let extension = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
                if extension == "segue" {
                    found.rules.push(path);
                } else if CONTENT.contains(&extension) {
                    found.content.push(path);
                }
            }
        }
    }
    found.rules.sort_unstable();
    found.content.sort_unstable();
    found.projects.sort_unstable();
    Ok(found)
}

/// A path for messages, without a leading `./`.
fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

fn unreadable(path: &Path, error: io::Error) -> LoadError {
    LoadError::Unreadable { path: path.display().to_string(), error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("b.segue", "# b"),
            ("a/z.segue", "# z"),
            ("a/mail.html", "<p>"),
            ("target/x.segue", "# x"),
            (".git/y.segue", "# y"),
            ("segue.toml", "[project]\ntime_zone = \"UTC\""),
            ("other/segue.toml", ""),
            ("other/rules.segue", "# other"),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn loads_a_folder() {
        let folder = project();
        let loaded = load(folder.path()).unwrap();
        let texts: Vec<_> = loaded.sources.iter().map(|(_, text)| &**text).collect();
        assert_eq!(texts, ["# z", "# b"]);
        assert_eq!(loaded.files.get("a/mail.html").map(String::as_str), Some("<p>"));
        assert!(!loaded.config.assumed);
        assert_eq!(projects(folder.path()).unwrap(), [folder.path().to_owned(), folder.path().join("other")]);
    }

    #[test]
    fn loads_one_file() {
        let folder = project();
        let loaded = load(&folder.path().join("b.segue")).unwrap();
        assert_eq!((loaded.sources.len(), loaded.root), (1, folder.path().to_owned()));
        assert!(matches!(load(&folder.path().join("c.segue")), Err(LoadError::Unreadable { .. })));
        assert!(load(&folder.path().join(".git/..")).is_ok());
        let empty = tempfile::tempdir().unwrap();
        assert!(matches!(load(empty.path()), Err(LoadError::NoRules { .. })));
    }
}
