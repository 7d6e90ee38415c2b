//! Random worlds in which what can go wrong does, audited by the reference interpreter.
//!
//! `SEGUE_SEEDS=100000 cargo test --release -p segue-tests --test simulation -- --nocapture` tries more of them,
//! `SEGUE_FIRST=N` begins at another seed. A world in which the host does otherwise than the reference interpreter is made
//! smaller and written as a case file.

use segue_compiler::{
    record::{Reason, Record},
    typed::Program,
};
use segue_tests::{
    changing::Changing,
    drive::Entry,
    simulate::{
        Outcome, Told, World, engine, examine, live, plain,
        planted::{Fault, Planted},
        report, smallest, text,
    },
};
use std::{collections::BTreeMap, sync::Arc};

/// How many worlds a run of the tests tries.
const SEEDS: u64 = 400;
/// How many worlds a planted fault has to be found in.
const SEEDS_PLANTED: u64 = 400;
/// How many kinds of things have to happen somewhere.
const HAPPENINGS: usize = 18;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Whether a call says that two customers are one.
fn is_link(entry: &Entry) -> bool {
    let Entry::Call(call) = entry else { return false };
    call["type"] == "alias" || !call["userId"].is_null() && !call["anonymousId"].is_null()
}

/// What must have happened somewhere, else the simulation would show nothing.
fn happenings(world: &World, told: &Told) -> Vec<&'static str> {
    let has = |is: &dyn Fn(&Entry) -> bool| world.log.iter().any(is);
    let reason = |reason: Reason| {
        told.records.iter().any(|record| match record {
            Record::Suppressed(it) => it.reason == reason,
            Record::Held(it) => it.reason == reason,
            _ => false,
        })
    };
    let outcome = |outcome: &str| told.outcomes.contains_key(outcome);
    let all = [
        ("messages", told.records.iter().any(|it| matches!(it, Record::Send(_)))),
        ("late messages", reason(Reason::Late)),
        ("quiet times", reason(Reason::Quiet)),
        ("rates", reason(Reason::Cap)),
        ("stopped runs", reason(Reason::Stopped)),
        ("late calls", outcome("Late")),
        ("calls twice", outcome("Duplicate")),
        ("calls from the future", outcome("Quarantined")),
        ("outages", has(&|entry| matches!(entry, Entry::Up(_)))),
        ("restarts", has(&|entry| matches!(entry, Entry::Restart(_)))),
        ("erasures", has(&|entry| matches!(entry, Entry::Erase(_)))),
        ("joined customers", has(&is_link)),
        ("several customers", told.customers > 3),
        ("goals", !told.goals.is_empty()),
        ("changes of rules", !world.changes.is_empty()),
        ("several changes", world.changes.len() > 1),
        ("cut logs", world.changes.iter().any(|change| change.log_from.is_some())),
        ("runs that a change ended", told.ended > 0),
    ];
    all.into_iter().filter(|(_, happened)| *happened).map(|(name, _)| name).collect()
}

#[test]
fn the_host_does_as_the_reference_whatever_goes_wrong() {
    let (first, seeds) = (setting("SEGUE_FIRST", 0), setting("SEGUE_SEEDS", SEEDS));
    let (mut agreed, mut records) = (0, 0);
    let mut happened: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in first..first + seeds {
        let world = World::of(seed);
        match examine(&world, live) {
            Outcome::Refused => {}
            Outcome::Agreed(told) => {
                agreed += 1;
                records += told.records.len();
                for name in happenings(&world, &told) {
                    *happened.entry(name).or_default() += 1;
                }
            }
            Outcome::Differed(_) => report(seed, world, live),
        }
    }
    println!("{agreed} of {seeds} worlds could be compared and agreed, {records} records; {happened:?}");
    assert!(agreed * 100 >= seeds * 80 || seeds < 100, "too few programs pass the checker");
    assert!(happened.len() == HAPPENINGS || seeds < 300, "something never happened: {happened:?}");
}

#[test]
fn planted_faults_are_found_and_made_small() {
    let all = [
        Fault::SendsWhileDown,
        Fault::TooFar,
        Fault::Skips,
        Fault::KnowsNoArrival,
        Fault::ForgetsAtRest,
        Fault::ForgetsRuns,
        Fault::FillsNothing,
        Fault::FillsTwice,
        Fault::KeepsNothing,
        Fault::EndsUntold,
        Fault::GoesOnAsNew,
    ];
    for fault in all {
        let host = |first: Arc<Program>, changing: &Changing<'_>| {
            plain(first, changing, &|program| Planted {
                executor: engine(fault.program(program), changing.settings),
                fault,
            })
        };
        let mut worlds = (0..SEEDS_PLANTED).map(|seed| (seed, World::of(seed)));
        let found = worlds.find(|(_, world)| matches!(examine(world, host), Outcome::Differed(_)));
        let (seed, world) = found.unwrap_or_else(|| panic!("{fault:?} is not found"));
        let (entries, lines) = (world.log.len(), world.lines());
        let (small, difference) = smallest(world, host);
        let case = text::case(&small, &format!("{fault:?}"));
        println!(
            "{fault:?} is found with seed {seed}, {entries} entries and {lines} lines, made small:\n{case}{difference}\n"
        );
        // A change takes two programs to show.
        let most = 16 * (1 + small.changes.len());
        assert!(
            small.log.len() <= 4 && small.changes.len() <= 1 && small.lines() <= most,
            "{fault:?}: it could be smaller\n{case}"
        );
        // The case file says all that matters: there the fault shows, and without it nothing is wrong.
        let again = text::world(&case);
        assert!(matches!(examine(&again, host), Outcome::Differed(_)), "{case}");
        assert!(matches!(examine(&again, live), Outcome::Agreed(_)), "{case}");
    }
}
