//! Compares machine code with the reference interpreter.

use crate::{
    changing::{Changing, NewRules},
    drive::{Driven, Entry, drive, drive_live},
    generate::{disguise, engage, history, log, program, successor},
    random::Random,
};
use segue_compiler::{
    execution::Execution,
    limits::MAX_IDS,
    project::{Project, Source, compile},
    record::{ActionId, Record},
    reference::Reference,
    settings::Settings,
    typed::{Program, Step, StepKind},
};
use segue_runtime::engine::{Engine, EngineError};
use serde_json::Value;
use std::{collections::BTreeSet, fmt, sync::Arc};

/// What came of one random program and its histories.
#[derive(Debug)]
pub enum Comparison {
    /// The checker refused the program, with these codes.
    Refused(Vec<&'static str>),
    /// Both gave the same on all histories, so many records.
    Agreed(usize),
    /// They differ: a text to print.
    Differed(String),
}

/// Makes a program and some histories from a seed and compares the executors on them.
#[must_use]
pub fn compare(seed: u64, histories: usize) -> Comparison {
    let mut random = Random::new(seed);
    let source = program(&mut random);
    let project = Project {
        sources: vec![Source { name: "generated.segue".to_owned(), text: source.clone() }],
        ..Project::default()
    };
    let checked = compile(&project);
    let Some(program) = checked.program else {
        let errors = checked.diagnostics.iter().filter(|it| it.severity == segue_grammar::Severity::Error);
        return Comparison::Refused(errors.map(|it| it.code).collect());
    };
    let program = Arc::new(program);
    let mut calls = calls(&mut random);
    let first = calls.iter().filter_map(|call| call.get("timestamp")?.as_i64()).min();
    let log_from = if random.chance(15) { first.map(|at| at + 300_000) } else { None };
    let settings = Settings { log_from, ..settings(&mut random) };
    let executors = match executors(&program, &settings) {
        Ok(executors) => executors,
        Err(error) => return Comparison::Differed(format!("seed {seed}\n{source}\n{error}")),
    };
    let mut records = 0;
    for number in 0..histories {
        let history = History::of(&mut random, std::mem::take(&mut calls), &program, &executors.0);
        match history.compare(&program, &executors, settings.settle) {
            Ok(driven) => records += driven.records.len(),
            Err(difference) => {
                return Comparison::Differed(format!(
                    "seed {seed}, history {number}, {settings:?}\n{source}\n{history}\n\n{difference}"
                ));
            }
        }
        calls = self::calls(&mut random);
    }
    Comparison::Agreed(records)
}

/// A random history's calls.
fn calls(random: &mut Random) -> Vec<Value> {
    let mut calls: Vec<Value> = history(random).into_iter().map(|step| step.call).collect();
    disguise(random, &mut calls);
    calls
}

/// What happens to a program.
struct History {
    calls: Vec<Value>,
    /// The same as the log of a live service, where it is one.
    log: Option<Vec<Entry>>,
    until: Option<i64>,
}

impl History {
    fn of(random: &mut Random, mut calls: Vec<Value>, program: &Program, reference: &Reference) -> Self {
        // Most of what waits is over after two hours; schedules come round in days.
        let beyond = if random.chance(15) { 3 * 86_400_000 } else { 7_200_000 };
        let until = calls.iter().filter_map(|call| call.get("timestamp")?.as_i64()).max();
        let until = until.map(|at| at + beyond);
        if program.rules.iter().any(|rule| waits_for(&rule.steps)) {
            let sent = drive(program, reference, &calls, until);
            engage(random, &mut calls, &sent.records);
        }
        let log = random.chance(25).then(|| log(random, &calls));
        Self { calls, log, until }
    }

    fn compare(
        &self,
        program: &Program,
        (reference, engines): &(Reference, [Engine; 2]),
        settle: i64,
    ) -> Result<Driven, String> {
        agreed(
            self.driven(program, reference, settle),
            engines.each_ref().map(|engine| self.driven(program, engine, settle)),
        )
    }

    fn driven<E: Execution>(&self, program: &Program, executor: &E, settle: i64) -> Driven {
        match &self.log {
            Some(log) => drive_live(program, executor, log, settle, self.until),
            None => drive(program, executor, &self.calls, self.until),
        }
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.log {
            Some(log) => log.iter().try_for_each(|entry| writeln!(f, "{entry}")),
            None => self.calls.iter().try_for_each(|call| writeln!(f, "{call}")),
        }
    }
}

fn waits_for(steps: &[Step]) -> bool {
    steps.iter().any(|step| match &step.kind {
        StepKind::WaitFor { .. } => true,
        StepKind::If { arms, otherwise } => {
            arms.iter().any(|(_, steps)| waits_for(steps)) || waits_for(otherwise)
        }
        StepKind::Split(arms) => arms.iter().any(|arm| waits_for(&arm.steps)),
        _ => false,
    })
}

/// As [`compare`], with one or two changes of the rules on the way; nothing where no successor passes the checker.
#[must_use]
pub fn compare_changing(seed: u64) -> Option<Comparison> {
    let mut random = Random::new(seed);
    let first = program(&mut random);
    let mut calls: Vec<Value> = history(&mut random).into_iter().map(|step| step.call).collect();
    disguise(&mut random, &mut calls);
    let times: Vec<i64> = calls.iter().filter_map(|call| call.get("timestamp")?.as_i64()).collect();
    let (begin, end) = (times.iter().min().copied()?, times.iter().max().copied()?);
    let old = checked(&first)?;
    let mut sources = vec![format!("--- rules\n{first}")];
    let mut latest = first;
    let mut changes: Vec<NewRules> = Vec::new();
    for _ in 0..=random.below(2) {
        let near = times[random.below(times.len())] + [0, 1, 30_000][random.below(3)];
        let at = near.max(changes.last().map_or(begin, |last| last.at));
        let log_from = random.chance(25).then(|| begin + (at - begin) / 2);
        for _ in 0..5 {
            let source = successor(&mut random, &latest);
            if let Some(program) = checked(&source) {
                sources.push(format!("--- rules at {at}, log from {log_from:?}\n{source}"));
                changes.push(NewRules { at, program, log_from });
                latest = source;
                break;
            }
        }
    }
    if changes.is_empty() {
        return None;
    }
    let (settings, until) = (settings(&mut random), Some(end + 7_200_000));
    if sources.iter().any(|source| source.contains("wait up to")) {
        let reference = Reference::new(old.clone(), settings.clone());
        let sent = drive(&old, &reference, &calls, until);
        engage(&mut random, &mut calls, &sent.records);
    }
    let live = random.chance(25);
    let entries = || calls.iter().cloned().map(Entry::Call).collect();
    let log = if live { log(&mut random, &calls) } else { entries() };
    let changing =
        Changing { changes: &changes, log: &log, live, until, settings: &settings, is_sparing: false };
    Some(match over_changes(old, &changing) {
        Ok((driven, _)) => Comparison::Agreed(driven.records.len()),
        Err(difference) => {
            let (sources, log) = (sources.concat(), log.iter().map(Entry::to_string).collect::<Vec<_>>());
            Comparison::Differed(format!(
                "seed {seed}, {settings:?}\n{sources}\n{}\n\n{difference}",
                log.join("\n")
            ))
        }
    })
}

fn checked(source: &str) -> Option<Arc<Program>> {
    let sources = vec![Source { name: "generated.segue".to_owned(), text: source.to_owned() }];
    compile(&Project { sources, ..Project::default() }).program.map(Arc::new)
}

/// Settings as projects have them, and some with which few ids are kept, so that what may be a duplicate is met.
fn settings(random: &mut Random) -> Settings {
    let minute = 60_000;
    Settings {
        settle: [0, 0, 0, 5 * minute][random.below(4)],
        lateness: [10 * minute, 10 * minute, 0, 60 * minute][random.below(4)],
        max_ids: [MAX_IDS, MAX_IDS, 3, 12][random.below(4)],
        ..Settings::default()
    }
}

/// Runs both executors, the engine with machine code and without; what they agree on, or how they differ.
///
/// # Errors
/// When they differ, two actions have the same id, or the engine cannot be made.
pub fn difference(program: Arc<Program>, calls: &[Value], until: Option<i64>) -> Result<Driven, String> {
    with_settings(program, calls, until, &Settings::default())
}

/// As [`difference`], under other settings.
///
/// # Errors
/// As [`difference`].
pub fn with_settings(
    program: Arc<Program>,
    calls: &[Value],
    until: Option<i64>,
    settings: &Settings,
) -> Result<Driven, String> {
    let (reference, engines) = executors(&program, settings)?;
    let expected = drive(&program, &reference, calls, until);
    agreed(expected, engines.each_ref().map(|engine| drive(&program, engine, calls, until)))
}

/// As [`with_settings`], over the log of a live service.
///
/// # Errors
/// As [`difference`].
pub fn of_log(
    program: Arc<Program>,
    log: &[Entry],
    until: Option<i64>,
    settings: &Settings,
) -> Result<Driven, String> {
    let (reference, engines) = executors(&program, settings)?;
    let expected = drive_live(&program, &reference, log, settings.settle, until);
    let of = |engine| drive_live(&program, engine, log, settings.settle, until);
    agreed(expected, engines.each_ref().map(of))
}

/// As [`with_settings`] and [`of_log`], with rules that change on the way; gives the program in force at the end, too.
///
/// # Errors
/// As [`difference`].
pub fn over_changes(
    program: Arc<Program>,
    changing: &Changing<'_>,
) -> Result<(Driven, Arc<Program>), String> {
    let settings = changing.settings;
    let reference = |program: Arc<Program>| Ok(Reference::new(program, settings.clone()));
    let compiled =
        |program: Arc<Program>| Engine::new(program, settings.clone()).map_err(|it| it.to_string());
    let interpreting =
        |program: Arc<Program>| Engine::interpreting(program, settings.clone()).map_err(|it| it.to_string());
    let (expected, ..) = changing.drive(&reference, program.clone())?;
    let (actual, _, last) = changing.drive(&compiled, program.clone())?;
    // The reference is told of all that there was; it is the same to be told of what is new only.
    let (interpreted, ..) = Changing { is_sparing: true, ..*changing }.drive(&interpreting, program)?;
    agreed(expected, [actual, interpreted]).map(|driven| (driven, last))
}

/// The reference, and the engine with machine code and without.
fn executors(program: &Arc<Program>, settings: &Settings) -> Result<(Reference, [Engine; 2]), String> {
    let compiled = Engine::new(program.clone(), settings.clone());
    let interpreting = Engine::interpreting(program.clone(), settings.clone());
    let words = |error: EngineError| error.to_string();
    let engines = [compiled.map_err(words)?, interpreting.map_err(words)?];
    Ok((Reference::new(program.clone(), settings.clone()), engines))
}

/// What came of all, if it is the same.
fn agreed(expected: Driven, [actual, interpreted]: [Driven; 2]) -> Result<Driven, String> {
    if expected != actual {
        return Err(first_difference(&expected, &actual));
    }
    if expected != interpreted {
        return Err(format!("the plan interpreted: {}", first_difference(&expected, &interpreted)));
    }
    match repeated_id(&actual.records) {
        Some(id) => Err(format!("two actions have the id {id}")),
        None => Ok(actual),
    }
}

/// An id that more than one action has.
fn repeated_id(records: &[Record]) -> Option<ActionId> {
    let mut known = BTreeSet::new();
    let ids = records.iter().filter_map(|record| match record {
        Record::Send(it) => Some(it.id),
        Record::Call(it) => Some(it.id),
        Record::Suppressed(it) => Some(it.id),
        Record::Held(_) | Record::Segment(_) | Record::Set(_) | Record::Emit(_) => None,
    });
    ids.into_iter().find(|id| !known.insert(*id))
}

fn first_difference(expected: &Driven, actual: &Driven) -> String {
    let print = |record: Option<&Record>| match record {
        Some(record) => serde_json::to_string(record).unwrap_or_else(|error| error.to_string()),
        None => "nothing".to_owned(),
    };
    let count = expected.records.len().max(actual.records.len());
    for number in 0..count {
        let (e, a) = (expected.records.get(number), actual.records.get(number));
        if e != a {
            return format!("record {number}\n  reference: {}\n  machine:   {}", print(e), print(a));
        }
    }
    if expected.goals != actual.goals {
        format!("goals\n  reference: {:?}\n  machine:   {:?}", expected.goals, actual.goals)
    } else if expected.members == actual.members {
        format!(
            "runs\n  reference: {:?}\n  machine:   {:?}\noutcomes\n  reference: {:?}\n  machine:   {:?}",
            expected.fired, actual.fired, expected.outcomes, actual.outcomes
        )
    } else {
        format!("members\n  reference: {:?}\n  machine:   {:?}", expected.members, actual.members)
    }
}
