//! Conditions as an object file, linked into a program in C: its answers are those of the engine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use segue_compiler::{
    object::{ObjectError, object},
    project::{Project, Source, compile},
    typed::Program,
    value::Decimal,
};
use segue_runtime::predicate::{Input, Predicates};
use std::{fmt::Write, fs, path::Path, process::Command, sync::Arc};

const EVENTS: &str = r#"
event "Order Completed" {
  total: number?, quantity: number?, category: text?, note: text?, gift: boolean?, due: date?, at_door: time?
  took: duration?, address: { city: text?, floor: number? }?, tags: list of text?
}
event "Page Viewed" { category: text?, seconds: number? }
let dear = 100
"#;

/// Conditions that are comparisons, additions and subtractions.
const CONDITIONS: [&str; 14] = [
    r#"event.total >= 100 and event.category = "shoes""#,
    r#"event.category in ["shoes", "a rather long category, longer than a few words", "bags", ""]"#,
    r#"event.category is not known or not (event.category = "socks")"#,
    r#"event.category != "shoes" and event.total between 50 and 200"#,
    "event.total - event.quantity >= 99 or event.total + event.quantity < 100",
    r#"coalesce(event.note, event.category) = "bags""#,
    "at least 2 of (event.gift, event.total > 50, event.due > 2026-01-15)",
    "event.total > dear",
    r#"event.event_name = "Order Completed" and event.gift"#,
    "event.took > 90 seconds",
    "event.at_door < 2026-02-01 10:00",
    r#"event.address.city = "Tromsø""#,
    "event.address.floor >= 2 and event.gift is known",
    "event.total >= 9_000_000_000_000 or event.total + 9_000_000_000_000 > 9_000_000_000_100",
];
const TOTALS: [Option<i64>; 4] = [None, Some(99_990_000), Some(100_000_000), Some(9_000_000_000_000_000_000)];
const TEXTS: [Option<&str>; 7] = [
    None,
    Some("shoes"),
    Some("Shoes"),
    Some("bags"),
    Some("a rather long category, longer than a few words"),
    Some("a rather long category, longer than a few wordy"),
    Some(""),
];

fn program(rules: &str) -> Arc<Program> {
    let source = Source { name: "rules.segue".to_owned(), text: format!("{EVENTS}\n{rules}") };
    let checked = compile(&Project { sources: vec![source], ..Project::default() });
    assert!(checked.program.is_some(), "{:?}", checked.diagnostics);
    Arc::new(checked.program.unwrap())
}

fn rule(number: usize, trigger: &str, condition: &str) -> String {
    format!("rule r{number:02} \"No. {number}\" {{ when {trigger}  only if {condition}  call found {{}} }}\n")
}

fn rules() -> String {
    let of_orders = CONDITIONS.iter().enumerate();
    let mut rules: String =
        of_orders.map(|(number, condition)| rule(number, "\"Order Completed\"", condition)).collect();
    rules.push_str(&rule(50, "\"Page Viewed\"", "event.seconds > 10"));
    rules.push_str(&rule(
        51,
        "any of (\"Order Completed\", \"Page Viewed\")",
        "event.category = \"bags\" or event.event_name = \"Page Viewed\"",
    ));
    rules
}

/// The program in C: every combination of values, and for each a line of answers.
fn in_c(rules: usize) -> String {
    let text = |text: &Option<&str>| match text {
        Some(text) => format!("{text:?}"),
        None => "0".to_owned(),
    };
    let texts = TEXTS.iter().map(text).collect::<Vec<_>>().join(", ");
    let totals = TOTALS.map(|total| total.map_or_else(|| "-1".to_owned(), |it| format!("{it}LL"))).join(", ");
    let mut names: Vec<String> = (0..rules).map(|number| format!("shop_r{number:02}")).collect();
    names.extend(["shop_r50".to_owned(), "shop_r51".to_owned()]);
    let mut asked = String::new();
    for name in &names {
        let _ = writeln!(asked, "  putchar('0' + (int){name}(event));");
    }
    format!(
        r#"
#include "shop.h"
#include <stdio.h>
#include <string.h>

static void ask(const shop_event *event) {{
{asked}  putchar('\n');
}}

static void set(shop_event *event, int field, const char *text) {{
  if (text) shop_set_text(event, field, text, strlen(text));
}}

int main(void) {{
  const char *texts[] = {{ {texts} }};
  const int64_t totals[] = {{ {totals} }};
  for (int total = 0; total < {total_count}; total++)
    for (int category = 0; category < {text_count}; category++)
      for (int note = 0; note < {text_count}; note++)
        for (int gift = -1; gift < 2; gift++) {{
          shop_event event;
          memset(&event, 0x55, sizeof event);
          shop_begin(&event, SHOP_EVENT_ORDER_COMPLETED);
          if (totals[total] >= 0) shop_set_number(&event, SHOP_FIELD_ORDER_COMPLETED_TOTAL, totals[total]);
          set(&event, SHOP_FIELD_ORDER_COMPLETED_CATEGORY, texts[category]);
          set(&event, SHOP_FIELD_ORDER_COMPLETED_NOTE, texts[note]);
          set(&event, SHOP_FIELD_ORDER_COMPLETED_ADDRESS_CITY, note % 2 ? "Troms\xc3\xb8" : "Oslo");
          if (gift >= 0) shop_set_boolean(&event, SHOP_FIELD_ORDER_COMPLETED_GIFT, gift);
          shop_set_number(&event, SHOP_FIELD_ORDER_COMPLETED_QUANTITY, 2000000);
          shop_set_number(&event, SHOP_FIELD_ORDER_COMPLETED_ADDRESS_FLOOR, (note % 3) * 1000000);
          shop_set_date(&event, SHOP_FIELD_ORDER_COMPLETED_DUE, 20485);
          shop_set_duration(&event, SHOP_FIELD_ORDER_COMPLETED_TOOK, 90000 + note % 2);
          shop_set_time(&event, SHOP_FIELD_ORDER_COMPLETED_AT_DOOR, 1769940000000LL - category % 2);
          if (note == 3) shop_set_missing(&event, SHOP_FIELD_ORDER_COMPLETED_TOOK);
          ask(&event);
        }}
  shop_event view;
  shop_begin(&view, SHOP_EVENT_PAGE_VIEWED);
  ask(&view);
  shop_set_number(&view, SHOP_FIELD_PAGE_VIEWED_SECONDS, 11000000);
  shop_set_text(&view, SHOP_FIELD_PAGE_VIEWED_CATEGORY, "bagsy", 4);
  ask(&view);
  shop_begin(&view, 12345);
  ask(&view);
  return 0;
}}
"#,
        total_count = TOTALS.len(),
        text_count = TEXTS.len(),
    )
}

/// The same by the engine.
fn by_the_engine(program: Arc<Program>) -> String {
    let predicates = Predicates::new(program.clone()).unwrap();
    let names: Vec<String> = (0..CONDITIONS.len()).chain([50, 51]).map(|it| format!("r{it:02}")).collect();
    let places: Vec<usize> = names.iter().map(|name| predicates.rule(name).unwrap()).collect();
    let mut lines = String::new();
    for total in TOTALS {
        for (category, category_number) in TEXTS.iter().zip(0..) {
            for (note, note_number) in TEXTS.iter().zip(0_i64..) {
                for gift in [None, Some(false), Some(true)] {
                    let mut order = predicates.event("Order Completed").unwrap();
                    let number = |it: i64| serde_json::from_str(&Decimal(it).to_string()).unwrap();
                    let number = |it: i64| -> serde_json::Number { number(it) };
                    let city = if note_number % 2 == 1 { "Tromsø" } else { "Oslo" };
                    let took = (note_number != 3).then_some(90_000 + note_number % 2);
                    let json = serde_json::json!({
                        "total": total.map(number), "category": category, "note": note, "gift": gift,
                        "quantity": 2, "due": "2026-02-01", "took": took,
                        "at_door": 1_769_940_000_000_i64 - category_number % 2,
                        "address": { "city": city, "floor": note_number % 3 },
                    });
                    let text = json.to_string();
                    order.read(segue_compiler::json::JsonText::parse(&text).unwrap());
                    lines.extend(places.iter().map(|place| if order.holds(*place) { '1' } else { '0' }));
                    lines.push('\n');
                }
            }
        }
    }
    let mut view = predicates.event("Page Viewed").unwrap();
    for filled in [false, true] {
        if filled {
            let (seconds, category) = (view.field("seconds").unwrap(), view.field("category").unwrap());
            view.set(seconds, Input::Number(Decimal(11_000_000)));
            view.set(category, "bags");
        }
        lines.extend(places.iter().map(|place| if view.holds(*place) { '1' } else { '0' }));
        lines.push('\n');
    }
    lines + &"0".repeat(places.len()) + "\n"
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && words.is_empty(), "{command:?}: {words}");
    String::from_utf8(output.stdout).unwrap()
}

/// Writes the object file, its header and a program, and compiles the program; gives its path.
fn linked(folder: &Path, program: &Program, source: &str, more: &[&str]) -> std::path::PathBuf {
    let made = object(program, "shop").unwrap();
    assert!(made.left_out.is_empty(), "{:?}", made.left_out);
    fs::write(folder.join("shop.o"), &made.bytes).unwrap();
    fs::write(folder.join("shop.h"), &made.header).unwrap();
    fs::write(folder.join("main.c"), source).unwrap();
    let main = folder.join("main");
    let warnings = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-O1"];
    run(Command::new("cc")
        .args(warnings)
        .args(more)
        .args(["main.c", "shop.o", "-o", "main"])
        .current_dir(folder));
    main
}

#[test]
fn a_program_in_c_gets_the_engines_answers() {
    let program = program(&rules());
    let folder = tempfile::tempdir().unwrap();
    let main = linked(folder.path(), &program, &in_c(CONDITIONS.len()), &["-std=c99"]);
    let answers = run(&mut Command::new(main));
    let meant = by_the_engine(program);
    for (line, (answer, meant)) in answers.lines().zip(meant.lines()).enumerate() {
        assert_eq!(answer, meant, "line {line}");
    }
    assert_eq!(answers.lines().count(), meant.lines().count());
    // Each condition holds of some and not of others.
    for place in 0..CONDITIONS.len() + 2 {
        let column: Vec<u8> = answers.lines().map(|line| line.as_bytes()[place]).collect();
        assert!(column.contains(&b'0') && column.contains(&b'1'), "{place}");
    }
}

#[test]
fn what_needs_more_than_comparisons_is_left_out_and_told() {
    let mut text = rule(0, "\"Order Completed\"", "event.total > 1");
    for (number, condition) in [
        "event.category contains \"x\"",
        "event.category = event.note",
        "event.total * 2 > 3",
        "lower(event.category) = \"x\"",
        "event.tags contains \"x\"",
        "event.tags is known",
        "count of \"Page Viewed\" > 2",
    ]
    .iter()
    .enumerate()
    {
        text.push_str(&rule(number + 1, "\"Order Completed\"", condition));
    }
    text.push_str(&rule(20, "any event", "event.event_name = \"x\""));
    text.push_str("rule r30 { when \"Order Completed\" then \"Page Viewed\" within 1 day  call found {} }\n");
    let made = object(&program(&text), "x").unwrap();
    assert_eq!(made.rules.iter().map(|name| &**name).collect::<Vec<_>>(), ["r00"]);
    let why: Vec<String> = made.left_out.iter().map(|(rule, why)| format!("{rule}: {why}")).collect();
    let more = "its condition does more than compare, add and subtract";
    assert_eq!(
        why,
        [
            format!("r01: {more}"),
            format!("r02: {more}"),
            format!("r03: {more}"),
            format!("r04: {more}"),
            format!("r05: {more}"),
            format!("r06: {more}"),
            "r07: its condition looks at what happened before".to_owned(),
            "r20: it is about any event".to_owned(),
            "r30: it is not triggered by one event alone".to_owned(),
        ]
    );
    let nothing = object(&program(&rule(1, "\"Order Completed\"", "event.total * 2 > 3")), "x").unwrap_err();
    assert!(matches!(nothing, ObjectError::Nothing(_)));
    assert!(nothing.to_string().ends_with(&format!("of `r01`, {more}")), "{nothing}");
}

/// What stands in a page between the fences of a language, the first time.
fn block<'p>(page: &'p str, language: &str) -> &'p str {
    let (_, rest) = page.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn what_the_page_shows_works() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/build.md");
    let page = fs::read_to_string(page).unwrap();
    let text = block(&page, "segue").to_owned();
    let checked = compile(&Project {
        sources: vec![Source { name: "rules.segue".to_owned(), text }],
        ..Project::default()
    });
    let folder = tempfile::tempdir().unwrap();
    let main = linked(folder.path(), &checked.program.unwrap(), block(&page, "c"), &[]);
    assert_eq!(run(&mut Command::new(main)), "1\n");
}
