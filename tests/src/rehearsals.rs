//! The tests that rules bring along, run on both executors.

use segue_compiler::{
    reference::Reference,
    settings::Settings,
    typed::{Program, test::Test},
};
use segue_runtime::{
    engine::Engine,
    rehearse::{Rehearsal, rehearse, settings},
};
use std::sync::Arc;

/// Runs every test of a program and gives those that failed, each as a line; the executors must agree on all that
/// happens in them.
///
/// # Panics
/// When they do not.
#[must_use]
pub fn failures(name: &str, program: &Arc<Program>, of_project: &Settings) -> Vec<String> {
    outcomes(program, of_project)
        .into_iter()
        .zip(&program.tests)
        .filter_map(|(outcome, test)| {
            let failure = outcome.failure?;
            let help = failure.help.unwrap_or_default();
            Some(format!("{name}: \"{}\": {} ({help})", test.title, failure.message))
        })
        .collect()
}

/// What comes of every test of a program.
///
/// # Panics
/// When the executors differ.
#[must_use]
pub fn outcomes(program: &Arc<Program>, of_project: &Settings) -> Vec<Rehearsal> {
    let executors = [false, true].map(|holdouts| {
        let settings = settings(of_project, holdouts);
        let engine = Engine::new(program.clone(), settings.clone()).unwrap();
        (engine, Reference::new(program.clone(), settings.clone()), settings)
    });
    let run = |test: &Test| {
        let (engine, reference, settings) = &executors[usize::from(test.holdouts)];
        let machine = rehearse(engine, program, settings, test);
        assert_eq!(machine, rehearse(reference, program, settings, test), "test \"{}\"", test.title);
        machine
    };
    program.tests.iter().map(run).collect()
}
