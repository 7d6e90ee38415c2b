//! A project from disk, checked.

use crate::{
    bundle::{self, Bundle},
    findings::{Findings, Format},
    output::{Problem, tell},
};
use segue_compiler::{
    diagnostics::{Diagnostic, UNKNOWN_FILE},
    project::{Checked, Project, Source, compile},
    typed::Program,
};
use segue_runtime::{
    config::{ChannelConfig, Config, ConfigError},
    guard::may_be_written,
    load::{self, LoadError, Loaded, load},
};
use segue_service::rules::Text;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A project and what checking it gave.
pub(crate) struct Opened {
    /// The folder that paths are relative to.
    pub(crate) root: PathBuf,
    /// Its files.
    pub(crate) project: Project,
    /// Its settings.
    pub(crate) config: Config,
    /// The text of its `segue.toml`.
    settings: String,
    /// What is wrong with its `segue.toml`.
    pub(crate) config_errors: Vec<ConfigError>,
    /// What the checker says.
    pub(crate) checked: Checked,
}

impl Opened {
    /// Shows all that there is to say.
    pub(crate) fn show(&self, findings: &mut Findings) {
        findings.config(&self.config_errors);
        findings.rules(&self.checked.diagnostics, &self.project);
    }

    /// Its whole text, as the log of a live service keeps it.
    pub(crate) fn text(&self) -> Text {
        let sources = self.project.sources.iter().map(|source| (source.name.as_str(), source.text.as_str()));
        text_of(&self.root, sources, (&self.project.files, &self.settings))
    }

    /// Says so where there are no settings, as that decides who gets messages.
    pub(crate) fn tell_assumed(&self) {
        if self.config.assumed {
            tell("no `segue.toml`: consent is assumed where nothing is recorded, as only replays do");
        }
    }

    /// Its rule files and its settings.
    fn rules(&self) -> impl Iterator<Item = PathBuf> {
        let sources = self.project.sources.iter().map(|source| PathBuf::from(&source.name));
        sources.chain(std::iter::once(self.root.join("segue.toml")))
    }

    /// The files that belong to it, none of which may be written over.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let content = self.project.files.keys().map(|path| self.root.join(path));
        let written = self.config.channels.values().filter_map(|channel| match channel {
            ChannelConfig::File { path } => Some(self.root.join(path)),
            ChannelConfig::Console | ChannelConfig::Webhook(_) => None,
        });
        self.rules().chain(content).chain(written).collect()
    }

    /// Refuses channels that would write to the rules, the settings or what is read besides, also by a link.
    pub(crate) fn guard_channels(&self, read: &[PathBuf]) -> Result<(), Problem> {
        let used: Vec<PathBuf> = self.rules().chain(read.iter().cloned()).collect();
        for (name, channel) in &self.config.channels {
            let ChannelConfig::File { path } = channel else { continue };
            may_be_written(&self.root.join(path), &used).map_err(|reason| {
                let path = path.display();
                Problem::words(format!(
                    "channel `{name}` cannot write to `{path}`: {reason}; name another file under [channels.{name}] in segue.toml"
                ))
            })?;
        }
        Ok(())
    }
}

/// Refuses to write to a file that an option names if it is in use, or if there is no place for it.
pub(crate) fn guard(option: &str, path: &Path, used: &[PathBuf]) -> Result<(), Problem> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let has_place = match folder.is_dir() {
        true => Ok(()),
        false => Err(format!("there is no folder `{}`", folder.display())),
    };
    may_be_written(path, used)
        .and(has_place)
        .map_err(|reason| Problem::words(format!("`{option} {}`: {reason}; name a new file", path.display())))
}

/// The projects at a path.
pub(crate) fn projects(path: &Path) -> Result<Vec<PathBuf>, Problem> {
    match bundle::own() {
        Some(_) => Ok(vec![path.to_owned()]),
        None => load::projects(path).map_err(|error| unusable(&error)),
    }
}

/// The whole text of the project at a path as it is now, unchecked.
pub(crate) fn read_text(path: &Path) -> Result<Text, Problem> {
    if let Some(bundle) = bundle::own() {
        return Ok(open_inside(bundle, path)?.text());
    }
    let Loaded { root, sources, files, settings, .. } = load(path).map_err(|error| unusable(&error))?;
    let sources = sources.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    Ok(text_of(&root, sources, (&files, &settings)))
}

/// A text of files, with names from the root, so that it is the same wherever the project lies.
fn text_of<'s>(
    root: &Path,
    sources: impl Iterator<Item = (&'s str, &'s str)>,
    (files, settings): (&BTreeMap<String, String>, &str),
) -> Text {
    // Names of files in messages begin with no `/`.
    let shown = root.strip_prefix("/").unwrap_or(root);
    let name = |name: &str| {
        let within = Path::new(name).strip_prefix(root).or_else(|_| Path::new(name).strip_prefix(shown));
        within.map_or_else(|_| name.to_owned(), |name| name.to_string_lossy().replace('\\', "/"))
    };
    Text {
        sources: sources.map(|(source, text)| (name(source), text.to_owned())).collect(),
        files: files.clone(),
        settings: settings.to_owned(),
    }
}

/// Loads and checks the project at a path.
pub(crate) fn open(path: &Path) -> Result<Opened, Problem> {
    if let Some(bundle) = bundle::own() {
        return open_inside(bundle, path);
    }
    let loaded = load(path).map_err(|error| unusable(&error))?;
    for note in &loaded.notes {
        tell(&format!("note: {note}"));
    }
    let Loaded { root, sources, files, config, settings, config_errors, .. } = loaded;
    let sources = sources.into_iter().map(|(name, text)| Source { name, text }).collect();
    let project = Project { sources, files, time_zone: config.settings.time_zone.clone() };
    let mut checked = compile(&project);
    for diagnostic in &mut checked.diagnostics {
        explain_file(diagnostic, &root);
    }
    Ok(Opened { root, project, config, settings, config_errors, checked })
}

/// Checks the rules within this program. Files that their settings name are found from the folder in which it runs.
fn open_inside(bundle: &Bundle, path: &Path) -> Result<Opened, Problem> {
    if path != Path::new(bundle::INSIDE) {
        let named = path.display();
        return Err(Problem::words(format!("this program has its rules inside: leave `{named}` out")));
    }
    let (config, config_errors) = Config::read("segue.toml", &bundle.config);
    let source = |(name, text): &(String, String)| Source { name: name.clone(), text: text.clone() };
    let project = Project {
        sources: bundle.sources.iter().map(source).collect(),
        files: bundle.files.clone(),
        time_zone: config.settings.time_zone.clone(),
    };
    let checked = compile(&project);
    Ok(Opened {
        root: PathBuf::from("."),
        project,
        config,
        settings: bundle.config.clone(),
        config_errors,
        checked,
    })
}

/// Says of a content file that is there why it cannot be used.
fn explain_file(diagnostic: &mut Diagnostic, root: &Path) {
    if diagnostic.code != UNKNOWN_FILE {
        return;
    }
    let Some(name) = diagnostic.message.split('`').nth(1) else { return };
    if let Some((reason, help)) = load::why_unusable(root, name) {
        diagnostic.message = format!("the file `{name}` cannot be used: {reason}");
        diagnostic.help = Some(help);
    }
}

/// Loads a project that must be free of errors.
pub(crate) fn open_clean(path: &Path) -> Result<(Opened, Arc<Program>), Problem> {
    let mut opened = open(path)?;
    match opened.checked.program.take().filter(|_| opened.config_errors.is_empty()) {
        Some(program) => Ok((opened, Arc::new(program))),
        None => {
            let mut findings = Findings::new(Format::Human);
            opened.show(&mut findings);
            findings.tell_hidden();
            tell(&findings.count());
            Err(Problem::Refused)
        }
    }
}

/// A project that cannot be loaded.
pub(crate) fn unusable(error: &LoadError) -> Problem {
    Problem::words(error.to_string())
}
