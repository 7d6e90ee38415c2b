//! `segue plan`: what rules compile to, and what becomes of customers when they change.

use crate::{
    Ending,
    commands::run::engine,
    output::{Problem, results},
    project::open_clean,
};
use clap::ValueEnum;
use segue_compiler::{
    changes::{self, changes},
    plan::print,
    typed::{EventId, Program},
};
use std::{io::Write, path::PathBuf};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A folder of rules, or one rule file
    path: PathBuf,
    /// A newer version of it: shows what is kept, filled anew and let go when it takes the place of the first
    #[arg(conflicts_with_all = ["ir", "clif"])]
    new: Option<PathBuf>,
    /// How changes are shown
    #[arg(long, value_enum, default_value_t, requires = "new")]
    format: Format,
    /// Also every condition and value, what is remembered, and who uses it
    #[arg(long)]
    ir: bool,
    /// Also the code of one event's handler before registers are given out
    #[arg(long)]
    clif: bool,
    /// The event whose code is shown; the busiest one when none is named
    #[arg(long, value_name = "NAME", requires = "clif")]
    event: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON object
    Json,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Problem> {
    let (opened, program) = open_clean(&arguments.path)?;
    if let Some(new) = &arguments.new {
        let changes = changes(&program, &open_clean(new)?.1);
        let mut out = results();
        match arguments.format {
            Format::Text => write!(out, "{}", changes::print(&changes))?,
            Format::Json => {
                serde_json::to_writer(&mut out, &changes).map_err(std::io::Error::from)?;
                writeln!(out)?;
            }
        }
        out.flush()?;
        return Ok(Ending::Clean);
    }
    let engine = engine(&program, &opened.config.settings)?;
    let mut out = results();
    write!(out, "{}", print::summary(&program, engine.plan()))?;
    if arguments.ir {
        write!(out, "\nnodes, cells and segments\n{}", print::ir(&program, engine.plan()))?;
    }
    if arguments.clif {
        let event = chosen(&program, &engine, arguments.event.as_deref())?;
        let name = program.events.get(event.0 as usize).map_or("", |event| &*event.name);
        writeln!(out, "\nthe handler of \"{name}\", and what it calls when a deadline is due")?;
        for (name, code) in engine.clif(event).map_err(|error| Problem::words(error.to_string()))? {
            writeln!(out, "; {name}\n{code}")?;
        }
    }
    out.flush()?;
    Ok(Ending::Clean)
}

fn chosen(
    program: &Program,
    engine: &segue_runtime::engine::Engine,
    name: Option<&str>,
) -> Result<EventId, Problem> {
    if let Some(name) = name {
        return program
            .event(name)
            .ok_or_else(|| Problem::words(format!("these rules know no event `{name}`")));
    }
    let work = |handler: &segue_compiler::plan::Handler| {
        handler.feeds.len() + handler.roles.len() + handler.touched.len()
    };
    let busiest = engine
        .plan()
        .handlers
        .iter()
        .zip(0..)
        .max_by_key(|(handler, number)| (work(handler), std::cmp::Reverse(*number)));
    busiest.map(|(_, number)| EventId(number)).ok_or_else(|| Problem::words("these rules know no event"))
}
