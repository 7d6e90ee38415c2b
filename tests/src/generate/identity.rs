//! Histories of customers who are not known all the time.

use crate::random::Random;
use serde_json::{Value, json};

/// Lets some calls of a history come from people who are not known yet, and some calls say who they are: of some histories
/// only.
pub fn disguise(random: &mut Random, calls: &mut Vec<Value>) {
    if random.chance(40) {
        disguise_all(random, calls);
    }
}

/// As [`disguise`], of every history.
pub fn disguise_all(random: &mut Random, calls: &mut Vec<Value>) {
    let mut said = Vec::new();
    for call in calls.drain(..) {
        let at = call.get("timestamp").cloned().unwrap_or_default();
        let number = said.len();
        if random.chance(6) {
            let known = random.pick(&["ada", "bob"]);
            said.push(json!({"type": "alias", "messageId": format!("alias{number}"), "userId": known,
                "previousId": random.pick(&["x", "y", "z"]), "timestamp": at}));
        }
        // What is delivered twice is the same both times.
        let again = said.iter().find(|said: &&Value| said["messageId"] == call["messageId"]).cloned();
        said.push(again.unwrap_or_else(|| disguised(random, call)));
    }
    *calls = said;
}

fn disguised(random: &mut Random, mut call: Value) -> Value {
    let Some(fields) = call.as_object_mut() else { return call };
    let is_identify = fields.get("type").is_some_and(|kind| kind == "identify");
    let anonymous = json!(random.pick(&["x", "y"]));
    if is_identify && random.chance(40) {
        fields.insert("anonymousId".to_owned(), anonymous);
    } else if random.chance(40) {
        fields.remove("userId");
        fields.insert("anonymousId".to_owned(), anonymous);
    }
    call
}
