//! `segue segments`: who is in which segment.

use crate::{
    Ending,
    commands::run::{engine, instant},
    events::{Input, feed},
    output::{Problem, results},
    project::open_clean,
    rejects::Rejects,
};
use segue_compiler::{
    execution::Execution,
    reference::Reference,
    settings::Settings,
    typed::{Program, SegmentId},
};
use segue_runtime::{
    replay::{Kinds, Options, Replay},
    words::shown,
};
use std::{io::Write, path::PathBuf, sync::Arc};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A folder of rules, or one rule file
    path: PathBuf,
    #[command(flatten)]
    input: Input,
    /// The instant: a date, or a date and a time in the project's zone
    #[arg(long, value_name = "INSTANT")]
    at: String,
    /// Print customers, not counts: segment and customer, a line each
    #[arg(long)]
    members: bool,
    /// Run the reference interpreter instead of machine code
    #[arg(long)]
    interpret: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Problem> {
    let (opened, program) = open_clean(&arguments.path)?;
    let rejects = arguments.input.rejects(opened.files())?;
    let has_rules = !program.rules.is_empty();
    let mut settings = opened.config.settings.clone();
    settings.until = Some(instant(&arguments.at, &settings)?);
    let rejected = if arguments.interpret {
        count(Reference::new(program.clone(), settings.clone()), program, &settings, arguments, rejects)?
    } else {
        count(engine(&program, &settings)?, program, &settings, arguments, rejects)?
    };
    // What rules sent is history, which segments may ask for.
    if !arguments.input.quiet && has_rules {
        opened.tell_assumed();
    }
    Ok(if arguments.input.strict && rejected > 0 { Ending::Unusable } else { Ending::Clean })
}

fn count<E: Execution + Sync>(
    executor: E,
    program: Arc<Program>,
    settings: &Settings,
    arguments: &Arguments,
    rejects: Rejects,
) -> Result<u64, Problem> {
    let threads = arguments.input.threads();
    let options = Options {
        until: settings.until,
        drain: false,
        kinds: Kinds::none(),
        members: true,
        threads,
        ..Options::default()
    };
    let mut replay = Replay::new(executor, program.clone(), options);
    let rejected = feed(&arguments.input, rejects, &mut replay)?;
    replay.finish();
    let mut out = results();
    let width = program.segments.iter().map(|segment| segment.name.len()).max().unwrap_or(0);
    for (segment, number) in program.segments.iter().zip(0..) {
        let members = replay.members(SegmentId(number));
        if arguments.members {
            for customer in members {
                // An id may hold what ends a line, or acts on a terminal.
                writeln!(out, "{}\t{}", segment.name, shown(customer, usize::MAX))?;
            }
        } else {
            let title = segment
                .title
                .as_ref()
                .map(|title| format!("  {}", shown(title, usize::MAX)))
                .unwrap_or_default();
            writeln!(out, "{:<width$}  {:>8}{title}", segment.name, members.len())?;
        }
    }
    out.flush()?;
    Ok(rejected)
}
