//! What changed, as bytes that can be kept and taken up again.
//!
//! A key tells what it is of: a customer or a link of an anonymous id, with the hash first, so that keys spread evenly. The
//! bytes of a customer begin with the version of their format; they mean something only to the program that wrote them.

use super::{Live, shard::Shard};
use crate::threads::{hash, shard_of};
use segue_compiler::{
    execution::Execution,
    pack::{Broken, Packed, Packer, Unpacker},
    value::Millis,
};
use std::collections::BTreeSet;

/// The version of the format of a customer's bytes.
pub const FORMAT: u8 = 3;

/// Something that changed. The later of two changes of one key holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// What it is of.
    pub key: Vec<u8>,
    /// What it is now; none when it is no more.
    pub value: Option<Vec<u8>>,
}

/// Bytes that are no customer's, or not of this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// They are broken.
    #[error("the bytes of a customer are broken")]
    Broken,
    /// They were written by a later version.
    #[error("the bytes of a customer have format {0}; this version reads up to {FORMAT}")]
    Format(u8),
}

impl From<Broken> for Unreadable {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}

/// What went since changes were last asked for.
#[derive(Debug, Default)]
pub(super) struct Removed {
    pub(super) customers: BTreeSet<String>,
    pub(super) links: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Customer = 1,
    Link = 2,
}

fn key(kind: Kind, id: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(9 + id.len());
    key.push(kind as u8);
    key.extend_from_slice(&hash(id).to_be_bytes());
    key.extend_from_slice(id.as_bytes());
    key
}

/// What a key is of.
fn read_key(key: &[u8]) -> Result<(Kind, &str), Unreadable> {
    let kind = match key.first() {
        Some(1) => Kind::Customer,
        Some(2) => Kind::Link,
        _ => return Err(Unreadable::Broken),
    };
    let id = key.get(9..).and_then(|id| std::str::from_utf8(id).ok());
    id.map(|id| (kind, id)).ok_or(Unreadable::Broken)
}

impl<E: Execution<Resting = Box<[u8]>>> Live<E> {
    /// What changed since this was last asked, in order of the keys.
    pub fn changes(&mut self) -> Vec<Change> {
        let gone = |kind| move |id: &String| Change { key: key(kind, id), value: None };
        let mut changes: Vec<Change> = Vec::new();
        for shard in &mut self.shards {
            for place in shard.changed.take() {
                changes.extend(shard.change_at(&self.execution, place));
            }
        }
        for (anonymous, known) in self.identities.take_news() {
            let value = known.as_bytes().to_vec();
            changes.push(Change { key: key(Kind::Link, &anonymous), value: Some(value) });
        }
        // Whoever went and came again is there.
        let mut went: Vec<Change> = self.removed.customers.iter().map(gone(Kind::Customer)).collect();
        went.extend(self.removed.links.iter().map(gone(Kind::Link)));
        self.removed = Removed::default();
        changes.sort_unstable();
        went.retain(|went| changes.binary_search_by(|it| it.key.cmp(&went.key)).is_err());
        changes.extend(went);
        changes.sort_unstable();
        changes
    }

    /// Takes up something that was there when it was last kept. Not twice of one key.
    ///
    /// # Errors
    /// When the bytes are not such.
    pub fn restore(&mut self, key: &[u8], value: &[u8]) -> Result<(), Unreadable> {
        match read_key(key)? {
            (Kind::Link, anonymous) => {
                let known = std::str::from_utf8(value).map_err(|_| Unreadable::Broken)?;
                self.identities.restore(anonymous, known);
                Ok(())
            }
            (Kind::Customer, id) => {
                let hash = hash(id);
                let shard = shard_of(hash, self.shards.len());
                self.shards[shard].restore(&self.execution, hash, id, value)
            }
        }
    }
}

impl<E: Execution<Resting = Box<[u8]>>> Shard<E> {
    fn change_at(&mut self, execution: &E, place: u32) -> Option<Change> {
        if self.customers.is_gone(place) {
            return None;
        }
        let mut packer = Packer::default();
        packer.raw(&[FORMAT]);
        self.customers.is_known(place).pack(&mut packer);
        self.deadlines.at(place).pack(&mut packer);
        packer.raw(self.customers.resting_at(execution, place)?);
        let key = key(Kind::Customer, self.customers.id(execution, place));
        Some(Change { key, value: Some(packer.finish()) })
    }

    fn restore(&mut self, execution: &E, hash: u64, id: &str, value: &[u8]) -> Result<(), Unreadable> {
        let mut from = Unpacker::new(value, 0);
        match from.raw(1)? {
            // States tell themselves apart.
            [1 | 2 | FORMAT] => {}
            [format, ..] => return Err(Unreadable::Format(*format)),
            [] => return Err(Unreadable::Broken),
        }
        let (is_known, deadline) = (bool::unpack(&mut from)?, Option::<Millis>::unpack(&mut from)?);
        let resting: Box<[u8]> = from.rest().into();
        if execution.id_of(&resting) != id {
            return Err(Unreadable::Broken);
        }
        let place = self.customers.restore(execution, hash, id, resting);
        if is_known {
            self.customers.note_known(place);
        }
        if let Some(at) = deadline {
            self.deadlines.schedule(place, at);
        }
        Ok(())
    }
}
