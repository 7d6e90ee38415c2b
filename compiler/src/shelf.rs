//! What customers lie in while they rest, by place.

mod slab;

pub use slab::Slab;

use std::ops::DerefMut;

/// A customer at rest, and what many of them lie in.
pub trait AtRest: DerefMut + Send + Sized {
    /// What many of them lie in.
    type Shelf: Shelf<Self> + Send;
}

/// Customers at rest, by place: the first is at place 0.
pub trait Shelf<R: DerefMut>: Default {
    /// How many places there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts a customer at the next place.
    fn push(&mut self, resting: R);

    /// Puts a customer at a place where another was; nothing where there is no such place.
    fn replace(&mut self, place: u32, resting: R);

    /// The customer at a place.
    fn at(&self, place: u32) -> Option<&R::Target>;

    /// Brings those at some places near the processor: memory is waited for once for several of them.
    fn approach(&self, places: &[u32]);

    /// The customer at a place.
    fn at_mut(&mut self, place: u32) -> Option<&mut R::Target>;
}

impl AtRest for Box<[u8]> {
    type Shelf = Slab;
}

impl<R: DerefMut> Shelf<R> for Vec<R> {
    fn len(&self) -> usize {
        self.len()
    }

    fn push(&mut self, resting: R) {
        self.push(resting);
    }

    fn replace(&mut self, place: u32, resting: R) {
        if let Some(there) = self.get_mut(place as usize) {
            *there = resting;
        }
    }

    /// Nothing: what lies here leads to further pieces of memory.
    fn approach(&self, _: &[u32]) {}

    fn at(&self, place: u32) -> Option<&R::Target> {
        self.get(place as usize).map(|resting| &**resting)
    }

    fn at_mut(&mut self, place: u32) -> Option<&mut R::Target> {
        self.get_mut(place as usize).map(|resting| &mut **resting)
    }
}
