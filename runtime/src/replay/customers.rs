//! The states of many customers, by id.

use hashbrown::HashTable;
use std::sync::Arc;

/// States by customer's id.
pub(super) struct Customers<C> {
    /// Hash and position; only looked up, never walked, so that no order of hashes is seen.
    places: HashTable<(u64, usize)>,
    /// In order of arrival. Boxed, so that growing moves pointers and not states.
    states: Vec<Box<(Arc<str>, C)>>,
}

impl<C> Customers<C> {
    pub(super) fn new() -> Self {
        Self { places: HashTable::new(), states: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.states.len()
    }

    /// The place and state of a customer; the state is made when there is none.
    pub(super) fn entry(&mut self, hash: u64, id: &str, make: impl FnOnce(Arc<str>) -> C) -> (usize, &mut C) {
        let is_it = |(other, place): &(u64, usize)| {
            *other == hash && self.states.get(*place).is_some_and(|state| *state.0 == *id)
        };
        let place = match self.places.find(hash, is_it) {
            Some((_, place)) => *place,
            None => {
                let place = self.states.len();
                let id: Arc<str> = Arc::from(id);
                self.states.push(Box::new((id.clone(), make(id))));
                self.places.insert_unique(hash, (hash, place), |(hash, _)| *hash);
                place
            }
        };
        (place, &mut self.states[place].1)
    }

    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut C> {
        self.states.get_mut(place).map(|state| &mut state.1)
    }

    /// All places in order of the customers' ids.
    pub(super) fn in_order(&self) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.states.len()).collect();
        places.sort_unstable_by(|a, b| self.states[*a].0.cmp(&self.states[*b].0));
        places
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &C)> {
        self.states.iter().map(|state| (&state.0, &state.1))
    }
}
