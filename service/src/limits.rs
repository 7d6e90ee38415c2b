//! Bounds of the live service, each with its reason.

/// Most calls that wait to be written: a tenth of a second's worth at full load, so that whoever comes then is answered at
/// once and told to come later, instead of waiting in memory.
pub const MAX_WAITING_CALLS: usize = 10_000;
/// Most bytes of calls that wait to be written (32 MiB): as many large calls as the memory for them may take.
pub const MAX_WAITING_BYTES: usize = 32 << 20;
/// After how many milliseconds who was refused because too much waits should come again: what waits is written by then.
pub const RETRY_AFTER: u64 = 1_000;
