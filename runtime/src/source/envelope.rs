//! One line to one call of a tracker.
//!
//! Every field is first taken as JSON text, so that an odd field is a reason of its own and not the end of the line.

use crate::{
    limits::MAX_NAME_BYTES,
    words::{did_you_mean, quote},
};
use segue_compiler::{
    event::{Call, Incoming},
    time,
    value::{Decimal, MILLIONTHS, Millis},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A call read from its line.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    /// Whose it is.
    pub customer: Cow<'a, str>,
    /// When it happened.
    pub at: Millis,
    /// Whether it is an `identify` with both ids, which would merge two customers.
    pub merges: bool,
    message_id: Cow<'a, str>,
    received_at: Option<Millis>,
    time_zone: Option<Cow<'a, str>>,
    said: Said<'a>,
}

#[derive(Clone, Debug)]
enum Said<'a> {
    Track { event: Cow<'a, str>, properties: Option<&'a RawValue>, name: Option<Cow<'a, str>> },
    Identify { traits: Option<&'a RawValue> },
    Group { id: Cow<'a, str> },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    message_id: Option<&'a RawValue>,
    #[serde(borrow)]
    user_id: Option<&'a RawValue>,
    #[serde(borrow)]
    anonymous_id: Option<&'a RawValue>,
    #[serde(borrow)]
    event: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    group_id: Option<&'a RawValue>,
    #[serde(borrow)]
    properties: Option<&'a RawValue>,
    #[serde(borrow)]
    traits: Option<&'a RawValue>,
    #[serde(borrow)]
    context: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    received_at: Option<&'a RawValue>,
}

const TYPES: &[&str] = &["track", "page", "screen", "identify", "group", "alias"];

impl<'a> Envelope<'a> {
    /// Reads a line. The error says, for a person, why it is no call.
    ///
    /// # Errors
    /// When the line is not JSON, or lacks what its type needs.
    pub fn parse(line: &'a [u8]) -> Result<Self, String> {
        let text = text_line(line)?;
        let wire: Wire<'a> = serde_json::from_str(text).map_err(|error| json_reason(&error))?;
        let kind = text_of(wire.kind, "type")?
            .ok_or("`type` is missing: a line says whether it is `track`, `identify` …")?;
        let said = wire.said(&kind)?;
        let user = name_of(wire.user_id, "userId")?;
        let anonymous = if user.is_some() { None } else { name_of(wire.anonymous_id, "anonymousId")? };
        let merges = kind == "identify" && user.is_some() && wire.anonymous_id.is_some();
        let customer = user.or(anonymous).ok_or("`userId` and `anonymousId` are missing: nobody did this")?;
        let timestamp =
            wire.timestamp.ok_or("`timestamp` is missing: events in files say when they happened")?;
        let at = instant(timestamp).ok_or_else(|| {
            format!("`timestamp` is no instant such as `2026-01-31T08:00:00Z`, found {}", found(timestamp))
        })?;
        let message_id = match name_of(wire.message_id, "messageId")? {
            Some(id) => id,
            None => Cow::Owned(fingerprint(text)),
        };
        let received_at = wire.received_at.and_then(instant);
        Ok(Self { customer, at, merges, message_id, received_at, time_zone: time_zone(wire.context), said })
    }

    /// The call as executors take it.
    #[must_use]
    pub fn incoming(&self) -> Incoming<'_> {
        let call = match &self.said {
            Said::Track { event, properties, name } => {
                Call::Track { event, properties: *properties, name: name.as_deref() }
            }
            Said::Identify { traits } => Call::Identify { traits: *traits },
            Said::Group { id } => Call::Group { id },
        };
        Incoming {
            message_id: &self.message_id,
            at: self.at,
            received_at: self.received_at,
            time_zone: self.time_zone.as_deref(),
            call,
        }
    }
}

impl<'a> Wire<'a> {
    fn said(&self, kind: &str) -> Result<Said<'a>, String> {
        match kind {
            "track" => {
                let event = name_of(self.event, "event")?
                    .ok_or("`event` is missing: a `track` call names its event")?;
                Ok(Said::Track { event, properties: object(self.properties, "properties")?, name: None })
            }
            "page" | "screen" => {
                let event = if kind == "page" { "Page Viewed" } else { "Screen Viewed" };
                Ok(Said::Track {
                    event: Cow::Borrowed(event),
                    properties: object(self.properties, "properties")?,
                    name: text_of(self.name, "name")?,
                })
            }
            "identify" => Ok(Said::Identify { traits: object(self.traits, "traits")? }),
            "group" => {
                let id = name_of(self.group_id, "groupId")?
                    .ok_or("`groupId` is missing: a `group` call names its group")?;
                Ok(Said::Group { id })
            }
            "alias" => Err("merging customers (`alias`) is not supported yet".to_owned()),
            other => Err(format!("unknown type {}{}", quote(other), did_you_mean(other, TYPES))),
        }
    }
}

/// A line as text that starts like a JSON object.
fn text_line(line: &[u8]) -> Result<&str, String> {
    let text = std::str::from_utf8(line)
        .map_err(|error| format!("not UTF-8 text (byte {} of the line)", error.valid_up_to() + 1))?
        .trim();
    if text.starts_with('{') {
        Ok(text)
    } else {
        Err(format!("not a JSON object: a line starts with `{{`, found {}", quote(text)))
    }
}

/// The parser's words, without the line number, which would always be 1.
fn json_reason(error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let words = error.to_string();
    let words = words.strip_suffix(&place).unwrap_or(&words);
    let kind = if error.is_data() { "not a call" } else { "not JSON" };
    format!("{kind}: {words} (column {})", error.column())
}

/// The text of a field; a JSON number is its own digits; absent, null and empty are none.
pub(crate) fn text_of<'a>(raw: Option<&'a RawValue>, field: &str) -> Result<Option<Cow<'a, str>>, String> {
    let Some(raw) = raw else { return Ok(None) };
    let json = raw.get();
    let text = match json.as_bytes().first() {
        Some(b'"') => string(json).ok_or_else(|| format!("`{field}` is no valid text"))?,
        Some(b'-' | b'0'..=b'9') => Cow::Borrowed(json),
        Some(b'n') => return Ok(None),
        _ => return Err(format!("`{field}` should be text, found {}", found(raw))),
    };
    Ok(if text.is_empty() { None } else { Some(text) })
}

/// As [`text_of`], of bounded length.
pub(crate) fn name_of<'a>(raw: Option<&'a RawValue>, field: &str) -> Result<Option<Cow<'a, str>>, String> {
    let text = text_of(raw, field)?;
    match &text {
        Some(name) if name.len() > MAX_NAME_BYTES => {
            Err(format!("`{field}` has {} bytes, at most {MAX_NAME_BYTES} are taken", name.len()))
        }
        Some(_) | None => Ok(text),
    }
}

fn string(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str::<String>(json).ok().map(Cow::Owned)
}

fn object<'a>(raw: Option<&'a RawValue>, field: &str) -> Result<Option<&'a RawValue>, String> {
    match raw {
        None => Ok(None),
        Some(raw) if raw.get().starts_with('{') => Ok(Some(raw)),
        Some(raw) => Err(format!("`{field}` should be an object, found {}", found(raw))),
    }
}

/// What JSON is there, in words.
fn found(raw: &RawValue) -> String {
    match raw.get().as_bytes().first() {
        Some(b'[') => "a list".to_owned(),
        Some(b'{') => "an object".to_owned(),
        _ => quote(raw.get()),
    }
}

fn instant(raw: &RawValue) -> Option<Millis> {
    let json = raw.get();
    if json.starts_with('"') {
        return time::parse_instant(&string(json)?);
    }
    let whole = json.parse().ok().or_else(|| Some(Decimal::parse(json)?.round()?.0 / MILLIONTHS))?;
    time::instant_from_number(whole)
}

/// `context.timezone`; a context that is absent or odd has none.
fn time_zone(context: Option<&RawValue>) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Context<'a> {
        #[serde(borrow)]
        timezone: Option<&'a RawValue>,
    }
    // Contexts are long and mostly without a zone; a search is cheaper than a second parse.
    let json = context?.get();
    if !json.contains("\"timezone\"") {
        return None;
    }
    let context: Context<'_> = serde_json::from_str(json).ok()?;
    text_of(context.timezone, "timezone").ok().flatten()
}

/// The key of a line without an id: the first 128 bits of SHA-256 over its content.
fn fingerprint(line: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(line.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(line: &str) -> String {
        Envelope::parse(line.as_bytes()).unwrap_err()
    }

    #[test]
    fn reads_a_track_call() {
        let line = r#"{"type":"track","messageId":7,"userId":12.50,"event":"Kj\u00f8p \"nå\"","properties":{"a":[1]},
            "timestamp":1000.5,"receivedAt":"1970-01-01T00:00:02Z","context":{"ip":[],"timezone":"Europe\/Oslo"}}"#;
        let envelope = Envelope::parse(line.as_bytes()).unwrap();
        assert_eq!((&*envelope.customer, envelope.at), ("12.50", 1000));
        let incoming = envelope.incoming();
        assert_eq!((incoming.message_id, incoming.received_at), ("7", Some(2000)));
        assert_eq!(incoming.time_zone, Some("Europe/Oslo"));
        let Call::Track { event, properties, name } = incoming.call else { panic!("a track call") };
        assert_eq!((event, properties.map(RawValue::get), name), ("Kjøp \"nå\"", Some(r#"{"a":[1]}"#), None));
    }

    #[test]
    fn reads_the_other_calls() {
        let read =
            |rest: &str| format!(r#"{{"anonymousId":"x","userId":null,"timestamp":"2026-01-05",{rest}}}"#);
        let page = read(r#""type":"page","name":"Home","context":"odd""#);
        let envelope = Envelope::parse(page.as_bytes()).unwrap();
        assert_eq!(&*envelope.customer, "x");
        assert!(matches!(
            envelope.incoming().call,
            Call::Track { event: "Page Viewed", name: Some("Home"), .. }
        ));
        let identify = read(r#""type":"identify","traits":{}"#);
        let envelope = Envelope::parse(identify.as_bytes()).unwrap();
        assert!(matches!(envelope.incoming().call, Call::Identify { traits: Some(_) }) && !envelope.merges);
        let group = read(r#""type":"group","groupId":9"#);
        assert!(matches!(
            Envelope::parse(group.as_bytes()).unwrap().incoming().call,
            Call::Group { id: "9" }
        ));
    }

    #[test]
    fn a_line_without_id_is_its_own_key() {
        let line = br#"{"type":"track","event":"A","userId":"a","timestamp":1}"#;
        let [one, two] =
            [&line[..], b"  {\"type\":\"track\",\"event\":\"A\",\"userId\":\"a\",\"timestamp\":1} "]
                .map(|line| Envelope::parse(line).unwrap().incoming().message_id.to_owned());
        assert_eq!(one, two);
        assert_eq!(one.len(), 32);
    }

    #[test]
    fn says_why_a_line_is_no_call() {
        let lines = [
            ("[]", "not a JSON object: a line starts with `{`, found `[]`"),
            (r#"{"type":"track""#, "not JSON: EOF while parsing an object (column 15)"),
            (r#"{"type":"track","type":"page"}"#, "not a call: duplicate field `type` (column 22)"),
            (r#"{"type":"trak"}"#, "unknown type `trak` (did you mean `track`?)"),
            (r#"{"type":"alias"}"#, "merging customers (`alias`) is not supported yet"),
            (r#"{"type":"track"}"#, "`event` is missing: a `track` call names its event"),
            (r#"{"type":"identify","traits":[]}"#, "`traits` should be an object, found a list"),
            (r#"{"type":"identify","userId":{}}"#, "`userId` should be text, found an object"),
            (r#"{"type":"identify"}"#, "`userId` and `anonymousId` are missing: nobody did this"),
            (
                r#"{"type":"identify","userId":"a"}"#,
                "`timestamp` is missing: events in files say when they happened",
            ),
            (
                r#"{"type":"identify","userId":"a","timestamp":"yesterday"}"#,
                "`timestamp` is no instant such as `2026-01-31T08:00:00Z`, found `\"yesterday\"`",
            ),
        ];
        for (line, expected) in lines {
            assert_eq!(reason(line), expected, "{line}");
        }
        assert_eq!(Envelope::parse(b"{\xFF}").unwrap_err(), "not UTF-8 text (byte 2 of the line)");
        let long = format!(r#"{{"type":"identify","timestamp":1,"userId":"{}"}}"#, "x".repeat(2000));
        assert_eq!(reason(&long), "`userId` has 2000 bytes, at most 1024 are taken");
    }
}
