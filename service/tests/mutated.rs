//! Bodies, logs and checkpoints that are nearly right. `SEGUE_SEEDS=100000 cargo test -p segue-service --test mutated` tries
//! more of them; `fuzz/` looks for others by what they reach.

#![expect(clippy::expect_used, reason = "a test that cannot go on says so by panicking")]

mod properties;

use properties::{FORMS, folder_with, ingest, line, log, payload, read_log, sealed, store};
use segue_service::{
    disk::RealDisk,
    ingest::Form,
    log::{Kind, Limits, Writer, segments},
    store::{Checkpoint, Store},
};
use std::{fs, path::Path, sync::Arc};

/// How many of each kind, unless said.
const TRIES: u64 = 2_000;

const BODIES: [(Form, &str); 3] = [
    (
        Form::Batch,
        r#"{"batch":[{"type":"track","event":"Product Added","userId":"ada","messageId":"m1","properties":{"price":12.5,
        "list":[1,{"a":null}]},"timestamp":"2026-01-05T09:00:00.000Z"},{"type":"identify","userId":"ada","anonymousId":"x",
        "context":{"traits":{"a":"\u00e5 \"b\""},"timezone":"Europe/Oslo"},"originalTimestamp":"2026-01-05T10:00:00+01:00"},
        {"type":"group","groupId":7,"userId":"ada"},{"type":"alias","userId":"ada","previousId":"y"}],
        "sentAt":"2026-01-05T09:00:10Z","writeKey":"key"}"#,
    ),
    (
        Form::PostHog,
        r#"{"api_key":"key","sent_at":"2026-01-05T09:00:00Z","batch":[{"event":"$pageview","distinct_id":"ada","uuid":"u1",
        "properties":{"$current_url":"https://x/","$set":{"plan":"pro"},"$timezone":"Europe/Oslo"}},
        {"event":"$identify","distinct_id":"ada","properties":{"$anon_distinct_id":"d"},"$set":{"a":1}},
        {"event":"$create_alias","distinct_id":"d","properties":{"alias":"ada","distinct_id":"d"},"offset":100}]}"#,
    ),
    (
        FORMS[2],
        r#"{"userId":"ada","event":"A","properties":{"x":"\\ \n"},"timestamp":1767607200000,"sentAt":1767607200000.5}"#,
    ),
];

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % end.max(1) as u64) as usize
    }

    /// Changes bytes in a few places: one by another, some gone, some twice, the end cut off.
    fn mutate(&mut self, bytes: &mut Vec<u8>, likely: &[u8]) {
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len());
            let end = (at + 1 + self.below(12)).min(bytes.len());
            match self.below(6) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => bytes[at] = likely[self.below(likely.len())],
                2 => bytes.insert(at, likely[self.below(likely.len())]),
                3 => drop(bytes.drain(at..end)),
                4 => {
                    let piece = bytes[at..end].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, piece);
                }
                _ => bytes.truncate(at.max(bytes.len() / 2)),
            }
        }
    }
}

fn tries() -> u64 {
    std::env::var("SEGUE_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(TRIES)
}

#[test]
fn bodies_are_taken_to_pieces_or_refused() {
    let mut accepted = 0;
    for (form, body) in BODIES {
        assert!(ingest(form, body.as_bytes()) > 0, "it is right before it is changed");
        for seed in 0..tries() {
            let mut bytes = body.as_bytes().to_vec();
            Random(seed).mutate(&mut bytes, b"{}[]\",:\\ \n0-.eNtu\xc3\0");
            for form in FORMS {
                accepted += ingest(form, &bytes);
            }
        }
    }
    assert!(accepted > 0, "some of it is still right");
}

/// What the fuzzers begin with, and what they found.
fn seeds(of: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(of);
    let files = fs::read_dir(&folder).expect("seeds").map(|entry| entry.expect("a seed").path());
    let seeds: Vec<_> = files.map(|path| fs::read(path).expect("a seed")).collect();
    assert!(!seeds.is_empty(), "{of} has none");
    seeds
}

/// As the fuzzer does it.
fn take(of: &str, bytes: &[u8]) {
    const LOG: &str = "00000000000000000000.log";
    match (of, bytes.split_first()) {
        ("ingest", Some((form, body))) => {
            ingest(FORMS[usize::from(*form) % FORMS.len()], body);
        }
        ("line", _) => {
            line(bytes);
        }
        ("payload", _) => payload(bytes),
        ("log", _) => {
            log(folder_with(LOG, bytes).path());
            log(folder_with(LOG, &sealed(bytes)).path());
        }
        ("store", _) => {
            store(folder_with("00000000000000000001.run", bytes).path());
        }
        _ => {}
    }
}

#[test]
fn what_fuzzers_begin_with_and_found_is_taken_and_refused() {
    for of in ["ingest", "line", "payload", "log", "store"] {
        for seed in seeds(of) {
            take(of, &seed);
            for number in 0..tries() / 50 {
                let mut bytes = seed.clone();
                Random(number).mutate(&mut bytes, b"{}[]\",:\\ \n0-.eNtu\xc3\0\x01\xff");
                take(of, &bytes);
            }
        }
    }
    let is_call = |seed: &Vec<u8>| line(seed);
    assert!(seeds("line").iter().any(is_call), "some of them are right");
}

#[test]
fn a_log_gives_what_was_written_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { segment_bytes: 1 << 20, keep: None, max_bytes: None };
    let (mut writer, _) = Writer::open(Arc::new(RealDisk), folder.path(), limits).unwrap();
    for at in 0..8 {
        let entries = [(Kind::Call, at, &b"{\"type\":\"track\"}"[..]), (Kind::Advance, at, &[])];
        writer.append(entries, true).unwrap();
    }
    let path = segments(folder.path()).unwrap().remove(0).path;
    let (name, whole) = (path.file_name().unwrap().to_str().unwrap(), fs::read(&path).unwrap());
    let written = read_log(folder.path());
    assert_eq!(written.len(), 16);
    for seed in 0..tries() / 10 {
        let mut bytes = whole.clone();
        Random(seed).mutate(&mut bytes, &[0, 1, 9, 255]);
        let said = log(folder_with(name, &bytes).path());
        assert!(written.starts_with(&said) || bytes.starts_with(&whole), "seed {seed}: nothing is made up");
    }
}

#[test]
fn a_checkpoint_is_what_was_kept_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, _) = Store::open(Arc::new(RealDisk), folder.path()).unwrap();
    let change = |at: u8| segue_runtime::live::Change { key: vec![at], value: Some(vec![at; 5]) };
    let changes = (0..20).map(change).collect();
    writer.keep(&Checkpoint { position: 7, notes: b"notes".to_vec(), changes }).unwrap();
    let kept = store(folder.path()).unwrap();
    let path = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let (name, whole) = (path.file_name().unwrap().to_str().unwrap(), fs::read(&path).unwrap());
    for seed in 0..tries() / 10 {
        let mut bytes = whole.clone();
        Random(seed).mutate(&mut bytes, &[0, 1, 5, 255]);
        let found = store(folder_with(name, &bytes).path());
        assert!(found.is_none() || found.as_ref() == Some(&kept), "seed {seed}: {found:?}");
    }
}
