//! Worlds as case files.

use super::{Successor, World, checked};
use crate::{
    case::{line, read, short},
    drive::Entry,
};
use segue_compiler::{reference::Reference, value::Millis};
use serde_json::Value;
use std::fmt::Write;

/// A case file of a world, with what the reference interpreter makes of it.
#[must_use]
pub fn case(world: &World, about: &str) -> String {
    let mut text = format!("# {about}\n{}", world.rules.concat());
    for Successor { at, rules, log_from } in &world.changes {
        let log_from = log_from.map(|from| format!(", log from {}", short(from))).unwrap_or_default();
        let _ = writeln!(text, "--- rules at {}{log_from}\n{}", short(*at), rules.concat().trim_end());
    }
    let _ = writeln!(text, "--- run {}", settings(world));
    for entry in &world.log {
        let _ = writeln!(text, "{}", entry_line(entry));
    }
    text.push_str("--- records\n");
    if let Some((first, changes)) = checked(world) {
        let settings = world.settings();
        let reference = |program| Reference::new(program, settings.clone());
        let told = super::plain(first, &world.happening(&changes, &settings), &reference);
        for record in &told.records {
            let _ = writeln!(text, "{}", line(record));
        }
    }
    text
}

fn settings(world: &World) -> String {
    let World { settle, lateness, until, .. } = world;
    let mut words = "live".to_owned();
    if *settle != 0 {
        let _ = write!(words, ", settle {}", settle / 60_000);
    }
    if *lateness != 600_000 {
        let _ = write!(words, ", lateness {}", lateness / 60_000);
    }
    let _ = write!(words, ", until {}", short(*until));
    words
}

fn entry_line(entry: &Entry) -> String {
    match entry {
        Entry::Call(call) => call_line(call),
        Entry::Clock(at) => format!("clock {}", short(*at)),
        Entry::Up(at) => format!("up {}", short(*at)),
        Entry::Erase(customer) => format!("erase {customer}"),
        Entry::Restart(shards) => format!("restart {shards}"),
    }
}

fn call_line(call: &Value) -> String {
    let text = |name: &str| call.get(name).and_then(Value::as_str).unwrap_or_default();
    let instant = |name: &str| call.get(name).and_then(Value::as_i64);
    let at = instant("timestamp").unwrap_or_default();
    let known = !text("userId").is_empty();
    let customer = if known { text("userId") } else { text("anonymousId") };
    let body = |name: &str| call.get(name).map_or_else(|| "{}".to_owned(), Value::to_string);
    let mut line = format!("{} {customer} ", short(at));
    let was = match text("type") {
        "identify" => {
            line.push_str(&format!("identify {}", body("traits")));
            if known { text("anonymousId") } else { "" }
        }
        "alias" => {
            line.push_str("alias");
            text("previousId")
        }
        "group" => {
            line.push_str(&format!("group {}", text("groupId")));
            ""
        }
        _ => {
            line.push_str(&format!("\"{}\" {}", text("event"), body("properties")));
            ""
        }
    };
    let zone = call.pointer("/context/timezone").and_then(Value::as_str).unwrap_or_default();
    let arrived = instant("receivedAt").filter(|arrived| *arrived != at).map(joined).unwrap_or_default();
    for (name, value) in [("was", was), ("id", text("messageId")), ("zone", zone), ("arrived", &arrived)] {
        if !value.is_empty() {
            let _ = write!(line, " {name}={value}");
        }
    }
    line
}

/// An instant as one word.
fn joined(at: Millis) -> String {
    short(at).replace(' ', "T")
}

/// The world of a case file's first run, the rules of each program in one piece.
///
/// # Panics
/// When it has no end.
#[must_use]
pub fn world(case: &str) -> World {
    let first = read(case);
    let changes =
        first.changes.into_iter().map(|(at, log_from, rules)| Successor { at, rules: vec![rules], log_from });
    World {
        rules: vec![first.rules],
        changes: changes.collect(),
        settle: first.settings.settle,
        lateness: first.settings.lateness,
        log: first.log,
        until: first.until.unwrap(),
    }
}
