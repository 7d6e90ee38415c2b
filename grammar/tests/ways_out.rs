//! A way out is true, and can be read where the mistake stood.

use segue_grammar::{Diagnostic, SourceId, parse};

fn said(text: &str) -> Vec<Diagnostic> {
    parse(SourceId(0), text).1
}

/// The one mistake of a text has this help.
#[track_caller]
fn one(text: &str, help: &str) {
    let told = said(text);
    assert_eq!(told.len(), 1, "{text}: {told:?}");
    assert_eq!(told[0].help.as_deref(), Some(help), "{text}");
}

/// The same of a segment's condition.
#[track_caller]
fn condition(text: &str, help: &str) {
    one(&format!("segment s {{ {text} }}"), help);
}

/// The same of a rule's body.
#[track_caller]
fn body(text: &str, help: &str) {
    one(&format!("rule r {{\n  when \"A\"\n  {text}\n}}"), help);
}

#[test]
fn what_was_before_a_date() {
    let way = |did: &str| {
        assert_eq!(said(&format!("segment s {{ {did} }}")), []);
        format!(
            "the one window that names a date is `since 2026-01-01`; what was before it, and not after, is `{did}`"
        )
    };
    let one = way("did \"A\" and not did \"A\" since 2026-01-01");
    condition("did \"A\" before 2026-01-01", &one);
    condition("not did \"A\" until 2026-01-01", &one);
    condition("did \"A\" at least 3 times before 2026-01-01", &one);
    let any = way("did any of (\"A\", \"B\") and not did any of (\"A\", \"B\") since 2026-01-01");
    condition("did any of (\"A\", \"B\") before 2026-01-01", &any);
    let filtered = way("did \"A\" where x = 1 and not did \"A\" where x = 1 since 2026-01-01");
    condition("did \"A\" where x = 1 before 2026-01-01", &filtered);
    let some = way("did \"Event\" and not did \"Event\" since 2026-01-01");
    condition("count of \"A\" before 2026-01-01 > 3", &some);
    let several = "`where` takes one comparison; several stand in parentheses: `where (a = 1 and b = 2)`";
    condition("did \"A\" where x = 1 and y = 2 before 2026-01-01", several);
    let after = "the one window that names a date is `since 2026-01-01`, that day included";
    condition("did \"A\" after 2026-01-01", after);
}

#[test]
fn what_stops_a_run() {
    body("stop if \"B\"", "write `stop when \"B\"`");
    body("stop if \"B\" where x = 1\n  wait 1 day", "write `stop when \"B\" where x = 1`");
    body("stop if any of (\"B\", \"C\")", "write `stop when any of (\"B\", \"C\")`");
    let both = |condition: &str| {
        format!("write `if {condition} {{ stop }}`; what ends a run while it waits is `stop when …`")
    };
    body("stop if event.n = 3\n  call x { a: 1 }", &both("event.n = 3"));
    body("stop if in segment vip", &both("in segment vip"));
    body("exit", "write `stop`");
    body("wait 1 day\n  exit", "write `stop`");
}

#[test]
fn how_often_is_no_trigger() {
    let way = |condition: &str| {
        assert_eq!(said(&format!("segment s {{ did {condition} }}")), []);
        format!(
            "how often and how long ago is a condition; name it: `segment r_audience {{ did {condition} }}`, and start the rule with `when enters r_audience`"
        )
    };
    let help = way("\"A\" at least 3 times in the last 1 hour");
    one("rule r {\n  when \"A\" at least 3 times within 1 hour\n  call x {}\n}", &help);
    one("rule r {\n  when \"A\" at least 3 times in the last 1 hour\n  call x {}\n}", &help);
}

#[test]
fn braces_have_their_partners() {
    body("if x = 3 call y { a: 1 }", "write `if x = 3 { call y { a: 1 } }`");
    body("if x = 3\n  call y { a: 1 }", "write `if x = 3 { call y { a: 1 } }`");
    body("if x = 3\n  call y { a: 1,\n  b: 2 }", "write `if x = 3 { call … }`");
    one("rule r { when \"A\"\n  if x = 3\n    call y { a: 1 } }", "write `if x = 3 { call y { a: 1 } }`");
}

#[test]
fn lists() {
    let list = "a list cannot be written out here; name a field that is a list, or give each value a field of its own";
    body("call crm { a: [1, 2] }", list);
    body("emit \"B\" { a: [1] }", list);
    body("set profile.tags = [1]", list);
    one("let tags = [1, 2]", list);
    condition(
        "did \"A\" where x = [1, 2]",
        "one of several values is asked for with `in`: `in [\"a\", \"b\"]`",
    );
    one("profile { tags: [text] }", "write `list of text`");
}

#[test]
fn names_with_other_letters() {
    let name = |text: &str, found: &str, help: &str| {
        one(text, help);
        assert!(said(text)[0].message.ends_with(&format!("found `{found}`")), "{text}");
    };
    name("segment übung { did \"A\" }", "übung", "write `ubung`");
    name("segment Übung_2 { did \"A\" }", "Übung_2", "write `ubung_2`");
    name("let größe = 1", "größe", "write `grosse`");
    name("rule été { when \"A\" }", "été", "write `ete`");
    name("topic tøst { }", "tøst", "write `tost`");
    name("segment 日本 { did \"A\" }", "日本", "write `my_name`");
    name("segment whén { did \"A\" }", "whén", "write `my_when`");
    name("segment s { in segment übung }", "übung", "write `ubung`");
    name("rule r { when enters übung }", "übung", "write `ubung`");
    let field = "a field with other letters is written in quotes: `event.\"größe\"`";
    name("rule r { when \"A\" only if event.größe = 1 }", "größe", field);
}

#[test]
fn names_with_a_hyphen() {
    one("segment last-30 { did \"A\" }", "write `last_30`");
    one("rule f-9 { when \"A\" }", "write `f_9`");
    one("rule f-9d-x { when \"A\" }", "write `f_9d_x`");
    one("segment a-b { did \"A\" }", "write `a_b`");
    one("segment f - 9 { did \"A\" }", "a name has no hyphen; write `f_9`");
    one("event \"A\" { cart-id: text }", "write `cart_id`");
    condition("in segment last-30", "write `last_30`");
    condition("cart-id = 3", "write `cart_id`, or `cart - id` with spaces");
    condition("last-30 > 1", "write `last - 30`");
}

#[test]
fn what_a_test_expects() {
    let test = |text: &str, help: &str| one(&format!("test \"t\" {{\n  {text}\n}}"), help);
    test("expect r to send sms contains \"x\"", "write `containing \"x\"`");
    test("expect r to call crm with \"x\"", "write `containing \"x\"`");
    test("expect r to reply \"x\"", "write `containing \"x\"`");
    let moment = "the moment stands before `to`: `expect RULE at … to …`";
    test("expect r to send sms at 2026-01-01 10:00", moment);
    let told = said("test \"t\" {\n  expect r to send sms maybe\n}");
    assert_eq!((told.len(), told[0].help.as_deref()), (1, None));
}

#[test]
fn stretches_of_time() {
    let said_of = |text: &str| said(&format!("segment s {{ {text} }}"));
    let unit = "say of what: `3 days`, `3 calendar days`, `3 hours` or the like";
    for text in ["did \"A\" in the last 3", "count of \"A\" in the last 3 > 2"] {
        condition(text, unit);
        let expected = "expected a unit of time such as `hours` or `calendar days`, found";
        assert!(said_of(text)[0].message.starts_with(expected), "{text}");
    }
    for units in ["days", "weeks", "hours", "calendar days"] {
        let single = units.trim_end_matches('s');
        let help = format!("say how many: `3 {units}`; a single one is `{single}`");
        condition(&format!("did \"A\" in the last {units}"), &help);
        assert_eq!(said_of(&format!("did \"A\" in the last {single}")), []);
    }
    body("limit 1 per weeks", "say how many: `3 weeks`; a single one is `week`");
    condition("no activity in the last days", "say how many: `3 days`; a single one is `day`");
    one("rule r { when \"A\" then \"B\" within days }", "say how many: `3 days`; a single one is `day`");
}

#[test]
fn misspelt_of() {
    condition("count off \"A\" > 3", "write `count of`");
    one("let orders = count off \"A\"", "write `count of`");
    condition("sum fo n of \"A\" > 3", "write `sum of`");
    condition("distinct count og n of \"A\" > 3", "write `distinct count of`");
    assert_eq!(said("segment s { average or count = 3 }"), []);
}

#[test]
fn characters_that_cannot_be_seen() {
    let delete = "delete it; such a character comes along with text that is copied from elsewhere";
    condition("did \"A\"\u{200B} and did \"B\"", delete);
    let told = said("seg\u{200B}ment s { did \"A\" }");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].message, "unexpected character: a zero-width space (U+200B), which cannot be seen");
    assert_eq!((told[0].span.start, told[0].span.end), (3, 6));
    assert_eq!(said("segment s {\u{AD} did \"A\" }").len(), 1);
    assert_eq!(said("segment s { did \"A\u{200D}B\" } # \u{200B}"), []);
}
