//! Predicates over one event: compiled and interpreted alike, and refused where one event does not decide.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use segue_compiler::{
    json::JsonText,
    predicate::Lack,
    project::{Project, Source, compile},
    reference,
    typed::Program,
    value::Decimal,
};
use segue_runtime::predicate::{Input, Occurrence, PredicateError, Predicates};
use serde_json::json;
use std::sync::Arc;

const EVENTS: &str = r#"
event "Order" {
  total: number?, quantity: number?, category: text?, note: text?, gift: boolean?, due: date?
  tags: list of text?
}
event "View" { category: text?, seconds: number? }
profile { badges: number = 0 }
segment buyer { did "Order" }
let dear = 100
let often = count of "Order" >= 3
"#;

/// Conditions that one event decides.
const CONDITIONS: [&str; 14] = [
    r#"event.total >= 100 and event.category = "shoes""#,
    r#"event.category in ["shoes", "a rather long category", "bags"] and event.total between 50 and 200"#,
    r#"event.category is not known or not (event.category = "socks")"#,
    r#"event.category != event.note"#,
    r#"event.category contains "oe" or event.note starts with "a ""#,
    r#"event.note matches "^[a-z]+$""#,
    r#"lower(event.category) = "shoes""#,
    r#"event.total * event.quantity > 300"#,
    r#"event.total - event.quantity >= 99"#,
    r#"coalesce(event.note, event.category) = "bags""#,
    r#"at least 2 of (event.gift, event.total > 50, event.due > 2026-01-15)"#,
    r#"event.tags contains "new""#,
    r#"event.total > dear"#,
    r#"event.event_name = "Order" and event.gift"#,
];

fn program(rules: &str) -> Arc<Program> {
    let source = Source { name: "rules.segue".to_owned(), text: format!("{EVENTS}\n{rules}") };
    let checked = compile(&Project { sources: vec![source], ..Project::default() });
    assert!(checked.program.is_some(), "{:?}", checked.diagnostics);
    Arc::new(checked.program.unwrap())
}

fn rule(number: usize, trigger: &str, condition: &str) -> String {
    format!("rule r{number:02} {{\n when {trigger}\n {condition}\n call found {{}}\n}}\n")
}

fn set(order: &mut Occurrence<'_>, name: &str, value: Input<'_>) {
    let field = order.field(name).unwrap();
    order.set(field, value);
}

/// The bit of a rule.
fn answer(answers: &[u64], rule: usize) -> bool {
    answers.get(rule / 64).is_some_and(|word| word >> (rule % 64) & 1 == 1)
}

#[test]
fn compiled_and_interpreted_agree() {
    let rules: String = CONDITIONS
        .iter()
        .enumerate()
        .map(|(number, condition)| rule(number, "\"Order\"", &format!("only if {condition}")))
        .collect();
    let program = program(&rules);
    let compiled = Predicates::new(program.clone()).unwrap();
    let interpreted = reference::Predicates::new(program.clone()).unwrap();
    let mut held = [0; CONDITIONS.len()];
    let mut read = compiled.event("Order").unwrap();
    let mut filled = compiled.event("Order").unwrap();
    let texts = [
        None,
        Some("shoes"),
        Some("Shoes"),
        Some("bags"),
        Some("a rather long category"),
        Some("a rather long one"),
    ];
    for total in [None, Some(99_990_000), Some(100_000_000), Some(250_500_000)].map(|it| it.map(Decimal)) {
        for category in texts {
            for note in texts {
                for gift in [None, Some(true), Some(false)] {
                    let quantity = Decimal(2_000_000);
                    let number =
                        |it: Decimal| serde_json::from_str::<serde_json::Number>(&it.to_string()).unwrap();
                    let mut order = json!({
                        "total": total.map(number), "quantity": number(quantity), "category": category,
                        "note": note, "gift": gift, "due": "2026-02-01",
                    });
                    filled.clear();
                    set(&mut filled, "total", total.into());
                    set(&mut filled, "quantity", quantity.into());
                    set(&mut filled, "category", category.into());
                    set(&mut filled, "note", note.into());
                    set(&mut filled, "gift", gift.into());
                    set(&mut filled, "due", Input::Date(20_485));
                    for tagged in [false, true] {
                        if tagged {
                            order["tags"] = json!(["old", "new"]);
                        }
                        let text = order.to_string();
                        let properties = JsonText::parse(&text).unwrap();
                        read.read(properties);
                        let meant = interpreted.read("Order", properties).unwrap();
                        let answers = read.answers().to_vec();
                        for (held, number) in held.iter_mut().zip(0..) {
                            let expected = interpreted.holds(number, &meant);
                            let about = format!("{} of {order}", CONDITIONS[number]);
                            assert_eq!(read.holds(number), expected, "{about}");
                            assert_eq!(answer(&answers, number), expected, "all at once, {about}");
                            assert!(tagged || filled.holds(number) == expected, "filled, {about}");
                            *held += u32::from(expected);
                        }
                    }
                }
            }
        }
    }
    assert!(held.iter().all(|count| *count > 0), "{held:?}");
}

#[test]
fn rules_about_other_events_do_not_hold() {
    let both = rule(0, r#"any of ("Order", "View")"#, r#"only if event.category = "shoes""#);
    let one = rule(1, r#""View""#, "only if event.seconds > 10");
    let predicates = Predicates::new(program(&(both + &one))).unwrap();
    assert!(predicates.event("Other").is_none());
    assert_eq!((predicates.rule("r01"), predicates.rule("r02")), (Some(1), None));
    for (event, expected) in [("Order", [true, false, false]), ("View", [true, true, false])] {
        let mut occurrence = predicates.event(event).unwrap();
        assert_eq!([0, 1].map(|rule| occurrence.holds(rule)), [false, false]);
        occurrence.read(JsonText::parse(r#"{ "category": "shoes", "seconds": 11 }"#).unwrap());
        assert_eq!([0, 1, 2].map(|rule| occurrence.holds(rule)), expected, "{event}");
        let answers = occurrence.answers();
        assert_eq!([0, 1, 2].map(|rule| answer(answers, rule)), expected, "{event}");
    }
}

#[test]
fn more_rules_than_a_word_has_bits_are_asked_at_once() {
    let condition = |number: usize| match number {
        // Tests of parts of texts ask the host.
        70 => "event.category starts with \"sho\"".to_owned(),
        _ => format!("event.quantity >= {}", number % 7),
    };
    let rules: String =
        (0..150).map(|number| rule(number, "\"Order\"", &format!("only if {}", condition(number)))).collect();
    let predicates = Predicates::new(program(&rules)).unwrap();
    let mut order = predicates.event("Order").unwrap();
    let of_host = predicates.rule("r70").unwrap();
    for (quantity, category) in [(0, "shoes"), (3, "bags"), (6, "shoes"), (2, "shoes")] {
        set(&mut order, "quantity", Decimal::whole(quantity).unwrap().into());
        set(&mut order, "category", category.into());
        let answers = order.answers().to_vec();
        assert_eq!(answers.len(), 3);
        for number in 0..192 {
            assert_eq!(
                answer(&answers, number),
                order.holds(number),
                "rule {number} of {quantity} {category}"
            );
        }
        assert_eq!(answer(&answers, of_host), category == "shoes");
    }
}

#[test]
fn values_of_other_types_and_fields_of_other_events_do_not_count() {
    let both = rule(0, r#"any of ("Order", "View")"#, r#"only if event.category = "shoes""#);
    let predicates = Predicates::new(program(&both)).unwrap();
    let (mut order, view) = (predicates.event("Order").unwrap(), predicates.event("View").unwrap());
    assert!(order.field("tags").is_none() && order.field("missing").is_none());
    let category = order.field("category").unwrap();
    order.set(category, "shoes");
    assert!(order.holds(0));
    order.set(view.field("category").unwrap(), "bags");
    assert!(order.holds(0));
    order.set(category, true);
    assert!(!order.holds(0));
    // No rule looks at it.
    set(&mut order, "total", Decimal(1).into());
    assert!(!order.holds(0));
}

#[test]
fn what_one_event_does_not_decide_is_refused() {
    let conditions = [
        ("only if profile.badges > 1", Lack::Profile),
        ("only if event.total > 1 and profile.consent.sms", Lack::Profile),
        ("only if in segment buyer", Lack::History),
        (r#"only if count of "Order" > 1"#, Lack::History),
        ("only if often", Lack::History),
        ("only if no activity in the last 7 days", Lack::History),
        ("only if hour(event.at) > 8", Lack::LocalTime),
        (r#"only if event.message_id = "m1""#, Lack::Envelope),
        ("", Lack::Condition),
    ];
    let of_conditions = conditions.map(|(condition, lack)| (r#""Order""#, condition, lack));
    let of_triggers = [
        r#""Order" where total > 1"#,
        r#""View" then "Order" within 1 day"#,
        r#""Order" for the first time"#,
        r#""Order" then no "View" within 1 day"#,
        "enters buyer",
    ]
    .map(|trigger| (trigger, "only if dear > 1", Lack::Trigger));
    for (trigger, condition, lack) in of_conditions.into_iter().chain(of_triggers) {
        let program = program(&rule(0, trigger, condition));
        let refused = Predicates::new(program.clone()).err();
        let Some(PredicateError::Undecided(undecided)) = refused else {
            panic!("{trigger} {condition} gives {refused:?}");
        };
        assert_eq!(undecided.lack, lack, "{trigger} {condition}");
        assert_eq!(reference::Predicates::new(program).unwrap_err().lack, lack);
    }
}
