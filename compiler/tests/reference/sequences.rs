//! Sequences.

use crate::build::*;
use segue_compiler::{execution::Outcome, typed::*, types::Type};

/// A cart with a reminder, two hours after the last addition; `same` keeps carts apart.
fn cart(anchor: Anchor, same: bool) -> World {
    let mut build = Build::new();
    let added = build.event("Added", &[("name", Type::Text), ("price", Type::Number), ("cart", Type::Text)]);
    let ordered = build.event("Ordered", &[("cart", Type::Text)]);
    let mut reminder = sequence(anchor, vec![element(any(&[added]), 0)], Some((any(&[ordered]), 2 * HOUR)));
    if same {
        reminder.same = vec![FieldPath::Property(vec!["cart".into()])];
    }
    let trigger = build.sequence(reminder);
    let total = aggregate(Aggregate::Sum, this("price", Type::Number), any(&[added]), Window::ThisMatch);
    let name = of(EventRole::Trigger, "name", Type::Text);
    build.rule("cart", trigger, vec![call(1, vec![("name", name), ("total", total)])]);
    build.world()
}

#[test]
fn a_new_addition_moves_the_deadline_and_the_match_keeps_its_first_event() {
    let mut world = cart(Anchor::Latest, false);
    world.track(0, "Added", r#"{"name":"Boots","price":120}"#);
    world.track(30 * MINUTE, "Added", r#"{"name":"Socks","price":9.5}"#);
    world.advance(2 * HOUR + 29 * MINUTE);
    assert_eq!(world.lines(), [""; 0]);
    world.advance(3 * HOUR);
    assert_eq!(world.lines(), [r#"150m cart {"name":"Socks","total":129.5}"#]);
}

#[test]
fn an_order_at_exactly_the_deadline_still_counts() {
    let mut world = cart(Anchor::Latest, false);
    world.track(0, "Added", r#"{"name":"Boots"}"#);
    world.track(2 * HOUR, "Ordered", "{}");
    world.advance(DAY);
    assert_eq!(world.lines(), [""; 0]);
    world.track(DAY, "Added", r#"{"name":"Boots"}"#);
    world.track(DAY + 2 * HOUR + 1, "Ordered", "{}");
    assert_eq!(world.lines(), [r#"1560m cart {"name":"Boots","total":0}"#]);
}

#[test]
fn earliest_keeps_the_oldest_and_each_keeps_all() {
    for (anchor, expected) in [
        (Anchor::Earliest, vec![r#"120m cart {"name":"a","total":3}"#]),
        (Anchor::Each, vec![r#"120m cart {"name":"a","total":3}"#, r#"130m cart {"name":"b","total":2}"#]),
    ] {
        let mut world = cart(anchor, false);
        world.track(0, "Added", r#"{"name":"a","price":1}"#);
        world.track(10 * MINUTE, "Added", r#"{"name":"b","price":2}"#);
        world.advance(DAY);
        assert_eq!(world.lines(), expected);
    }
}

#[test]
fn each_value_of_the_same_field_has_its_own_match() {
    let mut world = cart(Anchor::Latest, true);
    world.track(0, "Added", r#"{"name":"a","cart":"x"}"#);
    world.track(MINUTE, "Added", r#"{"name":"b","cart":"y"}"#);
    world.track(2 * MINUTE, "Added", r#"{"name":"c"}"#);
    world.track(3 * MINUTE, "Ordered", r#"{"cart":"x"}"#);
    world.advance(DAY);
    assert_eq!(world.lines(), [r#"121m cart {"name":"b","total":0}"#]);
    for number in 0..65 {
        world.track(DAY + number, "Added", &format!(r#"{{"name":"n","cart":"{number}"}}"#));
    }
    assert_eq!(world.out.counts.matches_dropped, 1, "the order of the day before is forgotten by itself");
    world.advance(2 * DAY);
    assert_eq!(world.lines().len(), 64);
}

#[test]
fn late_events_within_lateness_start_and_beyond_it_only_cancel() {
    let mut world = cart(Anchor::Latest, false);
    world.track(HOUR, "Ordered", "{}");
    assert_eq!(world.track(HOUR - 10 * MINUTE, "Added", r#"{"name":"before the order"}"#), Outcome::Late);
    world.track(2 * HOUR, "Ordered", "{}");
    world.track(3 * HOUR, "Other", "{}");
    world.track(3 * HOUR - 10 * MINUTE, "Added", r#"{"name":"late"}"#);
    world.track(3 * HOUR - 10 * MINUTE - 1, "Added", r#"{"name":"too late"}"#);
    world.advance(4 * HOUR + 49 * MINUTE);
    assert_eq!(world.lines(), [""; 0]);
    world.advance(DAY);
    assert_eq!(world.lines(), [r#"290m cart {"name":"late","total":0}"#]);

    world.track(2 * DAY, "Added", r#"{"name":"again"}"#);
    world.track(2 * DAY + HOUR, "Other", "{}");
    world.track(2 * DAY + MINUTE, "Ordered", "{}");
    world.advance(3 * DAY);
    assert_eq!(world.lines(), [""; 0], "an order that came 59 minutes late cancels");
}

fn chain(anchor: Anchor) -> World {
    let mut build = Build::new();
    let a = build.event("A", &[("n", Type::Number)]);
    let b = build.event("B", &[("n", Type::Number)]);
    let trigger =
        build.sequence(sequence(anchor, vec![element(any(&[a]), 0), element(any(&[b]), HOUR)], None));
    let first = of(EventRole::Element(0, "a".into()), "n", Type::Number);
    build.rule(
        "ab",
        trigger,
        vec![call(1, vec![("a", first), ("b", of(EventRole::Trigger, "n", Type::Number))])],
    );
    build.world()
}

#[test]
fn then_takes_the_latest_the_earliest_or_each() {
    for (anchor, expected) in [
        (Anchor::Latest, vec![r#"20m ab {"a":2,"b":3}"#]),
        (Anchor::Earliest, vec![r#"20m ab {"a":1,"b":3}"#]),
        (Anchor::Each, vec![r#"20m ab {"a":1,"b":3}"#, r#"20m ab {"a":2,"b":3}"#]),
    ] {
        let mut world = chain(anchor);
        world.track(0, "A", r#"{"n":1}"#);
        world.track(10 * MINUTE, "A", r#"{"n":2}"#);
        world.track(20 * MINUTE, "B", r#"{"n":3}"#);
        world.track(30 * MINUTE, "B", r#"{"n":4}"#);
        assert_eq!(world.lines(), expected, "a match uses up its progress");
    }
}

#[test]
fn then_reaches_to_exactly_its_limit_and_not_back() {
    let mut world = chain(Anchor::Latest);
    world.track(HOUR, "A", r#"{"n":1}"#);
    world.track(2 * HOUR, "B", r#"{"n":2}"#);
    world.track(3 * HOUR, "A", r#"{"n":3}"#);
    world.track(4 * HOUR + 1, "B", r#"{"n":4}"#);
    world.track(5 * HOUR, "B", r#"{"n":5}"#);
    world.track(5 * HOUR, "A", r#"{"n":6}"#);
    assert_eq!(world.lines(), [r#"120m ab {"a":1,"b":2}"#]);
    world.track(5 * HOUR, "B", r#"{"n":7}"#);
    assert_eq!(
        world.lines(),
        [r#"300m ab {"a":6,"b":7}"#],
        "in one millisecond order of application decides"
    );
}

#[test]
fn a_new_last_element_renews_what_waits_and_a_no_leaves_progress() {
    let mut build = Build::new();
    let [a, b, c] = ["A", "B", "C"].map(|name| build.event(name, &[("n", Type::Number)]));
    let elements = vec![element(any(&[a]), 0), element(any(&[b]), HOUR)];
    let trigger = build.sequence(sequence(Anchor::Latest, elements, Some((any(&[c]), 30 * MINUTE))));
    let [first, last] =
        [EventRole::Element(0, "a".into()), EventRole::Trigger].map(|it| of(it, "n", Type::Number));
    build.rule("r", trigger, vec![call(1, vec![("a", first), ("b", last)])]);
    let mut world = build.world();
    for (minute, event) in [(0, "A"), (10, "B"), (20, "C"), (30, "B"), (50, "B"), (90, "B")] {
        world.track(minute * MINUTE, event, &format!(r#"{{"n":{minute}}}"#));
    }
    world.advance(DAY);
    assert_eq!(world.lines(), [r#"80m r {"a":0,"b":50}"#]);
}

#[test]
fn the_first_time_is_the_first_ever() {
    let mut build = Build::new();
    let a = build.event("A", &[]);
    let mut first = sequence(Anchor::Latest, vec![element(any(&[a]), 0)], None);
    first.first_time = true;
    let trigger = build.sequence(first);
    build.rule("first", trigger, vec![call(1, vec![])]);
    let each = build.each(a);
    build.rule("second", each, vec![call(1, vec![])]);
    let mut world = build.world();
    world.track(0, "A", "{}");
    world.track(1, "A", "{}");
    world.track(DAY, "A", "{}");
    let firsts = world.lines().iter().filter(|line| line.contains("first")).count();
    assert_eq!(firsts, 1);
}

#[test]
fn a_sequence_can_be_counted() {
    let mut build = Build::new();
    let a = build.event("A", &[]);
    let b = build.event("B", &[]);
    build.sequence(sequence(Anchor::Latest, vec![element(any(&[a]), 0), element(any(&[b]), HOUR)], None));
    build.segment(
        "twice",
        condition(ExprKind::Did {
            what: Occurrence::Sequence(SequenceId(0)),
            bound: Bound::AtLeast,
            count: 2,
            window: Window::Last(DAY),
        }),
    );
    let mut world = build.world();
    for at in [0, HOUR] {
        world.track(at, "A", "{}");
        world.track(at + 1, "B", "{}");
    }
    world.advance(10 * DAY);
    assert_eq!(world.lines(), ["3600001ms +twice", "86400001ms -twice"]);
}

#[test]
fn a_duplicate_changes_nothing() {
    let mut build = Build::new();
    let a = build.event("A", &[]);
    let each = build.each(a);
    build.rule("each", each, vec![call(1, vec![])]);
    let mut world = build.world();
    assert_eq!(world.track_as("x", 0, "A", "{}"), Outcome::Applied);
    assert_eq!(world.track_as("x", HOUR, "A", "{}"), Outcome::Duplicate);
    assert_eq!(world.track_as("y", MINUTE, "A", "{}"), Outcome::Applied, "the clock did not move");
    assert_eq!(world.lines().len(), 2);
}
