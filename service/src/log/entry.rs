//! One entry: its length, a checksum, what kind it is, when it was received, and what it says.

use segue_compiler::{record::ActionId, value::Millis};
use std::ops::Range;
use xxhash_rust::xxh3::xxh3_64;

/// Length and checksum.
pub(super) const HEAD: usize = 12;
/// Kind and time.
const FRONT: usize = 9;
/// Longest entry: as long as any project's text, and short enough to be held in memory.
pub(super) const MAX_LENGTH: usize = 64 << 20;

/// What an entry is of. The numbers are those in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Nothing any more: what stood here was erased.
    Void = 0,
    /// A call of a tracker, as a line of JSON.
    Call = 1,
    /// Time came to the entry's own.
    Advance = 2,
    /// The service came up at the entry's own time; since the entry before it was not there.
    Start = 3,
    /// The rules in force from here on.
    Rules = 4,
    /// A customer was erased: the id.
    Erase = 5,
    /// A person let a rule go on that the fuse had stopped: its name.
    Release = 6,
    /// A decision needs nothing more: its id, and what became of it.
    Done = 7,
    /// Something that happened to a customer; in the history of decisions only.
    Record = 16,
}

impl Kind {
    fn of(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Void,
            1 => Self::Call,
            2 => Self::Advance,
            3 => Self::Start,
            4 => Self::Rules,
            5 => Self::Erase,
            6 => Self::Release,
            7 => Self::Done,
            16 => Self::Record,
            _ => return None,
        })
    }

    /// The kind in words, as the log is printed.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Void => "void",
            Self::Call => "call",
            Self::Advance => "advance",
            Self::Start => "start",
            Self::Rules => "rules",
            Self::Erase => "erase",
            Self::Release => "release",
            Self::Done => "done",
            Self::Record => "record",
        }
    }
}

/// What became of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// The receiver took it.
    Taken = 1,
    /// The receiver did not take it, and never will.
    Failed = 2,
    /// It was decided without anything being sent (`--dry-run`).
    Unsent = 3,
}

impl Delivered {
    /// The outcome of a decision as an entry says it.
    #[must_use]
    pub fn payload(self, id: ActionId) -> Vec<u8> {
        let mut payload = id.0.to_le_bytes().to_vec();
        payload.push(self as u8);
        payload
    }

    /// Reads what [`Delivered::payload`] wrote.
    #[must_use]
    pub fn read(payload: &[u8]) -> Option<(ActionId, Self)> {
        let (id, how) = payload.split_first_chunk::<16>()?;
        let how = match how {
            [1] => Self::Taken,
            [2] => Self::Failed,
            [3] => Self::Unsent,
            _ => return None,
        };
        Some((ActionId(u128::from_le_bytes(*id)), how))
    }

    /// In words.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Taken => "delivered",
            Self::Failed => "failed",
            Self::Unsent => "unsent",
        }
    }
}

/// An entry as it lies in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'g> {
    /// Its position: how many entries came before it.
    pub position: u64,
    /// When it was received.
    pub received_at: Millis,
    /// What it is of.
    pub kind: Kind,
    /// What it says.
    pub payload: &'g [u8],
    /// Where in its file it begins.
    pub offset: u64,
}

/// Some entries in a row of one file.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// The position of the first.
    pub first: u64,
    /// The position of the first entry of the file that they lie in.
    pub segment: u64,
    /// Where in the file they begin.
    pub offset: u64,
    bytes: Vec<u8>,
    places: Vec<Range<usize>>,
}

/// Appends an entry to bytes.
pub fn encode(bytes: &mut Vec<u8>, kind: Kind, received_at: Millis, payload: &[u8]) {
    let start = bytes.len();
    let length = u32::try_from(FRONT + payload.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&[0; 8]);
    bytes.push(kind as u8);
    bytes.extend_from_slice(&received_at.to_le_bytes());
    bytes.extend_from_slice(payload);
    let check = xxh3_64(bytes.get(start + HEAD..).unwrap_or_default());
    if let Some(place) = bytes.get_mut(start + 4..start + HEAD) {
        place.copy_from_slice(&check.to_le_bytes());
    }
}

/// How many bytes the entry takes that begins with these; none where no whole entry does. Where it is not whole because
/// more bytes are needed, says how many.
pub(super) fn measure(bytes: &[u8]) -> Result<usize, Option<usize>> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Err(Some(HEAD)) };
    let length = u32::from_le_bytes(*length) as usize;
    if !(FRONT..=MAX_LENGTH).contains(&length) {
        return Err(None);
    }
    let Some((check, rest)) = rest.split_first_chunk::<8>() else { return Err(Some(HEAD)) };
    let Some(body) = rest.get(..length) else { return Err(Some(HEAD + length)) };
    let is_sound =
        xxh3_64(body) == u64::from_le_bytes(*check) && body.first().copied().and_then(Kind::of).is_some();
    if is_sound { Ok(HEAD + length) } else { Err(None) }
}

impl Group {
    /// A group that begins at a place.
    pub(super) fn at(first: u64, segment: u64, offset: u64) -> Self {
        Self { first, segment, offset, bytes: Vec::new(), places: Vec::new() }
    }

    /// Makes room for so many entries of so many bytes.
    pub(super) fn reserve(&mut self, (entries, bytes): (usize, usize)) {
        self.places.reserve(entries);
        self.bytes.reserve(bytes);
    }

    /// Appends an entry.
    pub(super) fn push(&mut self, kind: Kind, received_at: Millis, payload: &[u8]) {
        let start = self.bytes.len();
        encode(&mut self.bytes, kind, received_at, payload);
        self.places.push(start..self.bytes.len());
    }

    /// Appends an entry that was read.
    pub(super) fn push_read(&mut self, bytes: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.places.push(start..self.bytes.len());
    }

    /// The entries as they lie in the file.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Where in the file they end.
    pub(super) fn after(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The position after the last.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first + self.places.len() as u64
    }

    /// The entries in order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.places.iter().zip(self.first..).filter_map(|(place, position)| {
            let body = self.bytes.get(place.start + HEAD..place.end)?;
            let (kind, rest) = body.split_first()?;
            let (received_at, payload) = rest.split_first_chunk::<8>()?;
            Some(Entry {
                position,
                received_at: Millis::from_le_bytes(*received_at),
                kind: Kind::of(*kind)?,
                payload,
                offset: self.offset + place.start as u64,
            })
        })
    }

    /// The same without what lies before a position.
    pub(super) fn from(mut self, position: u64) -> Self {
        let skipped = usize::try_from(position.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let skipped = skipped.min(self.places.len());
        self.places.drain(..skipped);
        self.first += skipped as u64;
        self
    }
}
