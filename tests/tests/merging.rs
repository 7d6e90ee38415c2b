//! Two customers who turn out to be one: as if they had been one all along, in whatever order they are joined, and on
//! however many threads.

use segue_compiler::{
    execution::{Execution, Output},
    project::{Project, Source, compile},
    record::Record,
    reference::Reference,
    settings::Settings,
    typed::{Program, SegmentId},
};
use segue_runtime::{
    engine::Engine,
    replay::{Options, Replay},
    source::Events,
};
use segue_tests::{
    drive::drive,
    feed::feed,
    generate::{disguise_all, facts, history, program},
    random::Random,
    read::Read,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, num::NonZeroUsize, path::PathBuf, sync::Arc};

/// How many random programs and histories each test tries.
const SEEDS: u64 = 200;

fn checked(source: &str) -> Option<Arc<Program>> {
    let sources = vec![Source { name: "generated.segue".to_owned(), text: source.to_owned() }];
    compile(&Project { sources, ..Project::default() }).program.map(Arc::new)
}

fn at(call: &Value) -> i64 {
    call.get("timestamp").and_then(Value::as_i64).unwrap_or_default()
}

fn lines<'r>(records: impl IntoIterator<Item = &'r Record>) -> Vec<String> {
    records.into_iter().filter_map(|record| serde_json::to_string(record).ok()).collect()
}

/// A history in which no two calls have one time, none changes the zone, and all are ada's.
fn plain_history(random: &mut Random) -> Vec<Value> {
    let mut times = BTreeSet::new();
    let mut calls = Vec::new();
    for step in history(random) {
        let mut call = step.call;
        if !times.insert(at(&call)) {
            continue;
        }
        let Some(fields) = call.as_object_mut() else { continue };
        fields.remove("context");
        fields.insert("userId".to_owned(), json!("ada"));
        if let Some(traits) = fields.get_mut("traits").and_then(Value::as_object_mut) {
            traits.remove("country");
            traits.remove("time_zone");
        }
        calls.push(call);
    }
    calls
}

/// The calls, some of them of somebody who is not known yet; at `position` it is said who that is.
fn half_anonymous(calls: &[Value], position: usize, joins: bool, random: &mut Random) -> Vec<Value> {
    let mut said = Vec::new();
    for (number, call) in calls.iter().enumerate() {
        let mut call = call.clone();
        if number == position {
            let at = calls.iter().take(number).map(at).max().unwrap_or_default() + 1;
            let mut identify =
                json!({"type": "identify", "messageId": "join", "userId": "ada", "timestamp": at});
            if joins {
                identify["anonymousId"] = json!("x");
            }
            said.push(identify);
        }
        if number < position && random.chance(50) && joins {
            call["anonymousId"] = json!("x");
            call.as_object_mut().map(|fields| fields.remove("userId"));
        }
        said.push(call);
    }
    said
}

#[test]
fn joined_is_as_if_one_all_along() {
    let (mut compared, mut happened) = (0, 0);
    for seed in 0..SEEDS {
        let mut random = Random::new(seed);
        let source = facts(&mut random);
        let Some(program) = checked(&source) else { continue };
        let mut calls = plain_history(&mut random);
        let end = calls.iter().map(at).max().unwrap_or_default();
        for number in 1..4 {
            let id = format!("ask{number}");
            calls.push(json!({"type": "track", "event": "Ask", "messageId": id, "userId": "ada",
                "timestamp": end + number * 1_234_567}));
        }
        let position = calls.len() / 2 + random.below(calls.len() / 2);
        let apart = half_anonymous(&calls, position, true, &mut random);
        let whole = half_anonymous(&calls, position, false, &mut random);
        let joined_at = apart.iter().find(|call| call["messageId"] == "join").map(at).unwrap_or_default();
        let engine = Engine::new(program.clone(), Settings::default()).unwrap();
        let reference = Reference::new(program.clone(), Settings::default());
        let until = Some(end + 9_000_000);
        let outcomes = [
            drive(&program, &reference, &whole, until),
            drive(&program, &reference, &apart, until),
            drive(&program, &engine, &apart, until),
        ];
        let [whole, by_reference, by_engine] = outcomes.map(|driven| {
            let after = lines(driven.records.iter().filter(|record| record.at() >= joined_at));
            (after, driven.members.get("ada").cloned())
        });
        let calls: String = apart.iter().fold(String::new(), |all, call| format!("{all}{call}\n"));
        assert_eq!(by_reference, whole, "reference, seed {seed}\n{source}\n{calls}");
        assert_eq!(by_engine, whole, "engine, seed {seed}\n{source}\n{calls}");
        compared += 1;
        happened += u64::from(whole.0.len() > 3);
    }
    assert!(compared * 10 > SEEDS * 8 && happened * 3 > compared, "{compared}, {happened} with changes");
}

/// Three customers with a history each, joined in one of two orders, and what happened after that.
fn joined<E: Execution>(
    executor: &E,
    program: &Program,
    calls: &[Value],
    position: usize,
    from_the_right: bool,
) -> (Vec<String>, Vec<bool>) {
    let mut out = Output::default();
    let ids = ["ada", "x", "y"];
    let mut customers = ids.map(|id| executor.customer(Arc::from(id)));
    let meeting = calls.iter().take(position).map(at).max().unwrap_or_default();
    for (call, number) in calls.iter().take(position).zip(0..) {
        if let Some(read) = Read::of(call) {
            executor.apply(&mut customers[number % 3], &read.incoming(), &mut out);
        }
    }
    for customer in &mut customers {
        executor.advance(customer, meeting, &mut out);
    }
    let before = out.records.len();
    let [mut ada, mut x, y] = customers;
    if from_the_right {
        executor.merge(&mut x, y, &mut out);
        executor.merge(&mut ada, x, &mut out);
    } else {
        executor.merge(&mut ada, x, &mut out);
        executor.merge(&mut ada, y, &mut out);
    }
    assert_eq!(out.records.len(), before, "joining tells nothing");
    for call in calls.iter().skip(position) {
        if let Some(read) = Read::of(call) {
            executor.apply(&mut ada, &read.incoming(), &mut out);
        }
    }
    executor.advance(&mut ada, calls.iter().map(at).max().unwrap_or_default() + 7_200_000, &mut out);
    let members = (0..).take(program.segments.len()).map(|n| executor.is_member(&ada, SegmentId(n)));
    (lines(&out.records), members.collect())
}

#[test]
fn joining_is_associative() {
    let (mut compared, mut happened) = (0, 0);
    for seed in 0..SEEDS {
        let mut random = Random::new(seed);
        let source = program(&mut random);
        let Some(program) = checked(&source) else { continue };
        let calls: Vec<Value> = history(&mut random).into_iter().map(|step| step.call).collect();
        let position = calls.len() / 2;
        let engine = Engine::new(program.clone(), Settings::default()).unwrap();
        let reference = Reference::new(program.clone(), Settings::default());
        let expected = joined(&reference, &program, &calls, position, false);
        let shown = || calls.iter().fold(source.clone(), |all, call| format!("{all}\n{call}"));
        for from_the_right in [false, true] {
            let by_engine = joined(&engine, &program, &calls, position, from_the_right);
            assert_eq!(by_engine, expected, "engine, seed {seed}, {from_the_right}\n{}", shown());
        }
        let by_reference = joined(&reference, &program, &calls, position, true);
        assert_eq!(by_reference, expected, "reference, seed {seed}\n{}", shown());
        compared += 1;
        happened += u64::from(expected.0.len() > 3);
    }
    assert!(compared * 10 > SEEDS * 8 && happened * 2 > compared, "{compared}, {happened} with records");
}

#[test]
fn threads_make_no_difference() {
    let folder = tempfile::tempdir().unwrap();
    let mut joined = 0;
    for seed in 0..SEEDS / 4 {
        let mut random = Random::new(seed);
        let source = program(&mut random);
        let Some(program) = checked(&source) else { continue };
        let mut calls: Vec<Value> = history(&mut random).into_iter().map(|step| step.call).collect();
        disguise_all(&mut random, &mut calls);
        // Several batches: who is who is known from one to the next.
        let part = calls.len().div_ceil(3).max(1);
        let paths: Vec<PathBuf> =
            (0..calls.len().div_ceil(part)).map(|n| folder.path().join(n.to_string())).collect();
        for (path, part) in paths.iter().zip(calls.chunks(part)) {
            let text = part.iter().fold(String::new(), |all, call| format!("{all}{call}\n"));
            fs::write(path, text).unwrap();
        }
        let engine = Engine::new(program.clone(), Settings::default()).unwrap();
        let expected = drive(&program, &engine, &calls, None);
        let engine = Arc::new(engine);
        for threads in [1, 2, 3, 8] {
            let options =
                Options { threads: NonZeroUsize::new(threads), members: true, ..Options::default() };
            let mut replay = Replay::new(engine.clone(), program.clone(), options);
            for path in &paths {
                feed(&mut replay, Events::open(&[path]).unwrap());
            }
            let records: Vec<Record> = replay.finish().iter().collect();
            assert_eq!(
                lines(&records),
                lines(&expected.records),
                "seed {seed}, {threads} threads\n{source}\n{calls:#?}"
            );
            for (segment, number) in program.segments.iter().zip(0..) {
                let members: Vec<String> =
                    replay.members(SegmentId(number)).iter().map(ToString::to_string).collect();
                let within =
                    |(_, segments): &(&String, &Vec<String>)| segments.contains(&segment.name.to_string());
                let expected: Vec<String> =
                    expected.members.iter().filter(within).map(|(id, _)| id.clone()).collect();
                assert_eq!(members, expected, "seed {seed}, {threads} threads, {}", segment.name);
            }
            joined += replay.summary().joined;
        }
    }
    assert!(joined > SEEDS / 2, "only {joined} were joined");
}
