//! Event and profile files into a replay, with progress and rejects.

use crate::{output::Problem, rejects::Rejects};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use segue_compiler::{execution::Execution, value::Millis};
use segue_runtime::{
    limits::MAX_THREADS,
    profiles::{self, Row},
    replay::{Feed, Replay},
    source::{Events, SourceError},
};
use std::{
    io::{IsTerminal, stderr},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    thread,
};

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
    /// How many threads share the work, 256 at most; as many as there are processors unless said. The results are the same
    #[arg(long, value_name = "COUNT", value_parser = threads)]
    threads: Option<NonZeroUsize>,
    /// Only results and errors: no progress, no summary
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

impl Input {
    /// How many threads share the customers.
    pub(crate) fn threads(&self) -> Option<NonZeroUsize> {
        let processors = || thread::available_parallelism().ok();
        self.threads
            .or_else(|| processors().map(|it| NonZeroUsize::new(MAX_THREADS).map_or(it, |most| it.min(most))))
    }

    /// The files that are read.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        self.events.iter().chain(&self.profiles).cloned().collect()
    }

    /// Checks what can be known before anything is read; gives where rejects go. `used` are files that the command
    /// reads besides.
    pub(crate) fn rejects(&self, mut used: Vec<PathBuf>) -> Result<Rejects, Problem> {
        let read = self.files();
        if read.iter().filter(|path| path.as_os_str() == "-").count() > 1 {
            return Err(Problem::words("`-` stands twice: standard input can be read only once"));
        }
        used.extend(read);
        Rejects::new(self.rejects.as_deref(), &used, self.quiet)
    }
}

/// A number of threads of the command line.
fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let count = text.parse().ok().filter(|count: &NonZeroUsize| count.get() <= MAX_THREADS);
    count.ok_or_else(|| {
        format!("it should be a whole number from 1 to {MAX_THREADS}; leave it out for as many as there are processors")
    })
}

/// Feeds all input to a replay; gives the number of rejected lines.
pub(crate) fn feed<E>(input: &Input, mut rejects: Rejects, replay: &mut Replay<E>) -> Result<u64, Problem>
where
    E: Execution + Sync,
{
    let unreadable = |error: SourceError| Problem::words(error.to_string());
    let events = Events::open(&input.events).map_err(unreadable)?;
    let bar = progress(events.length(), input.quiet);
    let read = events.progress();
    let mut feed = Feed::new(events);
    let mut profiles = input.profiles.as_deref();
    while feed.advance(replay).map_err(unreadable)? {
        if profiles.is_some()
            && let (Some(path), Some(at)) = (profiles, feed.first_event())
        {
            load_profiles((path, input.strict), at, replay, &mut rejects)?;
            profiles = None;
        }
        for reject in &feed.apply(replay, input.strict) {
            rejects.take(reject)?;
        }
        bar.set_position(read.bytes());
    }
    bar.finish_and_clear();
    rejects.finish()?;
    Ok(rejects.count)
}

fn load_profiles<E: Execution>(
    (path, strict): (&Path, bool),
    at: Millis,
    replay: &mut Replay<E>,
    rejects: &mut Rejects,
) -> Result<(), Problem> {
    let fields = replay.program().profile.clone();
    let mut problem = None;
    profiles::read(path, &fields, strict, &mut |row| match row {
        Row::Note(words) => rejects.note(&words),
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
