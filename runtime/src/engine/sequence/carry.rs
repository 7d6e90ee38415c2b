//! What is under way in a sequence, under new rules.

use super::{Chain, KeyState, Pending, Sequence, SequenceState};
use crate::engine::frame::Kept;
use segue_compiler::{consent::Stamp, value::Millis};
use std::sync::Arc;

impl Sequence {
    /// A sequence with this state.
    pub(in crate::engine) fn of(state: SequenceState) -> Self {
        Self { unread: None, state }
    }
}

impl SequenceState {
    /// Forgets the complete chains that ended so long before an instant.
    pub(in crate::engine) fn forget_complete(&mut self, before: Millis, after: i64) {
        for key in &mut self.keys {
            let is_young = |(at, _): Stamp| at.saturating_add(after) > before;
            key.pending.retain(|pending| is_young(pending.completed.waits_from()));
        }
        self.keys.retain(|key| !key.is_empty());
        self.schedule();
    }

    /// The same with other events and places.
    pub(in crate::engine) fn mapped(
        &self,
        of: impl Fn(&Kept) -> Kept + Copy,
        place: impl Fn(Stamp) -> Stamp + Copy,
    ) -> Self {
        let Self { begun, keys, due, remembered: _ } = self;
        let keys = keys.iter().map(|KeyState { key, touched, chains, pending, denied }| KeyState {
            key: key.clone(),
            touched: place(*touched),
            chains: chains
                .iter()
                .map(|Chain { step, events }| Chain {
                    step: *step,
                    events: events.iter().map(|event| Arc::new(of(event))).collect(),
                })
                .collect(),
            pending: pending
                .iter()
                .map(|Pending { completed, deadline }| Pending {
                    completed: completed.mapped(of, place),
                    deadline: *deadline,
                })
                .collect(),
            denied: denied.map(place),
        });
        Self { begun: *begun, keys: keys.collect(), due: *due, remembered: Millis::MIN }
    }
}
