//! Machine code against the reference interpreter.

use super::{Result, engine, replay, replay_with, stream_file, work};
use segue_bench::{measure::compare, packs, stream::Shape};
use segue_compiler::{reference::Reference, settings::Settings};

/// The 20-rule pack by either.
pub(crate) fn run() -> Result<()> {
    let file = stream_file(Shape { customers: 10_000, events: 200_000 })?;
    let program = packs::checked(packs::ORDINARY);
    let machine = engine(&program)?;
    let reference = || Reference::new(program.clone(), Settings::default());
    let (a, b, ratio) = compare(
        || work(replay_with(reference(), &program, &file, 1)),
        || work(replay(&machine, &program, &file)),
    );
    println!("reference {a:.3} s, machine code {b:.3} s: {ratio:.1} ×");
    Ok(())
}
