//! Runs of two customers who turn out to be one.

use super::Waiting;
use crate::engine::{Engine, customer::Customer, merge::Shift};
use segue_compiler::{execution::Counts, hold, limits::MAX_RUNS, value::Millis};
use std::{cmp::Reverse, sync::Arc};

impl Waiting {
    /// Whether it has come farther than another run; where both are as far, whether it began no later.
    fn is_ahead_of(&self, other: &Self) -> bool {
        let progress = |run: &Self| (Reverse(run.pause.step), run.memory.began);
        progress(self) <= progress(other)
    }

    /// The same in the order of the customer that its own is joined with.
    fn joined(mut self, id: &Arc<str>, shift: Shift) -> Self {
        self.memory.origin.get_or_insert_with(|| id.clone());
        self.memory.id = shift.order(self.memory.id);
        self.memory.began = shift.stamp(self.memory.began);
        self.memory.answer = self.memory.answer.map(|answer| Arc::new(answer.shifted(shift)));
        self.pause.since = shift.stamp(self.pause.since);
        self.memory.completed = self.memory.completed.map(|completed| completed.shifted(shift));
        self
    }

    /// The number of its rule.
    pub(in crate::engine) fn rule(&self) -> u32 {
        self.memory.rule
    }
}

impl Engine {
    /// Puts the runs of two customers together: of two with the same value the one that has come farther stays, else the
    /// one that began earlier.
    pub(in crate::engine) fn merge_waiting(
        &self,
        into: &mut Customer,
        (id, waiting): (&Arc<str>, Vec<Waiting>),
        shift: Shift,
        counts: &mut Counts,
    ) {
        for theirs in waiting.into_iter().map(|theirs| theirs.joined(id, shift)) {
            let (rule, per) = (self.current(theirs.memory.rule), theirs.memory.per.clone());
            let same = |mine: &Waiting| self.current(mine.memory.rule) == rule && mine.memory.per == per;
            let is_full = self.runs_of(into, rule) >= MAX_RUNS;
            let dropped = match into.waiting.iter_mut().find(|mine| same(mine)) {
                Some(mine) if mine.is_ahead_of(&theirs) => theirs,
                Some(mine) => std::mem::replace(mine, theirs),
                None if is_full => {
                    counts.runs_refused += 1;
                    theirs
                }
                None => {
                    into.waiting.push(theirs);
                    continue;
                }
            };
            self.give_back(into, &dropped.memory);
        }
        into.waiting.sort_by_key(Waiting::place);
    }

    /// Asks the conditions of `stop when` anew, so that what was so before starts nothing.
    pub(in crate::engine) fn settle_waiting(&self, customer: &mut Customer, now: Millis) {
        for mut waiting in std::mem::take(&mut customer.waiting) {
            let Some(mut run) = self.woken(waiting.memory) else { continue };
            (waiting.stop_holds, waiting.next_change) = self.stop_condition(customer, &run, now);
            hold::settle(&mut run.memory.hold, self.zone(customer));
            customer.waiting.push(Waiting { memory: run.memory, ..waiting });
        }
    }
}
