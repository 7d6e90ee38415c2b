//! What people see as a whole: rendered reports, and plans. Source and output stand together.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use miette::{GraphicalReportHandler, GraphicalTheme};
use segue_compiler::{
    lower::lower,
    plan::print::{ir, summary},
    project::{Project, Source, compile},
    report::report,
};
use std::{fs, path::Path};

/// The reports on a program, as a terminal without colour shows them.
fn reports(rules: &str) -> String {
    let source = Source { name: "rules.segue".to_owned(), text: rules.to_owned() };
    let project = Project { sources: vec![source], ..Project::default() };
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut text = rules.to_owned();
    for diagnostic in compile(&project).diagnostics {
        text.push('\n');
        handler.render_report(&mut text, &report(&diagnostic, &project)).unwrap();
    }
    text
}

#[test]
fn names_and_types() {
    insta::assert_snapshot!(reports(
        r#"use ecommerce
segment rich { sum of totl of "Order Completed" >= 500 }
segment vip { in segment ritch and did "Order Complete" at least 3 times }
segment mixed { last of total of "Order Completed" = "100" }
"#
    ));
}

#[test]
fn habits_from_elsewhere() {
    insta::assert_snapshot!(reports(
        r#"event "Order" { total: number }
rule thanks {
  WHEN "Order"
  only if event.total == 100 && event.total > 30d
  transactional
  send sms 'Thank you'
}
"#
    ));
}

#[test]
fn rules_and_templates() {
    insta::assert_snapshot!(reports(
        r#"profile { first_name: text? }
event "Order" { total: number, order_id: text? }
segment silent { not did "Order" in the last 30 days }
rule back {
  when enters silent
  send sms "Hi {{ profile.first_name }}, {{ profile.nickname }}"
}
rule again {
  when did "Order" at least 3 times
  transactional
  send sms "Order {{ event.order_id | defalt('?') }}"
}
"#
    ));
}

#[test]
fn the_plan_of_the_cart_reminder() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/cart_reminder/rules.segue");
    let text = fs::read_to_string(path).unwrap();
    let source = Source { name: "rules.segue".to_owned(), text: text.clone() };
    let checked = compile(&Project { sources: vec![source], ..Project::default() });
    let program = checked.program.unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
    let plan = lower(&program);
    insta::assert_snapshot!(format!("{text}\n{}\n{}", summary(&program, &plan), ir(&program, &plan)));
}
