//! Deterministic simulation: random worlds, in which what can go wrong does, audited by the reference interpreter.
//!
//! A [`World`] is made from a seed: a program and others that take its place under way, the log of a live service with
//! several customers, and faults (calls that arrive twice, late, in another order or from clocks that are wrong, a wall clock
//! that jumps, outages, restarts, erasures, a log that no longer tells of all). [`examine`] hands it to a host, and to the
//! simplest host there is with the reference interpreter. Where they differ, [`shrink`](shrink::shrink) makes the world
//! smaller as long as they do, and [`case`](text::case) writes it as a case file.

pub mod host;
pub mod live;
pub mod planted;
pub mod shrink;
pub mod text;
pub mod world;

pub use host::{Told, plain};
pub use live::hosted;
pub use world::{Successor, World};

use crate::changing::{Changing, NewRules};
use segue_compiler::{
    project::{Project, Source, compile},
    reference::Reference,
    settings::Settings,
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
    /// The checker refuses its program, or one that takes its place.
    Refused,
    /// The host did as the reference interpreter.
    Agreed(Told),
    /// It did not: how.
    Differed(String),
}

/// Hands what happens under a first program to a host, and audits what comes of it.
pub fn examine(world: &World, host: impl FnOnce(Arc<Program>, &Changing<'_>) -> Told) -> Outcome {
    let Some((first, changes)) = checked(world) else { return Outcome::Refused };
    let settings = world.settings();
    audit(first, &world.happening(&changes, &settings), host)
}

/// Whether a host does as the reference interpreter with the simplest one.
pub fn audit(
    first: Arc<Program>,
    changing: &Changing<'_>,
    host: impl FnOnce(Arc<Program>, &Changing<'_>) -> Told,
) -> Outcome {
    let reference = |program: Arc<Program>| Reference::new(program, changing.settings.clone());
    let expected = plain(first.clone(), changing, &reference);
    let actual = catch_unwind(AssertUnwindSafe(|| host(first, changing)));
    match actual {
        Ok(actual) if actual == expected => Outcome::Agreed(actual),
        Ok(actual) => Outcome::Differed(expected.difference(&actual)),
        Err(_) => Outcome::Differed("the host panicked".to_owned()),
    }
}

/// The programs of a world, if they pass the checker.
#[must_use]
pub fn checked(world: &World) -> Option<(Arc<Program>, Vec<NewRules>)> {
    let change = |successor: &Successor| {
        let program = program_of(&successor.rules.concat())?;
        Some(NewRules { at: successor.at, program, log_from: successor.log_from })
    };
    let changes: Option<Vec<NewRules>> = world.changes.iter().map(change).collect();
    Some((program_of(&world.rules.concat())?, changes?))
}

/// The program of a text, if it passes the checker.
#[must_use]
pub fn program_of(text: &str) -> Option<Arc<Program>> {
    let sources = vec![Source { name: "simulated.segue".to_owned(), text: text.to_owned() }];
    compile(&Project { sources, ..Project::default() }).program.map(Arc::new)
}

/// The engine of a program.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn engine(program: Arc<Program>, settings: &Settings) -> Engine {
    Engine::new(program, settings.clone()).unwrap()
}

/// The live host of machine code.
#[must_use]
pub fn live(first: Arc<Program>, changing: &Changing<'_>) -> Told {
    hosted(first, changing, &|program| engine(program, changing.settings))
}

/// A world as small as it can be made while the host still differs, and how it differs there.
pub fn smallest(world: World, host: impl Fn(Arc<Program>, &Changing<'_>) -> Told) -> (World, String) {
    let fails = |world: &World| matches!(examine(world, &host), Outcome::Differed(_));
    let small = shrink::shrink(world, fails);
    let Outcome::Differed(difference) = examine(&small, &host) else { return (small, String::new()) };
    (small, difference)
}

/// Shows a failure: the smallest world in which it is one, as a case file.
///
/// # Panics
/// Always: it is a failure.
pub fn report(seed: u64, world: World, host: impl Fn(Arc<Program>, &Changing<'_>) -> Told) {
    let (small, difference) = smallest(world, host);
    let case = text::case(&small, &format!("Found by simulation {seed}."));
    let path = std::env::temp_dir().join(format!("simulation_{seed}.case"));
    let written =
        fs::write(&path, &case).map_or_else(|error| error.to_string(), |()| path.display().to_string());
    panic!(
        "seed {seed}: {difference}\n\n{case}\nwritten to {written}\nagain: SEGUE_FIRST={seed} SEGUE_SEEDS=1 cargo test -p segue-tests --test simulation -- --nocapture"
    );
}
