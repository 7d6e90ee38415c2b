//! Machine code against the reference interpreter on random programs and histories.
//!
//! `SEGUE_SEEDS=200000 cargo test --release -p segue-tests --test differential -- --nocapture` tries more of them,
//! `SEGUE_FIRST=N` begins at another seed. `SEGUE_HISTORIES=N` is how many histories each program gets.

use segue_tests::difference::{Comparison, compare};
use std::collections::BTreeMap;

/// How many programs a run of the tests tries.
const SEEDS: u64 = 4_000;
/// How many histories each of them gets: making a program ready costs as much as several of them.
const HISTORIES: u64 = 6;
/// The share of programs, in percent, that must pass the checker.
const PASS_PERCENT: u64 = 80;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn machine_code_agrees_with_the_reference() {
    let (first, seeds) = (setting("SEGUE_FIRST", 0), setting("SEGUE_SEEDS", SEEDS));
    let histories = setting("SEGUE_HISTORIES", HISTORIES);
    let (mut agreed, mut records) = (0, 0);
    let mut refused: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in first..first + seeds {
        match compare(seed, usize::try_from(histories).unwrap_or(1)) {
            Comparison::Agreed(count) => {
                agreed += 1;
                records += count;
            }
            Comparison::Refused(codes) => {
                for code in codes.into_iter().take(1) {
                    *refused.entry(code).or_default() += 1;
                }
            }
            Comparison::Differed(difference) => panic!(
                "{difference}\n\nagain: SEGUE_FIRST={seed} SEGUE_SEEDS=1 cargo test -p segue-tests --test differential"
            ),
        }
    }
    println!(
        "{agreed} of {seeds} programs passed the checker and agreed on {histories} histories each: {} pairs, {records} records; refused: {refused:?}",
        agreed * histories
    );
    assert!(
        agreed * 100 >= seeds * PASS_PERCENT || seeds < 100,
        "too few programs pass the checker: {refused:?}"
    );
    assert!(records > 0 || seeds < 100, "nothing happened in any history");
}
