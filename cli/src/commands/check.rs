//! `segue check`: what is wrong with rule files.

use crate::{
    Ending,
    findings::{Findings, Format},
    output::{Problem, results, tell},
    project::{open, projects},
};
use clap::ValueEnum;
use segue_compiler::{cost, lower::lower};
use segue_runtime::words::counted;
use std::{io::Write, path::PathBuf};

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
    /// Also what the rules cost: bytes of a customer, work for each event, and when something is due
    #[arg(long)]
    cost: bool,
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
    let mut programs = Vec::new();
    let mut out = results();
    for path in &arguments.paths {
        for project in projects(path)? {
            let opened = open(&project)?;
            files += opened.project.sources.len();
            opened.show(&mut findings);
            if arguments.cost
                && let Some(program) = opened.checked.program
            {
                programs.push((opened.root.display().to_string(), program));
            }
        }
    }
    findings.tell_hidden();
    let mut costly = false;
    for (name, program) in &programs {
        let cost = cost::cost(program, &lower(program));
        if programs.len() > 1 {
            writeln!(out, "{name}")?;
        }
        write!(out, "{}", cost::print(&cost))?;
        for line in cost.unbounded() {
            costly = true;
            let worst = cost::Size(line.bytes.worst);
            tell(&format!(
                "error: `{}` may keep up to {worst} of one customer, which is as good as no bound: {}",
                line.what, "ask for fewer events, or declare only the fields of lists that rules need"
            ));
        }
    }
    out.flush()?;
    if !arguments.quiet {
        tell(&match findings.none() {
            true => format!("{} checked: no errors", counted(files as u64, "file")),
            false => findings.count(),
        });
    }
    let denied = arguments.deny == Some(Deny::Warnings) && findings.warnings();
    Ok(if denied || costly || findings.errors() { Ending::Refused } else { Ending::Clean })
}
