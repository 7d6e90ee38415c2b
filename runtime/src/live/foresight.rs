//! What time alone will bring: the next deadlines of all customers, and what comes of each if nothing happens before.

use super::{Cursor, Live};
use crate::{
    customers::Found,
    limits::{DEADLINES_LOOKED_AT, FORESEEN},
};
use segue_compiler::{
    execution::{Execution, Output},
    record::Record,
    value::Millis,
};
use std::{collections::BinaryHeap, sync::Arc};

/// The earliest deadlines of those that were looked at so far.
#[derive(Clone, Debug)]
pub struct Earliest {
    /// The last of them first.
    heap: BinaryHeap<(Millis, Cursor)>,
    most: usize,
    /// Where to go on looking; none at the end.
    next: Option<Cursor>,
    /// How many deadlines there are in what was looked at.
    seen: u64,
}

/// A deadline, and what comes of it if nothing happens before.
#[derive(Clone, Debug, PartialEq)]
pub struct Foreseen {
    /// When: `settle` later something is decided.
    pub at: Millis,
    /// Whose.
    pub customer: Arc<str>,
    /// What would be recorded then; nothing where only what is remembered changes.
    pub records: Vec<Record>,
}

impl Earliest {
    /// Nothing yet of what is to be so many deadlines.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { heap: BinaryHeap::new(), most, next: Some(Cursor::default()), seen: 0 }
    }

    /// Whether everybody was looked at.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.next.is_none()
    }

    /// How many deadlines there are in what was looked at.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Those that were found, in order of time.
    #[must_use]
    pub fn into_places(self) -> Vec<(Millis, Cursor)> {
        self.heap.into_sorted_vec()
    }

    fn add(&mut self, at: Millis, place: Cursor) {
        self.seen += 1;
        self.heap.push((at, place));
        if self.heap.len() > self.most {
            self.heap.pop();
        }
    }
}

impl<E: Execution> Live<E> {
    /// Looks at some more customers for the earliest deadlines: at about a million, which takes a few milliseconds.
    pub fn look_ahead(&self, earliest: &mut Earliest) {
        let mut left = DEADLINES_LOOKED_AT;
        while let Some(from) = earliest.next {
            let Some(shard) = self.shards.get(from.shard as usize) else {
                earliest.next = None;
                return;
            };
            if left == 0 {
                return;
            }
            let end = u32::try_from(shard.places()).unwrap_or(u32::MAX);
            let until = end.min(from.place.saturating_add(left));
            for due in shard.deadlines.among(from.place..until) {
                earliest.add(due.at, Cursor { shard: from.shard, place: due.place });
            }
            left -= until.saturating_sub(from.place);
            let is_through = until >= end;
            let shard = from.shard + u32::from(is_through);
            earliest.next = Some(Cursor { shard, place: if is_through { 0 } else { until } });
        }
    }

    /// What comes of deadlines that were found, each tried with a copy of its customer; of at most [`FORESEEN`]. What is not
    /// due any more as it was is left out.
    pub fn foresee(&mut self, places: &[(Millis, Cursor)]) -> Vec<Foreseen>
    where
        E: Execution<Resting = Box<[u8]>, Customer: Clone>,
    {
        let due = places.iter().take(FORESEEN);
        due.filter_map(|(at, cursor)| self.foresee_one(*at, *cursor)).collect()
    }

    fn foresee_one(&mut self, at: Millis, Cursor { shard, place }: Cursor) -> Option<Foreseen>
    where
        E: Execution<Resting = Box<[u8]>, Customer: Clone>,
    {
        let shard = self.shards.get_mut(shard as usize)?;
        if shard.deadlines.at(place) != Some(at) {
            return None;
        }
        let customer = Arc::from(shard.customers.id(&self.execution, place));
        let mut copy = match shard.customers.at(place)? {
            Found::Awake(customer) => customer.clone(),
            Found::Resting(bytes) => self.execution.wake(&mut Box::<[u8]>::from(bytes)),
        };
        let mut out = Output::default();
        self.execution.advance(&mut copy, at, &mut out);
        Some(Foreseen { at, customer, records: out.records })
    }
}
