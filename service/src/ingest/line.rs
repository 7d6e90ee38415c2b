//! A call written as one line.

use super::{Happened, Line};
use crate::intake::Told;
use segue_compiler::{json::JsonText, record::Instant, value::Millis};
use std::fmt::Write;

/// Writes an object member by member, without space.
pub(super) struct Writer {
    text: String,
    told: Option<Told>,
}

impl Writer {
    /// A line that will be about this long.
    pub(super) fn new(length: usize) -> Self {
        Self { text: String::with_capacity(length + 64), told: None }
    }

    /// A member as somebody wrote it, without the space around its parts.
    pub(super) fn json(&mut self, name: &str, value: JsonText<'_>) {
        self.name(name);
        compact(value.text(), &mut self.text);
    }

    /// A member whose value is text.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        if value.bytes().any(|byte| matches!(byte, 0..0x20 | b'"' | b'\\')) {
            self.text.push_str(&serde_json::Value::from(value).to_string());
        } else {
            self.text.push('"');
            self.text.push_str(value);
            self.text.push('"');
        }
    }

    /// A member whose value is an instant.
    pub(super) fn instant(&mut self, name: &str, at: Millis) {
        self.name(name);
        // A string takes everything.
        let _ = write!(self.text, "\"{}\"", Instant(at));
    }

    /// The member `timestamp` of what arrived at an instant; what is told from there is put right when it is written down.
    pub(super) fn timestamp(&mut self, happened: Happened, received_at: Millis) {
        self.instant("timestamp", happened.of(received_at));
        if let Happened::BeforeArrival(before) = happened {
            self.told = Some(Told { end: self.text.len().saturating_sub(1), before });
        }
    }

    /// A member whose value is an object.
    pub(super) fn object(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        self.name(name);
        let mut inner = Self::new(0);
        write(&mut inner);
        self.text.push_str(&inner.finish().text);
    }

    /// The object, as a line; `at` is when it happened, where that can be read.
    pub(super) fn line(self, at: Option<Millis>) -> Line {
        let Self { text, told } = self.finish();
        Line { text, at, told }
    }

    fn finish(mut self) -> Self {
        if self.text.is_empty() {
            self.text.push('{');
        }
        self.text.push('}');
        self
    }

    fn name(&mut self, name: &str) {
        self.text.push_str(if self.text.is_empty() { "{\"" } else { ",\"" });
        self.text.push_str(name);
        self.text.push_str("\":");
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
            writer.line(None).text,
            r#"{"name":"a \"b\"\n","it":{"a b":[1,-2.5e3,true],"q":"x \" , y\\","ø ":{}},"o":{},"at":"1970-01-01T00:00:00.000Z"}"#
        );
        assert_eq!(Writer::new(0).line(None).text, "{}");
    }
}
