//! Time that the host lets pass between calls: both executors agree on what follows, a deadline is never told too late,
//! and nothing else comes of it than of the same calls without.

use segue_compiler::{
    execution::{Execution, Output},
    project::{Project, Source, compile},
    record::Record,
    reference::Reference,
    settings::Settings,
    typed::Program,
};
use segue_runtime::engine::Engine;
use segue_tests::{
    generate::{history, program},
    random::Random,
    read::Read,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// How many random programs and histories the tests try.
const SEEDS: u64 = 300;

fn seeds() -> u64 {
    std::env::var("SEGUE_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SEEDS)
}

fn checked(source: &str) -> Option<Arc<Program>> {
    let sources = vec![Source { name: "generated.segue".to_owned(), text: source.to_owned() }];
    compile(&Project { sources, ..Project::default() }).program.map(Arc::new)
}

fn at(call: &Value) -> i64 {
    call.get("timestamp").and_then(Value::as_i64).unwrap_or_default()
}

/// The calls of a random history, all of one customer.
fn calls(random: &mut Random) -> Vec<Value> {
    let mut calls: Vec<Value> = history(random).into_iter().map(|step| step.call).collect();
    for fields in calls.iter_mut().filter_map(Value::as_object_mut) {
        fields.insert("userId".to_owned(), json!("ada"));
    }
    calls
}

/// Applies calls and lets time pass before some of them; what comes of it until a day after the last.
fn driven<E: Execution>(executor: &E, calls: &[Value], pauses: &[Option<i64>]) -> Vec<Record> {
    let mut customer = executor.customer(Arc::from("ada"));
    let mut out = Output::default();
    for (call, pause) in calls.iter().zip(pauses) {
        if let Some(until) = pause {
            executor.advance(&mut customer, *until, &mut out);
            let next = executor.next_deadline(&customer);
            assert!(next.is_none_or(|next| next > *until), "a deadline at {next:?} is left by {until}");
        }
        if let Some(read) = Read::of(call) {
            executor.apply(&mut customer, &read.incoming(), &mut out);
        }
    }
    let end = calls.iter().map(at).max().unwrap_or_default() + 86_400_000;
    executor.advance(&mut customer, end, &mut out);
    out.records
}

fn lines(records: &[Record]) -> Vec<String> {
    records.iter().filter_map(|record| serde_json::to_string(record).ok()).collect()
}

#[test]
fn executors_agree_whenever_the_host_lets_time_pass() {
    let mut tried = 0;
    for seed in 0..seeds() {
        let mut random = Random::new(seed);
        let Some(program) = checked(&program(&mut random)) else { continue };
        let calls = calls(&mut random);
        let pauses: Vec<Option<i64>> = calls
            .iter()
            .map(|call| {
                let near = [-1, 0, 1, -60_000, 60_000, 1_800_000, 1_800_001, 3_600_000][random.below(8)];
                random.chance(40).then_some(at(call) + near)
            })
            .collect();
        let reference = driven(&Reference::new(program.clone(), Settings::default()), &calls, &pauses);
        let engine = Engine::new(program, Settings::default()).unwrap();
        assert_eq!(lines(&reference), lines(&driven(&engine, &calls, &pauses)), "seed {seed}");
        tried += 1;
    }
    assert!(tried * 2 > seeds(), "too few programs pass the checker");
}

#[test]
fn time_that_passes_before_a_call_changes_nothing() {
    for seed in 0..seeds() {
        let mut random = Random::new(seed);
        let Some(program) = checked(&program(&mut random)) else { continue };
        let mut calls = calls(&mut random);
        calls.sort_by_key(at);
        let engine = Engine::new(program, Settings::default()).unwrap();
        let never = vec![None; calls.len()];
        let pauses: Vec<Option<i64>> = calls
            .iter()
            .map(|call| random.chance(60).then(|| at(call) - 1 - [0, 0, 1, 59_999][random.below(4)]))
            .collect();
        let (without, with) = (driven(&engine, &calls, &never), driven(&engine, &calls, &pauses));
        assert_eq!(lines(&without), lines(&with), "seed {seed}");
    }
}
