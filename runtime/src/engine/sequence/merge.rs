//! What two customers, who turn out to be one, had under way in a sequence.

use super::{Chain, KeyState, Moment, Pending, SequenceState};
use crate::engine::merge::Shift;
use segue_compiler::{
    consent::Stamp, execution::Counts, limits::MAX_MATCHES, plan::SequencePlan, typed::Anchor, value::Millis,
};
use std::sync::Arc;

impl Shift {
    fn chain(self, Chain { step, events }: &Chain) -> Chain {
        Chain { step: *step, events: events.iter().map(|event| Arc::new(event.shifted(self))).collect() }
    }

    fn pending(self, Pending { completed, deadline }: &Pending) -> Pending {
        Pending { completed: completed.shifted(self), deadline: *deadline }
    }
}

impl SequenceState {
    /// Takes up what the other customer had under way.
    pub(in crate::engine) fn merge(
        &mut self,
        other: &Self,
        plan: &SequencePlan,
        shift: Shift,
        moment: Moment,
        counts: &mut Counts,
    ) {
        let Self { begun, keys, due: _, remembered: _ } = other;
        self.begun |= begun;
        for theirs in keys {
            let place = self.keys.iter().position(|mine| mine.key == theirs.key).unwrap_or_else(|| {
                self.keys.push(KeyState::new(theirs.key.clone()));
                self.keys.len() - 1
            });
            if let Some(mine) = self.keys.get_mut(place) {
                mine.merge(theirs, plan, shift, counts);
            }
        }
        self.remembered = Millis::MIN;
        self.forget(plan, moment);
        self.make_room(counts);
        self.schedule();
    }
}

impl KeyState {
    fn merge(&mut self, other: &Self, plan: &SequencePlan, shift: Shift, counts: &mut Counts) {
        let Self { key: _, touched, chains, pending, denied } = other;
        self.touched = self.touched.max(shift.stamp(*touched));
        for chain in chains {
            self.keep(plan.anchor, shift.chain(chain), counts);
        }
        self.denied = self.denied.max(denied.map(|stamp: Stamp| shift.stamp(stamp)));
        let mut waiting: Vec<Pending> = self.pending.drain(..).collect();
        waiting.extend(pending.iter().map(|pending| shift.pending(pending)));
        // What waits from before the event that ends it, at either of the two, is off.
        waiting.retain(|pending| Some(pending.completed.waits_from()) > self.denied);
        waiting.sort_by_key(|pending| pending.completed.waits_from());
        let beyond = waiting.len().saturating_sub(MAX_MATCHES);
        counts.matches_dropped += beyond as u64;
        if plan.anchor == Anchor::Earliest {
            waiting.truncate(MAX_MATCHES);
        } else {
            waiting.drain(..beyond);
        }
        if let (Anchor::Latest, Some(latest)) = (plan.anchor, waiting.last().map(|latest| latest.deadline)) {
            // The latest has moved the moment on for all.
            waiting.iter_mut().for_each(|pending| pending.deadline = latest);
        }
        self.pending = waiting.into();
    }
}
