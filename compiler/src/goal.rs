//! Whether a customer reached the goal of a rule.

use crate::{consent::Stamp, limits::MAX_GOAL_RUNS, packed};
use std::collections::VecDeque;

/// What is known of one customer and the goal of one rule, from the first message of any run on. `M` is what is remembered
/// of a run's match where the goal looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress<M> {
    /// Whether the customer is held out, so that there was no message.
    pub held_out: bool,
    /// Whether the goal was reached within its time after the first message of a run.
    pub reached: bool,
    /// While it was not, the places of the first messages of runs, the newest last.
    pub runs: VecDeque<(Stamp, Option<M>)>,
}

packed!(Progress<M> { held_out, reached, runs });

impl<M> Default for Progress<M> {
    fn default() -> Self {
        Self { held_out: false, reached: false, runs: VecDeque::new() }
    }
}

/// What came of the goal of a rule, of one customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The position of the rule.
    pub rule: u32,
    /// Whether the customer is held out.
    pub held_out: bool,
    /// Whether the goal was reached.
    pub reached: bool,
}

impl<M: Clone> Progress<M> {
    /// A run sent its first message, or would have, were the customer not held out. Gives whether that of an older run
    /// had to be forgotten.
    pub fn begin(&mut self, stamp: Stamp, held_out: bool, found: Option<M>) -> bool {
        self.held_out = held_out;
        if self.reached {
            return false;
        }
        self.runs.push_back((stamp, found));
        let forgotten = self.runs.len() > MAX_GOAL_RUNS;
        if forgotten {
            self.runs.pop_front();
        }
        forgotten
    }

    /// An event happened that may be the goal, which is asked for a run's match; it may be late. It counts after a message,
    /// and up to and including the end of the goal's time.
    pub fn happened(&mut self, stamp: Stamp, within: i64, mut is_goal: impl FnMut(Option<&M>) -> bool) {
        let counts = |from: Stamp| stamp > from && stamp.0 <= from.0.saturating_add(within);
        if self.runs.iter().any(|(from, found)| counts(*from) && is_goal(found.as_ref())) {
            self.reached = true;
            self.runs = VecDeque::new();
        }
    }

    /// The same of a customer whose order of application lies elsewhere.
    #[must_use]
    pub fn placed(&self, place: impl Fn(Stamp) -> Stamp) -> Self {
        let runs = self.runs.iter().map(|(stamp, found)| (place(*stamp), found.clone()));
        Self { runs: runs.collect(), ..*self }
    }

    /// The same with what is remembered of matches made anew.
    #[must_use]
    pub fn mapped(&self, of: impl Fn(&M) -> M) -> Self {
        let runs = self.runs.iter().map(|(stamp, found)| (*stamp, found.as_ref().map(&of)));
        Self { runs: runs.collect(), ..*self }
    }

    /// The progress of two customers who turned out to be one.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        let mut runs: Vec<_> = self.runs.iter().chain(&other.runs).cloned().collect();
        runs.sort_by_key(|(stamp, _)| *stamp);
        let beyond = runs.len().saturating_sub(MAX_GOAL_RUNS);
        let reached = self.reached || other.reached;
        let runs = if reached { VecDeque::new() } else { runs.split_off(beyond).into() };
        Self { held_out: self.held_out && other.held_out, reached, runs }
    }

    /// What came of it.
    #[must_use]
    pub fn outcome(&self, rule: u32) -> Outcome {
        Outcome { rule, held_out: self.held_out, reached: self.reached }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a goal that looks at no match.
    type Progress = super::Progress<()>;

    #[test]
    fn counts_after_a_message_and_up_to_the_end() {
        let reached = |stamp: Stamp| {
            let mut progress = Progress::default();
            progress.begin((100, 5), false, None);
            progress.happened(stamp, 50, |_| true);
            progress.reached
        };
        assert!(reached((100, 6)) && reached((150, 6)) && reached((120, 9)));
        assert!(!reached((100, 4)) && !reached((151, 6)) && !reached((99, 9)));
    }

    #[test]
    fn keeps_the_newest_runs_and_none_once_it_is_reached() {
        let mut progress = Progress::default();
        for number in 0..MAX_GOAL_RUNS as i64 {
            assert!(!progress.begin((number, 0), false, None));
        }
        assert!(progress.begin((1_000, 0), false, None));
        progress.happened((1, 1), 0, |_| true);
        assert!(progress.reached && progress.runs.is_empty());
        assert!(!progress.begin((2_000, 0), false, None) && progress.runs.is_empty());
    }

    #[test]
    fn merging_keeps_what_is_open_unless_it_is_reached() {
        let mut one = Progress::default();
        one.begin((100, 1), false, None);
        let mut other = Progress::default();
        other.begin((50, 1), true, None);
        let merged = one.merged(&other);
        assert_eq!(merged, other.merged(&one));
        assert_eq!((merged.runs.len(), merged.held_out), (2, false));
        other.happened((60, 2), 10, |_| true);
        assert!(one.merged(&other).reached);
    }
}
