//! Deterministic simulation: random worlds, in which what can go wrong does, audited by the reference interpreter.
//!
//! A [`World`] is made from a seed: a program, the log of a live service with several customers, and faults (calls that
//! arrive twice, late, in another order or from clocks that are wrong, a wall clock that jumps, outages, restarts, erasures).
//! [`examine`] hands it to a [`Host`] and to the simplest host there is, with the reference interpreter. Where they differ,
//! [`shrink`](shrink::shrink) makes the world smaller as long as they do, and [`case`](text::case) writes it as a case file.

pub mod host;
pub mod live;
pub mod planted;
pub mod shrink;
pub mod text;
pub mod world;

pub use host::{Host, Plain, Told};
pub use live::Hosted;
pub use world::World;

use segue_compiler::{
    project::{Project, Source, compile},
    reference::Reference,
    typed::Program,
};
use segue_runtime::engine::Engine;
use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// What came of a world.
#[derive(Debug)]
pub enum Outcome {
    /// The checker refuses its program.
    Refused,
    /// The host did as the reference interpreter.
    Agreed(Told),
    /// It did not: how.
    Differed(String),
}

/// Hands a world to a host, and audits what comes of it.
pub fn examine<H: Host>(world: &World, host: impl FnOnce(Arc<Program>, &World) -> H) -> Outcome {
    let Some(program) = checked(world) else { return Outcome::Refused };
    let reference = Reference::new(program.clone(), world.settings());
    let expected = told(&program, world, Plain::new(reference, world));
    let actual = catch_unwind(AssertUnwindSafe(|| told(&program, world, host(program.clone(), world))));
    match actual {
        Ok(actual) if actual == expected => Outcome::Agreed(actual),
        Ok(actual) => Outcome::Differed(expected.difference(&actual)),
        Err(_) => Outcome::Differed("the host panicked".to_owned()),
    }
}

fn told<H: Host>(program: &Program, world: &World, mut host: H) -> Told {
    world.log.iter().for_each(|entry| host.take(entry));
    host.finish(program, world.until)
}

/// The program of a world, if it passes the checker.
#[must_use]
pub fn checked(world: &World) -> Option<Arc<Program>> {
    let sources = vec![Source { name: "simulated.segue".to_owned(), text: world.source() }];
    compile(&Project { sources, ..Project::default() }).program.map(Arc::new)
}

/// The engine of a world.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn engine(program: Arc<Program>, world: &World) -> Engine {
    Engine::new(program, world.settings()).unwrap()
}

/// A world as small as it can be made while the host still differs, and how it differs there.
pub fn smallest<H: Host>(world: World, host: impl Fn(Arc<Program>, &World) -> H) -> (World, String) {
    let fails = |world: &World| matches!(examine(world, &host), Outcome::Differed(_));
    let small = shrink::shrink(world, fails);
    let Outcome::Differed(difference) = examine(&small, &host) else { return (small, String::new()) };
    (small, difference)
}

/// Shows a failure: the smallest world in which it is one, as a case file.
///
/// # Panics
/// Always: it is a failure.
pub fn report<H: Host>(seed: u64, world: World, host: impl Fn(Arc<Program>, &World) -> H) {
    let (small, difference) = smallest(world, host);
    let case = text::case(&small, &format!("Found by simulation {seed}."));
    let path = std::env::temp_dir().join(format!("simulation_{seed}.case"));
    let written =
        fs::write(&path, &case).map_or_else(|error| error.to_string(), |()| path.display().to_string());
    panic!(
        "seed {seed}: {difference}\n\n{case}\nwritten to {written}\nagain: SEGUE_FIRST={seed} SEGUE_SEEDS=1 cargo test -p segue-tests --test simulation -- --nocapture"
    );
}
