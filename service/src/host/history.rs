//! What was decided, in the order in which it was, so that it can be delivered and asked for later.
//!
//! It is a log of its own, and follows from the other one: a checkpoint says how far it had come, and what was written
//! after that is cut off and decided again.

use crate::{
    disk::Disk,
    log::{self, Damage, Kind, Place, Writer, entry_at},
};
use segue_compiler::{
    pack::{Packed, Packer, Unpacker},
    record::Record,
    value::Millis,
};
use std::{io, path::Path, sync::Arc};

/// The version of the format of a record's bytes.
pub(super) const FORMAT: u8 = 1;

/// The decisions of a host.
#[derive(Debug)]
pub(super) struct History {
    writer: Writer,
}

/// Where a decision lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) segment: u64,
    pub(crate) offset: u64,
}

impl History {
    /// Opens the decisions in a folder as of a place.
    pub(super) fn open(
        disk: Arc<dyn Disk>,
        folder: &Path,
        limits: log::Limits,
        place: Place,
    ) -> Result<Self, Damage> {
        let writer = Writer::open_at(disk, folder, limits, place)?;
        Ok(Self { writer })
    }

    /// Where the next one comes.
    pub(super) fn place(&self) -> Place {
        self.writer.place()
    }

    /// Ends the file, so that something can be taken out of it.
    pub(super) fn rotate(&mut self) {
        self.writer.rotate();
    }

    /// Ends the file where its time has come, so that it may go also when nothing is decided any more. `now` is when the last
    /// entry of the log was received. Where it cannot be ended, it is tried again with the next checkpoint.
    pub(super) fn end_old(&mut self, now: Millis) {
        if self.writer.is_old(now) {
            let _ = self.writer.append([(Kind::Void, now, &[][..])], false);
        }
    }

    /// Appends decisions that follow from an entry of the log that was received at an instant; gives where each lies. They are
    /// not yet on disk.
    pub(super) fn append(&mut self, records: &[Record], received_at: Millis) -> io::Result<Vec<At>> {
        let packed: Vec<Vec<u8>> = records.iter().map(|record| pack(record, received_at)).collect();
        let entries = packed.iter().map(|packed| (Kind::Record, received_at, packed.as_slice()));
        let group = self.writer.append(entries, false)?;
        Ok(group.entries().map(|entry| At { segment: group.segment, offset: entry.offset }).collect())
    }
}

fn pack(record: &Record, received_at: Millis) -> Vec<u8> {
    let mut packer = Packer::new(received_at);
    packer.raw(&[FORMAT]);
    record.pack(&mut packer);
    packer.finish()
}

/// Reads what [`pack`] wrote; none when it is not such, as what was erased.
pub(super) fn unpack(entry: &log::Entry<'_>) -> Option<Record> {
    let (format, bytes) = entry.payload.split_first()?;
    if entry.kind != Kind::Record || *format != FORMAT {
        return None;
    }
    Record::unpack(&mut Unpacker::new(bytes, entry.received_at)).ok()
}

/// Reads one decision of those in a folder.
pub(crate) fn read_at(folder: &Path, at: At) -> Result<Option<Record>, Damage> {
    entry_at(folder, at.segment, at.offset, |entry| unpack(&entry))
}
