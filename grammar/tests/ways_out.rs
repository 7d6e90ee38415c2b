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
    one("event \"A\" { cart-id: text }", "write `cart_id`");
    condition("in segment last-30", "write `last_30`");
    condition("cart-id = 3", "write `cart_id`, or `cart - id` with spaces");
    condition("last-30 > 1", "write `last - 30`");
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

#[test]
fn stretches_of_time() {
    let said_of = |text: &str| said(&format!("segment s {{ {text} }}"));
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
