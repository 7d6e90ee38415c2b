//! Customers hosted live while rules change: the same comes out as of the simplest host, and what was in force before is let go.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use segue_compiler::{
    project::{Project, Source, compile},
    record::Record,
    settings::Settings,
    succession::succession,
    typed::Program,
    value::Millis,
};
use segue_runtime::{engine::Engine, live::Live, source::Envelope};
use segue_tests::{
    changing::{Changing, NewRules},
    drive::Entry,
    generate::{disguise, history, log, program, successor},
    machine_code,
    random::Random,
};
use serde_json::Value;
use std::{
    num::NonZeroUsize,
    sync::{Arc, Weak},
};

/// How many random programs and histories are tried.
const SEEDS: u64 = 40;

fn checked(source: &str) -> Option<Arc<Program>> {
    let sources = vec![Source { name: "generated.segue".to_owned(), text: source.to_owned() }];
    compile(&Project { sources, ..Project::default() }).program.map(Arc::new)
}

fn engine(program: &Arc<Program>, settings: &Settings) -> Arc<Engine> {
    Arc::new(Engine::new(program.clone(), settings.clone()).unwrap())
}

fn host(engine: Arc<Engine>, settings: &Settings) -> Live<Arc<Engine>> {
    Live::new(engine, settings.settle, NonZeroUsize::new(2).unwrap(), 0)
}

fn give(live: &mut Live<Arc<Engine>>, entry: &Entry) {
    match entry {
        Entry::Call(call) => {
            let line = call.to_string();
            let call = Envelope::parse(line.as_bytes()).unwrap();
            live.calls([call.received(entry.arrival().unwrap_or_default())]);
        }
        Entry::Clock(now) => live.advance(*now),
        Entry::Up(now) => live.resume(*now),
        Entry::Restart(_) => {}
        Entry::Erase(customer) => {
            live.erase(customer);
        }
    }
}

/// A live host over changes of its rules; every engine is let go when another takes its place.
fn over_changes(first: Arc<Program>, changing: &Changing<'_>) -> Vec<Record> {
    let settings = changing.settings;
    let mut program = first;
    let mut live = host(engine(&program, settings), settings);
    let mut done: Vec<(usize, Millis)> = Vec::new();
    let mut arrived = None;
    for (place, entry) in changing.log.iter().enumerate() {
        arrived = arrived.max(entry.arrival());
        while let Some(new) = changing.changes.get(done.len()).filter(|new| Some(new.at) <= arrived) {
            let before: Weak<Engine> = Arc::downgrade(live.execution());
            let under_way = live.before_change(new.at);
            program = Arc::new(succession(&program, &new.program, new.log_from, &under_way));
            done.push((place, new.at));
            let mut told = host(engine(&program, settings), settings).silent();
            tell(&mut told, &changing.log[..place], &done, new.log_from);
            live.succeeded_by(told);
            assert!(before.upgrade().is_none(), "what was in force before is let go");
        }
        give(&mut live, entry);
    }
    live.advance(changing.until.unwrap_or_default().saturating_add(settings.settle));
    live.records()
}

/// What the log says up to a change, the changes before it included.
fn tell(told: &mut Live<Arc<Engine>>, log: &[Entry], done: &[(usize, Millis)], from: Option<Millis>) {
    let mut arrived = None;
    for place in 0..=log.len() {
        for (_, at) in done.iter().filter(|(of, _)| *of == place) {
            told.before_change(*at);
        }
        let Some(entry) = log.get(place) else { continue };
        arrived = arrived.max(entry.arrival());
        if from.is_none_or(|from| arrived >= Some(from)) {
            give(told, entry);
        }
    }
    assert!(told.records().is_empty(), "reading a log tells nothing");
}

fn told(records: &[Record]) -> Vec<String> {
    records.iter().filter_map(|record| serde_json::to_string(record).ok()).collect()
}

#[test]
fn a_live_host_over_changes_does_what_the_simplest_one_does() {
    let _turn = machine_code::turn();
    let mut compared = 0;
    for seed in 0..SEEDS {
        let mut random = Random::new(seed);
        let source = program(&mut random);
        let mut calls: Vec<Value> = history(&mut random).into_iter().map(|step| step.call).collect();
        disguise(&mut random, &mut calls);
        let (Some(first), Some(second)) = (checked(&source), checked(&successor(&mut random, &source)))
        else {
            continue;
        };
        let times: Vec<i64> = calls.iter().filter_map(|call| call.get("timestamp")?.as_i64()).collect();
        let (at, end) = (times[times.len() / 2], times.iter().max().copied().unwrap_or_default());
        let mut log = log(&mut random, &calls);
        log.retain(|entry| !matches!(entry, Entry::Erase(_) | Entry::Restart(_)));
        let settings = Settings { settle: [0, 300_000][random.below(2)], ..Settings::default() };
        // And back again, later.
        let later = NewRules { at: at + 600_000, program: first.clone(), log_from: None };
        let changes =
            [NewRules { at, program: second, log_from: random.chance(30).then_some(at - 600_000) }, later];
        let until = Some(end + 86_400_000);
        let changing = Changing { changes: &changes, log: &log, live: true, until, settings: &settings };
        let make = |program: Arc<Program>| Ok(engine(&program, &settings));
        let (expected, ..) = changing.drive(&make, first.clone()).unwrap();
        let actual = over_changes(first, &changing);
        assert_eq!(told(&actual), told(&expected.records), "seed {seed}\n{source}");
        compared += usize::from(!actual.is_empty());
    }
    assert!(compared > 10, "something happened in too few histories: {compared}");
}

#[test]
fn machine_code_of_rules_that_are_no_longer_in_force_is_freed() {
    const CHANGES: u32 = 30;
    let _turn = machine_code::turn();
    let settings = Settings::default();
    let rules = |number: u32| {
        let rules = (0..50).map(|rule| {
            format!("rule r{rule} {{ when \"A\" where n > {number}  wait 1 day  call crm {{ about: event.n + {number} }} }}\n")
        });
        checked(&format!("event \"A\" {{ n: number }}\n{}", rules.collect::<String>())).unwrap()
    };
    let mut program = rules(0);
    let mut live = host(engine(&program, &settings), &settings);
    let call = serde_json::json!({
        "type": "track", "event": "A", "userId": "ada", "messageId": "m", "timestamp": 1_000, "properties": {"n": 1e6}
    });
    give(&mut live, &Entry::Call(call));
    let mut early = None;
    for number in 1..CHANGES {
        let at = 2_000 + i64::from(number);
        let under_way = live.before_change(at);
        program = Arc::new(succession(&program, &rules(number), None, &under_way));
        let told = host(engine(&program, &settings), &settings).silent();
        live.succeeded_by(told);
        if number == 5 {
            early = machine_code::bytes();
        }
    }
    // From the second change on each program has the versions of one change before; nothing else stays.
    machine_code::assert_let_go(early, CHANGES as usize);
    live.advance(86_400_000 + 5_000);
    assert_eq!(live.records().len(), 50, "the runs of the first version are over");
}
