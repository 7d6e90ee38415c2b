//! Random worlds.

use super::program_of;
use crate::{
    changing::{Changing, NewRules},
    drive::Entry,
    generate::{disguise, history, log, program, successor},
    random::Random,
};
use segue_compiler::settings::Settings;
use serde_json::{Value, json};
use std::iter;

/// The most calls of a part of the customers: enough for a few matches, and few enough to be looked through.
const CALLS: usize = 16;
/// The parts of the customers, each with a history of its own.
const NAMES: [[(&str, &str); 5]; 2] = [
    [("ada", "ada"), ("bob", "bob"), ("x", "anon_x"), ("y", "anon_y"), ("z", "anon_z")],
    [("ada", "cleo"), ("bob", "dan"), ("x", "anon_y"), ("y", "anon_u"), ("z", "anon_v")],
];
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// How many successors of a program are tried until one passes the checker.
const SUCCESSORS: usize = 5;

/// A program, and what happens to a host of it.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// The declarations of the program, one after the other.
    pub rules: Vec<String>,
    /// The programs that take its place under way, in order.
    pub changes: Vec<Successor>,
    /// For how long calls settle, in milliseconds.
    pub settle: i64,
    /// How late calls may be that start something, in milliseconds.
    pub lateness: i64,
    /// What arrives, what goes wrong, and how time goes on.
    pub log: Vec<Entry>,
    /// The end of time.
    pub until: i64,
}

/// A program that takes the place of another one.
#[derive(Clone, Debug, PartialEq)]
pub struct Successor {
    /// When: before the first entry of the log that comes at this time or later.
    pub at: i64,
    /// Its declarations.
    pub rules: Vec<String>,
    /// What came before this is in the log no more.
    pub log_from: Option<i64>,
}

impl World {
    /// Makes a world from a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let source = program(&mut random);
        let calls = calls(&mut random);
        let mut log = log(&mut random, &calls);
        again(&mut random, &mut log);
        erasures(&mut random, &mut log);
        restarts(&mut random, &mut log);
        let latest = log.iter().filter_map(time).max().unwrap_or_default();
        let changes = changes(&mut random, &source, &log);
        let beyond = if random.chance(15) { 3 * DAY } else { 120 * MINUTE };
        Self {
            rules: declarations(&source),
            changes,
            settle: [0, 0, 5 * MINUTE][random.below(3)],
            lateness: [10 * MINUTE, 10 * MINUTE, 0, 60 * MINUTE][random.below(4)],
            log,
            until: latest + beyond,
        }
    }

    /// What happens, with the programs of the changes.
    #[must_use]
    pub fn happening<'w>(&'w self, changes: &'w [NewRules], settings: &'w Settings) -> Changing<'w> {
        Changing { changes, log: &self.log, live: true, until: Some(self.until), settings, is_sparing: false }
    }

    /// How many lines its programs have.
    #[must_use]
    pub fn lines(&self) -> usize {
        let all = self.rules.iter().chain(self.changes.iter().flat_map(|change| &change.rules));
        all.map(|declaration| declaration.lines().count()).sum()
    }

    /// What both executors obey.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings { settle: self.settle, lateness: self.lateness, ..Settings::default() }
    }
}

/// The declarations of a source: what begins at the margin, up to the next.
fn declarations(source: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in source.split_inclusive('\n') {
        match all.last_mut().filter(|_| line.starts_with([' ', '}'])) {
            Some(declaration) => declaration.push_str(line),
            None => all.push(line.to_owned()),
        }
    }
    all
}

/// The calls of all customers, as they happen.
fn calls(random: &mut Random) -> Vec<Value> {
    let mut all: Vec<(i64, Value)> = Vec::new();
    for (names, part) in NAMES.iter().zip(0..=random.below(NAMES.len())) {
        let mut calls: Vec<Value> = history(random).into_iter().map(|step| step.call).take(CALLS).collect();
        introduce(random, &mut calls);
        disguise(random, &mut calls);
        let mut latest = i64::MIN;
        for mut call in calls {
            rename(&mut call, names, part);
            latest = latest.max(call.get("timestamp").and_then(Value::as_i64).unwrap_or_default());
            all.push((latest, call));
        }
    }
    // Stable: those of one part keep their order.
    all.sort_by_key(|(latest, _)| *latest);
    all.into_iter().map(|(_, call)| call).collect()
}

/// Most customers have agreed to be written to before they do anything, so that messages are sent.
fn introduce(random: &mut Random, calls: &mut Vec<Value>) {
    let Some(first) = calls.iter().filter_map(|call| call.get("timestamp")?.as_i64()).min() else { return };
    for customer in ["ada", "bob"] {
        if random.chance(70) {
            let traits = json!({"phone": "+4790000000", "email": "ada@example.com",
                "consent": {"sms": true, "email": true}});
            let call = json!({"type": "identify", "messageId": format!("hello_{customer}"), "userId": customer,
                "timestamp": first, "traits": traits});
            calls.insert(0, call);
        }
    }
}

/// Gives a call the names and ids of its part.
fn rename(call: &mut Value, names: &[(&str, &str)], part: usize) {
    let Some(fields) = call.as_object_mut() else { return };
    for key in ["userId", "anonymousId", "previousId"] {
        if let Some(value) = fields.get_mut(key)
            && let Some((_, name)) = names.iter().find(|(old, _)| value == old)
        {
            *value = json!(name);
        }
    }
    if let Some(Value::String(id)) = fields.get_mut("messageId") {
        *id = format!("{id}{}", ["", "b"][part]);
    }
}

/// Calls arrive a second time, later.
fn again(random: &mut Random, log: &mut Vec<Entry>) {
    for _ in 0..random.below(4) {
        let (first, second) = (random.below(log.len()), random.below(log.len()));
        let Some(Entry::Call(call)) = log.get(first.min(second)) else { continue };
        let mut call = call.clone();
        let arrival = log.get(first.max(second)).and_then(time);
        if let (Some(fields), Some(arrival)) = (call.as_object_mut(), arrival) {
            fields.insert("receivedAt".to_owned(), json!(arrival));
            log.insert(first.max(second) + 1, Entry::Call(call));
        }
    }
}

fn erasures(random: &mut Random, log: &mut Vec<Entry>) {
    for _ in 0..random.below(6).saturating_sub(3) {
        let names = NAMES[random.below(2)];
        let customer = names[random.below(2)].1.to_owned();
        log.insert(random.below(log.len() + 1), Entry::Erase(customer));
    }
}

fn restarts(random: &mut Random, log: &mut Vec<Entry>) {
    for _ in 0..random.below(5) {
        log.insert(random.below(log.len() + 1), Entry::Restart(1 + random.below(3)));
    }
}

/// Other rules take the place of those in force up to three times, and sometimes the log no longer tells of all.
fn changes(random: &mut Random, source: &str, log: &[Entry]) -> Vec<Successor> {
    let times: Vec<i64> = log.iter().filter_map(time).collect();
    let mut all: Vec<Successor> = Vec::new();
    let Some(begin) = times.first().copied() else { return all };
    let mut latest = source.to_owned();
    for _ in 0..[0, 0, 1, 1, 2, 3][random.below(6)] {
        let near = times[random.below(times.len())] + [0, 1, 30_000][random.below(3)];
        let at = near.max(all.last().map_or(begin, |last| last.at));
        let log_from = random.chance(25).then(|| begin + (at - begin) / 2);
        let tried = (0..SUCCESSORS).map(|_| successor(random, &latest));
        if let Some(next) = tried.into_iter().find(|next| program_of(next).is_some()) {
            all.push(Successor { at, rules: declarations(&next), log_from });
            latest = next;
        }
    }
    all
}

/// How far the wall clock has come with an entry.
#[must_use]
pub fn time(entry: &Entry) -> Option<i64> {
    match entry {
        Entry::Call(call) => call.get("receivedAt").and_then(Value::as_i64),
        Entry::Clock(at) | Entry::Up(at) => Some(*at),
        Entry::Erase(_) | Entry::Restart(_) => None,
    }
}

/// The customers that a log names, by any of their ids.
#[must_use]
pub fn names(log: &[Entry]) -> Vec<String> {
    let of_call = |call: &Value| {
        let ids = ["userId", "anonymousId", "previousId"];
        ids.iter().filter_map(|key| Some(call.get(key)?.as_str()?.to_owned())).collect::<Vec<_>>()
    };
    let mut all: Vec<String> = log
        .iter()
        .flat_map(|entry| match entry {
            Entry::Call(call) => of_call(call),
            Entry::Erase(customer) => iter::once(customer.clone()).collect(),
            Entry::Clock(_) | Entry::Up(_) | Entry::Restart(_) => Vec::new(),
        })
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}
