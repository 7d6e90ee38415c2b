//! Data that an earlier version wrote is read, and leads to the same: `fixtures/v1` is what the first version left.
//!
//! `SEGUE_BLESS=1` writes the data of this version's formats into a folder that is not there yet.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use segue_service::{
    clock::SetClock,
    disk::RealDisk,
    host::{Host, Options},
    intake::Call,
    log,
    rules::Text,
};
use std::{
    collections::BTreeMap,
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

const RULES: &str = r#"
event "Added" { price: number, name: text }
event "Ordered" {}
topic marketing {}
segment shoppers { did "Added" at least 2 times in the last 1 day }
let spent = sum of price of "Added" in the last 7 days
rule reminder {
  when "Added" then no "Ordered" within 2 hours
  topic marketing
  send sms "{{ event.name }}, of {{ spent }} in all"
}
rule thanks {
  when "Ordered"
  transactional
  send sms "Thank you"
  wait 1 day
  send sms "How was it?"
}
"#;
const SETTINGS: &str =
    "[channels.sms]\nhook = \"file\"\npath = \"sent.ndjson\"\n[fuse]\nsends = \"3 per hour\"\n";
const HOUR: i64 = 3_600_000;
/// 2026-01-05 08:00 UTC.
const START: i64 = 1_767_600_000_000;

fn host(folder: &Path, clock: &Arc<SetClock>, told: &Arc<Mutex<Vec<String>>>) -> Host {
    let sources = BTreeMap::from([("rules.segue".to_owned(), RULES.to_owned())]);
    let text = Text { sources, files: BTreeMap::new(), settings: SETTINGS.to_owned() };
    let told = told.clone();
    let options = Options {
        data: folder.join("data"),
        dry_run: false,
        shards: NonZeroUsize::MIN,
        limits: log::Limits { segment_bytes: 1_000, keep: None, max_bytes: None },
        checkpoint_every: Duration::from_secs(3_600),
        clock: clock.clone(),
        disk: Arc::new(RealDisk),
        tell: Arc::new(move |words| told.lock().unwrap().push(words.to_owned())),
    };
    Host::start(text.prepare(folder.to_owned()).unwrap(), options).unwrap()
}

fn call(id: &str, at: i64, rest: &str) -> Call {
    Call::new(format!(r#"{{"messageId":"{id}","timestamp":{at},{rest}}}"#)).unwrap()
}

/// What is written once: people with carts, orders, segments, one who was joined, messages that went and that are held, and
/// entries that no checkpoint has yet.
fn write(folder: &Path) {
    let clock = Arc::new(SetClock::default());
    clock.set(START);
    let told = Arc::default();
    let first = host(folder, &clock, &told);
    let traits = r#""traits":{"phone":"+4790000000","consent":{"sms":true}}"#;
    let submit = |host: &Host, call| {
        host.intake().submit_blocking(vec![call]).unwrap();
    };
    for customer in ["ada", "bob", "cyd", "dan", "eve"] {
        submit(
            &first,
            call(customer, START, &format!(r#""type":"identify","userId":"{customer}",{traits}"#)),
        );
        let added = r#""type":"track","event":"Added","properties":{"price":12.5,"name":"Boots"}"#;
        submit(
            &first,
            call(&format!("{customer}1"), START, &format!(r#""anonymousId":"x{customer}",{added}"#)),
        );
        submit(
            &first,
            call(&format!("{customer}2"), START + 1, &format!(r#""userId":"{customer}",{added}"#)),
        );
        submit(
            &first,
            call(
                &format!("{customer}3"),
                START + 2,
                &format!(r#""type":"alias","userId":"{customer}","previousId":"x{customer}""#),
            ),
        );
        let order = format!(r#""type":"track","event":"Ordered","userId":"{customer}","properties":{{}}"#);
        if customer != "ada" {
            submit(&first, call(&format!("{customer}4"), START + 3, &order));
        }
    }
    wait_for(|| first.status().delivered == 3);
    first.close();
    let second = host(folder, &clock, &told);
    let page = r#""type":"page","userId":"bob","name":"Home""#;
    submit(&second, call("page", START + 5, page));
    wait_for(|| second.status().applied == second.status().written);
    // As after a crash: what came since is in the log only.
    let crashed = folder.join("crashed");
    copy(&folder.join("data"), &crashed);
    second.close();
    fs::remove_dir_all(folder.join("data")).unwrap();
    fs::rename(crashed, folder.join("data")).unwrap();
}

fn wait_for(what: impl Fn() -> bool) {
    for _ in 0..500 {
        if what() {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("it does not happen");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let to = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy(&entry, &to);
        } else {
            fs::copy(&entry, &to).unwrap();
        }
    }
}

#[test]
fn data_of_the_first_version_leads_to_the_same() {
    let fixture = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1");
    let folder = tempfile::tempdir().unwrap();
    if std::env::var_os("SEGUE_BLESS").is_some() && !fixture.exists() {
        write(folder.path());
        copy(&folder.path().join("data"), &fixture.join("data"));
        fs::remove_dir_all(folder.path().join("data")).unwrap();
        fs::remove_file(folder.path().join("sent.ndjson")).unwrap();
    }
    copy(&fixture.join("data"), &folder.path().join("data"));
    let (clock, told) = (Arc::new(SetClock::default()), Arc::default());
    clock.set(START + HOUR);
    let host = host(folder.path(), &clock, &told);
    let status = host.status();
    // Three thanks had gone, one is held by the fuse.
    assert_eq!((status.customers, status.pending), (5, 1), "{:?}", told.lock().unwrap());
    assert_eq!(status.held, BTreeMap::from([("thanks".to_owned(), 1)]));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let ada = runtime.block_on(host.ask().customer("xada")).unwrap().unwrap();
    assert_eq!((&*ada.id, ada.segments.len(), ada.next_deadline), ("ada", 1, Some(START + 1 + 2 * HOUR)));
    clock.set(START + 3 * HOUR);
    wait_for(|| host.status().delivered == 1);
    host.close();
    let sent = fs::read_to_string(folder.path().join("sent.ndjson")).unwrap();
    let sent: Vec<serde_json::Value> = sent.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0]["customer"], "ada");
    assert_eq!(sent[0]["content"]["text"], "Boots, of 25 in all");
}
