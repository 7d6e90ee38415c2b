//! What rules cost, `segue plan` with two versions, and logs that were cut.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::{
    fs,
    process::{Command, Output},
};

fn segue(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_segue")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn rules(days: u32) -> String {
    format!(
        "event \"Order\" {{ total: number }}\nsegment loyal {{ did \"Order\" at least 2 times in the last {days} days }}\nrule thanks {{\n  when enters loyal\n  call crm {{}}\n}}\n"
    )
}

#[test]
fn two_versions_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("old.segue"), rules(30)).unwrap();
    fs::write(path("new.segue"), rules(90)).unwrap();
    let output = segue(&["plan", &path("old.segue"), &path("new.segue")]);
    let words = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        words.contains("new      did \"Order\" at least 2 times in the last 90 days (segment loyal)"),
        "{words}"
    );
    assert!(words.contains("dropped  did \"Order\" at least 2 times in the last 30 days"), "{words}");
    let output = segue(&["plan", &path("old.segue"), &path("new.segue"), "--format", "json"]);
    let changes: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(changes["rules"][0]["fate"], "changed");
    assert_eq!(changes["rules"][0]["changed"], serde_json::json!(["when"]));
    assert_eq!(changes["rules"][0]["log"]["back"], 90_i64 * 86_400_000);
    // A version with errors is refused, whichever it is.
    fs::write(path("bad.segue"), "segment s { did \"Nothing\" }").unwrap();
    assert_eq!(segue(&["plan", &path("old.segue"), &path("bad.segue")]).status.code(), Some(1));
    assert_eq!(segue(&["plan", &path("bad.segue"), &path("old.segue")]).status.code(), Some(1));
    // There is no machine code of a change, and no format of a plan.
    assert_eq!(segue(&["plan", &path("old.segue"), &path("new.segue"), "--ir"]).status.code(), Some(2));
    assert_eq!(segue(&["plan", &path("old.segue"), "--format", "json"]).status.code(), Some(2));
}

#[test]
fn rules_are_cold_in_a_log_that_was_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("rules.segue"), rules(30)).unwrap();
    let order = |id: &str, day: u32| {
        format!(
            "{{\"type\":\"track\",\"messageId\":\"{id}\",\"userId\":\"ada\",\"event\":\"Order\",\"properties\":{{\"total\":1}},\"timestamp\":\"2026-01-{day:02}T10:00:00Z\"}}\n"
        )
    };
    fs::write(path("events.ndjson"), order("m1", 5) + &order("m2", 6)).unwrap();
    let run = |more: &[&str]| {
        let (rules, events) = (path("rules.segue"), path("events.ndjson"));
        let output =
            segue(&[&["run", &rules, "--events", &events, "--kinds", "call,suppressed"], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    assert!(run(&[]).contains(r#""kind":"call""#));
    for interpret in [&[][..], &["--interpret"]] {
        let records = run(&[&["--log-from", "2026-01-01"], interpret].concat());
        assert!(records.contains(r#""reason":"cold""#), "{records}");
        let records = run(&[&["--log-from", "2025-12-01"], interpret].concat());
        assert!(records.contains(r#""kind":"call""#), "{records}");
    }
}

#[test]
fn costs_are_shown_and_what_has_no_bound_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("rules.segue"), rules(30)).unwrap();
    let output = segue(&["check", "--cost", &path("rules.segue")]);
    let words = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(words.contains("segment loyal") && words.contains("event + 30 days"), "{words}");
    assert!(text(&segue(&["check", &path("rules.segue")]).stdout).is_empty());
    let rules = "event \"Order\" { lines: list of { tags: list of { names: list of text? }? }? }\nrule r {\n  when \"Order\"\n  call crm { again: last 20 of \"Order\" }\n}\n";
    fs::write(path("large.segue"), rules).unwrap();
    let output = segue(&["check", "--cost", &path("large.segue")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("error: `rule r` may keep up to"), "{}", text(&output.stderr));
    assert_eq!(segue(&["check", &path("large.segue")]).status.code(), Some(0));
}
