//! Runs, gates and consequences.

use crate::build::*;
use segue_compiler::{
    settings::Settings,
    typed::*,
    types::Type,
    value::{Decimal, Value},
};

/// One rule that sends an SMS at each "A".
fn sender(change: impl FnOnce(&mut Build)) -> Build {
    let mut build = Build::new();
    let a = build.event("A", &[("n", Type::Number)]);
    let topic = build.topic("news", None, &[]);
    let each = build.each(a);
    let send = build.send(1, "sms", "hi");
    build.rule("r", each, vec![send]).topic = Some(topic);
    change(&mut build);
    build
}

const PHONE: &str = r#"{"phone":"+4790000000"}"#;

#[test]
fn a_limit_counts_runs_that_did_something() {
    let mut world = sender(|build| build.0.rules[0].limit = Some(Limit::Per { count: 1, per: HOUR })).world();
    world.track(0, "A", "{}");
    world.identify(1, PHONE);
    world.track(MINUTE, "A", "{}");
    world.track(2 * MINUTE, "A", "{}");
    world.track(61 * MINUTE, "A", "{}");
    assert_eq!(
        world.lines(),
        [
            "0m r sms not: no_address",
            "1m r sms +4790000000: hi",
            "2m r not: limit",
            "61m r sms +4790000000: hi"
        ]
    );
}

#[test]
fn only_if_is_decided_when_triggered() {
    let big = compare(Comparison::Greater, of(EventRole::Trigger, "n", Type::Number), number(5));
    let mut world = sender(|build| build.0.rules[0].only_if = Some(big)).world();
    world.identify(0, PHONE);
    world.track(MINUTE, "A", r#"{"n":5}"#);
    world.track(2 * MINUTE, "A", r#"{"n":6}"#);
    assert_eq!(world.lines(), ["1m r not: condition", "2m r sms +4790000000: hi"]);
}

#[test]
fn consent_is_required_and_no_address_comes_after_it() {
    let mut world = sender(|_| ()).world_with(Settings::default());
    world.track(0, "A", "{}");
    world.identify(1, r#"{"phone":"  ","consent":{"sms":true}}"#);
    world.track(MINUTE, "A", "{}");
    world.identify(
        MINUTE + 1,
        r#"{"phone":"+4790000000","consent":{"sms":{"news":false,"other":true},"fax":1}}"#,
    );
    world.track(2 * MINUTE, "A", "{}");
    world.identify(2 * MINUTE + 1, r#"{"consent":{"sms":{"news":true}}}"#);
    world.track(3 * MINUTE, "A", "{}");
    assert_eq!(
        world.lines(),
        [
            "0m r sms not: consent",
            "1m r sms not: no_address",
            "2m r sms not: consent",
            "3m r sms +4790000000: hi"
        ]
    );
}

fn messaging(build: &mut Build) {
    for name in ["Unsubscribed", "Message Replied", "Message Bounced", "Complained"] {
        let fields = ["channel", "topic", "text", "type"].map(|name| (name, Type::Text));
        build.event(name, &fields);
    }
}

#[test]
fn unsubscribing_beats_assumed_consent() {
    let mut world = sender(messaging).world();
    world.identify(0, PHONE);
    world.track(MINUTE, "A", "{}");
    world.track(MINUTE + 1, "Unsubscribed", r#"{"channel":"sms","topic":"news"}"#);
    world.track(2 * MINUTE, "A", "{}");
    assert_eq!(world.lines(), ["1m r sms +4790000000: hi", "2m r sms not: consent"]);
}

#[test]
fn a_stop_reply_suppresses_even_transactional_messages() {
    let mut world = sender(|build| {
        messaging(build);
        let rule = &mut build.0.rules[0];
        (rule.topic, rule.transactional) = (None, true);
    })
    .world_with(Settings::default());
    world.identify(0, PHONE);
    world.track(MINUTE, "A", "{}");
    world.track(MINUTE + 1, "Message Replied", r#"{"channel":"sms","text":" stop "}"#);
    world.track(2 * MINUTE, "A", "{}");
    assert_eq!(world.lines(), ["1m r sms +4790000000: hi", "2m r sms not: suppressed"]);
}

#[test]
fn a_segment_can_be_left_out_of_a_topic() {
    let mut world = sender(|build| {
        let dead = is(build.profile("country"), text("NO"));
        let segment = build.segment("dead", dead);
        build.0.suppressions.push(Suppression { topic: TopicId(0), channel: Some("sms".into()), segment });
    })
    .world();
    world.identify(0, r#"{"phone":"+4790000000","country":"NO"}"#);
    world.track(MINUTE, "A", "{}");
    assert_eq!(world.lines(), ["0m +dead", "1m r sms not: suppressed"]);
}

#[test]
fn caps_count_the_topics_within() {
    let mut build = Build::new();
    let a = build.event("A", &[]);
    let all = build.topic("all", None, &[(None, 2, HOUR)]);
    let news = build.topic("news", Some(all), &[(Some("sms"), 1, HOUR)]);
    let each = build.each(a);
    let (sms, mail) = (build.send(1, "sms", "x"), build.send(2, "email", "y"));
    build.rule("r", each, vec![sms, mail]).topic = Some(news);
    let mut world = build.world();
    world.identify(0, r#"{"phone":"+4790000000","email":"a@b.no"}"#);
    for at in [0, 30 * MINUTE, HOUR] {
        world.track(at, "A", "{}");
    }
    assert_eq!(
        world.lines(),
        [
            "0m r sms +4790000000: x",
            "0m r email a@b.no: y",
            "30m r sms not: cap",
            "30m r email not: cap",
            "60m r sms +4790000000: x",
            "60m r email a@b.no: y"
        ]
    );
}

#[test]
fn what_a_step_sets_or_emits_follows_before_the_next_step() {
    let mut build = Build::new();
    let a = build.event("A", &[]);
    let made = build.event("Made", &[("n", Type::Number), ("text", Type::Text)]);
    let offered = is(build.profile("offer"), text("yes"));
    let offered = build.segment("offered", offered);
    let each = build.each(a);
    let set = step(1, StepKind::Set { field: build.field("offer"), value: text("yes") });
    let nothing = expr(ExprKind::Literal(Value::Missing), Type::Text);
    let fields = vec![("n".into(), number(3)), ("text".into(), nothing)];
    let emit = step(2, StepKind::Emit { event: made, fields });
    let offer = build.profile("offer");
    build.rule("r", each, vec![set, emit, call(3, vec![("offer", offer)])]);
    build.rule("s", Trigger::Enters(offered), vec![call(1, vec![])]);
    let each = build.each(made);
    build.rule("t", each, vec![call(1, vec![("n", of(EventRole::Trigger, "n", Type::Number))])]);
    let mut world = build.world();
    world.track(0, "A", "{}");
    assert_eq!(
        world.lines(),
        [
            "0m r offer = yes",
            "0m +offered",
            "0m s {}",
            r#"0m r Made {"n":3}"#,
            r#"0m t {"n":3}"#,
            r#"0m r {"offer":"yes"}"#,
        ]
    );
}

#[test]
fn a_rule_that_triggers_itself_is_running_and_consequences_are_bounded() {
    let mut build = Build::new();
    let a = build.event("A", &[("n", Type::Number)]);
    let each = build.each(a);
    let n = of(EventRole::Trigger, "n", Type::Number);
    let next = expr(
        ExprKind::Arithmetic { operator: Arithmetic::Add, left: Box::new(n), right: Box::new(number(1)) },
        Type::Number,
    );
    let emit = |next: Expr| vec![step(1, StepKind::Emit { event: a, fields: vec![("n".into(), next)] })];
    build.rule("r", each, emit(next.clone()));
    let mut world = build.world();
    world.track(0, "A", r#"{"n":1}"#);
    assert_eq!(world.lines(), [r#"0m r A {"n":2}"#, "0m r not: running"]);

    let mut build = Build::new();
    let (a, b) = (build.event("A", &[("n", Type::Number)]), build.event("B", &[("n", Type::Number)]));
    let emit = |event| vec![step(1, StepKind::Emit { event, fields: vec![("n".into(), next.clone())] })];
    // Two rules in turn: of one a customer has no more than 64 runs.
    for (name, when, then) in [("r", a, b), ("s", b, a)] {
        let each = build.each(when);
        build.rule(name, each, emit(then)).overlap = Overlap::Per(FieldPath::Property(vec!["n".into()]));
    }
    build.segment("many", did(any(&[a, b]), Bound::AtLeast, 66, Window::Always));
    let mut world = build.world();
    world.track(0, "A", r#"{"n":1}"#);
    let lines = world.lines();
    assert_eq!(world.out.counts.consequences_dropped, 1);
    assert_eq!(lines.iter().filter(|it| it.contains(" r B ") || it.contains(" s A ")).count(), 65);
    assert!(
        lines.last().is_some_and(|line| line.contains("many")),
        "the last one is in history all the same"
    );
}

#[test]
fn sent_messages_are_events_and_no_activity() {
    let mut world = sender(|build| {
        let sent = build
            .event("Message Sent", &[("channel", Type::Text), ("rule", Type::Text), ("message", Type::Text)]);
        let by_sms = pattern(sent, is(this("channel", Type::Text), text("sms")));
        build.segment("contacted", did(by_sms, Bound::AtLeast, 1, Window::Always));
        build.segment("silent", condition(ExprKind::NoActivity(HOUR)));
    })
    .world();
    world.identify(0, PHONE);
    world.track(0, "A", "{}");
    assert_eq!(world.lines(), ["0m r sms +4790000000: hi", "0m +contacted"]);
    world.advance(DAY);
    assert_eq!(world.lines(), ["60m +silent"]);
}

#[test]
fn rules_grant_and_withdraw_consent() {
    let mut world = sender(|build| {
        let step =
            step(2, StepKind::SetConsent { channel: "sms".into(), topic: Some(TopicId(0)), granted: false });
        build.0.rules[0].steps.push(step);
    })
    .world();
    world.identify(0, PHONE);
    world.track(MINUTE, "A", "{}");
    world.track(2 * MINUTE, "A", "{}");
    assert_eq!(
        world.lines(),
        [
            "1m r sms +4790000000: hi",
            "1m r consent.sms.news = false",
            "2m r sms not: consent",
            "2m r consent.sms.news = false"
        ]
    );
}

#[test]
fn the_first_arm_that_holds_is_taken() {
    let mut build = Build::new();
    let a = build.event("A", &[("n", Type::Number)]);
    let above =
        |bound| compare(Comparison::Greater, of(EventRole::Trigger, "n", Type::Number), number(bound));
    let say = |number, word| call(number, vec![("say", text(word))]);
    let arms = vec![(above(10), vec![say(2, "many")]), (above(5), vec![say(3, "some")])];
    let each = build.each(a);
    build.rule("r", each, vec![step(1, StepKind::If { arms, otherwise: vec![say(4, "few")] })]);
    let mut world = build.world();
    for (n, at) in [(11, 1), (7, 2), (1, 3)] {
        world.track(at, "A", &format!(r#"{{"n":{n}}}"#));
    }
    assert_eq!(
        world.lines(),
        [r#"1ms r {"say":"many"}"#, r#"2ms r {"say":"some"}"#, r#"3ms r {"say":"few"}"#]
    );
}

#[test]
fn beyond_lateness_segments_change_and_nothing_is_triggered() {
    let mut build = Build::new();
    let a = build.event("A", &[]);
    let segment = build.segment("did", did(any(&[a]), Bound::AtLeast, 1, Window::Always));
    build.rule("r", Trigger::Enters(segment), vec![call(1, vec![])]);
    let mut world = build.world();
    world.track(HOUR, "Other", "{}");
    world.track(0, "A", "{}");
    assert_eq!(world.lines(), ["60m +did"]);
}

#[test]
fn action_ids_are_made_of_what_triggered() {
    let mut world = sender(|_| ()).world();
    world.identify(0, PHONE);
    world.track_as("x", 1, "A", "{}");
    let Some(segue_compiler::record::Record::Send(send)) = world.out.records.first() else {
        panic!("it was sent")
    };
    assert_eq!(send.id, segue_compiler::record::ActionId::of("r", "ada", &["x"], 1));
}

#[test]
fn decimals_stay_exact() {
    assert_eq!(
        Decimal::parse("0.1").unwrap().checked_add(Decimal::parse("0.2").unwrap()),
        Decimal::parse("0.3")
    );
}
