//! A host under test, over a folder, a clock and a disk that tests hold in their hands.

use segue_service::{
    clock::SetClock,
    disk::FaultyDisk,
    host::{Host, Options, StartError},
    intake::Call,
    limits::MAX_PENDING,
    log,
    rules::{Prepared, Text},
};
use std::{
    collections::BTreeMap,
    fs,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

const RULES: &str = r#"
event "Added" { price: number }
event "Ordered" {}
topic marketing {}
segment shoppers { did "Added" at least 2 times in the last 1 day }
rule reminder {
  when "Added" then no "Ordered" within 2 hours
  topic marketing
  send sms "You left something"
}
rule thanks {
  when "Ordered"
  transactional
  send sms "Thank you"
}
"#;
pub(crate) const SETTINGS: &str = "[channels.sms]\nhook = \"file\"\npath = \"sent.ndjson\"\n";
pub(crate) const HOUR: i64 = 3_600_000;
/// 2026-01-05 08:00 UTC.
pub(crate) const START: i64 = 1_767_600_000_000;

/// A host over a folder, and what it was told.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) disk: FaultyDisk,
    pub(crate) told: Arc<Mutex<Vec<String>>>,
    pub(crate) settings: String,
    pub(crate) dry_run: bool,
    pub(crate) every: Duration,
    pub(crate) max_pending: usize,
}

impl Place {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(SetClock::default());
        clock.set(START);
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock,
            disk: FaultyDisk::default(),
            told: Arc::default(),
            settings: SETTINGS.to_owned(),
            dry_run: false,
            every: Duration::from_secs(3_600),
            max_pending: MAX_PENDING,
        }
    }

    pub(crate) fn prepared(&self) -> Prepared {
        let sources = BTreeMap::from([("rules.segue".to_owned(), RULES.to_owned())]);
        let text = Text { sources, files: BTreeMap::new(), settings: self.settings.clone() };
        text.prepare(self.folder.path().to_owned()).unwrap()
    }

    pub(crate) fn try_start(&self) -> Result<Host, StartError> {
        let told = self.told.clone();
        let options = Options {
            dry_run: self.dry_run,
            shards: NonZeroUsize::new(2).unwrap(),
            limits: log::Limits { segment_bytes: 4_000, keep: None, max_bytes: None },
            checkpoint_every: self.every,
            gathered_at_once: 1,
            max_pending: self.max_pending,
            disk: Arc::new(self.disk.clone()),
            // That the test set the clock is no news.
            tell: Arc::new(move |words| {
                if !words.contains("clock of this machine went forward") {
                    told.lock().unwrap().push(words.to_owned());
                }
            }),
            ..Options::new(self.folder.path().join("data"), self.clock.clone())
        };
        Host::start(self.prepared(), options)
    }

    pub(crate) fn start(&self) -> Host {
        self.try_start().unwrap()
    }

    /// What was sent: to whom, when, by which rule.
    pub(crate) fn sent(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path().join("sent.ndjson")).unwrap_or_default();
        let mut sent: Vec<String> = text
            .lines()
            .map(|line| {
                let record: serde_json::Value = serde_json::from_str(line).unwrap();
                format!("{} {} {}", record["at"], record["customer"], record["rule"]).replace('"', "")
            })
            .collect();
        sent.sort();
        sent
    }

    pub(crate) fn told(&self) -> String {
        self.told.lock().unwrap().join("\n")
    }

    pub(crate) fn wait_for(&self, what: impl Fn() -> bool) {
        for _ in 0..500 {
            if what() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not happen; sent {:?}, told {}", self.sent(), self.told());
    }
}

pub(crate) fn call(id: &str, at: i64, customer: &str, kind: &str) -> Call {
    let rest = match kind {
        "identify" => {
            r#""type":"identify","traits":{"phone":"+4790000000","consent":{"sms":true}}"#.to_owned()
        }
        event => format!(r#""type":"track","event":"{event}","properties":{{"price":5}}"#),
    };
    Call::new(format!(r#"{{"messageId":"{id}","userId":"{customer}","timestamp":{at},{rest}}}"#)).unwrap()
}

pub(crate) fn submit(host: &Host, calls: Vec<Call>) {
    host.intake().submit_blocking(calls).unwrap();
}
