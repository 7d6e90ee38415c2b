//! From source text.

use crate::build::*;
use segue_compiler::project::{Project, Source, compile};

const RULES: &str = r#"
event "Product Added" { name: text, price: number }
event "Order Completed" { total: number }
profile { first_name: text? }
topic marketing { 1 per 7 days }
let spent = sum of total of "Order Completed" in the last 365 days
let tier = "gold" if spent >= 100, otherwise "none"
segment loyal { did "Order Completed" at least 2 times in the last 90 days }
rule cart {
  when "Product Added" then no "Order Completed" within 2 hours
  only if sum of price of "Product Added" in this match >= 50
  topic marketing
  send sms "Hi {{ profile.first_name | default('there') }}, {{ event.name }} is waiting, {{ tier }} customer."
}
rule reward {
  when enters loyal
  limit once
  topic marketing
  send sms "Thank you"
}
"#;

#[test]
fn a_cart_gets_one_reminder_about_the_last_thing_added() {
    let source = Source { name: "cart.segue".to_owned(), text: RULES.to_owned() };
    let checked = compile(&Project { sources: vec![source], ..Project::default() });
    let Some(program) = checked.program else { panic!("{:?}", checked.diagnostics) };
    let mut world = Build(program).world();
    world.identify(0, r#"{"first_name":"Ada","phone":"+4790000000"}"#);
    world.track(0, "Product Added", r#"{"name":"Boots","price":120}"#);
    world.track(30 * MINUTE, "Product Added", r#"{"name":"Socks","price":9}"#);
    world.track(DAY, "Order Completed", r#"{"total":60}"#);
    world.track(2 * DAY, "Order Completed", r#"{"total":60}"#);
    world.advance(100 * DAY);
    assert_eq!(
        world.lines(),
        [
            "150m cart sms +4790000000: Hi Ada, Socks is waiting, none customer.",
            "2880m +loyal",
            "2880m reward sms not: cap",
            "131040m -loyal",
        ]
    );
}
