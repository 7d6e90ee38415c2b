//! Windows, counts and aggregates.

use crate::build::*;
use segue_compiler::{typed::*, types::Type};

fn with_segment(condition: impl FnOnce(&mut Build, EventId) -> Expr) -> World {
    let mut build = Build::new();
    let a = build.event("A", &[("n", Type::Number), ("brand", Type::Text)]);
    let condition = condition(&mut build, a);
    build.segment("s", condition);
    build.world()
}

#[test]
fn a_segment_is_left_at_the_exact_millisecond() {
    let mut world = with_segment(|_, a| did(any(&[a]), Bound::AtLeast, 2, Window::Last(HOUR)));
    world.track(0, "A", "{}");
    world.track(7, "A", "{}");
    world.advance(DAY);
    assert_eq!(world.lines(), ["7ms +s", "60m -s"]);
}

#[test]
fn at_least_and_exactly_follow_events_as_they_leave() {
    let mut world = with_segment(|_, a| did(any(&[a]), Bound::Exactly, 1, Window::Last(HOUR)));
    for at in [0, 10, 20] {
        world.track(at * MINUTE, "A", "{}");
    }
    world.advance(DAY);
    assert_eq!(world.lines(), ["0m +s", "10m -s", "70m +s", "80m -s"]);
}

#[test]
fn between_ago_is_entered_and_left_by_time() {
    let mut world =
        with_segment(|_, a| did(any(&[a]), Bound::AtLeast, 1, Window::Ago { near: HOUR, far: 2 * HOUR }));
    world.track(0, "A", "{}");
    world.advance(DAY);
    assert_eq!(world.lines(), ["60m +s", "120m -s"]);
}

#[test]
fn known_for_and_no_activity() {
    let mut build = Build::new();
    build.event("A", &[]);
    build.event("Shipped", &[]);
    build.0.events[1].passive = true;
    build.segment("known", condition(ExprKind::KnownFor(HOUR)));
    build.segment("silent", condition(ExprKind::NoActivity(HOUR)));
    let mut world = build.world();
    world.identify(0, "{}");
    world.track(10 * MINUTE, "A", "{}");
    world.track(50 * MINUTE, "Shipped", "{}");
    world.advance(2 * HOUR);
    world.track(2 * HOUR, "Undeclared", "{}");
    assert_eq!(world.lines(), ["60m +known", "70m +silent", "120m -silent"]);
}

#[test]
fn time_since_changes_at_its_bound() {
    let since = |a| expr(ExprKind::TimeSince { first: false, pattern: any(&[a]) }, Type::Duration);
    let mut world = with_segment(|_, a| compare(Comparison::Greater, since(a), length(HOUR)));
    world.track(0, "A", "{}");
    world.advance(DAY);
    world.track(DAY, "A", "{}");
    assert_eq!(world.lines(), ["3600001ms +s", "1440m -s"]);
}

#[test]
fn a_filter_may_look_at_the_profile_of_now() {
    let mut world = with_segment(|build, a| {
        let same = is(this("brand", Type::Text), build.profile("brand"));
        did(pattern(a, same), Bound::AtLeast, 1, Window::Always)
    });
    world.track(0, "A", r#"{"brand":"x"}"#);
    world.identify(1, r#"{"brand":"x"}"#);
    world.identify(2, r#"{"brand":"y"}"#);
    world.track(3, "A", r#"{"brand":"y"}"#);
    world.identify(4, r#"{"brand":null}"#);
    assert_eq!(world.lines(), ["1ms +s", "2ms -s", "3ms +s", "4ms -s"]);
}

/// The values of one window, asked by a rule.
fn asked(function: Option<Aggregate>, window: Window) -> World {
    let mut build = Build::new();
    let a = build.event("A", &[("n", Type::Number)]);
    let ask = build.event("Ask", &[]);
    let value = match function {
        None => count(any(&[a]), window),
        Some(function) => aggregate(function, this("n", Type::Number), any(&[a]), window),
    };
    let each = build.each(ask);
    build.rule("r", each, vec![call(1, vec![("v", value)])]);
    build.world()
}

#[test]
fn aggregates_of_few_events() {
    for (function, expected) in [
        (Aggregate::Sum, "12"),
        (Aggregate::Average, "2.4"),
        (Aggregate::Smallest, "1"),
        (Aggregate::Largest, "4"),
        (Aggregate::First, "4"),
        (Aggregate::Last, "3"),
        (Aggregate::MostFrequent, "2"),
        (Aggregate::DistinctCount, "4"),
    ] {
        let mut world = asked(Some(function), Window::Last(DAY));
        for (n, at) in [4, 2, 1, 2, 3].into_iter().zip(1..) {
            world.track(at, "A", &format!(r#"{{"n":{n}}}"#));
        }
        world.track(6, "A", "{}");
        world.track(7, "Ask", "{}");
        assert_eq!(world.lines(), [format!(r#"7ms r {{"v":{expected}}}"#)], "{function:?}");
    }
}

#[test]
fn aggregates_of_nothing() {
    let zero = [Aggregate::Sum, Aggregate::DistinctCount];
    for function in [Aggregate::Sum, Aggregate::Average, Aggregate::First, Aggregate::DistinctCount] {
        let mut world = asked(Some(function), Window::Always);
        world.track(0, "Ask", "{}");
        let expected = if zero.contains(&function) { "0" } else { "null" };
        assert_eq!(world.lines(), [format!(r#"0m r {{"v":{expected}}}"#)], "{function:?}");
    }
}

#[test]
fn beyond_256_events_older_ones_lie_in_stretches() {
    // A window of 2560 ms has stretches of 10 ms. With an event every 5 ms, the newest 256 begin at 1720.
    for (now, expected) in [(2_999, 512), (3_000, 510), (3_009, 510), (3_010, 508)] {
        let mut world = asked(None, Window::Last(2_560));
        for number in 0..600 {
            world.track(number * 5, "A", r#"{"n":1}"#);
        }
        world.advance(now);
        world.track(now, "Ask", "{}");
        let lines = world.lines();
        let expected = format!(r#"r {{"v":{expected}}}"#);
        assert!(lines.last().unwrap().ends_with(&expected), "{lines:?} at {now}");
    }
}

#[test]
fn without_window_sums_are_exact_most_frequent_is_of_the_newest_and_values_are_told_apart() {
    for (function, expected) in
        [(Aggregate::Sum, "900"), (Aggregate::MostFrequent, "2"), (Aggregate::DistinctCount, "2")]
    {
        let mut world = asked(Some(function), Window::Always);
        for at in 0..500 {
            world.track(at, "A", if at < 300 { r#"{"n":1}"# } else { r#"{"n":2}"# });
        }
        for at in 500..600 {
            world.track(at, "A", r#"{"n":2}"#);
        }
        world.track(1_000, "Ask", "{}");
        assert_eq!(world.lines(), [format!(r#"1000ms r {{"v":{expected}}}"#)], "{function:?}");
    }
}

#[test]
fn distinct_counts_end_at_256() {
    for (values, expected) in [(256, 256), (300, 256)] {
        let mut world = asked(Some(Aggregate::DistinctCount), Window::Always);
        for at in 0..2 * values {
            world.track(at, "A", &format!(r#"{{"n":{}}}"#, at % values));
        }
        world.track(1_000, "Ask", "{}");
        assert_eq!(world.lines(), [format!(r#"1000ms r {{"v":{expected}}}"#)]);
    }
}

#[test]
fn a_segment_over_stretches_changes_when_a_stretch_leaves() {
    let mut world = with_segment(|_, a| {
        compare(Comparison::GreaterOrEqual, count(any(&[a]), Window::Last(2_560)), number(300))
    });
    for at in 0..300 {
        world.track(at, "A", "{}");
    }
    assert_eq!(world.lines(), ["299ms +s"]);
    world.advance(10_000);
    assert_eq!(world.lines(), ["2560ms -s"]);
}

#[test]
fn late_events_enter_windows_at_their_own_time() {
    let mut world = with_segment(|_, a| did(any(&[a]), Bound::AtLeast, 2, Window::Last(HOUR)));
    world.track(HOUR, "A", "{}");
    world.track(30 * MINUTE, "A", "{}");
    world.advance(DAY);
    assert_eq!(world.lines(), ["60m +s", "90m -s"]);
}

#[test]
fn the_last_of_are_objects_newest_first() {
    let mut build = Build::new();
    let a = build.event("A", &[("n", Type::Number), ("brand", Type::Text)]);
    let ask = build.event("Ask", &[]);
    let value = expr(
        ExprKind::LastOf {
            count: 2,
            pattern: any(&[a]),
            distinct_by: Some(FieldPath::Property(vec!["brand".into()])),
            window: Window::Always,
        },
        Type::List(Box::new(Type::Object(Vec::new()))),
    );
    let each = build.each(ask);
    build.rule("r", each, vec![call(1, vec![("v", value)])]);
    let mut world = build.world();
    for (n, brand) in [(1, "x"), (2, "y"), (3, "x")] {
        world.track(n, "A", &format!(r#"{{"n":{n},"brand":"{brand}"}}"#));
    }
    world.track(9, "Ask", "{}");
    assert_eq!(world.lines(), [r#"9ms r {"v":[{"n":3,"brand":"x"},{"n":2,"brand":"y"}]}"#]);
}
