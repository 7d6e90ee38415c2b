//! What the service tells of messages that could not be delivered: no customer, no content, no address.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use segue_service::{
    clock::SetClock,
    host::{Host, Options},
    intake::Call,
    log,
    rules::Text,
};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

const RULES: &str = r#"
event "Ordered" {}
rule thanks { when "Ordered" transactional send sms "Thank you" }
"#;
/// 2026-01-05 08:00 UTC.
const START: i64 = 1_767_600_000_000;

/// Answers a request with 400 and all that it said, headers and body, as some providers do.
fn echo(stream: TcpStream) {
    let mut reader = BufReader::new(stream);
    let (mut said, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(bytes) = line.to_lowercase().strip_prefix("content-length: ") {
            length = bytes.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
        said.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    // What matters first: only the beginning of an answer is looked at.
    let said = format!("+4790000000: Thank you\n{}{said}", String::from_utf8(body).unwrap());
    let answer = format!("HTTP/1.1 400 Bad Request\r\ncontent-length: {}\r\n\r\n{said}", said.len());
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
}

/// What is told of a message to ada that the hook at this address did not take.
fn told(url: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let clock = Arc::new(SetClock::default());
    clock.set(START);
    let teller = told.clone();
    let options = Options {
        shards: NonZeroUsize::MIN,
        limits: log::Limits { segment_bytes: 4_000, keep: None, max_bytes: None },
        checkpoint_every: Duration::from_secs(3_600),
        gathered_at_once: 1,
        tell: Arc::new(move |words| teller.lock().unwrap().push(words.to_owned())),
        ..Options::new(folder.path().join("data"), clock)
    };
    let text = Text {
        sources: BTreeMap::from([("rules.segue".to_owned(), RULES.to_owned())]),
        files: BTreeMap::new(),
        settings: format!("[channels.sms]\nhook = \"webhook\"\nurl = \"{url}\"\nretries = 0\n"),
    };
    let host = Host::start(text.prepare(folder.path().to_owned()).unwrap(), options).unwrap();
    let call = |rest: &str| Call::new(format!(r#"{{"userId":"ada","timestamp":{START},{rest}}}"#)).unwrap();
    let calls = vec![
        call(r#""messageId":"m1","type":"identify","traits":{"phone":"+4790000000"}"#),
        call(r#""messageId":"m2","type":"track","event":"Ordered""#),
    ];
    host.intake().submit_blocking(calls).unwrap();
    for _ in 0..500 {
        if told.lock().unwrap().iter().any(|words| words.starts_with("not delivered")) {
            host.close();
            return told.lock().unwrap().join("\n");
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("nothing is told");
}

#[test]
fn what_is_told_of_a_failure_names_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().flatten().for_each(echo));
    let refused = told(&format!("http://me:s3cret@{address}/hook?key=s3cret"));
    assert!(refused.ends_with(": the hook answered 400 Bad Request"), "{refused}");
    let wrong = told("http://me:s3cret@{}/hook?key=s3cret");
    assert!(wrong.ends_with(": `url` is no address of a web service"), "{wrong}");
    for told in [refused, wrong] {
        assert!(told.starts_with("not delivered: sms "), "{told}");
        for secret in ["4790000000", "Thank", "ada", "s3cret", "http:", "hook?", &address.to_string()] {
            assert!(!told.contains(secret), "`{secret}` is told: {told}");
        }
    }
}
