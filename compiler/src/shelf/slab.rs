//! Many pieces of bytes, packed close: nothing lies between them but what rounds their sizes up by a few bytes.
//!
//! Pieces of about one size lie together, one after the other. Where one goes, the last of its size takes its room, so that
//! there are never holes. Each piece says whose it is, so that it can be found again when it is moved.

use super::Shelf;
use std::{collections::BTreeMap, hint::black_box};

/// How many bytes of a room say whose it is.
const OWNER_BYTES: usize = 4;
/// How many sizes there are in a tier.
const SIZES: usize = 128;
/// The step from one size to the next in the first tier, in bytes: most customers are within it, and lose half of a step
/// each.
const FIRST_STEP: usize = 8;
/// By how much the step grows from one tier to the next, as a power of two. Even the least of a tier is rounded up by a
/// sixteenth at most.
const TIER_BITS: usize = 3;
/// How many tiers there are: up to 8 KiB. What is larger has memory of its own.
const TIERS: usize = 2;
/// How many bytes lie in one piece of memory (56 KiB): so many that what the allocator rounds up does not count (nine of them
/// fill its half MiB), and so few that a host of few customers, each of a size of their own, takes little.
const BLOCK_BYTES: usize = 56 << 10;
/// How many bytes are fetched from memory together.
const LINE_BYTES: usize = 64;

/// Pieces of bytes by place.
#[derive(Debug, Default)]
pub struct Slab {
    spots: Vec<Spot>,
    /// By tier and size.
    sizes: Vec<Rooms>,
    /// What is larger than all sizes, by place.
    large: BTreeMap<u32, Box<[u8]>>,
}

/// Where the piece of a place is.
#[derive(Clone, Copy, Debug)]
struct Spot {
    length: u32,
    room: u32,
}

/// Pieces of one size.
#[derive(Debug, Default)]
struct Rooms {
    /// Each filled up before the next begins.
    blocks: Vec<Vec<u8>>,
    /// How many rooms there are.
    count: u32,
}

/// A size of rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    number: usize,
    bytes: usize,
    /// How many rooms a block has.
    rooms: u32,
}

impl Size {
    /// The least size that a piece fits into; none where it is too large.
    fn of(length: usize) -> Option<Self> {
        let needed = length.checked_add(OWNER_BYTES)?;
        let tier = (0..TIERS).find(|tier| needed <= (SIZES * FIRST_STEP) << (tier * TIER_BITS))?;
        let step = FIRST_STEP << (tier * TIER_BITS);
        let steps = needed.div_ceil(step);
        let bytes = steps * step;
        Some(Self { number: tier * SIZES + steps - 1, bytes, rooms: (BLOCK_BYTES / bytes) as u32 })
    }

    /// The block of a room, and where in it the room begins.
    fn locate(self, room: u32) -> (usize, usize) {
        ((room / self.rooms) as usize, (room % self.rooms) as usize * self.bytes)
    }
}

impl Rooms {
    /// Adds a room and gives its number.
    fn add(&mut self, size: Size, owner: u32, piece: &[u8]) -> u32 {
        let room = self.count;
        let (number, start) = size.locate(room);
        if self.blocks.len() <= number {
            self.blocks.push(Vec::with_capacity(BLOCK_BYTES));
        }
        if let Some(block) = self.blocks.get_mut(number) {
            block.extend_from_slice(&owner.to_le_bytes());
            block.extend_from_slice(piece);
            block.resize(start + size.bytes, 0);
        }
        self.count += 1;
        room
    }

    /// Takes a room away; the last one is moved there. Gives whose that was, when it was another.
    fn remove(&mut self, size: Size, room: u32) -> Option<u32> {
        let (block, start) = size.locate(room);
        let (last, others) = self.blocks.split_last_mut()?;
        let from = last.len().checked_sub(size.bytes)?;
        let mut moved = None;
        if block < others.len() {
            let (free, piece) =
                (others.get_mut(block)?.get_mut(start..start + size.bytes)?, last.get(from..)?);
            free.copy_from_slice(piece);
            moved = free.first_chunk().map(|owner| u32::from_le_bytes(*owner));
        } else if start < from {
            last.copy_within(from.., start);
            moved = last.get(start..)?.first_chunk().map(|owner| u32::from_le_bytes(*owner));
        }
        last.truncate(from);
        self.count -= 1;
        if from == 0 {
            self.blocks.pop();
        }
        moved
    }
}

impl Slab {
    /// Finds room for a piece.
    fn put(&mut self, place: u32, piece: &[u8]) -> Spot {
        let length = u32::try_from(piece.len()).unwrap_or(u32::MAX);
        let Some(size) = Size::of(piece.len()) else {
            self.large.insert(place, piece.into());
            return Spot { length, room: 0 };
        };
        if self.sizes.len() <= size.number {
            self.sizes.resize_with(size.number + 1, Rooms::default);
        }
        let room = self.sizes.get_mut(size.number).map_or(0, |rooms| rooms.add(size, place, piece));
        Spot { length, room }
    }

    /// Gives back the room of a piece.
    fn free(&mut self, place: u32, spot: Spot) {
        let Some(size) = Size::of(spot.length as usize) else {
            self.large.remove(&place);
            return;
        };
        let rooms = self.sizes.get_mut(size.number);
        let moved = rooms.and_then(|rooms| rooms.remove(size, spot.room));
        if let Some(moved) = moved.and_then(|owner| self.spots.get_mut(owner as usize)) {
            moved.room = spot.room;
        }
    }

    /// A piece of so many bytes in its room.
    fn piece_mut(&mut self, size: Size, room: u32, length: usize) -> Option<&mut [u8]> {
        let (block, start) = size.locate(room);
        let start = start + OWNER_BYTES;
        self.sizes.get_mut(size.number)?.blocks.get_mut(block)?.get_mut(start..start + length)
    }
}

impl Shelf<Box<[u8]>> for Slab {
    fn len(&self) -> usize {
        self.spots.len()
    }

    fn push(&mut self, resting: Box<[u8]>) {
        let place = u32::try_from(self.spots.len()).unwrap_or(u32::MAX);
        let spot = self.put(place, &resting);
        self.spots.push(spot);
    }

    fn replace(&mut self, place: u32, resting: Box<[u8]>) {
        let Some(spot) = self.spots.get(place as usize).copied() else { return };
        let (before, size) = (Size::of(spot.length as usize), Size::of(resting.len()));
        if before == size
            && let Some(size) = size
            && let Some(there) = self.piece_mut(size, spot.room, resting.len())
        {
            there.copy_from_slice(&resting);
            if let Some(spot) = self.spots.get_mut(place as usize) {
                // It fits into a room, so it is not as long as that.
                spot.length = resting.len() as u32;
            }
            return;
        }
        self.free(place, spot);
        let spot = self.put(place, &resting);
        if let Some(there) = self.spots.get_mut(place as usize) {
            *there = spot;
        }
    }

    fn at(&self, place: u32) -> Option<&[u8]> {
        let spot = self.spots.get(place as usize)?;
        let Some(size) = Size::of(spot.length as usize) else {
            return self.large.get(&place).map(|piece| &**piece);
        };
        let (block, start) = size.locate(spot.room);
        let start = start + OWNER_BYTES;
        self.sizes.get(size.number)?.blocks.get(block)?.get(start..start + spot.length as usize)
    }

    fn approach(&self, places: &[u32]) {
        // One step for all of them before the next: what the steps read does not depend on each other, so the processor fetches
        // much of it at the same time.
        for place in places {
            black_box(self.spots.get(*place as usize).map(|spot| spot.room));
        }
        for place in places {
            let lines = self.at(*place).unwrap_or_default().iter().step_by(LINE_BYTES);
            black_box(lines.fold(0, |all, byte| all ^ byte));
        }
    }

    fn at_mut(&mut self, place: u32) -> Option<&mut [u8]> {
        let spot = *self.spots.get(place as usize)?;
        let Some(size) = Size::of(spot.length as usize) else {
            return self.large.get_mut(&place).map(|piece| &mut **piece);
        };
        self.piece_mut(size, spot.room, spot.length as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A piece that tells whose it is, and how often it was written.
    fn piece(place: u32, time: u32, length: usize) -> Box<[u8]> {
        (0..length)
            .map(|at| (place.wrapping_mul(31) ^ time.wrapping_mul(7)).wrapping_add(at as u32) as u8)
            .collect()
    }

    #[test]
    fn sizes_follow_each_other() {
        let mut before = 0;
        for length in 0..(1 << 13) - OWNER_BYTES + 1 {
            let size = Size::of(length).unwrap();
            assert!(
                size.bytes >= length + OWNER_BYTES && size.bytes - length - OWNER_BYTES < length / 14 + 8
            );
            assert!(size.rooms as usize * size.bytes <= BLOCK_BYTES && size.rooms > 0);
            assert!(size.number >= before, "{length}");
            before = size.number;
        }
        assert_eq!(Size::of(1 << 13), None);
    }

    #[test]
    fn pieces_stay_what_they_are_while_others_come_and_grow() {
        let mut slab = Slab::default();
        let mut expected = Vec::new();
        let lengths = [3, 40, 41, 44, 45, 300, 1_020, 1_021, 5_000, 8_188, 8_189, 60_000, 70_000];
        for step in 0..20_000_u32 {
            // Any order will do that has all of them meet.
            let length = lengths
                [step.wrapping_mul(2_654_435_761) as usize % (lengths.len() - 6 * usize::from(step > 400))];
            let place = step.wrapping_mul(40_503) % (step / 3 + 1);
            let piece = piece(place, step, length);
            if step % 3 == 0 {
                slab.push(piece.clone());
                expected.push(piece);
            } else {
                slab.replace(place, piece.clone());
                expected[place as usize] = piece;
            }
            let any = step.wrapping_mul(97) as usize % expected.len();
            assert_eq!(slab.at(any as u32), Some(&*expected[any]));
        }
        assert_eq!(slab.len(), expected.len());
        slab.approach(&[0, 1, u32::MAX, slab.len() as u32]);
        for (place, piece) in expected.iter().enumerate() {
            assert_eq!(slab.at(place as u32), Some(&**piece));
            assert_eq!(slab.at_mut(place as u32), Some(&mut piece.clone()[..]));
        }
        assert_eq!(slab.at(expected.len() as u32), None);
    }

    #[test]
    fn what_goes_leaves_no_hole() {
        let mut slab = Slab::default();
        (0..5_000).for_each(|place| slab.push(piece(place, 0, 100)));
        (0..5_000).step_by(2).for_each(|place| slab.replace(place, piece(place, 1, 200)));
        let taken = |length| {
            let size = Size::of(length).unwrap();
            let rooms: usize = slab.sizes[size.number].blocks.iter().map(Vec::len).sum();
            rooms / size.bytes
        };
        assert_eq!((taken(100), taken(200)), (2_500, 2_500));
        (0..5_000)
            .for_each(|place| assert_eq!(slab.at(place).unwrap().len(), 200 - 100 * (place as usize % 2)));
    }
}
