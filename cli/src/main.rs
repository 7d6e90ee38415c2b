//! The `segue` command: arguments, dispatch and exit codes.

mod bundle;
mod commands;
mod events;
mod findings;
mod junit;
mod output;
mod project;
mod rejects;
mod table;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::process::ExitCode;

/// Customers' states are many small pieces that come and go: an allocator made for that saves a good part of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What exit codes mean, for `--help`.
const EXIT_CODES: &str = "Exit codes: 0 all is well; 1 the rules have errors, or a test fails; 2 wrong usage, input that \
    cannot be read or was refused, or output that cannot be written; 3 something could not be delivered";

/// Rules that react to what customers do: written to be read aloud, checked, and run with exact time.
#[derive(Parser)]
#[command(name = "segue", version, arg_required_else_help = true, propagate_version = true, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Says what is wrong with rule files, and what to write instead
    Check(commands::check::Arguments),
    /// Replays events in virtual time and prints what would happen
    Run(commands::run::Arguments),
    /// Says who is in which segment at an instant
    Segments(commands::segments::Arguments),
    /// Runs the tests of rule files in simulated time
    Test(commands::test::Arguments),
    /// Makes rules a program of their own, or an object file for programs of others
    Build(commands::build::Arguments),
    /// Shows what rules compile to: state, cost, and on demand the code
    Plan(commands::plan::Arguments),
    /// Runs rules as a live service: events over HTTP in, messages out
    Serve(commands::serve::Arguments),
    /// Prints the log of a live service
    Log(commands::log::Arguments),
}

/// How a command ended, besides its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Done and clean.
    Clean,
    /// The rules have errors, or a test fails.
    Refused,
    /// Wrong usage or unreadable input.
    Unusable,
    /// What was decided could not all be delivered, which counts for more than input that was refused.
    Undelivered,
}

/// The arguments; of a program with rules inside, without what names rules.
fn arguments() -> Result<Arguments, output::Problem> {
    // Clap ends with 0 for help and 2 for wrong usage.
    let Some(bundle) = bundle::find()? else { return Ok(Arguments::parse()) };
    let whole = Arguments::command();
    let inside = |command: &clap::Command, argument: &'static str| {
        command.clone().mut_arg(argument, |it| it.hide(true).required(false).default_value(bundle::INSIDE))
    };
    let commands =
        [("run", "path"), ("serve", "path"), ("segments", "path"), ("test", "paths"), ("check", "paths")]
            .into_iter()
            .filter_map(|(name, argument)| Some(inside(whole.find_subcommand(name)?, argument)));
    // What a service keeps is looked at without rules.
    let commands = commands.chain(whole.find_subcommand("log").cloned());
    let own = clap::Command::new(bundle.name.as_str())
        .version(env!("CARGO_PKG_VERSION"))
        .about("Rules of Segue as a program of their own")
        .after_help(EXIT_CODES)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(commands);
    Ok(Arguments::from_arg_matches(&own.get_matches()).unwrap_or_else(|error| error.exit()))
}

fn main() -> ExitCode {
    let ending = arguments().and_then(|arguments| match arguments.command {
        Command::Check(arguments) => commands::check::run(&arguments),
        Command::Run(arguments) => commands::run::run(&arguments),
        Command::Segments(arguments) => commands::segments::run(&arguments),
        Command::Test(arguments) => commands::test::run(&arguments),
        Command::Build(arguments) => commands::build::run(&arguments),
        Command::Plan(arguments) => commands::plan::run(&arguments),
        Command::Serve(arguments) => commands::serve::run(&arguments),
        Command::Log(arguments) => commands::log::run(&arguments),
    });
    let ending = ending.unwrap_or_else(|problem| match problem {
        output::Problem::ClosedPipe => Ending::Clean,
        output::Problem::Refused => Ending::Refused,
        output::Problem::Words(words) => {
            output::tell(&format!("error: {words}"));
            Ending::Unusable
        }
    });
    match ending {
        Ending::Clean => ExitCode::SUCCESS,
        Ending::Refused => ExitCode::from(1),
        Ending::Unusable => ExitCode::from(2),
        Ending::Undelivered => ExitCode::from(3),
    }
}
