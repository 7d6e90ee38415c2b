//! `segue check`: what is wrong with rule files.

use crate::{
    Ending,
    findings::{Findings, Format},
    output::{Problem, tell},
    project::{open, unusable},
};
use clap::ValueEnum;
use segue_runtime::{load::projects, words::counted};
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
    let mut findings = Findings::new(arguments.format);
    let mut files = 0;
    for path in &arguments.paths {
        for project in projects(path).map_err(|error| unusable(&error))? {
            let opened = open(&project)?;
            files += opened.project.sources.len();
            opened.show(&mut findings);
        }
    }
    findings.tell_hidden();
    if !arguments.quiet {
        tell(&match findings.none() {
            true => format!("{} checked: no errors", counted(files as u64, "file")),
            false => findings.count(),
        });
    }
    let denied = arguments.deny == Some(Deny::Warnings) && findings.warnings();
    Ok(if denied || findings.errors() { Ending::Refused } else { Ending::Clean })
}
