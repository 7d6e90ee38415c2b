//! Time per event as rules grow.

use super::{Result, engine, replay, stream_file, work};
use segue_bench::{measure::time, packs, stream::Shape};

/// What the rules run over.
const SHAPE: Shape = Shape { customers: 10_000, events: 200_000 };
/// Which part of the stream's events distinct rules look at: views of products, without `identify` calls.
const VIEWS: f64 = 0.51;

/// Rules of a constant against ten of them, and what a distinct rule costs.
pub(crate) fn run() -> Result<()> {
    let mut base = None;
    for count in [10, 1_000, 10_000] {
        let time = nanoseconds(SHAPE, &packs::of_a_constant(count))?;
        let base = *base.get_or_insert(time);
        println!("{count} rules of a constant: {time:.0} ns an event, {:.2} × of 10", time / base);
    }
    let one = nanoseconds(SHAPE, &packs::distinct(1))?;
    let many = nanoseconds(SHAPE, &packs::distinct(1_000))?;
    println!("1,000 distinct rules: {:.1} ns a rule and event", (many - one) / VIEWS / 999.0);
    Ok(())
}

/// Time per event of a pack, from a file to decisions.
pub(crate) fn nanoseconds(shape: Shape, rules: &str) -> Result<f64> {
    let file = stream_file(shape)?;
    let program = packs::checked(rules);
    let engine = engine(&program)?;
    let seconds = time(|| work(replay(&engine, &program, &file)));
    Ok(seconds / shape.events as f64 * 1e9)
}
