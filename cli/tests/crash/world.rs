//! The world around the service under test: clients who send until they are answered, a receiver who remembers, and the log
//! that tells afterwards what should have been.

use crate::{
    KILLS,
    live::{
        Heard, Random, Seen, Service, Stop, check_delivered, check_log, instant, now, receiver, segue, send,
    },
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::atomic::AtomicBool,
    thread,
    time::{Duration, Instant},
};

const CLIENTS: usize = 3;
const BATCH: usize = 20;
const CUSTOMERS: u64 = 40;

/// What is decided at once, at deadlines and after waits.
const RULES: &str = r#"
event "Added" { price: number }
event "Ordered" { order: text }
topic marketing {}
segment shoppers { did "Added" at least 3 times in the last 5 seconds }
rule reminder {
  when "Added" then no "Ordered" within 2 seconds
  topic marketing
  limit 1 per 1 second
  send sms "You left something for {{ event.price }}"
}
rule thanks {
  when "Ordered"
  transactional
  send email { subject: "Thank you for {{ event.order }}", body: "It is on its way" }
  wait 1 second
  call crm { order: event.order }
}
rule keen {
  when enters shoppers
  topic marketing
  send sms "You are keen"
}
"#;

/// The service, a receiver of what it sends, and a folder for both.
pub(crate) struct World {
    _folder: tempfile::TempDir,
    pub(crate) service: Service,
    heard: Heard,
    /// When the service was killed.
    pub(crate) kills: Vec<Instant>,
}

impl World {
    /// A world whose data lie in a folder, or beside the rules.
    pub(crate) fn new(data: Option<&Path>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (receiver, heard) = receiver();
        project(folder.path(), receiver);
        // A port that is free; it is taken again and again.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let data = data.map_or_else(|| folder.path().join("data"), Path::to_owned);
        let project = folder.path().to_owned();
        let service = Service { project, data, address, by: Vec::new(), process: None };
        Self { _folder: folder, service, heard, kills: Vec::new() }
    }

    pub(crate) fn kill(&mut self) {
        self.service.kill();
        self.kills.push(instant());
    }

    /// Ends the service in good order while nothing can be written: how a delivery went is not known afterwards, as at a
    /// kill.
    pub(crate) fn end_without_room(&mut self) {
        self.service.end();
        self.kills.push(instant());
    }

    /// Does something to the service while clients send, each a batch at most in so much time; gives what they saw.
    pub(crate) fn send_while(&mut self, seed: u64, pace: Duration, what: impl FnOnce(&mut Self)) -> Seen {
        let (address, stop) = (self.service.address, AtomicBool::new(false));
        thread::scope(|scope| {
            let stop = Stop(&stop);
            let client = |number| {
                let stop = stop.0;
                scope.spawn(move || client(number, seed, pace, address, stop))
            };
            let clients: Vec<_> = (0..CLIENTS).map(client).collect();
            what(self);
            drop(stop);
            let mut seen = Seen::default();
            for mut saw in clients.into_iter().map(|client| client.join().unwrap()) {
                seen.acknowledged.append(&mut saw.acknowledged);
                seen.refused += saw.refused;
            }
            seen
        })
    }

    /// Lets everything end that is under way, and compares what was with what should have been.
    pub(crate) fn end(&mut self, seen: &Seen) {
        // Everything that waits is over, then everything is delivered.
        thread::sleep(Duration::from_secs(4));
        self.service.end();
        check(&self.service, &seen.acknowledged, &self.heard, &self.kills);
    }
}

/// Sends batches until told to stop, each until it is acknowledged.
fn client(number: usize, seed: u64, pace: Duration, address: SocketAddr, stop: &AtomicBool) -> Seen {
    let mut random = Random(seed ^ (number as u64) << 32);
    let mut batches = 0;
    send(address, stop, pace, || {
        batches += 1;
        (0..BATCH).map(|position| call(&mut random, &format!("{number}-{batches}-{position}"))).collect()
    })
}

fn call(random: &mut Random, id: &str) -> Value {
    let customer = format!("c{}", random.below(CUSTOMERS));
    let at = u64::try_from(now()).unwrap() - random.below(300);
    let mut call = json!({"messageId": id, "userId": customer, "timestamp": at});
    let fields = match random.below(12) {
        0 => json!({"type": "identify", "anonymousId": format!("x{}", random.below(CUSTOMERS)),
            "traits": {"phone": "+4790000000", "email": "a@example.com", "consent": {"sms": true}}}),
        1 => json!({"type": "track", "event": "Ordered", "properties": {"order": id}}),
        2 => json!({"type": "track", "userId": null, "anonymousId": format!("x{}", random.below(CUSTOMERS)),
            "event": "Added", "properties": {"price": 7}}),
        price => json!({"type": "track", "event": "Added", "properties": {"price": price}}),
    };
    for (key, value) in fields.as_object().unwrap() {
        call[key] = value.clone();
    }
    call
}

fn project(folder: &Path, receiver: SocketAddr) {
    fs::write(folder.join("rules.segue"), RULES).unwrap();
    let channel =
        |name: &str| format!("[channels.{name}]\nhook = \"webhook\"\nurl = \"http://{receiver}/{name}\"\n");
    let settings = format!(
        "[service]\nwrite_keys = {{ env = \"SEGUE_TEST_KEY\" }}\n{}{}{}",
        channel("sms"),
        channel("email"),
        channel("crm")
    );
    fs::write(folder.join("segue.toml"), settings).unwrap();
}

fn check(service: &Service, acknowledged: &BTreeMap<String, bool>, heard: &Heard, kills: &[Instant]) {
    let (project, data) = (service.project.to_str().unwrap(), service.data.to_str().unwrap());
    let logged = check_log(data, acknowledged);
    let decide = |arguments: &[&str]| segue(&[&["run", "--log", data, "--quiet"], arguments].concat());
    let decided = decide(&[]);
    // In a run that somebody made longer the log is longer than it can bear: it looks at all that each did anew each time.
    if kills.len() as u64 <= KILLS {
        assert_eq!(decided, decide(&["--interpret"]), "machine code and the reference interpreter");
    }
    assert_eq!(decided, decide(&[project]), "the rules of the log are those of the project");
    let (decisions, twice) = check_delivered(&["--log", data], heard, kills);
    assert!(decisions > 50 && acknowledged.len() > 200, "{decisions}, {}", acknowledged.len());
    println!(
        "{} kills, {} calls acknowledged, {logged} in the log, {decisions} decisions, all delivered, {twice} of them twice, in flight at a kill",
        kills.len(),
        acknowledged.len(),
    );
}
