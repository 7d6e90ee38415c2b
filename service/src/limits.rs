//! Bounds of the live service, each with its reason.

use std::time::Duration;

/// Most calls that wait to be written: a tenth of a second's worth at full load, so that whoever comes then is answered at
/// once and told to come later, instead of waiting in memory.
pub const MAX_WAITING_CALLS: usize = 10_000;
/// Most bytes of calls that wait to be written (16 MiB): as many large calls as the memory for them may take.
pub const MAX_WAITING_BYTES: usize = 16 << 20;
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

/// How many bytes of the log are read at once (1 MiB): few enough to stay near the processor, many enough that asking for
/// them costs little.
pub const READ_BYTES: usize = 1 << 20;
/// For how many entries of how many bytes room is made at most before it is known how many come: as many as come together
/// at full load.
pub const MAX_RESERVED: (usize, usize) = (10_000, 4 << 20);
/// After how many checkpoints of changes they are merged: a start has to read that many files beside each other.
pub const MERGED_AFTER: usize = 16;
/// How many times as large as all later ones together a checkpoint of changes may be, to be merged with them (2): so each of
/// them is larger than all after it, and what changed is written about as often as their number has digits.
pub const MERGED_WITH: u64 = 2;
/// How many bytes of changes are not worth merging (1 MiB).
pub const MERGED_BYTES: u64 = 1 << 20;

/// How long the files of log and decisions get, in bytes (64 MiB): few files in a year, and each is read in a second.
pub const SEGMENT_BYTES: u64 = 64 << 20;
/// How many files there are at least in a log that may get so long: each goes as a whole.
pub const FILES_KEPT: u64 = 8;
/// Into how many parts the time is parted for which log and decisions are kept (16): a file ends when its first entry is older
/// than one of them, and goes as a whole, two of them late at most; so what is kept is an eighth older at most than what was
/// asked for. As many files are looked through for a time line.
pub const FILES_OF_AGE: i64 = 16;
/// How often a checkpoint is made (30 s): a start after a crash has to read that much of the log, and whoever changed is copied
/// that often.
pub const CHECKPOINT_EVERY: Duration = Duration::from_secs(30);
/// How many customers are gathered for a checkpoint between two groups of entries, besides as many as calls were taken up (64):
/// less than a millisecond's worth, so that decisions do not wait.
pub const GATHERED_AT_ONCE: usize = 64;
/// For how long customers are written down for a checkpoint before there is a pause, and how long that is (1 ms and 2 ms): it
/// takes a third of a processor, so that decisions have what they need.
pub const WORKS_FOR: Duration = Duration::from_millis(1);
/// See [`WORKS_FOR`].
pub const RESTS_FOR: Duration = Duration::from_millis(2);
/// In pieces of how many bytes checkpoints are brought to disk (4 MiB, some hundredths of a second): the log is synced in
/// between, and whoever sends waits for that.
pub const SYNCED_BYTES: usize = 4 << 20;
/// How often decisions are brought to disk beside the work (1 s): the fewer there are at once, the shorter the log waits.
pub const DECISIONS_SYNCED_EVERY: Duration = Duration::from_secs(1);
/// How many threads speak HTTP: they wait most of the time.
pub const HTTP_THREADS: usize = 2;
/// How long a thread waits for something to do before it looks whether there is to be an end.
pub const IDLE: Duration = Duration::from_millis(20);
/// How long is waited after a write that failed: a full disk is not asked a thousand times a second.
pub const FAILED_WRITE_PAUSE: Duration = Duration::from_millis(50);
/// How long is waited until it is looked again whether there is room between who writes the log and who decides by it.
pub const FULL_PAUSE: Duration = Duration::from_millis(1);
/// How far, in milliseconds, a clock may be behind the log without that being told (5 seconds): clocks are set a little.
pub const CLOCK_BEHIND: i64 = 5_000;
/// By how much, in milliseconds, a clock is set at once for that to be told (5 seconds): what keeps it right moves it by less.
pub const CLOCK_STEP: i64 = 5_000;
/// How long is waited when decisions cannot be written down.
pub const HISTORY_PAUSE: Duration = Duration::from_millis(100);
/// How long, in milliseconds, is waited at most until somebody who was erased is taken out of what was written of them, and
/// until that is tried again.
pub const ERASING_PAUSE: i64 = 500;
/// How many files of the log and of the decisions are looked through for one time line, the newest first: some seconds'
/// worth of reading.
pub const TIMELINE_FILES: usize = 32;
/// How many groups of entries wait between who writes them and who applies them. With [`MAX_WAITING_BYTES`] in each this is
/// the memory that they may take; when all of them are taken, nothing is written, and soon nothing is accepted.
pub const WAITING_GROUPS: usize = 4;
/// How many questions wait to be answered: whoever asks more is told to come later.
pub const WAITING_QUESTIONS: usize = 16;
/// How many questions are answered between two groups: each takes a few milliseconds at most.
pub const QUESTIONS_AT_ONCE: usize = 2;
/// Most decisions on their way (2,000,000, some 300 bytes each): when channels are so far behind, no more calls are
/// accepted until they have caught up.
pub const MAX_PENDING: usize = 2_000_000;

/// How many deliveries of a webhook are under way at once: enough to make up for the time that answers take, few enough for
/// any receiver.
pub const DELIVERY_THREADS: usize = 8;
/// The pause before a delivery that failed is tried again, in milliseconds; each further one is twice as long.
pub const FIRST_PAUSE: i64 = 1_000;
/// Longest such pause, in milliseconds (10 minutes): a receiver that is back need not wait longer.
pub const LONGEST_PAUSE: i64 = 600_000;
/// For how long a delivery is tried, in milliseconds (24 hours): as long as a message is worth sending after an outage.
pub const GIVEN_UP_AFTER: i64 = 86_400_000;
/// Longest sleep of a thread that has nothing to deliver.
pub const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// How long what is being delivered is waited for at the end: as long as a webhook may usually take.
pub const DELIVERY_PATIENCE: Duration = Duration::from_secs(10);

/// How many of a list are answered when `limit` is not asked for.
pub const PAGE: usize = 100;
/// Most of a list in one answer.
pub const PAGE_MOST: usize = 1_000;
/// How many looks for members one answer may take: each of them holds customers up for a few milliseconds at most.
pub const LOOKS: usize = 32;
/// How many files are left for all but the connections of trackers (256): logs and checkpoints, a merge of the latter, the
/// admin port, and what is being delivered.
pub const RESERVED_FILES: usize = 256;
/// Which part of all connections one address may have when `connections_per_address` is not set (a quarter, 1,024 of 4,096):
/// nobody who is alone takes all, and many people behind one proxy find room.
pub const CONNECTIONS_SHARE: usize = 4;
/// Most bytes of rules that are put in force over the admin port, and of all that are at once (16 MiB): more than any
/// project's text.
pub const RULES_BYTES: usize = 16 << 20;
/// How often a folder is looked at that is watched: what changes is in force two looks later.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Most connections to the admin port: few people and one Prometheus.
pub const ADMIN_CONNECTIONS: usize = 64;
/// Fewest characters of the admin token: what nobody guesses.
pub const MIN_TOKEN: usize = 32;
