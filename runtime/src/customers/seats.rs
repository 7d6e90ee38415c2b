//! Who is awake: each customer at their place modulo the number of seats, so that no order of use has to be kept.
//!
//! There are few seats, as whoever is laid to rest while their state is still near the processor is packed several times
//! faster. Where the same customers come again and again, more than there are seats, they would be packed and unpacked each
//! time; then there are many more seats, if that has nearly all of them found awake.

use crate::limits::{
    AWAKE_CUSTOMERS, LOOKS, MOST_AWAKE_CUSTOMERS, UNTRIED_ROUNDS, WORTH_A_TRIAL, WORTH_SEATS,
};
use std::mem;

pub(super) struct Seats<C> {
    seats: Vec<Seat<C>>,
    /// How often somebody was looked for since the last trial, and how often in vain.
    looks: u32,
    misses: u32,
    trial: Trial,
}

/// Somebody who is awake, with their place.
pub(super) type Seat<C> = Option<(u32, C)>;

#[derive(Clone, Copy)]
enum Trial {
    /// There are few seats, and it is not tried with more for so many rounds.
    Later(u32),
    /// There are many, most of which were empty just now; so many looks were in vain when there were few.
    Filling(u32),
    /// There are many, for a round or longer, of which that is asked each time.
    More(u32),
}

impl<C> Seats<C> {
    pub(super) fn new() -> Self {
        Self { seats: seats(AWAKE_CUSTOMERS), looks: 0, misses: 0, trial: Trial::Later(0) }
    }

    /// The seat of a place, in which another may be.
    pub(super) fn seat(&mut self, place: u32) -> &mut Seat<C> {
        let count = self.seats.len();
        &mut self.seats[place as usize % count]
    }

    /// Who is awake at a place.
    pub(super) fn at(&self, place: u32) -> Option<&C> {
        let seat = self.seats.get(place as usize % self.seats.len())?.as_ref();
        seat.filter(|(other, _)| *other == place).map(|(_, customer)| customer)
    }

    /// Somebody is looked for. Gives who loses their seat by that, should it change how many there are.
    pub(super) fn look(&mut self, place: u32) -> Vec<(u32, C)> {
        self.looks += 1;
        self.misses += u32::from(self.seat(place).as_ref().is_none_or(|(other, _)| *other != place));
        if self.looks < LOOKS { Vec::new() } else { self.judge() }
    }

    fn judge(&mut self) -> Vec<(u32, C)> {
        self.looks = 0;
        let misses = mem::take(&mut self.misses);
        let (trial, seats) = match self.trial {
            Trial::Later(rounds @ 1..) => (Trial::Later(rounds - 1), None),
            Trial::Later(0) if misses > LOOKS / WORTH_A_TRIAL => {
                (Trial::Filling(misses), Some(MOST_AWAKE_CUSTOMERS))
            }
            Trial::Later(0) => (Trial::Later(0), None),
            Trial::Filling(before) => (Trial::More(before), None),
            Trial::More(before) if misses * WORTH_SEATS > before => {
                (Trial::Later(UNTRIED_ROUNDS), Some(AWAKE_CUSTOMERS))
            }
            Trial::More(before) => (Trial::More(before), None),
        };
        self.trial = trial;
        seats.map_or_else(Vec::new, |count| self.resize(count))
    }

    /// Sets how many seats there are; gives who loses theirs.
    fn resize(&mut self, count: usize) -> Vec<(u32, C)> {
        let before = mem::replace(&mut self.seats, seats(count));
        let moved = before
            .into_iter()
            .flatten()
            .filter_map(|(place, customer)| self.seat(place).replace((place, customer)));
        moved.collect()
    }
}

fn seats<C>(count: usize) -> Vec<Seat<C>> {
    (0..count).map(|_| None).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many looks for so many customers, at random; gives how many seats there are in the end.
    fn after(customers: u32, looks: u32) -> usize {
        let mut seats = Seats::new();
        let mut random = 1_u64;
        for _ in 0..looks {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let place = (random >> 33) as u32 % customers;
            seats.look(place);
            *seats.seat(place) = Some((place, ()));
        }
        assert!(seats.seats.iter().flatten().all(|(place, ())| *place < customers));
        seats.seats.len()
    }

    #[test]
    fn there_are_more_seats_only_where_nearly_all_who_come_are_found_then() {
        assert_eq!(after(100, 40 * LOOKS), AWAKE_CUSTOMERS, "all are awake");
        assert_eq!(after(280, 40 * LOOKS), AWAKE_CUSTOMERS, "few are not");
        assert_eq!(after(1_500, 40 * LOOKS), MOST_AWAKE_CUSTOMERS);
        assert_eq!(after(20_000, 40 * LOOKS), MOST_AWAKE_CUSTOMERS);
        assert_eq!(after(1_000_000, 16 * LOOKS), AWAKE_CUSTOMERS, "nobody comes again soon");
    }
}
