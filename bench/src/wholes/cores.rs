//! Threads that share the customers.

use super::{Result, engine, replay_with, stream_file, work};
use segue_bench::{
    measure::{compare, time},
    packs,
    stream::Shape,
};
use std::thread;

/// The 20-rule pack on two threads against one; and what is possible: twice the pack, by two threads that share nothing.
pub(crate) fn run() -> Result<()> {
    let file = stream_file(Shape { customers: 100_000, events: 1_000_000 })?;
    let program = packs::checked(packs::ORDINARY);
    let machine = engine(&program)?;
    let (one, two, ratio) = compare(
        || work(replay_with(machine.clone(), &program, &file, 1)),
        || work(replay_with(machine.clone(), &program, &file, 2)),
    );
    println!("one thread {one:.2} s, two {two:.2} s: {ratio:.2} ×");
    let (one, apart, _) = compare(
        || work(replay_with(machine.clone(), &program, &file, 1)),
        || {
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| work(replay_with(machine.clone(), &program, &file, 1)));
                }
            });
        },
    );
    println!(
        "all of it on each of two threads {apart:.2} s: {:.2} ×, what two processors give",
        2. * one / apart
    );
    Ok(())
}

/// Events a second of the 20-rule pack on so many threads.
pub(crate) fn throughput(shape: Shape, threads: usize) -> Result<f64> {
    let file = stream_file(shape)?;
    let program = packs::checked(packs::ORDINARY);
    let machine = engine(&program)?;
    let seconds = time(|| work(replay_with(machine.clone(), &program, &file, threads)));
    Ok(shape.events as f64 / seconds)
}
