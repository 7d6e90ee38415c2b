//! Within `settle` the order of arrival makes no difference: random histories, shuffled.

use segue_compiler::{
    execution::Execution,
    project::{Project, Source, compile},
    reference::Reference,
    settings::Settings,
    typed::Program,
};
use segue_runtime::engine::Engine;
use segue_tests::{
    drive::{Driven, drive},
    generate::{history, program},
    random::Random,
};
use serde_json::Value;
use std::sync::Arc;

/// How many random programs and histories are tried.
const SEEDS: u64 = 150;

/// How long calls settle here.
const SETTLE: i64 = 10 * 60_000;
/// By how much calls are late.
const DELAYS: [i64; 6] = [1_000, 60_000, 150_000, 299_999, 300_000, 540_000];

fn at(call: &Value) -> i64 {
    call.get("timestamp").and_then(Value::as_i64).unwrap_or_default()
}

/// The calls as they arrive when each is late by some time of at most `SETTLE`; those that arrive together in any order.
fn arrived(calls: &[Value], random: &mut Random) -> Vec<Value> {
    let mut arrivals: Vec<(i64, usize, &Value)> = Vec::new();
    for call in calls {
        // Some are as late as can be: then the edges are met.
        let delay = match random.below(4) {
            0 => 0,
            1 => SETTLE,
            _ => DELAYS[random.below(DELAYS.len())],
        };
        arrivals.push((at(call) + delay, random.below(1 << 20), call));
    }
    arrivals.sort_by_key(|(arrival, tie, _)| (*arrival, *tie));
    arrivals.into_iter().map(|(_, _, call)| call.clone()).collect()
}

fn checked(source: String) -> Option<Arc<Program>> {
    let sources = vec![Source { name: "generated.segue".to_owned(), text: source }];
    compile(&Project { sources, ..Project::default() }).program.map(Arc::new)
}

/// What comes out, as bytes.
fn bytes(driven: &Driven) -> String {
    let records: Vec<String> =
        driven.records.iter().filter_map(|record| serde_json::to_string(record).ok()).collect();
    format!("{}\n{:?}", records.join("\n"), driven.members)
}

fn settled<E: Execution>(
    make: impl Fn(Settings) -> E,
    program: &Program,
    calls: &[Value],
    settle: i64,
) -> String {
    let until = calls.iter().map(at).max().map(|latest| latest + 7_200_000);
    let settings = Settings { settle, until, ..Settings::default() };
    bytes(&drive(program, &make(settings), calls, until))
}

#[test]
fn any_order_of_arrival_within_settle_gives_the_same() {
    let (mut compared, mut matters, mut happened) = (0, 0, 0);
    for seed in 0..SEEDS {
        let mut random = Random::new(seed);
        let source = program(&mut random);
        let calls: Vec<Value> = history(&mut random).into_iter().map(|step| step.call).collect();
        let Some(program) = checked(source.clone()) else { continue };
        let engine = |settings| Engine::new(program.clone(), settings).unwrap();
        let reference = |settings| Reference::new(program.clone(), settings);
        let (one, other) = (arrived(&calls, &mut random), arrived(&calls, &mut random));
        let expected = settled(engine, &program, &one, SETTLE);
        for actual in [
            settled(engine, &program, &other, SETTLE),
            settled(reference, &program, &one, SETTLE),
            settled(reference, &program, &other, SETTLE),
        ] {
            assert_eq!(actual, expected, "seed {seed}\n{source}\n{one:#?}\n{other:#?}");
        }
        compared += 1;
        happened += u64::from(expected.lines().count() > 3);
        matters += u64::from(settled(engine, &program, &one, 0) != settled(engine, &program, &other, 0));
    }
    // Without settling the order matters in many of them: otherwise this test could not fail.
    assert!(
        matters * 4 > compared && happened * 2 > compared,
        "{compared}: {matters} matter, {happened} happen"
    );
}
