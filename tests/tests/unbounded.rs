//! A second oracle: the reference interpreter without bounds. Wherever no overflow is counted, what is bounded must be as
//! what is not.

use segue_compiler::{
    execution::Counts,
    project::{Project, Source, compile},
    reference::Reference,
    settings::Settings,
    typed::Program,
};
use segue_runtime::engine::Engine;
use segue_tests::{
    drive::{Driven, drive_and_count},
    generate::{busy_history, disguise, facts, history, program},
    random::Random,
};
use serde_json::Value;
use std::sync::Arc;

/// How many random programs are tried with a history as people have them, and how many with one that is longer than what
/// is told apart.
const SEEDS: u64 = 250;
const BUSY_SEEDS: u64 = 30;

fn checked(source: &str) -> Option<Arc<Program>> {
    let sources = vec![Source { name: "generated.segue".to_owned(), text: source.to_owned() }];
    compile(&Project { sources, ..Project::default() }).program.map(Arc::new)
}

/// Whether anything was let go, or was no longer told apart.
fn overflowed(counts: &Counts) -> bool {
    let Counts {
        invalid_fields: _,
        matches_dropped,
        runs_refused,
        consequences_dropped,
        window_overflow,
        ids_dropped,
        goals_forgotten,
        settled_early,
        runs_ended: _,
    } = *counts;
    let all =
        [matches_dropped, consequences_dropped, window_overflow, ids_dropped, goals_forgotten, settled_early];
    all.iter().any(|count| *count > 0) || runs_refused > 0
}

/// What an oracle and what is bounded say.
struct Compared {
    overflowed: bool,
    unbounded: Driven,
    engine: Driven,
}

fn compared(source: &str, calls: &[Value], settings: &Settings) -> Option<Compared> {
    let program = checked(source)?;
    let until =
        calls.iter().filter_map(|call| call.get("timestamp")?.as_i64()).max().map(|at| at + 7_200_000);
    let engine = Engine::new(program.clone(), settings.clone()).ok()?;
    let reference = Reference::new(program.clone(), settings.clone());
    let oracle = Reference::unbounded(program.clone(), settings.clone());
    let (engine, counts) = drive_and_count(&program, &engine, calls, until);
    let (bounded, _) = drive_and_count(&program, &reference, calls, until);
    assert_eq!(bounded, engine, "the executors differ\n{source}");
    let (unbounded, _) = drive_and_count(&program, &oracle, calls, until);
    Some(Compared { overflowed: overflowed(&counts), unbounded, engine })
}

#[test]
fn nothing_is_lost_unless_it_is_counted() {
    let mut exact = 0;
    for seed in 0..SEEDS {
        let mut random = Random::new(seed);
        let source = program(&mut random);
        let mut calls: Vec<Value> = history(&mut random).into_iter().map(|step| step.call).collect();
        disguise(&mut random, &mut calls);
        let Some(compared) = compared(&source, &calls, &Settings::default()) else { continue };
        if !compared.overflowed {
            assert_eq!(compared.engine, compared.unbounded, "seed {seed}\n{source}\n{calls:#?}");
            exact += 1;
        }
    }
    assert!(exact * 10 > SEEDS * 8, "only {exact} without overflow");
}

#[test]
fn what_is_lost_is_counted() {
    let (mut exact, mut lost, mut differ) = (0, 0, 0);
    for seed in 0..BUSY_SEEDS {
        let mut random = Random::new(seed);
        let source = facts(&mut random);
        let calls: Vec<Value> = busy_history(&mut random).into_iter().map(|step| step.call).collect();
        // So short a time that no id has to go early: then only windows and matches overflow.
        let settings = Settings { dedupe: 60_000, ..Settings::default() };
        let Some(compared) = compared(&source, &calls, &settings) else { continue };
        let same = compared.engine == compared.unbounded;
        assert!(same || compared.overflowed, "seed {seed}: lost and not counted\n{source}");
        exact += u64::from(!compared.overflowed);
        lost += u64::from(compared.overflowed);
        differ += u64::from(!same);
    }
    // Both happen: otherwise this test says nothing.
    assert!(exact > 0 && differ > 0, "{exact} without overflow, {lost} with, {differ} differ");
}
