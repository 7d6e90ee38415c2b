//! Machine code against the reference interpreter while rules change: random programs, and random successors of them.
//!
//! `SEGUE_SEEDS=100000 cargo test --release -p segue-tests --test successions -- --nocapture` tries more of them,
//! `SEGUE_FIRST=N` begins at another seed.

use segue_tests::difference::{Comparison, compare_changing};

/// How many seeds a run of the tests tries.
const SEEDS: u64 = 500;
/// The share of them, in percent, that must have a successor that passes the checker.
const CHANGED_PERCENT: u64 = 60;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn machine_code_agrees_with_the_reference_over_changes_of_rules() {
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
