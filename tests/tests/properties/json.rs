//! What holds of any text that is read as JSON: for tests with texts that are nearly right, and for the fuzzers in `fuzz/`.

use segue_compiler::json::{JsonText, MAX_DEPTH};
use serde::de::IgnoredAny;
use serde_json::Value;

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

/// Both take a text and see the same in it, or neither takes it.
pub(crate) fn compare(text: &str) {
    let ours = JsonText::parse(text);
    let theirs = serde_json::from_str::<IgnoredAny>(text);
    // What is ignored may nest as deep as it likes.
    let is_taken = theirs.is_ok() && depth(text) <= MAX_DEPTH;
    assert_eq!(ours.is_ok(), is_taken, "{text:?}: {theirs:?}");
    if let (Ok(json), Ok(value)) = (ours, serde_json::from_str::<Value>(text)) {
        assert_eq!(tree(json), Some(value), "{text:?}");
    }
}

/// How deep a text nests that is valid.
fn depth(text: &str) -> u32 {
    let (mut depth, mut deepest, mut bytes) = (0_u32, 0, text.bytes());
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(byte) = bytes.next().filter(|byte| *byte != b'"') {
                    if byte == b'\\' {
                        bytes.next();
                    }
                }
            }
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}
