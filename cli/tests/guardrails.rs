//! What a replay tells of messages that are held, of goals and of the fuse.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

const RULES: &str = r#"
use ecommerce
topic marketing { sms 1 per 1 day else hold up to 2 days }
rule reminder {
  when "Product Added"
  topic marketing
  quiet 21:00 to 08:00
  holdout 50%
  goal "Order Completed" within 3 days
  send sms "Your cart"
}
"#;

/// Forty customers, every fifth of them at night; every third one orders the day after.
fn events() -> Vec<Value> {
    let mut events = Vec::new();
    for n in 0..40 {
        let hour = if n % 5 == 0 { 22 } else { 9 };
        let (customer, traits) =
            (format!("u{n}"), json!({"phone": format!("+47900000{n:02}"), "country": "NO"}));
        let at = |day: u32| format!("2026-01-{day:02}T{hour:02}:{n:02}:00Z");
        events.push(json!({"type": "identify", "userId": customer, "traits": traits, "timestamp": "2026-01-05T08:00:00Z"}));
        events
            .push(json!({"type": "track", "userId": customer, "event": "Product Added", "timestamp": at(5)}));
        if n % 3 == 0 {
            events.push(
                json!({"type": "track", "userId": customer, "event": "Order Completed", "timestamp": at(6)}),
            );
        }
    }
    events
}

/// Records and the summary without its last line, which says how long it took.
fn run(folder: &Path, threads: &str) -> (Vec<Value>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_segue"))
        .args(["run", ".", "--events", "events.ndjson", "--drain", "--threads", threads])
        .current_dir(folder)
        .output()
        .unwrap();
    let records = String::from_utf8(output.stdout).unwrap();
    let records = records.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = summary.lines().filter(|line| line.starts_with("reminder: ")).collect();
    (records, lines.join("\n"))
}

#[test]
fn the_summary_tells_goals_and_when_the_fuse_would_have_blown() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("rules.segue", RULES);
    write("segue.toml", "[consent]\npolicy = \"assumed\"\n[fuse]\nsends = \"3 per 2 hours\"\n");
    let events: String = events().iter().fold(String::new(), |all, event| format!("{all}{event}\n"));
    write("events.ndjson", &events);
    let (records, summary) = run(folder.path(), "1");
    assert_eq!(run(folder.path(), "3"), (records.clone(), summary.clone()));

    let of = |kind: &str| -> Vec<&Value> { records.iter().filter(|record| record["kind"] == kind).collect() };
    let (sent, held) = (of("send"), of("held"));
    let ordered = |record: &&&Value| {
        let number = record["customer"].as_str().and_then(|id| id.strip_prefix('u')).unwrap();
        number.parse::<u32>().unwrap() % 3 == 0
    };
    let held_out: Vec<&Value> =
        of("suppressed").into_iter().filter(|record| record["reason"] == "holdout").collect();
    assert_eq!(sent.len() + held_out.len(), 40);
    assert!(!held.is_empty() && held.iter().all(|record| record["until"] == "2026-01-06T07:00:00.000Z"));
    let expected = format!(
        "goal reached by {} of {} who were sent something",
        sent.iter().filter(ordered).count(),
        sent.len()
    );
    assert!(summary.contains(&expected), "{summary}");
    let expected = format!("{} of {} held out", held_out.iter().filter(ordered).count(), held_out.len());
    assert!(summary.contains(&expected) && summary.contains("95 % interval"), "{summary}");
    let fourth = sent[3]["at"].as_str().unwrap();
    let expected =
        format!("the fuse of 3 per 2 hours would stop it at {fourth}, before {} messages", sent.len() - 3);
    assert!(summary.contains(&expected), "{summary}");
}
