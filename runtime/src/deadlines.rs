//! The deadlines of many customers: one for each, popped in order of time.
//!
//! A customer's state and next deadline are all that a live host has to keep. The states are the host's; this is the
//! queue of the deadlines. It reads no clock: the host says up to when time has come.
//!
//! ```
//! use segue_runtime::deadlines::{Deadlines, Due};
//!
//! let mut deadlines = Deadlines::new(1_000);
//! deadlines.schedule(7, 61_000);
//! deadlines.schedule(3, 61_000);
//! deadlines.schedule(5, 3_601_000);
//! // One customer has one deadline: this moves it.
//! deadlines.schedule(5, 30_000);
//!
//! assert_eq!(deadlines.pop(29_999), None);
//! let due: Vec<Due> = deadlines.due(61_000).collect();
//! assert_eq!(due, [Due { at: 30_000, place: 5 }, Due { at: 61_000, place: 3 }, Due { at: 61_000, place: 7 }]);
//! assert!(deadlines.is_empty());
//! ```
//!
//! Time is a wheel of wheels: what is far away lies in a slot with all else of its days or years, is told apart
//! as its time comes near, and is sorted when it is at hand. So a deadline costs the same however many there are, and one
//! that is moved before it comes is never sorted at all.
//!
//! Memory: 12 bytes for each place up to the highest that was ever scheduled (15 while the table grows), 4 to 8 bytes for
//! each deadline that waits (16 after many were taken away), 8 for each of the 65 seconds that are at hand, and 37 KiB for
//! the wheels. What was scheduled for a time that was at hand or over already takes up to 40.

mod wheel;

use segue_compiler::value::Millis;
use std::{collections::BTreeSet, ops::Range};
use wheel::{LEAF_BITS, Wheel};

/// Deadlines of customers, each customer known by a place: a number that the host gives, from 0 upwards without large gaps.
#[derive(Debug)]
pub struct Deadlines {
    /// By place.
    table: Vec<Entry>,
    wheel: Wheel,
    /// The leaf at hand, sorted, the last first. Whoever was moved or removed stays in it and is passed over; the last one
    /// is always alive.
    run: Vec<Key>,
    /// What was scheduled when its leaf was at hand already, or over.
    joined: BTreeSet<Due>,
    len: usize,
}

/// A deadline that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// The instant that it was scheduled for.
    pub at: Millis,
    /// Whose it is.
    pub place: u32,
}

/// What is known of a place. The instant is in two halves, so that an entry takes 12 bytes and not 16.
#[derive(Clone, Copy, Debug)]
struct Entry {
    high: u32,
    low: u32,
    /// Where in its slot of the wheel the place stands, or one of the marks below.
    position: u32,
}

/// Nothing is scheduled.
const IDLE: u32 = u32::MAX;
/// It is in the run.
const RUNS: u32 = u32::MAX - 1;
/// It joined later.
const JOINED: u32 = u32::MAX - 2;

/// A deadline within the leaf at hand: milliseconds from its start, then the place, so that keys sort as deadlines do.
type Key = u64;

impl Deadlines {
    /// An empty queue. `start` is about when time begins: what is scheduled for before is due at once.
    #[must_use]
    pub fn new(start: Millis) -> Self {
        Self { table: Vec::new(), wheel: Wheel::new(start), run: Vec::new(), joined: BTreeSet::new(), len: 0 }
    }

    /// Sets the deadline of a place; one that it had before is forgotten. Any instant is allowed, past ones are due at once.
    pub fn schedule(&mut self, place: u32, at: Millis) {
        self.remove(place);
        self.make_room(place);
        let Some(entry) = self.table.get_mut(place as usize) else { return };
        let position = match self.wheel.slot_of(at) {
            Some(slot) => self.wheel.push(slot, place),
            None => {
                self.joined.insert(Due { at, place });
                JOINED
            }
        };
        *entry = Entry::new(at, position);
        self.len += 1;
    }

    /// Takes the deadline of a place away and gives the instant it was at, if there was one.
    pub fn remove(&mut self, place: u32) -> Option<Millis> {
        let at = self.at(place)?;
        let entry = self.table.get_mut(place as usize)?;
        let position = std::mem::replace(&mut entry.position, IDLE);
        self.len -= 1;
        match position {
            RUNS => self.pass_over(),
            JOINED => {
                self.joined.remove(&Due { at, place });
            }
            _ => {
                if let Some(slot) = self.wheel.slot_of(at)
                    && let Some(moved) = self.wheel.remove(slot, position)
                    && let Some(entry) = self.table.get_mut(moved as usize)
                {
                    entry.position = position;
                }
            }
        }
        Some(at)
    }

    /// The deadline of a place.
    #[must_use]
    pub fn at(&self, place: u32) -> Option<Millis> {
        self.table.get(place as usize).filter(|entry| entry.position != IDLE).map(Entry::at)
    }

    /// Pops the first deadline of all if it is due by `until`: the earliest, and of one instant that of the lowest place.
    pub fn pop(&mut self, until: Millis) -> Option<Due> {
        if self.run.is_empty() && self.joined.is_empty() {
            self.advance(until);
        }
        let first = self.first()?;
        if first.at > until {
            return None;
        }
        let entry = self.table.get_mut(first.place as usize)?;
        let position = std::mem::replace(&mut entry.position, IDLE);
        self.len -= 1;
        if position == RUNS {
            self.run.pop();
            self.pass_over();
        } else {
            self.joined.pop_first();
        }
        Some(first)
    }

    /// Pops everything that is due by `until`, in order of the instant, then the place. What is scheduled meanwhile and
    /// due has its turn as well, so this ends only when the host is through.
    pub fn due(&mut self, until: Millis) -> impl Iterator<Item = Due> {
        std::iter::from_fn(move || self.pop(until))
    }

    /// The deadlines of a range of places, in order of the places.
    pub fn among(&self, places: Range<u32>) -> impl Iterator<Item = Due> {
        let end = (places.end as usize).min(self.table.len());
        let entries = self.table.get(places.start as usize..end).unwrap_or_default();
        let entries = entries.iter().zip(places.start..).filter(|(entry, _)| entry.position != IDLE);
        entries.map(|(entry, place)| Due { at: entry.at(), place })
    }

    /// When to pop next; none when nothing is scheduled. It may be early (by 65 seconds for what is near, by more for
    /// what is far; then nothing is due yet, but popping makes the next answer nearer), never late.
    #[must_use]
    pub fn wake_at(&self) -> Option<Millis> {
        self.first().map(|due| due.at).or_else(|| self.wheel.first_instant())
    }

    /// How many deadlines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many bytes of memory this holds; a tree's nodes are taken for half full, which is their worst.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.table.capacity() * size_of::<Entry>()
            + self.run.capacity() * size_of::<Key>()
            + self.joined.len() * 2 * (size_of::<Due>() + size_of::<usize>() / 2)
            + self.wheel.bytes()
    }

    /// The first deadline of those at hand.
    fn first(&self) -> Option<Due> {
        let run = self.run.last().map(|key| self.of_key(*key));
        let joined = self.joined.first().copied();
        match (run, joined) {
            (Some(run), Some(joined)) => Some(run.min(joined)),
            (run, joined) => run.or(joined),
        }
    }

    /// Drops keys of those who were moved or removed from the end of the run.
    fn pass_over(&mut self) {
        let is_alive =
            |key: &Key| self.table.get(place_of(*key) as usize).is_some_and(|it| it.position == RUNS);
        while self.run.last().is_some_and(|key| !is_alive(key)) {
            self.run.pop();
        }
    }

    /// Turns the wheels to `until`, or to the first leaf on the way that holds a deadline.
    fn advance(&mut self, until: Millis) {
        while self.run.is_empty()
            && let Some(places) = self.wheel.turn(until)
        {
            for place in places {
                let Some(entry) = self.table.get_mut(place as usize) else { continue };
                let at = entry.at();
                match self.wheel.slot_of(at) {
                    Some(slot) => entry.position = self.wheel.push(slot, place),
                    None => {
                        entry.position = RUNS;
                        self.run.push(key(at, place));
                    }
                }
            }
            self.run.sort_unstable_by(|a, b| b.cmp(a));
        }
    }

    fn of_key(&self, key: Key) -> Due {
        let within = (key >> u32::BITS) as Millis;
        Due { at: self.wheel.leaf_start() + within, place: place_of(key) }
    }

    /// Grows the table by a quarter: doubling would leave up to half of it empty.
    fn make_room(&mut self, place: u32) {
        let length = place as usize + 1;
        if length <= self.table.len() {
            return;
        }
        if length > self.table.capacity() {
            let capacity = length.max(self.table.capacity() / 4 * 5);
            self.table.reserve_exact(capacity - self.table.len());
        }
        self.table.resize(length, Entry::new(0, IDLE));
    }
}

impl Entry {
    fn new(at: Millis, position: u32) -> Self {
        let at = at.cast_unsigned();
        Self { high: (at >> u32::BITS) as u32, low: at as u32, position }
    }

    fn at(&self) -> Millis {
        (u64::from(self.high) << u32::BITS | u64::from(self.low)).cast_signed()
    }
}

fn key(at: Millis, place: u32) -> Key {
    let within = at.cast_unsigned() & ((1 << LEAF_BITS) - 1);
    within << u32::BITS | u64::from(place)
}

fn place_of(key: Key) -> u32 {
    key as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-05 08:00 UTC.
    const NOW: Millis = 1_767_600_000_000;
    const DAY: Millis = 86_400_000;

    fn due(deadlines: &mut Deadlines, until: Millis) -> Vec<(Millis, u32)> {
        deadlines.due(until).map(|due| (due.at, due.place)).collect()
    }

    #[test]
    fn they_are_seen_place_by_place() {
        let mut deadlines = Deadlines::new(0);
        for (place, at) in [(4, 900_000), (0, 7), (1, -5), (3, 70_000)] {
            deadlines.schedule(place, at);
        }
        deadlines.remove(3);
        let among = |places| deadlines.among(places).map(|due| (due.place, due.at)).collect::<Vec<_>>();
        assert_eq!(among(0..9), [(0, 7), (1, -5), (4, 900_000)]);
        assert_eq!(among(1..4), [(1, -5)]);
        assert!(among(7..9).is_empty());
    }

    #[test]
    fn nothing_is_early_or_late() {
        for distance in [1, 1_000, LEAF, LEAF + 1, DAY, 40 * DAY, 400 * DAY, 40_000 * DAY, 1 << 58] {
            let mut deadlines = Deadlines::new(NOW);
            deadlines.schedule(0, NOW + distance);
            assert_eq!(due(&mut deadlines, NOW + distance - 1), [], "{distance}");
            assert_eq!(due(&mut deadlines, NOW + distance), [(NOW + distance, 0)], "{distance}");
            assert!(deadlines.is_empty());
        }
    }

    /// How long a leaf is.
    const LEAF: Millis = 1 << LEAF_BITS;

    #[test]
    fn the_past_is_due_at_once() {
        let mut deadlines = Deadlines::new(NOW);
        deadlines.schedule(1, NOW - DAY);
        deadlines.schedule(2, Millis::MIN);
        assert_eq!(due(&mut deadlines, NOW), [(Millis::MIN, 2), (NOW - DAY, 1)]);
        assert_eq!(due(&mut deadlines, NOW + 10 * DAY), []);
        deadlines.schedule(3, NOW + 9 * DAY);
        assert_eq!(due(&mut deadlines, NOW + 10 * DAY), [(NOW + 9 * DAY, 3)]);
    }

    #[test]
    fn the_ends_of_time_are_instants_like_others() {
        let mut deadlines = Deadlines::new(Millis::MIN);
        deadlines.schedule(1, Millis::MAX);
        deadlines.schedule(2, Millis::MIN);
        deadlines.schedule(3, Millis::MAX - 1);
        deadlines.schedule(4, 0);
        assert_eq!(due(&mut deadlines, Millis::MIN), [(Millis::MIN, 2)]);
        assert_eq!(due(&mut deadlines, -1), []);
        assert_eq!(due(&mut deadlines, Millis::MAX - 1), [(0, 4), (Millis::MAX - 1, 3)]);
        assert_eq!(due(&mut deadlines, Millis::MAX), [(Millis::MAX, 1)]);
    }

    #[test]
    fn those_who_leave_or_join_while_their_time_is_at_hand() {
        let mut deadlines = Deadlines::new(NOW);
        for place in 0..6 {
            deadlines.schedule(place, NOW + DAY + Millis::from(place));
        }
        assert_eq!(deadlines.pop(NOW + DAY), Some(Due { at: NOW + DAY, place: 0 }));
        assert_eq!(deadlines.remove(1), Some(NOW + DAY + 1));
        assert_eq!(deadlines.remove(1), None);
        deadlines.schedule(2, NOW + 2 * DAY);
        deadlines.schedule(4, NOW + DAY + 3);
        deadlines.schedule(3, NOW + DAY + 3);
        deadlines.schedule(0, NOW + DAY + 5);
        assert_eq!(deadlines.wake_at(), Some(NOW + DAY + 3));
        let at = |offset| NOW + DAY + offset;
        assert_eq!(
            due(&mut deadlines, NOW + 2 * DAY),
            [(at(3), 3), (at(3), 4), (at(5), 0), (at(5), 5), (NOW + 2 * DAY, 2)]
        );
    }

    #[test]
    fn waking_when_told_comes_to_every_deadline() {
        let mut deadlines = Deadlines::new(NOW);
        let instants = [NOW + 5, NOW + DAY, NOW + 60 * DAY, NOW + 4_000 * DAY, Millis::MAX];
        for (at, place) in instants.into_iter().zip(0..) {
            deadlines.schedule(place, at);
        }
        let (mut found, mut wakes, mut last) = (Vec::new(), 0, NOW);
        while let Some(at) = deadlines.wake_at() {
            assert!(at >= last, "time goes on");
            last = at;
            found.extend(deadlines.due(at).map(|due| (due.at, at)));
            wakes += 1;
        }
        assert_eq!(found, instants.map(|at| (at, at)));
        assert!(wakes <= instants.len() * 7, "{wakes}");
    }

    #[test]
    fn memory_is_bounded() {
        const COUNT: u32 = 100_000;
        let mut deadlines = Deadlines::new(NOW);
        let wheels = deadlines.bytes();
        assert!(wheels <= 37 * 1024, "{wheels}");
        for place in 0..COUNT {
            deadlines.schedule(place, NOW + Millis::from(place) * 25_000);
        }
        let bytes = deadlines.bytes() - wheels;
        assert!(bytes <= COUNT as usize * (15 + 8), "{bytes}");
        // Moved again and again, and all to one slot: nothing is left behind where they were.
        for round in 1..50 {
            for place in 0..COUNT {
                deadlines.schedule(place, NOW + round * 50 * DAY + Millis::from(place % 1_000));
            }
            let bytes = deadlines.bytes() - wheels;
            assert!(bytes <= COUNT as usize * (15 + 16), "{bytes} in round {round}");
        }
        for place in 0..COUNT {
            deadlines.remove(place);
        }
        let bytes = deadlines.bytes() - wheels;
        assert!(bytes <= COUNT as usize * 15 + 64 * 1024, "{bytes} when empty");
    }
}
