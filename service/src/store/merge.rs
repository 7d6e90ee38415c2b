//! Several files as one: of each key the newest value.

use super::file::{Corrupt, Run};
use segue_runtime::live::Change;
use std::{cmp::Reverse, collections::BinaryHeap};

/// Files being read together, the oldest first.
pub(super) struct Merged {
    runs: Vec<Run>,
    heads: BinaryHeap<Reverse<Head>>,
}

/// The next key of a file with its value: the least key first, of one key that of the newest file.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    key: Vec<u8>,
    run: Reverse<usize>,
    value: Option<Vec<u8>>,
}

impl Merged {
    pub(super) fn of(runs: Vec<Run>) -> Result<Self, Corrupt> {
        let mut merged = Self { heads: BinaryHeap::with_capacity(runs.len()), runs };
        for index in 0..merged.runs.len() {
            merged.read(index)?;
        }
        Ok(merged)
    }

    /// The next key with its value, which may say that there is none any more; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Change>, Corrupt> {
        let Some(Reverse(Head { key, run, value })) = self.heads.pop() else { return Ok(None) };
        self.read(run.0)?;
        while let Some(Reverse(other)) = self.heads.peek()
            && other.key == key
        {
            let index = other.run.0;
            self.heads.pop();
            self.read(index)?;
        }
        Ok(Some(Change { key, value }))
    }

    fn read(&mut self, index: usize) -> Result<(), Corrupt> {
        if let Some(run) = self.runs.get_mut(index)
            && let Some(Change { key, value }) = run.next()?
        {
            self.heads.push(Reverse(Head { key, run: Reverse(index), value }));
        }
        Ok(())
    }
}
