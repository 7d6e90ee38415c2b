//! What rules cost, and that no customer ever takes more.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use segue_compiler::{
    cost::{Cost, cost, print},
    execution::Output,
    lower::lower,
    project::{Project, Source, compile},
    settings::Settings,
    typed::Program,
};
use segue_runtime::engine::Engine;
use segue_tests::{
    drive::apply,
    generate::{history, program},
    random::Random,
};
use serde_json::{Value, json};
use std::sync::Arc;

fn compiled(rules: &str) -> Program {
    let source = Source { name: "rules.segue".to_owned(), text: rules.to_owned() };
    let checked = compile(&Project { sources: vec![source], ..Project::default() });
    checked.program.unwrap_or_else(|| panic!("{:?}\n{rules}", checked.diagnostics))
}

fn costs(program: &Program) -> Cost {
    cost(program, &lower(program))
}

/// The bytes of each customer at rest.
fn bytes(program: Program, calls: &[Value]) -> Vec<u64> {
    let program = Arc::new(program);
    let engine = Engine::new(program, Settings::default()).unwrap();
    let (customers, _) = apply(&engine, calls, None, &mut Output::default());
    customers.values().map(|resting| resting.len() as u64).collect()
}

const RULES: &str = r#"
use ecommerce
profile { first_name: text?, birth_date: date?, interests: list of text? }
topic marketing { 3 per 7 days, sms 1 per 1 day else skip }
let spent = sum of total of "Order Completed" in the last 365 days
let unused = count of "Product Viewed"
segment loyal { did "Order Completed" at least 3 times in the last 90 days }
segment rich { spent >= 1_000 }
segment lapsed { did "Order Completed" and no activity in the last 30 days }
segment regular { did "Product Viewed" in at least 3 of the last 4 weeks }
segment newcomer { did any event and not known for 7 days }
segment keen { (did "Product Viewed" at least 5 times today) for 1 hour }
rule cart {
  when "Product Added" then no "Order Completed" within 2 hours with same cart_id
  only if sum of price of "Product Added" in this match >= 50
  limit 1 per 7 days
  topic marketing
  send sms "You left {{ event.name | default('something') }}: {{ spent }}"
}
rule thanks {
  when enters loyal
  limit once
  topic marketing
  send sms "Thank you"
}
rule birthday {
  when every year on profile.birth_date at 09:00
  topic marketing
  send sms "Happy birthday"
}
rule viewed {
  when "Product Viewed"
  call crm { last: last 3 of "Product Viewed" where category = event.category }
}
"#;

#[test]
fn every_declaration_has_its_line() {
    insta::assert_snapshot!(format!("{RULES}\n{}", print(&costs(&compiled(RULES)))));
}

#[test]
fn nobody_takes_more_than_the_worst() {
    let mut compared = 0;
    for seed in 0..150 {
        let mut random = Random::new(seed);
        let source = program(&mut random);
        let calls: Vec<Value> = history(&mut random).into_iter().map(|step| step.call).collect();
        let checked = compile(&Project {
            sources: vec![Source { name: "generated.segue".to_owned(), text: source.clone() }],
            ..Project::default()
        });
        let Some(program) = checked.program else { continue };
        let worst = costs(&program).total.worst;
        for bytes in bytes(program, &calls) {
            assert!(bytes <= worst, "seed {seed}: {bytes} B, at worst {worst} B\n{source}");
            compared += 1;
        }
    }
    assert!(compared > 100, "only {compared} customers were compared");
}

/// An event with long texts.
fn large(number: u32) -> Value {
    let text = |length: usize| "å".repeat(length);
    json!({
        "type": "track", "userId": "ada", "messageId": format!("{number}{}", "m".repeat(1_000)),
        "timestamp": 1_767_600_000_000_i64 + i64::from(number) * 1_000, "event": "Order",
        "properties": {
            "cart_id": format!("{}{}", number % 100, text(300)), "total": 9_000_000_000_000_i64, "note": text(300),
        }
    })
}

#[test]
fn somebody_who_does_the_most_stays_below_the_worst() {
    let rules = r#"
        event "Order" { cart_id: text?, total: number, note: text? }
        event "Paid" { cart_id: text? }
        segment many { count of "Order" in the last 30 minutes >= 200 and sum of total of "Order" in the last 1 hour >= 0 }
        segment noted { most frequent of note of "Order" in the last 1 day = "x" }
        segment ever { smallest of total of "Order" > 0 and did "Order" at least 40 times }
        segment by_day { largest of total of "Order" in the last 30 calendar days > 0 }
        segment streaks { streak of "Order" in days >= 3 }
        rule unpaid {
          when "Order" then no "Paid" within 1 day with same cart_id
          limit 256 per 30 days
          call crm { note: event.note, again: last 5 of "Order" where note = event.note }
        }
        rule each_one {
          when "Order" as first_one then "Order" within 1 day
          limit 256 per 30 days
          call crm { note: first_one.note }
        }"#;
    let calls: Vec<Value> = (0..400).map(large).collect();
    let program = compiled(rules);
    let total = costs(&program).total;
    let most = bytes(program, &calls).into_iter().max().unwrap();
    assert!(most <= total.worst, "{most} B, at worst {}", total.worst);
    // A bound that is far away says nothing.
    assert!(most * 20 >= total.worst, "{most} B, at worst {}", total.worst);
    assert!(total.typical < total.worst / 10);
}

#[test]
fn what_is_as_good_as_without_bound_is_pointed_out() {
    let rules = r#"
        event "Order" { lines: list of { sku: text?, tags: list of { name: text?, values: list of text? }? }? }
        rule r {
          when "Order"
          call crm { again: last 20 of "Order" }
        }"#;
    let cost = costs(&compiled(rules));
    let unbounded: Vec<&str> = cost.unbounded().map(|line| line.what.as_str()).collect();
    assert_eq!(unbounded, ["rule r"]);
    let few = rules.replace(", values: list of text?", "").replace("last 20 of", "last 1 of");
    assert_eq!(costs(&compiled(&few)).unbounded().count(), 0);
}
