//! Random logs of a live service.

use super::{DURATIONS_MS, history::at};
use crate::{drive::Entry, random::Random};
use serde_json::{Value, json};

/// By how much calls arrive after they happened, or before, where clocks of customers are ahead.
const DELAYS: [i64; 10] = [0, 0, 0, 0, 1, 50, 60_000, 400_000, -60_000, -300_001];
/// How long the service is down at times, in milliseconds, besides the usual lengths of time: so long that messages are
/// late where rules do not say otherwise, too.
const DOWN: [i64; 3] = [4 * 3_600_000, 24 * 3_600_000, 30 * 3_600_000];

/// The log of a service to which these calls arrive: some late, some from clocks that are ahead, and now and then the wall
/// clock has come to some time, or the service comes up again.
#[must_use]
pub fn log(random: &mut Random, calls: &[Value]) -> Vec<Entry> {
    let mut arrivals: Vec<(i64, Value)> = Vec::new();
    for call in calls {
        arrivals.push((at(call) + DELAYS[random.below(DELAYS.len())], call.clone()));
    }
    // Stable: of one arrival the order of calls stays.
    arrivals.sort_by_key(|(arrival, _)| *arrival);
    let mut log = Vec::new();
    let mut now = arrivals.first().map_or(0, |(arrival, _)| *arrival);
    for (arrival, mut call) in arrivals {
        // After the service was down longer than a call was under way, it arrives when the service is back.
        let arrival = arrival.max(now);
        match random.below(10) {
            0..=2 => {
                now = between(random, now, arrival);
                log.push(Entry::Clock(now));
            }
            3 => {
                now = between(random, now, arrival);
                log.push(Entry::Up(now));
            }
            4 if random.chance(30) => {
                // The clock jumps, as when a machine is asleep.
                now += DURATIONS_MS[random.below(7)];
                log.push(Entry::Clock(now));
            }
            5 if random.chance(30) => {
                now += if random.chance(70) { DURATIONS_MS[random.below(7)] } else { DOWN[random.below(3)] };
                log.push(Entry::Up(now));
            }
            _ => {}
        }
        now = now.max(arrival);
        if let Some(fields) = call.as_object_mut() {
            fields.insert("receivedAt".to_owned(), json!(now));
        }
        log.push(Entry::Call(call));
    }
    log
}

/// Some instant from one to another, often one of the two.
fn between(random: &mut Random, from: i64, to: i64) -> i64 {
    let length = (to - from).max(0);
    let part = i64::try_from(random.below(1 << 20)).unwrap_or(0);
    match random.below(4) {
        0 => to,
        1 => (to - 1).max(from),
        2 => from + length / 2,
        _ => from + length * part / (1 << 20),
    }
}
