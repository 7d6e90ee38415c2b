//! Other rules are put in force while the service is at work, and between its starts.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use segue_compiler::typed::SegmentId;
use segue_runtime::live::Cursor;
use segue_service::{
    clock::SetClock,
    disk::RealDisk,
    host::{Host, Options},
    intake::Call,
    log,
    rules::{Prepared, Text},
    store::Store,
};
use std::{
    collections::BTreeMap,
    fs,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

const FIRST: &str = r#"
event "Added" { price: number }
topic marketing {}
rule course { when "Added" for the first time  topic marketing  wait 1 day  send sms "first" }
"#;
const SECOND: &str = r#"
event "Added" { price: number }
topic marketing {}
segment keen { did "Added" at least 2 times in the last 1 day }
rule course { when "Added" for the first time  topic marketing  wait 1 hour  send sms "second" }
rule busy { when enters keen  start cold  topic marketing  send sms "busy" }
"#;
const SETTINGS: &str = "[channels.sms]\nhook = \"file\"\npath = \"sent.ndjson\"\n";
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// 2026-01-05 08:00 UTC.
const START: i64 = 1_767_600_000_000;

struct Place {
    folder: tempfile::TempDir,
    clock: Arc<SetClock>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Place {
    fn new() -> Self {
        let clock = Arc::new(SetClock::default());
        clock.set(START);
        Self { folder: tempfile::tempdir().unwrap(), clock, told: Arc::default() }
    }

    fn prepared(&self, rules: &str) -> Prepared {
        let sources = BTreeMap::from([("rules.segue".to_owned(), rules.to_owned())]);
        let text = Text { sources, files: BTreeMap::new(), settings: SETTINGS.to_owned() };
        text.prepare(self.folder.path().to_owned()).unwrap()
    }

    fn start(&self, rules: &str) -> Host {
        let told = self.told.clone();
        let options = Options {
            shards: NonZeroUsize::new(2).unwrap(),
            limits: log::Limits { segment_bytes: 4_000, keep: None, max_bytes: None },
            checkpoint_every: Duration::from_secs(3_600),
            gathered_at_once: 1,
            // That the test set the clock is no news.
            tell: Arc::new(move |words| {
                if !words.contains("clock of this machine went forward") {
                    told.lock().unwrap().push(words.to_owned());
                }
            }),
            ..Options::new(self.folder.path().join("data"), self.clock.clone())
        };
        Host::start(self.prepared(rules), options).unwrap()
    }

    /// What was sent: to whom, how long after the start, and what.
    fn sent(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path().join("sent.ndjson")).unwrap_or_default();
        let mut sent: Vec<String> = text
            .lines()
            .map(|line| {
                let record: serde_json::Value = serde_json::from_str(line).unwrap();
                format!("{} {}", record["customer"], record["content"]["text"]).replace('"', "")
            })
            .collect();
        sent.sort();
        sent
    }

    fn wait_for(&self, what: impl Fn() -> bool) {
        for _ in 0..1_000 {
            if what() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not happen; sent {:?}, told {:?}", self.sent(), self.told.lock().unwrap());
    }

    fn wait_for_sent(&self, sent: &[&str]) {
        self.wait_for(|| self.sent() == sent);
    }

    /// Time comes.
    fn come_to(&self, at: i64) {
        self.clock.set(at);
    }
}

fn call(id: &str, at: i64, customer: &str, kind: &str) -> Call {
    let rest = match kind {
        "identify" => {
            r#""type":"identify","traits":{"phone":"+4790000000","consent":{"sms":true}}"#.to_owned()
        }
        event => format!(r#""type":"track","event":"{event}","properties":{{"price":5}}"#),
    };
    Call::new(format!(r#"{{"messageId":"{id}","userId":"{customer}","timestamp":{at},{rest}}}"#)).unwrap()
}

fn submit(host: &Host, calls: Vec<Call>) {
    host.intake().submit_blocking(calls).unwrap();
}

/// Ada and Bob are known, and Ada added something.
fn begin(host: &Host) {
    submit(host, vec![call("1", START, "ada", "identify"), call("2", START, "bob", "identify")]);
    submit(host, vec![call("3", START, "ada", "Added")]);
}

fn applied(place: &Place, host: &Host) {
    place.wait_for(|| host.status().applied == host.status().written);
}

#[test]
fn rules_change_under_way() {
    let place = Place::new();
    let host = place.start(FIRST);
    begin(&host);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let second = place.prepared(SECOND).text;
    runtime.block_on(host.ask().change_rules(&second)).unwrap();
    applied(&place, &host);
    assert_eq!(host.ask().segments().len(), 1);
    // What Ada added before counts for the segment that is new; Bob gets the new course.
    place.come_to(START + MINUTE);
    submit(&host, vec![call("4", START + MINUTE, "ada", "Added"), call("5", START + MINUTE, "bob", "Added")]);
    place.wait_for_sent(&["ada busy"]);
    place.come_to(START + 2 * HOUR);
    place.wait_for_sent(&["ada busy", "bob second"]);
    host.close();
    // The run of before is one of the checkpoint, and finishes as it began.
    let host = place.start(SECOND);
    place.come_to(START + 25 * HOUR);
    place.wait_for_sent(&["ada busy", "ada first", "bob second"]);
    host.close();
}

#[test]
fn no_more_of_the_log_is_read_than_what_is_new_asks_for() {
    let place = Place::new();
    let host = place.start(FIRST);
    for number in 0..40 {
        submit(&host, vec![call(&format!("a{number}"), START, "ada", "Added")]);
    }
    place.come_to(START + 2 * HOUR);
    for number in 0..40 {
        submit(&host, vec![call(&format!("b{number}"), START + 2 * HOUR, "bob", "Added")]);
    }
    applied(&place, &host);
    // The end of the first file cannot be read any more.
    let first = place.folder.path().join("data/log/00000000000000000000.log");
    let mut bytes = fs::read(&first).unwrap();
    assert!(fs::read_dir(first.parent().unwrap()).unwrap().count() > 2 && bytes.len() > 3_000);
    let end = bytes.len() - 9;
    bytes[end] ^= 1;
    fs::write(&first, bytes).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let change = |rules: &str| {
        runtime.block_on(host.ask().change_rules(&place.prepared(rules).text)).unwrap();
        applied(&place, &host);
    };
    // Nothing is new; then something of late; then something of all that there was.
    change(&FIRST.replace("\"first\"", "\"other words\""));
    change(&format!("{FIRST}\nsegment busy {{ did \"Added\" at least 40 times in the last 1 hour }}"));
    assert_eq!(*place.told.lock().unwrap(), [""; 0]);
    let members = runtime.block_on(host.ask().members(SegmentId(0), Cursor::default(), 9)).unwrap();
    assert_eq!(members.ids.iter().map(|id| &**id).collect::<Vec<_>>(), ["bob"]);
    change(&format!("{FIRST}\nsegment busy {{ did \"Added\" at least 40 times }}"));
    let told = place.told.lock().unwrap().join("\n");
    assert!(told.contains("cannot be put in force") && told.contains("is damaged at byte"), "{told}");
    host.close();
}

/// The n-th version of rules, of which each has much to say that the others do not.
fn version(number: u64) -> String {
    let mut random = number;
    let words: String = (0..60)
        .map(|_| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            format!("{random:016x}")
        })
        .collect();
    let window = 1 + number % 5;
    format!(
        "event \"Added\" {{ price: number }}
topic marketing {{}}
segment keen {{ did \"Added\" at least 9 times in the last {window} days }}
rule course {{ when \"Added\" topic marketing wait {number} hours send sms \"{number}\" }}
rule other {{ when enters keen start cold topic marketing send sms \"{words}\" }}
"
    )
}

#[test]
fn rules_that_nothing_is_under_way_of_take_no_room() {
    const CHANGES: u64 = 24;
    let place = Place::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut host = place.start(&version(30));
    begin(&host);
    for number in 31..30 + CHANGES {
        let text = place.prepared(&version(number)).text;
        runtime.block_on(host.ask().change_rules(&text)).unwrap();
        if number == 36 {
            // A run of another version that goes on.
            submit(&host, vec![call("4", START, "bob", "Added")]);
        }
        if number % 6 == 0 {
            applied(&place, &host);
            host.close();
            host = place.start(&version(number));
        }
    }
    host.close();
    let notes = || {
        let found = Store::open(Arc::new(RealDisk), &place.folder.path().join("data/checkpoints")).unwrap().1;
        found.unwrap().notes.len()
    };
    // Those that Ada's and Bob's runs are of, and the last; each has some 700 bytes to say when it is packed.
    let with_runs = notes();
    assert!(with_runs < 4_000, "{with_runs} bytes");
    let last = version(29 + CHANGES);
    host = place.start(&last);
    place.come_to(START + 40 * HOUR);
    place.wait_for_sent(&["ada 30", "bob 36"]);
    let text = place.prepared(&version(1)).text;
    runtime.block_on(host.ask().change_rules(&text)).unwrap();
    host.close();
    assert!(notes() + 1_000 < with_runs, "{} bytes", notes());
    // Nothing was made anew of the log, and the folder's rules were those in force but at the end.
    host = place.start(&version(1));
    host.close();
    assert_eq!(*place.told.lock().unwrap(), [""; 0]);
}

#[test]
fn what_came_due_while_nobody_was_there_is_late_also_where_rules_changed() {
    let place = Place::new();
    let host = place.start(FIRST);
    begin(&host);
    applied(&place, &host);
    host.close();
    // The course's message is due a day after; more than a day later than that nobody wants it.
    place.come_to(START + 72 * HOUR);
    let host = place.start(SECOND);
    applied(&place, &host);
    let decided = host.status().decided;
    assert_eq!(decided.get(&("suppressed", "late")), Some(&1), "{decided:?}");
    let told = place.told.lock().unwrap().join("\n");
    assert!(told.contains("the folder has other rules than were in force at the end"), "{told}");
    assert!(told.contains("new      keen: who is in it is found out without anybody entering"), "{told}");
    host.close();
    assert_eq!(place.sent(), [""; 0]);
}

#[test]
fn rules_change_between_starts_and_the_log_tells_of_it() {
    let place = Place::new();
    let host = place.start(FIRST);
    begin(&host);
    applied(&place, &host);
    host.close();
    place.come_to(START + MINUTE);
    let host = place.start(SECOND);
    submit(&host, vec![call("4", START + MINUTE, "ada", "Added"), call("5", START + MINUTE, "bob", "Added")]);
    place.wait_for_sent(&["ada busy"]);
    place.come_to(START + 2 * HOUR);
    place.wait_for_sent(&["ada busy", "bob second"]);
    host.close();
    // Without checkpoints everything is made once more of the log, and nothing is sent twice.
    fs::remove_dir_all(place.folder.path().join("data/checkpoints")).unwrap();
    let host = place.start(SECOND);
    place.come_to(START + 25 * HOUR);
    place.wait_for_sent(&["ada busy", "ada first", "bob second"]);
    host.close();
}
