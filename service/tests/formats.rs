//! Data that earlier versions wrote is read, and leads to the same: `fixtures/v1` is what the first version left, and every
//! version of every format is in one of the folders beside it.
//!
//! `SEGUE_BLESS=1` writes a further folder where there is none yet with the formats of this version.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use segue_service::{
    clock::SetClock,
    disk::RealDisk,
    host::{Host, Options, formats},
    intake::Call,
    log,
    rules::Text,
    store::Store,
};
use std::{
    collections::{BTreeMap, BTreeSet},
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
        shards: NonZeroUsize::MIN,
        limits: log::Limits { segment_bytes: 1_000, keep: None, max_bytes: None },
        checkpoint_every: Duration::from_secs(3_600),
        gathered_at_once: 1,
        tell: Arc::new(move |words| told.lock().unwrap().push(words.to_owned())),
        ..Options::new(folder.join("data"), clock.clone())
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

/// The data that versions left, each in a folder.
fn fixtures() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let numbered = (1..).map(|number| folder.join(format!("v{number}")));
    numbered.take_while(|path| path.exists()).collect()
}

/// The versions of formats that data has.
fn versions(data: &Path) -> BTreeSet<(&'static str, u32)> {
    let header = |folder: &str| {
        let first = fs::read_dir(data.join(folder)).unwrap().next().unwrap().unwrap();
        u32::from_le_bytes(fs::read(first.path()).unwrap()[8..12].try_into().unwrap())
    };
    let mut versions = BTreeSet::from([("log", header("log")), ("checkpoint", header("checkpoints"))]);
    let (_, found) = Store::open(Arc::new(RealDisk), &data.join("checkpoints")).unwrap();
    let found = found.unwrap();
    versions.insert(("notes", found.notes[0].into()));
    for (key, value) in &found.values {
        match key[0] {
            1 => versions.insert(("customer", value[0].into())),
            16 => versions.insert(("pending", value[0].into())),
            _ => false,
        };
    }
    let mut decisions = log::Reader::open(&data.join("decisions"), 0).unwrap();
    while let Ok(Some(group)) = decisions.group() {
        let records = group.entries().filter(|entry| entry.kind == log::Kind::Record);
        versions.extend(records.map(|entry| ("record", entry.payload[0].into())));
    }
    versions
}

#[test]
fn there_is_data_of_every_version_of_every_format() {
    let mut there: BTreeSet<_> = fixtures().iter().flat_map(|it| versions(&it.join("data"))).collect();
    if std::env::var_os("SEGUE_BLESS").is_some() && formats().iter().any(|format| !there.contains(format)) {
        let next = fixtures().len() + 1;
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let fixture = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/v{next}"));
        copy(&folder.path().join("data"), &fixture.join("data"));
        there.append(&mut versions(&fixture.join("data")));
    }
    for (name, version) in formats() {
        for version in 1..=version {
            assert!(
                there.contains(&(name, version)),
                "no fixture has version {version} of the format of a {name}: SEGUE_BLESS=1 writes one"
            );
        }
    }
}

/// What is written of customers and decisions on their way, by key, and of all else.
fn written(data: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let found = Store::open(Arc::new(RealDisk), &data.join("checkpoints")).unwrap().1.unwrap();
    // Its version, and what tells the rules as they are planned: that changes with the compiler.
    let notes = found.notes[10..].to_vec();
    found.values.into_iter().chain([(b"notes".to_vec(), notes)]).collect()
}

#[test]
fn what_is_written_differs_only_where_its_version_does() {
    let newest = fixtures().pop().unwrap().join("data");
    assert_eq!(versions(&newest), BTreeSet::from(formats()));
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let (ours, theirs) = (written(&folder.path().join("data")), written(&newest));
    let keys = |values: &[(Vec<u8>, Vec<u8>)]| values.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
    assert_eq!(keys(&ours), keys(&theirs));
    for ((key, ours), (_, theirs)) in ours.iter().zip(&theirs) {
        let key = String::from_utf8_lossy(key);
        assert_eq!(
            ours, theirs,
            "{key} is written in another way: count up the format, and bless another fixture"
        );
    }
}

#[test]
fn data_of_every_version_leads_to_the_same() {
    let fixtures = fixtures();
    assert!(!fixtures.is_empty());
    fixtures.iter().for_each(|fixture| leads_to_the_same(fixture));
}

fn leads_to_the_same(fixture: &Path) {
    let folder = tempfile::tempdir().unwrap();
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
    let delivered = host.status().delivered;
    clock.set(START + 3 * HOUR);
    wait_for(|| host.status().delivered > delivered);
    host.close();
    let sent = fs::read_to_string(folder.path().join("sent.ndjson")).unwrap();
    let sent: Vec<serde_json::Value> = sent.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0]["customer"], "ada");
    assert_eq!(sent[0]["content"]["text"], "Boots, of 25 in all");
}
