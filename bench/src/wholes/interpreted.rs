//! Machine code against an interpreter of the same plan, and against the reference interpreter.

use super::{Result, engine, replay, replay_with, settings, stream_file, work};
use segue_bench::{measure::compare, packs, stream::Shape};
use segue_compiler::reference::Reference;
use segue_runtime::engine::Engine;
use std::sync::Arc;

/// The 20-rule pack by either.
pub(crate) fn run() -> Result<()> {
    let file = stream_file(Shape { customers: 10_000, events: 200_000 })?;
    let program = packs::checked(packs::ORDINARY);
    let machine = engine(&program)?;
    let interpreting = Arc::new(Engine::interpreting(program.clone(), settings())?);
    let (a, b, ratio) =
        compare(|| work(replay(&interpreting, &program, &file)), || work(replay(&machine, &program, &file)));
    println!("plan interpreted {a:.3} s, machine code {b:.3} s: {ratio:.2} ×");
    let reference = || Reference::new(program.clone(), settings());
    let (a, b, ratio) = compare(
        || work(replay_with(reference(), &program, &file, 1)),
        || work(replay(&machine, &program, &file)),
    );
    println!("reference {a:.3} s, machine code {b:.3} s: {ratio:.1} ×");
    Ok(())
}
