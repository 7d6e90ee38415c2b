//! The states of many customers, by id.

mod seats;

use crate::limits::{APPROACHED, FAR_CUSTOMERS};
use hashbrown::HashTable;
use seats::Seats;
use segue_compiler::{
    execution::{Execution, Rested},
    pack::Packer,
    shelf::{AtRest, Shelf},
};
use smallvec::SmallVec;
use std::{collections::BTreeSet, sync::Arc};

/// States by customer's id. Those of whom something happened lately are awake, the others rest.
pub(crate) struct Customers<E: Execution> {
    places: HashTable<Place>,
    /// In order of arrival; of those who are awake, only the id holds.
    resting: <E::Resting as AtRest>::Shelf,
    /// Those who are awake. What comes out does not depend on who is.
    awake: Seats<E::Customer>,
    packer: Packer,
    /// By place, whether the customer was ever named by a `userId`: a bit each.
    known: Vec<u64>,
    /// Places of customers who were joined with others or erased, and of whom nothing was heard since.
    gone: BTreeSet<u32>,
}

/// A customer, and how they are.
pub(crate) enum Found<'c, E: Execution> {
    Awake(&'c E::Customer),
    Resting(&'c Rested<E>),
}

/// A customer in the table, which is only looked up, never walked, so that no order of hashes is seen. Half of a hash is
/// kept: whoever shares it is told apart by id.
struct Place {
    half: u32,
    place: u32,
}

impl Place {
    /// A hash of the half.
    fn spread(half: u32) -> u64 {
        // An odd factor near 2⁶⁴ divided by the golden ratio: both ends of the product depend on all of the half.
        u64::from(half).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

impl<E: Execution> Customers<E> {
    pub(crate) fn new() -> Self {
        Self {
            places: HashTable::new(),
            resting: <E::Resting as AtRest>::Shelf::default(),
            awake: Seats::new(),
            packer: Packer::default(),
            known: Vec::new(),
            gone: BTreeSet::new(),
        }
    }

    /// How many places there are.
    pub(crate) fn len(&self) -> usize {
        self.resting.len()
    }

    /// How many of them are those of customers.
    pub(crate) fn count(&self) -> usize {
        self.resting.len() - self.gone.len()
    }

    /// The place of a customer; `None` when there is none of this id.
    pub(crate) fn find(&self, execution: &E, hash: u64, id: &str) -> Option<u32> {
        self.locate(execution, hash, id).filter(|place| !self.gone.contains(place))
    }

    /// A customer is known by a `userId`.
    pub(crate) fn note_known(&mut self, place: u32) {
        let word = place as usize / 64;
        if self.known.len() <= word {
            self.known.resize(word + 1, 0);
        }
        self.known[word] |= 1 << (place % 64);
    }

    /// Whether the customer at a place was ever named by a `userId`.
    pub(crate) fn is_known(&self, place: u32) -> bool {
        self.known.get(place as usize / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    /// Takes a customer out: at the place there is nothing but the id.
    pub(crate) fn take(&mut self, execution: &E, place: u32) -> E::Customer {
        let id = Arc::from(self.id(execution, place));
        self.replace(execution, place, id)
    }

    /// Takes a customer out and forgets the id, too; gives the place and whether there was one.
    pub(crate) fn erase(&mut self, execution: &E, hash: u64, id: &str) -> Option<(u32, bool)> {
        let place = self.locate(execution, hash, id)?;
        let was_there = !self.gone.contains(&place);
        self.replace(execution, place, Arc::from(""));
        Some((place, was_there))
    }

    fn replace(&mut self, execution: &E, place: u32, id: Arc<str>) -> E::Customer {
        let taken = std::mem::replace(self.wake(execution, place), execution.customer(id.clone()));
        self.resting.replace(place, execution.rest(execution.customer(id), &mut self.packer));
        self.gone.insert(place);
        if let Some(word) = self.known.get_mut(place as usize / 64) {
            *word &= !(1 << (place % 64));
        }
        taken
    }

    fn locate(&self, execution: &E, hash: u64, id: &str) -> Option<u32> {
        // The upper half chooses the shard.
        let half = hash as u32;
        let is_it = |other: &Place| other.half == half && self.id(execution, other.place) == id;
        self.places.find(Place::spread(half), is_it).map(|known| known.place)
    }

    /// Brings those who come next near the processor, where there are so many customers that they are not: memory is waited
    /// for once for several of them. Some [`APPROACHED`] stay nearest to it; of more, the rest are still nearer than in
    /// memory.
    pub(crate) fn approach(&self, hashes: impl Iterator<Item = u64>) {
        if self.len() < FAR_CUSTOMERS {
            return;
        }
        let place = |hash| {
            let half = hash as u32;
            self.places.find(Place::spread(half), |other| other.half == half).map(|known| known.place)
        };
        let places: SmallVec<[u32; APPROACHED]> = hashes.filter_map(place).collect();
        self.resting.approach(&places);
    }

    /// The place and state of a customer; the state is made when there is none.
    pub(crate) fn entry(&mut self, execution: &E, hash: u64, id: &str) -> (u32, &mut E::Customer) {
        let place = self.place(execution, hash, id);
        (place, self.wake(execution, place))
    }

    /// The place of a customer, who is made when there is none.
    pub(crate) fn place(&mut self, execution: &E, hash: u64, id: &str) -> u32 {
        match self.locate(execution, hash, id) {
            Some(place) => {
                if !self.gone.is_empty() {
                    self.gone.remove(&place);
                }
                place
            }
            None => {
                let half = hash as u32;
                let place = u32::try_from(self.resting.len()).unwrap_or(u32::MAX);
                let customer = execution.customer(Arc::from(id));
                self.resting.push(execution.absent(id, &mut self.packer));
                self.places.insert_unique(Place::spread(half), Place { half, place }, |other| {
                    Place::spread(other.half)
                });
                self.awake.suit(self.resting.len());
                let leaving = self.awake.look(place);
                self.seat(execution, place, leaving, |_| customer);
                place
            }
        }
    }

    /// The state of the customer at a place.
    pub(crate) fn wake(&mut self, execution: &E, place: u32) -> &mut E::Customer {
        let leaving = self.awake.look(place);
        self.seat(execution, place, leaving, |resting| wake(execution, resting))
    }

    /// The state of a customer who was woken just now, and mostly still is awake.
    pub(crate) fn woken(&mut self, execution: &E, place: u32) -> &mut E::Customer {
        let leaving = self.awake.look_again(place);
        self.seat(execution, place, leaving, |resting| wake(execution, resting))
    }

    /// The state of the customer at a place, for whom others may have to leave; whoever is not awake is made so.
    fn seat(
        &mut self,
        execution: &E,
        place: u32,
        leaving: Vec<(u32, E::Customer)>,
        wake: impl FnOnce(Option<&mut Rested<E>>) -> E::Customer,
    ) -> &mut E::Customer {
        for (other, customer) in leaving {
            self.resting.replace(other, execution.rest(customer, &mut self.packer));
        }
        let seat = self.awake.seat(place);
        if let Some((other, customer)) = seat.take_if(|(other, _)| *other != place) {
            self.resting.replace(other, execution.rest(customer, &mut self.packer));
        }
        let (_, customer) = seat.get_or_insert_with(|| (place, wake(self.resting.at_mut(place))));
        customer
    }

    /// The state of the customer at a place, for the last time: nothing but the id is left.
    pub(crate) fn release(&mut self, execution: &E, place: u32) -> E::Customer {
        match self.awake.take(place) {
            Some(customer) => customer,
            None => wake(execution, self.resting.at_mut(place)),
        }
    }

    /// How many can be awake.
    pub(crate) fn seats(&self) -> usize {
        self.awake.len()
    }

    /// Lays the customer at a place to rest.
    pub(crate) fn lay_to_rest(&mut self, execution: &E, place: u32) {
        if let Some(customer) = self.awake.take(place) {
            self.resting.replace(place, execution.rest(customer, &mut self.packer));
        }
    }

    /// Whether nobody is at a place any more.
    pub(crate) fn is_gone(&self, place: u32) -> bool {
        self.gone.contains(&place)
    }

    /// The customer at a place, who stays as they are.
    pub(crate) fn at(&self, place: u32) -> Option<Found<'_, E>> {
        let awake = self.awake.at(place).map(Found::Awake);
        awake.or_else(|| self.resting.at(place).map(Found::Resting))
    }

    /// Takes up a customer who rested elsewhere; whoever had the id is replaced. Gives the place.
    pub(crate) fn restore(&mut self, execution: &E, hash: u64, id: &str, resting: E::Resting) -> u32 {
        let place = self.entry(execution, hash, id).0;
        self.awake.take(place);
        self.resting.replace(place, resting);
        place
    }

    /// The id of the customer at a place.
    pub(crate) fn id<'c>(&'c self, execution: &'c E, place: u32) -> &'c str {
        self.resting.at(place).map_or("", |resting| execution.id_of(resting))
    }
}

/// Somebody of whom nothing is known where nobody rests.
fn wake<E: Execution>(execution: &E, resting: Option<&mut Rested<E>>) -> E::Customer {
    match resting {
        Some(resting) => execution.wake(resting),
        None => execution.customer(Arc::from("")),
    }
}
