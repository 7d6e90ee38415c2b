//! The tour of the language reads without a word, and the tree holds what it says.

use segue_grammar::ast::{ClauseKind, Item, StatementKind, StepKind, Trigger};
use segue_grammar::{SourceId, parse};

const TOUR: &str = include_str!("tour.segue");

#[test]
fn the_tour_reads_without_a_word() {
    let (file, diagnostics) = parse(SourceId(0), TOUR);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    assert_eq!(file.items.len(), 21);
}

#[test]
fn the_tree_holds_what_the_tour_says() {
    let (file, _) = parse(SourceId(7), TOUR);
    let rule = |name: &str| {
        file.items.iter().find_map(|item| match item {
            Item::Rule(rule) if rule.name.text == name => Some(rule),
            Item::Use(_) | Item::Event(_) | Item::Profile(_) | Item::Let(_) | Item::Segment(_) => None,
            Item::Topic(_) | Item::Defaults(_) | Item::Suppress(_) | Item::Rule(_) | Item::Test(_) => None,
        })
    };
    let cart = rule("cart_reminder").unwrap();
    assert_eq!(cart.title.as_ref().unwrap().text, "Remind shoppers about the cart they left");
    assert_eq!(cart.clauses.len(), 3);
    let ClauseKind::When(Trigger::Sequence(sequence)) = &cart.clauses[0].kind else { panic!("a sequence") };
    assert_eq!(sequence.elements.len(), 1);
    let within = sequence.then_no.as_ref().unwrap().within.as_ref().unwrap();
    assert_eq!((within.amount.as_str(), within.unit.as_str()), ("2", "hour"));

    let win_back = rule("win_back").unwrap();
    let StepKind::WaitFor(wait) = &win_back.steps[1].kind else { panic!("a wait") };
    assert_eq!(wait.steps.len(), 1);
    assert_eq!(wait.otherwise.as_ref().unwrap().len(), 2);

    let Some(Item::Test(test)) = file.items.last() else { panic!("a test") };
    assert_eq!(test.statements.len(), 6);
    assert!(
        matches!(&test.statements[4].kind, StatementKind::ExpectAction { containing: Some(text), .. } if text.text == "Socks")
    );
}

#[test]
fn spans_end_with_the_last_word() {
    let (file, _) = parse(SourceId(7), TOUR);
    for item in &file.items {
        let span = match item {
            Item::Use(item) => item.span,
            Item::Event(item) => item.span,
            Item::Profile(item) => item.span,
            Item::Let(item) => item.span,
            Item::Segment(item) => item.span,
            Item::Topic(item) => item.span,
            Item::Defaults(item) => item.span,
            Item::Suppress(item) => item.span,
            Item::Test(item) => item.span,
            Item::Rule(rule) => {
                for span in rule.clauses.iter().map(|c| c.span).chain(rule.steps.iter().map(|s| s.span)) {
                    trimmed(span);
                }
                rule.span
            }
        };
        trimmed(span);
    }
}

fn trimmed(span: segue_grammar::Span) {
    assert_eq!(span.source, SourceId(7));
    let text = &TOUR[span.start as usize..span.end as usize];
    assert_eq!(text, text.trim());
    assert!(!text.is_empty());
    assert!(!text.lines().last().is_some_and(|line| line.contains('#')), "{text}");
}
