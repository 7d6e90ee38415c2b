//! The known figures of the CDNOW purchase histories (tests/data/README.md), on both executors.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use segue_compiler::{
    execution::Execution,
    project::{Project, Source, compile},
    record::{Change, Record},
    reference::Reference,
    settings::Settings,
    time::parse_instant,
    typed::Program,
};
use segue_runtime::{
    engine::Engine,
    replay::{Options, Replay},
    source::Events,
};
use segue_tests::feed::feed;
use std::{fs, path::PathBuf, sync::Arc};

const DAY: i64 = 86_400_000;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn program() -> Arc<Program> {
    let path = root().join("examples/cdnow/rules.segue");
    let source = Source { name: "rules.segue".to_owned(), text: fs::read_to_string(path).unwrap() };
    let checked = compile(&Project { sources: vec![source], ..Project::default() });
    Arc::new(checked.program.unwrap_or_else(|| panic!("{:?}", checked.diagnostics)))
}

fn replay<E: Execution + Sync>(executor: E, program: &Arc<Program>, until: i64) -> (Vec<Record>, Replay<E>) {
    let options = Options { until: Some(until), members: true, ..Options::default() };
    let mut replay = Replay::new(executor, program.clone(), options);
    feed(&mut replay, Events::open(&[root().join("tests/data/cdnow_sample.ndjson.gz")]).unwrap());
    (replay.finish().iter().collect(), replay)
}

#[test]
fn the_known_figures_are_met_and_both_executors_agree() {
    let until = parse_instant("1998-06-30").unwrap();
    let (program, settings) = (program(), Settings { until: Some(until), ..Settings::default() });
    let (records, machine) = replay(Engine::new(program.clone(), settings.clone()).unwrap(), &program, until);
    let (expected, _) = replay(Reference::new(program.clone(), settings), &program, until);
    assert_eq!(records, expected);

    assert_eq!(machine.summary().applied, 6_919);
    assert_eq!(machine.summary().customers, 2_357);
    let members = |name: &str| machine.members(program.segment(name).unwrap()).len();
    assert_eq!(members("one_order"), 1_205);
    assert_eq!(members("repeat_buyer"), 1_152);
    assert_eq!(members("big_spender"), 76);
    assert_eq!(members("lapsed"), 2_058);

    let entered: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            Record::Segment(it) if &*it.segment == "lapsed" && it.change == Change::Enter => Some(it),
            _ => None,
        })
        .collect();
    assert_eq!(entered.len(), 3_143);
    // Orders carry a day only, so that 90 days after one is a midnight.
    assert!(entered.iter().all(|it| it.at.0 % DAY == 0));
}
