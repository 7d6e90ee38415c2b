//! Who is awake: each customer on one of a few seats that stand together, found by their place modulo how many such rows there
//! are. Whoever came longest ago loses their seat, so that those who are on the site keep theirs.
//!
//! There are few seats, as whoever is laid to rest while their state is still near the processor is packed several times
//! faster. Where the same customers come again and again, more than there are seats, they would be packed and unpacked each
//! time; then there are many more seats, if that has nearly all of them found awake.

use crate::limits::{
    AWAKE_CUSTOMERS, LOOKS, MOST_AWAKE_CUSTOMERS, ROW_OF_SEATS, UNTRIED_ROUNDS, WORTH_A_TRIAL, WORTH_SEATS,
};
use std::mem;

pub(super) struct Seats<C> {
    rows: Vec<Row>,
    /// Those of the first row, then those of the second, and so on.
    seats: Vec<Seat<C>>,
    /// How often a seat was given, which tells who came longest ago; what is lost when it begins anew is little.
    given: u32,
    /// How often somebody was looked for since the last trial, and how often in vain.
    looks: u32,
    misses: u32,
    trial: Trial,
}

/// Somebody who is awake, with their place.
pub(super) type Seat<C> = Option<(u32, C)>;

/// Whose the seats of a row are, near each other, so that the customers themselves need not be looked at.
#[derive(Clone)]
struct Row {
    /// The place whose customer had the seat last, who may have left it.
    places: [u32; ROW_OF_SEATS],
    /// When it was given.
    given: [u32; ROW_OF_SEATS],
}

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
        Self {
            rows: rows(AWAKE_CUSTOMERS),
            seats: seats(AWAKE_CUSTOMERS),
            given: 0,
            looks: 0,
            misses: 0,
            trial: Trial::Later(0),
        }
    }

    /// The row of a place.
    fn row(&self, place: u32) -> usize {
        place as usize % self.rows.len()
    }

    /// The number of the seat of whoever is awake at a place.
    fn find(&self, place: u32) -> Option<usize> {
        let row = self.row(place);
        let position = self.rows[row].places.iter().position(|other| *other == place)?;
        let number = row * ROW_OF_SEATS + position;
        self.seats[number].as_ref().is_some_and(|(other, _)| *other == place).then_some(number)
    }

    /// A seat for the customer of a place, who is to be put there: their own, or else that of whoever of their row came
    /// longest ago, who may still be on it.
    pub(super) fn seat(&mut self, place: u32) -> &mut Seat<C> {
        let number = self.row(place);
        let row = &mut self.rows[number];
        let own = row.places.iter().position(|other| *other == place);
        let now = self.given.wrapping_add(1);
        let oldest = || (0..ROW_OF_SEATS).max_by_key(|position| now.wrapping_sub(row.given[*position]));
        let position = own.or_else(oldest).unwrap_or(0);
        (row.places[position], row.given[position], self.given) = (place, now, now);
        &mut self.seats[number * ROW_OF_SEATS + position]
    }

    /// Takes whoever is awake at a place off their seat.
    pub(super) fn take(&mut self, place: u32) -> Option<C> {
        let number = self.find(place)?;
        self.seats[number].take().map(|(_, customer)| customer)
    }

    /// Who is awake at a place.
    pub(super) fn at(&self, place: u32) -> Option<&C> {
        self.seats[self.find(place)?].as_ref().map(|(_, customer)| customer)
    }

    /// Somebody is looked for. Gives who loses their seat by that, should it change how many there are.
    pub(super) fn look(&mut self, place: u32) -> Vec<(u32, C)> {
        self.looks += 1;
        self.misses += u32::from(self.find(place).is_none());
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
        self.rows = rows(count);
        let before = mem::replace(&mut self.seats, seats(count));
        let moved = before
            .into_iter()
            .flatten()
            .filter_map(|(place, customer)| self.seat(place).replace((place, customer)));
        moved.collect()
    }
}

fn rows(seats: usize) -> Vec<Row> {
    vec![Row { places: [u32::MAX; ROW_OF_SEATS], given: [0; ROW_OF_SEATS] }; seats / ROW_OF_SEATS]
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
        assert_eq!(after(60, 40 * LOOKS), AWAKE_CUSTOMERS, "all are awake");
        assert_eq!(after(70, 40 * LOOKS), AWAKE_CUSTOMERS, "few are not");
        assert_eq!(after(1_500, 40 * LOOKS), MOST_AWAKE_CUSTOMERS);
        assert_eq!(after(20_000, 40 * LOOKS), MOST_AWAKE_CUSTOMERS);
        assert_eq!(after(1_000_000, 16 * LOOKS), AWAKE_CUSTOMERS, "nobody comes again soon");
    }

    #[test]
    fn whoever_came_longest_ago_loses_their_seat() {
        let mut seats = Seats::new();
        let rows = u32::try_from(AWAKE_CUSTOMERS / ROW_OF_SEATS).unwrap();
        let of_a_row = |number: usize| u32::try_from(number).unwrap() * rows;
        for number in 0..ROW_OF_SEATS {
            assert!(seats.seat(of_a_row(number)).replace((of_a_row(number), number)).is_none());
        }
        // The first comes again, so the second came longest ago.
        assert_eq!(seats.seat(of_a_row(0)).as_ref().map(|(_, customer)| *customer), Some(0));
        let new = of_a_row(ROW_OF_SEATS);
        assert_eq!(seats.seat(new).replace((new, ROW_OF_SEATS)), Some((of_a_row(1), 1)));
        assert_eq!((seats.at(of_a_row(1)), seats.at(of_a_row(0))), (None, Some(&0)));
        // A seat that was left is one's own again.
        assert_eq!((seats.take(new), seats.take(new)), (Some(ROW_OF_SEATS), None));
        assert!(seats.at(new).is_none() && seats.seat(new).is_none());
        assert_eq!(
            (2..ROW_OF_SEATS).filter_map(|number| seats.take(of_a_row(number))).count(),
            ROW_OF_SEATS - 2
        );
    }
}
