//! Every example gives what lies beside it, on both executors. `just bless` rewrites what comes out.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use segue_compiler::{
    execution::Execution,
    project::{Project, Source, compile},
    reference::Reference,
    settings::Settings,
    typed::Program,
};
use segue_runtime::{
    engine::Engine,
    load::load,
    replay::{Options, Replay},
    source::Events,
};
use segue_tests::{case::BLESS, feed::feed, rehearsals};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

fn replay<E: Execution + Sync>(executor: E, program: &Arc<Program>, events: &Path) -> String {
    let mut replay = Replay::new(executor, program.clone(), Options::default());
    feed(&mut replay, Events::open(&[events]).unwrap());
    replay.finish().iter().map(|record| serde_json::to_string(&record).unwrap() + "\n").collect()
}

fn example(folder: &Path) {
    let (program, settings) = program(folder);
    let events = folder.join("events.ndjson");
    let machine = replay(Engine::new(program.clone(), settings.clone()).unwrap(), &program, &events);
    let reference = replay(Reference::new(program.clone(), settings), &program, &events);
    assert_eq!(machine, reference, "{}", folder.display());
    let path = folder.join("expected.ndjson");
    if std::env::var_os(BLESS).is_some() {
        fs::write(&path, &machine).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    assert!(machine == expected, "{} gives\n{machine}\nrun `just bless` to accept", folder.display());
}

/// Projects of the examples that hold rules: folders, those within others included.
fn projects() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut found = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let folder = entry.unwrap().path();
        let holds_rules = |path: &Path| path.extension().is_some_and(|it| it == "segue");
        if folder.is_dir() && fs::read_dir(&folder).unwrap().any(|it| holds_rules(&it.unwrap().path())) {
            found.push(folder);
        }
    }
    found.sort();
    found
}

fn program(folder: &Path) -> (Arc<Program>, Settings) {
    let loaded = load(folder).unwrap();
    let sources = loaded.sources.into_iter().map(|(name, text)| Source { name, text }).collect();
    let settings = loaded.config.settings;
    let project = Project { sources, files: loaded.files, time_zone: settings.time_zone.clone() };
    let checked = compile(&project);
    let words: Vec<String> = checked.diagnostics.iter().map(|it| it.message.clone()).collect();
    let program = checked.program.unwrap_or_else(|| panic!("{}: {}", folder.display(), words.join("\n")));
    assert!(words.is_empty(), "{}: {}", folder.display(), words.join("\n"));
    (Arc::new(program), settings)
}

#[test]
fn examples_pass_their_tests() {
    let mut faults = Vec::new();
    for folder in projects() {
        let (program, settings) = program(&folder);
        let name = folder.display().to_string();
        if program.tests.is_empty() {
            faults.push(format!("{name} has no tests"));
        }
        faults.extend(rehearsals::failures(&name, &program, &settings));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn examples_give_what_lies_beside_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut count = 0;
    for entry in fs::read_dir(root).unwrap() {
        let folder = entry.unwrap().path();
        if folder.join("events.ndjson").is_file() {
            example(&folder);
            count += 1;
        }
    }
    assert!(count >= 12, "{count} examples");
}
