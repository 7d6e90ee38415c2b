//! The world around the service under test: clients who send until they are answered, a receiver who remembers, and the log
//! that tells afterwards what should have been.

use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

const CLIENTS: usize = 3;
const BATCH: usize = 20;
const CUSTOMERS: u64 = 40;
/// Two seconds: a word of a delivery is on disk long before that.
const IN_FLIGHT: Duration = Duration::from_secs(2);

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

/// What a web service heard: by id of a decision, when each time.
type Heard = Arc<Mutex<BTreeMap<String, Vec<Instant>>>>;

#[expect(clippy::disallowed_methods, reason = "the process under test lives by the wall clock")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "events happen now")]
fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()
}

pub(crate) fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }
}

/// A web service that takes everything, and remembers the ids.
fn receiver() -> (SocketAddr, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, heard) = (listener.local_addr().unwrap(), Heard::default());
    let remember = heard.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let heard = remember.clone();
            thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                while let Some((head, _)) = request(&mut reader) {
                    let id = head.iter().find_map(|line| line.strip_prefix("idempotency-key: "));
                    heard.lock().unwrap().entry(id.unwrap().to_owned()).or_default().push(instant());
                    if reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, heard)
}

/// Head, in small letters, and body of what comes next; none at the end.
fn request(reader: &mut BufReader<TcpStream>) -> Option<(Vec<String>, Vec<u8>)> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        head.push(if head.is_empty() { line } else { line.to_ascii_lowercase() });
    }
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// The service under test.
pub(crate) struct Service {
    project: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) address: SocketAddr,
    /// What starts it, in front of its own command line.
    pub(crate) by: Vec<&'static str>,
    process: Option<Child>,
}

impl Service {
    pub(crate) fn start(&mut self) {
        let words =
            fs::OpenOptions::new().create(true).append(true).open(self.project.join("words")).unwrap();
        let own = [env!("CARGO_BIN_EXE_segue")];
        let line: Vec<&str> = self.by.iter().copied().chain(own).collect();
        let process = Command::new(line[0])
            .args(&line[1..])
            .args(["serve", self.project.to_str().unwrap(), "--data", self.data.to_str().unwrap()])
            .args(["--listen", &self.address.to_string(), "--checkpoint-every", "200"])
            .env("SEGUE_TEST_KEY", "key")
            .stderr(Stdio::from(words))
            .spawn();
        self.process = Some(process.unwrap());
    }

    pub(crate) fn wait_until_ready(&self) {
        self.wait_for(|| self.readiness() == Some(200));
    }

    /// What it answers to who asks whether it can take events; none when it does not answer.
    pub(crate) fn readiness(&self) -> Option<u16> {
        Some(post(self.address, "GET", "/readyz", "")?.0)
    }

    pub(crate) fn wait_for(&self, what: impl Fn() -> bool) {
        for _ in 0..1_500 {
            if what() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not happen; it says: {}", self.words());
    }

    /// What it told of itself.
    pub(crate) fn words(&self) -> String {
        fs::read_to_string(self.project.join("words")).unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// Ends it in good order.
    pub(crate) fn end(&mut self) {
        let killed = Command::new("kill").args(["-TERM", &self.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let ended = self.process.take().unwrap().wait().unwrap();
        assert!(ended.success(), "{}", self.words());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
    }
}

/// Status and body of an answer; none when there was none.
pub(crate) fn post(address: SocketAddr, method: &str, path: &str, body: &str) -> Option<(u16, Value)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    // `key:` in Base64.
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: segue\r\nauthorization: Basic a2V5Og==\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()?;
    let (head, body) = request(&mut BufReader::new(stream))?;
    let status = head.first()?.split(' ').nth(1)?.parse().ok()?;
    Some((status, serde_json::from_slice(&body).unwrap_or_default()))
}

/// What clients saw.
#[derive(Default)]
pub(crate) struct Seen {
    /// Ids of events that were acknowledged, and whether every attempt before was answered by a refusal: then there may be
    /// no other of them.
    pub(crate) acknowledged: BTreeMap<String, bool>,
    /// How many requests were answered with 503.
    pub(crate) refused: u64,
}

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

    /// Does something to the service while clients send; gives what they saw.
    pub(crate) fn send_while(&mut self, seed: u64, what: impl FnOnce(&mut Self)) -> Seen {
        let (address, stop) = (self.service.address, AtomicBool::new(false));
        thread::scope(|scope| {
            let stop = Stop(&stop);
            let client = |number| {
                let stop = stop.0;
                scope.spawn(move || client(number, seed, address, stop))
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
        check(&self.service, &seen.acknowledged, &self.heard.lock().unwrap(), &self.kills);
    }
}

/// Stops the clients, also when what is done to the service fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Sends batches until told to stop, each until it is acknowledged.
fn client(number: usize, seed: u64, address: SocketAddr, stop: &AtomicBool) -> Seen {
    let mut random = Random(seed ^ (number as u64) << 32);
    let (mut seen, mut batches) = (Seen::default(), 0);
    while !stop.load(Ordering::SeqCst) {
        let calls: Vec<Value> =
            (0..BATCH).map(|position| call(&mut random, &format!("{number}-{batches}-{position}"))).collect();
        let body = json!({ "batch": calls }).to_string();
        let mut is_only = true;
        while !stop.load(Ordering::SeqCst) {
            match post(address, "POST", "/v1/batch", &body) {
                Some((200, _)) => {
                    let ids = calls.iter().map(|it| it["messageId"].as_str().unwrap().to_owned());
                    seen.acknowledged.extend(ids.map(|id| (id, is_only)));
                    break;
                }
                Some((503, _)) => seen.refused += 1,
                Some((429, _)) => {}
                Some((status, body)) => panic!("{status}: {body}"),
                None => is_only = false,
            }
            thread::sleep(Duration::from_millis(10));
        }
        batches += 1;
    }
    seen
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

fn segue(arguments: &[&str]) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_segue")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
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

fn check(
    service: &Service,
    acknowledged: &BTreeMap<String, bool>,
    heard: &BTreeMap<String, Vec<Instant>>,
    kills: &[Instant],
) {
    let (project, data) = (service.project.to_str().unwrap(), service.data.to_str().unwrap());
    let mut logged: BTreeMap<String, u64> = BTreeMap::new();
    for line in segue(&["log", data, "--calls"]) {
        *logged.entry(line["messageId"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    for (id, is_only) in acknowledged {
        let times = logged.get(id).copied().unwrap_or(0);
        assert!(times == 1 || times > 1 && !is_only, "{id} is in the log {times} times");
    }
    let decide = |extra: &[&str]| segue(&[&["run", project, "--log", data, "--quiet"], extra].concat());
    let decided = decide(&[]);
    assert_eq!(decided, decide(&["--interpret"]), "machine code and the reference interpreter");
    let decisions: BTreeSet<String> = decided
        .iter()
        .filter(|record| record["kind"] == "send" || record["kind"] == "call")
        .map(|record| record["id"].as_str().unwrap().to_owned())
        .collect();
    let delivered: BTreeSet<String> = heard.keys().cloned().collect();
    let missing: Vec<_> = decisions.difference(&delivered).collect();
    let surplus: Vec<_> = delivered.difference(&decisions).collect();
    assert!(missing.is_empty(), "{} of {} were never delivered: {missing:?}", missing.len(), decisions.len());
    assert!(
        surplus.is_empty(),
        "{} were delivered that the log does not lead to: {surplus:?}",
        surplus.len()
    );
    let mut twice = 0;
    for (id, times) in heard.iter().filter(|(_, times)| times.len() > 1) {
        for (first, second) in times.iter().zip(&times[1..]) {
            let was_in_flight =
                kills.iter().any(|kill| *first <= *kill && *kill <= *second && *kill - *first < IN_FLIGHT);
            assert!(was_in_flight, "{id} was delivered twice without having been in flight at a kill");
            twice += 1;
        }
    }
    assert!(decisions.len() > 50 && acknowledged.len() > 200, "{}, {}", decisions.len(), acknowledged.len());
    println!(
        "{} kills, {} calls acknowledged, {} in the log, {} decisions, all delivered, {twice} of them twice, in flight at a kill",
        kills.len(),
        acknowledged.len(),
        logged.len(),
        decisions.len()
    );
}
