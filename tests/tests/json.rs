//! The JSON reader against `serde_json`: what one takes the other takes, and they see the same.

use segue_compiler::json::JsonText;
use segue_tests::random::Random;
use serde::de::IgnoredAny;
use serde_json::Value;

/// How many texts are tried.
const TEXTS: u64 = 60_000;

/// A tree of what the reader sees; `None` where a string or number has no meaning that both share.
fn tree(json: JsonText<'_>) -> Option<Value> {
    if let Some(members) = json.members() {
        let members = members.map(|(key, value)| Some((key.text()?.into_owned(), tree(value)?)));
        return members.collect::<Option<_>>().map(Value::Object);
    }
    if let Some(items) = json.items() {
        return items.map(tree).collect::<Option<_>>().map(Value::Array);
    }
    match json.first() {
        b'"' => json.string().map(|text| Value::String(text.into_owned())),
        b't' | b'f' => json.boolean().map(Value::Bool),
        b'n' => Some(Value::Null),
        _ => json.text().parse().ok().map(Value::Number),
    }
}

fn compare(text: &str) {
    let ours = JsonText::parse(text);
    let theirs = serde_json::from_str::<IgnoredAny>(text);
    assert_eq!(ours.is_ok(), theirs.is_ok(), "{text:?}: {theirs:?}");
    if let (Ok(json), Ok(value)) = (ours, serde_json::from_str::<Value>(text)) {
        assert_eq!(tree(json), Some(value), "{text:?}");
    }
}

fn value(random: &mut Random, depth: u32, out: &mut String) {
    let space = random.pick(&["", "", "", " ", "\n\t"]);
    out.push_str(space);
    match random.below(if depth == 0 { 6 } else { 9 }) {
        0 => out.push_str(random.pick(&["true", "false", "null"])),
        1 | 2 => out.push_str(random.pick(&["0", "-1", "12.50", "1e9", "3E-7", "-0.0", "9007199254740993"])),
        3..6 => string(random, out),
        6 | 7 => {
            out.push('{');
            for number in 0..random.below(4) {
                out.push_str(if number == 0 { "" } else { "," });
                string(random, out);
                out.push_str(random.pick(&[":", " : "]));
                value(random, depth - 1, out);
            }
            out.push('}');
        }
        _ => {
            out.push('[');
            for number in 0..random.below(4) {
                out.push_str(if number == 0 { "" } else { "," });
                value(random, depth - 1, out);
            }
            out.push(']');
        }
    }
    out.push_str(space);
}

fn string(random: &mut Random, out: &mut String) {
    out.push('"');
    for _ in 0..random.below(14) {
        out.push_str(random.pick(&[
            "a",
            "B",
            " ",
            "å",
            "😀",
            "\\n",
            "\\\"",
            "\\\\",
            "\\u00e5",
            "\\ud83d\\ude00",
            "{",
            ",",
        ]));
    }
    out.push('"');
}

#[test]
fn reads_what_serde_json_reads() {
    let mut random = Random::new(7);
    let mut text = String::new();
    for _ in 0..TEXTS {
        text.clear();
        value(&mut random, 4, &mut text);
        compare(&text);
        // And once mutilated: a character left out, doubled, or replaced.
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let at = places[random.below(places.len())];
        let rest = &text[at..];
        let width = rest.chars().next().map_or(1, char::len_utf8);
        let other = random
            .pick(&["", "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "\u{1}", "t", " "]);
        compare(&format!("{}{other}{}", &text[..at], &rest[width..]));
        compare(&format!("{}{other}{rest}", &text[..at]));
        compare(&text[..at]);
    }
}

#[test]
fn refuses_what_nests_too_deep() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        assert!(JsonText::parse(&nested(127)).is_ok());
        assert!(JsonText::parse(&nested(128)).is_err());
        assert!(JsonText::parse(&open.repeat(1_000_000)).is_err());
    }
}
