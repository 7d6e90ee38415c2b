//! Random histories.

use super::{DURATIONS_MS, TEXTS};
use crate::random::Random;
use serde_json::{Value, json};

/// One call of a tracker, as it arrives.
#[derive(Clone, Debug)]
pub struct Step {
    /// Whose.
    pub customer: &'static str,
    /// A Segment-spec call.
    pub call: Value,
}

/// 2026-01-05 08:00 UTC.
pub(super) const START: i64 = 1_767_600_000_000;
/// Where calendars turn, in UTC: the last hour of a Sunday, of a month in Oslo before its last day in UTC is over, of 28
/// and 29 February 2028, the evenings before clocks in Oslo change.
const TURNS: [i64; 6] = [
    1_767_567_600_000,
    1_769_898_600_000,
    1_835_391_600_000,
    1_835_478_000_000,
    1_774_731_600_000,
    1_792_872_000_000,
];
const HOUR: i64 = 3_600_000;

/// When a call happened.
pub(super) fn at(call: &Value) -> i64 {
    call.get("timestamp").and_then(Value::as_i64).unwrap_or_default()
}

/// A random history: mostly in order, some late, some twice.
#[must_use]
pub fn history(random: &mut Random) -> Vec<Step> {
    let count = 5 + random.below(40);
    let mut now = if random.chance(40) { TURNS[random.below(TURNS.len())] } else { START };
    // Some histories are of minutes, some of days.
    let days = random.chance(30);
    let mut steps: Vec<Step> = Vec::new();
    for number in 0..count {
        now += if days && random.chance(50) { long_gap(random) } else { gap(random) };
        if random.chance(6) && !steps.is_empty() {
            let again = steps[random.below(steps.len())].clone();
            steps.push(again);
            continue;
        }
        let at = if random.chance(12) { now - gap(random) - gap(random) } else { now };
        let customer = if random.chance(75) { "ada" } else { "bob" };
        steps.push(Step { customer, call: call(random, number, at, customer) });
    }
    steps
}

fn gap(random: &mut Random) -> i64 {
    match random.below(10) {
        0 => 0,
        1 => 1,
        2 => 30_000,
        3 => DURATIONS_MS[random.below(7)] - 1,
        4 => DURATIONS_MS[random.below(7)] + 1,
        _ => DURATIONS_MS[random.below(4)],
    }
}

fn long_gap(random: &mut Random) -> i64 {
    [6 * HOUR, 12 * HOUR, 24 * HOUR - 1, 24 * HOUR, 24 * HOUR + 1, 25 * HOUR, 72 * HOUR][random.below(7)]
}

pub(super) fn call(random: &mut Random, number: usize, at: i64, customer: &str) -> Value {
    let id = format!("m{number}");
    if random.chance(15) {
        return json!({"type": "identify", "messageId": id, "userId": customer, "timestamp": at, "traits": traits(random)});
    }
    let (event, properties) = match random.below(20) {
        0..=8 => ("A", a(random)),
        9..=13 => ("B", b(random)),
        14 | 15 => ("P", b(random)),
        16 | 17 => ("C", b(random)),
        18 => messaging(random),
        _ => ("Undeclared", json!({})),
    };
    let mut call = json!({"type": "track", "messageId": id, "userId": customer, "timestamp": at, "event": event, "properties": properties});
    if random.chance(5)
        && let Some(call) = call.as_object_mut()
    {
        let zone = random.pick(&["Europe/Oslo", "Asia/Tokyo", "Nowhere/Atlantis"]);
        call.insert("context".to_owned(), json!({"timezone": zone}));
    }
    call
}

fn messaging(random: &mut Random) -> (&'static str, Value) {
    match random.below(4) {
        0 if random.chance(20) => ("Unsubscribed", json!({})),
        0 => ("Unsubscribed", json!({"channel": "sms", "topic": random.pick(&["news", "offers", "other"])})),
        1 => ("Message Replied", json!({"channel": "sms", "text": random.pick(&["Stop ", "yes"])})),
        2 => ("Message Bounced", json!({"channel": "email", "type": random.pick(&["hard", "soft"])})),
        _ => ("Message Sent", json!({"channel": "sms"})),
    }
}

fn traits(random: &mut Random) -> Value {
    let mut traits = json!({"phone": "+4790000000", "email": "ada@example.com"});
    let odd = random.chance(15);
    let Some(map) = traits.as_object_mut() else { return Value::Null };
    if odd {
        let phone = random.pick(&["", "90000000", "+47 900 00 000"]);
        map.insert("phone".to_owned(), json!(phone));
        map.insert("email".to_owned(), json!(random.pick(&["ada", "ada@localhost", "ada@example..com"])));
    }
    if random.chance(15) {
        map.insert("country".to_owned(), json!(random.pick(&["NO", "in", "US", "", "Norway"])));
    }
    if random.chance(10) {
        map.insert("time_zone".to_owned(), json!(random.pick(&["Asia/Tokyo", "Nowhere/Atlantis", ""])));
    }
    if random.chance(50) {
        map.insert("score".to_owned(), number(random));
    }
    if random.chance(50) {
        map.insert("tier".to_owned(), text(random));
    }
    if random.chance(30) {
        map.insert("flag".to_owned(), json!(random.chance(50)));
    }
    if random.chance(30) {
        let born = random.pick(&["1990-01-05", "1992-02-29", "2026-01-05", "2026-01-06", "2025-01-04"]);
        map.insert("born".to_owned(), json!(born));
    }
    if random.chance(30) {
        map.insert("due".to_owned(), json!({"at": START + gap(random) + gap(random)}));
    }
    if random.chance(15) {
        let zones = ["Europe/Oslo", "America/New_York", "Asia/Tokyo", "Pacific/Apia", "Etc/GMT+12", "UTC"];
        map.insert("time_zone".to_owned(), json!(random.pick(&zones)));
    }
    if random.chance(30) {
        map.insert("joined".to_owned(), json!(START + DURATIONS_MS[random.below(7)] * 3));
    }
    if random.chance(60) {
        let consent = match random.below(5) {
            0 => json!({"sms": false}),
            1 => json!({"sms": {"offers": false}, "email": true}),
            2 => json!({"sms": {"news": true}}),
            _ => json!({"sms": true, "email": true}),
        };
        map.insert("consent".to_owned(), consent);
    }
    traits
}

fn number(random: &mut Random) -> Value {
    match random.below(8) {
        0 => Value::Null,
        1 => json!("three"),
        2 => json!(2.5),
        3 => json!(0.1),
        4 => json!(9_000_000_000_000_i64),
        _ => json!(random.below(4)),
    }
}

fn text(random: &mut Random) -> Value {
    match random.below(12) {
        0 => Value::Null,
        1 => json!(7),
        2 => json!(" Red "),
        3 => json!("re\"d"),
        4 => json!("å".repeat(200)),
        _ => json!(random.pick(&TEXTS)),
    }
}

fn b(random: &mut Random) -> Value {
    json!({"n": number(random), "t": text(random), "k": random.pick(&["k1", "k2", "k3"]), "unused": [1, {"deep": "x"}]})
}

fn a(random: &mut Random) -> Value {
    let mut a = b(random);
    let Some(map) = a.as_object_mut() else { return a };
    if random.chance(20) {
        map.remove("k");
    }
    map.insert("b".to_owned(), json!(random.chance(50)));
    map.insert("l".to_owned(), json!(["red", random.pick(&TEXTS)]));
    map.insert("w".to_owned(), json!("2026-01-05T08:30:00Z"));
    map.insert("d".to_owned(), json!(90_000));
    map.insert("o".to_owned(), json!({"p": random.below(3), "q": "x"}));
    a
}
