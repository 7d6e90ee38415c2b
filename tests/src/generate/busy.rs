//! Histories of customers who do more than is told apart.

use super::history::{START, Step, call};
use crate::random::Random;
use serde_json::json;

/// How many calls there are: a window tells fewer apart.
const CALLS: usize = 420;
/// How often what there is is asked for.
const ASKED: usize = 30;
/// Gaps between calls: all of them lie within a few minutes.
const GAPS: [i64; 8] = [0, 1, 50, 100, 500, 1_000, 1_000, 2_000];

/// A random history of one customer, longer than what is told apart, for programs that wait for "Ask".
#[must_use]
pub fn busy_history(random: &mut Random) -> Vec<Step> {
    let mut now = START;
    let mut steps = Vec::new();
    for number in 0..CALLS {
        now += GAPS[random.below(GAPS.len())];
        let at = if random.chance(5) { now - GAPS[random.below(GAPS.len())] } else { now };
        let mut call = call(random, number, at, "ada");
        if number % ASKED == ASKED - 1 {
            call = json!({"type": "track", "event": "Ask", "messageId": format!("ask{number}"), "userId": "ada",
                "timestamp": now});
        } else if random.chance(70) && call["type"] == "track" {
            call["event"] = json!("A");
        }
        steps.push(Step { customer: "ada", call });
    }
    steps
}
