//! The binary as its users meet it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, Mutex},
    thread,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn segue(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_segue")).args(arguments).current_dir(root()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with one rule file.
fn project(rules: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.segue"), rules).unwrap();
    folder
}

const EIGHT_MISTAKES: &str = r#"use ecommerce
profile { first_name: text? }
topic marketing { 3 per 7 days else skip }

segment loyal { did "Order Completed" at least 3 }
segment rich { sum of totl of "Order Completed" >= 500 }
segment lost { no activity in the last 30d }
segment vip { in segment loyl }
rule cart {
  when "Product Added" then no "Order Completed"
  topic marketing
  send sms "Hi {{ profile.first_name }}"
}
rule thanks { when "Order Complete"
  transactional
  send sms "Thanks" }
rule win_back {
  when did "Order Completed" in the last 30 days
  topic marketing
  send sms "Back?"
}
"#;

#[test]
fn eight_mistakes_are_shown_at_once() {
    let folder = project(EIGHT_MISTAKES);
    let output = segue(&["check", folder.path().to_str().unwrap()]);
    let words = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    for code in [
        "missing-times",
        "unknown-field",
        "habit-duration",
        "unknown-segment",
        "missing-within",
        "optional-in-template",
        "unknown-event",
        "when-condition",
    ] {
        assert!(words.contains(&format!("segue::{code}")), "{code} in\n{words}");
    }
    assert!(words.contains("8 errors"), "{words}");
    assert!(words.contains("did you mean `\"Order Completed\"`?"), "{words}");
    let short = text(&segue(&["check", "--format", "short", folder.path().to_str().unwrap()]).stderr);
    assert!(short.contains("rules.segue:5:"), "{short}");
    assert_eq!(short.lines().filter(|line| line.contains(": error[")).count(), 8, "{short}");
}

#[test]
fn hostile_files_are_refused_with_words() {
    let garbage = "\u{1}#{[(\"'".repeat(10 << 20 >> 3);
    let nested = format!("segment deep {{ {} did \"A\" {} }}", "(".repeat(10_000), ")".repeat(10_000));
    let prefixes = format!("segment deep {{ {} }}", "did \"A\" where (".repeat(140));
    for (rules, code) in [(garbage, "too long"), (nested, "deep"), (prefixes, "deep")] {
        let folder = project(&rules);
        let output = segue(&["check", "--format", "short", folder.path().to_str().unwrap()]);
        let words = text(&output.stderr);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{words}");
        assert!(words.contains(code) || words.contains("longer than"), "{words}");
        assert!(words.len() < 20_000);
    }
}

#[test]
fn wrong_usage_and_missing_files_end_with_2() {
    assert_eq!(segue(&["run"]).status.code(), Some(2));
    let output = segue(&["run", "examples/cdnow", "--events", "nowhere.ndjson"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("nowhere.ndjson"));
    assert_eq!(segue(&["check", "nowhere"]).status.code(), Some(2));
    let output = segue(&["run", "examples/cdnow", "--events", "x", "--until", "soon"]);
    assert!(text(&output.stderr).contains("`soon` is no instant"));
}

#[test]
fn broken_lines_are_told_and_the_rest_goes_on() {
    let folder = project("event \"Order\" { total: number }\nsegment buyer { did \"Order\" }\n");
    let events = folder.path().join("events.ndjson");
    let good = |id: u32| {
        format!(
            r#"{{"type":"track","messageId":"m{id}","userId":"ada","event":"Order","timestamp":"2026-01-05T10:00:00Z","properties":{{"total":1}}}}"#
        )
    };
    let lines = [
        good(1),
        "no json".to_owned(),
        r#"{"type":"track","userId":"ada"}"#.to_owned(),
        good(2),
        "\u{feff}{".to_owned(),
    ];
    fs::write(&events, lines.join("\n")).unwrap();
    let rejects = folder.path().join("rejects.ndjson");
    let (rules, events) = (folder.path().to_str().unwrap(), events.to_str().unwrap());
    let output = segue(&["run", rules, "--events", events, "--rejects", rejects.to_str().unwrap()]);
    let words = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{words}");
    for line in ["events.ndjson:2: rejected", "events.ndjson:3: rejected", "events.ndjson:5: rejected"] {
        assert!(words.contains(line), "{line} in\n{words}");
    }
    assert!(words.contains("5 events read: 2 applied, 3 rejected"), "{words}");
    assert_eq!(fs::read_to_string(&rejects).unwrap().lines().count(), 3);
    assert_eq!(text(&output.stdout).lines().count(), 1);
    assert_eq!(segue(&["run", rules, "--events", events, "--strict"]).status.code(), Some(2));
}

#[test]
fn strict_refuses_what_breaks_its_declaration() {
    let folder = project(
        "event \"Order\" { total: number }\nprofile { age: number? }\nsegment buyer { did \"Order\" }\n",
    );
    let events = folder.path().join("events.ndjson");
    let lines = [
        r#"{"type":"track","messageId":"a","userId":"ada","event":"Order","timestamp":"2026-01-05T10:00:00Z","properties":{"total":"much"}}"#,
        r#"{"type":"track","messageId":"b","userId":"ben","event":"Order","timestamp":"2026-01-05T10:00:01Z"}"#,
        r#"{"type":"identify","messageId":"c","userId":"ben","timestamp":"2026-01-05T10:00:02Z","traits":{"age":"old","other":1}}"#,
        r#"{"type":"identify","messageId":"e","userId":"ben","timestamp":"2026-01-05T10:00:02Z","traits":{"consent":{"email":true,"sms":"yes"}}}"#,
        r#"{"type":"identify","messageId":"f","userId":"ben","timestamp":"2026-01-05T10:00:02Z","traits":{"consent":{"email":{"news":1}}}}"#,
        r#"{"type":"identify","messageId":"g","userId":"ben","timestamp":"2026-01-05T10:00:02Z","traits":{"consent":true}}"#,
        r#"{"type":"identify","messageId":"h","userId":"eve","timestamp":"2026-01-05T10:00:02Z","traits":{"age":null,"consent":{"":1,"sms":{"news":false}}}}"#,
        r#"{"type":"track","messageId":"d","userId":"cyd","event":"Order","timestamp":"2026-01-05T10:00:03Z","properties":{"total":1}}"#,
    ];
    fs::write(&events, lines.join("\n")).unwrap();
    let (rules, events) = (folder.path().to_str().unwrap(), events.to_str().unwrap());
    let lenient = segue(&["run", rules, "--events", events]);
    assert_eq!(text(&lenient.stdout).lines().count(), 3, "what is broken is applied without the field");
    let strict = segue(&["run", rules, "--events", events, "--strict"]);
    let words = text(&strict.stderr);
    for line in [
        "events.ndjson:1: rejected: `Order` breaks its declaration: its field `total` should be of type number, found `\"much\"`",
        "events.ndjson:2: rejected: `Order` breaks its declaration: its field `total` is missing",
        "events.ndjson:3: rejected: the traits break the declaration of the profile: its field `age` should be",
        "events.ndjson:4: rejected: consent to `sms` should be true or false, or that by topic, found `\"yes\"`",
        "events.ndjson:5: rejected: consent to `email` should be true or false, or that by topic, found `1`",
        "events.ndjson:6: rejected: `consent` should be an object, by channel, found `true`",
        "8 events read: 2 applied, 6 rejected",
    ] {
        assert!(words.contains(line), "{line} in\n{words}");
    }
    assert!(!words.contains("`--strict` says which"), "{words}");
    assert_eq!(strict.status.code(), Some(2));
    assert_eq!(text(&strict.stdout).lines().count(), 1);
}

#[test]
fn strict_refuses_profiles_that_break_their_declaration() {
    let folder = project("event \"Order\" {}\nprofile { age: number? }\nsegment old { profile.age > 60 }\n");
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (rules, events) = (at(""), at("events.ndjson"));
    let order = r#"{"type":"track","userId":"cyd","event":"Order","timestamp":"2026-01-05T10:00:00Z"}"#;
    fs::write(&events, order).unwrap();
    let csv = "user_id,age\nben,70\nada,old\n";
    let lines = "{\"user_id\":\"ben\",\"age\":70}\n{\"user_id\":\"ada\",\"age\":\"old\"}\n";
    for (name, content, line) in [("p.csv", csv, 3), ("p.ndjson", lines, 2)] {
        let profiles = at(name);
        fs::write(&profiles, content).unwrap();
        for command in [&["run"][..], &["segments", "--at", "2026-02-01"]] {
            let line_of = [command, &[&rules, "--events", &events, "--profiles", &profiles]].concat();
            let lenient = segue(&line_of);
            assert_eq!(lenient.status.code(), Some(0), "{}", text(&lenient.stderr));
            let strict = segue(&[&line_of[..], &["--strict"]].concat());
            let words = text(&strict.stderr);
            assert_eq!(strict.status.code(), Some(2), "{words}");
            let said = format!(
                "{name}:{line}: rejected: the traits break the declaration of the profile: its field `age` should be of type number, found `\"old\"`"
            );
            assert!(words.contains(&said), "{said} in\n{words}");
            assert!(!words.contains("`--strict` says which"), "{words}");
        }
        let run = segue(&["run", &rules, "--events", &events, "--profiles", &profiles, "--strict"]);
        assert!(text(&run.stderr).contains("1 profile loaded, 1 profile rejected"), "{}", text(&run.stderr));
    }
}

#[test]
fn both_executors_print_the_same_bytes() {
    for folder in fs::read_dir(root().join("examples")).unwrap() {
        let folder = folder.unwrap().path();
        let events = folder.join("events.ndjson");
        if !events.is_file() {
            continue;
        }
        let (rules, events) = (folder.to_str().unwrap(), events.to_str().unwrap());
        let machine = segue(&["run", rules, "--events", events, "--drain"]);
        for threads in ["1", "3"] {
            let other = segue(&["run", rules, "--events", events, "--drain", "--threads", threads]);
            assert_eq!(
                text(&machine.stdout),
                text(&other.stdout),
                "{} on {threads} threads",
                folder.display()
            );
        }
        let reference = segue(&["run", rules, "--events", events, "--drain", "--interpret"]);
        assert!(machine.status.success(), "{}", text(&machine.stderr));
        assert!(!machine.stdout.is_empty(), "{rules}");
        assert!(machine.stdout == reference.stdout, "{rules}");
    }
}

#[test]
fn segments_are_counted_at_an_instant() {
    let output = segue(&[
        "segments",
        "examples/cdnow",
        "--events",
        "tests/data/cdnow_sample.ndjson.gz",
        "--at",
        "1998-06-30",
    ]);
    let counts: BTreeMap<String, String> = text(&output.stdout)
        .lines()
        .map(|line| {
            let mut words = line.split_whitespace().map(str::to_owned);
            (words.next().unwrap(), words.next().unwrap())
        })
        .collect();
    let count = |name: &str| counts.get(name).map(String::as_str);
    assert_eq!(count("one_order"), Some("1205"));
    assert_eq!(count("repeat_buyer"), Some("1152"));
    assert_eq!(count("big_spender"), Some("76"));
    assert_eq!(count("lapsed"), Some("2058"));
}

#[test]
fn the_plan_shows_state_and_code() {
    let output = segue(&["plan", "examples/cart_reminder", "--ir", "--clif"]);
    let plan = text(&output.stdout);
    for words in
        ["state per customer", " B  record", "work per event", "\"Product Added\"", "function", "brif"]
    {
        assert!(plan.contains(words), "{words} in\n{plan}");
    }
}

#[test]
fn the_table_and_kinds_are_for_people() {
    let run = ["run", "examples/cart_reminder", "--events", "examples/cart_reminder/events.ndjson"];
    let table = text(&segue(&[&run[..], &["--format", "table", "--kinds", "send"]].concat()).stdout);
    assert!(table.lines().next().unwrap().starts_with("time (UTC)"), "{table}");
    assert!(table.lines().skip(1).all(|line| line.contains("sms to +")), "{table}");
    assert!(table.lines().count() > 1);
    let message =
        "Hi {{ profile.first_name | default('there') }}, ".to_owned() + &"long ".repeat(200) + "end";
    let folder = project(&format!(
        "event \"Order\" {{}}\nprofile {{ first_name: text? }}\nrule r {{ when \"Order\"\n transactional\n \
         send email {{ subject: \"Thanks\", body: \"{message}\", to: \"a@b.c\" }} }}"
    ));
    let events = folder.path().join("events.ndjson");
    let order = r#"{"type":"track","userId":"ada","event":"Order","timestamp":"2026-01-05T10:00:00Z"}"#;
    fs::write(&events, order).unwrap();
    let (rules, events) = (folder.path().to_str().unwrap(), events.to_str().unwrap());
    let output = segue(&["run", rules, "--events", events, "--format", "table"]);
    let table = text(&output.stdout);
    assert!(
        table.contains("subject: Thanks | body: Hi there, long") && table.contains("long end"),
        "{table}"
    );
    assert!(text(&output.stderr).contains("consent is assumed"));
    let counts = segue(&["segments", rules, "--events", events, "--at", "2026-02-01"]);
    assert!(text(&counts.stderr).contains("consent is assumed"), "{}", text(&counts.stderr));
    let wrong = segue(&[&run[..], &["--kinds", "sent"]].concat());
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("did you mean `send`"));
}

/// Reads one HTTP request; gives its idempotency key and body.
fn request(stream: &TcpStream) -> Option<(String, Value)> {
    let mut reader = BufReader::new(stream);
    let (mut key, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim().to_owned();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        match name.to_lowercase().as_str() {
            "idempotency-key" => key = value.trim().to_owned(),
            "content-length" => length = value.trim().parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((key, serde_json::from_slice(&body).ok()?))
}

#[test]
fn each_message_is_delivered_once_though_every_third_request_fails() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/sms", listener.local_addr().unwrap());
    let taken: Arc<Mutex<BTreeMap<String, u32>>> = Arc::default();
    let seen = taken.clone();
    thread::spawn(move || {
        for (stream, number) in listener.incoming().zip(1_u32..) {
            let mut stream = stream.unwrap();
            let Some((key, body)) = request(&stream) else { continue };
            let fails = number.is_multiple_of(3);
            if !fails {
                assert_eq!(body["id"].as_str(), Some(key.as_str()));
                *seen.lock().unwrap().entry(key).or_default() += 1;
            }
            let status = if fails { "503 Service Unavailable" } else { "200 OK" };
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-length: 0\r\nretry-after: 0\r\nconnection: close\r\n\r\n"
            );
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let example = root().join("examples/cart_reminder");
    fs::copy(example.join("rules.segue"), folder.path().join("rules.segue")).unwrap();
    let toml = format!("[channels.sms]\nhook = \"webhook\"\nurl = \"{url}\"\n");
    fs::write(folder.path().join("segue.toml"), toml).unwrap();
    let rules = folder.path().to_str().unwrap();
    let events = example.join("events.ndjson");
    let arguments = ["run", rules, "--events", events.to_str().unwrap(), "--kinds", "send"];
    let plain = segue(&arguments);
    assert!(taken.lock().unwrap().is_empty(), "a plain run delivers nothing");
    let output = segue(&[&arguments[..], &["--deliver"]].concat());
    assert_eq!(output.stdout, plain.stdout);
    let ids: Vec<String> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
        .collect();
    assert!(!ids.is_empty());
    let taken = taken.lock().unwrap().clone();
    assert_eq!(
        taken.keys().cloned().collect::<std::collections::BTreeSet<_>>(),
        ids.iter().cloned().collect()
    );
    assert!(taken.values().all(|count| *count == 1), "{taken:?}");
    assert!(
        text(&output.stderr).contains(&format!("{} delivered, 0 not", ids.len())),
        "{}",
        text(&output.stderr)
    );
}

const TESTED: &str = r#"event "Order" { total: number }
rule tell { when "Order"  call crm { total: event.total } }
test "an order is told" {
  customer ada {}
  at 2026-01-05 10:00 ada "Order" { total: 20 }
  expect tell to call crm containing "20"
}
test "a \u{26} <wrong> one" {
  customer ada {}
  at 2026-01-05 10:00 ada "Order" { total: 20 }
  expect nothing for 1 day
}
"#;

#[test]
fn tests_of_rules_pass_or_show_what_happened() {
    let folder = project(TESTED);
    let path = folder.path().to_str().unwrap();
    let report = folder.path().join("report.xml");
    let output = segue(&["test", path, "--junit", report.to_str().unwrap()]);
    let (results, words) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(results, "passed  an order is told\nFAILED  a & <wrong> one\n");
    assert!(words.contains("expected nothing until 2026-01-06 10:00"), "{words}");
    assert!(words.contains("rules.segue:11:3"), "{words}");
    assert!(words.contains("  ✗ 2026-01-05 10:00  ada  tell    calls crm: total: 20\n"), "{words}");
    assert!(words.ends_with("2 tests: 1 passed, 1 failed\n"), "{words}");
    let report = fs::read_to_string(report).unwrap();
    assert!(report.contains("tests=\"2\" failures=\"1\""), "{report}");
    assert!(report.contains("name=\"a &amp; &lt;wrong&gt; one\""), "{report}");

    let output = segue(&["test", path, "--filter", "ORDER", "--interpret"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), "passed  an order is told\n");
    let output = segue(&["test", path, "--filter", "nobody"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("no test has `nobody` in its title"));
    let output = segue(&["test", path, "--quiet"]);
    assert_eq!(text(&output.stdout), "FAILED  a & <wrong> one\n");
}
