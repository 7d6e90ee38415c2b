//! The port where events come in, over real connections.

use super::{
    schema::Description,
    wire::{self, Answer, Client},
};
use segue_compiler::value::Millis;
use segue_service::{
    admin::OPENAPI,
    clock::SetClock,
    http::{
        public::{INGEST, Public, router},
        serve::{Patience, Port, serve},
        tls,
    },
    ingest::{Bounds, Form, key::Keys},
    intake::{Accepted, Refusal, intake},
    metrics::{Metrics, Page},
    rejects::Rejects,
};
use std::{
    io::{Read, Write},
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::{net::TcpListener, sync::oneshot};

/// 2026-01-05T10:00:00Z.
const NOW: Millis = 1_767_607_200_000;
/// `key:` in Base64.
const BASIC: (&str, &str) = ("authorization", "Basic a2V5Og==");

/// What a test changes of the service.
#[derive(Default)]
struct Changes {
    origins: Vec<String>,
    public_url: Option<String>,
    connections: Option<usize>,
    per_address: Option<usize>,
    patience: Patience,
    is_tls: bool,
    refusal: Option<Refusal>,
}

/// The port, with a log that keeps what comes in memory.
struct Service {
    address: SocketAddr,
    lines: Arc<Mutex<Vec<String>>>,
    metrics: Arc<Metrics>,
    rejects: Arc<Rejects>,
    is_ready: Arc<AtomicBool>,
    stop: Option<oneshot::Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Service {
    fn start(changes: Changes) -> Self {
        let (intake, arrivals) = intake();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let clock = SetClock::default();
        clock.set(NOW);
        let is_ready = Arc::new(AtomicBool::new(true));
        let (metrics, rejects) = (Arc::new(Metrics::default()), Arc::new(Rejects::default()));
        let asked = is_ready.clone();
        let public = Public {
            intake: Arc::new(OnceLock::from(intake.clone())),
            keys: Keys::parse("other key"),
            bounds: Bounds { event_bytes: 32 << 10, batch_bytes: 500 << 10, batch_events: 2_500 },
            origins: changes.origins,
            public_url: changes.public_url,
            is_tls: changes.is_tls,
            clock: Arc::new(clock),
            ready: Arc::new(move || {
                if asked.load(Ordering::SeqCst) { Ok(()) } else { Err("the log is being read".to_owned()) }
            }),
            metrics: metrics.clone(),
            rejects: rejects.clone(),
        };
        let kept = lines.clone();
        let log = thread::spawn(move || {
            while !arrivals.is_done() {
                for submission in arrivals.take(Duration::from_millis(10)) {
                    let result = match changes.refusal {
                        Some(refusal) => Err(refusal),
                        None => {
                            let calls = submission.calls.iter().map(|call| call.line().to_owned());
                            kept.lock().unwrap().extend(calls);
                            Ok(Accepted { first: 0, received_at: NOW })
                        }
                    };
                    submission.answer(result);
                }
            }
        });
        let tls = changes.is_tls.then(|| tls::acceptor(&file("cert.pem"), &file("key.pem")).unwrap());
        let (stop, stopped) = oneshot::channel();
        let (connections, patience) = (changes.connections.unwrap_or(100), changes.patience);
        let per_address = changes.per_address.unwrap_or(connections);
        let (told, address) = mpsc::channel();
        let counted = metrics.clone();
        let web = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                told.send(listener.local_addr().unwrap()).unwrap();
                let port = Port { listener, tls, connections, per_address, patience, metrics: counted };
                serve(port, router(public), async { stopped.await.unwrap() }).await;
            });
            intake.close();
        });
        let address = address.recv().unwrap();
        Self { address, lines, metrics, rejects, is_ready, stop: Some(stop), threads: vec![web, log] }
    }

    fn client(&self) -> Client {
        Client::connect(self.address)
    }

    fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.client().ask("POST", path, headers, body)
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().unwrap())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

fn file(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http").join(name)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_path_takes_what_its_trackers_send() {
    let service = Service::start(Changes::default());
    let mut client = service.client();
    for (path, form) in INGEST {
        let body = match form {
            Form::Call(_) => {
                r#"{"userId":"ada","event":"A","groupId":"g","previousId":"p","messageId":"m","writeKey":"key"}"#
            }
            Form::Batch => {
                r#"{"batch":[{"type":"track","userId":"ada","event":"A","messageId":"m"}],"writeKey":"key"}"#
            }
            Form::PostHog => r#"{"api_key":"key","batch":[{"event":"A","distinct_id":"ada","uuid":"m"}]}"#,
        };
        // Browsers send text, to save a question before.
        let answer = client.ask("POST", path, &[("content-type", "text/plain")], body.as_bytes());
        assert_eq!(
            (answer.status, &*answer.body),
            (200, r#"{"success":true,"accepted":1,"rejected":[]}"#),
            "{path}"
        );
        let [line] = &service.take()[..] else { panic!("one call by {path}") };
        let kind = match form {
            Form::Call(kind) => kind.name(),
            Form::Batch | Form::PostHog => "track",
        };
        let start = format!(
            r#"{{"type":"{kind}","messageId":"m","timestamp":"2026-01-05T10:00:00.000Z","userId":"ada""#
        );
        assert!(line.starts_with(&start) && !line.contains("key"), "{path}: {line}");
    }
}

#[test]
fn keys_and_packing() {
    let service = Service::start(Changes::default());
    let body = br#"{"batch":[{"type":"track","userId":"ada","event":"A","messageId":"m"}],"sentAt":"2026-01-05T10:00:00Z"}"#;
    let answer = service.post("/v1/batch", &[BASIC, ("content-encoding", "gzip")], &gzip(body));
    assert_eq!((answer.status, service.take().len()), (200, 1));
    let answer =
        service.post("/e/?compression=gzip-js&_=1", &[BASIC], &gzip(br#"[{"event":"A","distinct_id":"a"}]"#));
    assert_eq!((answer.status, service.take().len()), (200, 1));
    let answer = service.client().chunked("/v1/batch", &[BASIC], body);
    assert_eq!((answer.status, service.take().len()), (200, 1));

    let wrong = service.post("/v1/batch", &[("authorization", "Basic d3Jvbmc6")], body);
    assert_eq!((wrong.status, wrong.header("connection")), (401, Some("close")));
    assert!(wrong.body.contains(r#""code":"unauthorized","message":"the write key is not known""#));
    let none = service.post("/v1/batch", &[], body);
    assert_eq!(none.status, 401);
    assert!(none.body.contains("a write key is missing"), "{}", none.body);
    assert!(service.take().is_empty());
}

#[test]
fn a_batch_names_what_it_rejects_and_keeps_the_rest() {
    let service = Service::start(Changes::default());
    let body = br#"{"batch":[{"type":"track","userId":"ada","event":"A","messageId":"m0"},
        {"type":"track","userId":"ada","messageId":"m1"},{"type":"track","userId":"ada","event":"B","messageId":"m2"}]}"#;
    let answer = service.post("/v1/batch", &[BASIC], body);
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        r#"{"success":false,"accepted":2,"rejected":[{"index":1,"message_id":"m1","#.to_owned()
            + r#""reason":"`event` is missing: a `track` call names its event"}]}"#
    );
    assert_eq!(service.take().len(), 2);
    let rejects = service.rejects.newest(10);
    assert_eq!((rejects.len(), &*rejects[0].path, rejects[0].at.0), (1, "/v1/batch", NOW));

    let single = service.post("/v1/track", &[BASIC], br#"{"userId":"ada"}"#);
    assert_eq!(single.status, 400);
    assert!(single.body.contains("`event` is missing"), "{}", single.body);
    assert_eq!((service.metrics.events_accepted.get(), service.metrics.events_rejected.get()), (2, 2));
}

#[test]
fn bodies_that_cannot_be_taken() {
    let service = Service::start(Changes::default());
    let long = vec![b' '; (500 << 10) + 1];
    let many = format!("{{\"batch\":[{}0]}}", "0,".repeat(2_500));
    for (headers, body, status, code) in [
        (&[BASIC][..], &b"{"[..], 400, "unreadable"),
        (&[BASIC], b"\xff", 400, "unreadable"),
        (&[BASIC], &long, 413, "too_large"),
        (&[BASIC, ("content-encoding", "gzip")], &gzip(&long), 413, "too_large"),
        (&[BASIC, ("content-encoding", "gzip")], b"{}", 400, "unreadable"),
        (&[BASIC, ("content-encoding", "br")], b"{}", 415, "encoding"),
        (&[BASIC], many.as_bytes(), 413, "too_large"),
    ] {
        let answer = service.post("/v1/batch", headers, body);
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(answer.body.contains(&format!(r#""code":"{code}""#)), "{}", answer.body);
    }
    assert_eq!(service.client().chunked("/v1/batch", &[BASIC], &long).status, 413);
    assert_eq!(service.client().ask("GET", "/v1/batch", &[], b"").status, 405);
    assert_eq!(service.post("/v2/batch", &[BASIC], b"{}").status, 404);
    // None of it did harm.
    assert_eq!(service.post("/v1/batch", &[BASIC], br#"{"batch":[]}"#).status, 200);
    assert!(service.take().is_empty());
}

#[test]
fn refusals_say_when_to_come_again() {
    for (refusal, status, after) in [
        (Refusal::Busy { retry_after: Duration::from_millis(1_200) }, 429, "2"),
        (Refusal::Full, 503, "5"),
        (Refusal::Closing, 503, "1"),
    ] {
        let service = Service::start(Changes { refusal: Some(refusal), ..Changes::default() });
        let answer = service.post("/v1/track", &[BASIC], br#"{"userId":"ada","event":"A"}"#);
        assert_eq!((answer.status, answer.header("retry-after")), (status, Some(after)));
        Description::parse(OPENAPI).fits("/v1/track", "POST", &answer);
        let mut page = Page::default();
        service.metrics.write(&mut page);
        assert!(page.finish().contains(&format!("segue_requests_total{{status=\"{status}\"}} 1")));
    }
}

#[test]
fn browsers_may_send() {
    let origin = ("origin", "https://shop.example");
    let anywhere = Service::start(Changes::default());
    let asked = anywhere.client().ask("OPTIONS", "/v1/t", &[origin], b"");
    assert_eq!((asked.status, asked.header("access-control-allow-origin")), (204, Some("*")));
    assert!(asked.header("access-control-allow-headers").is_some_and(|it| it.contains("authorization")));
    let told = anywhere.post("/v1/t", &[origin], br#"{"userId":"ada","event":"A","writeKey":"wrong"}"#);
    assert_eq!((told.status, told.header("access-control-allow-origin")), (401, Some("*")));
    assert_eq!(told.header("access-control-expose-headers"), Some("retry-after"));

    let listed = Changes { origins: vec!["https://shop.example".to_owned()], ..Changes::default() };
    let listed = Service::start(listed);
    let asked = listed.client().ask("OPTIONS", "/v1/t", &[origin], b"");
    assert_eq!(asked.header("access-control-allow-origin"), Some("https://shop.example"));
    assert_eq!(asked.header("vary"), Some("origin"));
    let other = listed.client().ask("OPTIONS", "/v1/t", &[("origin", "https://evil.example")], b"");
    assert_eq!(other.header("access-control-allow-origin"), None);
    assert_eq!(other.header("access-control-expose-headers"), None);
}

#[test]
fn settings_lead_browsers_back() {
    let service = Service::start(Changes::default());
    let answer =
        service.client().ask("GET", "/v1/projects/key/settings", &[("host", "events.example:8080")], b"");
    assert_eq!(answer.status, 200);
    let settings: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let segment = &settings["integrations"]["Segment.io"];
    assert_eq!(
        (&segment["apiHost"], &segment["protocol"], &segment["apiKey"]),
        (&"events.example:8080/v1".into(), &"http".into(), &"key".into())
    );
    assert_eq!(service.client().ask("GET", "/v1/projects/nobody/settings", &[], b"").status, 404);
    // Where browsers reach it by another address, they are led there, wherever they asked.
    let public_url = Some("https://events.shop.example".to_owned());
    let service = Service::start(Changes { public_url, ..Changes::default() });
    let answer = service.client().ask("GET", "/v1/projects/key/settings", &[("host", "10.0.0.7:8080")], b"");
    let settings: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let segment = &settings["integrations"]["Segment.io"];
    assert_eq!(
        (&segment["apiHost"], &segment["protocol"]),
        (&"events.shop.example/v1".into(), &"https".into())
    );
}

#[test]
fn health_tells_alive_from_ready() {
    let service = Service::start(Changes::default());
    assert_eq!(service.client().ask("GET", "/readyz", &[], b"").status, 200);
    service.is_ready.store(false, Ordering::SeqCst);
    let answer = service.client().ask("GET", "/readyz", &[], b"");
    assert_eq!((answer.status, answer.body.contains("the log is being read")), (503, true));
    Description::parse(OPENAPI).fits("/readyz", "GET", &answer);
    assert_eq!(service.client().ask("GET", "/healthz", &[], b"").status, 200);
}

#[test]
fn slow_clients_are_cut_off() {
    let patience = Patience { headers: 1_000, body: 500, answer: 500, handshake: 500 };
    let service = Service::start(Changes { patience, ..Changes::default() });
    for sent in [&b""[..], b"POST /v1/batch HTTP/1.1\r\nhost: x\r\nx-slow: "] {
        let mut client = service.client();
        client.stream.write_all(sent).unwrap();
        assert!(client.is_closed(), "after {} bytes", sent.len());
    }
    // An idle connection is one, too.
    let mut client = service.client();
    assert_eq!(client.ask("GET", "/healthz", &[], b"").status, 200);
    assert!(client.is_closed());
    // Who begins a body and goes on with it little by little, or not at all, is told.
    let head = "POST /v1/batch HTTP/1.1\r\nhost: x\r\nauthorization: Basic a2V5Og==\r\n";
    for rest in ["content-length: 28\r\n\r\n{", "transfer-encoding: chunked\r\n\r\n1\r\n{\r\n"] {
        let mut client = service.client();
        client.stream.write_all(format!("{head}{rest}").as_bytes()).unwrap();
        for _ in 0..4 {
            thread::sleep(Duration::from_millis(50));
            let more: &[u8] = if rest.ends_with("{") { b" " } else { b"1\r\n \r\n" };
            client.stream.write_all(more).unwrap();
        }
        let answer = client.answer();
        assert_eq!((answer.status, answer.header("connection")), (408, Some("close")), "{}", answer.body);
        Description::parse(OPENAPI).fits("/v1/batch", "POST", &answer);
        assert!(client.is_closed());
    }
    assert!(service.take().is_empty());
    // Who comes to speak TLS, and does not.
    let over_tls = Service::start(Changes { patience, is_tls: true, ..Changes::default() });
    for sent in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
        let mut client = over_tls.client();
        client.stream.write_all(sent).unwrap();
        assert!(client.is_closed(), "after {} bytes", sent.len());
    }
    // Somebody who asks and asks and never reads an answer.
    let mut client = service.client();
    client.stream.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
    let request = b"GET /v1/projects/key/settings HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100);
    while client.stream.write_all(&request).is_ok() {}
    let closed = (0..100).any(|_| {
        thread::sleep(Duration::from_millis(20));
        service.metrics.connections.get() == 0
    });
    assert!(closed, "nobody waits for who does not read");
}

#[test]
fn at_the_end_requests_under_way_are_answered_and_others_are_refused() {
    let mut service = Service::start(Changes::default());
    let mut slow = service.client();
    let body = r#"{"userId":"ada","event":"A","messageId":"m"}"#;
    let head = "POST /v1/track HTTP/1.1\r\nhost: x\r\nauthorization: Basic a2V5Og==\r\n";
    let (begun, rest) = body.split_at(15);
    let begun = format!("{head}content-length: {}\r\n\r\n{begun}", body.len());
    slow.stream.write_all(begun.as_bytes()).unwrap();
    // An answer to somebody who came later: the slow one's request is under way.
    assert_eq!(service.client().ask("GET", "/healthz", &[], b"").status, 200);
    thread::sleep(Duration::from_millis(100));
    service.stop.take().unwrap().send(()).unwrap();
    let is_refused = (0..100).any(|_| {
        thread::sleep(Duration::from_millis(20));
        std::net::TcpStream::connect(service.address).is_err()
    });
    assert!(is_refused, "nobody waits for an answer that does not come");
    slow.stream.write_all(rest.as_bytes()).unwrap();
    assert_eq!(slow.answer().status, 200);
    assert_eq!(service.take().len(), 1);
}

#[test]
fn who_announces_much_and_sends_nothing_keeps_nobody_away() {
    let service = Service::start(Changes { connections: Some(400), ..Changes::default() });
    // Together they announce more than all bodies may take.
    let head = format!("POST /v1/batch HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{{", 500 << 10);
    let held: Vec<Client> = (0..200)
        .map(|_| {
            let mut client = service.client();
            client.stream.write_all(head.as_bytes()).unwrap();
            client
        })
        .collect();
    thread::sleep(Duration::from_millis(200));
    let body = br#"{"batch":[{"type":"track","userId":"ada","event":"A","messageId":"m"}]}"#;
    assert_eq!(service.post("/v1/batch", &[BASIC], body).status, 200);
    // What did come counts.
    let half = " ".repeat(450 << 10);
    let held: Vec<Client> = held
        .into_iter()
        .map(|mut client| {
            let _ = client.stream.write_all(half.as_bytes());
            client
        })
        .collect();
    let is_busy = (0..200).any(|_| {
        thread::sleep(Duration::from_millis(20));
        let mut page = Page::default();
        service.metrics.write(&mut page);
        page.finish().contains("segue_requests_total{status=\"429\"}")
    });
    assert!(is_busy, "not all of it is taken into memory");
    drop(held);
    let is_free = (0..100).any(|_| {
        thread::sleep(Duration::from_millis(20));
        service.post("/v1/batch", &[BASIC], body).status == 200
    });
    assert!(is_free);
}

#[test]
fn what_is_no_http_or_no_text_is_answered_in_order() {
    let service = Service::start(Changes::default());
    let raw = |request: &[u8]| {
        let mut client = service.client();
        let _ = client.stream.write_all(request);
        let mut answer = Vec::new();
        let _ = client.stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    let body = r#"{"batch":[]}"#;
    let post = |version: &str, rest: &str| {
        raw(format!("POST /v1/batch HTTP/{version}\r\nhost: x\r\nauthorization: Basic a2V5Og==\r\n{rest}")
            .as_bytes())
    };
    let length = format!("content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    assert!(post("1.0", &length).starts_with("HTTP/1.0 200"));
    for (rest, status) in [
        ("content-length: -5\r\n\r\n{}", "400"),
        ("content-length: 5\r\ncontent-length: 6\r\n\r\n{}", "400"),
        ("content-length: 99999999999999999999\r\n\r\n{}", "400"),
        ("content-length: 1152921504606846976\r\n\r\n{}", "413"),
        ("transfer-encoding: chunked\r\n\r\nzz\r\n", "400"),
    ] {
        let answer = post("1.1", rest);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{rest}: {answer}");
    }
    let flood = format!("transfer-encoding: chunked\r\n\r\n1;{}\r\n", "a".repeat(100_000));
    assert!(post("1.1", &flood).starts_with("HTTP/1.1 400"));
    let trailers = format!("transfer-encoding: chunked\r\n\r\n0\r\n{}\r\n", "x-a: b\r\n".repeat(20_000));
    assert!(post("1.1", &trailers).starts_with("HTTP/1.1 400"));
    assert!(raw(b"GET /v1/\0 HTTP/1.1\r\nhost: x\r\n\r\n").starts_with("HTTP/1.1 400"));
    assert!(raw(b"GET /healthz\r\n\r\n").starts_with("HTTP/1.1 400"));
    let named = service.client().ask("GET", "/v1/projects/%ff/settings", &[], b"");
    assert_eq!(named.status, 400);
    assert!(named.body.contains(r#""code":"parameter""#), "{}", named.body);
    assert!(
        raw(b"HEAD /v1/batch HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").starts_with("HTTP/1.1 405")
    );
}

#[test]
fn ids_and_times_of_all_kinds_are_taken_or_named() {
    let service = Service::start(Changes::default());
    let long = format!("\"{}\"", "x".repeat(2_000));
    let reason = |member: &str, value: &str| {
        let event = format!(r#"{{"type":"track","event":"A","messageId":"m",{member}:{value}}}"#);
        let answer = service.post("/v1/batch", &[BASIC], format!(r#"{{"batch":[{event}]}}"#).as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.body);
        let told: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        told["rejected"][0]["reason"].as_str().unwrap_or_default().to_owned()
    };
    for value in [r#""a\u0000b""#, r#""a\nb""#, "1e308", "-0"] {
        assert_eq!(reason("\"userId\"", value), "", "{value}");
    }
    for (value, words) in [
        (r#""""#, "nobody did this"),
        (r#""\ud800""#, "is no valid text"),
        (&long, "has 2000 bytes"),
        ("{}", "should be text"),
        (r#""a","\u0075serId":"b""#, "`userId` stands twice"),
    ] {
        assert!(reason("\"userId\"", value).contains(words), "{value}");
    }
    let times = [
        ("-62135596800000", ""),
        ("-62135596800001", "years 1 to 9999"),
        ("\"+275760-09-13T00:00:00Z\"", "years 1 to 9999"),
        ("8640000000000000", "years 1 to 9999"),
        ("9223372036854775807", "years 1 to 9999"),
        ("1e400", "years 1 to 9999"),
        ("\"9998-01-01T00:00:00Z\"", "after the event's arrival"),
    ];
    for (value, words) in times {
        let said = reason("\"userId\":\"ada\",\"timestamp\"", value);
        assert!(said.contains(words) && said.is_empty() == words.is_empty(), "{value}: {said}");
    }
}

#[test]
fn headers_are_bounded() {
    let service = Service::start(Changes::default());
    let long = "x".repeat(40 << 10);
    assert_eq!(service.client().ask("GET", "/healthz", &[("cookie", &long)], b"").status, 431);
    let many: Vec<(String, String)> = (0..70).map(|it| (format!("x-{it}"), "1".to_owned())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(service.client().ask("GET", "/healthz", &many, b"").status, 431);
}

#[test]
fn connections_are_bounded() {
    let service = Service::start(Changes { connections: Some(2), ..Changes::default() });
    let mut held: Vec<Client> = (0..2).map(|_| service.client()).collect();
    for client in &mut held {
        assert_eq!(client.ask("GET", "/healthz", &[], b"").status, 200);
    }
    assert!(service.client().is_closed());
    assert_eq!(service.metrics.connections_refused.get(), 1);
    drop(held);
    let again = (0..100).any(|_| {
        thread::sleep(Duration::from_millis(20));
        service.metrics.connections.get() == 0
    });
    assert!(again);
    assert_eq!(service.client().ask("GET", "/healthz", &[], b"").status, 200);
}

#[test]
fn one_address_does_not_take_all_connections() {
    let service = Service::start(Changes { per_address: Some(2), ..Changes::default() });
    let mut held: Vec<Client> = (0..2).map(|_| service.client()).collect();
    for client in &mut held {
        assert_eq!(client.ask("GET", "/healthz", &[], b"").status, 200);
    }
    assert!(service.client().is_closed());
    let refused = || {
        let refused = (&service.metrics.connections_refused_by_address, &service.metrics.connections_refused);
        (refused.0.get(), refused.1.get())
    };
    assert_eq!(refused(), (1, 0));
    // Who comes from elsewhere finds room.
    let mut other = Client::connect_from([127, 0, 0, 2].into(), service.address);
    assert_eq!(other.ask("GET", "/healthz", &[], b"").status, 200);
    // And so does this one when it lets go of what it has.
    held.truncate(1);
    let again = (0..100).any(|_| {
        thread::sleep(Duration::from_millis(20));
        service.metrics.connections.get() == 2
    });
    assert!(again);
    assert_eq!(service.client().ask("GET", "/healthz", &[], b"").status, 200);
    assert_eq!(refused(), (1, 0));
}

#[test]
fn tls_is_spoken_and_plain_text_is_not() {
    let service = Service::start(Changes { is_tls: true, ..Changes::default() });
    let mut plain = service.client();
    plain.stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"));
    let answer = wire::over_tls(service.address, &file("cert.pem"), "/v1/projects/key/settings");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(r#""protocol":"https""#), "{answer}");
    assert!(tls::acceptor(&file("key.pem"), &file("key.pem")).is_err_and(|it| it.contains("no certificate")));
    assert!(tls::acceptor(&file("none.pem"), &file("key.pem")).is_err());
}
