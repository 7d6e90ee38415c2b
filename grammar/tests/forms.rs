//! Every form of the language is read, and every keyword may be a field.

use segue_grammar::ast::*;
use segue_grammar::{SourceId, parse};

fn clean(text: &str) -> File {
    let (file, diagnostics) = parse(SourceId(0), text);
    assert!(diagnostics.is_empty(), "{text}\n{diagnostics:#?}");
    file
}

fn condition(text: &str) -> Expr {
    let mut file = clean(&format!("segment probe {{ {text} }}"));
    match file.items.pop() {
        Some(Item::Segment(segment)) => segment.condition,
        other => unreachable!("{other:?}"),
    }
}

fn rule(body: &str) -> Rule {
    let mut file = clean(&format!("rule probe {{\n{body}\n}}"));
    match file.items.pop() {
        Some(Item::Rule(rule)) => rule,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn conditions() {
    for text in [
        "did \"A\"",
        "has done \"A\" at most 2 times",
        "did \"A\" exactly 1 times today",
        "did \"A\" in the last 3 days at least 2 times",
        "did \"A\" at least 2 times between 30 days and 10 days ago",
        "did \"A\" where passed between 30 days and 10 days ago",
        "did \"A\" where price between 1 and 5 between 30 days and 10 days ago",
        "did \"A\" since 2026-01-31",
        "did \"A\" since 2026-01-31 08:00 and did any event",
        "did any of (\"A\", \"B\",) this session or did \"C\" this week",
        "did \"A\" in the last 7 calendar days",
        "did \"A\" in the last day",
        "did \"A\" in this match",
        "did \"A\" in at least 3 of the last 7 days",
        "did \"A\" for the first time as a_one then \"B\" as b_one within 1 hour then no \"C\" within 1 day with same cart_id, user.id",
        "did each \"A\" then \"B\" within 2 hours at least 2 times in the last 30 days",
        "did earliest \"A\" then no \"B\" within 2 hours",
        "no activity in the last 30 days and known for 60 days",
        "at least 2 of (did \"A\", did \"B\" then \"C\" within 1 day with same x, did \"D\", not did \"E\")",
        "in segment loyal and not in segment lapsed",
        "(did \"A\") for 3 days",
        "not (did \"A\" or did \"B\")",
        "count of \"A\" where (x = 1 and y = 2) in the last 3 days >= 10",
        "sum of price * quantity of \"A\" in the last 3 days - 5 > 10 * 2 / 3",
        "most frequent of category of \"A\" in the last 30 days = \"shoes\"",
        "distinct count of category of \"A\" >= 3",
        "first of at of \"A\" is known and last of price of \"A\" is not known",
        "smallest of price of \"A\" < 1 and largest of price of \"A\" > 2 and average of price of \"A\" = 3",
        "time since \"A\" > 3 days and time since first \"A\" > 1 week and time since last \"B\" > 1 day",
        "streak of \"A\" in days >= 3 and streak of any event in weeks >= 2",
        "profile.country in [\"NO\", \"SE\",] and profile.x not in [1, 2]",
        "profile.email contains \"@\" and profile.email not ends with \".no\" and lower(profile.x) starts with \"a\"",
        "profile.email matches \"^a+$\" and coalesce(profile.x, 0) between -5 and 10%",
        "profile.\"Odd name\".x = true and event.and = 1",
        "did \"A\" where not passed at least 2 times",
        "profile.limit = 3 and topic = 2 and (stop) and quiet != 3",
        "profile.birth_date = 2026-01-31 and profile.x = 08:00 and profile.y = 2026-01-31 08:00:30.250",
        "profile.d > 1 month and profile.d < 2 years",
        "did # a comment\n \"A\" # another\n at least # three\n 3 times",
    ] {
        condition(text);
    }
}

#[test]
fn precedence() {
    let ExprKind::Or(parts) = condition("a and b or not c = 1 + 2 * 3").kind else { panic!("or") };
    assert!(matches!(parts[0].kind, ExprKind::And(_)));
    let ExprKind::Not(inner) = &parts[1].kind else { panic!("not") };
    let ExprKind::Compare { right, .. } = &inner.kind else { panic!("comparison") };
    let ExprKind::Arithmetic { operator: Arithmetic::Add, right, .. } = &right.kind else { panic!("sum") };
    assert!(matches!(right.kind, ExprKind::Arithmetic { operator: Arithmetic::Multiply, .. }));

    let ExprKind::InSegment { negated: true, .. } = condition("not in segment x").kind else {
        panic!("segment")
    };
    let ExprKind::Not(_) = condition("not (in segment x)").kind else { panic!("not") };
    let ExprKind::Not(_) = condition("not not in segment x").kind else { panic!("not") };
}

#[test]
fn literals() {
    let ExprKind::Compare { right, .. } = condition("a = -1_000.5").kind else { panic!("comparison") };
    assert_eq!(right.kind, ExprKind::Literal(Literal::Number("-1000.5".to_owned())));
    let ExprKind::Compare { right, .. } = condition("a = \"\\u{41}\\n\\t\\\"\\\\\"").kind else {
        panic!("comparison")
    };
    assert_eq!(right.kind, ExprKind::Literal(Literal::Text("A\n\t\"\\".to_owned())));
    let ExprKind::Compare { right, .. } =
        condition("a = \"\"\"\n    one \"two\"\n      three\n    \"\"\"").kind
    else {
        panic!("comparison")
    };
    assert_eq!(right.kind, ExprKind::Literal(Literal::Text("one \"two\"\n  three".to_owned())));
    let ExprKind::Compare { left, .. } = condition("a - 5 = 10").kind else { panic!("comparison") };
    assert!(matches!(left.kind, ExprKind::Arithmetic { operator: Arithmetic::Subtract, .. }));
}

#[test]
fn clauses() {
    for text in [
        "when each \"A\" as one then \"B\" within 1 hour with same id",
        "when enters loyal",
        "when leaves loyal",
        "when every day at 09:00",
        "when every monday, friday at 09:00",
        "when every year on profile.birth_date at 09:00",
        "when 3 days before profile.renewal at 09:00",
        "when 1 week after profile.renewal",
        "when did \"A\" at least 3 times",
        "when count of \"A\" >= 3",
        "when not did \"A\"",
        "when \"A\"\n  then \"B\" within 1 hour",
        "only if a\n  and b",
        "still if a or\n b",
        "stop when any of (\"A\", \"B\") where x = event.x",
        "stop when did \"A\" at least 3 times",
        "limit once",
        "limit 3 per 7 days",
        "limit 1 per day",
        "overlap skip",
        "overlap restart",
        "overlap per order.id",
        "topic marketing",
        "transactional",
        "quiet 21:00 to 08:00",
        "quiet 21:00 to 08:00 on saturday, sunday where profile.vip else skip then spread 2 hours",
        "quiet 21:00 to 08:00 on saturday sunday\nquiet 12:00 to 13:00 where profile.country = \"DE\" and x",
        "holdout 5%",
        "holdout 2.5%",
        "goal \"A\" where x > 1 within 14 days",
        "priority -5",
        "was old_name",
        "start cold",
        "transactional, limit once, start cold",
        "limit once  topic marketing  quiet 21:00 to 08:00",
        "stop\nlimit once",
    ] {
        rule(text);
    }
}

#[test]
fn steps() {
    for text in [
        "send sms \"Hi\"",
        "send push { title: \"a\", body: file \"b.html\" by profile.language else \"en\", data: { id: event.id } }",
        "send email file \"a.html\"",
        "reply \"Hi\"",
        "reply { body: \"Hi\" }",
        "call crm { id: event.id, total: event.total * 2 }",
        "call crm",
        "wait 3 days",
        "wait 3 days at 10:00",
        "wait until 10:00",
        "wait until monday 10:00",
        "wait until event.starts_at",
        "wait until 3 days before event.starts_at at 10:00",
        "wait up to 3 days for \"A\" where x = 1 of this run { stop } otherwise { }",
        "wait up to 3 days for an open where (x) { send sms \"a\" }",
        "wait up to 3 days for a delivery {\n send sms \"a\"\n stop\n}",
        "if profile.vip { stop } otherwise if did \"A\" { stop } otherwise { stop }",
        "if not (stop) { stop } send sms \"x\"",
        "split { a_half 50% { send sms \"a\" } b_half 50% { } }",
        "set profile.offer = \"X\"\nset profile.\"Odd\" = profile.x + 1",
        "grant consent sms marketing",
        "grant consent sms\nsend sms \"x\"",
        "withdraw consent email",
        "emit \"Done\" { x: 1, y: event.x }",
        "emit \"Done\"",
        "stop",
        "when \"A\"\nsend sms \"a\"\nlimit once\nstop",
    ] {
        rule(text);
    }
}

#[test]
fn declarations() {
    for text in [
        "use \"shared/events\"",
        "event \"A\" {}",
        "event \"A\" { \"Cart ID\": text, items: list of { name: text, tags: list of text }, at_2: time? }",
        "profile { offer: text? = \"none\", points: number = 0\n vip: boolean = false }",
        "let x = 3",
        "let t = \"a\" if did \"A\", otherwise \"b\"",
        "let t = \"a\" if x\n  \"b\" if y\n  otherwise \"c\"",
        "let t = \"a\" if x",
        "topic news \"News\" within marketing { 3 per 7 days, sms 1 per day else hold up to 2 days }",
        "topic news { }",
        "suppress marketing for segment x",
        "test \"t\" {\n holdout on\n customer ada { tags: [\"a\", 1, true], at_2: 2026-01-01 08:00 }\n at +2 hours ada \"X\"\n expect nothing\n expect nothing until +3 days\n expect r for ada at 2026-01-01  10:00 to be held\n expect r to be suppressed by limit\n expect ada at +1 day to enter s\n expect ada to leave s\n expect r to call crm containing \"x\"\n expect r to reply\n}",
        "\u{feff}use a\r\nuse b\r\n",
        "let a = 1\nlet b = 2\nsegment c { did \"A\" }",
        "",
        "# nothing",
    ] {
        clean(text);
    }
}

const WORDS: &str = "use passive event profile let segment topic defaults suppress rule test when only still stop limit \
    overlap transactional quiet holdout goal priority was start send reply call wait if split set grant withdraw emit \
    otherwise customer at expect second seconds minute minutes hour hours day days week weeks month months year years a \
    activity after ago an any as average be before between by calendar click cold consent contains containing count \
    delivery did distinct done each earliest else ends enter enters every exactly file first for frequent friday has held \
    hold in is known largest last least leave leaves list matches monday most no nothing of on once open per restart same \
    saturday session since skip smallest spread starts streak sum sunday suppressed the then this thursday time times to \
    today tuesday until up wednesday where with within total channel text number max min avg";

#[test]
fn every_keyword_is_a_field() {
    for word in WORDS.split_whitespace() {
        clean(&format!("event \"A\" {{ {word}: text }}"));
        clean(&format!("event \"A\" {{\n{word}: text\n}}"));
        clean(&format!("profile {{ {word}: number? = 3 }}"));
        condition(&format!("event.{word} = 3 and profile.{word} is known"));
        condition(&format!("did \"A\" where {word} = 3"));
        condition(&format!("did \"A\" where {word} > 3 at least 2 times in the last 3 days"));
        condition(&format!("did \"A\" where {word} in [1, 2]"));
        condition(&format!("did \"A\" where ({word} = 3 and {word} is known)"));
        condition(&format!("did \"A\" where {word} contains \"x\" or did \"B\""));
        condition(&format!("did \"A\" then \"B\" within 1 day with same {word}"));
        condition(&format!("sum of {word} of \"A\" > 3"));
        rule(&format!(
            "set profile.{word} = 1\nsend push {{ {word}: \"x\" }}\ncall hook {{ {word}: event.{word} }}"
        ));
        clean(&format!("test \"t\" {{ customer ada {{ {word}: 1 }} }}"));
    }
    for word in ["and", "or", "not", "true", "false"] {
        clean(&format!("event \"A\" {{ {word}: text }}"));
        condition(&format!("event.{word} = 3"));
    }
}

#[test]
fn bare_conditions_are_triggers_for_the_checker() {
    let rule = rule("when did \"A\"");
    assert!(matches!(&rule.clauses[0].kind, ClauseKind::When(Trigger::Condition(_))));
}
