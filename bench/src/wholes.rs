//! A file for each thing that is measured, and what they share.

pub(crate) mod by_hand;
pub(crate) mod charts;
pub(crate) mod compile;
pub(crate) mod cores;
pub(crate) mod customers;
pub(crate) mod deadlines;
pub(crate) mod interpreted;
mod limit;
pub(crate) mod pack;
mod portions;
pub(crate) mod rules;
pub(crate) mod service;
pub(crate) mod shares;
mod windows;

use segue_bench::stream::{self, Shape};
use segue_compiler::{execution::Execution, settings::Settings, typed::Program};
use segue_runtime::{
    config::Config,
    engine::Engine,
    replay::{Feed, Kinds, Options, Replay},
    source::Events,
};
use std::{
    fs,
    hint::black_box,
    io::{BufWriter, Write},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

pub(crate) type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// The file of a stream; it is made once.
pub(crate) fn stream_file(shape: Shape) -> Result<PathBuf> {
    let folder = Path::new("target/bench");
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("stream-{}-{}.ndjson", shape.customers, shape.events));
    if !path.exists() {
        let unfinished = path.with_extension("unfinished");
        let mut out = BufWriter::new(fs::File::create(&unfinished)?);
        stream::write(shape, &mut out)?;
        out.flush()?;
        fs::rename(unfinished, &path)?;
    }
    Ok(path)
}

/// The settings that `segue run` has for bare rules.
pub(crate) fn settings() -> Settings {
    Config::assumed().settings
}

/// Compiles a pack.
pub(crate) fn engine(program: &Arc<Program>) -> Result<Arc<Engine>> {
    Ok(Arc::new(Engine::new(program.clone(), settings())?))
}

/// From a file to decisions on one thread.
pub(crate) fn replay(engine: &Arc<Engine>, program: &Arc<Program>, file: &Path) -> usize {
    replay_with(engine.clone(), program, file, 1)
}

/// From a file to decisions; gives how many records there are.
pub(crate) fn replay_with<E>(executor: E, program: &Arc<Program>, file: &Path, threads: usize) -> usize
where
    E: Execution + Sync,
{
    let options =
        Options { kinds: Kinds::default(), threads: NonZeroUsize::new(threads), ..Options::default() };
    let mut replay = Replay::new(executor, program.clone(), options);
    let Ok(events) = Events::open(&[file]) else { return 0 };
    let mut feed = Feed::new(events);
    while matches!(feed.advance(&replay), Ok(true)) {
        feed.apply(&mut replay, false);
    }
    replay.finish().len()
}

/// Keeps the compiler from leaving out what nobody looks at.
pub(crate) fn work<T>(result: T) {
    black_box(result);
}
