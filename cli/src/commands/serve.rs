//! `segue serve`: the live service.

use crate::{
    Ending,
    output::Problem,
    project::{open_clean, read_text},
};
use segue_service::{
    rules::{Prepared, Text},
    serve::{Choices, serve},
};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A folder of rules with its `segue.toml`
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Where log, checkpoints and decisions lie; else where `segue.toml` says
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where events come in, such as 127.0.0.1:8080; else where `segue.toml` says
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Decide and record, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// How often a checkpoint is made, in milliseconds, for tests
    #[arg(long, value_name = "MILLIS", hide = true)]
    checkpoint_every: Option<u64>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Problem> {
    let prepared = prepared(&arguments.path)?;
    let choices = Choices {
        data: arguments.data.clone(),
        listen: arguments.listen,
        dry_run: arguments.dry_run,
        checkpoint_every: arguments.checkpoint_every.map(Duration::from_millis),
    };
    let path = arguments.path.clone();
    let reload = move || text_again(&path);
    serve(prepared, choices, Arc::new(reload)).map_err(|error| Problem::words(error.to_string()))?;
    Ok(Ending::Clean)
}

/// The project, checked; what is wrong with it is told.
fn prepared(path: &Path) -> Result<Prepared, Problem> {
    let (opened, program) = open_clean(path)?;
    opened.guard_channels(&[])?;
    let text = opened.text();
    Ok(Prepared { root: opened.root, program, config: opened.config, text })
}

/// The text of the project as it is now; why it cannot be read.
fn text_again(path: &Path) -> Result<Text, String> {
    read_text(path).map_err(|problem| match problem {
        Problem::Words(words) => words,
        Problem::Refused | Problem::ClosedPipe => "they cannot be read".to_owned(),
    })
}
