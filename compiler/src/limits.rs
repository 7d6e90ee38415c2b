//! Bounds on what one customer, one instant and one template can take, each with its reason.

/// How many message ids of a customer are kept: enough for the retries of a busy day, and a bound of 4 KB.
pub const MAX_IDS: usize = 256;
/// How many calls of a customer are held until those before them have arrived: more than anybody makes in the minutes that
/// trackers and queues are late.
pub const MAX_HELD: usize = 64;
/// How many of the newest matching events of a customer are told apart by windows: exact for all but the busiest, and
/// a bound of a few kilobytes.
pub const EXACT_EVENTS: usize = 256;
/// How many matches of one sequence, or with `earliest` of each of its steps, and how many values of its `with same`, are
/// kept for a customer: more carts at once than anybody has.
pub const MAX_MATCHES: usize = 64;
/// How many runs of one rule a customer has under way with `overlap per`: more carts at once than anybody has.
pub const MAX_RUNS: usize = 64;
/// For how many channels a customer's consent and suppression are kept: several times as many as anybody sends on.
pub const MAX_CHANNELS: usize = 32;
/// The longest name of a channel whose consent is kept, in bytes: names are words.
pub const MAX_CHANNEL_BYTES: usize = 64;
/// Longest customer id, message id or event name in bytes: ids are kept per customer, and nobody's is longer.
pub const MAX_NAME_BYTES: usize = 1_024;
/// How many items of a list are read: more than an order has lines, and a bound on what is kept of it.
pub const MAX_ITEMS: usize = 256;
/// The most that rules may need to keep of one customer, in bytes (64 MiB): what may be larger is as good as without bound.
pub const MAX_CUSTOMER_BYTES: u64 = 64 << 20;
/// How many runs of one rule are followed until a customer reaches its goal: those who were written to more often in vain
/// are few, and the newest runs are what counts.
pub const MAX_GOAL_RUNS: usize = 64;
/// How long after it was due a message still goes out where the service was down and the rule does not say, in milliseconds
/// (24 hours): what is older has mostly lost its sense.
pub const LATE_AFTER: i64 = 24 * 3_600_000;
/// How many earlier versions of one rule go on for the runs that began under them: rules are seldom changed more often than
/// that while somebody waits, and each is code and conditions that are kept.
pub const MAX_FORMER_VERSIONS: usize = 8;
/// How many consequences trigger rules within one instant: the checker refuses cycles, so this bounds long chains.
pub const MAX_CONSEQUENCES: u32 = 64;
/// How many instructions of the template engine one rendering may take: a long e-mail takes a few thousand.
pub const TEMPLATE_FUEL: u64 = 100_000;
/// How long a rendered text may be, in bytes: larger than any mail that is still shown whole.
pub const MAX_CONTENT_BYTES: usize = 1 << 20;
/// The largest N in `at least N times` and its like: that many events are told apart (see [`EXACT_EVENTS`]).
pub const MAX_TIMES: u32 = 256;
/// The largest N in `last N of`: what a template or payload shows of a history.
pub const MAX_LAST_OF: u32 = 20;
/// The most calendar days of a window, and days of `in at least … of the last … days`: a leap year; what happened is
/// added up day by day.
pub const MAX_CALENDAR_DAYS: u32 = 366;
/// The most weeks of `in at least … of the last … weeks`: a year.
pub const MAX_CALENDAR_WEEKS: u32 = 53;
/// The longest duration, in milliseconds (3,660 days, ten years): longer ones are slips of the pen.
pub const MAX_DURATION: i64 = 3_660 * 86_400_000;
/// The largest count in a limit or rate: each counted message takes 8 bytes of a customer's state.
pub const MAX_LIMIT_COUNT: u32 = 256;
/// The most elements of a sequence: each is a step of progress in a customer's state.
pub const MAX_ELEMENTS: usize = 16;
/// The most choices in `in […]`: longer lists are data, not rules.
pub const MAX_CHOICES: usize = 256;
/// The most fields of one list: those of an event, of the profile, or of a payload.
pub const MAX_FIELDS: usize = 1_000;
/// The most nodes of a condition or value with its named values written out: what one event may cost.
pub const MAX_EXPRESSION_SIZE: u64 = 10_000;
/// The most declarations of a project: positions stay small, and a check stays a matter of moments.
pub const MAX_DECLARATIONS: usize = 1 << 16;
/// The longest template, in bytes: larger than any mail that is still shown whole.
pub const MAX_TEMPLATE_BYTES: usize = 1 << 18;
/// The longest regular expression, in bytes.
pub const MAX_PATTERN_BYTES: usize = 1_000;
/// The largest regular expression when it is ready, in bytes (512 KiB): room for what people write; repeated classes of
/// letters of all alphabets take more.
pub const MAX_PATTERN_SIZE: usize = 1 << 19;
/// The most different regular expressions of a project: together with their size a bound on what they take.
pub const MAX_PATTERNS: usize = 200;
/// The most statements of a test: longer ones are data, to be replayed.
pub const MAX_STATEMENTS: usize = 1_000;
/// How many functions wait to be compiled together: each takes some kilobytes until then, and few are large.
pub const FUNCTIONS_AT_ONCE: usize = 64;
/// How many instructions are worth a thread that compiles them: they take some milliseconds, and a thread a tenth of one.
pub const WORTH_A_COMPILING_THREAD: usize = 5_000;
