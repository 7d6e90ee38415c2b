//! A live service under test as a process, with those who send to it and a web service that it delivers to.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Two seconds: a word of a delivery is on disk long before that.
const IN_FLIGHT: Duration = Duration::from_secs(2);
/// The token of the admin port.
pub(crate) const TOKEN: &str = "correct-horse-battery-staple-and-more";

/// What a web service heard: by id of a decision, what each time said, and when.
pub(crate) type Heard = Arc<Mutex<BTreeMap<String, Vec<(u64, Instant)>>>>;

/// What tells a decision from any other, in all that it says.
fn fingerprint(record: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    record.hash(&mut hasher);
    hasher.finish()
}

#[expect(clippy::disallowed_methods, reason = "the process under test lives by the wall clock")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "events happen now")]
pub(crate) fn now() -> u128 {
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

/// A web service that takes everything, and remembers it.
pub(crate) fn receiver() -> (SocketAddr, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, heard) = (listener.local_addr().unwrap(), Heard::default());
    let remember = heard.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let heard = remember.clone();
            thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                while let Some((head, body)) = request(&mut reader) {
                    let id = head.iter().find_map(|line| line.strip_prefix("idempotency-key: "));
                    heard
                        .lock()
                        .unwrap()
                        .entry(id.unwrap().to_owned())
                        .or_default()
                        .push((fingerprint(&body), instant()));
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
    pub(crate) project: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) address: SocketAddr,
    /// What starts it, in front of its own command line.
    pub(crate) by: Vec<&'static str>,
    pub(crate) process: Option<Child>,
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
            .env("SEGUE_TEST_TOKEN", TOKEN)
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
    // `key:` in Base64.
    ask(address, "Basic a2V5Og==", (method, path), body)
}

/// As [`post`], with another authorization.
pub(crate) fn ask(
    address: SocketAddr,
    authorization: &str,
    (method, path): (&str, &str),
    body: &str,
) -> Option<(u16, Value)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: segue\r\nauthorization: {authorization}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()?;
    let (head, body) = request(&mut BufReader::new(stream))?;
    let status = head.first()?.split(' ').nth(1)?.parse().ok()?;
    Some((status, serde_json::from_slice(&body).unwrap_or_default()))
}

pub(crate) fn segue(arguments: &[&str]) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_segue")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
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

/// Stops threads, also where a test fails.
pub(crate) struct Stop<'a>(pub(crate) &'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Sends calls in batches until told to stop, each until it is acknowledged, one at most in so much time.
pub(crate) fn send(
    address: SocketAddr,
    stop: &AtomicBool,
    pace: Duration,
    mut batch: impl FnMut() -> Vec<Value>,
) -> Seen {
    let mut seen = Seen::default();
    while !stop.load(Ordering::SeqCst) {
        let began = instant();
        let calls = batch();
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
        thread::sleep(pace.saturating_sub(began.elapsed()));
    }
    seen
}

/// What a command prints, line by line.
pub(crate) fn each_line(arguments: &[&str], mut each: impl FnMut(&str)) {
    let mut process =
        Command::new(env!("CARGO_BIN_EXE_segue")).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    for line in BufReader::new(process.stdout.take().unwrap()).lines() {
        each(&line.unwrap());
    }
    assert!(process.wait().unwrap().success(), "{arguments:?}");
}

/// Sees that the log has every acknowledged call once, or more often where it was sent more often; gives how many it has.
pub(crate) fn check_log(log: &str, acknowledged: &BTreeMap<String, bool>) -> usize {
    let mut logged: BTreeMap<String, u64> = BTreeMap::new();
    each_line(&["log", log, "--calls"], |line| {
        let call: Value = serde_json::from_str(line).unwrap();
        *logged.entry(call["messageId"].as_str().unwrap().to_owned()).or_default() += 1;
    });
    for (id, is_only) in acknowledged {
        let times = logged.get(id).copied().unwrap_or(0);
        assert!(times == 1 || times > 1 && !is_only, "{id} is in the log {times} times");
    }
    logged.len()
}

/// Sees that what was delivered is what `segue run` decides, word by word, and nothing of it twice that was not in flight at
/// a kill. Gives how many decisions there are, and how many were delivered twice.
pub(crate) fn check_delivered(run: &[&str], heard: &Heard, kills: &[Instant]) -> (usize, usize) {
    let mut heard = heard.lock().unwrap().clone();
    let (mut decisions, mut missing, mut twice) = (0, Vec::new(), 0);
    each_line(&[&["run", "--quiet", "--kinds", "send,call"], run].concat(), |line| {
        decisions += 1;
        let record: Value = serde_json::from_str(line).unwrap();
        let id = record["id"].as_str().unwrap();
        let Some(times) = heard.remove(id) else { return missing.push(line.to_owned()) };
        for (said, _) in &times {
            assert_eq!(*said, fingerprint(line.as_bytes()), "{id} said something else than {line}");
        }
        for ((_, first), (_, second)) in times.iter().zip(&times[1..]) {
            let was_in_flight =
                kills.iter().any(|kill| *first <= *kill && *kill <= *second && *kill - *first < IN_FLIGHT);
            assert!(was_in_flight, "{id} was delivered twice without having been in flight at a kill");
            twice += 1;
        }
    });
    missing.truncate(10);
    assert!(missing.is_empty(), "of {decisions} some were never delivered: {missing:#?}");
    let surplus: Vec<_> = heard.keys().take(10).collect();
    assert!(heard.is_empty(), "{} were delivered that the log does not lead to: {surplus:?}", heard.len());
    (decisions, twice)
}
