//! Who is awake: each customer on one of a few seats that stand together, in the row of their place modulo how many rows there
//! are. Whoever came longest ago loses their seat, so that those who are on the site keep theirs.
//!
//! Of few customers each has a seat. Of many there are as few seats as do: whoever is laid to rest while their state is still
//! near the processor is packed several times faster, and whoever is laid to rest and comes again is packed and unpacked for
//! nothing. So more seats are tried where many are looked for in vain, and kept where that has most of them found.

use crate::limits::{
    AWAKE_CUSTOMERS, FEW_CUSTOMERS, LOOKS, MORE_SEATS, MOST_AWAKE_CUSTOMERS, ROW_OF_SEATS, TRIED_ON,
    TURNS_A_SEAT, UNTRIED, WORTH_A_TRIAL, WORTH_SEATS,
};
use std::mem;

pub(super) struct Seats<C> {
    room: Room<C>,
    /// A larger room that is left row by row, from the last one on, so that nobody waits until all of it is empty.
    former: Room<C>,
    /// How many rows of it are not empty yet.
    left: usize,
    /// How often a seat was given, which tells who came longest ago; what is lost when it begins anew is little.
    given: u32,
    /// How often somebody was looked for since that was last judged, and how often in vain.
    looks: u64,
    misses: u64,
    /// How often that was somebody else than just before.
    turns: u32,
    /// Who was looked for last.
    last: u32,
    /// Whether there are so few customers that there is a seat for each, so that nothing is to be judged.
    few: bool,
    trial: Trial,
}

/// Seats, row by row.
struct Room<C> {
    rows: Vec<Row>,
    seats: Vec<Seat<C>>,
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
    /// It is not tried with more seats for so many turns.
    Later(u32),
    /// There are more, most of which were empty just now.
    Filling(Before),
    /// There are more.
    More(Before),
}

/// What was before it was tried with more seats.
#[derive(Clone, Copy)]
struct Before {
    seats: usize,
    /// How many of [`LOOKS`] were in vain.
    misses: u32,
    /// How many turns the trial has taken.
    taken: u32,
}

impl<C> Room<C> {
    fn new(seats: usize) -> Self {
        let row = Row { places: [u32::MAX; ROW_OF_SEATS], given: [0; ROW_OF_SEATS] };
        Self { rows: vec![row; seats / ROW_OF_SEATS], seats: (0..seats).map(|_| None).collect() }
    }

    /// The number of the seat of whoever is awake at a place.
    fn find(&self, place: u32) -> Option<usize> {
        let row = (place as usize).checked_rem(self.rows.len())?;
        let position = self.rows[row].places.iter().position(|other| *other == place)?;
        let number = row * ROW_OF_SEATS + position;
        self.seats[number].as_ref().is_some_and(|(other, _)| *other == place).then_some(number)
    }

    fn take(&mut self, place: u32) -> Option<C> {
        let number = self.find(place)?;
        self.seats[number].take().map(|(_, customer)| customer)
    }

    /// See [`Seats::seat`].
    fn seat(&mut self, place: u32, now: u32) -> &mut Seat<C> {
        let number = place as usize % self.rows.len();
        let row = &mut self.rows[number];
        let own = row.places.iter().position(|other| *other == place);
        let oldest = || (0..ROW_OF_SEATS).max_by_key(|position| now.wrapping_sub(row.given[*position]));
        let position = own.or_else(oldest).unwrap_or(0);
        (row.places[position], row.given[position]) = (place, now);
        &mut self.seats[number * ROW_OF_SEATS + position]
    }
}

impl<C> Seats<C> {
    pub(super) fn new() -> Self {
        Self {
            room: Room::new(AWAKE_CUSTOMERS),
            former: Room::new(0),
            left: 0,
            given: 0,
            looks: 0,
            misses: 0,
            turns: 0,
            last: u32::MAX,
            few: true,
            // At first all are looked for in vain.
            trial: Trial::Later(1),
        }
    }

    /// How many seats there are.
    pub(super) fn len(&self) -> usize {
        self.room.seats.len()
    }

    /// A seat for the customer of a place, who is to be put there: their own, or else that of whoever of their row came
    /// longest ago, who may still be on it. Before, they are looked for.
    pub(super) fn seat(&mut self, place: u32) -> &mut Seat<C> {
        self.given = self.given.wrapping_add(1);
        self.room.seat(place, self.given)
    }

    /// Takes whoever is awake at a place off their seat.
    pub(super) fn take(&mut self, place: u32) -> Option<C> {
        self.room.take(place).or_else(|| self.former.take(place))
    }

    /// Who is awake at a place.
    pub(super) fn at(&self, place: u32) -> Option<&C> {
        let at = |room: &'_ Room<C>| room.find(place);
        let seat = match at(&self.room) {
            Some(number) => self.room.seats.get(number),
            None => at(&self.former).and_then(|number| self.former.seats.get(number)),
        };
        seat?.as_ref().map(|(_, customer)| customer)
    }

    /// Somebody is looked for. Gives who loses their seat by that, because there are fewer now.
    pub(super) fn look(&mut self, place: u32) -> Vec<(u32, C)> {
        self.looks += 1;
        self.misses += u64::from(self.at(place).is_none());
        self.turns += u32::from(self.last != place);
        self.last = place;
        if self.left == 0 && !self.few && self.turns as usize >= self.room.seats.len() * TURNS_A_SEAT {
            self.judge();
        }
        // Whoever is looked for may just have come to be in the former room.
        self.look_again(place)
    }

    /// As [`Seats::look`], of somebody who was looked for just now, so that it tells nothing.
    pub(super) fn look_again(&mut self, place: u32) -> Vec<(u32, C)> {
        if self.left == 0 { Vec::new() } else { self.leave(place) }
    }

    /// There are so many customers by now: while they are few there is a seat for each.
    pub(super) fn suit(&mut self, customers: usize) {
        let were_few = mem::replace(&mut self.few, customers <= FEW_CUSTOMERS);
        if self.few && customers > self.len() {
            self.extend(self.len() * MORE_SEATS);
        } else if !self.few && were_few && self.len() > AWAKE_CUSTOMERS {
            self.give_up(AWAKE_CUSTOMERS);
        }
    }

    /// Leaves the room for one of so many seats.
    fn give_up(&mut self, seats: usize) {
        self.former = mem::replace(&mut self.room, Room::new(seats));
        self.left = self.former.rows.len();
    }

    /// Empties a row of the former room, and takes whoever is looked for over from there.
    fn leave(&mut self, place: u32) -> Vec<(u32, C)> {
        let taken_over = self.former.take(place);
        self.left -= 1;
        let row = self.left * ROW_OF_SEATS..(self.left + 1) * ROW_OF_SEATS;
        let mut leaving: Vec<(u32, C)> = self.former.seats[row].iter_mut().filter_map(Option::take).collect();
        if let Some(customer) = taken_over {
            leaving.extend(self.seat(place).replace((place, customer)));
        }
        if self.left == 0 {
            self.former = Room::new(0);
        }
        leaving
    }

    fn judge(&mut self) {
        let (seats, turns) = (self.room.seats.len(), mem::take(&mut self.turns));
        let (looks, misses) = (mem::take(&mut self.looks), mem::take(&mut self.misses));
        let misses = (misses * u64::from(LOOKS) / looks.max(1)) as u32;
        let more = Some(seats * MORE_SEATS).filter(|more| *more <= MOST_AWAKE_CUSTOMERS);
        let on = |before: Before| Before { taken: before.taken + turns, ..before };
        self.trial = match (self.trial, more) {
            (Trial::Later(left @ 1..), _) => Trial::Later(left.saturating_sub(turns)),
            (Trial::Later(0), Some(more)) if misses > LOOKS / WORTH_A_TRIAL => {
                self.extend(more);
                Trial::Filling(Before { seats, misses, taken: 0 })
            }
            (Trial::Later(0), _) => Trial::Later(0),
            (Trial::Filling(before), _) => Trial::More(on(before)),
            (Trial::More(before), _) if misses * WORTH_SEATS <= before.misses => Trial::Later(0),
            // Where so many are on the site at once, twice as many as there were seats may be of no use, and more still.
            (Trial::More(before), Some(more)) if misses > LOOKS / TRIED_ON => {
                self.extend(more);
                Trial::Filling(on(before))
            }
            (Trial::More(before), _) => {
                // Where even the most are looked for in vain, nobody comes again soon, and no seat is of use.
                let fewer = if misses > LOOKS / TRIED_ON { AWAKE_CUSTOMERS } else { before.seats };
                self.give_up(fewer);
                Trial::Later(on(before).taken * UNTRIED)
            }
        };
    }

    /// Sets up more seats, a multiple of those there were: nobody loses theirs, as whoever was in different rows still is.
    fn extend(&mut self, seats: usize) {
        let before = mem::replace(&mut self.room, Room::new(seats));
        // Counting begins anew, so that seats nobody has are older than all that are given here.
        self.given = 0;
        for (place, customer) in before.seats.into_iter().flatten() {
            *self.seat(place) = Some((place, customer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Looks for somebody as [`super::super::Customers`] does, whose state is their place; `awake` knows who is awake.
    fn come(seats: &mut Seats<u32>, awake: &mut HashSet<u32>, place: u32) {
        let was_awake = seats.at(place).is_some();
        let mut leaving = seats.look(place);
        assert_eq!(was_awake, awake.contains(&place));
        assert_eq!(was_awake, seats.room.find(place).is_some(), "whoever is awake is found on a seat");
        awake.insert(place);
        let seat = seats.seat(place);
        leaving.extend(seat.take_if(|(other, _)| *other != place));
        assert_eq!(seat.get_or_insert((place, place)), &(place, place));
        assert!(leaving.iter().all(|(other, customer)| other == customer && *other != place));
        assert!(leaving.len() <= ROW_OF_SEATS + 2, "few leave at once");
        leaving.iter().for_each(|(other, _)| assert!(awake.remove(other), "nobody is laid to rest twice"));
    }

    /// Seats for some of many customers.
    fn of_many() -> Seats<u32> {
        let mut seats = Seats::new();
        seats.suit(FEW_CUSTOMERS + 1);
        seats
    }

    struct Visitors {
        random: u64,
        /// Whoever is on the site.
        visits: Vec<u32>,
    }

    impl Visitors {
        fn below(&mut self, bound: u32) -> u32 {
            self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.random >> 33) as u32 % bound
        }

        /// Who does something next: each of a million comes for a visit of eight things on average, so many at a time.
        fn next(&mut self, at_once: usize) -> u32 {
            self.visits.resize(at_once, 0);
            let visit = self.below(u32::try_from(at_once).unwrap()) as usize;
            if self.below(8) == 0 {
                self.visits[visit] = self.below(1_000_000);
            }
            self.visits[visit]
        }
    }

    /// How many seats there are in the end.
    fn after(rounds: u32, mut next: impl FnMut(&mut Visitors) -> u32) -> usize {
        let (mut seats, mut visitors) = (of_many(), Visitors { random: 1, visits: Vec::new() });
        let mut awake = HashSet::new();
        for _ in 0..rounds * LOOKS {
            let place = next(&mut visitors);
            come(&mut seats, &mut awake, place);
        }
        seats.room.seats.len()
    }

    #[test]
    fn there_are_as_few_seats_as_do() {
        let of = |customers: u32| after(16, |visitors| visitors.below(customers));
        assert_eq!(of(60), AWAKE_CUSTOMERS, "all are awake");
        assert_eq!(of(200), AWAKE_CUSTOMERS * MORE_SEATS, "all are awake with more");
        assert_eq!(of(5_000), MOST_AWAKE_CUSTOMERS);
        assert_eq!(of(1_000_000), AWAKE_CUSTOMERS, "nobody comes again soon");
    }

    #[test]
    fn of_few_customers_all_are_awake_until_they_are_many() {
        let (mut seats, mut awake) = (Seats::new(), HashSet::new());
        let all = u32::try_from(FEW_CUSTOMERS).unwrap();
        for place in 0..all {
            seats.suit(place as usize + 1);
            come(&mut seats, &mut awake, place);
        }
        assert_eq!((seats.len(), awake.len()), (FEW_CUSTOMERS, FEW_CUSTOMERS));
        seats.suit(FEW_CUSTOMERS + 1);
        // Another one comes, and so many others that the room is left by then, and too few to judge it.
        (0..=all).rev().take(3 * AWAKE_CUSTOMERS).for_each(|place| come(&mut seats, &mut awake, place));
        assert_eq!((seats.len(), awake.len(), seats.left), (AWAKE_CUSTOMERS, AWAKE_CUSTOMERS, 0));
    }

    #[test]
    fn there_are_as_many_seats_as_visits_at_once_need() {
        let of = |at_once: usize| after(16, |visitors| visitors.next(at_once));
        assert_eq!(of(20), AWAKE_CUSTOMERS);
        assert_eq!(of(400), AWAKE_CUSTOMERS * MORE_SEATS * MORE_SEATS);
        assert_eq!(of(2_000), MOST_AWAKE_CUSTOMERS / MORE_SEATS);
    }

    #[test]
    fn whoever_does_several_things_in_a_row_has_one_turn() {
        // As where the calls of a batch are sorted by whose they are.
        let mut call = 0;
        let in_a_row = |_: &mut Visitors| {
            call += 1;
            call / 12 % 200
        };
        assert_eq!(after(16, in_a_row), AWAKE_CUSTOMERS * MORE_SEATS);
    }

    #[test]
    fn seats_that_nobody_comes_to_any_more_are_given_up() {
        let mut looks = 0;
        let then_nobody_again = |visitors: &mut Visitors| {
            looks += 1;
            if looks < 16 * LOOKS { visitors.below(900) } else { visitors.below(1_000_000) }
        };
        assert_eq!(after(32, then_nobody_again), AWAKE_CUSTOMERS);
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
        let others = (2..ROW_OF_SEATS).filter_map(|number| seats.take(of_a_row(number)));
        assert_eq!(others.count(), ROW_OF_SEATS - 2);
    }

    #[test]
    fn a_room_is_left_row_by_row_and_nobody_is_lost() {
        let mut seats = of_many();
        seats.extend(MOST_AWAKE_CUSTOMERS);
        let all = u32::try_from(MOST_AWAKE_CUSTOMERS).unwrap();
        let mut awake = HashSet::new();
        (0..all).for_each(|place| come(&mut seats, &mut awake, place));
        assert!((0..all).all(|place| seats.at(place) == Some(&place)));
        seats.trial = Trial::More(Before { seats: AWAKE_CUSTOMERS, misses: 0, taken: 0 });
        (seats.looks, seats.misses) = (u64::from(LOOKS - 1), u64::from(LOOKS / TRIED_ON - 1));
        seats.turns = LOOKS - 1;
        let mut laid_to_rest = seats.look(3).len();
        assert!(laid_to_rest <= ROW_OF_SEATS + 1);
        assert_eq!((seats.room.seats.len(), seats.at(3), seats.at(8)), (AWAKE_CUSTOMERS, Some(&3), Some(&8)));
        for place in 0..all {
            let leaving = seats.look(place);
            assert!(leaving.len() <= ROW_OF_SEATS + 1);
            laid_to_rest += leaving.len();
            laid_to_rest += usize::from(seats.take(place).is_some());
        }
        assert_eq!((laid_to_rest, seats.left, seats.former.seats.len()), (MOST_AWAKE_CUSTOMERS, 0, 0));
    }
}
