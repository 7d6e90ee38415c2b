//! Sequences as bytes. Most of what customers rest with are these, so little is written twice.

use super::{Chain, Key, KeyState, Pending, SequenceState};
use crate::engine::{
    customer::{Events, Match},
    frame::Kept,
};
use segue_compiler::{
    consent::Stamp,
    pack::{Broken, Packed, Packer, Unpacker, with_room},
    value::{Millis, Value},
};
use std::sync::Arc;

impl SequenceState {
    /// Writes all but when it is due, which whoever leaves it unread knows.
    pub(super) fn pack(&self, to: &mut Packer) {
        let Self { begun, keys, due: _, remembered: _ } = self;
        to.number((keys.len() as u64) << 1 | u64::from(*begun));
        keys.iter().for_each(|key| key.pack(to));
    }

    /// Reads what [`SequenceState::pack`] wrote. What is remembered is found out when the next event comes.
    pub(super) fn unpack(due: Millis, from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        let (begun, count) = if from.is_former() {
            (bool::unpack(from)?, from.number()?)
        } else {
            let head = from.number()?;
            (head & 1 == 1, head >> 1)
        };
        let count = from.at_most(count)?;
        let mut keys = Vec::with_capacity(with_room(count));
        for _ in 0..count {
            keys.push(KeyState::unpack(from)?);
        }
        Ok(Self { begun, keys, due, remembered: i64::MIN })
    }
}

/// Bits of the head of a key.
const TOUCHED: u64 = 1;
const DENIED: u64 = 2;
const PENDING: u64 = 4;
/// There is one chain, of a first event.
const BEGUN: u64 = 8;
/// How far the number of other chains is shifted in the head.
const CHAINS: u32 = 4;

impl KeyState {
    fn pack(&self, to: &mut Packer) {
        let Self { key, touched, chains, pending, denied } = self;
        key.pack(to);
        // Mostly the event that played a role last is still there.
        let touched = Some(*touched).filter(|touched| *touched != self.newest());
        let bit = |is_set: bool, bit: u64| if is_set { bit } else { 0 };
        let head = bit(touched.is_some(), TOUCHED)
            | bit(denied.is_some(), DENIED)
            | bit(!pending.is_empty(), PENDING)
            | match chains.as_slice() {
                [Chain { step: 0, events }] if events.len() == 1 => BEGUN,
                chains => (chains.len() as u64) << CHAINS,
            };
        to.number(head);
        if let [Chain { events, .. }] = chains.as_slice()
            && head & BEGUN != 0
        {
            pack_events(events, key, to);
        }
        for Chain { step, events } in chains.iter().filter(|_| head & BEGUN == 0) {
            step.pack(to);
            events.len().pack(to);
            pack_events(events, key, to);
        }
        if !pending.is_empty() {
            pending.len().pack(to);
        }
        for Pending { completed, deadline } in pending {
            let first = Some(completed.first).filter(|first| *first != of_first(&completed.events));
            to.number((completed.events.len() as u64) << 1 | u64::from(first.is_some()));
            pack_events(&completed.events, key, to);
            if let Some(first) = first {
                first.pack(to);
            }
            to.signed(deadline.wrapping_sub(completed.waits_from().0));
        }
        if let Some(denied) = denied {
            denied.pack(to);
        }
        if let Some(touched) = touched {
            touched.pack(to);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        let mut state = Self::new(Key::unpack(from)?);
        let head = from.number()?;
        let head = if from.is_former() { head & (BEGUN - 1) | head >> 3 << CHAINS } else { head };
        if head & BEGUN != 0 {
            state.chains.push(Chain { step: 0, events: unpack_events(1, &state.key, from)? });
        }
        for _ in 0..head >> CHAINS {
            let step = Packed::unpack(from)?;
            let count = from.length()?;
            state.chains.push(Chain { step, events: unpack_events(count, &state.key, from)? });
        }
        let pending = if head & PENDING == 0 { 0 } else { from.length()? };
        for _ in 0..pending {
            let head = from.number()?;
            let count = usize::try_from(head >> 1).map_err(|_| Broken)?;
            let events = unpack_events(count, &state.key, from)?;
            let first = if head & 1 == 1 { Packed::unpack(from)? } else { of_first(&events) };
            let completed = Match { events, first };
            let deadline = from.signed()?.wrapping_add(completed.waits_from().0);
            state.pending.push(Pending { completed, deadline });
        }
        if head & DENIED != 0 {
            state.denied = Some(Packed::unpack(from)?);
        }
        state.touched = if head & TOUCHED == 0 { state.newest() } else { Packed::unpack(from)? };
        Ok(state)
    }

    /// The place of the newest event of all that are kept.
    fn newest(&self) -> Stamp {
        let chains = self.chains.iter().map(Chain::last);
        let pending = self.pending.iter().map(|pending| pending.completed.waits_from());
        chains.chain(pending).chain(self.denied).max().unwrap_or_default()
    }
}

/// The place of the first of some events.
fn of_first(events: &Events) -> Stamp {
    events.first().map(|event| event.stamp()).unwrap_or_default()
}

fn pack_events(events: &Events, key: &[Value], to: &mut Packer) {
    events.iter().for_each(|event| event.pack_of(key, to));
}

fn unpack_events(count: usize, key: &[Value], from: &mut Unpacker<'_>) -> Result<Events, Broken> {
    (0..count).map(|_| Kept::unpack_of(key, from).map(Arc::new)).collect()
}
