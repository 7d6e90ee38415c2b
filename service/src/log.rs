//! The log: everything that ever came in, in order, in files that are only appended to. State is a function of it.
//!
//! An `entry` says what happened and when it was received; that time never decreases. Files are named by the position of
//! their first entry and begin with the version of their format; each entry has a checksum. `writer` appends groups of
//! entries and makes each durable before anybody hears of it; `read` gives them back. The end of the last file that a
//! crash left half written is cut off: nobody was told that it is there.

mod entry;
mod file;
mod read;
mod scrub;
mod trim;
mod writer;

pub use entry::{Delivered, Entry, Group, Kind, encode};
pub use file::{Damage, FORMAT, Segment, segments};
pub use read::{Reader, entry_at, since};
pub use scrub::scrub;
pub use trim::{Trimmed, trim};
pub use writer::{Limits, Opened, Place, Writer, end};
