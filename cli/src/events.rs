//! Event and profile files into a replay, with progress and rejects.

use crate::output::{Problem, tell};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use segue_compiler::{execution::Execution, value::Millis};
use segue_runtime::{
    profiles::{self, Row},
    replay::Replay,
    source::{Events, Item, Reject, fault},
};
use std::{
    fs::File,
    io::{BufWriter, IsTerminal, Write, stderr},
    path::{Path, PathBuf},
};

/// How many rejects are told line by line; the summary counts all, and `--rejects` keeps all.
const TOLD_REJECTS: u64 = 20;
/// How many lines lie between two looks at the progress.
const LINES_A_LOOK: u64 = 4_096;

/// What is read.
#[derive(clap::Args, Debug)]
pub(crate) struct Input {
    /// Event files, a Segment-spec JSON call a line; `.gz` and `.zst` are read as they are, `-` is standard input
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub(crate) events: Vec<PathBuf>,
    /// Traits that are known before the first event: NDJSON, or CSV with a column `user_id`
    #[arg(long, value_name = "FILE")]
    pub(crate) profiles: Option<PathBuf>,
    /// Where lines of events that could not be used are written
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    /// Refuse events and traits that break their declaration, and end with exit code 2 if anything was refused
    #[arg(long)]
    pub(crate) strict: bool,
    /// Only results and errors: no progress, no summary
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// Lines that could not be used.
struct Rejects {
    count: u64,
    quiet: bool,
    kept: Option<BufWriter<File>>,
}

impl Rejects {
    fn take(&mut self, reject: &Reject<'_>) -> Result<(), Problem> {
        self.count += 1;
        if !self.quiet && self.count <= TOLD_REJECTS {
            tell(&format!("{}:{}: rejected: {}", reject.file, reject.number, reject.reason));
        } else if !self.quiet && self.count == TOLD_REJECTS + 1 {
            tell("further rejected lines are only counted; `--rejects FILE` keeps them all");
        }
        if let (Some(kept), Some(line)) = (&mut self.kept, reject.line) {
            kept.write_all(line)?;
            kept.write_all(b"\n")?;
        }
        Ok(())
    }
}

/// Feeds all input to a replay; gives the number of rejected lines.
pub(crate) fn feed<E: Execution>(input: &Input, replay: &mut Replay<E>) -> Result<u64, Problem> {
    let unreadable = |error: segue_runtime::source::SourceError| Problem::words(error.to_string());
    let kept = match &input.rejects {
        None => None,
        Some(path) => Some(BufWriter::new(
            File::create(path)
                .map_err(|error| Problem::words(format!("cannot write `{}`: {error}", path.display())))?,
        )),
    };
    let mut rejects = Rejects { count: 0, quiet: input.quiet, kept };
    let mut events = Events::open(&input.events).map_err(unreadable)?;
    let bar = progress(events.length(), input.quiet);
    let read = events.progress();
    let mut lines = 0_u64;
    let mut profiles = input.profiles.as_deref();
    while let Some(item) = events.read().map_err(unreadable)? {
        match item {
            Item::Event(event) => {
                if let Some(path) = profiles.take() {
                    load_profiles(path, event.envelope.at, replay, &mut rejects)?;
                }
                let fault = if input.strict { fault(replay.program(), &event.envelope) } else { None };
                match fault {
                    None => {
                        replay.apply(&event.envelope);
                    }
                    Some(reason) => {
                        replay.reject();
                        rejects.take(&event.refuse(reason))?;
                    }
                }
            }
            Item::Reject(reject) => {
                replay.reject();
                rejects.take(&reject)?;
            }
        }
        lines += 1;
        if lines.is_multiple_of(LINES_A_LOOK) {
            bar.set_position(read.bytes());
        }
    }
    bar.finish_and_clear();
    if let Some(kept) = &mut rejects.kept {
        kept.flush()?;
    }
    Ok(rejects.count)
}

fn load_profiles<E: Execution>(
    path: &Path,
    at: Millis,
    replay: &mut Replay<E>,
    rejects: &mut Rejects,
) -> Result<(), Problem> {
    let fields = replay.program().profile.clone();
    let mut problem = None;
    profiles::read(path, &fields, &mut |row| match row {
        Row::Traits { customer, traits } => replay.load_profile(customer, at, traits),
        Row::Reject(reject) => {
            replay.reject_profile();
            if let Err(error) = rejects.take(&reject) {
                problem = Some(error);
            }
        }
    })
    .map_err(|error| Problem::words(error.to_string()))?;
    problem.map_or(Ok(()), Err)
}

fn progress(length: Option<u64>, quiet: bool) -> ProgressBar {
    let (Some(length), false, true) = (length, quiet, stderr().is_terminal()) else {
        return ProgressBar::hidden();
    };
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left") {
        bar.set_style(style);
    }
    bar
}
