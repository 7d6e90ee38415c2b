//! The JSON reader against `serde_json`: what one takes the other takes, and they see the same.

#[path = "properties/json.rs"]
mod properties;

use properties::compare;
use segue_compiler::json::JsonText;
use segue_tests::random::Random;

/// How many texts are tried.
const TEXTS: u64 = 60_000;

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
fn what_fuzzers_begin_with_and_found_is_read_alike() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/json");
    let texts: Vec<String> =
        folder.read_dir().unwrap().map(|it| std::fs::read_to_string(it.unwrap().path()).unwrap()).collect();
    assert!(!texts.is_empty());
    texts.iter().for_each(|text| compare(text));
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
