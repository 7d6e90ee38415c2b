//! Each habit from elsewhere gets its exact replacement, and only that.

use segue_grammar::ast::Item;
use segue_grammar::{Diagnostic, SourceId, parse};

fn said(text: &str) -> Vec<Diagnostic> {
    parse(SourceId(0), text).1
}

/// Codes with helps of a rule's body.
fn body(text: &str) -> Vec<(&'static str, String)> {
    let said = said(&format!("rule probe {{\n  when \"A\"\n  {text}\n}}"));
    said.into_iter().map(|said| (said.code, said.help.unwrap_or_default())).collect()
}

#[track_caller]
fn one(text: &str, code: &str, help: &str) {
    let found = body(text);
    let found: Vec<_> = found.iter().map(|(code, help)| (*code, help.as_str())).collect();
    assert_eq!(found, [(code, help)], "{text}");
    assert!(segue_grammar::codes::CODES.contains(&code));
}

#[test]
fn operators() {
    one("only if x == 3", "habit-operator", "write `=`");
    one("only if x <> 3", "habit-operator", "write `!=`");
    one("only if x => 3", "habit-operator", "write `>=`");
    one("only if x =< 3", "habit-operator", "write `<=`");
    one("only if x≥3", "habit-operator", "write `>=`");
    one("only if x && y", "habit-operator", "write `and`");
    one("only if x||y", "habit-operator", "write `or`");
    one("only if !x", "habit-operator", "write `not`");
    one("only if !(x or y)", "habit-operator", "write `not`");
    one("only if x -5 > 3", "habit-operator", "write `x - 5`");
    one("only if x- y > 3", "habit-operator", "write `x - y`");
    one("only if x - y-5 > 3", "habit-operator", "write `y - 5`");
    one("limit once;", "habit-punctuation", "leave it out: a new line is enough");
    one("limit once; stop", "habit-punctuation", "write `,` or start a new line");
    one("limit once // only once", "habit-comment", "write `#`");
    one("limit /* n */ once", "habit-comment", "write `#` at the start of each line of the comment");
}

#[test]
fn quotes() {
    one("send sms 'Hi'", "habit-quote", "write `\"Hi\"`");
    one("send sms “Hi ‘you’”", "habit-quote", "write `\"Hi ‘you’\"`");
    one("send sms ‘a \"b\"’", "habit-quote", "write `\"a \\\"b\\\"\"`");
    assert_eq!(body("send sms \"{{ x | default('there') }} it's “fine”\""), []);
}

#[test]
fn words() {
    one("only if did \"A\" at least 3 in the last 2 days", "missing-times", "write `at least 3 times`");
    one("only if did \"A\" exactly 1", "missing-times", "write `exactly 1 times`");
    one("only if max of price of \"A\" > 3", "habit-word", "write `largest`");
    one("only if min of price of \"A\" > 3", "habit-word", "write `smallest`");
    one("only if avg of price of \"A\" > 3", "habit-word", "write `average`");
    one("only if mean of price of \"A\" > 3", "habit-word", "write `average`");
    one("only if max(price) > 3", "habit-word", "write `largest of FIELD of \"Event\"`");
    one("only if has not done \"A\"", "habit-word", "write `not did`");
    one("only if did not \"A\"", "habit-word", "write `not did`");
    one("only if didn't \"A\"", "habit-word", "write `not did`");
    one("only if didn’t \"A\"", "habit-word", "write `not did`");
    one("only if x is null", "habit-word", "write `is not known`");
    one("only if x is not null", "habit-word", "write `is known`");
    one("if x { stop } else { stop }", "habit-word", "write `otherwise`");
    one("if x { stop } elif y { stop }", "habit-word", "write `otherwise if`");
    one("ONLY IF x", "habit-capital", "write `only if`");
    one("only if x AND y", "habit-capital", "write `and`");
    one("limit Once", "habit-capital", "write `once`");
    one("limit 1 per 2 Days", "habit-capital", "write `days`");
    one("only if cart-id = 3", "hyphen-name", "write `cart_id`, or `cart - id` with spaces");
    let told = said("let t = \"a\" if x, else \"b\"");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].help.as_deref(), Some("write `otherwise`"));
}

#[test]
fn everyday_speech() {
    one("only if did \"A\" at leest 3 times", "habit-word", "write `at least`");
    one("only if did \"A\" at mots 3 times", "habit-word", "write `at most`");
    one("only if did \"A\" in last 30 days", "habit-word", "write `in the last 30 days`");
    one("only if did \"A\" in the past 2 weeks", "habit-word", "write `in the last 2 weeks`");
    one("only if did \"A\" within the last week", "habit-word", "write `in the last week`");
    one("only if did \"A\" last 30 days", "habit-word", "write `in the last 30 days`");
    one("only if not activity in the last 30 days", "habit-word", "write `no activity`");
    one("only if no activity for 30 days", "habit-word", "write `in the last 30 days`");
    one("only if x is \"shoes\"", "habit-operator", "write `=`");
    one("only if x is not \"shoes\"", "habit-operator", "write `!=`");
    one("only if x equals 3", "habit-operator", "write `=`");
    one("only if x is greater than 5", "habit-operator", "write `>`");
    one("only if x less than 5", "habit-operator", "write `<`");
    one("only if x is more than or equal to 5", "habit-operator", "write `>=`");
    one("only if x is at most 5", "habit-operator", "write `<=`");
    one("only if did \"A\" more than 3 times", "habit-word", "write `at least 4 times`");
    one("only if did \"A\" fewer than 3 times today", "habit-word", "write `at most 2 times`");
    one("only if did \"A\" then not \"B\" within 2 days", "habit-word", "write `then no`");
    one("only if did \"A\" but not \"B\" within 2 days", "habit-word", "write `then no`");
    one("only if did \"A\" or \"B\"", "habit-word", "write `any of (\"A\", \"B\")`");
    one("limit twice", "habit-word", "write `2 per 7 days`, or another time");
    one("limit twice per 7 days", "habit-word", "write `2`");
    one("limit once a week", "habit-word", "write `1 per`");
    one("only if x > 50,00", "habit-punctuation", "write `50.00`");
    one("only if x > 1,000", "habit-punctuation", "write `1_000`, or `1.000` for a fraction");
    one("if x { stop } otherwise send sms \"y\"", "syntax", "write `otherwise { send sms \"y\" }`");
    one("if x > 3 send sms \"y\"", "syntax", "write `if x > 3 { send sms \"y\" }`");
    one("if x > 3\n    send sms \"y\"", "syntax", "write `if x > 3 { send sms \"y\" }`");
}

#[test]
fn names_and_their_quotes() {
    one("only if did Order Completed", "habit-quote", "write `\"Order Completed\"`");
    one("only if count of Order Completed today > 3", "habit-quote", "write `\"Order Completed\"`");
    one("stop when Order Completed", "habit-quote", "write `\"Order Completed\"`");
    one("topic \"Big News\"", "habit-quote", "write `big_news`");
    one("only if in segment \"vip\"", "habit-quote", "write `vip`");
    for (text, code, help) in [
        ("rule x { when \"A\" or \"B\" }", "habit-word", "write `any of (\"A\", \"B\")`"),
        ("rule x {\n  on \"A\"\n}", "habit-word", "write `when`"),
        ("rule \"r\" { when \"A\" }", "habit-quote", "write `r`"),
        ("rule \"Cart left\" { when \"A\" }", "habit-quote", "write `cart_left \"Cart left\"`"),
        ("segment \"vip\" { did \"A\" }", "habit-quote", "write `vip`"),
        ("event Foo { a: text }", "habit-quote", "write `\"Foo\"`"),
        ("passive event Foo Bar { a: text }", "habit-quote", "write `\"Foo Bar\"`"),
        ("let and = 1", "reserved-name", "choose another name, for example `my_and`"),
    ] {
        let told = said(text);
        assert_eq!(told.len(), 1, "{text}: {told:?}");
        assert_eq!((told[0].code, told[0].help.as_deref()), (code, Some(help)), "{text}");
    }
}

#[test]
fn words_of_other_tools() {
    one("wait for 3 days", "habit-word", "write `wait 3 days`");
    one("quiet hours 21:00 to 08:00", "habit-word", "write `quiet 21:00`");
    one("quiet 21:00-08:00", "habit-operator", "write `21:00 to 08:00`");
    one("quiet 21:00 - 08:00", "habit-operator", "write `21:00 to 08:00`");
    one("limit 1 in 7 days", "habit-word", "write `per`");
    one("limit 1 every week", "habit-word", "write `per`");
    one("wait up to 3 days for click { stop }", "habit-word", "write `a click`");
    one("wait up to 3 days for open where x = 1 { stop }", "habit-word", "write `an open`");
    one("only if is in segment vip", "habit-word", "write `in segment`");
    one("only if x like \"%shoes\"", "habit-word", "write `ends with \"shoes\"`");
    one("only if x like \"shoes%\"", "habit-word", "write `starts with \"shoes\"`");
    one("only if x like \"%shoes%\"", "habit-word", "write `contains \"shoes\"`");
    one("only if x like \"shoes\"", "habit-word", "write `= \"shoes\"`");
    let regular =
        "write `matches` and a regular expression, in which `.*` stands for anything: `matches \"^a.*b$\"`";
    one("only if x like \"a%b\"", "habit-word", regular);
    one("only if profile.phone exists", "habit-word", "write `is known`");
    one("only if profile.phone does not exist and y", "habit-word", "write `is not known`");
    one("only if days since last \"A\" > 30", "habit-word", "write `time since last \"A\" > 30 days`");
    one("only if hours since \"A\" >= x", "habit-word", "write `time since \"A\"`");
    one("only if count(\"A\") > 3", "habit-word", "write `count of \"A\"`");
    one("only if count(x) > 3", "habit-word", "write `count of \"Event\"`");
    one("only if sum(order.total) of \"A\" > 3", "habit-word", "write `sum of order.total of`");
    one("only if avg(total) of \"A\" > 3", "habit-word", "write `average of total of`");
    one("only if sum(x) > 3", "habit-word", "write `sum of FIELD of \"Event\"`");
    one("only if x IN [1, 2]", "habit-capital", "write `in`");
    one("only if x != null", "habit-word", "write `is known`");
    one("only if x = null", "habit-word", "write `is not known`");
    one("only if x == null and y", "habit-word", "write `is not known`");
    one("only if no \"A\" in the last 2 days", "habit-word", "write `not did`");
    one("only if never did \"A\"", "habit-word", "write `not did`");
    one("stop when enters vip", "habit-word", "write `in segment`");
    one("stop when leaves vip", "habit-word", "write `not in segment`");
    one("quiet 21:00 to 08:00 on weekends", "habit-word", "write `saturday, sunday`");
    for (text, help) in [
        ("rule x { when enters segment vip }", "write `enters vip`"),
        ("rule x { when customer leaves vip }", "write `when leaves`"),
        ("rule x { when every weekday at 09:00 }", "write `monday, tuesday, wednesday, thursday, friday`"),
        ("topic t { 3 in 7 days }", "write `per`"),
        ("topic t { 3 times per 7 days }", "write `per`"),
        ("topic t { 3 per 7 days else drop }", "write `skip`"),
        ("let t = if x = 1 then 2", "write `let NAME = \"gold\" if spent >= 1_000, otherwise \"none\"`"),
    ] {
        let told = said(text);
        assert_eq!(told.len(), 1, "{text}: {told:?}");
        assert_eq!((told[0].code, told[0].help.as_deref()), ("habit-word", Some(help)), "{text}");
    }
}

#[test]
fn places_that_tell_what_was_meant() {
    let way = |text: &str, help: &str| one(text, "syntax", help);
    way("only if did \"A\" within 30 days", "write `in the last 30 days`");
    way("only if sum of \"A\".total > 3", "the field stands before its event: `sum of total of \"A\"`");
    way("only if average order value > 3", "say of what: `average of FIELD of \"Event\"`");
    way("only if most frequent x of \"A\" = 1", "say of what: `most frequent of FIELD of \"Event\"`");
    way("only if last of total > 5", "say of which event: `last of total of \"Event\"`");
    way(
        "only if did \"A\" at least 2 times where x = 1",
        "`where` stands right after its event: `\"A\" where …`",
    );
    way("send sms to profile.phone \"Hi\"", "an address is a field: `send sms { to: …, text: \"…\" }`");
    way("limit 3", "say in which time: `limit 3 per 7 days`; once for ever is `limit once`");
    way("priority high", "write a number; the highest goes first: `priority 10`");
    way(
        "call \"https://x.example\" {}",
        "a system has a name, and `segue.toml` says where it is: `call crm { … }`",
    );
    way("only if did \"A\" once", "write `exactly 1 time` or `at least 1 time`");
    way("only if \"A\" at least 3 times", "what somebody did is `did \"A\" at …`");
    way(
        "only if last \"A\" > 3 days",
        "how long ago is `time since last \"A\"`, a field of it `last of FIELD of \"A\"`",
    );
    let several = "`where` takes one comparison; several stand in parentheses: `where (a = 1 and b = 2)`";
    way("only if count of \"A\" where a = 1 and b = 2 >= 3", several);
    way("send push Hi", "put the text in quotes: `send push \"…\"`");
    let split = "each way has a name, its part and its steps: `split { a 50% { … } b 50% { … } }`";
    way("split 50/50 { a { stop } b { stop } }", split);
    let wait = "write `wait up to 3 days for a click { … } otherwise { … }`, or `wait 3 days`";
    way("wait until clicked { stop }", wait);
    way("wait for a click", wait);
    way(
        "if x > 3 limit once",
        "steps of an `if` stand in braces; a condition for the whole rule is `only if x > 3`",
    );
    way("limit once delay 2 hours", "write `wait`");
    one("delay 2 hours", "unknown-clause", "write `wait`");
    one("webhook crm {}", "unknown-clause", "write `call`");
    for (text, help) in [
        (
            "rule x {\n  when \"A\" at least 3 times in the last 2 days\n  limit once\n}",
            "how often and how long ago is a condition; name it: `segment r_audience { did \"A\" at least 3 times in the last 2 days }`, and start the rule with `when enters r_audience`",
        ),
        (
            "rule x { when \"A\" where a = 1 and b = 2 }",
            "`where` takes one comparison; several stand in parentheses: `where (a = 1 and b = 2)`",
        ),
        ("segment s did \"A\"", "a condition stands in braces: `segment s { … }`"),
        ("suppress news for vip", "write `for segment vip`"),
        ("event \"X\" { price number }", "write `price: number`"),
        ("event \"X\" { tags: [text] }", "write `list of text`"),
        ("test \"x\" {\n  at 2026-01-01 ada \"A\"\n}", "add the time of day: `at 2026-01-01 10:00`"),
        ("test \"x\" {\n  expect r to send sms \"hi\"\n}", "write `containing \"hi\"`"),
        ("rule x { when every monday }", "say when: `every monday at 09:00`"),
        (
            "rule x { when every month at 09:00 }",
            "a rule comes round every day, on days of the week (`every monday at 09:00`), or once a year on a date (`every year on profile.birth_date at 09:00`)",
        ),
    ] {
        let told = said(text);
        assert_eq!(told.len(), 1, "{text}: {told:?}");
        assert_eq!((told[0].code, told[0].help.as_deref()), ("syntax", Some(help)), "{text}");
    }
}

#[test]
fn what_only_looks_like_a_habit_is_left_alone() {
    for text in [
        "only if did \"A\" where last in [10,20] or x in [1.50,2.50]",
        "only if not activity in [1] and is = 3 and equals = \"a\" and more < 3",
        "only if last 3 of \"A\" in the last 2 days contains \"x\"",
        "only if did \"A\" where x = \"a\" or did \"B\" in the last calendar day",
        "only if did \"A\" where (x contains \"a\" or x contains \"b\") and sum of Total of \"A\" > 3",
        "limit once\n  quiet 22:00 to 08:00\n  on monday",
        "if a { stop } otherwise if b { stop } otherwise { send sms \"x\" }",
        "only if x is known and y is not known and at = 3",
        "only if did \"A\" where exists = true and did \"A\" where (like contains \"%\") and exists and like",
        "wait up to 3 days for a click { stop }",
    ] {
        assert_eq!(body(text), [], "{text}");
    }
    assert_eq!(said("topic news \"News\" { 3 per 7 days }\nsuppress news\non sms for segment x"), []);
}

#[test]
fn fields_may_have_capitals() {
    for text in [
        "only if did \"A\" where Limit = 3 and event.When = 2 and First is known",
        "only if did \"A\" where Count in [1] or did \"B\" where (Topic = 2 and Last contains \"x\")",
        "only if sum of Total of \"A\" > 3 and coalesce(First, Last) = 3",
        "send push { Title: \"x\", Send: event.Send }",
    ] {
        assert_eq!(body(text), [], "{text}");
    }
}

#[test]
fn times() {
    for (short, long) in [
        ("30d", "30 days"),
        ("1d", "1 day"),
        ("2h", "2 hours"),
        ("15m", "15 minutes"),
        ("10s", "10 seconds"),
        ("1w", "1 week"),
        ("500ms", "500 milliseconds"),
        ("30days", "30 days"),
        ("2hrs", "2 hours"),
        ("2 hrs", "2 hours"),
        ("15 mins", "15 minutes"),
    ] {
        one(&format!("wait {short}"), "habit-duration", &format!("write `{long}`"));
    }
    one("wait until 2026-1-31", "habit-date", "write `2026-01-31`");
    one("wait until 8:00", "habit-date", "write `08:00`");
    one("wait until 9:30pm", "habit-date", "write `21:30`");
    one("wait until 12 am", "habit-date", "write `00:00`");
    one("only if did \"A\" since 2026-1-31T8:00Z", "habit-date", "write `2026-01-31 08:00`");
}

#[test]
fn strings() {
    let help = "close it with `\"`, or write text of several lines between `\"\"\"` and `\"\"\"`";
    one("send sms \"Hi", "unclosed-string", help);
    one("send sms { body: \"Hi }", "unclosed-string", help);
    one("send sms \"Hi {{ profile.x }}", "unclosed-string", help);
    one("send sms \"\"\"Hi", "unclosed-string", "close it with `\"\"\"`");
    one(
        "send sms \"Hi {{ x | default(\"there\") }}, {{ y | default(\"z\") }}!\"",
        "quote-in-template",
        "use single quotes inside: `\"Hi {{ x | default('there') }}, {{ y | default('z') }}!\"`",
    );
    assert_eq!(
        body("send sms \"a\\qb\\u{zz}\"").iter().map(|(code, _)| *code).collect::<Vec<_>>(),
        ["bad-escape"; 2]
    );
}

#[test]
fn what_is_certainly_meant_is_in_the_tree() {
    let count = |text: &str| parse(SourceId(0), text).0.items.len();
    assert_eq!(count("RULE x { WHEN 'A' LIMIT 1 PER 30d; ONLY IF !a && b == 3 }"), 1);
    assert_eq!(count("segment x { cart-id = 3 }"), 0);
    assert_eq!(count("segment x { a = max(b) }"), 0);
    assert_eq!(count("rule x { when \"A }"), 0);
    let (file, _) = parse(SourceId(0), "segment x { a && b == 3 }\nsegment y { did 'B' }");
    let [Item::Segment(x), Item::Segment(y)] = file.items.as_slice() else { panic!("two segments") };
    assert_eq!((x.span.start, x.span.end), (0, 25));
    assert_eq!((x.condition.span.start, x.condition.span.end), (12, 23));
    assert_eq!((y.condition.span.start, y.condition.span.end), (38, 45));
}

#[test]
fn mistakes_in_several_places_are_all_shown() {
    let text = "rule x {
  whn \"A\"
  limit 1 pr 7 days
  only if profile.x =
  limit 3 per 7 days
  send sms
  wait up to 3 days for a click {
    snd sms \"x\"
    limit once
    if a = { stop }
  }
  holdout 5
}
segmnt y { did \"A\" }
segment z { (did \"A\" }
event \"E\" { a text, b: }
test \"t\" { expct nothing }
let rule = 1
let BigName = 2
";
    let told: Vec<_> = said(text)
        .into_iter()
        .map(|said| (said.code, &text[said.span.start as usize..said.span.end as usize]))
        .collect();
    assert_eq!(
        told,
        [
            ("unknown-clause", "whn"),
            ("syntax", "pr"),
            ("syntax", "="),
            ("syntax", "sms"),
            ("unknown-clause", "snd"),
            ("unknown-clause", "limit"),
            ("syntax", "{"),
            ("syntax", "5"),
            ("unknown-declaration", "segmnt"),
            ("syntax", "}"),
            ("syntax", "text"),
            ("syntax", ":"),
            ("unknown-clause", "expct"),
            ("reserved-name", "rule"),
            ("snake-case", "BigName"),
        ]
    );
}

#[test]
fn braces() {
    let told = said("rule x {\n  when \"A\"\n  if a {\n    stop\n\n  stop\n}\n\nrule y { when \"A\" }");
    assert_eq!((told.len(), told[0].code, told[0].span.start), (1, "unclosed-brace", 27));
    let (file, told) = parse(SourceId(0), "rule x { when \"A\" } }\nrule y { when \"A\" }");
    assert_eq!(
        (told.len(), told[0].code, told[0].span.start, file.items.len()),
        (1, "unclosed-brace", 20, 2)
    );
    assert_eq!(said("rule x {\n  when \"A\"").len(), 1);
}

#[test]
fn separators() {
    let told = said("event \"A\" { a: text b: number }\ntopic t { 3 per 7 days sms 1 per 1 day }");
    assert_eq!(told.iter().map(|said| said.code).collect::<Vec<_>>(), ["missing-separator"; 2]);
}

#[test]
fn ways_out() {
    for (text, help) in [
        (
            "when \"B\" and did \"C\"",
            "a trigger is one event or sequence; write the condition as `only if …`",
        ),
        ("only if x in (1, 2)", "a list stands in brackets: `in [\"a\", \"b\"]`"),
        ("only if did \"A\" 3 times", "write `exactly 3 times` or `at least 3 times`"),
        ("holdout 5", "write `5%`"),
        ("goal \"A\" in 3 days", "write `within`"),
        ("wait 3 dayz", "did you mean `days`?"),
        ("lmit once", "did you mean `limit`?"),
        ("every day at 09:00", "write `when every …`"),
        (
            "only if did \"A\" where x = 1 and y = 2 in the last 3 days",
            "`where` takes one comparison; several stand in parentheses: `where (a = 1 and b = 2)`",
        ),
    ] {
        let told = body(text);
        assert_eq!(told.len(), 1, "{text}: {told:?}");
        assert_eq!(told[0].1, help, "{text}");
    }
}
