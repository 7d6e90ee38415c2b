//! A project from disk, checked.

use crate::{
    findings::{self, Format, handler, place},
    output::{Problem, tell},
};
use segue_compiler::{
    project::{Checked, Project, Source, compile},
    typed::Program,
};
use segue_runtime::{
    config::{Config, ConfigError},
    load::{LoadError, Loaded, load},
};
use std::{
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
    /// What the checker says.
    pub(crate) checked: Checked,
}

/// Loads and checks the project at a path.
pub(crate) fn open(path: &Path, format: Format) -> Result<Opened, Problem> {
    let Loaded { root, sources, files, left_out, config } =
        load(path).map_err(|error| unusable(&error, format))?;
    for (file, reason) in left_out {
        tell(&format!("note: content file `{file}` is left out: {reason}"));
    }
    let sources = sources.into_iter().map(|(name, text)| Source { name, text }).collect();
    let project = Project { sources, files, time_zone: config.settings.time_zone.clone() };
    let checked = compile(&project);
    Ok(Opened { root, project, config, checked })
}

/// Loads a project that must be free of errors.
pub(crate) fn open_clean(path: &Path) -> Result<(Opened, Arc<Program>), Problem> {
    let mut opened = open(path, Format::Human)?;
    match opened.checked.program.take() {
        Some(program) => Ok((opened, Arc::new(program))),
        None => {
            findings::show(&opened.checked.diagnostics, &opened.project, Format::Human);
            tell(&findings::count(&opened.checked.diagnostics));
            Err(Problem::Refused)
        }
    }
}

/// Tells of a project that cannot be loaded.
pub(crate) fn unusable(error: &LoadError, format: Format) -> Problem {
    let LoadError::Config(findings) = error else { return Problem::words(error.to_string()) };
    for finding in findings {
        tell(&config_finding(finding, format));
    }
    Problem::Refused
}

fn config_finding(finding: &ConfigError, format: Format) -> String {
    let mut text = String::new();
    if format == Format::Human && handler().render_report(&mut text, finding).is_ok() {
        return text.trim_end_matches('\n').to_owned();
    }
    let (line, column) = place(finding.text(), finding.span().start);
    format!("{}:{line}:{column}: error[{}]: {finding}", finding.file(), finding.code)
}
