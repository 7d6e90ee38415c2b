//! What is older or larger than is to be kept goes, and nothing that is still needed.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use segue_service::{
    clock::{Clock, SetClock},
    disk::RealDisk,
    host::{Host, Options},
    intake::Call,
    log::{self, Limits, Reader, segments},
    rules::Text,
};
use std::{
    collections::BTreeMap,
    fs,
    num::NonZeroUsize,
    path::PathBuf,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

const RULES: &str = r#"
event "Added" {}
event "Ordered" {}
rule thanks { when "Ordered"  transactional  send sms "Thank you" }
rule later { when "Added" for the first time  transactional  wait 38 days  send sms "Still there?" }
"#;
const SETTINGS: &str = "[channels.sms]\nhook = \"file\"\npath = \"sent.ndjson\"\n";
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// 2026-01-05 08:00 UTC.
const START: i64 = 1_767_600_000_000;
const KEEP: i64 = 16 * DAY;
/// Nothing is older.
const OLDEST: i64 = KEEP + KEEP / 8;

struct Place {
    folder: tempfile::TempDir,
    clock: Arc<SetClock>,
    limits: Limits,
    settings: String,
    told: Arc<Mutex<Vec<String>>>,
}

impl Place {
    fn new(limits: Limits) -> Self {
        let clock = Arc::new(SetClock::default());
        clock.set(START);
        let folder = tempfile::tempdir().unwrap();
        Self { folder, clock, limits, settings: SETTINGS.to_owned(), told: Arc::default() }
    }

    /// Files that end by age alone.
    fn aging() -> Self {
        Self::new(Limits { segment_bytes: 64 << 20, keep: Some(KEEP), max_bytes: None })
    }

    fn start(&self) -> Host {
        let sources = BTreeMap::from([("rules.segue".to_owned(), RULES.to_owned())]);
        let text = Text { sources, files: BTreeMap::new(), settings: self.settings.clone() };
        let told = self.told.clone();
        let options = Options {
            shards: NonZeroUsize::new(2).unwrap(),
            limits: self.limits,
            checkpoint_every: Duration::ZERO,
            tell: Arc::new(move |words| {
                if !words.contains("clock of this machine went forward") {
                    told.lock().unwrap().push(words.to_owned());
                }
            }),
            ..Options::new(self.folder.path().join("data"), self.clock.clone())
        };
        Host::start(text.prepare(self.folder.path().to_owned()).unwrap(), options).unwrap()
    }

    fn data(&self, folder: &str) -> PathBuf {
        self.folder.path().join("data").join(folder)
    }

    /// When the oldest entry in a folder was received; none while a file goes.
    fn oldest(&self, folder: &str) -> Option<i64> {
        let group = Reader::open(&self.data(folder), 0).ok()?.group().ok()??;
        group.entries().next().map(|entry| entry.received_at)
    }

    /// Waits until nothing is older than may be.
    fn wait_until_old_is_gone(&self, folders: &[&str]) {
        let is_gone = |at: i64| at >= self.clock.now() - OLDEST;
        self.wait_for(|| folders.iter().all(|folder| self.oldest(folder).is_some_and(is_gone)));
    }

    fn bytes(&self, folder: &str) -> u64 {
        let lengths = segments(&self.data(folder)).unwrap().into_iter();
        lengths.map(|file| fs::metadata(file.path).map_or(0, |it| it.len())).sum()
    }

    /// How many messages a rule has sent to somebody.
    fn sent(&self, customer: &str, rule: &str) -> usize {
        let text = fs::read_to_string(self.folder.path().join("sent.ndjson")).unwrap_or_default();
        let (customer, rule) = (format!("\"customer\":\"{customer}\""), format!("\"rule\":\"{rule}\""));
        text.lines().filter(|line| line.contains(&customer) && line.contains(&rule)).count()
    }

    fn wait_for(&self, what: impl Fn() -> bool) {
        for _ in 0..2_000 {
            if what() {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        let files = ["log", "decisions"].map(|it| (self.oldest(it), segments(&self.data(it)).unwrap()));
        panic!("it does not happen at {}; {files:?}, told {:?}", self.clock.now(), self.told.lock().unwrap());
    }

    /// Waits until all that is written is decided, delivered and in a checkpoint.
    fn settle(&self, host: &Host) {
        self.wait_for(|| {
            let status = host.status();
            status.applied == status.written && status.pending == 0 && status.checkpoint == status.written
        });
    }
}

fn submit(host: &Host, id: &str, at: i64, customer: &str, kind: &str) {
    let rest = match kind {
        "identify" => {
            r#""type":"identify","traits":{"phone":"+4790000000","consent":{"sms":true}}"#.to_owned()
        }
        event => format!(r#""type":"track","event":"{event}""#),
    };
    let line = format!(r#"{{"messageId":"{id}","userId":"{customer}","timestamp":{at},{rest}}}"#);
    host.intake().submit_blocking(vec![Call::new(line).unwrap()]).unwrap();
}

/// Ada waits for something that comes long after what she did has gone; Bob orders.
fn begin(host: &Host) {
    submit(host, "a1", START, "ada", "identify");
    submit(host, "a2", START, "ada", "Added");
    submit(host, "b1", START, "bob", "identify");
    submit(host, "b2", START, "bob", "Ordered");
}

#[test]
fn what_is_older_than_is_kept_goes_file_by_file() {
    let place = Place::aging();
    let mut host = place.start();
    begin(&host);
    let step = 12 * HOUR;
    for number in 1..=80 {
        let now = START + number * step;
        place.clock.set(now);
        if number % 35 == 0 {
            host.close();
            host = place.start();
        }
        submit(&host, &format!("o{number}"), now, "bob", "Ordered");
        place.settle(&host);
        place.wait_until_old_is_gone(&["log", "decisions"]);
        for folder in ["log", "decisions"] {
            let oldest = place.oldest(folder).unwrap();
            assert!(
                oldest <= (START + HOUR).max(now - KEEP),
                "{folder}: what is to be kept is gone, {oldest}"
            );
        }
    }
    assert!(segments(&place.data("log")).unwrap().len() <= 19);
    assert_eq!((place.sent("bob", "thanks"), place.sent("ada", "later")), (81, 1));
    // Who did something long ago is known, also to a checkpoint that is read anew.
    host.close();
    let host = place.start();
    submit(&host, "a3", place.clock.now(), "ada", "Added");
    place.settle(&host);
    assert_eq!(host.status().customers, 2);
    host.close();
    assert_eq!(place.sent("ada", "later"), 1);
    assert!(place.told.lock().unwrap().is_empty(), "{:?}", place.told.lock().unwrap());
}

#[test]
fn it_goes_also_where_nothing_comes_any_more() {
    let place = Place::aging();
    let host = place.start();
    begin(&host);
    place.settle(&host);
    for number in 1..=36 {
        place.clock.set(START + number * DAY / 2);
        thread::sleep(Duration::from_millis(50));
    }
    place.clock.set(START + OLDEST + 1);
    place.wait_until_old_is_gone(&["log", "decisions"]);
    let written = host.status().written;
    assert!(written < 7 + 20, "entries that say nothing are few: {written}");
    place.settle(&host);
    host.close();
    let host = place.start();
    assert_eq!(host.status().customers, 2);
    place.clock.set(START + 38 * DAY);
    place.wait_for(|| place.sent("ada", "later") == 1);
    place.settle(&host);
    place.wait_until_old_is_gone(&["log", "decisions"]);
    host.close();
    assert_eq!(place.sent("bob", "thanks"), 1);
}

#[test]
fn it_goes_soon_after_the_service_was_down_for_long() {
    let place = Place::aging();
    let host = place.start();
    begin(&host);
    place.settle(&host);
    host.close();
    place.clock.set(START + 20 * DAY);
    let host = place.start();
    place.wait_until_old_is_gone(&["log", "decisions"]);
    place.clock.set(START + 38 * DAY);
    place.wait_for(|| place.sent("ada", "later") == 1);
    assert_eq!((host.status().customers, place.sent("bob", "thanks")), (2, 1));
    host.close();
}

#[test]
fn what_waits_for_a_person_stays() {
    let mut place = Place::aging();
    place.settings.push_str("[fuse]\nsends = \"1 per hour\"\n");
    let host = place.start();
    begin(&host);
    submit(&host, "b3", START, "bob", "Ordered");
    place.wait_for(|| host.status().held.values().sum::<usize>() == 1);
    for number in 1..=30 {
        place.clock.set(START + number * DAY);
        submit(&host, &format!("x{number}"), place.clock.now(), "eve", "Added");
        place.wait_until_old_is_gone(&["log"]);
    }
    let oldest = place.oldest("decisions").unwrap();
    assert!(oldest < START + HOUR, "the message that is held is there: {oldest}");
    // No checkpoint helps it to go, so none is made for that.
    thread::sleep(Duration::from_millis(300));
    let files = || fs::read_dir(place.data("checkpoints")).unwrap().map(|it| it.unwrap().file_name()).max();
    let newest = files();
    thread::sleep(Duration::from_millis(300));
    assert_eq!(files(), newest);
    host.close();
    let host = place.start();
    assert_eq!(place.sent("bob", "thanks"), 1);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(host.ask().release("thanks")).unwrap();
    place.wait_for(|| place.sent("bob", "thanks") == 2);
    place.settle(&host);
    place.wait_until_old_is_gone(&["log", "decisions"]);
    host.close();
}

#[test]
fn what_is_too_much_goes() {
    let most = 24_000;
    let place = Place::new(Limits { segment_bytes: most / 8, keep: None, max_bytes: Some(most) });
    let host = place.start();
    begin(&host);
    for number in 0..400 {
        place.clock.set(START + number);
        submit(&host, &format!("o{number}"), START + number, "bob", "Ordered");
    }
    place.settle(&host);
    place.wait_for(|| place.bytes("log") <= most && place.bytes("decisions") <= most);
    for folder in ["log", "decisions"] {
        assert!(segments(&place.data(folder)).unwrap()[0].first > 0);
        assert!(place.bytes(folder) >= most / 2, "no more goes than must: {}", place.bytes(folder));
    }
    host.close();
    let host = place.start();
    place.clock.set(START + 38 * DAY);
    place.wait_for(|| place.sent("ada", "later") == 1);
    place.settle(&host);
    assert_eq!((host.status().customers, place.sent("bob", "thanks")), (2, 401));
    host.close();
    let told = place.told.lock().unwrap();
    assert!(told.is_empty(), "{told:?}");
}

/// A log from before files ended by age, in which a file holds more than is kept.
#[test]
fn a_file_that_is_too_long_goes_once_all_of_it_is_old() {
    let folder = tempfile::tempdir().unwrap();
    let forever = Limits { segment_bytes: 64 << 20, keep: None, max_bytes: None };
    let open = |limits| log::Writer::open(Arc::new(RealDisk), folder.path(), limits).unwrap().0;
    let mut writer = open(forever);
    for day in 0..100 {
        writer.append([(log::Kind::Void, START + day * DAY, &[][..])], true).unwrap();
    }
    let limits = Limits { keep: Some(KEEP), ..forever };
    let mut writer = open(limits);
    let down_until = START + 130 * DAY;
    assert!(writer.is_old(down_until));
    writer.append([(log::Kind::Void, down_until, &[][..])], true).unwrap();
    assert!(!writer.is_old(down_until + KEEP / 16 - 1) && writer.is_old(down_until + KEEP / 16));
    let trim = |now| log::trim(&RealDisk, folder.path(), limits, u64::MAX, now).unwrap().went;
    let last = START + 99 * DAY;
    assert_eq!((trim(last), trim(last + KEEP)), (0, 0));
    assert!(trim(last + KEEP + 1) > 0);
    // Where a file was begun and nothing is in it yet, nothing is known of its age.
    writer.rotate();
    assert_eq!(trim(down_until + KEEP), 0);
    assert!(trim(down_until + OLDEST) > 0);
}
