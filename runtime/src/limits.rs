//! Bounds on what is read and delivered, each with its reason.

pub use segue_compiler::limits::MAX_NAME_BYTES;

/// Longest line of an event or profile file in bytes (1 MiB): trackers cap a call at 32 KB; a longer line is no event,
/// and must not fill the memory.
pub const MAX_LINE_BYTES: usize = 1 << 20;
/// How many bytes of lines are read at once (128 KiB): as many as readers keep, so that they are copied once.
pub const BLOCK_BYTES: usize = 1 << 17;
/// How many lines one of several threads shares out at a time: enough that taking them costs nothing beside it, and few enough
/// that all threads are done at nearly the same time.
pub const SHARED_LINES: usize = 128;
/// How many bytes of lines are worked on at a time (512 KiB, some 2,500 lines): enough that what is done once for all of them
/// costs little beside them, and few enough that they and what is read of them stay near the processor.
pub const PART_BYTES: usize = 1 << 19;
/// How many are where several threads work on them (1 MiB): the more there are, the more alike is what each thread has to do, and
/// those who are done wait for the others at the end of each part.
pub const SHARED_PART_BYTES: usize = 1 << 20;
/// How many are where there are many customers (16 MiB, some 80,000 lines): enough that whoever is on the site does most of what
/// they do there in one of them, and has to be woken once for it.
pub const LARGE_PART_BYTES: usize = 1 << 24;
/// How many parts are read ahead where several threads work on them (8): while one is applied the next is shared out, but for
/// the last, where whoever is done has to wait.
pub const PARTS_AHEAD: usize = 8;
/// How many bytes that are at most (64 MiB), unless one part is more: what is read ahead is held in memory twice.
pub const BYTES_AHEAD: usize = 1 << 26;
/// From how many customers of a shard on parts are large (500,000): then more of them are on the site at once than stay near the
/// processor, and what is read ahead is little beside what is kept of all.
pub const MANY_CUSTOMERS: usize = 500_000;
/// Most threads that may be asked to share the work of a replay (256): as many as large machines have processors. Each has
/// lines of every batch to share out with all others, so that thousands are busy with nothing else.
pub const MAX_THREADS: usize = 256;
/// How many characters of a wrong value are shown.
pub const SHOWN_CHARACTERS: usize = 40;
/// How many customers of a shard are awake at once at least: twice as many as are on a shop's site in one moment. Few,
/// because whoever is laid to rest while their state is still near the processor is packed several times faster.
pub const AWAKE_CUSTOMERS: usize = 64;
/// Among how many who are awake somebody is looked for, and the one who came longest ago makes room (8): enough that hardly
/// anybody has to leave who is still on the site, and few enough that looking at all of them is looking at one place in memory.
pub const ROW_OF_SEATS: usize = 8;
/// Up to how many customers of a shard all stay awake (1,024, some 6 MB of ordinary ones): each of them comes again.
pub const FEW_CUSTOMERS: usize = 1_024;
/// How many are at most, where the same customers come again and again (16,384, some 100 MB of ordinary ones).
pub const MOST_AWAKE_CUSTOMERS: usize = 16_384;
/// How many times as many are tried at once (4): each of 64, 256, 1,024, 4,096 and 16,384 is as good as any between them.
pub const MORE_SEATS: usize = 4;
/// After how many turns of customers, for each seat, it is judged how many should be awake (4): enough that chance does not
/// decide, and few enough that more seats are found within a second of much work. What one customer does in a row is one turn,
/// so that each of those on the site has some, however many calls are taken together.
pub const TURNS_A_SEAT: usize = 4;
/// Out of how many looks for a customer it is counted how many are in vain (65,536), however many there were.
pub const LOOKS: u32 = 1 << 16;
/// More than which part of the looks must be in vain for a trial of more seats (a sixteenth).
pub const WORTH_A_TRIAL: u32 = 16;
/// More than which part must still be in vain for a trial to go on with more seats still (a quarter).
pub const TRIED_ON: u32 = 4;
/// For how many times as many turns as a trial took it is not tried again after it was of no use (32): in a trial, those laid
/// to rest are far from the processor.
pub const UNTRIED: u32 = 32;
/// How many times fewer looks must be in vain with more seats for that to stay so (3): so many times as long it takes to pack
/// somebody whose state is no longer near the processor.
pub const WORTH_SEATS: u32 = 3;
/// How many times as many customers as there are seats may come in one batch and still stay awake after it (4): who is on the
/// site comes again soon, and more are best laid to rest while their state is nearest to the processor.
pub const STAYING: usize = 4;
/// Of how many calls it is judged whether they are worth being taken together (1,000): fewer say little of it.
pub const JUDGED_CALLS: usize = 1_000;
/// How many calls a customer must have among them on average (2): else sorting them and having them ready costs more than it
/// saves.
pub const WORTH_GATHERING: usize = 2;
/// After how many times as many calls it is tried again (32).
pub const GATHERED_ANYWAY: usize = 32;
/// How many customers who come next are brought near the processor at once (32, some 16 KB): enough that their memory is waited
/// for together, and few enough that all of it stays there until they come.
pub const APPROACHED: usize = 32;
/// From how many customers of a shard on that is done (50,000, some 20 MB): fewer are near the processor already.
pub const FAR_CUSTOMERS: usize = 50_000;
/// Of how many calls all events are read before the first is applied (128, some 60 KB): enough that code is not fetched anew
/// for each, and that several customers are fetched together where each has several calls; few enough that what was read is
/// still near the processor.
pub const READ_TOGETHER: usize = 128;
/// How many customers are woken before the first call of theirs is applied (16, some 80 KB): enough that code is not fetched
/// anew for each, and few enough that they are near the processor when their turn comes, and nobody loses a seat to another.
pub const WOKEN_TOGETHER: usize = 16;
/// How many calls, or customers of whom something is due, are worth a thread of their own (256, half a millisecond's worth):
/// starting one takes as long as some dozen of them, and where all processors have something to do, it may have to wait for
/// one for longer than all the rest takes.
pub const WORTH_A_THREAD: usize = 256;
/// How many customers are looked at to answer one question (1,000): whoever asks for all of them asks again, and calls that
/// arrive meanwhile wait a few milliseconds at most.
pub const MEMBERS_LOOKED_AT: usize = 1_000;
/// How many customers are looked at to answer one question for the next deadlines (1,000,000): their instants lie side by
/// side, so that this takes a few milliseconds.
pub const DEADLINES_LOOKED_AT: u32 = 1_000_000;
/// Of how many deadlines it is tried at once what comes of them (100): a few milliseconds' worth.
pub const FORESEEN: usize = 100;
/// How many bytes of records are kept in one piece (1 MiB): large enough that pieces are few.
pub const RECORD_CHUNK_BYTES: usize = 1 << 20;

/// How far `--drain` goes beyond the end, in milliseconds (3,653 days, ten years): schedules never end.
pub const DRAIN: i64 = 3_653 * 86_400_000;

/// Longest content file in bytes (1 MiB): longer than any mail.
pub const MAX_CONTENT_FILE_BYTES: u64 = 1 << 20;
/// Longest `segue.toml` in bytes (1 MiB), as of a rule file: longer ones are data.
pub const MAX_TEXT_FILE_BYTES: u64 = 1 << 20;
/// How much of a rule file is read, in bytes: more than the longest, so that the parser sees that it is too long and
/// says so as of any other mistake.
pub const MAX_RULES_READ: u64 = MAX_TEXT_FILE_BYTES + 64;
/// Deepest folder within a project: links that lead in circles end here.
pub const MAX_FOLDER_DEPTH: usize = 32;
/// Most files of one project: a folder with more is not a project but a disk.
pub const MAX_PROJECT_FILES: usize = 10_000;
/// Longest duration in `segue.toml` in milliseconds (36,525 days, a century): sums with instants stay in range.
pub const MAX_DURATION: i64 = 36_525 * 86_400_000;
/// Shortest `keep` in milliseconds (a day): events that are out of order, and a stop of a night, are within it.
pub const MIN_KEEP: i64 = 86_400_000;

/// How long a webhook may take to answer, in milliseconds, when `timeout` is not set.
pub const WEBHOOK_TIMEOUT: i64 = 10_000;
/// Longest `timeout` of a webhook in milliseconds: a hook that needs more should answer first and work later.
pub const MAX_WEBHOOK_TIMEOUT: i64 = 120_000;
/// How often a delivery is tried again when `retries` is not set: five attempts in all.
pub const WEBHOOK_RETRIES: u32 = 4;
/// Most `retries`: with doubling waits more would take hours.
pub const MAX_WEBHOOK_RETRIES: u32 = 10;
/// The wait before the first retry in milliseconds; each further one is twice as long.
pub const FIRST_RETRY: u64 = 500;
/// Longest wait before a retry in milliseconds, also when `Retry-After` asks for more.
pub const LONGEST_RETRY: u64 = 30_000;
/// How many bytes of a webhook's answer are read: enough for its words when it refuses.
pub const MAX_ANSWER_BYTES: u64 = 16 * 1024;
/// After how many deliveries in a row that failed in spite of all retries a channel is taken for down: each of them may
/// have taken minutes.
pub const FAILURES_UNTIL_DOWN: u32 = 5;

/// How far ahead is looked for what a test expected too early, in milliseconds (366 days): beyond it, it was not meant.
pub const LOOK_AHEAD: i64 = 366 * 86_400_000;

/// Most bytes of an event that the live service takes when `event_size` is not set (32 KB): what trackers send at most.
pub const EVENT_BYTES: usize = 32 << 10;
/// Most bytes of a request when `batch_size` is not set (500 KB): what trackers send at most.
pub const BATCH_BYTES_TAKEN: usize = 500 << 10;
/// Largest `batch_size` (64 MB): each request is held in memory whole.
pub const MAX_BATCH_BYTES_TAKEN: usize = 64 << 20;
/// Most events of a request when `batch_events` is not set.
pub const BATCH_EVENTS: usize = 2_500;
/// Largest `batch_events`: more is an import, and those come by file.
pub const MAX_BATCH_EVENTS: usize = 100_000;
/// Most connections at once when `connections` is not set: each may take some memory.
pub const CONNECTIONS: usize = 4_096;
/// Largest `connections`: as many as a system gives ports to.
pub const MAX_CONNECTIONS: usize = 65_536;
