//! What is under way in a sequence, under new rules.

use super::{Chain, KeyState, Pending, Sequence, SequenceState};
use crate::engine::frame::Kept;
use segue_compiler::{consent::Stamp, succession::TriggeredBefore, value::Millis};
use std::{collections::BTreeSet, sync::Arc};

impl Sequence {
    /// A sequence with this state.
    pub(in crate::engine) fn of(state: SequenceState) -> Self {
        Self { unread: None, state: Some(Arc::new(state)) }
    }
}

impl SequenceState {
    /// When the last events were of complete chains that are under way.
    pub(in crate::engine) fn waits_from(&self) -> BTreeSet<Millis> {
        let all = self.keys.iter().flat_map(|key| &key.pending);
        all.map(|pending| pending.completed.waits_from().0).collect()
    }

    /// The events of everything that is under way.
    pub(in crate::engine) fn events(&self) -> impl Iterator<Item = &Kept> {
        self.keys.iter().flat_map(|key| {
            let chains = key.chains.iter().flat_map(|chain| &chain.events);
            let pending = key.pending.iter().flat_map(|pending| &pending.completed.events);
            chains.chain(pending).map(|event| &**event)
        })
    }

    /// Forgets the complete chains that have triggered the rule; `waiting` are those of what triggered it before.
    pub(in crate::engine) fn forget_triggered(
        &mut self,
        triggered: &TriggeredBefore,
        waiting: &BTreeSet<Millis>,
        now: Millis,
    ) {
        for key in &mut self.keys {
            let may_still = |(at, _): Stamp| triggered.may_still(at, now, || waiting.contains(&at));
            key.pending.retain(|pending| may_still(pending.completed.waits_from()));
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
