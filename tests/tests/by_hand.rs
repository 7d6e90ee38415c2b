//! The 20-rule pack of the bench, written by hand in Rust: it decides the same as both executors, so that what it takes is
//! the time of the same work.

#![expect(clippy::expect_used, reason = "a test that cannot go on says so by panicking")]

use segue_bench::{
    by_hand::Shop,
    packs,
    stream::{Shape, Stream},
};
use segue_compiler::{
    execution::Execution,
    record::{Instant, Record},
    reference::Reference,
    time::parse_instant,
    typed::Program,
    value::Millis,
};
use segue_runtime::{
    config::Config,
    engine::Engine,
    replay::{Feed, Options, Replay},
    source::Events,
};
use std::{fmt::Write, fs, path::Path, sync::Arc};

/// How often anything happens in streams that differ in that alone: how many times as long they take, and to what times are
/// rounded. The first is as it comes; in the others people stay away for months, and much happens at one instant.
const PACES: [(i64, i64); 3] = [(1, 1), (12, 1), (60, 12 * 3_600_000)];

/// A stream, at another pace.
fn stream((times, rounded): (i64, i64)) -> String {
    let mut stream = Stream::new(Shape { customers: 1_500, events: 20_000 });
    let (mut text, mut line, mut first) = (String::new(), String::new(), None);
    while stream.next(&mut line) {
        let (before, at) = line.trim_end().split_once("\"timestamp\":\"").expect("a call has a time");
        let at: Millis = parse_instant(at.trim_end_matches("\"}")).expect("an instant");
        let first = *first.get_or_insert(at);
        let at = Instant((first + (at - first) * times) / rounded * rounded);
        writeln!(text, "{before}\"timestamp\":\"{at}\"}}").expect("there is memory");
        line.clear();
    }
    text
}

/// What `segue run` prints.
fn printed<E: Execution + Sync>(executor: E, program: &Arc<Program>, file: &Path) -> Vec<String> {
    let mut replay = Replay::new(executor, program.clone(), Options::default());
    let mut feed = Feed::new(Events::open(&[file]).expect("it is there"));
    while feed.advance(&replay).expect("it is read") {
        let rejects = feed.apply(&mut replay, false).len();
        assert_eq!(rejects, 0);
    }
    let line = |record: Record| serde_json::to_string(&record).expect("a record is JSON");
    replay.finish().iter().map(line).collect()
}

#[test]
fn by_hand_the_pack_decides_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("stream.ndjson");
    let (program, settings) = (packs::checked(packs::ORDINARY), Config::assumed().settings);
    for pace in PACES {
        fs::write(&file, stream(pace)).expect("there is room");
        let mut text = Vec::new();
        Shop::of(&file).expect("it is read").print(&mut text).expect("there is memory");
        let by_hand: Vec<_> = std::str::from_utf8(&text).expect("text").lines().collect();
        assert!(by_hand.len() > 8_000, "{} records", by_hand.len());
        let engine = Arc::new(Engine::new(program.clone(), settings.clone()).expect("it compiles"));
        let reference = Reference::new(program.clone(), settings.clone());
        let all = [printed(engine, &program, &file), printed(reference, &program, &file)];
        for (name, expected) in ["machine code", "the reference"].into_iter().zip(&all) {
            let differs = by_hand.iter().zip(expected).find(|(one, other)| *one != other);
            assert_eq!(differs, None, "{name}, at pace {pace:?}");
            assert_eq!(by_hand.len(), expected.len(), "{name}, at pace {pace:?}");
        }
    }
}
