//! Time per event as windows hold more of them.

use super::{Result, portions::Portions};
use segue_bench::{
    measure::{RUNS, median},
    packs,
};
use std::fmt::Write;

/// Conditions over a window of a day, by what is asked of it.
pub(crate) const CONDITIONS: [(&str, &str); 3] = [
    ("count", r#"did "Product Viewed" where price >= 50 at least 20 times in the last 24 hours"#),
    ("sum", r#"sum of price of "Product Viewed" in the last 24 hours >= 1_000_000_000"#),
    ("largest", r#"largest of price of "Product Viewed" in the last 24 hours >= 1_000"#),
];

/// How long the windows are, in milliseconds.
const WINDOW: u64 = 86_400_000;
/// 2026-01-05 08:00 UTC, in milliseconds.
const START: u64 = 1_767_600_000_000;

/// Time per event of one customer in whose window so many events lie: for each one that comes another leaves.
pub(crate) fn nanoseconds(condition: &str, within: u64, events: u64) -> Result<f64> {
    let rules = format!(
        "event \"Product Viewed\" {{ price: number }}\nsegment s {{ {condition} }}\nrule r {{ when enters s\n  call crm {{ rule: 1 }} }}\n"
    );
    let program = packs::checked(&rules);
    let mut number: u64 = 0;
    let next = |line: &mut String| {
        let at =
            START + u64::try_from(u128::from(number) * u128::from(WINDOW) / u128::from(within)).unwrap_or(0);
        // Writing to a string does not fail.
        let _ = writeln!(
            line,
            r#"{{"type":"track","messageId":"m{number}","userId":"u","event":"Product Viewed","properties":{{"price":{}.5}},"timestamp":{at}}}"#,
            number * 37 % 100,
        );
        number += 1;
        true
    };
    let mut feed = Portions::new(&program, next)?;
    feed.nanoseconds(within + 1)?;
    let times: Result<Vec<f64>> = (0..RUNS).map(|_| feed.nanoseconds(events)).collect();
    Ok(median(times?))
}
