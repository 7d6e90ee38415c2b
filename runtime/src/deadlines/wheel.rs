//! Wheels within wheels: where what is not at hand waits.
//!
//! Time is cut into leaves of 2¹⁶ ms (65.5 s), numbered with 48 bits: six digits of eight bits, a wheel for each digit and a
//! slot for each of its values. Whoever waits is on the wheel of the highest digit in which their leaf differs from the
//! leaf at hand, in the slot of that digit. The wheel and slot of a deadline thus follow from its instant; as time goes on
//! they change for those alone whose slot is reached, and these are handed out to be put in anew.

use segue_compiler::value::Millis;

/// How many bits of an instant tell it from others of its leaf. 2¹⁶ ms are short beside most waits, so that few are sorted
/// in vain, and long enough that a leaf of a busy service holds hundreds and costs little for each.
pub(super) const LEAF_BITS: u32 = 16;
/// Bits of a digit: 4.7 hours lie on the first wheel, 50 days on the second and 35 years on the third, so that hardly a
/// deadline is handed out more than once before it is at hand.
const DIGIT_BITS: u32 = 8;
const SLOTS: usize = 1 << DIGIT_BITS;
const WHEELS: usize = ((u64::BITS - LEAF_BITS) / DIGIT_BITS) as usize;
/// The fewest places that a slot makes room for: fewer save nothing.
const FEWEST: usize = 4;

/// All wheels.
#[derive(Debug)]
pub(super) struct Wheel {
    /// The number of the leaf at hand. No deadline waits at or before it.
    now: u64,
    /// The places that wait, slot by slot, wheel by wheel.
    slots: Vec<Vec<u32>>,
    /// Which slots hold something, a bit for each.
    occupied: [[u64; SLOTS / u64::BITS as usize]; WHEELS],
}

impl Wheel {
    pub(super) fn new(start: Millis) -> Self {
        let slots = (0..WHEELS * SLOTS).map(|_| Vec::new()).collect();
        Self { now: leaf_of(start), slots, occupied: Default::default() }
    }

    /// The slot in which an instant waits; none when its leaf is at hand or over.
    pub(super) fn slot_of(&self, at: Millis) -> Option<usize> {
        let leaf = leaf_of(at);
        if leaf <= self.now {
            return None;
        }
        let wheel = (leaf ^ self.now).ilog2() / DIGIT_BITS;
        Some(wheel as usize * SLOTS + digit(leaf, wheel))
    }

    /// Puts a place into a slot; gives its position there.
    pub(super) fn push(&mut self, slot: usize, place: u32) -> u32 {
        let Some(places) = self.slots.get_mut(slot) else { return 0 };
        let position = places.len() as u32;
        places.push(place);
        self.mark(slot, true);
        position
    }

    /// Takes the place at a position out of a slot; gives the place that now stands in its position.
    pub(super) fn remove(&mut self, slot: usize, position: u32) -> Option<u32> {
        let places = self.slots.get_mut(slot)?;
        // INVARIANT: every position that was given, and not taken back, is within its slot.
        places.swap_remove(position as usize);
        if places.capacity() > FEWEST && places.len() * 4 < places.capacity() {
            places.shrink_to(places.len() * 2);
        }
        let moved = places.get(position as usize).copied();
        if places.is_empty() {
            self.mark(slot, false);
        }
        moved
    }

    /// Turns to the first slot that holds anything and begins by `until`, and hands out what it holds. When there is none,
    /// turns to `until`. The wheels never turn back.
    pub(super) fn turn(&mut self, until: Millis) -> Option<Vec<u32>> {
        let until = leaf_of(until);
        let first = self.first().map(|slot| (slot, self.start_of(slot)));
        let Some((slot, start)) = first.filter(|(_, start)| *start <= until) else {
            self.now = self.now.max(until);
            return None;
        };
        self.now = start;
        self.mark(slot, false);
        self.slots.get_mut(slot).map(std::mem::take)
    }

    /// An instant by which nothing that waits is due, as late as is known without looking into slots.
    pub(super) fn first_instant(&self) -> Option<Millis> {
        self.first().map(|slot| instant_of(self.start_of(slot)))
    }

    /// The start of the leaf at hand.
    pub(super) fn leaf_start(&self) -> Millis {
        instant_of(self.now)
    }

    pub(super) fn bytes(&self) -> usize {
        let places: usize = self.slots.iter().map(|places| places.capacity() * size_of::<u32>()).sum();
        self.slots.capacity() * size_of::<Vec<u32>>() + size_of_val(&self.occupied) + places
    }

    /// The first slot that holds anything. What differs from now in a lower digit alone is nearer, and within a wheel all
    /// that waits has a larger digit than now.
    fn first(&self) -> Option<usize> {
        self.occupied.iter().zip(0..).find_map(|(words, wheel)| {
            let (word, number) = words.iter().zip(0..).find(|(word, _)| **word != 0)?;
            Some(wheel * SLOTS + number * u64::BITS as usize + word.trailing_zeros() as usize)
        })
    }

    /// The first leaf of a slot: the higher digits are those of now, the lower ones 0.
    fn start_of(&self, slot: usize) -> u64 {
        let below = (slot / SLOTS) as u32 * DIGIT_BITS;
        let above = below + DIGIT_BITS;
        self.now >> above << above | ((slot % SLOTS) as u64) << below
    }

    fn mark(&mut self, slot: usize, holds: bool) {
        let (wheel, digit) = (slot / SLOTS, slot % SLOTS);
        let word = self.occupied.get_mut(wheel).and_then(|it| it.get_mut(digit / u64::BITS as usize));
        if let Some(word) = word {
            let bit = 1 << (digit % u64::BITS as usize);
            *word = if holds { *word | bit } else { *word & !bit };
        }
    }
}

/// The number of the leaf of an instant. The first of all instants is in leaf 0.
fn leaf_of(at: Millis) -> u64 {
    (at.cast_unsigned() ^ SIGN) >> LEAF_BITS
}

/// The first instant of a leaf.
fn instant_of(leaf: u64) -> Millis {
    (leaf << LEAF_BITS ^ SIGN).cast_signed()
}

/// Turned over, it makes the order of unsigned numbers that of instants.
const SIGN: u64 = 1 << (u64::BITS - 1);

fn digit(leaf: u64, wheel: u32) -> usize {
    (leaf >> (wheel * DIGIT_BITS)) as usize % SLOTS
}
