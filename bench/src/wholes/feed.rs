//! A replay that is fed from memory: lines are made in portions, and only what becomes of them is timed.

use super::engine;
use crate::wholes::Result;
use segue_bench::measure::seconds;
use segue_compiler::typed::Program;
use segue_runtime::{
    engine::Engine,
    replay::{Kinds, Options, Replay},
    source::Envelope,
};
use std::sync::Arc;

/// How many lines are made at once: few enough to stay near the processor, many enough that taking the time costs nothing.
const PORTION: usize = 1_000;

/// A replay and where its lines come from.
pub(crate) struct Feed<F> {
    replay: Replay<Arc<Engine>>,
    /// Appends the next line; false at the end.
    next: F,
    /// The lines of a portion, and where each ends.
    text: String,
    ends: Vec<usize>,
}

impl<F: FnMut(&mut String) -> bool> Feed<F> {
    /// A replay that keeps no records, so that memory is that of the customers.
    pub(crate) fn new(program: &Arc<Program>, next: F) -> Result<Self> {
        let options = Options { kinds: Kinds::none(), ..Options::default() };
        let replay = Replay::new(engine(program)?, program.clone(), options);
        Ok(Self { replay, next, text: String::new(), ends: Vec::new() })
    }

    /// Applies so many events; gives the nanoseconds of each, without the making of lines.
    pub(crate) fn nanoseconds(&mut self, events: u64) -> Result<f64> {
        let (mut applied, mut time) = (0, 0.0);
        while applied < events {
            let portion = usize::try_from(events - applied).unwrap_or(PORTION).min(PORTION);
            self.make(portion);
            if self.ends.is_empty() {
                return Err("there are fewer events than are measured".into());
            }
            let mut outcome = Ok(());
            time += seconds(&mut || outcome = self.apply());
            outcome?;
            applied += self.ends.len() as u64;
        }
        Ok(time / applied.max(1) as f64 * 1e9)
    }

    fn make(&mut self, portion: usize) {
        self.text.clear();
        self.ends.clear();
        while self.ends.len() < portion && (self.next)(&mut self.text) {
            self.ends.push(self.text.len());
        }
    }

    fn apply(&mut self) -> Result<()> {
        let mut start = 0;
        for end in &self.ends {
            let line = self.text.get(start..*end).unwrap_or_default().trim_end();
            self.replay.apply(&Envelope::parse(line.as_bytes())?);
            start = *end;
        }
        Ok(())
    }
}
