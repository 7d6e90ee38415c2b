//! The clock of the machine is set while the service works: back by an hour, and ahead.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use segue_compiler::value::Millis;
use segue_service::{
    clock::{Clock, SetClock},
    host::{Host, Options},
    ingest::{Arrival, Bounds, Form, Kind, Posted},
    intake::Call,
    log::{Limits, Reader},
    rules::Text,
};
use std::{
    cell::Cell,
    collections::BTreeMap,
    fs,
    num::NonZeroUsize,
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

const RULES: &str = r#"
event "Added" {}
event "Ordered" {}
rule soon { when "Added" then no "Ordered" within 1 minute  transactional  send sms "soon" }
rule later { when "Added" then no "Ordered" within 30 minutes  transactional  send sms "later" }
"#;
const SETTINGS: &str = "[channels.sms]\nhook = \"file\"\npath = \"sent.ndjson\"\n";
const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
/// 2026-01-05 08:00 UTC.
const START: Millis = 1_767_600_000_000;

fn start(folder: &Path, clock: &Arc<SetClock>, told: &Arc<Mutex<Vec<String>>>) -> Host {
    start_with(folder, "", clock, told)
}

/// As [`start`], with more settings.
fn start_with(folder: &Path, more: &str, clock: &Arc<SetClock>, told: &Arc<Mutex<Vec<String>>>) -> Host {
    let sources = BTreeMap::from([("rules.segue".to_owned(), RULES.to_owned())]);
    let text = Text { sources, files: BTreeMap::new(), settings: format!("{more}{SETTINGS}") };
    let told = told.clone();
    let options = Options {
        shards: NonZeroUsize::new(2).unwrap(),
        limits: Limits { segment_bytes: 1 << 20, keep: None, max_bytes: None },
        checkpoint_every: Duration::from_millis(50),
        gathered_at_once: 1,
        tell: Arc::new(move |words| told.lock().unwrap().push(words.to_owned())),
        ..Options::new(folder.join("data"), clock.clone())
    };
    Host::start(text.prepare(folder.to_owned()).unwrap(), options).unwrap()
}

/// Somebody adds something; gives when that was received.
fn added(host: &Host, customer: &str, at: Millis) -> Millis {
    let of = format!(r#""userId":"{customer}","timestamp":{at}"#);
    let calls = [
        format!(r#"{{"type":"identify","messageId":"i{customer}",{of},"traits":{{"phone":"+4790000000"}}}}"#),
        format!(r#"{{"type":"track","messageId":"t{customer}",{of},"event":"Added"}}"#),
    ];
    let calls = calls.into_iter().map(|line| Call::new(line).unwrap()).collect();
    host.intake().submit_blocking(calls).unwrap().received_at
}

/// Somebody adds something, without a word of when: it is read so many milliseconds before it is written down.
fn added_now(host: &Host, customer: &str, clock: &SetClock, waits: Millis) {
    let body = format!(r#"{{"messageId":"t{customer}","userId":"{customer}","event":"Added"}}"#);
    let bounds = Bounds { event_bytes: 1 << 10, batch_bytes: 1 << 10, batch_events: 1 };
    let posted = Posted::read(Form::Call(Kind::Track), body.as_bytes(), &bounds).unwrap();
    let calls = posted.calls(Arrival { received_at: clock.now(), request: 1 }, &bounds).calls;
    clock.set(clock.now() + waits);
    host.intake().submit_blocking(calls).unwrap();
}

/// What was sent: to whom, how many minutes after the start, by which rule.
fn sent(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("sent.ndjson")).unwrap_or_default();
    let line = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        format!("{} {} {}", &record["at"].as_str().unwrap()[11..16], record["customer"], record["rule"])
            .replace('"', "")
    };
    let mut sent: Vec<String> = text.lines().map(line).collect();
    sent.sort();
    sent
}

fn wait_for(words: &str, what: impl Fn() -> bool) {
    if !(0..500).any(|_| {
        what() || {
            thread::sleep(Duration::from_millis(20));
            false
        }
    }) {
        panic!("it does not happen: {words}");
    }
}

#[test]
fn what_says_no_time_is_never_late() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, told) = (Arc::new(SetClock::default()), Arc::default());
    clock.set(START);
    // Nothing that is late starts anything.
    let host = start_with(folder.path(), "[project]\nlateness = \"0 minutes\"\n", &clock, &told);
    for (customer, waits) in [("ada", 0), ("bob", 1), ("cleo", 2), ("dan", 500)] {
        added_now(&host, customer, &clock, waits);
        wait_for("it is looked at", || host.status().applied == host.status().written);
    }
    let tally = host.status().tally;
    assert_eq!((tally.applied, tally.late), (4, 0));
    host.close();
}

#[test]
fn a_clock_that_is_set_makes_nothing_come_twice_or_never() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (clock, told) = (Arc::new(SetClock::default()), Arc::default());
    clock.set(START);
    let host = start(folder, &clock, &told);
    let is_sent = |expected: &[&str]| {
        wait_for(&format!("{expected:?} {:?}", sent(folder)), || sent(folder) == expected)
    };
    let steps = || host.status().clock_steps;
    assert!(added(&host, "ada", START) >= START);
    wait_for("it is looked at", || host.status().applied == host.status().written);

    // Ahead by two hours: all that is due by then comes, at its own time.
    clock.set(START + 2 * HOUR);
    is_sent(&["08:01 ada soon", "08:30 ada later"]);
    wait_for("it is told", || steps() == [0, 1]);
    let reached = added(&host, "bob", START + 2 * HOUR);
    assert!(reached >= START + 2 * HOUR);

    // Back by an hour: what comes is received no earlier than before. Cleo's is a little late, and a minute after it has
    // passed; Dan's is too late to start something.
    clock.set(START + HOUR);
    wait_for("it is told", || steps() == [1, 1]);
    wait_for("it is behind", || host.status().clock_behind >= HOUR);
    let received = [added(&host, "cleo", START + 2 * HOUR - 5 * MINUTE), added(&host, "dan", START + HOUR)];
    assert!(
        reached <= received[0] && received[0] <= received[1] && received[1] < reached + 1_000,
        "{received:?}"
    );
    // Checkpoints are made all the same.
    let position = host.status().written;
    let now = Cell::new(START + HOUR);
    wait_for("a checkpoint", || {
        // One that was begun before all was applied reaches less far, and the next one takes time to come.
        now.set(now.get() + 100);
        clock.set(now.get());
        host.status().checkpoint >= position
    });

    // What is due waits until the clock has come there again.
    clock.set(START + 2 * HOUR + MINUTE - 1);
    wait_for("it is told", || steps() == [1, 2]);
    thread::sleep(Duration::from_millis(100));
    assert_eq!(sent(folder).len(), 2);
    clock.set(START + 2 * HOUR + MINUTE);
    let until_then = ["08:01 ada soon", "08:30 ada later", "10:01 bob soon"];
    is_sent(&until_then);
    wait_for("it is there again", || host.status().clock_behind == 0);
    clock.set(START + 3 * HOUR);
    let all = [&until_then[..], &["10:25 cleo later", "10:30 bob later"]].concat();
    is_sent(&all);
    assert_eq!(host.status().decided.get(&("send", "")), Some(&5), "nothing is decided twice");
    host.close();

    let words = told.lock().unwrap().join("\n");
    assert!(
        words.contains("was set back by 3,600 seconds: until it has come to 2026-01-05T10:00:00"),
        "{words}"
    );
    assert!(words.contains("went forward by 7,200 seconds at once"), "{words}");
    let mut log = Reader::open(&folder.join("data/log"), 0).unwrap();
    let mut last = Millis::MIN;
    while let Some(group) = log.group().unwrap() {
        for entry in group.entries() {
            assert!(entry.received_at >= last, "entry {}", entry.position);
            last = entry.received_at;
        }
    }
    // Decided once more from the whole log, it is the same, and nothing goes out again.
    fs::remove_dir_all(folder.join("data/checkpoints")).unwrap();
    fs::remove_dir_all(folder.join("data/decisions")).unwrap();
    let host = start(folder, &clock, &told);
    wait_for("it has caught up", || host.status().applied == host.status().written);
    host.close();
    assert_eq!(sent(folder), all);
}

#[test]
fn what_is_due_by_the_time_that_was_reached_does_not_wait_for_the_clock() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (clock, told) = (Arc::new(SetClock::default()), Arc::default());
    clock.set(START);
    let host = start(folder, &clock, &told);
    added(&host, "ada", START);
    // Something is received at ten, and at once it is eight again.
    clock.set(START + 2 * HOUR);
    assert!(added(&host, "bob", START + 2 * HOUR) >= START + 2 * HOUR);
    clock.set(START);
    wait_for("it is decided", || sent(folder) == ["08:01 ada soon", "08:30 ada later"]);
    host.close();
}
