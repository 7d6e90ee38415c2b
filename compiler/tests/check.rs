//! What the checker says where one page per code cannot show it: ways round, words, files.

use segue_compiler::{
    diagnostics::Diagnostic,
    project::{Project, Source, compile},
};

fn project(rules: &str) -> Project {
    let source = Source { name: "rules.segue".to_owned(), text: rules.to_owned() };
    Project { sources: vec![source], ..Project::default() }
}

/// Codes and messages of what is found.
fn found(project: &Project) -> Vec<String> {
    let line = |it: &Diagnostic| format!("{}: {}", it.code, it.message);
    compile(project).diagnostics.iter().map(line).collect()
}

#[test]
fn an_event_made_within_limited_loops_is_seen() {
    let rules = r#"
use messaging
topic news { 100 per 1 day }
defaults { topic news, limit 1 per 1 day }
event "Ping" {}
event "Pong" {}
rule ping {
  when any of ("Ping", "Message Sent")
  send sms "x"
  emit "Pong" {}
}
rule pong {
  when any of ("Pong", "Message Sent")
  send sms "x"
  emit "Ping" {}
}
"#;
    let cycle = "rule-cycle: what this does starts it again without end: ping → pong → ping";
    assert_eq!(found(&project(rules)), [cycle]);
}

#[test]
fn a_limit_ends_only_the_loops_that_it_is_in() {
    let rules = r#"
use messaging
topic news { 100 per 1 day }
defaults { topic news }
rule a { when "Message Sent"
  limit once
  send sms "x" }
rule b { when "Message Sent"
  send sms "x" }
rule c { when "Message Failed"
  send sms "x" }
"#;
    let cycle = |way: &str| format!("rule-cycle: what this does starts it again without end: {way}");
    assert_eq!(found(&project(rules)), [cycle("b → b"), cycle("c → c")]);
}

#[test]
fn circles_are_told_with_the_way_round() {
    let rules = r#"
topic news within offers { 1 per 1 day }
topic offers within tips { 1 per 1 day }
topic tips within news { 1 per 1 day }
topic shoes within tips { 1 per 1 day }
let one = two + 1
let two = one + 1
let three = two + one
"#;
    let circle = |code: &str, what: &str, way: &str| format!("{code}: {what} is made of itself: {way}");
    assert_eq!(
        found(&project(rules)),
        [
            circle("topic-cycle", "topic `news`", "news → offers → tips → news"),
            circle("topic-cycle", "topic `offers`", "offers → tips → news → offers"),
            circle("topic-cycle", "topic `tips`", "tips → news → offers → tips"),
            circle("segment-cycle", "let `one`", "one → two → one"),
            circle("segment-cycle", "let `two`", "two → one → two"),
        ]
    );
}

#[test]
fn functions_say_what_they_take() {
    let rules = r#"
event "A" { t: text, n: number }
segment a { did "A" where lower(t, t) = "a" }
segment b { did "A" where coalesce(n) = 1 }
segment c { did "A" where round() = 1 }
segment d { did "A" where abs(t) = 1 }
let usual = average of n of "A"
segment e { did "A" where n > usual }
"#;
    assert_eq!(
        found(&project(rules)),
        [
            "type-mismatch: `lower` takes one value, found 2",
            "type-mismatch: `coalesce` takes two values or more, found one",
            "type-mismatch: `round` takes one value, found none",
            "type-mismatch: expected a number or a duration for `abs`, found a text",
            "not-in-where: `usual` cannot stand after `where`",
        ]
    );
}

#[test]
fn a_variant_stands_before_the_extension_if_there_is_one() {
    let rules = r#"
topic news { 1 per 1 day }
event "A" {}
rule a { when "A"
  topic news
  send sms file "v1.0/welcome" by profile.country else "en" }
"#;
    let mut project = project(rules);
    let missing = "unknown-file: there is no file `v1.0/welcome.en` in the project";
    assert_eq!(found(&project), [missing]);
    project.files.insert("v1.0/welcome.en".to_owned(), "Welcome".to_owned());
    project.files.insert("v1.0/welcome.no".to_owned(), "Velkommen {{ profile.naem }}".to_owned());
    let within =
        "unknown-template-name: `profile.naem` means nothing in this template (`v1.0/welcome.no`, line 1)";
    assert_eq!(found(&project), [within]);
}

/// The helps of what is found.
fn helps(rules: &str) -> Vec<String> {
    compile(&project(rules)).diagnostics.into_iter().map(|it| it.help.unwrap_or_default()).collect()
}

#[test]
fn what_follows_a_where_may_belong_to_it() {
    let several = "`where` takes one comparison; several stand in parentheses: `where (a = 1 and b = 2)`";
    for condition in [
        "did \"A\" where n > 3 and t = \"x\"",
        "did \"A\" where n > 3 or t = \"x\"",
        "not did \"A\" where n > 3 in the last 3 days and (t = \"x\" or did \"B\")",
        "did \"B\" then \"A\" where n > 3 within 1 day and t = \"x\"",
        "did \"A\" where n > 3 in at least 2 of the last 3 days and t = \"x\"",
    ] {
        let rules =
            format!("event \"A\" {{ n: number, t: text }}\nevent \"B\" {{}}\nsegment s {{ {condition} }}");
        assert_eq!(helps(&rules), [several], "{condition}");
    }
    for condition in [
        "did \"A\" where n > 3 and other = \"x\"",
        "did \"A\" and t = \"x\"",
        "did \"B\" where at = 2026-01-01 08:00 and t = \"x\"",
        "t = \"x\" and did \"A\" where n > 3",
        "at least 1 of (did \"A\" where n > 3, t = \"x\")",
    ] {
        let rules =
            format!("event \"A\" {{ n: number, t: text }}\nevent \"B\" {{}}\nsegment s {{ {condition} }}");
        let helps = helps(&rules);
        assert!(helps.len() == 1 && helps[0] != several, "{condition}: {helps:?}");
    }
}

#[test]
fn words_of_behaviour_that_stand_alone_say_what_follows() {
    let rules = r#"
event "A" { id: text }
profile { id: text? }
segment a { did }
segment b { count > 3 }
"#;
    assert_eq!(
        helps(rules),
        ["the name of an event in quotes follows it: `did \"Event\"`", "say of what: `count of \"Event\"`"]
    );
}

#[test]
fn tests_and_functions_of_templates_have_their_own_ways_out() {
    let rules = r#"
event "A" { t: text?, n: number }
rule r { when "A"
  call crm { a: "{% if event.t is known %}x{% endif %}", b: "{{ now() }}", c: "{{ event.n | fallback }}" } }
"#;
    assert_eq!(
        helps(rules),
        [
            "whether there is a value is `is defined`, as in `{% if profile.first_name is defined %}`; comparisons have signs, as in `{% if event.total > 5 %}`",
            "functions are `range`, `dict` and `namespace`; other values stand in a `let`",
            "own filters are `default('…')`, `money('EUR')`, `date('%-d %B')` and `link('name')`",
        ]
    );
}

#[test]
fn what_is_decided_says_about_what() {
    let rules = r#"
event "A" { n: number, w: time }
segment a { did "A" where month(w) = 13 }
segment b { did "A" where (13 = month(w)) }
segment c { did "A" where ((n > 5) and (n < 3)) }
segment d { did "A" where month(w) in [12, 13] }
segment e { did "A" where not (weekday(w) = "Monday") }
segment f { did "A" where (weekday(w) = "monday" and weekday(w) != "sunday" and weekday(w) not in ["friday"]) }
"#;
    assert_eq!(
        found(&project(rules)),
        [
            "never-holds: this never holds: `month(w) = 13`",
            "never-holds: this never holds: `13 = month(w)`",
            "never-holds: this never holds: `(n > 5) and (n < 3)`",
            "never-holds: this never holds: `month(w) = 13`",
            "always-holds: this always holds: `not (weekday(w) = \"Monday\")`",
        ]
    );
    let ifs = r#"
event "A" { w: time }
let season = "late" if month(last of w of "A") > 12, otherwise "early"
rule r { when "A"
  if weekday(event.w) = "saturday" { call crm {} } otherwise if weekday(event.w) = "Sunday" { call crm {} } }
"#;
    let way = "this way would never be taken: compare with another number";
    let days = "the days are `\"monday\"`, `\"tuesday\"` and so on to `\"sunday\"`, in small letters";
    assert_eq!(helps(ifs), [way, days]);
    let event = "no event would ever be meant: compare with another number";
    assert_eq!(helps(rules), [event, event, event, "leave this value out, or write another one", days]);
}
