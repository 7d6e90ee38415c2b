//! Event files: bytes to calls, line by line.
//!
//! [`Events`] opens files (plain, gzip or Zstandard, or standard input), merges them by time and gives each line as an
//! [`Envelope`] or as a [`Reject`]. Memory is bounded by one line per file, and by what a [`crate::replay::Feed`] reads ahead.

mod batch;
mod declared;
mod envelope;
mod input;
mod lines;
mod merge;
mod whose;

pub use declared::fault;
pub use envelope::Envelope;
pub use input::{Progress, SourceError};
pub use merge::{Event, Events, Item, Reject};

pub(crate) use batch::Batch;
pub(crate) use declared::traits_fault;
pub(crate) use envelope::name_of;
pub(crate) use input::Input;
pub(crate) use lines::{Line, Lines};
pub(crate) use whose::{Whose, whose};
