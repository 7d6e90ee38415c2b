//! What becomes of the messages of a history: some are delivered, opened, clicked or replied to.

use super::DURATIONS_MS;
use crate::random::Random;
use segue_compiler::record::Record;
use serde_json::{Value, json};

/// Adds what customers do with messages that were sent, each at its time or a little late.
pub fn engage(random: &mut Random, calls: &mut Vec<Value>, records: &[Record]) {
    for record in records {
        let Record::Send(sent) = record else { continue };
        if !["ada", "bob"].contains(&&*sent.customer) || random.chance(50) {
            continue;
        }
        let delay = match random.below(4) {
            0 => 0,
            1 => DURATIONS_MS[random.below(7)],
            2 => DURATIONS_MS[random.below(4)] - 1,
            _ => DURATIONS_MS[random.below(4)] + 1,
        };
        let at = sent.at.0 + delay;
        let event =
            random.pick(&["Message Clicked", "Message Opened", "Message Delivered", "Message Replied"]);
        let mut properties = json!({"channel": &*sent.channel, "text": random.pick(&["yes", "no"])});
        if random.chance(80)
            && let Some(properties) = properties.as_object_mut()
        {
            properties.insert("message".to_owned(), json!(sent.id.to_string()));
        }
        let call = json!({"type": "track", "messageId": format!("e{}", calls.len()), "userId": &*sent.customer, "timestamp": at, "event": event, "properties": properties});
        let arrives = at + if random.chance(15) { DURATIONS_MS[random.below(7)] } else { 0 };
        let later = |call: &Value| call.get("timestamp").and_then(Value::as_i64) > Some(arrives);
        let place = calls.iter().position(later).unwrap_or(calls.len());
        calls.insert(place, call);
    }
}
