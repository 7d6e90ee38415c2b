//! What happened, kept as bytes until the end of a replay, and then in order.

use crate::limits::RECORD_CHUNK_BYTES;
use segue_compiler::{
    pack::{Packed, Packer, Unpacker},
    record::Record,
    value::Millis,
};
use std::{cmp::Ordering, sync::Arc};

/// Records in order of time, then customer, then happening.
#[derive(Debug, Default)]
pub struct Records {
    /// One part for each shard; a customer's records are all in one.
    parts: Vec<Part>,
}

/// The records of one shard, in the order of happening until they are sorted.
#[derive(Debug, Default)]
pub(super) struct Part {
    places: Vec<Place>,
    /// Packed records, each in one of the chunks, so that growing copies nothing.
    chunks: Vec<Vec<u8>>,
    packer: Packer,
}

/// Where a record lies.
#[derive(Clone, Copy, Debug)]
struct Place {
    at: Millis,
    customer: u32,
    chunk: u32,
    start: u32,
}

impl Part {
    pub(super) fn push(&mut self, customer: u32, record: &Record) {
        self.packer.clear();
        self.packer.rebase(record.at());
        record.pack(&mut self.packer);
        let bytes = self.packer.written();
        if self.chunks.last().is_none_or(|chunk| chunk.capacity() - chunk.len() < bytes.len()) {
            self.chunks.push(Vec::with_capacity(RECORD_CHUNK_BYTES.max(bytes.len())));
        }
        let chunk = u32::try_from(self.chunks.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let Some(last) = self.chunks.last_mut() else { return };
        let start = u32::try_from(last.len()).unwrap_or(u32::MAX);
        last.extend_from_slice(bytes);
        self.places.push(Place { at: record.at(), customer, chunk, start });
    }

    /// Forgets the records of a customer.
    pub(super) fn forget(&mut self, customer: u32) {
        self.places.retain(|place| place.customer != customer);
    }

    /// Puts the records in order; `id` is that of the customer at a place.
    pub(super) fn sort<'c>(&mut self, id: impl Fn(u32) -> &'c str) {
        self.places.sort_unstable_by(|one, other| {
            let of_customers = || match one.customer.cmp(&other.customer) {
                Ordering::Equal => Ordering::Equal,
                Ordering::Less | Ordering::Greater => id(one.customer).cmp(id(other.customer)),
            };
            let happening = |place: &Place| (place.chunk, place.start);
            one.at.cmp(&other.at).then_with(of_customers).then_with(|| happening(one).cmp(&happening(other)))
        });
    }

    fn record(&self, position: usize) -> Option<Record> {
        let place = self.places.get(position)?;
        let bytes = self.chunks.get(place.chunk as usize)?.get(place.start as usize..)?;
        // INVARIANT: what was packed can be unpacked.
        Record::unpack(&mut Unpacker::new(bytes, place.at)).ok()
    }
}

impl Records {
    pub(super) fn of(parts: Vec<Part>) -> Self {
        Self { parts }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.places.len()).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them in order.
    pub fn iter(&self) -> impl Iterator<Item = Record> + '_ {
        let mut heads: Vec<Head<'_>> = self.parts.iter().map(Head::new).collect();
        std::iter::from_fn(move || {
            let next = heads.iter_mut().filter(|head| head.record.is_some()).min_by(|a, b| a.order(b))?;
            next.advance()
        })
    }
}

/// A part that is being read.
struct Head<'r> {
    part: &'r Part,
    position: usize,
    record: Option<Record>,
}

impl<'r> Head<'r> {
    fn new(part: &'r Part) -> Self {
        Self { part, position: 0, record: part.record(0) }
    }

    fn advance(&mut self) -> Option<Record> {
        self.position += 1;
        std::mem::replace(&mut self.record, self.part.record(self.position))
    }

    fn order(&self, other: &Self) -> Ordering {
        let key = |head: &Self| head.record.as_ref().map(|it| (it.at(), Arc::clone(it.customer())));
        key(self).cmp(&key(other))
    }
}
