//! Random programs.

use super::{
    DECLARATIONS,
    condition::{Scope, aggregate, condition, duration, filter, pattern},
};
use crate::random::Random;
use std::fmt::Write;

/// The source of a random program.
#[must_use]
pub fn program(random: &mut Random) -> String {
    let mut source = DECLARATIONS.to_owned();
    let mut scope = Scope::default();
    for number in 0..random.below(3) {
        let name = format!("let_{number}");
        let value = if random.chance(40) {
            let arm = condition(random, &scope, 1);
            format!("{} if {arm}, otherwise {}", aggregate(random, &scope), random.below(4))
        } else {
            aggregate(random, &scope)
        };
        line(&mut source, &format!("let {name} = {value}"));
        scope.lets.push(name);
    }
    for number in 0..=random.below(4) {
        let name = format!("segment_{number}");
        let mut holds = condition(random, &scope, 2);
        if random.chance(50) {
            holds = format!("({holds}) and known for {}", duration(random));
        }
        line(&mut source, &format!("segment {name} {{ {holds} }}"));
        scope.segments.push(name);
    }
    for number in 0..=random.below(4) {
        rule(random, &mut source, &scope, number);
    }
    source
}

fn line(source: &mut String, text: &str) {
    source.push_str(text);
    source.push('\n');
}

pub(super) fn rule(random: &mut Random, source: &mut String, scope: &Scope, number: usize) {
    let mut scope = scope.clone();
    let trigger = trigger(random, &mut scope);
    line(source, &format!("rule rule_{number} {{"));
    line(source, &format!("  when {trigger}"));
    if random.chance(40) {
        let mut asked = condition(random, &scope, 1);
        if trigger.starts_with("every") {
            asked = format!("({asked}) and known for {}", duration(random));
        }
        line(source, &format!("  only if {asked}"));
    }
    if random.chance(20) {
        line(source, &format!("  still if {}", condition(random, &scope, 1)));
    }
    match random.below(4) {
        0 => line(source, "  limit once"),
        1 => line(source, &format!("  limit {} per {}", random.below(2) + 1, duration(random))),
        _ => {}
    }
    rare_clauses(random, source);
    match random.below(6) {
        0 if scope.trigger.is_some_and(|event| event != "any") => line(source, "  overlap per k"),
        1 => line(source, "  overlap restart"),
        _ => {}
    }
    if random.chance(35) {
        line(source, &format!("  stop when {}", stop(random, &scope)));
    }
    let topic = if scope.trigger.is_some() && random.chance(20) {
        "transactional"
    } else {
        random.pick(&["topic news", "topic offers", "topic later", "topic much_later"])
    };
    line(source, &format!("  {topic}"));
    if random.chance(15) {
        line(source, &format!("  holdout {}", random.pick(&["50%", "30%", "99.9999%"])));
    }
    if random.chance(10) {
        line(source, &format!("  was former_{number}"));
    }
    if random.chance(25) {
        let event = random.pick(&["\"A\"", "\"B\"", "any of (\"A\", \"P\")", "any event"]);
        let held = match event {
            "\"A\"" | "\"B\"" if scope.trigger.is_some_and(|it| it != "any") && random.chance(40) => {
                " where (n > 0 and k = event.k)".to_owned()
            }
            "\"A\"" | "\"B\"" => maybe(random, event.trim_matches('"'), &Scope::default()),
            _ => String::new(),
        };
        line(source, &format!("  goal {event}{held} within {}", duration(random)));
    }
    if topic != "transactional" {
        for _ in 0..random.below(3).saturating_sub(usize::from(random.chance(50))) {
            line(source, &format!("  {}", quiet(random, &scope)));
        }
    }
    let start = source.len();
    for _ in 0..=random.below(3) {
        step(random, source, &scope, 2, number);
    }
    if !source[start..].contains("send ") {
        line(source, &format!("  send sms \"{}\"", body(random, &scope)));
    }
    line(source, "}");
}

fn rare_clauses(random: &mut Random, source: &mut String) {
    if random.chance(10) {
        line(source, "  start cold");
    }
    if random.chance(20) {
        line(source, &format!("  priority {}", random.below(5)));
    }
    match random.below(8) {
        0 => line(source, "  late never"),
        1 => line(source, &format!("  late after {}", duration(random))),
        _ => {}
    }
}

fn trigger(random: &mut Random, scope: &mut Scope) -> String {
    let plain = Scope::default();
    match random.below(13) {
        12 => random
            .pick(&[
                "\"Session Started\"",
                "\"Session Ended\"",
                "\"Session Ended\" where (events >= 2 and length >= 1 minute)",
                "\"Session Started\" then \"B\" within 5 minutes",
                "\"Session Started\" then no \"A\" within 30 minutes",
                "\"A\" then \"Session Ended\" within 1 hour",
            ])
            .to_owned(),
        10 | 11 => schedule(random),
        0 | 1 => {
            let word = random.pick(&["enters", "leaves"]);
            format!("{word} {}", scope.segments[random.below(scope.segments.len())])
        }
        2 | 3 => {
            let anchor = random.pick(&["", "", "earliest ", "each "]);
            let same = random.pick(&["", " with same k"]);
            scope.trigger = Some("A");
            let held = maybe(random, "A", &plain);
            format!("{anchor}\"A\"{held} then no \"B\" within {}{same}", duration(random))
        }
        4 => {
            scope.trigger = Some("B");
            scope.elements = vec![("first_a".to_owned(), "A")];
            let anchor = random.pick(&["", "earliest ", "each "]);
            let same = random.pick(&["", " with same k"]);
            format!(
                "{anchor}\"A\" as first_a then \"B\"{} within {}{same}",
                maybe(random, "B", &plain),
                duration(random)
            )
        }
        5 => {
            scope.trigger = Some("C");
            let anchor = random.pick(&["", "earliest ", "each "]);
            let (first, second) = (duration(random), duration(random));
            format!("{anchor}\"A\" then \"B\" within {first} then \"C\" within {second}")
        }
        6 => {
            scope.trigger = Some("B");
            let anchor = random.pick(&["", "earliest ", "each "]);
            let (first, second) = (duration(random), duration(random));
            format!("{anchor}\"A\" then \"B\" within {first} then no \"C\" within {second}")
        }
        7 => {
            scope.trigger = Some("A");
            format!("\"A\"{} for the first time", maybe(random, "A", &plain))
        }
        8 => {
            scope.trigger = Some("A");
            format!("any of (\"A\", \"B\"){}", maybe(random, "AB", &plain))
        }
        _ => {
            scope.trigger = Some("A");
            format!("\"A\"{}", maybe(random, "A", &plain))
        }
    }
}

/// A trigger by the calendar or by a date.
fn schedule(random: &mut Random) -> String {
    let time = random.pick(&["08:05", "08:30", "09:00", "09:10", "10:00", "03:30", "17:05"]);
    let field = random.pick(&["born", "due.at", "joined"]);
    let word = random.pick(&["before", "after"]);
    match random.below(6) {
        0 => format!("every day at {time}"),
        1 => format!("every {} at {time}", random.pick(&["monday", "monday, friday", "tuesday and sunday"])),
        2 => format!("every year on profile.{field} at {time}"),
        3 => format!("{} {word} profile.{field} at {time}", random.pick(&["0 days", "1 day", "365 days"])),
        4 => format!("{} {word} profile.{field}", random.pick(&["0 days", "1 day", "9 hours"])),
        _ => format!("{} {word} profile.due.at", duration(random)),
    }
}

/// What stops a run that waits.
fn stop(random: &mut Random, scope: &Scope) -> String {
    match random.below(3) {
        0 => condition(random, scope, 1),
        _ => pattern(random, scope),
    }
}

/// Quiet times around the hours of histories, in the zones of their customers.
fn quiet(random: &mut Random, scope: &Scope) -> String {
    let times = [
        ("08:10", "08:40"),
        ("08:30", "09:30"),
        ("21:00", "08:20"),
        ("09:00", "17:30"),
        ("17:00", "18:15"),
        ("00:00", "00:00"),
    ];
    let (from, to) = times[random.below(times.len())];
    let days = if from == to {
        " on monday"
    } else {
        random.pick(&["", "", " on monday", " on sunday, monday", " on tuesday"])
    };
    let whom =
        if random.chance(25) { format!(" where ({})", condition(random, scope, 0)) } else { String::new() };
    let skip = random.pick(&["", "", "", " else skip"]);
    let spread = random.pick(&["", " then spread 10 minutes"]);
    format!("quiet {from} to {to}{days}{whom}{skip}{spread}")
}

fn maybe(random: &mut Random, event: &str, scope: &Scope) -> String {
    if random.chance(40) { format!(" where {}", filter(random, event, scope, 1)) } else { String::new() }
}

fn step(random: &mut Random, source: &mut String, scope: &Scope, depth: u32, rule: usize) {
    let indent = "  ".repeat(4 - depth as usize);
    if random.chance(22) {
        wait(random, source, &indent, scope);
    }
    if depth > 0 && random.chance(20) {
        conversation(random, source, scope, depth, rule);
    }
    match random.below(10) {
        0 if depth > 0 => {
            line(source, &format!("{indent}if {} {{", condition(random, scope, 1)));
            step(random, source, scope, depth - 1, rule);
            line(source, &format!("{indent}}} otherwise {{"));
            step(random, source, scope, depth - 1, rule);
            line(source, &format!("{indent}}}"));
        }
        1 => line(
            source,
            &format!(
                "{indent}set profile.score = {}",
                random.pick(&["1", "2", "coalesce(profile.score, 0) + 1"])
            ),
        ),
        2 => line(source, &format!("{indent}set profile.tier = \"{}\"", random.pick(&super::TEXTS))),
        // Only event P is made, and only rare triggers look at it, so that few programs form cycles.
        3 => line(source, &format!("{indent}emit \"P\" {{ n: {rule}, t: \"red\" }}")),
        4 => {
            let word = random.pick(&["grant", "withdraw"]);
            let topic = random.pick(&["", " news", " offers"]);
            line(source, &format!("{indent}{word} consent sms{topic}"));
        }
        5 => {
            let mut call = String::new();
            let distinct = random.pick(&["", "", " distinct by k", " distinct by t"]);
            let last = format!("last 2 of {}{distinct}", pattern_of_a(random, scope));
            let value = if random.chance(40) { last } else { aggregate(random, scope) };
            let _ = write!(call, "call crm {{ value: {value}, score: profile.score }}");
            line(source, &format!("{indent}{call}"));
        }
        6 => line(
            source,
            &format!("{indent}send email {{ subject: \"Hi\", body: \"{}\" }}", body(random, scope)),
        ),
        _ => line(
            source,
            &format!(
                "{indent}send {} \"{}\"",
                random.pick(&["sms", "sms", "email2"]).replace("email2", "sms"),
                body(random, scope)
            ),
        ),
    }
}

/// A step that waits for an event, or takes one of some ways.
fn conversation(random: &mut Random, source: &mut String, scope: &Scope, depth: u32, rule: usize) {
    let indent = "  ".repeat(4 - depth as usize);
    if random.chance(20) {
        let (first, second) = [("50", "50"), ("33.3333", "66.6667"), ("100", "0")][random.below(3)];
        line(source, &format!("{indent}split {{ one {first}% {{"));
        step(random, source, scope, depth - 1, rule);
        line(source, &format!("{indent}}} two {second}% {{"));
        step(random, source, scope, depth - 1, rule);
        line(source, &format!("{indent}}} }}"));
        return;
    }
    let mut answered = scope.clone();
    let event = random.pick(&["A", "B", "C"]);
    answered.answer = Some(["A", "B", "C"].into_iter().find(|it| *it == event).unwrap_or("A"));
    let (what, engagement) = match random.below(9) {
        0 => ("a click".to_owned(), true),
        1 => ("an open".to_owned(), true),
        2 => ("a delivery".to_owned(), true),
        3 => ("a reply".to_owned(), true),
        4 => ("a reply where text != \"no\"".to_owned(), true),
        5 => ("any of (\"Message Clicked\", \"Message Opened\") of this run".to_owned(), true),
        6 => ("\"Message Sent\"".to_owned(), true),
        _ if random.chance(50) => (format!("\"{event}\" where {}", filter(random, event, scope, 1)), false),
        _ => (format!("\"{event}\""), false),
    };
    if engagement {
        answered.answer = None;
    }
    line(source, &format!("{indent}wait up to {} for {what} {{", duration(random)));
    if engagement && random.chance(50) {
        line(source, &format!("{indent}  reply \"Thank you, {{{{ answer.channel | default('nobody') }}}}\""));
    }
    step(random, source, &answered, depth - 1, rule);
    match random.below(3) {
        0 => line(source, &format!("{indent}}}")),
        1 => {
            line(source, &format!("{indent}}} otherwise {{"));
            step(random, source, scope, depth - 1, rule);
            line(source, &format!("{indent}}}"));
        }
        _ => line(source, &format!("{indent}}} otherwise {{ stop }}")),
    }
}

/// A step that takes time, or ends the run.
fn wait(random: &mut Random, source: &mut String, indent: &str, scope: &Scope) {
    let step = match random.below(10) {
        0 => "stop".to_owned(),
        1 => format!("wait until {}", random.pick(&["08:30", "10:00", "monday 09:00", "tuesday 00:00"])),
        2 => {
            let moment = match scope.trigger {
                Some("A") => random.pick(&["event.w", "profile.joined", "event.at"]),
                Some(_) => random.pick(&["profile.joined", "event.at"]),
                None => "profile.joined",
            };
            let before = random.pick(&["", "1 hour before ", "30 minutes after ", "2 minutes after "]);
            format!("wait until {before}{moment}")
        }
        3 => format!("wait 1 day at {}", random.pick(&["00:00", "09:15"])),
        _ => format!("wait {}", duration(random)),
    };
    line(source, &format!("{indent}{step}"));
}

fn pattern_of_a(random: &mut Random, scope: &Scope) -> String {
    let _ = pattern(random, scope);
    if random.chance(50) {
        "\"A\"".to_owned()
    } else {
        format!("\"A\" where {}", filter(random, "A", scope, 1))
    }
}

fn body(random: &mut Random, scope: &Scope) -> String {
    let mut text = "Dear {{ profile.tier | default('you') }}".to_owned();
    if scope.trigger.is_some() && random.chance(50) {
        text.push_str(", {{ event.n | default(0) }} {{ event.t | default('none') }}");
    }
    if scope.answer.is_some() && random.chance(50) {
        text.push_str(", {{ answer.n | default(0) }} {{ answer.k | default('none') }}");
    }
    if let Some(name) = scope.lets.first()
        && random.chance(50)
    {
        text.push_str(&format!(", {{{{ {name} | default('nothing') }}}}"));
    }
    text
}
