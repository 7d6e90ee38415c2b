//! All of a stream into a replay: while some lines are worked on, the next are read.

use super::Replay;
use crate::source::{Batch, Events, Item, Reject, SourceError};
use segue_compiler::{execution::Execution, value::Millis};
use std::mem;

/// A stream on its way into a replay, batch by batch.
pub struct Feed {
    events: Events,
    batch: Batch,
    next: Batch,
    /// Whether there may be more lines to read; or why there are none.
    more: Result<bool, SourceError>,
}

impl Feed {
    /// Begins with the first line.
    #[must_use]
    pub fn new(events: Events) -> Self {
        Self { events, batch: Batch::default(), next: Batch::default(), more: Ok(true) }
    }

    /// Goes on to the next batch; false at the end.
    ///
    /// # Errors
    /// When reading fails in the midst of a file.
    pub fn advance<E>(&mut self, replay: &Replay<E>) -> Result<bool, SourceError>
    where
        E: Execution + Sync,
    {
        let Self { events, batch, next, more } = self;
        if mem::replace(more, Ok(false))? {
            *more = Ok(events.fill(next, replay.batch_bytes())?);
        }
        mem::swap(batch, next);
        next.clear();
        Ok(!batch.is_empty())
    }

    /// When the first event of the batch happened.
    #[must_use]
    pub fn first_event(&self) -> Option<Millis> {
        (0..self.batch.len()).find_map(|position| match self.batch.item(position)? {
            Item::Event(event) => Some(event.envelope.at),
            Item::Reject(_) => None,
        })
    }

    /// Applies the calls of the batch and gives the lines that were none; with `strict` also those that break their
    /// declarations.
    pub fn apply<E: Execution + Sync>(&mut self, replay: &mut Replay<E>, strict: bool) -> Vec<Reject<'_>> {
        let Self { events, batch, next, more } = self;
        let (bytes, part) = (replay.batch_bytes(), replay.part_bytes());
        replay.apply_batch(batch, strict, &mut || {
            if let Ok(true) = more {
                *more = events.fill(next, bytes.min(next.size() + part));
            }
        })
    }
}
