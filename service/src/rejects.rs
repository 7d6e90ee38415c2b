//! The latest events that were rejected, for people who look for what is missing.

use crate::{ingest::Rejected, limits::REJECTS};
use segue_compiler::{record::Instant, value::Millis};
use serde::Serialize;
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

/// The newest [`REJECTS`] of them.
#[derive(Debug, Default)]
pub struct Rejects(Mutex<VecDeque<Reject>>);

/// A rejected event: never what it said, but for its id and what the reason quotes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reject {
    /// When it came.
    pub at: Instant,
    /// By which path.
    pub path: String,
    /// Which event of the request, and why.
    #[serde(flatten)]
    pub rejected: Rejected,
}

impl Rejects {
    /// Adds those of a request; the oldest go.
    pub fn add(&self, at: Millis, path: &str, rejected: &[Rejected]) {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let skipped = rejected.len().saturating_sub(REJECTS);
        for rejected in rejected.iter().skip(skipped) {
            if ring.len() == REJECTS {
                ring.pop_front();
            }
            ring.push_back(Reject { at: Instant(at), path: path.to_owned(), rejected: rejected.clone() });
        }
    }

    /// The newest, at most so many, newest first.
    #[must_use]
    pub fn newest(&self, limit: usize) -> Vec<Reject> {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ring.iter().rev().take(limit).cloned().collect()
    }

    /// Forgets all: when somebody is erased, nothing tells which reasons quote them.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stay() {
        let rejects = Rejects::default();
        let some = |range: std::ops::Range<usize>| -> Vec<Rejected> {
            range.map(|index| Rejected { index, message_id: None, reason: String::new() }).collect()
        };
        rejects.add(1, "/v1/batch", &some(0..REJECTS + 10));
        rejects.add(2, "/v1/batch", &some(0..5));
        let newest = rejects.newest(REJECTS * 2);
        assert_eq!(newest.len(), REJECTS);
        assert_eq!((newest[0].at.0, newest[0].rejected.index), (2, 4));
        assert_eq!((newest[5].at.0, newest[5].rejected.index), (1, REJECTS + 9));
        assert_eq!(rejects.newest(1).len(), 1);
        rejects.clear();
        assert!(rejects.newest(1).is_empty());
    }
}
