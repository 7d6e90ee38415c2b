//! Profile, named values, segments without edges.

use crate::build::*;
use segue_compiler::{execution::Execution, typed::*, types::Type};

#[test]
fn named_values_choose_their_arm() {
    let mut build = Build::new();
    let a = build.event("A", &[("n", Type::Number)]);
    let sum = build.named(
        "sum",
        vec![],
        aggregate(Aggregate::Sum, this("n", Type::Number), any(&[a]), Window::Last(DAY)),
    );
    let sum = || expr(ExprKind::Let(sum), Type::Number);
    let above = |bound| compare(Comparison::GreaterOrEqual, sum(), number(bound));
    let tier = build.named("tier", vec![(text("gold"), above(10)), (text("silver"), above(5))], text("none"));
    let tier = || expr(ExprKind::Let(tier), Type::Text);
    build.segment("gold", is(tier(), text("gold")));
    let each = build.each(a);
    build.rule("r", each, vec![call(1, vec![("tier", tier())])]);
    let mut world = build.world();
    for at in 0..3 {
        world.track(at * HOUR, "A", r#"{"n":4}"#);
    }
    world.advance(2 * DAY);
    assert_eq!(
        world.lines(),
        [
            r#"0m r {"tier":"none"}"#,
            r#"60m r {"tier":"silver"}"#,
            "120m +gold",
            r#"120m r {"tier":"gold"}"#,
            "1440m -gold"
        ]
    );
}

#[test]
fn loaded_profiles_set_levels_silently() {
    let mut build = Build::new();
    let condition = is(build.profile("country"), text("NO"));
    let segment = build.segment("norway", condition);
    let mut world = build.world();
    world.load(r#"{"country":"NO"}"#);
    assert!(world.reference.is_member(&world.customer, segment));
    world.identify(0, "{}");
    assert_eq!(world.lines(), [""; 0]);
    world.identify(5, r#"{"country":"SE"}"#);
    assert_eq!(world.lines(), ["5ms -norway"]);
}

#[test]
fn an_older_trait_changes_nothing() {
    let mut build = Build::new();
    let condition = is(build.profile("country"), text("NO"));
    build.segment("norway", condition);
    let mut world = build.world();
    world.identify(10, r#"{"country":"NO"}"#);
    world.identify(9, r#"{"country":"SE"}"#);
    world.identify(10, r#"{"country":7}"#);
    world.identify(11, r#"{"country":["x"]}"#);
    assert_eq!(world.lines(), ["10ms +norway", "10ms -norway"]);
    assert_eq!(world.out.counts.invalid_fields, 1);
}

#[test]
fn comparisons_with_missing_values_do_not_hold_and_negations_are_exact() {
    let mut build = Build::new();
    let unequal = compare(Comparison::NotEqual, build.profile("country"), text("NO"));
    build.segment("unequal", unequal);
    let equal = is(build.profile("country"), build.profile("offer"));
    build.segment("equal", equal);
    let not_equal = not(is(build.profile("country"), text("NO")));
    build.segment("not_equal", not_equal);
    let mut world = build.world();
    world.identify(0, "{}");
    assert_eq!(world.lines(), ["0m +unequal", "0m +not_equal"]);
}

#[test]
fn hours_of_events_are_those_of_the_zone_when_they_were_applied() {
    let mut build = Build::new();
    let a = build.event("A", &[]);
    let hour = expr(
        ExprKind::Call { function: Function::Hour, arguments: vec![this("at", Type::Time)] },
        Type::Number,
    );
    build.segment("noon", did(pattern(a, is(hour, number(12))), Bound::AtLeast, 1, Window::Always));
    let mut world = build.world();
    world.identify(0, r#"{"time_zone":"Asia/Tokyo"}"#);
    world.track(3 * HOUR, "A", "{}");
    world.identify(4 * HOUR, r#"{"time_zone":"UTC"}"#);
    assert_eq!(world.lines(), ["180m +noon"]);
}
