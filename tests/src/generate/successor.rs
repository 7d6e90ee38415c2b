//! Random successors of random programs: the same rules, changed here and there.

use super::{
    DURATIONS, TEXTS,
    condition::{Scope, condition, duration},
    program::rule,
};
use crate::random::Random;

/// The source of a program that takes the place of another one: one to four things are changed.
#[must_use]
pub fn successor(random: &mut Random, source: &str) -> String {
    let mut changed = source.to_owned();
    for _ in 0..=random.below(4) {
        changed = change(random, &changed);
    }
    changed
}

fn change(random: &mut Random, source: &str) -> String {
    match random.below(15) {
        0 => rename(random, source, "let"),
        1 => rename(random, source, "segment"),
        2 | 3 => exchange(random, source, &DURATIONS),
        4 => {
            exchange(random, source, &TEXTS.map(|text| format!("\"{text}\"")).each_ref().map(String::as_str))
        }
        5 => without_rule(random, source).0,
        6 => {
            let mut source = source.to_owned();
            let scope = scope(&source);
            let number = 5 + random.below(20);
            if !source.contains(&format!("rule rule_{number} {{")) {
                rule(random, &mut source, &scope, number);
            }
            source
        }
        7 => {
            let (mut source, number) = without_rule(random, source);
            if let Some(number) = number {
                let scope = scope(&source);
                rule(random, &mut source, &scope, number);
            }
            source
        }
        8 => other_segment(random, source),
        9 => exchange(random, source, &["Dear", "Hello", "Good morning"]),
        10 => renamed_rule(random, source),
        11 => exchange(random, source, &["limit once", "limit 1 per 5 minutes", "limit 2 per 30 minutes"]),
        12 => exchange(
            random,
            source,
            &["then no \"B\" within", "then no \"C\" within", "then no \"P\" within"],
        ),
        13 => exchange(random, source, &["event.n |", "event.k |", "event.b |"]),
        _ => declaration(random, source),
    }
}

/// What rules can name.
fn scope(source: &str) -> Scope {
    let named = |word: &str| {
        let names = source.lines().filter_map(|line| line.strip_prefix(word)?.split(' ').next());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    Scope { lets: named("let "), segments: named("segment "), ..Scope::default() }
}

/// Another name for a let or segment.
fn rename(random: &mut Random, source: &str, word: &str) -> String {
    let number = random.below(3);
    let name = format!("{word}_{number}");
    source.replace(&name, &format!("other_{name}"))
}

/// Another phrase of some in place of one of them, at one place below the declarations.
fn exchange(random: &mut Random, source: &str, phrases: &[&str]) -> String {
    let start = source.len().min(super::DECLARATIONS.len());
    let (declarations, rules) = source.split_at(start);
    let mut places: Vec<(usize, &str)> = Vec::new();
    for phrase in phrases {
        places.extend(rules.match_indices(phrase));
    }
    if places.is_empty() {
        return source.to_owned();
    }
    let (place, found) = places[random.below(places.len())];
    let other = phrases[random.below(phrases.len())];
    format!("{declarations}{}{other}{}", &rules[..place], &rules[place + found.len()..])
}

/// The source without one of its rules, and that rule's number.
fn without_rule(random: &mut Random, source: &str) -> (String, Option<usize>) {
    let starts: Vec<usize> = source.match_indices("\nrule rule_").map(|(place, _)| place + 1).collect();
    if starts.len() < 2 {
        return (source.to_owned(), None);
    }
    let start = starts[random.below(starts.len())];
    let number = source[start + "rule rule_".len()..].split(' ').next().and_then(|it| it.parse().ok());
    let end = source[start..].find("\n}\n").map_or(source.len(), |end| start + end + 3);
    (format!("{}{}", &source[..start], &source[end..]), number)
}

/// A segment whose condition is another one.
fn other_segment(random: &mut Random, source: &str) -> String {
    let lines: Vec<&str> = source.lines().collect();
    let segments: Vec<usize> = (0..lines.len()).filter(|n| lines[*n].starts_with("segment ")).collect();
    let number = segments[random.below(segments.len())];
    let name = lines[number].split(' ').nth(1).unwrap_or("segment_0");
    let holds = condition(random, &Scope::default(), 2);
    let line = format!("segment {name} {{ ({holds}) and known for {} }}", duration(random));
    let lines = lines.iter().enumerate().map(|(n, it)| if n == number { line.as_str() } else { *it });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// A rule with another name, which mostly says what it was.
fn renamed_rule(random: &mut Random, source: &str) -> String {
    let number = random.below(5);
    let was = if random.chance(70) { format!("\n  was rule_{number}") } else { String::new() };
    source.replace(&format!("rule rule_{number} {{"), &format!("rule renamed_{number} {{{was}"))
}

/// Other events, profile fields or topics.
fn declaration(random: &mut Random, source: &str) -> String {
    let (from, to) = [
        ("event \"C\" { n: number?,", "event \"C\" { x: text?, n: number?,"),
        ("passive event \"P\"", "event \"P\""),
        ("passive event \"P\" { n: number?, t: text?, k: text? }\n", ""),
        ("score: number?", "score: number = 3"),
        ("flag: boolean?, ", ""),
        ("flag: boolean?", "flag: boolean?, fresh: number?"),
        ("joined: time?, born: date?", "born: date?, joined: time?"),
        ("topic offers within news { 1 per 10 minutes }", "topic offers within news { 2 per 1 hour }"),
        ("sms 2 per 1 hour else skip", "sms 3 per 30 minutes else skip"),
        ("topic later { 1 per 10 minutes", "topic later { 2 per 30 minutes"),
        ("n: number, t: text?, b: boolean?, k: text?, l: list of text? }", "t: text?, n: number, k: text? }"),
        ("t: text?, k: text? }\nprofile", "t: number?, k: text? }\nprofile"),
    ][random.below(12)];
    source.replace(from, to)
}
