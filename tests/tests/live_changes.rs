//! Customers hosted live while rules change: machine code of what was in force before is let go. That the same comes out as
//! of the simplest host is compared by `simulation.rs`.

use segue_compiler::{settings::Settings, succession::succession, typed::Program};
use segue_runtime::{live::Live, source::Envelope};
use segue_tests::{
    machine_code,
    simulate::{engine, program_of},
};
use std::{num::NonZeroUsize, sync::Arc};

#[test]
fn machine_code_of_rules_that_are_no_longer_in_force_is_freed() {
    const CHANGES: u32 = 30;
    let _turn = machine_code::turn();
    let settings = Settings::default();
    let rules = |number: u32| {
        let rules = (0..50).map(|rule| {
            format!("rule r{rule} {{ when \"A\" where n > {number}  wait 1 day  call crm {{ about: event.n + {number} }} }}\n")
        });
        program_of(&format!("event \"A\" {{ n: number }}\n{}", rules.collect::<String>())).unwrap()
    };
    let host = |program: &Arc<Program>| {
        let engine = Arc::new(engine(program.clone(), &settings));
        Live::new(engine, settings.settle, NonZeroUsize::MIN, 0)
    };
    let mut program = rules(0);
    let mut live = host(&program);
    let call = r#"{"type": "track", "event": "A", "userId": "ada", "messageId": "m", "timestamp": 1000, "properties": {"n": 1e6}}"#;
    live.calls([Envelope::parse(call.as_bytes()).unwrap().received(1_000)]);
    let mut early = None;
    for number in 1..CHANGES {
        let at = 2_000 + i64::from(number);
        let under_way = live.before_change(at);
        program = Arc::new(succession(&program, &rules(number), (at, None), &under_way));
        let listening = Arc::new(engine(program.clone(), &settings));
        let told = live.listener(listening, settings.settle, None, 0);
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
