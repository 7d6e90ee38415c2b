//! What a checkpoint says besides its keys.

use crate::{lineage::Lineage, log::Place};
use segue_compiler::{
    pack::{Broken, Packed, Packer, Unpacker},
    packed,
    value::Millis,
};
use segue_runtime::fuse::Fuses;
use std::collections::BTreeMap;

/// The version of the format.
pub(super) const FORMAT: u8 = 4;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Notes {
    /// What tells the rules of which it is; bytes of customers mean something only to them.
    pub(super) rules: u64,
    /// When the last entry before it was received.
    pub(super) received_at: Option<Millis>,
    /// How far the decisions had come.
    pub(super) position: u64,
    pub(super) segment: u64,
    pub(super) offset: u64,
    /// Who is being erased, by a hash of the id: it may be here longer than the id may be.
    pub(super) erasing: BTreeMap<u64, Erasing>,
    /// What the fuses counted.
    pub(super) fuses: Option<Fuses>,
    /// The rules that were in force, up to those that are.
    pub(super) lineage: Lineage,
    /// Changes of rules that an older checkpoint would have to make again, and what they read of the log.
    pub(super) reads: Vec<Read>,
}

packed!(Notes { rules, received_at, position, segment, offset, erasing, fuses, lineage, reads });

/// The first version of the format, when rules did not change.
struct First {
    rules: u64,
    received_at: Option<Millis>,
    position: u64,
    segment: u64,
    offset: u64,
    erasing: BTreeMap<u64, Erasing>,
    fuses: Option<Fuses>,
}

packed!(First { rules, received_at, position, segment, offset, erasing, fuses });

impl First {
    fn now(self, lineage: Lineage) -> Notes {
        let Self { rules, received_at, position, segment, offset, erasing, fuses } = self;
        let reads = Vec::new();
        Notes { rules, received_at, position, segment, offset, erasing, fuses, lineage, reads }
    }
}

/// What a change of rules read of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// The position of the change.
    pub(super) at: u64,
    /// From where on it was read.
    pub(super) from: u64,
}

packed!(Read { at, from });

/// Up to where something of somebody is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Erasing {
    /// The position in the log of what asked for it; that goes, too.
    pub(super) log: u64,
    /// How far the decisions had come.
    pub(super) history: u64,
}

packed!(Erasing { log, history });

impl Notes {
    pub(super) fn history(&self) -> Place {
        Place { position: self.position, segment: self.segment, offset: self.offset }
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut packer = Packer::default();
        packer.raw(&[FORMAT]);
        self.pack(&mut packer);
        packer.finish()
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, Broken> {
        let mut from = Unpacker::new(bytes, 0);
        match from.raw(1)? {
            [FORMAT] => Self::unpack(&mut from),
            [3] => {
                let first = First::unpack(&mut from)?;
                let lineage = Lineage::unpack_steps(&mut from, true)?;
                Ok(Self { reads: Packed::unpack(&mut from)?, ..first.now(lineage) })
            }
            [2] => {
                let first = First::unpack(&mut from)?;
                Ok(first.now(Lineage::unpack_steps(&mut from, false)?))
            }
            [1] => Ok(First::unpack(&mut from)?.now(Lineage::default())),
            _ => Err(Broken),
        }
    }
}
