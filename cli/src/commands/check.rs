//! `segue check`: what is wrong with rule files.

use crate::{
    Ending,
    findings::{self, Format},
    output::{Problem, tell},
    project::{open, unusable},
};
use clap::ValueEnum;
use segue_compiler::diagnostics::Severity;
use segue_runtime::load::projects;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Folders or rule files
    #[arg(default_value = ".", value_name = "PATHS")]
    paths: Vec<PathBuf>,
    /// How findings are shown
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// What is refused besides errors
    #[arg(long, value_enum, value_name = "WHAT")]
    deny: Option<Deny>,
    /// Only findings, no closing line
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deny {
    /// Warnings too
    Warnings,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Problem> {
    let (mut all, mut refused, mut files) = (Vec::new(), false, 0);
    for path in &arguments.paths {
        for project in projects(path).map_err(|error| unusable(&error, arguments.format))? {
            match open(&project, arguments.format) {
                Ok(opened) => {
                    files += opened.project.sources.len();
                    findings::show(&opened.checked.diagnostics, &opened.project, arguments.format);
                    refused |= opened.checked.has_errors();
                    all.extend(opened.checked.diagnostics);
                }
                Err(Problem::Refused) => refused = true,
                Err(problem) => return Err(problem),
            }
        }
    }
    refused |=
        arguments.deny == Some(Deny::Warnings) && all.iter().any(|it| it.severity == Severity::Warning);
    let nothing_to_say = all.is_empty() && refused;
    if !(arguments.quiet || nothing_to_say) {
        let noun = if files == 1 { "file" } else { "files" };
        tell(&match all.is_empty() {
            true => format!("{files} {noun} checked: no errors"),
            false => findings::count(&all),
        });
    }
    Ok(if refused { Ending::Refused } else { Ending::Clean })
}
