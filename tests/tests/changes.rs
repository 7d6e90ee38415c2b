//! What becomes of states when rules change.

#![expect(clippy::panic, reason = "a test that cannot go on says so by panicking")]

use segue_compiler::{
    changes::{Changes, Fate, changes, print},
    project::{Project, Source, compile},
    reach::Reach,
    typed::Program,
};
use segue_tests::{generate::program, random::Random};

fn compiled(rules: &str) -> Program {
    let source = Source { name: "rules.segue".to_owned(), text: rules.to_owned() };
    let checked = compile(&Project { sources: vec![source], ..Project::default() });
    checked.program.unwrap_or_else(|| panic!("{:?}\n{rules}", checked.diagnostics))
}

fn between(old: &str, new: &str) -> Changes {
    changes(&compiled(old), &compiled(new))
}

/// Whether nothing begins anew and nothing is let go.
fn is_all_kept(changes: &Changes) -> bool {
    let Changes { remembered, profile, topics, segments, rules } = changes;
    let named = [profile, topics, segments].into_iter().flatten().map(|it| it.fate);
    let fates = remembered.iter().map(|it| it.fate).chain(named).chain(rules.iter().map(|it| it.fate));
    fates.into_iter().all(|fate| fate == Fate::Kept) && rules.iter().all(|it| it.keeps_identity)
}

const BEFORE: &str = r#"
event "Order" { total: number, note: text? }
passive event "Shipped" { order_id: text? }
profile { tier: text?, points: number = 0, code: text? }
topic news { 3 per 7 days }
topic offers within news { 1 per 1 day }
let spent = sum of total of "Order" in the last 90 days
segment loyal { did "Order" at least 3 times in the last 90 days }
segment rich { spent >= 500 }
segment lapsed { did "Order" and no activity in the last 30 days }
rule thanks {
  when enters loyal
  limit once
  topic offers
  send sms "Thank you"
}
rule cart {
  when "Added" then no "Order" within 2 hours
  only if event.price >= 10
  topic offers
  send sms "Your cart"
}
event "Added" { price: number, cart_id: text? }
rule monthly {
  when every monday at 09:00
  topic news
  send sms "News: you spent {{ spent }}"
}
rule gone {
  when enters lapsed
  topic news
  send sms "Come back"
}
rule hello {
  when "Order" for the first time
  topic news
  send sms "Hello"
}
"#;

const AFTER: &str = r#"
event "Added" { price: number, cart_id: text? }
passive event "Delivered" { order_id: text? }
event "Order" { total: number, note: text?, cart_id: text? }
passive event "Shipped" { order_id: text? }
profile { points: number = 0, tier: text?, code: number?, birth_date: date? }
topic promotions { 1 per 1 day }
topic news { 2 per 7 days }
let spent_lately = sum of total of "Order" in the last 90 days
segment big { spent_lately >= 500 }
segment faithful { did "Order" at least 3 times in the last 90 days }
segment lapsed { did "Order" and no activity in the last 60 days }
rule thanks {
  when enters faithful
  limit 2 per 365 days
  topic news
  send sms "Thank you"
}
rule cart {
  when "Added" then no "Order" within 2 hours with same cart_id
  only if event.price >= 10
  topic promotions
  send sms "Your cart"
}
rule weekly {
  when every monday at 09:00
  was monthly
  topic news
  send sms "News: you spent {{ spent_lately }}"
}
rule welcome {
  when "Order" for the first time
  topic news
  send sms "Hello"
}
rule lapsing {
  when enters lapsed
  start cold
  topic news
  send sms "Come back soon"
}
rule birthday {
  when every year on profile.birth_date at 09:00
  only if count of "Order" in the last 365 days >= 2
  topic news
  send sms "Happy birthday"
}
"#;

#[test]
fn two_versions_side_by_side() {
    insta::assert_snapshot!(format!("{BEFORE}\n=>\n{AFTER}\n=>\n\n{}", print(&between(BEFORE, AFTER))));
}

#[test]
fn what_is_written_elsewhere_or_called_otherwise_is_kept() {
    let (declarations, rules) = BEFORE.split_once("let spent").unwrap();
    let turned = format!("let spent{rules}\n{declarations}");
    assert!(is_all_kept(&between(BEFORE, &turned)), "{}", print(&between(BEFORE, &turned)));
    // A template says its names itself, and so it says something else.
    let before = BEFORE.replace("News: you spent {{ spent }}", "News");
    let renamed = before.replace("spent", "spending").replace("loyal", "faithful");
    assert!(is_all_kept(&between(&before, &renamed)), "{}", print(&between(&before, &renamed)));
}

#[test]
fn random_programs_are_what_they_are_in_any_order() {
    let mut compared = 0;
    for seed in 0..80 {
        let source = program(&mut Random::new(seed));
        let Some(before) = try_compiled(&source) else { continue };
        assert!(is_all_kept(&changes(&before, &before)), "{source}\n{}", print(&changes(&before, &before)));
        // Declarations on one line each, in reverse; rules stay behind them.
        let first_rule = source.find("rule rule_0").unwrap();
        let (head, rules) = source.split_at(first_rule);
        let turned: Vec<&str> = head.lines().rev().collect();
        let after = compiled(&format!("{}\n{rules}", turned.join("\n")));
        let found = changes(&before, &after);
        assert!(is_all_kept(&found), "{source}\n{}", print(&found));
        compared += 1;
    }
    assert!(compared > 40, "only {compared} programs pass the checker");
}

fn try_compiled(rules: &str) -> Option<Program> {
    let source = Source { name: "rules.segue".to_owned(), text: rules.to_owned() };
    compile(&Project { sources: vec![source], ..Project::default() }).program
}

#[test]
fn a_changed_type_or_filter_is_another_thing() {
    let rules = |ty: &str, filter: &str| {
        format!(
            "event \"Order\" {{ total: {ty}, note: text? }}\nsegment s {{ did \"Order\" where {filter} at least 2 times }}"
        )
    };
    let fates =
        |old: &str, new: &str| between(old, new).remembered.iter().map(|it| it.fate).collect::<Vec<_>>();
    let number = rules("number", "total is known");
    assert_eq!(fates(&number, &rules("text", "total is known")), [Fate::New, Fate::Dropped]);
    assert_eq!(fates(&number, &rules("number", "total > 5")), [Fate::New, Fate::Dropped]);
    assert_eq!(fates(&number, &number), [Fate::Kept]);
    // What is no activity any more changes what `no activity` means.
    let silent = |passive: &str| {
        format!(
            "{passive}event \"Visit\" {{}}\nsegment s {{ did \"Visit\" and no activity in the last 1 day }}"
        )
    };
    assert_eq!(fates(&silent(""), &silent("passive ")), [Fate::Kept, Fate::New, Fate::Dropped]);
}

#[test]
fn a_rule_waits_for_the_log_that_its_new_state_needs() {
    let rules = |days: u32, more: &str| {
        format!(
            "event \"Order\" {{}}\nsegment s {{ did \"Order\" at least 2 times in the last {days} days }}\nrule r {{\n  when enters s\n  {more}\n  call crm {{}}\n}}"
        )
    };
    let log = |old: &str, new: &str| between(old, new).rules.first().unwrap().log;
    let day = 86_400_000;
    assert_eq!(log(&rules(30, ""), &rules(90, "")), Reach { back: 90 * day, ..Reach::NONE });
    assert_eq!(log(&rules(30, ""), &rules(90, "start cold")), Reach::NONE);
    assert_eq!(log(&rules(30, ""), &rules(30, "limit once")), Reach::NONE);
}

#[test]
fn what_rules_made_is_known_since_the_change_only() {
    let before = "use messaging\nevent \"Visit\" {}\ntopic news { 9 per 1 day }\nrule hello { when \"Visit\"  topic news  send sms \"Hello\" }\n";
    let new = |condition: &str| {
        let rule = format!("rule new {{ when \"Visit\"  only if {condition}  call crm {{}} }}");
        let found = between(before, &format!("{before}{rule}"));
        (found.rules.last().unwrap().made, print(&found))
    };
    let day = 86_400_000;
    let (made, text) = new("count of \"Message Sent\" in the last 7 days < 2");
    assert_eq!(made, Reach { back: 7 * day, ..Reach::NONE });
    assert!(text.contains("over the last 7 days, and 7 days after the change at the earliest"), "{text}");
    let (made, text) = new("not did \"Message Sent\"");
    assert_eq!(made, Reach { always: true, ..Reach::NONE });
    assert!(text.contains("over all of it, without what rules made before"), "{text}");
    let (made, text) = new("count of \"Message Opened\" in the last 7 days < 2");
    assert_eq!(made, Reach::NONE);
    assert!(!text.contains("rules made"), "{text}");
}

#[test]
fn identity_is_the_name_or_what_it_was() {
    let rule = |name: &str, was: &str| {
        format!("event \"Order\" {{}}\nrule {name} {{\n  when \"Order\"\n  {was}\n  call crm {{}}\n}}")
    };
    let of = |old: &str, new: &str| {
        let changes = between(old, new);
        let it = changes.rules.first().unwrap();
        (it.fate, it.keeps_identity, it.looks_like.as_deref().map(str::to_owned))
    };
    assert_eq!(of(&rule("a", ""), &rule("b", "was a")), (Fate::Kept, true, None));
    assert_eq!(of(&rule("b", "was a"), &rule("b", "was a")), (Fate::Kept, true, None));
    // By the name that it had last, too, also where nothing is said any more.
    assert_eq!(of(&rule("b", "was a"), &rule("b", "")), (Fate::Kept, true, None));
    assert_eq!(of(&rule("b", "was a"), &rule("c", "was b")), (Fate::Kept, true, None));
    assert_eq!(of(&rule("b", "was a"), &rule("c", "was a")), (Fate::Kept, true, None));
    assert_eq!(of(&rule("b", "was a"), &rule("b", "was z")), (Fate::Kept, false, None));
    assert_eq!(of(&rule("a", ""), &rule("b", "")), (Fate::New, false, Some("a".to_owned())));
}
