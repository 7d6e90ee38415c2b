//! A replay that is fed from memory: lines are made in portions, and only what becomes of them is timed.

use super::engine;
use crate::wholes::Result;
use segue_bench::measure::seconds;
use segue_compiler::typed::Program;
use segue_runtime::{
    engine::Engine,
    replay::{Feed, Kinds, Options, Replay},
    source::Events,
};
use std::{io::Cursor, sync::Arc};

/// How many lines are made at once: as many as a replay of many customers reads ahead, so that taking the time costs nothing.
const PORTION: usize = 80_000;

/// A replay and where its lines come from.
pub(crate) struct Portions<F> {
    replay: Replay<Arc<Engine>>,
    /// Appends the next line; false at the end.
    next: F,
    /// The lines of a portion.
    text: String,
}

impl<F: FnMut(&mut String) -> bool> Portions<F> {
    /// A replay that keeps no records, so that memory is that of the customers.
    pub(crate) fn new(program: &Arc<Program>, next: F) -> Result<Self> {
        let options = Options { kinds: Kinds::none(), ..Options::default() };
        let replay = Replay::new(engine(program)?, program.clone(), options);
        Ok(Self { replay, next, text: String::new() })
    }

    /// Applies so many events; gives the nanoseconds of each, without the making of lines.
    pub(crate) fn nanoseconds(&mut self, events: u64) -> Result<f64> {
        let (mut applied, mut time) = (0, 0.0);
        while applied < events {
            let portion = usize::try_from(events - applied).unwrap_or(PORTION).min(PORTION);
            let made = self.make(portion);
            if made == 0 {
                return Err("there are fewer events than are measured".into());
            }
            let mut outcome = Ok(());
            time += seconds(&mut || outcome = self.apply());
            outcome?;
            applied += made;
        }
        Ok(time / applied.max(1) as f64 * 1e9)
    }

    /// Makes the next lines; gives how many there are.
    fn make(&mut self, portion: usize) -> u64 {
        self.text.clear();
        (0..portion).take_while(|_| (self.next)(&mut self.text)).count() as u64
    }

    /// Applies them as if they came from a file.
    fn apply(&mut self) -> Result<()> {
        let events = Events::of("stream", Box::new(Cursor::new(std::mem::take(&mut self.text))));
        let mut feed = Feed::new(events);
        while feed.advance(&self.replay)? {
            if let Some(reject) = feed.apply(&mut self.replay, false).first() {
                return Err(reject.reason.clone().into());
            }
        }
        Ok(())
    }
}
