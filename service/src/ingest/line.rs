//! A call written as one line.

use segue_compiler::{json::JsonText, record::Instant, value::Millis};
use std::fmt::Write;

/// Writes an object member by member, without space.
pub(super) struct Writer(String);

impl Writer {
    /// A line that will be about this long.
    pub(super) fn new(length: usize) -> Self {
        Self(String::with_capacity(length + 64))
    }

    /// A member as somebody wrote it, without the space around its parts.
    pub(super) fn json(&mut self, name: &str, value: JsonText<'_>) {
        self.name(name);
        compact(value.text(), &mut self.0);
    }

    /// A member whose value is text.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        if value.bytes().any(|byte| matches!(byte, 0..0x20 | b'"' | b'\\')) {
            self.0.push_str(&serde_json::Value::from(value).to_string());
        } else {
            self.0.push('"');
            self.0.push_str(value);
            self.0.push('"');
        }
    }

    /// A member whose value is an instant.
    pub(super) fn instant(&mut self, name: &str, at: Millis) {
        self.name(name);
        // A string takes everything.
        let _ = write!(self.0, "\"{}\"", Instant(at));
    }

    /// A member whose value is an object.
    pub(super) fn object(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        self.name(name);
        let mut inner = Self(String::new());
        write(&mut inner);
        self.0.push_str(&inner.finish());
    }

    /// The object.
    pub(super) fn finish(mut self) -> String {
        if self.0.is_empty() {
            self.0.push('{');
        }
        self.0.push('}');
        self.0
    }

    fn name(&mut self, name: &str) {
        self.0.push_str(if self.0.is_empty() { "{\"" } else { ",\"" });
        self.0.push_str(name);
        self.0.push_str("\":");
    }
}

/// Adds valid JSON without the space outside of its strings; within them no line can break.
fn compact(json: &str, to: &mut String) {
    // Mostly there is none, in strings either, and numbers and words hold none at all.
    if !json.bytes().any(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
        to.push_str(json);
        return;
    }
    let mut rest = json;
    while !rest.is_empty() {
        let (outside, string) = rest.split_at(rest.find('"').unwrap_or(rest.len()));
        to.extend(outside.split_ascii_whitespace());
        let (inside, after) = string.split_at(string_end(string));
        to.push_str(inside);
        rest = after;
    }
}

/// Where the string ends with which a text begins.
fn string_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_left_out_only_between_parts() {
        let text = "{ \"a b\" : [ 1 , -2.5e3,\n\ttrue ] , \"q\" : \"x \\\" , y\\\\\" , \"ø \" : { } }";
        let json = JsonText::parse(text).unwrap();
        let mut writer = Writer::new(0);
        writer.text("name", "a \"b\"\n");
        writer.json("it", json);
        writer.object("o", |_| {});
        writer.instant("at", 0);
        assert_eq!(
            writer.finish(),
            r#"{"name":"a \"b\"\n","it":{"a b":[1,-2.5e3,true],"q":"x \" , y\\","ø ":{}},"o":{},"at":"1970-01-01T00:00:00.000Z"}"#
        );
        assert_eq!(Writer::new(0).finish(), "{}");
    }
}
