//! All that machine code can see: the header of a call, the slots of frames and of the profile, and the host functions.

use std::mem::offset_of;

/// What a call of machine code is about; the host's own context begins with it.
#[derive(Debug)]
#[repr(C)]
pub struct Header {
    /// The instant.
    pub now: i64,
    /// The earliest next deadline found so far; [`NO_DEADLINE`] when there is none.
    pub deadline: i64,
    /// The tag of a value returned by a host function or a value function.
    pub tag: i64,
    /// Its word.
    pub word: i64,
    /// The slots of the remembered row that is being looked at.
    pub row: *const Slot,
}

/// Later than every deadline.
pub const NO_DEADLINE: i64 = i64::MAX;

/// A value as machine code sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Slot {
    /// 0: missing. 1: known. For texts 2 + n: known and equal to constant n.
    pub tag: i64,
    /// The word; for texts, lists and objects the place within their [`Space`].
    pub word: i64,
}

/// The tag of a text that equals constant 0.
pub const FIRST_TEXT_TAG: i64 = 2;

/// Where a text, list or object lies: the upper half of its handle; the lower half is its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub enum Space {
    /// The plan's constants.
    Constants = 0,
    /// The event that is being applied.
    This = 1,
    /// `event`.
    Trigger = 2,
    /// The profile's slots.
    Profile = 3,
    /// Results of host functions.
    Temporary = 4,
    /// `answer`.
    Answer = 5,
    /// Named elements: this plus the element's number.
    Elements = 8,
}

/// How far the space is shifted in a handle.
pub const SPACE_SHIFT: i64 = 32;

/// The order of frames that machine code is given.
pub const FRAME_THIS: u32 = 0;
/// See [`FRAME_THIS`].
pub const FRAME_TRIGGER: u32 = 1;
/// The first named element; the others follow.
pub const FRAME_ELEMENTS: u32 = 2;
/// `answer`, after the most elements that there can be.
pub const FRAME_ANSWER: u32 = FRAME_ELEMENTS + crate::limits::MAX_ELEMENTS as u32;

/// Offsets in [`Header`] and [`Slot`].
pub(crate) mod offset {
    use super::{Header, Slot, offset_of};

    const fn fit(offset: usize) -> i32 {
        assert!(offset < 1024);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_possible_wrap,
            reason = "checked in the line above"
        )]
        let fit = offset as i32;
        fit
    }

    pub(crate) const NOW: i32 = fit(offset_of!(Header, now));
    pub(crate) const DEADLINE: i32 = fit(offset_of!(Header, deadline));
    pub(crate) const TAG: i32 = fit(offset_of!(Header, tag));
    pub(crate) const WORD: i32 = fit(offset_of!(Header, word));
    pub(crate) const ROW: i32 = fit(offset_of!(Header, row));
    pub(crate) const SLOT_TAG: i32 = fit(offset_of!(Slot, tag));
    pub(crate) const SLOT_WORD: i32 = fit(offset_of!(Slot, word));
    pub(crate) const SLOT: i32 = fit(size_of::<Slot>());
}

/// A function of the host. All arguments and results are words; the first argument is the context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HostFunction {
    /// `(tag, word, class)`: the next column of the row that is being made.
    Column,
    /// `(cell)`: adds the row made of the columns.
    Push,
    /// `(node)`: the value of a window or a total, in the header.
    Aggregate,
    /// `(node) → rows`: begins a query.
    QueryBegin,
    /// `(row)`: loads a row's columns into the header's row.
    QueryRow,
    /// `(row)`: the query keeps it.
    QueryKeep,
    /// `(node)`: the query's value, in the header; `all` keeps every row.
    QueryEnd,
    /// `(node)`: as `QueryBegin`, and every row is kept.
    QueryAll,
    /// `(node, left, right)`: arithmetic, in the header.
    Arithmetic,
    /// `(node, tag, word)`: a built-in function, or the local day of a time, in the header.
    Call,
    /// `(node)`: recorded consent, in the header.
    Consent,
    /// `(left, right) → equal`, of texts.
    SameText,
    /// `(left, right) → equal`, of lists and objects.
    SameValue,
    /// `(node, left, right) → holds`.
    TextTest,
    /// `(node, text) → holds`.
    Matches,
    /// `(node, list, tag, word) → holds`.
    ListContains,
    /// `(segment, level)`: a segment changed.
    SegmentChanged,
    /// `(sequence, roles)`: the event plays these roles, a bit for each element.
    Role,
}

impl HostFunction {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Column,
        Self::Push,
        Self::Aggregate,
        Self::QueryBegin,
        Self::QueryRow,
        Self::QueryKeep,
        Self::QueryEnd,
        Self::QueryAll,
        Self::Arithmetic,
        Self::Call,
        Self::Consent,
        Self::SameText,
        Self::SameValue,
        Self::TextTest,
        Self::Matches,
        Self::ListContains,
        Self::SegmentChanged,
        Self::Role,
    ];

    /// The name under which it is linked.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Column => "segue_column",
            Self::Push => "segue_push",
            Self::Aggregate => "segue_aggregate",
            Self::QueryBegin => "segue_query_begin",
            Self::QueryRow => "segue_query_row",
            Self::QueryKeep => "segue_query_keep",
            Self::QueryEnd => "segue_query_end",
            Self::QueryAll => "segue_query_all",
            Self::Arithmetic => "segue_arithmetic",
            Self::Call => "segue_call",
            Self::Consent => "segue_consent",
            Self::SameText => "segue_same_text",
            Self::SameValue => "segue_same_value",
            Self::TextTest => "segue_text_test",
            Self::Matches => "segue_matches",
            Self::ListContains => "segue_list_contains",
            Self::SegmentChanged => "segue_segment_changed",
            Self::Role => "segue_role",
        }
    }

    /// The number of words after the context, and whether a word is returned.
    #[must_use]
    pub fn shape(self) -> (usize, bool) {
        match self {
            Self::Column => (3, false),
            Self::Push
            | Self::Aggregate
            | Self::QueryRow
            | Self::QueryKeep
            | Self::QueryEnd
            | Self::QueryAll => (1, false),
            Self::QueryBegin => (1, true),
            Self::Arithmetic | Self::Call => (3, false),
            Self::Consent => (1, false),
            Self::SameText | Self::SameValue | Self::Matches => (2, true),
            Self::TextTest => (3, true),
            Self::ListContains => (4, true),
            Self::SegmentChanged | Self::Role => (2, false),
        }
    }
}

/// The addresses of the host functions, in the order of [`HostFunction::ALL`].
#[derive(Clone, Copy, Debug)]
pub struct HostTable(pub [*const u8; HostFunction::ALL.len()]);

// The table holds addresses of functions, which are the same from every thread.
impl HostTable {
    /// The address of a function.
    #[must_use]
    pub fn address(&self, function: HostFunction) -> *const u8 {
        let position = HostFunction::ALL.iter().position(|other| *other == function);
        position.and_then(|position| self.0.get(position)).copied().unwrap_or(std::ptr::null())
    }
}
