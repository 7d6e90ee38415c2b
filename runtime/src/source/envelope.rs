//! One line to one call of a tracker.
//!
//! Every field is first taken as JSON text, so that an odd field is a reason of its own and not the end of the line.

use crate::{
    limits::MAX_NAME_BYTES,
    words::{did_you_mean, quote},
};
use segue_compiler::{
    admission::is_ahead,
    decode,
    event::{Call, Incoming},
    json::{JsonText, MAX_DEPTH, Reader},
    time::{EARLIEST, LATEST},
    value::Millis,
};
use std::borrow::Cow;

/// A call read from its line.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    /// Whose it is.
    pub customer: Cow<'a, str>,
    /// Whether the customer is known, named by `userId`; else `customer` is an `anonymousId`.
    pub known: bool,
    /// The id under which the customer was met so far, as this call says: the `anonymousId` of an `identify`, the
    /// `previousId` of an `alias`.
    pub same_as: Option<Cow<'a, str>>,
    /// When it happened.
    pub at: Millis,
    message_id: Cow<'a, str>,
    received_at: Option<Millis>,
    time_zone: Option<Cow<'a, str>>,
    said: Said<'a>,
}

#[derive(Clone, Debug)]
enum Said<'a> {
    Track { event: Cow<'a, str>, properties: Option<JsonText<'a>>, name: Option<Cow<'a, str>> },
    Identify { traits: Option<JsonText<'a>> },
    Group { id: Cow<'a, str> },
}

/// The fields of a call that are read, each still JSON text.
#[derive(Default)]
struct Wire<'a> {
    kind: Option<JsonText<'a>>,
    message_id: Option<JsonText<'a>>,
    user_id: Option<JsonText<'a>>,
    anonymous_id: Option<JsonText<'a>>,
    previous_id: Option<JsonText<'a>>,
    event: Option<JsonText<'a>>,
    name: Option<JsonText<'a>>,
    group_id: Option<JsonText<'a>>,
    properties: Option<JsonText<'a>>,
    traits: Option<JsonText<'a>>,
    context: Option<JsonText<'a>>,
    timestamp: Option<JsonText<'a>>,
    received_at: Option<JsonText<'a>>,
}

/// The id of whom a call is, and the id under which they were met so far.
type Ids<'a> = (Cow<'a, str>, Option<Cow<'a, str>>);

const TYPES: &[&str] = &["track", "page", "screen", "identify", "group", "alias"];

impl<'a> Envelope<'a> {
    /// Reads a line. The error says, for a person, why it is no call.
    ///
    /// # Errors
    /// When the line is not JSON, or lacks what its type needs.
    pub fn parse(line: &'a [u8]) -> Result<Self, String> {
        let text = text_line(line)?;
        let mut wire = Wire::default();
        wire.read(text)?;
        let kind = text_of(wire.kind, "type")?
            .ok_or("`type` is missing: a line says whether it is `track`, `identify` …")?;
        let said = wire.said(&kind)?;
        let user = name_of(wire.user_id, "userId")?;
        let (customer, same_as) = wire.customer(&kind, user.clone())?;
        let timestamp =
            wire.timestamp.ok_or("`timestamp` is missing: events in files say when they happened")?;
        let at = decode::moment(timestamp).filter(|at| (EARLIEST..LATEST).contains(at)).ok_or_else(|| {
            let expected = "an instant of the years 1 to 9999 such as `2026-01-31T08:00:00Z`";
            format!("`timestamp` should be {expected}, found {}", found(timestamp))
        })?;
        let message_id = match name_of(wire.message_id, "messageId")? {
            Some(id) => id,
            None => Cow::Owned(fingerprint(text)),
        };
        let received_at = wire.received_at.and_then(decode::moment);
        Ok(Self {
            known: user.is_some(),
            customer,
            same_as,
            at,
            message_id,
            received_at,
            time_zone: time_zone(wire.context),
            said,
        })
    }

    /// Whether it is stamped after its arrival, or after the end, and so is not applied.
    #[must_use]
    pub fn is_ahead(&self, until: Option<Millis>) -> bool {
        is_ahead(self.at, self.received_at, until)
    }

    /// The same call, received at an instant, whatever it says itself.
    #[must_use]
    pub fn received(self, at: Millis) -> Self {
        Self { received_at: Some(at), ..self }
    }

    /// When it arrived; where that is not known, when it happened.
    #[must_use]
    pub fn arrival(&self) -> Millis {
        self.received_at.unwrap_or(self.at)
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
    /// Takes up the fields of a line.
    fn read(&mut self, text: &'a str) -> Result<(), String> {
        let mut reader = Reader::new(text);
        reader.open().map_err(|_| json_reason(text))?;
        while let Some((key, json)) = reader.member().map_err(|_| json_reason(text))? {
            let field = match &*key.name() {
                "type" => &mut self.kind,
                "messageId" => &mut self.message_id,
                "userId" => &mut self.user_id,
                "anonymousId" => &mut self.anonymous_id,
                "previousId" => &mut self.previous_id,
                "event" => &mut self.event,
                "name" => &mut self.name,
                "groupId" => &mut self.group_id,
                "properties" => &mut self.properties,
                "traits" => &mut self.traits,
                "context" => &mut self.context,
                "timestamp" => &mut self.timestamp,
                "receivedAt" => &mut self.received_at,
                _ => continue,
            };
            if field.replace(json).is_some() {
                return Err(format!("not a call: `{}` stands twice", key.name()));
            }
        }
        reader.end().map_err(|_| json_reason(text))?;
        Ok(())
    }

    /// Whose call it is, and under which id they were met so far.
    fn customer(&self, kind: &str, user: Option<Cow<'a, str>>) -> Result<Ids<'a>, String> {
        let Some(user) = user else {
            if kind == "alias" {
                return Err("`userId` is missing: an `alias` call says who somebody is".to_owned());
            }
            let anonymous = name_of(self.anonymous_id, "anonymousId")?;
            return match anonymous {
                Some(anonymous) => Ok((anonymous, None)),
                None => Err("`userId` and `anonymousId` are missing: nobody did this".to_owned()),
            };
        };
        let same_as = match kind {
            "identify" => name_of(self.anonymous_id, "anonymousId")?,
            "alias" => match name_of(self.previous_id, "previousId")? {
                None => Err("`previousId` is missing: an `alias` call says who somebody was so far")?,
                previous => previous,
            },
            _ => None,
        };
        let same_as = same_as.filter(|id| *id != user);
        Ok((user, same_as))
    }

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
            // It says who somebody is, and nothing of them.
            "alias" => Ok(Said::Identify { traits: None }),
            other => Err(format!("unknown type {}{}", quote(other), did_you_mean(other, TYPES))),
        }
    }
}

/// A line as text that starts like a JSON object; around it is what JSON calls space, and nothing else.
pub(super) fn text_line(line: &[u8]) -> Result<&str, String> {
    let text = std::str::from_utf8(line)
        .map_err(|error| format!("not UTF-8 text (byte {} of the line)", error.valid_up_to() + 1))?
        .trim_matches([' ', '\t', '\n', '\r']);
    if text.starts_with('{') {
        Ok(text)
    } else {
        Err(format!("not a JSON object: a line starts with `{{`, found {}", quote(text)))
    }
}

/// Why a text is not JSON, in the words of a parser that explains itself.
fn json_reason(text: &str) -> String {
    let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) else {
        return format!("not JSON: nested more than {MAX_DEPTH} deep");
    };
    // Without the line number, which would always be 1.
    let place = format!(" at line {} column {}", error.line(), error.column());
    let words = error.to_string();
    let words = words.strip_suffix(&place).unwrap_or(&words);
    format!("not JSON: {words} (column {})", error.column())
}

/// The text of a field; a JSON number is its own digits; absent, null and empty are none.
#[inline]
pub(crate) fn text_of<'a>(json: Option<JsonText<'a>>, field: &str) -> Result<Option<Cow<'a, str>>, String> {
    let Some(json) = json else { return Ok(None) };
    let text = match json.plain() {
        Some(text) => Cow::Borrowed(text),
        None => return odd_text(json, field),
    };
    Ok(if text.is_empty() { None } else { Some(text) })
}

/// As [`text_of`], of what is no string without escapes.
fn odd_text<'a>(json: JsonText<'a>, field: &str) -> Result<Option<Cow<'a, str>>, String> {
    match json.first() {
        b'"' => json.string().ok_or_else(|| format!("`{field}` is no valid text")).map(Some),
        b'-' | b'0'..=b'9' => Ok(Some(Cow::Borrowed(json.text()))),
        b'n' => Ok(None),
        _ => Err(format!("`{field}` should be text, found {}", found(json))),
    }
}

/// As [`text_of`], of bounded length.
#[inline]
pub(crate) fn name_of<'a>(json: Option<JsonText<'a>>, field: &str) -> Result<Option<Cow<'a, str>>, String> {
    let text = text_of(json, field)?;
    match &text {
        Some(name) if name.len() > MAX_NAME_BYTES => Err(too_long(name, field)),
        Some(_) | None => Ok(text),
    }
}

#[cold]
fn too_long(name: &str, field: &str) -> String {
    format!("`{field}` has {} bytes, at most {MAX_NAME_BYTES} are taken", name.len())
}

fn object<'a>(json: Option<JsonText<'a>>, field: &str) -> Result<Option<JsonText<'a>>, String> {
    match json {
        None => Ok(None),
        Some(json) if json.first() == b'{' => Ok(Some(json)),
        Some(json) => Err(format!("`{field}` should be an object, found {}", found(json))),
    }
}

/// What JSON is there, in words.
fn found(json: JsonText<'_>) -> String {
    match json.first() {
        b'[' => "a list".to_owned(),
        b'{' => "an object".to_owned(),
        _ => quote(json.text()),
    }
}

/// `context.timezone`; a context that is absent or odd has none.
fn time_zone(context: Option<JsonText<'_>>) -> Option<Cow<'_, str>> {
    // Contexts are long and mostly without a zone; a search is cheaper than walking them.
    let context = context.filter(|context| context.text().contains("\"timezone\""))?;
    text_of(context.member("timezone"), "timezone").ok().flatten()
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
        assert_eq!(
            (event, properties.map(JsonText::text), name),
            ("Kjøp \"nå\"", Some(r#"{"a":[1]}"#), None)
        );
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
        assert!(
            matches!(envelope.incoming().call, Call::Identify { traits: Some(_) })
                && envelope.same_as.is_none()
        );
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
            ("\u{a0}{}", "not a JSON object: a line starts with `{`, found ` {}`"),
            (r#"{"type":"track""#, "not JSON: EOF while parsing an object (column 15)"),
            (r#"{"type":"track","type":"page"}"#, "not a call: `type` stands twice"),
            (r#"{"type":"track","userId":"a","\u0075serId":"b"}"#, "not a call: `userId` stands twice"),
            (r#"{"type":"trak"}"#, "unknown type `trak` (did you mean `track`?)"),
            (r#"{"type":"alias"}"#, "`userId` is missing: an `alias` call says who somebody is"),
            (
                r#"{"type":"alias","userId":"a","anonymousId":"x"}"#,
                "`previousId` is missing: an `alias` call says who somebody was so far",
            ),
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
                "`timestamp` should be an instant of the years 1 to 9999 such as `2026-01-31T08:00:00Z`, found `\"yesterday\"`",
            ),
            (
                r#"{"type":"identify","userId":"a","timestamp":"9999-12-31T00:00:00Z"}"#,
                "`timestamp` should be an instant of the years 1 to 9999 such as `2026-01-31T08:00:00Z`, found `\"9999-12-31T00:00:00Z\"`",
            ),
            (
                r#"{"type":"identify","userId":"a","timestamp":"0000-12-31T00:00:00Z"}"#,
                "`timestamp` should be an instant of the years 1 to 9999 such as `2026-01-31T08:00:00Z`, found `\"0000-12-31T00:00:00Z\"`",
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
