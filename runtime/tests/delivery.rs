//! Delivery against a real listener on this machine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use segue_compiler::{
    record::{ActionId, Because, Fields, Instant, Json, Record, Send},
    value::Value,
};
use segue_runtime::{
    channel::{Channel, Console, Delivery, FileHook, Hooks, Outcome, Sleep, Webhook},
    config::{Rate, WebhookConfig},
};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

fn record(number: u128, channel: &str) -> Record {
    Record::Send(Send {
        at: Instant(0),
        id: ActionId(number),
        customer: "ada".into(),
        rule: "hello".into(),
        step: 1,
        channel: channel.into(),
        to: "+47".to_owned(),
        content: Fields(vec![("text".into(), Json::Value(Value::text("Hi")))]),
        because: Because::default(),
    })
}

/// What one request said: its headers in lower case, and its body.
struct Request {
    headers: BTreeMap<String, String>,
    body: String,
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Request { headers, body: String::from_utf8(body).ok()? })
}

/// A service that answers its nth request (from 1) with what `answer` says; gives its address.
fn serve(mut answer: impl FnMut(usize, &Request) -> String + std::marker::Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut count = 0;
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream);
            while let Some(request) = read_request(&mut reader) {
                count += 1;
                let answer = answer(count, &request);
                reader.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    url
}

fn status(line: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {line}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

#[derive(Clone, Default)]
struct Slept(Arc<Mutex<Vec<u64>>>);

impl Sleep for Slept {
    fn sleep(&mut self, time: Duration) {
        self.0.lock().unwrap().push(u64::try_from(time.as_millis()).unwrap());
    }
}

fn webhook(url: &str, secret: Option<&str>, sleep: &Slept) -> Webhook {
    let config = WebhookConfig { url: url.to_owned(), secret: None, timeout: 2_000, retries: 4, rate: None };
    Webhook::new(&config, secret, Box::new(sleep.clone()))
}

#[test]
fn every_decision_is_taken_once_though_every_third_request_fails() {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let seen = taken.clone();
    let url = serve(move |count, request| {
        assert_eq!(request.headers.get("authorization").map(String::as_str), Some("Bearer s3cret"));
        assert_eq!(request.headers.get("idempotency-key"), request.headers.get("webhook-id"));
        if count % 3 == 0 {
            return status("503 Service Unavailable", "", "later");
        }
        let key = request.headers.get("idempotency-key").unwrap().clone();
        assert!(request.body.contains(&key), "{}", request.body);
        seen.lock().unwrap().push(key);
        status("200 OK", "", "{}")
    });
    let mut hooks = Hooks::default();
    hooks.add("sms", Box::new(webhook(&url, Some("s3cret"), &Slept::default())));
    let records: Vec<Record> = (0..50).map(|number| record(number, "sms")).collect();
    let mut delivered = Vec::new();
    hooks.deliver(&records, &mut |delivery, outcome| {
        assert!(matches!(outcome, Outcome::Delivered { .. }), "{outcome:?}");
        delivered.push(delivery.id.to_string());
    });
    let expected: Vec<String> = (0..50).map(|number| ActionId(number).to_string()).collect();
    assert_eq!(delivered, expected);
    assert_eq!(*taken.lock().unwrap(), expected);
}

#[test]
fn retries_wait_longer_each_time_and_obey_the_receiver() {
    let url = serve(|count, _| match count {
        1 => status("429 Too Many Requests", "retry-after: 7\r\n", ""),
        2 => status("429 Too Many Requests", "retry-after: 86400\r\n", ""),
        _ => status("500 Oh", "", "no\u{1b}[31m luck"),
    });
    let slept = Slept::default();
    let record = record(1, "sms");
    let outcome = webhook(&url, None, &slept).deliver(&Delivery::of(&record).unwrap());
    let reason = "the hook answered 500 Internal Server Error".to_owned();
    let said = Some("no[31m luck".to_owned());
    assert_eq!(outcome, Outcome::Failed { reason, said, attempts: 5, retryable: true });
    assert_eq!(*slept.0.lock().unwrap(), [7_000, 30_000, 2_000, 4_000]);
}

#[test]
fn a_rate_spaces_requests_and_those_that_are_tried_again() {
    let url = serve(|count, _| match count {
        2 => status("500 Oh", "", ""),
        3 => status("429 Too Many Requests", "retry-after: 7\r\n", ""),
        _ => status("200 OK", "", ""),
    });
    let slept = Slept::default();
    let rate = Some(Rate { count: 2, per: 3_000 });
    let config = WebhookConfig { url, secret: None, timeout: 2_000, retries: 4, rate };
    let mut webhook = Webhook::new(&config, None, Box::new(slept.clone()));
    for number in 0..3 {
        let record = record(number, "sms");
        let outcome = webhook.deliver(&Delivery::of(&record).unwrap());
        assert!(matches!(outcome, Outcome::Delivered { .. }), "{outcome:?}");
    }
    // Before the second request, its two retries, and the third.
    assert_eq!(*slept.0.lock().unwrap(), [1_500, 1_500, 7_000, 1_500]);
}

#[test]
fn a_refusal_is_not_tried_again() {
    for (line, words) in [("422 Unprocessable Entity", "bad number"), ("302 Found", "elsewhere")] {
        let url = serve(move |_, _| status(line, "location: /other\r\n", words));
        let slept = Slept::default();
        let record = record(1, "sms");
        let outcome = webhook(&url, None, &slept).deliver(&Delivery::of(&record).unwrap());
        let Outcome::Failed { reason, said, attempts: 1, retryable: false } = outcome else {
            panic!("{outcome:?}")
        };
        assert!(reason.starts_with(&format!("the hook answered {line}")), "{reason}");
        assert!(!reason.contains(words), "{reason}");
        assert_eq!(said.as_deref(), Some(words));
        assert!(slept.0.lock().unwrap().is_empty());
    }
}

/// Whatever fails, its reason quotes no part of the address; what the system said may.
#[test]
fn reasons_quote_no_address() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let odd = serve(|_, _| "SMTP s3cret\r\n\r\n".to_owned());
    let urls = [
        (
            format!("http://me:s3cret@{closed}/s3cret?key=s3cret"),
            "the hook cannot be reached: connection refused",
        ),
        ("http://a b/s3cret".to_owned(), "`url` is no address of a web service"),
        ("s3cret".to_owned(), "`url` is no address of a web service"),
        (format!("{odd}?key=s3cret"), "the hook does not speak HTTP"),
    ];
    for (url, words) in urls {
        let config = WebhookConfig { url, secret: None, timeout: 2_000, retries: 0, rate: None };
        let record = record(1, "sms");
        let mut webhook = Webhook::new(&config, None, Box::new(Slept::default()));
        let outcome = webhook.deliver(&Delivery::of(&record).unwrap());
        let Outcome::Failed { reason, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(reason, words, "{}", config.url);
    }
}

#[test]
fn a_hook_that_hangs_is_a_failure_and_holds_up_no_other() {
    // Accepts connections (by the backlog) and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let config = WebhookConfig { url, secret: None, timeout: 100, retries: 0, rate: None };
    let mut hooks = Hooks::default();
    hooks.add("sms", Box::new(Webhook::new(&config, None, Box::new(Slept::default()))));
    hooks.add("push", Box::new(Console::new(Box::new(std::io::sink()))));
    let records: Vec<Record> =
        (0..16).map(|number| record(number, if number % 2 == 0 { "sms" } else { "push" })).collect();
    let mut outcomes = Vec::new();
    hooks.deliver(&records, &mut |delivery, outcome| outcomes.push((delivery.id.0, outcome.clone())));
    assert!(outcomes.iter().map(|(id, _)| *id).eq(0..16));
    for (id, outcome) in outcomes {
        match outcome {
            Outcome::Delivered { .. } => assert_eq!(id % 2, 1),
            Outcome::Failed { reason, .. } if id < 10 => {
                assert_eq!(reason, "the hook did not answer in time")
            }
            Outcome::Failed { reason, .. } => {
                assert_eq!(reason, "not tried: the 5 deliveries before it failed")
            }
        }
    }
}

#[test]
fn what_has_no_hook_is_said() {
    let records = [record(1, "sms")];
    let mut reasons = Vec::new();
    Hooks::default().deliver(&records, &mut |_, outcome| reasons.push(outcome.clone()));
    let reason = "no hook configured for channel `sms`".to_owned();
    assert_eq!(reasons, [Outcome::Failed { reason, said: None, attempts: 0, retryable: false }]);
}

#[test]
fn a_file_gets_a_line_per_decision() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out/mails.ndjson");
    for number in 0..2 {
        let record = record(number, "email");
        let outcome = FileHook::open(&path).unwrap().deliver(&Delivery::of(&record).unwrap());
        assert_eq!(outcome, Outcome::Delivered { attempts: 1 });
    }
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(text.lines().count(), 2);
    assert!(text.starts_with(r#"{"kind":"send","at":"1970-01-01T00:00:00.000Z""#), "{text}");
}
