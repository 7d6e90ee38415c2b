//! How findings are shown.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

fn segue(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_segue")).args(arguments).current_dir(folder).output().unwrap()
}

/// Exit code and messages of a check of some files.
fn check(files: &[(&str, &str)], format: &str) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let output = segue(folder.path(), &["check", "--format", format]);
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_mistake_far_right_is_shown_with_its_surroundings() {
    let rules = format!("event \"A\" {{}} {}segment x {{ did \"B\" }}", " ".repeat(70_000));
    let (code, words) = check(&[("a.segue", &rules)], "human");
    assert_eq!(code, 1, "{words}");
    assert!(words.contains("[a.segue:1:70014]") && words.contains("segment x { did \"B\" }"), "{words}");
    assert!(words.len() < 3_000, "{}", words.len());
}

#[test]
fn a_file_of_one_line_and_many_mistakes_is_told_briefly() {
    let rules = "segment x { did \"B\" or did \"C\" } ".repeat(20_000);
    for format in ["human", "short"] {
        let (code, words) = check(&[("a.segue", &rules), ("b.segue", "segment y { did \"D\" }")], format);
        assert_eq!(code, 1);
        assert!(words.len() < 100_000, "{}", words.len());
        assert!(words.contains("\nand at least ") || words.contains("\nand "), "{words}");
        assert_eq!(words.matches("a.segue:1:").count(), 100, "{words}");
    }
}

#[test]
fn a_place_in_another_file_is_no_second_error() {
    let (code, words) = check(
        &[("a.segue", "event \"A\" {}\nsegment x { did \"A\" }"), ("b.segue", "segment x { did \"A\" }")],
        "human",
    );
    assert_eq!(code, 1);
    assert!(words.contains("first declared here") && words.contains("[a.segue:2:9]"), "{words}");
    assert!(!words.contains("Error:") && words.ends_with("1 error\n"), "{words}");
}

#[test]
fn settings_are_told_like_rules_and_with_them() {
    let files = [
        ("segue.toml", "[project]\ntime_zone = \"Europe/Olso\"\nkeep = \"400 d\"\n"),
        ("a.segue", "segment x { did \"A\" }"),
    ];
    let (code, words) = check(&files, "human");
    assert_eq!(code, 1);
    for part in [
        "segue::unknown-time-zone",
        "did you mean \"Europe/Oslo\"?",
        "segue::bad-duration",
        "segue::unknown-event",
        "[segue.toml:2:13]",
    ] {
        assert!(words.contains(part), "{part} in\n{words}");
    }
    assert!(words.ends_with("3 errors\n"), "{words}");
    let (_, words) = check(&files, "short");
    assert!(
        words.contains("segue.toml:3:8: error[bad-duration]: `400 d` is no duration (write \"400 days\")"),
        "{words}"
    );
    let (_, words) =
        check(&[("segue.toml", "[project]\ntime_zone = UTC\n"), ("a.segue", "event \"A\" {}")], "human");
    assert!(
        words.contains("─") && words.contains("segue::bad-toml") && words.ends_with("1 error\n"),
        "{words}"
    );
}

#[test]
fn what_acts_on_a_terminal_is_not_passed_on() {
    let rules = "segment x { did \"A\u{1b}[2J\u{202e}\" }\rsegment y { did \"B\" }";
    for format in ["human", "short"] {
        let (_, words) = check(&[("a.segue", rules)], format);
        assert!(!words.contains(['\u{1b}', '\u{202e}', '\r']), "{words}");
        assert!(words.contains("a.segue:1:") && words.contains("a.segue:2:"), "{words}");
    }
}

#[test]
fn rule_files_are_noted_and_refused_in_one_way() {
    let (code, words) = check(&[("a.segue", "event \"A\" {}"), ("B.SEGUE", "")], "human");
    assert_eq!(code, 0);
    assert!(words.contains("note: `B.SEGUE` is not read"), "{words}");
    for length in [(1 << 20) + 1, 1 << 23] {
        let (code, words) =
            check(&[("a.segue", &"#".repeat(length)), ("b.segue", "segment x { did \"B\" }")], "short");
        assert_eq!(code, 1);
        assert!(
            words.contains("error[too-long]: this file is too long: a rule file has at most 1 MiB"),
            "{words}"
        );
        assert!(words.contains("b.segue:1:17: error[unknown-event]"), "{words}");
    }
}
