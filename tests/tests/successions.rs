//! Machine code against the reference interpreter while rules change: random programs, and random successors of them.
//!
//! `SEGUE_SEEDS=100000 cargo test --release -p segue-tests --test successions -- --nocapture` tries more of them,
//! `SEGUE_FIRST=N` begins at another seed.

use segue_compiler::{
    event::{Call, Incoming},
    execution::{Execution, Output},
    project::{Project, Source, compile},
    settings::Settings,
    succession::succession,
    typed::Program,
};
use segue_runtime::engine::Engine;
use segue_tests::{
    difference::{Comparison, compare_changing},
    machine_code,
};
use std::{collections::BTreeSet, sync::Arc};

/// How many seeds a run of the tests tries.
const SEEDS: u64 = 500;
/// The share of them, in percent, that must have a successor that passes the checker.
const CHANGED_PERCENT: u64 = 60;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn machine_code_agrees_with_the_reference_over_changes_of_rules() {
    let _turn = machine_code::turn();
    let (first, seeds) = (setting("SEGUE_FIRST", 0), setting("SEGUE_SEEDS", SEEDS));
    let (mut agreed, mut records) = (0, 0);
    for seed in first..first + seeds {
        match compare_changing(seed) {
            Some(Comparison::Agreed(count)) => {
                agreed += 1;
                records += count;
            }
            Some(Comparison::Differed(difference)) => panic!(
                "{difference}\n\nagain: SEGUE_FIRST={seed} SEGUE_SEEDS=1 cargo test -p segue-tests --test successions"
            ),
            Some(Comparison::Refused(_)) | None => {}
        }
    }
    println!("{agreed} of {seeds} programs were changed and agreed, {records} records");
    assert!(
        agreed * 100 >= seeds * CHANGED_PERCENT || seeds < 100,
        "too few programs have successors: {agreed}"
    );
    assert!(records > 0 || seeds < 100, "nothing happened in any history");
}

/// Rules that wait, of which there are so many versions as there are numbers.
fn rules(number: u32) -> Program {
    let rules = (0..40).map(|rule| {
        format!("rule r{rule} {{ when \"A\" where n > {number}  wait 1 day  call crm {{ about: event.n + {number} }} }}\n")
    });
    let text = format!("event \"A\" {{ n: number }}\n{}", rules.collect::<String>());
    let sources = vec![Source { name: "rules.segue".to_owned(), text }];
    compile(&Project { sources, ..Project::default() }).program.unwrap_or_default()
}

#[test]
fn what_is_no_longer_in_force_is_freed() {
    const CHANGES: u32 = 40;
    let _turn = machine_code::turn();
    let engine = |program: &Arc<Program>| Engine::new(program.clone(), Settings::default()).ok();
    let mut program = Arc::new(rules(0));
    let Some(mut before) = engine(&program) else { return };
    let mut out = Output::default();
    let mut customer = before.customer(Arc::from("ada"));
    let properties = segue_compiler::json::JsonText::parse("{\"n\": 1000}").ok();
    let call = Call::Track { event: "A", properties, name: None };
    let incoming = Incoming { message_id: "m", at: 1_000, received_at: None, time_zone: None, call };
    before.apply(&mut customer, &incoming, &mut out);
    let mut early = None;
    for number in 1..CHANGES {
        let under_way = before.under_way(&customer);
        assert_eq!(under_way.len(), 40);
        program = Arc::new(succession(&program, &rules(number), (1_000, None), &under_way));
        let Some(after) = engine(&program) else { return };
        let told = after.customer(Arc::from("ada"));
        customer = after.carry((&before, &after.passage(&before)), customer, told, &mut out);
        // The runs are of the first version all the time: no other one is kept.
        assert_eq!(program.rules.len(), 80);
        before = after;
        if number == 4 {
            early = machine_code::bytes();
        }
    }
    machine_code::assert_let_go(early, CHANGES as usize);
    let under_way: BTreeSet<u32> = before.under_way(&customer);
    before.advance(&mut customer, 86_400_000 + 1_000, &mut out);
    assert_eq!((under_way.len(), out.records.len(), before.under_way(&customer).len()), (40, 40, 0));
}
