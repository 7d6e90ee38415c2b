//! Random programs and histories: type-directed, so that most programs pass the checker, and small, so that windows,
//! boundaries and coincidences are met often.

mod busy;
mod condition;
mod engagement;
mod facts;
mod history;
mod identity;
mod log;
mod program;
mod successor;

pub use busy::busy_history;
pub use engagement::engage;
pub use facts::facts;
pub use history::{Step, history};
pub use identity::{disguise, disguise_all};
pub use log::log;
pub use program::program;
pub use successor::successor;

/// The events and the profile that every generated program declares.
pub const DECLARATIONS: &str = r#"use messaging
event "A" { n: number, t: text?, b: boolean?, k: text?, l: list of text?, w: time?, d: duration?, o: { p: number?, q: text? }? }
event "B" { n: number, t: text?, b: boolean?, k: text?, l: list of text? }
passive event "P" { n: number?, t: text?, k: text? }
event "C" { n: number?, t: text?, k: text? }
profile { score: number?, tier: text?, flag: boolean?, joined: time?, born: date?, due: { at: time? }? }
topic news { 3 per 2 hours, sms 2 per 1 hour else skip }
topic offers within news { 1 per 10 minutes }
topic later { 1 per 10 minutes, sms 2 per 1 hour else hold up to 30 minutes }
topic much_later within later { 1 per 30 minutes else hold up to 2 hours }
"#;

/// Lengths of time in programs; gaps in histories are sums of them, so that boundaries are met exactly.
pub const DURATIONS: [&str; 7] =
    ["1 minute", "2 minutes", "5 minutes", "10 minutes", "30 minutes", "1 hour", "90 seconds"];
/// The same in milliseconds.
pub const DURATIONS_MS: [i64; 7] = [60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 90_000];
/// Texts in programs and histories.
pub const TEXTS: [&str; 6] = ["red", "green", "Blue", "re", "x", "reddish"];
