//! Bounds of the live service, each with its reason.

/// Most calls that wait to be written: a tenth of a second's worth at full load, so that whoever comes then is answered at
/// once and told to come later, instead of waiting in memory.
pub const MAX_WAITING_CALLS: usize = 10_000;
/// Most bytes of calls that wait to be written (32 MiB): as many large calls as the memory for them may take.
pub const MAX_WAITING_BYTES: usize = 32 << 20;
/// After how many milliseconds who was refused because too much waits should come again: what waits is written by then.
pub const RETRY_AFTER: u64 = 1_000;

/// How long, in milliseconds, a connection may take from its beginning, or the end of a request, to the end of the next
/// one's headers: it is idle for so long at most, too.
pub const HEADER_PATIENCE: u64 = 15_000;
/// How long a body may take to come, in milliseconds: 500 KB over a bad mobile connection.
pub const BODY_PATIENCE: u64 = 30_000;
/// How long an answer may take to be read, in milliseconds.
pub const ANSWER_PATIENCE: u64 = 15_000;
/// How long a TLS handshake may take, in milliseconds.
pub const HANDSHAKE_PATIENCE: u64 = 10_000;
/// How long requests may take to end when the service ends, in milliseconds.
pub const CLOSING_PATIENCE: u64 = 10_000;
/// How long no connection is taken after one could not be, in milliseconds.
pub const ACCEPT_PAUSE: u64 = 50;
/// Most headers of a request: browsers behind a proxy send some thirty.
pub const HEADERS: usize = 64;
/// Most bytes of a request's line and headers (32 KB): cookies of a whole domain may come along.
pub const HEADER_BYTES: usize = 32 << 10;
/// Most bytes of all bodies that are read and worked on at once (64 MB): who comes then is told to come later.
pub const BODIES_BYTES: usize = 64 << 20;
/// How many rejected events are kept to be looked at: more than anybody reads.
pub const REJECTS: usize = 1_000;
