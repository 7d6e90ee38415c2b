//! Streams for replays.

use segue_compiler::execution::Execution;
use segue_runtime::{
    replay::{Feed, Replay},
    source::Events,
};

/// Applies all of a stream, of which every line must be a call.
pub fn feed<E: Execution + Sync>(replay: &mut Replay<E>, events: Events) {
    let mut feed = Feed::new(events);
    while feed.advance(replay).unwrap() {
        if let Some(reject) = feed.apply(replay, false).first() {
            panic!("{}:{}: {}", reject.file, reject.number, reject.reason);
        }
    }
}
