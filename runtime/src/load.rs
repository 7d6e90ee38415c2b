//! A project's files from disk.

use crate::{
    config::{Config, ConfigError},
    limits::{
        MAX_CONTENT_FILE_BYTES, MAX_FOLDER_DEPTH, MAX_PROJECT_FILES, MAX_RULES_READ, MAX_TEXT_FILE_BYTES,
    },
    words::reason,
};
use segue_compiler::project::{used_from, used_paths};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    path::{Component, Path, PathBuf},
};

/// A project's files.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The folder that paths are relative to.
    pub root: PathBuf,
    /// Names, as they are shown in messages, and texts of the rule files, in order of name.
    pub sources: Vec<(String, String)>,
    /// Texts of the content files by their path from the root, parted by `/`. What cannot be used is left out;
    /// [`why_unusable`] says why.
    pub files: BTreeMap<String, String>,
    /// The settings, as far as they can be read.
    pub config: Config,
    /// The text of `segue.toml`; empty where there is none.
    pub settings: String,
    /// What is wrong with `segue.toml`.
    pub config_errors: Vec<ConfigError>,
    /// What may be meant otherwise, for people.
    pub notes: Vec<String>,
}

/// A project that cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file or folder cannot be read.
    #[error("cannot read `{path}`: {}", reason(.error))]
    Unreadable {
        /// The file or folder.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// A device or the like.
    #[error("`{path}` is neither a file nor a folder; name a rule file or the folder of a project")]
    NotAFile {
        /// What it is called.
        path: String,
    },
    /// A file is no text.
    #[error("`{path}` is not UTF-8 text: line {line} holds other bytes; save the file as UTF-8")]
    NotText {
        /// The file.
        path: String,
        /// The first line that is no text, from 1.
        line: usize,
    },
    /// A `segue.toml` that is no file, or leads nowhere: to take it for absent would change what rules do.
    #[error("`{path}` {reason}; the settings of a project are a file there, or nothing")]
    NoConfigFile {
        /// What bears the name.
        path: String,
        /// What it is.
        reason: &'static str,
    },
    /// `segue.toml` is longer than any.
    #[error("`{path}` is too long: it has at most {} MiB", MAX_TEXT_FILE_BYTES >> 20)]
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
}

const CONFIG: &str = "segue.toml";
const CONTENT: [&str; 5] = ["html", "htm", "txt", "md", "mjml"];

/// Loads a project: a folder with its `.segue` files, or one such file. A folder within that has a `segue.toml` of its
/// own is another project and left out.
///
/// # Errors
/// When something cannot be read, or there are no rules.
pub fn load(path: &Path) -> Result<Loaded, LoadError> {
    let is_folder = is_folder(path)?;
    let root = if is_folder {
        path.to_owned()
    } else {
        path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
    };
    let (config, config_errors, settings) = config(&root)?;
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
    let sources = with_used(&root, rules)?;
    let mut files = BTreeMap::new();
    for path in found.content {
        let Ok(relative) = path.strip_prefix(&root) else { continue };
        let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        if let Ok(text) = read_content(&root, &path) {
            files.insert(parts.join("/"), text);
        }
    }
    let notes = if is_folder { found.notes } else { Vec::new() };
    Ok(Loaded { root, sources, files, config, settings, config_errors, notes })
}

/// The rule files and those that they use, in order of name. A path that leads out of the project, or nowhere, is left to
/// the checker, which says so.
fn with_used(root: &Path, rules: Vec<PathBuf>) -> Result<Vec<(String, String)>, LoadError> {
    let whole = fs::canonicalize(root).map_err(|error| unreadable(root, error))?;
    let is_within = |path: &Path| fs::canonicalize(path).is_ok_and(|path| path.starts_with(&whole));
    let mut open = rules;
    let mut sources: BTreeMap<String, String> = BTreeMap::new();
    while let Some(path) = open.pop() {
        // The same file may be reached by several ways.
        let name = used_from("", &shown(&path));
        if sources.contains_key(&name) {
            continue;
        }
        if sources.len() >= MAX_PROJECT_FILES {
            return Err(LoadError::TooManyFiles { path: root.display().to_string() });
        }
        let text = read_rules(&path)?;
        for used in used_paths(&text) {
            let used = PathBuf::from(used_from(&name, &used));
            let used = if used.as_os_str().is_empty() { PathBuf::from(".") } else { used };
            if !is_within(&used) {
                continue;
            }
            if used.is_dir() {
                open.extend(find(&used)?.rules);
            } else if used.extension().is_some_and(|extension| extension == "segue") {
                open.push(used);
            }
        }
        sources.insert(name, text);
    }
    Ok(sources.into_iter().collect())
}

/// The projects at a path: itself, and the folders within that have a `segue.toml` of their own.
///
/// # Errors
/// When something cannot be read, or nothing is a project.
pub fn projects(path: &Path) -> Result<Vec<PathBuf>, LoadError> {
    if !is_folder(path)? {
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

/// Why a content file that is there cannot be used, and the way out; `None` when there is no such file.
#[must_use]
pub fn why_unusable(root: &Path, name: &str) -> Option<(String, String)> {
    let path = root.join(name);
    fs::symlink_metadata(&path).ok()?;
    let said = |reason: &str, help: &str| Some((reason.to_owned(), help.to_owned()));
    if Path::new(name).components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
        return said(
            "it lies outside the project",
            "copy it into the project's folder and name it from there",
        );
    }
    if path.is_dir() {
        return said("it is a folder", "name a file in it");
    }
    if !is_content(&path) {
        let help = format!(
            "give it a name that ends with one of {}",
            CONTENT.map(|it| format!("`.{it}`")).join(", ")
        );
        return Some(("its name does not say that it is a text to send".to_owned(), help));
    }
    match read_content(root, &path) {
        Err(reason) => Some((reason.words, reason.help.to_owned())),
        Ok(_) if name.starts_with("./") => said("its name starts with `./`", "leave `./` out"),
        Ok(_) => said(
            "it lies in a folder that is left out",
            "folders that start with a dot, `target`, `node_modules` and other projects are not looked into",
        ),
    }
}

/// Why a content file is left out.
struct Unusable {
    words: String,
    help: &'static str,
}

fn read_content(root: &Path, path: &Path) -> Result<String, Unusable> {
    let unreadable =
        |error: &io::Error| Unusable { words: reason(error), help: "see whether you may read it" };
    let whole = |path: &Path| fs::canonicalize(path).map_err(|error| unreadable(&error));
    if !whole(path)?.starts_with(whole(root)?) {
        let words = "it is a link to a file outside the project".to_owned();
        return Err(Unusable { words, help: "copy the file into the project's folder" });
    }
    if !path.is_file() {
        return Err(Unusable { words: "it is no file with text".to_owned(), help: "name a file" });
    }
    let bytes = read(path, MAX_CONTENT_FILE_BYTES + 1).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > MAX_CONTENT_FILE_BYTES {
        let words = format!("it is longer than {} MiB", MAX_CONTENT_FILE_BYTES >> 20);
        return Err(Unusable {
            words,
            help: "no message is that long; shorten it, and leave pictures to links",
        });
    }
    String::from_utf8(bytes).map_err(|error| Unusable {
        words: format!("it is not UTF-8 text: line {} holds other bytes", line_of(&error)),
        help: "save it as UTF-8",
    })
}

fn config(root: &Path) -> Result<(Config, Vec<ConfigError>, String), LoadError> {
    let path = root.join(CONFIG);
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok((Config::assumed(), Vec::new(), String::new()));
        }
        Err(error) => return Err(unreadable(&path, error)),
        Ok(_) => {}
    }
    let unusable = |reason| Err(LoadError::NoConfigFile { path: shown(&path), reason });
    match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return unusable("is a link that leads nowhere");
        }
        Err(error) => return Err(unreadable(&path, error)),
        Ok(metadata) if metadata.is_dir() => return unusable("is a folder"),
        Ok(metadata) if !metadata.is_file() => return unusable("is no file"),
        Ok(_) => {}
    }
    let bytes = read(&path, MAX_TEXT_FILE_BYTES + 1).map_err(|error| unreadable(&path, error))?;
    if bytes.len() as u64 > MAX_TEXT_FILE_BYTES {
        return Err(LoadError::TooLong { path: shown(&path) });
    }
    let settings = text(&path, bytes)?;
    let (config, errors) = Config::read(&shown(&path), &settings);
    Ok((config, errors, settings))
}

/// The text of a rule file; of one that is too long so much that it is seen to be.
fn read_rules(path: &Path) -> Result<String, LoadError> {
    let bytes = read(path, MAX_RULES_READ).map_err(|error| unreadable(path, error))?;
    let text = if bytes.len() as u64 == MAX_RULES_READ {
        String::from_utf8_lossy(&bytes).into_owned()
    } else {
        text(path, bytes)?
    };
    // A lone carriage return ends a line, as in files of old; places stay where they are.
    let lone = |(at, _): &(usize, &str)| text.as_bytes().get(at + 1) != Some(&b'\n');
    if text.match_indices('\r').any(|found| lone(&found)) {
        let ends = text.replace("\r\n", "\n");
        return Ok(ends.replace('\r', "\n"));
    }
    Ok(text)
}

fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn text(path: &Path, bytes: Vec<u8>) -> Result<String, LoadError> {
    let text = String::from_utf8(bytes)
        .map_err(|error| LoadError::NotText { path: shown(path), line: line_of(&error) })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// The line of the first byte that is no text.
fn line_of(error: &std::string::FromUtf8Error) -> usize {
    let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
    valid.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Whether a path is a folder; else it is a file.
fn is_folder(path: &Path) -> Result<bool, LoadError> {
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, error))?;
    if metadata.is_dir() || metadata.is_file() {
        Ok(metadata.is_dir())
    } else {
        Err(LoadError::NotAFile { path: path.display().to_string() })
    }
}

/// What lies in a folder, each sorted by path.
#[derive(Default)]
struct Found {
    rules: Vec<PathBuf>,
    content: Vec<PathBuf>,
    projects: Vec<PathBuf>,
    notes: Vec<String>,
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
                // One that cannot be used is told of when the project is loaded.
                if fs::symlink_metadata(path.join(CONFIG)).is_ok() {
                    found.projects.push(path);
                } else if depth < MAX_FOLDER_DEPTH && name != "target" && name != "node_modules" {
                    folders.push((path, depth + 1));
                }
            } else if path.is_file() {
                found.file(path);
            }
        }
    }
    found.rules.sort_unstable();
    found.content.sort_unstable();
    found.projects.sort_unstable();
    found.notes.sort_unstable();
    Ok(found)
}

impl Found {
    fn file(&mut self, path: PathBuf) {
        let extension = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
        if extension == "segue" {
            self.rules.push(path);
        } else if extension.eq_ignore_ascii_case("segue") {
            let name = shown(&path);
            self.notes.push(format!("`{name}` is not read: rule files end with `.segue` in small letters"));
        } else if is_content(&path) {
            self.content.push(path);
        }
    }
}

fn is_content(path: &Path) -> bool {
    path.extension().and_then(|it| it.to_str()).is_some_and(|extension| CONTENT.contains(&extension))
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

    #[test]
    fn settings_that_are_no_file_are_refused() {
        let folder = project();
        let path = folder.path().join("other/segue.toml");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let words = |path: &Path| load(path).unwrap_err().to_string();
        assert!(words(&folder.path().join("other")).contains("is a folder"));
        assert_eq!(
            projects(folder.path()).unwrap().len(),
            2,
            "it is not taken for a part of the project above"
        );
        #[cfg(unix)]
        {
            fs::remove_dir(&path).unwrap();
            std::os::unix::fs::symlink("nowhere", &path).unwrap();
            assert!(words(&folder.path().join("other/rules.segue")).contains("leads nowhere"));
        }
    }

    #[test]
    fn files_that_are_no_text_are_told_by_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.segue");
        fs::write(&path, b"# one\n# two \xFF\n").unwrap();
        let words = load(&path).unwrap_err().to_string();
        assert!(words.contains("a.segue` is not UTF-8 text: line 2 holds other bytes"), "{words}");
        fs::write(&path, "\u{feff}# one\r# two\r\n").unwrap();
        assert_eq!(load(&path).unwrap().sources[0].1, "# one\n# two\n");
        fs::write(&path, "# øø\n".repeat(300_000)).unwrap();
        assert!(load(&path).unwrap().sources[0].1.len() > 1 << 20, "the parser sees that it is too long");
        #[cfg(unix)]
        assert!(matches!(load(Path::new("/dev/zero")), Err(LoadError::NotAFile { .. })));
    }

    #[test]
    fn content_says_why_it_cannot_be_used() {
        let folder = project();
        let root = folder.path();
        fs::write(root.join("long.html"), "x".repeat((1 << 20) + 1)).unwrap();
        fs::write(root.join("latin.txt"), b"a\nb\xE5").unwrap();
        fs::write(root.join("mail.xml"), "<a>").unwrap();
        fs::write(root.join("RULES.SEGUE"), "").unwrap();
        let outside = tempfile::NamedTempFile::new().unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(outside.path(), root.join("secret.txt")).unwrap();
        let loaded = load(root).unwrap();
        assert_eq!(loaded.files.keys().collect::<Vec<_>>(), ["a/mail.html"]);
        assert!(loaded.notes[0].contains("RULES.SEGUE` is not read"), "{:?}", loaded.notes);
        for (name, words) in [
            ("long.html", "longer than 1 MiB"),
            ("latin.txt", "line 2 holds other bytes"),
            ("mail.xml", "does not say"),
            ("a", "it is a folder"),
            ("../", "outside"),
            ("target/x.txt", ""),
            #[cfg(unix)]
            ("secret.txt", "a link to a file outside the project"),
        ] {
            let why = why_unusable(root, name).map(|(words, _)| words).unwrap_or_default();
            assert!(why.contains(words), "{name}: {why}");
        }
        assert_eq!(why_unusable(root, "nowhere.txt"), None);
    }
}
