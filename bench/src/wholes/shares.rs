//! What the kinds of rules in the 20-rule pack take: the pack with one kind alone against the whole of it.

use super::{Result, engine, replay, stream_file, work};
use segue_bench::{measure::compare, packs, stream::Shape};

/// Each kind alone, and nothing but declarations.
pub(crate) fn run(shape: Shape) -> Result<()> {
    let file = &stream_file(shape)?;
    let whole = packs::checked(packs::ORDINARY);
    let of_whole = engine(&whole)?;
    let each = |seconds: f64| seconds / shape.events as f64 * 1e9;
    for (kind, rules) in packs::kinds_of_ordinary() {
        let program = packs::checked(&rules);
        let engine = engine(&program)?;
        let (alone, all, ratio) =
            compare(|| work(replay(&engine, &program, file)), || work(replay(&of_whole, &whole, file)));
        println!("{kind}: {:.0} ns an event, {ratio:.2} of {:.0} ns", each(alone), each(all));
    }
    Ok(())
}
