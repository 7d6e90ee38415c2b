//! Case files: rules, calls, and what comes out of them on both executors.
//!
//! ```text
//! # What this case is about.
//! segment loyal { did "Order Completed" at least 2 times }
//! --- run until 2026-01-06 00:00, consent assumed
//! 2026-01-05 10:00 ada "Order Completed" {"total": 20}
//! 2026-01-05 11:00 ada "Order Completed" {"total": 30}
//! --- records
//! 2026-01-05 11:00 ada enters loyal
//! ```
//!
//! A call is `TIME CUSTOMER "Event" JSON`, `TIME CUSTOMER identify JSON` or `TIME CUSTOMER group NAME`; after it
//! `id=ID` gives a message id, `zone=NAME` a time zone and `arrived=TIME` the arrival, with `T` before the hour;
//! a customer whose name begins with `anon` is anonymous; `identify JSON was=ID` and `alias was=ID` say who one is;
//! `times=COUNT` stands for so many calls, each a second after the one before, with ids of their own. `erase CUSTOMER`
//! forgets somebody. Words after `run` are settings: `until TIME`, `consent assumed`, `lateness MINUTES`, `dedupe MINUTES`,
//! `settle MINUTES`, `log from TIME`, `zone NAME` (the project's).
//!
//! With `live` among the settings the wall clock moves the customers' clocks, too, as in the service. A call arrives when it
//! happens, unless it says `arrived=TIME`; `clock TIME` says that the wall clock has come there, and
//! `down FROM until TO` that it had come to the first time when the service failed, which came up at the second; `up TIME` is
//! the second half of that. `restart COUNT` lets the host go on from the bytes that it kept, with so many shards.
//!
//! Rules below `--- rules at TIME` take the place of those above them before the first entry that comes then or later; after
//! it, `, log from TIME` says from when on the log tells of everything then.
//!
//! The lines below `--- file NAME` are a content file.
//!
//! Where rules have goals, what came of them stands after the records, below `--- goals`. Every case runs on the reference
//! interpreter and on machine code, and nothing else than what is written may come out. The live host, to which the calls come
//! as they happen or after those before them, must do what the simplest host does.

use crate::{
    changing::{Changing, NewRules},
    difference::over_changes,
    drive::{Driven, Entry},
    simulate::{Outcome, audit, live},
};
use segue_compiler::{
    execution::Counts,
    project::{Project, Source, compile},
    record::{Change, Instant, Json, Reason, Record},
    settings::{ConsentPolicy, Settings},
    time::{Zone, parse_local},
    typed::Program,
    value::Millis,
};
use segue_runtime::engine::Engine;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Write, fs, path::Path, sync::Arc};

/// Set to rewrite the records of cases as they come out.
pub const BLESS: &str = "SEGUE_BLESS";

/// Runs a case file.
///
/// # Panics
/// When what comes out is not what is written, or the executors differ.
pub fn run(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    let actual = outcome(&text, path);
    if actual == text {
        return;
    }
    if std::env::var_os(BLESS).is_some() {
        fs::write(path, actual).unwrap();
        return;
    }
    let lines = text.lines().zip(actual.lines()).position(|(a, b)| a != b);
    let first = lines.map_or_else(|| "the end".to_owned(), |line| format!("line {}", line + 1));
    panic!(
        "{} differs from {first} on; it should read:\n{actual}\n(run `just bless` to accept)",
        path.display()
    );
}

/// What a case file says of its first run.
#[derive(Debug)]
pub struct FirstRun {
    /// The rules.
    pub rules: String,
    /// The rules that take their place, each with when and from when on the log tells of everything then.
    pub changes: Vec<(Millis, Option<Millis>, String)>,
    /// What executors obey.
    pub settings: Settings,
    /// What happens.
    pub log: Vec<Entry>,
    /// The end of time.
    pub until: Option<Millis>,
}

/// The first run of a case file.
///
/// # Panics
/// When it is no case file.
#[must_use]
pub fn read(text: &str) -> FirstRun {
    let (before, rest) = text.split_once("--- run").unwrap();
    let mut programs = before.split("--- rules at ");
    let rules = programs.next().unwrap_or_default().to_owned();
    let changes = programs.map(|program| {
        let (words, rules) = program.split_once('\n').unwrap();
        let (at, log_from) = change(words.trim());
        (at, log_from, rules.to_owned())
    });
    let (header, rest) = rest.split_once('\n').unwrap();
    let (settings, until, _) = settings(header.trim());
    let mut log = Vec::new();
    for line in rest.lines().take_while(|line| !line.starts_with("--- ")).filter(|line| !is_note(line)) {
        log.extend(entries(line.trim(), log.len()));
    }
    FirstRun { rules, changes: changes.collect(), settings, log, until }
}

/// When rules take the place of others, and from when on the log tells of everything then.
fn change(words: &str) -> (Millis, Option<Millis>) {
    let (at, log_from) = words.split_once(", log from ").unzip();
    (instant(at.unwrap_or(words)), log_from.map(instant))
}

/// Whether a line among calls is none.
fn is_note(line: &str) -> bool {
    line.trim().is_empty() || line.starts_with('#')
}

/// What the engine counts in all runs of a case file.
///
/// # Panics
/// When it is no case file.
#[must_use]
pub fn counts(path: &Path) -> Counts {
    let mut all = Counts::default();
    walk(&fs::read_to_string(path).unwrap(), path, &mut |program, changing| {
        let engine = |program| Ok(Engine::interpreting(program, changing.settings.clone()).unwrap());
        all += changing.drive(&engine, program).unwrap().1;
        String::new()
    });
    all
}

/// The file as it would be with the records that come out.
fn outcome(text: &str, path: &Path) -> String {
    walk(text, path, &mut |program, changing| {
        on_the_live_host(program.clone(), changing, path);
        let (driven, program) = both(program, changing)
            .unwrap_or_else(|difference| panic!("{}: the executors differ\n{difference}", path.display()));
        let mut records = "--- records\n".to_owned();
        for record in &driven.records {
            let _ = writeln!(records, "{}", line(record));
        }
        records + &goals(&program, &driven)
    })
}

/// The file as it would be with what a run is answered with.
fn walk(text: &str, path: &Path, answer: &mut dyn FnMut(Arc<Program>, &Changing<'_>) -> String) -> String {
    let mut parts = text.split_inclusive('\n').peekable();
    let mut rules = String::new();
    while let Some(line) = parts.next_if(|line| !line.starts_with("--- ")) {
        rules.push_str(line);
    }
    let mut actual = rules.clone();
    let mut later: Vec<(String, String)> = Vec::new();
    let mut files = BTreeMap::new();
    while let Some(header) = parts.next() {
        actual.push_str(header);
        if let Some(name) = header.strip_prefix("--- file ") {
            let mut file = String::new();
            while let Some(line) = parts.next_if(|line| !line.starts_with("--- ")) {
                file.push_str(line);
            }
            actual.push_str(&file);
            files.insert(name.trim().to_owned(), file.trim_end().to_owned());
            continue;
        }
        if let Some(words) = header.strip_prefix("--- rules at ") {
            let mut rules = String::new();
            while let Some(line) = parts.next_if(|line| !line.starts_with("--- ")) {
                rules.push_str(line);
            }
            actual.push_str(&rules);
            later.push((words.trim().to_owned(), rules));
            continue;
        }
        if !header.starts_with("--- run") {
            while parts.next_if(|line| !line.starts_with("--- ")).is_some() {}
            continue;
        }
        let mut log = Vec::new();
        while let Some(line) = parts.next_if(|line| !line.starts_with("--- ")) {
            actual.push_str(line);
            if !is_note(line) {
                log.extend(entries(line.trim(), log.len()));
            }
        }
        let (settings, until, live) = settings(header.trim_start_matches("--- run").trim());
        let checked = |rules: &str| Arc::new(checked(rules, files.clone(), &settings.time_zone, path));
        let program = checked(&rules);
        let new_rules = |(words, rules): &(String, String)| {
            let (at, log_from) = change(words);
            NewRules { at, program: checked(rules), log_from }
        };
        let changes: Vec<NewRules> = later.iter().map(new_rules).collect();
        let changing =
            Changing { changes: &changes, log: &log, live, until, settings: &settings, is_sparing: false };
        actual.push_str(&answer(program, &changing));
        while parts.next_if(|line| ["--- records", "--- goals"].contains(&line.trim_end())).is_some() {
            while parts.next_if(|line| !line.starts_with("--- ")).is_some() {}
        }
    }
    actual
}

/// What both executors make of a log, and the program that is in force at its end.
fn both(program: Arc<Program>, changing: &Changing<'_>) -> Result<(Driven, Arc<Program>), String> {
    for entry in changing.log {
        let is_call = matches!(entry, Entry::Call(_));
        assert!(is_call || changing.live, "only for `run live`: {entry:?}");
    }
    over_changes(program, changing)
}

/// The live host does what the simplest one does: with the log of the service, or with the calls as they would come to one.
fn on_the_live_host(program: Arc<Program>, changing: &Changing<'_>, path: &Path) {
    let mut log = changing.log.to_vec();
    let mut arrived = None;
    for entry in &mut log {
        arrived = arrived.max(entry.arrival());
        if let (Entry::Call(call), Some(arrived)) = (entry, arrived) {
            call["receivedAt"] = json!(arrived);
        }
    }
    let settings = Settings { until: None, ..changing.settings.clone() };
    let changing = Changing {
        live: true,
        log: &log,
        settings: &settings,
        until: changing.until.max(arrived),
        changes: changing.changes,
        is_sparing: false,
    };
    if let Outcome::Differed(difference) = audit(program, &changing, live) {
        panic!("{}: the live host differs\n{difference}", path.display());
    }
}

/// What came of the goals of rules, where there are some.
fn goals(program: &Program, driven: &Driven) -> String {
    let mut lines = String::new();
    for (customer, outcomes) in &driven.goals {
        for it in outcomes {
            let rule = program.rules.get(it.rule as usize).map_or("", |rule| &*rule.name);
            let (group, reached) = (
                if it.held_out { "held out" } else { "sent" },
                if it.reached { "reached" } else { "not reached" },
            );
            let _ = writeln!(lines, "{customer} {rule}: {group}, {reached}");
        }
    }
    let has_goals = program.rules.iter().any(|rule| rule.goal.is_some());
    if has_goals { format!("--- goals\n{lines}") } else { lines }
}

fn checked(rules: &str, files: BTreeMap<String, String>, zone: &Zone, path: &Path) -> Program {
    let source = Source { name: path.display().to_string(), text: rules.to_owned() };
    let project = Project { sources: vec![source], files, time_zone: zone.clone() };
    let checked = compile(&project);
    let words: Vec<String> =
        checked.diagnostics.iter().map(|it| format!("{}: {}", it.code, it.message)).collect();
    checked.program.unwrap_or_else(|| panic!("{}: {}", path.display(), words.join("\n")))
}

/// Settings, the end of time, and whether the host is live.
fn settings(words: &str) -> (Settings, Option<i64>, bool) {
    let mut settings = Settings::default();
    let (mut until, mut live) = (None, false);
    for part in words.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        match part.split_once(' ').unwrap_or((part, "")) {
            ("until", at) => until = Some(instant(at)),
            ("live", "") => live = true,
            ("consent", "assumed") => settings.consent = ConsentPolicy::Assumed,
            ("lateness", minutes) => settings.lateness = minutes.parse::<i64>().unwrap() * 60_000,
            ("dedupe", minutes) => settings.dedupe = minutes.parse::<i64>().unwrap() * 60_000,
            ("settle", minutes) => settings.settle = minutes.parse::<i64>().unwrap() * 60_000,
            ("log", from) => settings.log_from = Some(instant(from.trim_start_matches("from "))),
            ("zone", name) => settings.time_zone = Zone::named(name).unwrap(),
            (other, _) => panic!("unknown setting {other}"),
        }
    }
    // A live service has no end.
    settings.until = until.filter(|_| !live);
    (settings, until, live)
}

fn instant(text: &str) -> i64 {
    parse_local(text, &Zone::utc()).unwrap_or_else(|| panic!("no instant: {text}"))
}

/// A line as entries of a log.
fn entries(line: &str, number: usize) -> Vec<Entry> {
    if let Some(clock) = line.strip_prefix("clock ") {
        return vec![Entry::Clock(instant(clock))];
    }
    if let Some((from, to)) = line.strip_prefix("down ").and_then(|times| times.split_once(" until ")) {
        return vec![Entry::Clock(instant(from)), Entry::Up(instant(to))];
    }
    if let Some(clock) = line.strip_prefix("up ") {
        return vec![Entry::Up(instant(clock))];
    }
    if let Some(shards) = line.strip_prefix("restart ") {
        return vec![Entry::Restart(shards.parse().unwrap())];
    }
    if let Some(customer) = line.strip_prefix("erase ") {
        return vec![Entry::Erase(customer.to_owned())];
    }
    repeated(line, number).into_iter().map(Entry::Call).collect()
}

/// A line as Segment-spec calls.
fn repeated(line: &str, number: usize) -> Vec<Value> {
    let Some((before, times)) = line.rsplit_once(" times=") else { return vec![call(line, number)] };
    let first = call(before, number);
    let nth = |n: i64| {
        let mut call = first.clone();
        call["messageId"] = json!(format!("{}.{}", call["messageId"].as_str().unwrap(), n + 1));
        call["timestamp"] = json!(call["timestamp"].as_i64().unwrap() + n * 1000);
        call
    };
    (0..times.parse().unwrap()).map(nth).collect()
}

/// A line as a Segment-spec call.
fn call(line: &str, number: usize) -> Value {
    let mut words = line.splitn(4, ' ');
    let (date, time, customer) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
    let mut rest = words.next().unwrap_or_else(|| panic!("what happened? {line}")).trim();
    let at = instant(&format!("{date} {time}"));
    let by = if customer.starts_with("anon") { "anonymousId" } else { "userId" };
    let mut call = json!({by: customer, "messageId": format!("m{}", number + 1), "timestamp": at});
    let mut was = None;
    let options = ["id=", "zone=", "arrived=", "was="];
    while let Some((before, option)) =
        rest.rsplit_once(' ').filter(|(_, last)| options.iter().any(|it| last.starts_with(it)))
    {
        let (name, value) = option.split_once('=').unwrap();
        match name {
            "id" => call["messageId"] = json!(value),
            "was" => was = Some(value),
            "arrived" => call["receivedAt"] = json!(instant(&value.replace('T', " "))),
            _ => call["context"] = json!({"timezone": value}),
        }
        rest = before.trim();
    }
    let body = |text: &str| -> Value {
        if text.trim().is_empty() {
            json!({})
        } else {
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{line}: {error}"))
        }
    };
    if let Some(quoted) = rest.strip_prefix('"') {
        let (event, properties) = quoted.split_once('"').unwrap();
        call["type"] = json!("track");
        call["event"] = json!(event);
        call["properties"] = body(properties);
    } else if let Some(traits) = rest.strip_prefix("identify") {
        call["type"] = json!("identify");
        call["traits"] = body(traits);
        if let Some(was) = was {
            call["anonymousId"] = json!(was);
        }
    } else if rest == "alias" {
        call["type"] = json!("alias");
        call["previousId"] = json!(was);
    } else {
        call["type"] = json!("group");
        call["groupId"] = json!(rest.trim_start_matches("group").trim());
    }
    call
}

/// A record as a line.
pub(crate) fn line(record: &Record) -> String {
    let json = |value: &Json| serde_json::to_string(value).unwrap();
    let what = match record {
        Record::Send(it) => format!(
            "{}.{} sends {} to {} {}",
            it.rule,
            it.step,
            it.channel,
            it.to,
            serde_json::to_string(&it.content).unwrap()
        ),
        Record::Call(it) => format!(
            "{}.{} calls {} {}",
            it.rule,
            it.step,
            it.hook,
            serde_json::to_string(&it.payload).unwrap()
        ),
        Record::Suppressed(it) => {
            let channel = it.channel.as_ref().map(|channel| format!(" {channel}")).unwrap_or_default();
            let detail = it.detail.as_ref().filter(|_| it.reason == Reason::NoAddress);
            let detail = detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
            format!("{}.{}{channel} suppressed: {}{detail}", it.rule, it.step, it.reason.word())
        }
        Record::Held(it) => format!(
            "{}.{} {} held{}: {}",
            it.rule,
            it.step,
            it.channel,
            it.until.map_or_else(String::new, |until| format!(" until {}", short(until.0))),
            it.reason.word()
        ),
        Record::Segment(it) => match it.change {
            Change::Enter => format!("enters {}", it.segment),
            Change::Leave => format!("leaves {}", it.segment),
        },
        Record::Set(it) => format!("{} sets {} = {}", it.rule, it.field, json(&it.value)),
        Record::Emit(it) => {
            format!("{} emits \"{}\" {}", it.rule, it.event, serde_json::to_string(&it.properties).unwrap())
        }
    };
    format!("{} {} {what}", short(record.at()), record.customer())
}

/// `2026-01-05 10:00`, with seconds and milliseconds where there are some.
pub(crate) fn short(at: i64) -> String {
    let full = Instant(at).to_string();
    let text = full.trim_end_matches('Z').replace('T', " ");
    text.strip_suffix(":00.000").or_else(|| text.strip_suffix(".000")).unwrap_or(&text).to_owned()
}
