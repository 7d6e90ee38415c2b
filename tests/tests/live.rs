//! Customers hosted live: what comes of a log of arrivals depends neither on how its entries are grouped, nor on shards,
//! nor on stopping and going on from what was kept; and machine code agrees with the reference interpreter on it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use segue_compiler::{
    execution::Execution,
    project::{Project, Source, compile},
    record::Record,
    reference::Reference,
    settings::Settings,
    typed::{Program, SegmentId},
};
use segue_runtime::{
    engine::Engine,
    limits::WORTH_A_THREAD,
    live::{Change, Cursor, Live, in_order},
    source::Envelope,
};
use segue_tests::{
    generate::{disguise, history, program},
    random::Random,
};
use serde_json::Value;
use std::{collections::BTreeMap, num::NonZeroUsize, sync::Arc};

/// How many random programs and histories are tried.
const SEEDS: u64 = 120;
/// Of each customer of a history there are so many, so that shards work beside each other.
const COPIES: usize = 40;
/// How long it takes until all deadlines of a history have passed, as far as they are looked at.
const AFTERMATH: i64 = 3 * 86_400_000;

/// What a log says, as far as it matters here.
#[derive(Clone, Debug)]
enum Entry {
    Call(String, i64),
    Advance(i64),
    Resume(i64),
}

fn checked(source: &str) -> Option<Arc<Program>> {
    let sources = vec![Source { name: "generated.segue".to_owned(), text: source.to_owned() }];
    compile(&Project { sources, ..Project::default() }).program.map(Arc::new)
}

fn at(call: &Value) -> i64 {
    call.get("timestamp").and_then(Value::as_i64).unwrap_or_default()
}

/// The calls as they arrive, a little or much later than they are stamped, and time coming on between them.
fn arrivals(calls: &[Value], random: &mut Random) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut now = calls.first().map(at).unwrap_or_default();
    for call in calls {
        let arrival = at(call) + [0, 1, 200, 4_000, 700_000][random.below(5)];
        while now < arrival && random.chance(60) {
            now += (arrival - now) / 2 + 1;
            entries.push(if random.chance(15) { Entry::Resume(now) } else { Entry::Advance(now) });
            now += 1;
        }
        now = now.max(arrival);
        entries.push(Entry::Call(call.to_string(), now));
    }
    for share in 1..=3 {
        entries.push(Entry::Advance(now + AFTERMATH / 3 * share));
    }
    entries
}

/// The same of many customers.
fn copied(calls: &[Value]) -> Vec<Value> {
    let mut copies = Vec::new();
    for call in calls {
        for copy in 0..COPIES {
            let mut call = call.clone();
            for key in ["userId", "anonymousId", "previousId"] {
                if let Some(id) = call.get(key).and_then(Value::as_str).map(|id| format!("{id}{copy}")) {
                    call[key] = Value::from(id);
                }
            }
            copies.push(call);
        }
    }
    copies
}

fn live<E: Execution>(executor: E, settings: &Settings, shards: usize) -> Live<E> {
    Live::new(executor, settings.settle, NonZeroUsize::new(shards).unwrap_or(NonZeroUsize::MIN), 0)
}

/// Hands entries over, calls in a row together, at most so many.
fn hand_over<E: Execution + Sync>(live: &mut Live<E>, entries: &[Entry], most: usize) -> Vec<Record> {
    let mut records = Vec::new();
    let mut rest = entries;
    while let Some((first, others)) = rest.split_first() {
        let mut taken = 1;
        match first {
            Entry::Advance(now) => live.advance(*now),
            Entry::Resume(now) => live.resume(*now),
            Entry::Call(..) => {
                let calls: Vec<Envelope<'_>> = rest
                    .iter()
                    .take(most)
                    .map_while(|entry| match entry {
                        Entry::Call(line, at) => {
                            Some(Envelope::parse(line.as_bytes()).unwrap().received(*at))
                        }
                        Entry::Advance(_) | Entry::Resume(_) => None,
                    })
                    .collect();
                taken = calls.len();
                live.calls(calls);
            }
        }
        records.extend(live.records());
        rest = &others[taken - 1..];
    }
    records
}

fn told(mut records: Vec<Record>) -> Vec<String> {
    records.sort_by(|a, b| (a.at(), a.customer()).cmp(&(b.at(), b.customer())));
    records.iter().filter_map(|record| serde_json::to_string(record).ok()).collect()
}

fn keep(kept: &mut BTreeMap<Vec<u8>, Vec<u8>>, changes: Vec<Change>) {
    for Change { key, value } in changes {
        match value {
            Some(value) => kept.insert(key, value),
            None => kept.remove(&key),
        };
    }
}

/// As one host would, with several that take over from each other in between.
fn with_restarts(
    engine: &Arc<Engine>,
    settings: &Settings,
    entries: &[Entry],
    random: &mut Random,
) -> (Live<Arc<Engine>>, Vec<Record>) {
    let mut kept = BTreeMap::new();
    let mut records = Vec::new();
    let mut host = live(engine.clone(), settings, 2);
    let mut rest = entries;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rest.len().min(1 + random.below(rest.len())));
        records.extend(hand_over(&mut host, now, 1 + random.below(200)));
        keep(&mut kept, host.changes());
        if random.chance(70) {
            host = live(engine.clone(), settings, 1 + random.below(3));
            for (key, value) in &kept {
                host.restore(key, value).unwrap();
            }
        }
        rest = later;
    }
    (host, records)
}

fn members<E: Execution>(live: &mut Live<E>, program: &Program) -> Vec<Vec<Arc<str>>> {
    let segments = (0..u32::try_from(program.segments.len()).unwrap_or_default()).map(SegmentId);
    let of = |segment| {
        let (mut ids, mut cursor) = (Vec::new(), Some(Cursor::default()));
        while let Some(from) = cursor {
            let page = live.members(segment, from, 7);
            ids.extend(page.ids);
            cursor = page.next;
        }
        ids.sort_unstable();
        ids
    };
    segments.map(of).collect()
}

#[test]
fn what_comes_of_a_log_is_a_function_of_it() {
    let seeds =
        std::env::var("SEGUE_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SEEDS).min(SEEDS);
    let (mut compared, mut happened) = (0, 0);
    for seed in 0..seeds {
        let mut random = Random::new(seed ^ 0x11e);
        let source = program(&mut random);
        let Some(program) = checked(&source) else { continue };
        let mut calls: Vec<Value> = history(&mut random).into_iter().map(|step| step.call).collect();
        disguise(&mut random, &mut calls);
        let settle = if random.chance(30) { 300_000 } else { 0 };
        let settings = Settings { settle, ..Settings::default() };
        let engine = Arc::new(Engine::new(program.clone(), settings.clone()).unwrap());
        if random.chance(10) {
            calls = copied(&calls);
        }
        let entries = arrivals(&calls, &mut random);
        let mut reference = live(Reference::new(program.clone(), settings.clone()), &settings, 1);
        let expected = told(hand_over(&mut reference, &entries, 1));
        let mut one = live(engine.clone(), &settings, 1);
        assert_eq!(told(hand_over(&mut one, &entries, 1)), expected, "seed {seed}\n{source}\n{entries:#?}");
        let mut grouped = live(engine.clone(), &settings, 3);
        assert_eq!(
            told(hand_over(&mut grouped, &entries, usize::MAX)),
            expected,
            "grouped, seed {seed}\n{source}"
        );
        let (mut restarted, records) = with_restarts(&engine, &settings, &entries, &mut random);
        assert_eq!(told(records), expected, "restarted, seed {seed}\n{source}");
        let within = members(&mut reference, &program);
        assert_eq!(members(&mut grouped, &program), within, "seed {seed}\n{source}");
        assert_eq!(members(&mut restarted, &program), within, "restarted, seed {seed}\n{source}");
        assert_eq!(grouped.tally(), one.tally(), "seed {seed}\n{source}");
        compared += 1;
        happened += usize::from(expected.len() > 3);
    }
    assert!(compared * 10 > seeds * 7 && happened * 3 > compared as usize, "{compared}, {happened}");
}

#[test]
fn shards_beside_each_other_come_to_what_one_comes_to() {
    let source = r#"
event "Added" {}
event "Ordered" {}
topic news {}
segment keen { did "Added" at least 2 times in the last 1 hour }
rule reminder { when "Added" then no "Ordered" within 2 hours  transactional  send email { subject: "s", body: "b" } }
rule welcome { when enters keen  topic news  wait 3 hours  send sms "Welcome" }
"#;
    let program = checked(source).unwrap();
    let settings = Settings::default();
    let engine = Arc::new(Engine::new(program.clone(), settings.clone()).unwrap());
    // So many that each shard has more to do at once than is done without threads.
    let customers = 4 * WORTH_A_THREAD;
    let hour = 3_600_000;
    let calls = |event: &str, at: i64| {
        let call = |number: usize| {
            let line = format!(
                r#"{{"type":"track","messageId":"{event}{at}-{number}","userId":"u{number}","event":"{event}","timestamp":{at}}}"#
            );
            Entry::Call(line, at)
        };
        (0..customers).filter(|number| event == "Added" || number % 3 == 0).map(call).collect::<Vec<_>>()
    };
    let entries = [
        calls("Added", hour),
        calls("Added", hour + 1),
        calls("Ordered", 2 * hour),
        vec![Entry::Advance(3 * hour + 1)],
        calls("Added", 4 * hour),
        vec![Entry::Resume(40 * hour)],
    ]
    .concat();
    let mut one = live(engine.clone(), &settings, 1);
    let expected = told(hand_over(&mut one, &entries, 1));
    assert!(expected.len() > 3 * customers, "{}", expected.len());
    for shards in 2..=4 {
        let mut several = live(engine.clone(), &settings, shards);
        assert_eq!(told(hand_over(&mut several, &entries, usize::MAX)), expected, "{shards} shards");
        assert_eq!(members(&mut several, &program), members(&mut one, &program));
        assert_eq!(several.tally(), one.tally());
    }
}

#[test]
fn changes_are_given_out_as_they_were_when_they_were_asked_for() {
    let (mut compared, mut changed) = (0, 0);
    for seed in 0..SEEDS {
        let mut random = Random::new(seed ^ 0xc0);
        let source = program(&mut random);
        let Some(program) = checked(&source) else { continue };
        let mut calls: Vec<Value> = history(&mut random).into_iter().map(|step| step.call).collect();
        disguise(&mut random, &mut calls);
        let entries = arrivals(&copied(&calls), &mut random);
        let settings = Settings::default();
        let engine = Arc::new(Engine::new(program.clone(), settings.clone()).unwrap());
        let mut hosts = [0, 1].map(|_| live(engine.clone(), &settings, 2));
        let mut ids: Vec<String> =
            calls.iter().filter_map(|it| it["userId"].as_str()).map(|id| format!("{id}7")).collect();
        ids.dedup();
        let (before, rest) = entries.split_at(random.below(entries.len()));
        let (middle, after) = before.split_at(random.below(before.len() + 1));
        for entries in [middle, after] {
            hosts.iter_mut().for_each(|host| drop(hand_over(host, entries, usize::MAX)));
            if random.chance(50) {
                hosts.iter_mut().for_each(|host| drop(host.changes()));
            }
            if random.chance(30)
                && let Some(id) = ids.get(random.below(ids.len().max(1)))
            {
                hosts.iter_mut().for_each(|host| drop(host.erase(id)));
            }
        }
        let [host, twin] = &mut hosts;
        let expected = twin.changes();
        host.ask_changes();
        let mut given = None;
        let mut rest = rest;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(1 + random.below(60)));
            hand_over(host, now, 1 + random.below(60));
            match random.below(60) {
                0..5 if given.is_none() => given = host.give_changes(random.below(4)),
                5..8 => ids.iter().take(random.below(2)).for_each(|id| drop(host.erase(id))),
                8 => {
                    host.before_change(AFTERMATH);
                    let told = host.listener(engine.clone(), settings.settle, None, 0);
                    host.succeeded_by(told);
                }
                _ => {}
            }
            rest = later;
        }
        let given = given.or_else(|| host.give_changes(usize::MAX)).unwrap();
        assert_eq!(in_order(given.collect()), expected, "seed {seed}\n{source}");
        compared += 1;
        changed += usize::from(expected.len() > COPIES);
    }
    assert!(compared * 10 > SEEDS as usize * 7 && changed * 3 > compared, "{compared}, {changed}");
}

#[test]
fn who_was_erased_is_nobody() {
    let program = checked("event \"A\" {}\nsegment seen { did \"A\" }").unwrap();
    let settings = Settings::default();
    let engine = Arc::new(Engine::new(program.clone(), settings.clone()).unwrap());
    let call = |kind: &str, id: usize, rest: &str| {
        let line = format!(r#"{{"type":"{kind}","messageId":"m{id}","timestamp":{id},{rest}}}"#);
        Entry::Call(line, 1_000)
    };
    let entries = [
        call("track", 1, r#""event":"A","anonymousId":"x""#),
        call("identify", 2, r#""userId":"ada","anonymousId":"x""#),
        call("track", 3, r#""event":"A","userId":"bob""#),
    ];
    let mut host = live(engine.clone(), &settings, 2);
    hand_over(&mut host, &entries, 9);
    let portrait = host.portrait("x", 1).unwrap();
    assert_eq!((&*portrait.id, portrait.ids.len(), portrait.segments.len()), ("ada", 2, 1));
    let mut kept = BTreeMap::new();
    keep(&mut kept, host.changes());
    assert_eq!(kept.len(), 3);
    assert_eq!(host.erase("x"), ["ada", "x"]);
    assert_eq!((host.portrait("ada", 1), host.portrait("x", 1)), (None, None));
    keep(&mut kept, host.changes());
    assert_eq!(kept.len(), 1, "bob is left");
    let bytes: Vec<u8> = kept.into_iter().flat_map(|(key, value)| [key, value].concat()).collect();
    assert!(!bytes.windows(3).any(|bytes| bytes == b"ada"));
}
