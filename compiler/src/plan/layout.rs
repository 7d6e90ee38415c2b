//! Where the fields of events and the words of a customer lie.

use super::Class;
use crate::typed::FieldId;
use std::{collections::BTreeMap, sync::Arc};

/// What is read of one event: slot by slot, what it holds. Slots 0 to 2 are `at`, `message_id`, `event_name`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// The number of slots, the first three included.
    pub slots: u32,
    /// The slot of each top-level field that is read whole, by name.
    pub names: BTreeMap<Arc<str>, u32>,
    /// The fields that are decoded: position among the declared fields, and the slots filled from it, each with the
    /// path into the field.
    pub fields: Vec<FieldUse>,
    /// The slots that rules read of such an event after its own instant, in order.
    pub kept: Vec<u32>,
}

/// A field that is decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldUse {
    /// Its position among the declared fields.
    pub field: u32,
    /// The slots filled from it.
    pub slots: Vec<SlotUse>,
}

/// A slot filled from a field.
#[derive(Clone, Debug, PartialEq)]
pub struct SlotUse {
    /// Its number.
    pub slot: u32,
    /// The path into the field.
    pub path: Vec<Arc<str>>,
    /// How it is read.
    pub class: Class,
}

/// The first slots of every frame.
pub const FIXED_SLOTS: u32 = 3;

/// The fixed part of a customer's state, in words of 8 bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordLayout {
    /// First word of the levels' bits.
    pub segments: u32,
    /// First of the words that say since when a condition has held, one for each that must hold without a break.
    pub held: u32,
    /// First word of the profile's slots, two words a slot.
    pub profile_words: u32,
    /// What the profile's slots hold.
    pub profile: Vec<ProfileSlot>,
    /// The number of words.
    pub words: u32,
    /// The number of rings.
    pub rings: u32,
    /// The number of totals.
    pub totals: u32,
    /// The number of totals by day.
    pub days: u32,
    /// The number of sets of days or weeks.
    pub periods: u32,
}

/// The word that holds when the customer was first seen; [`UNSEEN`] before.
pub const FIRST_SEEN_WORD: u32 = 0;

/// The word that holds the time of the last active event; [`NEVER`] before.
pub const LAST_ACTIVE_WORD: u32 = 1;

/// No time yet, later than all.
pub const UNSEEN: i64 = i64::MAX;

/// No time yet, earlier than all.
pub const NEVER: i64 = i64::MIN;

/// A slot of the profile.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileSlot {
    /// The field.
    pub field: FieldId,
    /// The path into it.
    pub path: Vec<Arc<str>>,
    /// How it is read.
    pub class: Class,
}
