//! `segue run`: what would happen.

use crate::{
    Ending,
    events::{Input, feed},
    output::{Problem, results, tell},
    project::{Opened, open_clean},
    rejects::Rejects,
    table,
};
use clap::ValueEnum;
use segue_compiler::{
    execution::Execution, record::Record, reference::Reference, settings::Settings, time::parse_instant_in,
    typed::Program, value::Millis,
};
use segue_runtime::{
    channel::{Delivery, Hooks, Outcome},
    engine::Engine,
    fuse::Fuse,
    replay::{Kinds, Options, Records, Replay, Summary},
    words::{counted, shown, thousands},
};
use segue_service::{
    audit::{self, Audit, Fate, log_of},
    rules::Prepared,
};
use std::{
    io::{Write, stderr},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A folder of rules, or one rule file; with `--log` it may be left out
    path: Option<PathBuf>,
    #[command(flatten)]
    input: Input,
    /// The data of a live service instead of events: what its log leads to, with arrivals, the coming of time and the rules in
    /// force as it says; where rules are named, these are obeyed over the whole log instead
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["events", "profiles", "rejects", "strict", "until", "log_from", "drain", "deliver"]
    )]
    log: Option<PathBuf>,
    /// The end of time: a date, or a date and a time in the project's zone
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,
    /// Where a longer log was cut: rules that look further back than this say `cold` until they see enough
    #[arg(long, value_name = "INSTANT")]
    log_from: Option<String>,
    /// Let every pending deadline pass after the end
    #[arg(long)]
    drain: bool,
    /// Which records are printed, parted by commas: send, call, suppressed, held, segment, set, emit
    #[arg(long, value_name = "KINDS", value_parser = Kinds::parse)]
    kinds: Option<Kinds>,
    /// How records are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Run the reference interpreter instead of machine code
    #[arg(long)]
    interpret: bool,
    /// Deliver what was decided through the channels of `segue.toml`, and end with exit code 3 if something of it could not be
    /// delivered
    #[arg(long)]
    deliver: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A JSON object a line
    #[default]
    Json,
    /// A table for people
    Table,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Problem> {
    let opened = arguments.path.as_deref().map(open_clean).transpose()?;
    if let Some(log) = &arguments.log {
        return audit(log, opened, arguments);
    }
    let Some((opened, program)) = opened else {
        return Err(Problem::words(
            "name a folder of rules or one rule file, or the data of a service with `--log`",
        ));
    };
    let mut settings = opened.config.settings.clone();
    settings.until = arguments.until.as_deref().map(|text| instant(text, &settings)).transpose()?;
    settings.log_from = arguments.log_from.as_deref().map(|text| instant(text, &settings)).transpose()?;
    let rejects = arguments.input.rejects(opened.files())?;
    let mut hooks = arguments.deliver.then(|| open_hooks(&opened, &arguments.input)).transpose()?;
    let fuse = opened.config.fuse;
    let outcome = if arguments.interpret {
        replay(
            Reference::new(program.clone(), settings.clone()),
            program,
            &settings,
            fuse,
            arguments,
            rejects,
        )?
    } else {
        replay(engine(&program, &settings)?, program, &settings, fuse, arguments, rejects)?
    };
    match print(outcome.records.iter(), arguments) {
        // Who has read enough of what was decided still wants it delivered.
        Err(Problem::ClosedPipe) if arguments.deliver => {}
        // Where what was decided could be kept nowhere, nobody could say later what went out.
        Err(Problem::Words(words)) if arguments.deliver => {
            return Err(Problem::words(format!(
                "{words}; nothing was delivered, so that it can be run once more"
            )));
        }
        printed => printed?,
    }
    let failed = hooks.as_mut().map_or(0, |hooks| deliver(hooks, &outcome.records, arguments.input.quiet));
    if !arguments.input.quiet {
        summarize(&outcome, &opened);
    }
    if failed > 0 {
        return Ok(Ending::Undelivered);
    }
    Ok(if arguments.input.strict && outcome.rejected > 0 { Ending::Unusable } else { Ending::Clean })
}

/// The ways out, none of which leads to what is read.
fn open_hooks(opened: &Opened, input: &Input) -> Result<Hooks, Problem> {
    opened.guard_channels(&input.files())?;
    Hooks::open(&opened.config.channels, &opened.root, &|| Box::new(stderr()))
        .map_err(|error| Problem::words(error.to_string()))
}

/// Machine code for a program.
pub(crate) fn engine(program: &Arc<Program>, settings: &Settings) -> Result<Engine, Problem> {
    Engine::new(program.clone(), settings.clone()).map_err(|error| Problem::words(error.to_string()))
}

/// An instant of the command line.
pub(crate) fn instant(text: &str, settings: &Settings) -> Result<Millis, Problem> {
    parse_instant_in(text, &settings.time_zone).ok_or_else(|| {
        Problem::words(format!("`{text}` is no instant: write `2026-01-31` or `\"2026-01-31 08:00\"`"))
    })
}

/// How much of a customer's id is told.
const MAX_SHOWN: usize = 80;

/// What a replay gave.
struct Replayed {
    records: Records,
    summary: Summary,
    rejected: u64,
    seconds: f64,
}

fn replay<E: Execution + Sync>(
    executor: E,
    program: Arc<Program>,
    settings: &Settings,
    fuse: Option<Fuse>,
    arguments: &Arguments,
    rejects: Rejects,
) -> Result<Replayed, Problem> {
    let printed = arguments.kinds.unwrap_or_default();
    // What is not printed may still be delivered.
    let kinds = if arguments.deliver { printed.with_decisions() } else { printed };
    let threads = arguments.input.threads();
    let options =
        Options { until: settings.until, drain: arguments.drain, kinds, fuse, members: false, threads };
    let mut replay = Replay::new(executor, program, options);
    #[expect(
        clippy::disallowed_methods,
        reason = "the summary says how long it took; nothing decided depends on it"
    )]
    let start = std::time::Instant::now();
    let rejected = feed(&arguments.input, rejects, &mut replay)?;
    let records = replay.finish();
    Ok(Replayed {
        records,
        summary: replay.summary().clone(),
        rejected,
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// What the log of a live service leads to.
fn audit(
    log: &Path,
    opened: Option<(Opened, Arc<Program>)>,
    arguments: &Arguments,
) -> Result<Ending, Problem> {
    let log = log_of(log).map_err(|error| Problem::words(error.to_string()))?;
    let threads = arguments.input.threads().unwrap_or(NonZeroUsize::MIN);
    let given = opened.map(|(opened, program)| {
        let text = opened.text();
        Prepared { root: opened.root, program, config: opened.config, text }
    });
    let audited = if arguments.interpret {
        let make = |program: &Arc<Program>, settings: &Settings| {
            Ok(Reference::new(program.clone(), settings.clone()))
        };
        audit::audit(&make, given, &log, threads)
    } else {
        let make = |program: &Arc<Program>, settings: &Settings| {
            Engine::new(program.clone(), settings.clone()).map_err(|error| error.to_string())
        };
        audit::audit(&make, given, &log, threads)
    };
    let audited = audited.map_err(|error| Problem::words(error.to_string()))?;
    print(audited.records.iter().cloned(), arguments)?;
    if !arguments.input.quiet {
        summarize_audit(&audited);
    }
    Ok(Ending::Clean)
}

fn summarize_audit(audited: &Audit) {
    let tally = &audited.tally;
    let calls = tally.applied + tally.late + tally.duplicate + tally.doubtful + tally.quarantined;
    let parts = [
        (counted(audited.entries, "entry").replace("entrys", "entries"), true),
        (counted(calls, "call"), true),
        (format!("{} late", thousands(tally.late)), tally.late > 0),
        (format!("{} duplicate", thousands(tally.duplicate)), tally.duplicate > 0),
        (format!("{} stamped after their arrival", thousands(tally.quarantined)), tally.quarantined > 0),
        (counted(audited.customers as u64, "customer"), true),
    ];
    let parts: Vec<String> =
        parts.into_iter().filter(|(_, is_told)| *is_told).map(|(part, _)| part).collect();
    tell(&parts.join(", "));
    if audited.first > 0 {
        tell(&format!("the log begins at entry {}: what was before is not in this", audited.first));
    }
    for change in &audited.changes {
        let position = change.position;
        tell(&match &change.fate {
            Fate::InForce => format!("at entry {position} other rules were put in force"),
            Fate::PassedOver => format!("at entry {position} the service had other rules than these"),
            Fate::Refused(why) => {
                format!("at entry {position} other rules were to be put in force, and cannot be: {why}")
            }
        });
    }
}

fn print(records: impl Iterator<Item = Record>, arguments: &Arguments) -> Result<(), Problem> {
    let kinds = arguments.kinds.unwrap_or_default();
    let printed = records.filter(|record| kinds.has(record));
    let mut out = results();
    match arguments.format {
        Format::Table => table::write(&mut out, &printed.collect::<Vec<_>>())?,
        Format::Json => {
            for record in printed {
                serde_json::to_writer(&mut out, &record).map_err(std::io::Error::from)?;
                out.write_all(b"\n")?;
            }
        }
    }
    out.flush()?;
    Ok(())
}

/// Delivers what was decided; gives how much of it could not be.
fn deliver(hooks: &mut Hooks, records: &Records, quiet: bool) -> u64 {
    let (mut delivered, mut failed) = (0_u64, 0_u64);
    let decisions: Vec<_> =
        records.iter().filter(|record| Kinds::none().with_decisions().has(record)).collect();
    hooks.deliver(decisions.iter(), &mut |delivery: &Delivery<'_>, outcome: &Outcome| match outcome {
        Outcome::Delivered { .. } => delivered += 1,
        Outcome::Failed { reason, said, attempts, .. } => {
            failed += 1;
            let tries = if *attempts == 1 { "1 try".to_owned() } else { format!("{attempts} tries") };
            let said = said.as_ref().map_or_else(String::new, |said| format!(" ({said})"));
            tell(&format!(
                "not delivered: {} {} to {} ({tries}): {reason}{said}",
                delivery.channel,
                delivery.id,
                shown(delivery.record.customer(), MAX_SHOWN)
            ));
        }
    });
    if !quiet {
        tell(&format!("{delivered} delivered, {failed} not"));
    }
    failed
}

fn summarize(outcome: &Replayed, opened: &Opened) {
    tell(outcome.summary.to_string().trim_end());
    let read = outcome.summary.read();
    // Rounded for people: no decision is made of it.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate for people"
    )]
    let rate = (read as f64 / outcome.seconds.max(1e-9)) as u64;
    tell(&format!("{:.2} seconds, {} events per second", outcome.seconds, thousands(rate)));
    if !outcome.summary.rules.is_empty() {
        opened.tell_assumed();
    }
}
