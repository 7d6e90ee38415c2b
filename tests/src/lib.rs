//! What the tests share: case files, random programs and histories, and the comparison of both executors.
//!
//! - [`case`] reads and runs the files under `cases/`.
//! - [`generate`] makes random programs and histories from a seed.
//! - [`simulate`] lets all that can go wrong do so, and makes what fails a case.
//! - [`rehearsals`] runs the tests that rules bring along; [`machine_code`] tells how much of it is held.
//! - [`feed`](mod@feed) applies a stream to a replay.
//! - [`drive`] applies calls to an executor, which [`read`](mod@read) makes ready for it; [`difference`] compares two.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

pub mod case;
pub mod changing;
pub mod difference;
pub mod drive;
pub mod expectation;
pub mod feed;
pub mod generate;
pub mod machine_code;
pub mod random;
pub mod read;
pub mod rehearsals;
pub mod simulate;
