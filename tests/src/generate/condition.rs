//! Random conditions and values.

use super::{DURATIONS, TEXTS};
use crate::random::Random;

/// What is in scope.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// Segments that may be named.
    pub(super) segments: Vec<String>,
    /// Number lets that may be named.
    pub(super) lets: Vec<String>,
    /// The trigger's event, when there is one.
    pub(super) trigger: Option<&'static str>,
    /// The event that ended a wait, where there surely is one.
    pub(super) answer: Option<&'static str>,
    /// Named elements and their events.
    pub(super) elements: Vec<(String, &'static str)>,
}

pub(super) fn duration(random: &mut Random) -> &'static str {
    random.pick(&DURATIONS)
}

fn text(random: &mut Random) -> &'static str {
    random.pick(&TEXTS)
}

fn number(random: &mut Random) -> &'static str {
    random.pick(&["0", "1", "2", "3", "5", "-1", "2.5", "0.1", "10"])
}

fn order(random: &mut Random) -> &'static str {
    random.pick(&["=", "!=", "<", "<=", ">", ">="])
}

/// A condition.
pub(super) fn condition(random: &mut Random, scope: &Scope, depth: u32) -> String {
    if depth == 0 || random.chance(35) {
        return leaf(random, scope);
    }
    let inner = |random: &mut Random| condition(random, scope, depth - 1);
    match random.below(9) {
        8 => {
            let mut plain = scope.clone();
            (plain.trigger, plain.elements) = (None, Vec::new());
            format!("({}) for {}", condition(random, &plain, depth - 1), duration(random))
        }
        0 | 1 => format!("({}) and ({})", inner(random), inner(random)),
        2 | 3 => format!("({}) or ({})", inner(random), inner(random)),
        4 => format!("not ({})", inner(random)),
        5 => format!("at least 2 of ({}, {}, {})", inner(random), inner(random), inner(random)),
        _ => inner(random),
    }
}

fn leaf(random: &mut Random, scope: &Scope) -> String {
    match random.below(17) {
        15 => {
            let (last, unit) = [(1, "days"), (3, "days"), (7, "days"), (2, "weeks")][random.below(4)];
            let least = random.below(last) + 1;
            format!("did {} in at least {least} of the last {last} {unit}", pattern(random, scope))
        }
        16 => {
            let unit = random.pick(&["days", "days", "weeks"]);
            let streak = format!("streak of {} in {unit}", pattern(random, scope));
            format!("{streak} {} {}", random.pick(&["=", "!=", ">", "<="]), random.below(4) + 1)
        }
        0 | 1 => format!("did {}{}{}", pattern(random, scope), times(random), window(random, scope)),
        2 => format!("did {}{}", sequence(random), window_of_match(random)),
        3 => format!(
            "count of {}{} {} {}",
            pattern(random, scope),
            window(random, scope),
            order(random),
            random.below(4) + 1
        ),
        4 | 5 => format!("{} {} {}", aggregate(random, scope), order(random), number(random)),
        6 => format!("no activity in the last {}", duration(random)),
        7 => format!("known for {}", duration(random)),
        8 => {
            let which = random.pick(&["", "first ", "last "]);
            format!("time since {which}{} {} {}", pattern(random, scope), order(random), duration(random))
        }
        9 if !scope.segments.is_empty() => {
            let not = random.pick(&["", "not "]);
            let name = scope.segments[random.below(scope.segments.len())].clone();
            format!("{not}in segment {name}")
        }
        10 if !scope.lets.is_empty() => {
            let name = scope.lets[random.below(scope.lets.len())].clone();
            format!("{name} {} {}", order(random), number(random))
        }
        11 => text_aggregate(random, scope),
        12 if scope.trigger.is_some() => of_event(random, "event"),
        14 if scope.answer.is_some() => of_event(random, "answer"),
        13 if !scope.elements.is_empty() => {
            let name = scope.elements[random.below(scope.elements.len())].0.clone();
            of_event(random, &name)
        }
        _ => of_profile(random),
    }
}

fn of_event(random: &mut Random, name: &str) -> String {
    match random.below(5) {
        0 => format!("{name}.n {} {}", order(random), number(random)),
        1 => format!("{name}.t = \"{}\"", text(random)),
        2 => format!("{name}.t = profile.tier"),
        3 => format!("lower({name}.t) contains \"{}\"", text(random)),
        _ => format!("{name}.n * 2 - 1 {} profile.score", order(random)),
    }
}

fn of_profile(random: &mut Random) -> String {
    match random.below(7) {
        0 => format!("profile.score {} {}", order(random), number(random)),
        1 => format!("profile.tier = \"{}\"", text(random)),
        2 => "profile.flag".to_owned(),
        3 => format!("coalesce(profile.score, 1) + 1 {} {}", order(random), number(random)),
        4 => format!("profile.tier in [\"{}\", \"{}\"]", text(random), text(random)),
        5 => "profile.consent.sms".to_owned(),
        _ => format!(
            "profile.{} is{} known",
            random.pick(&["score", "tier", "joined"]),
            random.pick(&["", " not"])
        ),
    }
}

/// A condition on one event.
pub(super) fn filter(random: &mut Random, event: &str, scope: &Scope, depth: u32) -> String {
    if depth > 0 && random.chance(30) {
        let (left, right) =
            (filter(random, event, scope, depth - 1), filter(random, event, scope, depth - 1));
        let word = random.pick(&["and", "or"]);
        return format!("(({left}) {word} ({right}))");
    }
    let simple = match random.below(14) {
        0 | 1 => format!("n {} {}", order(random), number(random)),
        2 | 3 => format!("t = \"{}\"", text(random)),
        4 => format!("t in [\"{}\", \"{}\"]", text(random), text(random)),
        5 => format!(
            "t {} \"{}\"",
            random.pick(&["contains", "starts with", "ends with", "not contains"]),
            text(random)
        ),
        6 => "t matches \"^re.*h?$\"".to_owned(),
        7 => format!("n between {} and {}", random.below(3), random.below(3) + 2),
        8 => format!("upper(trim(t)) = \"{}\"", text(random).to_uppercase()),
        9 => format!("t = {}", random.pick(&["profile.tier", "\"red\"", "k"])),
        10 if event == "A" => random
            .pick(&[
                "b",
                "not b",
                "l contains \"red\"",
                "l starts with \"re\"",
                "not l ends with \"d\"",
                "l matches \"^r\"",
                "o.p >= 1",
                "w is known",
                "d > 1 minute",
                "hour(w) >= 9",
            ])
            .to_owned(),
        11 if scope.trigger.is_some() => {
            random.pick(&["k = event.k", "n <= event.n", "t = event.t"]).to_owned()
        }
        12 if scope.answer.is_some() => random.pick(&["k = answer.k", "n <= answer.n"]).to_owned(),
        12 => "n >= profile.score".to_owned(),
        _ => format!("n + 1 {} {}", order(random), number(random)),
    };
    format!("({simple})")
}

/// An event with or without a filter.
pub(super) fn pattern(random: &mut Random, scope: &Scope) -> String {
    match random.below(9) {
        8 => random
            .pick(&["\"Session Started\"", "\"Session Ended\"", "\"Session Ended\" where (events >= 2)"])
            .to_owned(),
        0 => format!("any of (\"A\", \"B\"){}", maybe_filter(random, "AB", scope)),
        1 => "any event".to_owned(),
        2 => format!("\"P\"{}", maybe_filter(random, "P", scope)),
        3 | 4 => format!("\"B\"{}", maybe_filter(random, "B", scope)),
        _ => format!("\"A\"{}", maybe_filter(random, "A", scope)),
    }
}

fn maybe_filter(random: &mut Random, event: &str, scope: &Scope) -> String {
    if random.chance(45) { format!(" where {}", filter(random, event, scope, 1)) } else { String::new() }
}

fn times(random: &mut Random) -> String {
    match random.below(5) {
        0 => format!(" at least {} times", random.below(4) + 1),
        1 => format!(" at most {} times", random.below(3) + 1),
        2 => format!(" exactly {} times", random.below(3) + 1),
        _ => String::new(),
    }
}

/// A window of a condition; `in this match` only where there is a match.
fn window(random: &mut Random, scope: &Scope) -> String {
    match random.below(13) {
        11 | 12 => " this session".to_owned(),
        8 => " today".to_owned(),
        9 => random.pick(&[" this week", " this month"]).to_owned(),
        10 => format!(" in the last {} calendar days", random.below(3) + 2),
        0..=3 => format!(" in the last {}", duration(random)),
        4 => {
            let (near, far) =
                [("1 minute", "5 minutes"), ("2 minutes", "10 minutes"), ("5 minutes", "1 hour")]
                    [random.below(3)];
            format!(" between {near} and {far} ago")
        }
        5 => " since 2026-01-05 08:10".to_owned(),
        6 if scope.trigger.is_some() => " in this match".to_owned(),
        _ => String::new(),
    }
}

fn window_of_match(random: &mut Random) -> String {
    match random.below(4) {
        3 => random
            .pick(&[" this session", " today", " this week", " at least 2 times in the last 2 calendar days"])
            .to_owned(),
        0 => format!(" at least 2 times in the last {}", duration(random)),
        1 => String::new(),
        _ => format!(" in the last {}", duration(random)),
    }
}

/// A sequence of a condition.
fn sequence(random: &mut Random) -> String {
    let scope = Scope::default();
    match random.below(5) {
        0 => format!("{} for the first time", pattern(random, &scope)),
        1 => format!("\"A\" then no \"B\" within {}", duration(random)),
        2 => format!("earliest \"A\" then \"B\" within {}", duration(random)),
        3 => format!("\"A\" then \"B\" within {} with same k", duration(random)),
        _ => format!(
            "{} then {} within {}",
            pattern(random, &scope),
            pattern(random, &scope),
            duration(random)
        ),
    }
}

/// A number made of events.
pub(super) fn aggregate(random: &mut Random, scope: &Scope) -> String {
    let function = random.pick(&["sum", "average", "smallest", "largest", "first", "last", "most frequent"]);
    let value = random.pick(&["n", "n * 2", "n + 1"]);
    let event = random.pick(&["A", "B"]);
    let function = if random.chance(10) { "distinct count" } else { function };
    format!(
        "{function} of {value} of \"{event}\"{}{}",
        maybe_filter(random, event, scope),
        window(random, scope)
    )
}

fn text_aggregate(random: &mut Random, scope: &Scope) -> String {
    let function = random.pick(&["first", "last", "most frequent"]);
    let event = random.pick(&["A", "B", "P"]);
    let window = window(random, scope);
    if random.chance(30) {
        return format!(
            "distinct count of t of \"{event}\"{window} {} {}",
            order(random),
            random.below(3) + 1
        );
    }
    format!("{function} of t of \"{event}\"{window} = \"{}\"", text(random))
}
