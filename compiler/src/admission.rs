//! Which calls are applied: duplicates, what may be one, and stamps from the future.

use crate::{
    event::Incoming,
    execution::{Counts, Outcome},
    limits::MAX_IDS,
    pack::{Broken, Packed, Packer, Unpacker, with_room},
    settings::Settings,
    value::Millis,
};
use std::collections::VecDeque;
use xxhash_rust::xxh3::xxh3_64;

/// How far a stamp may lie after its arrival: clocks of phones are that wrong.
pub const MAX_SKEW: i64 = 5 * 60_000;

/// The message ids of one customer that are still known, as fingerprints of 48 bits.
#[derive(Clone, Debug, Default)]
pub struct Admission {
    ids: VecDeque<(Millis, u64)>,
    /// The time of the newest id that was let go early: what happened up to then may be known.
    floor: Option<Millis>,
}

impl Admission {
    /// What becomes of a call; `clock` is the customer's. A call that is applied is remembered.
    ///
    /// Fingerprints are XXH3: among 256 of them the chance that a new id is taken for a known one is
    /// about 10⁻¹², and among the eight of an ordinary day 3 × 10⁻¹⁴.
    pub fn admit(
        &mut self,
        call: &Incoming<'_>,
        clock: Option<Millis>,
        settings: &Settings,
        counts: &mut Counts,
    ) -> Outcome {
        if is_ahead(call.at, call.received_at, settings.until) {
            return Outcome::Quarantined;
        }
        let now = clock.map_or(call.at, |clock| clock.max(call.at));
        let horizon = now.saturating_sub(settings.dedupe);
        let fingerprint = fingerprint(call.message_id);
        if self.ids.iter().any(|(at, id)| *at > horizon && *id == fingerprint) {
            return Outcome::Duplicate;
        }
        if call.at > horizon && self.floor.is_some_and(|floor| call.at <= floor) {
            return Outcome::Doubtful;
        }
        self.remember(fingerprint, call.at, horizon, settings.max_ids, counts);
        if clock.is_some_and(|clock| call.at < clock) { Outcome::Late } else { Outcome::Applied }
    }

    /// Remembers the id of an event that the engine made itself, so that the tracker's copy of it is a duplicate.
    pub fn made(&mut self, message_id: &str, at: Millis, settings: &Settings, counts: &mut Counts) {
        let horizon = at.saturating_sub(settings.dedupe);
        self.remember(fingerprint(message_id), at, horizon, settings.max_ids, counts);
    }

    /// Takes up what another customer, who turned out to be the same, had admitted up to an instant.
    pub fn merge(&mut self, other: Self, now: Millis, settings: &Settings, counts: &mut Counts) {
        let Self { ids, floor } = other;
        let horizon = now.saturating_sub(settings.dedupe);
        for (at, fingerprint) in ids {
            self.remember(fingerprint, at, horizon, usize::MAX, counts);
        }
        self.floor = self.floor.max(floor.filter(|floor| *floor > horizon));
        self.make_room(settings.max_ids, counts);
    }

    /// Remembers an id, and forgets those up to the horizon.
    fn remember(&mut self, fingerprint: u64, at: Millis, horizon: Millis, max: usize, counts: &mut Counts) {
        self.floor = self.floor.filter(|floor| *floor > horizon);
        while self.ids.front().is_some_and(|(at, _)| *at <= horizon) {
            self.ids.pop_front();
        }
        if at <= horizon {
            return;
        }
        if self.ids.back().is_none_or(|(newest, _)| *newest <= at) {
            self.ids.push_back((at, fingerprint));
        } else {
            let place = self.ids.partition_point(|(other, _)| *other <= at);
            self.ids.insert(place, (at, fingerprint));
        }
        self.make_room(max, counts);
    }

    /// Lets the oldest ids go where there are too many.
    fn make_room(&mut self, max: usize, counts: &mut Counts) {
        while self.ids.len() > max
            && let Some((at, _)) = self.ids.pop_front()
        {
            self.floor = self.floor.max(Some(at));
            counts.ids_dropped += 1;
        }
    }
}

/// Whether a call is stamped after its arrival, or after the end.
#[must_use]
pub fn is_ahead(at: Millis, received_at: Option<Millis>, until: Option<Millis>) -> bool {
    received_at.is_some_and(|arrival| at > arrival.saturating_add(MAX_SKEW))
        || until.is_some_and(|until| at > until)
}

impl Packed for Admission {
    fn pack(&self, to: &mut Packer) {
        let Self { ids, floor } = self;
        floor.pack(to);
        ids.len().pack(to);
        for (at, fingerprint) in ids {
            at.pack(to);
            to.raw(fingerprint.to_le_bytes().get(..FINGERPRINT_BYTES).unwrap_or_default());
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        let floor = Packed::unpack(from)?;
        let count = usize::unpack(from)?.min(MAX_IDS);
        let mut ids = VecDeque::with_capacity(with_room(count));
        for _ in 0..count {
            let at = Packed::unpack(from)?;
            // An earlier version kept all of it.
            let left_out = if from.is_former() { 8 - FINGERPRINT_BYTES } else { 0 };
            let mut fingerprint = [0; 8];
            let kept = from.raw(FINGERPRINT_BYTES + left_out)?.iter().skip(left_out);
            for (place, byte) in fingerprint.iter_mut().zip(kept) {
                *place = *byte;
            }
            ids.push_back((at, u64::from_le_bytes(fingerprint)));
        }
        Ok(Self { ids, floor })
    }
}

/// How much of a hash is kept of a message id: customers are many, and each has the ids of a day.
pub(crate) const FINGERPRINT_BYTES: usize = 6;

fn fingerprint(message_id: &str) -> u64 {
    xxh3_64(message_id.as_bytes()) >> (64 - 8 * FINGERPRINT_BYTES)
}
