//! Packs of rules.

use segue_compiler::{
    project::{Project, Source, compile},
    typed::Program,
};
use std::sync::Arc;

/// Twenty rules of an ordinary shop.
pub const ORDINARY: &str = include_str!("../rules/pack.segue");

/// The declarations of the ordinary pack alone, and with them one kind of what follows.
#[must_use]
pub fn kinds_of_ordinary() -> Vec<(&'static str, String)> {
    let mut pieces = ORDINARY.split("\nsegment ");
    let declarations = pieces.next().unwrap_or_default();
    let mut segments: Vec<&str> = pieces.collect();
    let last = segments.pop().unwrap_or_default();
    let mut pieces = last.split("\nrule ");
    segments.extend(pieces.next());
    let rules: Vec<&str> = pieces.collect();
    let of = |segments: &[&str], is_one: &dyn Fn(&str) -> bool| {
        let segments = segments.iter().map(|it| format!("\nsegment {it}"));
        let rules = rules.iter().filter(|it| is_one(it)).map(|it| format!("\nrule {it}"));
        segments.chain(rules).fold(declarations.to_owned(), |all, piece| all + &piece)
    };
    let enters = |rule: &str| rule.contains("when enters");
    let follows = |rule: &str| rule.contains(" then ");
    vec![
        ("no rules", of(&[], &|_| false)),
        ("segments", of(&segments, &|_| false)),
        ("segments, and rules that start as they are entered", of(&segments, &enters)),
        ("rules started by sequences", of(&[], &follows)),
        ("rules started by one event", of(&[], &|rule| !enters(rule) && !follows(rule))),
    ]
}

/// Rules that differ in a constant: for each product one. The stream has the products of the first ten.
#[must_use]
pub fn of_a_constant(count: usize) -> String {
    let mut rules = DECLARATIONS.to_owned();
    for number in 0..count {
        let prefix = if number < 10 { "p" } else { "other" };
        rules.push_str(&format!(
            "rule product_{number} {{ when \"Product Viewed\" where product_id = \"{prefix}{number}\"\n  limit once\n  call crm {{ product: {number} }} }}\n"
        ));
    }
    rules
}

/// Rules over the same event, each with a filter and a window of its own.
#[must_use]
pub fn distinct(count: usize) -> String {
    let mut rules = DECLARATIONS.to_owned();
    for number in 0..count {
        let (price, hours) = (590 + number % 20, 1 + number);
        let category = super::stream::CATEGORIES[number % 8];
        let cents = number % 97;
        rules.push_str(&format!(
            "segment s_{number} {{ did \"Product Viewed\" where (category = \"{category}\" and price > {price}.{cents:02}) at least 3 times in the last {hours} hours }}\n\
             rule r_{number} {{ when enters s_{number}\n  call crm {{ rule: {number} }} }}\n"
        ));
    }
    rules
}

const DECLARATIONS: &str = "event \"Product Viewed\" { product_id: text, category: text, price: number }\n";

/// Checks a pack.
///
/// # Panics
/// When it has errors.
#[must_use]
#[expect(clippy::panic, reason = "a bench whose rules are wrong has nothing to measure")]
pub fn checked(rules: &str) -> Arc<Program> {
    // A file is bounded, a project is spread over several.
    let lines: Vec<&str> = rules.split_inclusive("}\n").collect();
    let source =
        |(part, number): (&[&str], u32)| Source { name: format!("{number}.segue"), text: part.concat() };
    let sources = lines.chunks(2_000).zip(0..).map(source).collect();
    let checked = compile(&Project { sources, ..Project::default() });
    match checked.program {
        Some(program) => Arc::new(program),
        None => panic!("{:?}", checked.diagnostics.first()),
    }
}
