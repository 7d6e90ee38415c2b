//! Checking and compiling.

use super::{Result, engine, work};
use segue_bench::{
    measure::{median, seconds},
    packs,
};

/// 1,000 rules of a constant, and 1,000 distinct ones.
pub(crate) fn run() -> Result<()> {
    for (name, rules) in
        [("of a constant", packs::of_a_constant(1_000)), ("distinct", packs::distinct(1_000))]
    {
        let mut checking = Vec::new();
        let mut all = Vec::new();
        for _ in 0..5 {
            let mut program = None;
            checking.push(seconds(&mut || program = Some(packs::checked(&rules))) * 1e3);
            let Some(program) = program else { continue };
            let last = checking.last().copied().unwrap_or(0.0);
            all.push(last + seconds(&mut || work(engine(&program))) * 1e3);
        }
        println!(
            "1,000 rules {name}: checked in {:.0} ms, checked and compiled in {:.0} ms",
            median(checking),
            median(all)
        );
    }
    Ok(())
}
