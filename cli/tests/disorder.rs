//! What the summary says of disorder: of what may be a duplicate, of what settles, and of customers who turn out to be one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::{fs, path::Path, process::Command};

const RULES: &str = "event \"Order\" {}\nsegment buyer { did \"Order\" at least 2 times }\n";

fn order(id: &str, who: &str, second: u32) -> String {
    let (minute, second) = (second / 60, second % 60);
    format!(
        r#"{{"type":"track","messageId":"{id}",{who},"event":"Order","timestamp":"2026-01-05T10:{minute:02}:{second:02}Z"}}"#
    )
}

fn identify(user: &str, anonymous: &str) -> String {
    format!(
        r#"{{"type":"identify","messageId":"{user}","userId":"{user}","anonymousId":"{anonymous}","timestamp":"2026-01-05T10:06:00Z"}}"#
    )
}

/// Standard output and what is told of a run.
fn run(folder: &Path, threads: &str) -> (String, String) {
    let arguments = ["run", ".", "--events", "events.ndjson", "--threads", threads];
    let output =
        Command::new(env!("CARGO_BIN_EXE_segue")).args(arguments).current_dir(folder).output().unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{words}");
    (String::from_utf8(output.stdout).unwrap(), words)
}

#[test]
fn disorder_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("rules.segue", RULES);
    write("segue.toml", "[project]\nsettle = \"10 seconds\"\n");
    let (ada, x) = (r#""userId":"ada""#, r#""anonymousId":"x""#);
    let mut lines: Vec<String> = (0..300).map(|n| order(&format!("m{n}"), ada, n)).collect();
    lines.push(order("m0", ada, 0));
    lines.push(order("x1", x, 300));
    lines.push(identify("ada", "x"));
    lines.push(order("x2", x, 370));
    lines.push(identify("ben", "x"));
    lines.push(order("b1", r#""userId":"ben""#, 380));
    write("events.ndjson", &lines.join("\n"));
    let (records, words) = run(folder.path(), "1");
    assert_eq!(records.lines().count(), 1, "{records}");
    for line in [
        "306 events read: 305 applied, 1 that may be duplicates",
        "2 customers, 1 anonymous one joined with them",
        "message ids let go early: a customer had more than the limit",
        "1 call that would have joined two known customers, who stay apart",
        "segment buyer: 1 in it, 1 entered, 0 left",
    ] {
        assert!(words.contains(line), "{line} in\n{words}");
    }
    let (by_three, _) = run(folder.path(), "3");
    assert_eq!(by_three, records);
}
