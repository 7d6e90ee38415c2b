//! Events as PostHog's trackers send them, as Segment-spec calls.
//!
//! | PostHog | here |
//! | --- | --- |
//! | `distinct_id` | `userId`; `anonymousId` where the event says that it is not identified, or is the device's |
//! | `uuid` | `messageId` |
//! | `$identify` with `$anon_distinct_id` | `identify` with both ids |
//! | `$set`, as an event or within any other | `identify` with these traits |
//! | `$create_alias`, `$merge_dangerously` | `alias` |
//! | `$pageview`, `$screen` | `page`, `screen`, with the usual names of their properties beside PostHog's |
//! | `$timezone` | `context.timezone` |
//! | everything else | `track` |
//!
//! What has no meaning here is rejected where it is all that an event says (`$set_once`, `$unset`, `$groupidentify`:
//! a trait is what was said last, and groups are no customers), and left out where it comes along with another event.

use super::{Happened, Line, Post, Posted, Unreadable, Writer, filled};
use segue_compiler::{decode::moment, json::JsonText, value::Millis};

/// Properties that are said elsewhere in the call, or are secrets.
const SAID: [&str; 6] = ["token", "distinct_id", "$set", "$set_once", "$timezone", "$unset"];
/// What trackers of pages call what PostHog has under names of its own.
const PAGE: [(&str, &str); 4] =
    [("url", "$current_url"), ("path", "$pathname"), ("referrer", "$referrer"), ("title", "$title")];

/// Reads a body as far as to know its events.
pub(super) fn read(json: JsonText<'_>) -> Result<Posted<'_>, Unreadable> {
    let form = super::Form::PostHog;
    if let Some(events) = json.items() {
        let events: Vec<_> = events.collect();
        let write_key = events.first().and_then(|event| token(*event)).and_then(JsonText::string);
        return Ok(Posted { write_key, sent_at: None, context: None, events, form });
    }
    if json.first() != b'{' {
        let words = "the body should be an event, a list of events, or an object with them as `batch`";
        return Err(Unreadable::Form(words));
    }
    let events = match json.member("batch") {
        Some(batch) => batch.items().ok_or(Unreadable::Form("`batch` should be a list of events"))?.collect(),
        None => vec![json],
    };
    Ok(Posted {
        write_key: token(json).and_then(JsonText::string),
        sent_at: json.member("sent_at").and_then(moment),
        context: None,
        events,
        form,
    })
}

/// The key of a project, wherever it stands.
fn token(json: JsonText<'_>) -> Option<JsonText<'_>> {
    let within = || json.member("properties").and_then(|properties| properties.member("token"));
    json.member("api_key").or_else(|| json.member("token")).or_else(within)
}

/// An event, read.
struct Event<'a> {
    name: JsonText<'a>,
    id: JsonText<'a>,
    properties: Option<JsonText<'a>>,
    set: Option<JsonText<'a>>,
    time_zone: Option<JsonText<'a>>,
    message_id: String,
    at: Result<Happened, JsonText<'a>>,
    received_at: Millis,
}

/// An event as lines: what it says of a customer, then what they did.
pub(super) fn lines(event: JsonText<'_>, post: &Post<'_>) -> Result<Vec<Line>, String> {
    let event = Event::read(event, post)?;
    let name = event.name.string().ok_or("`event` should be text")?;
    match &*name {
        "$identify" => Ok(vec![event.identify(event.property("$anon_distinct_id"), "")]),
        "$set" if event.set.is_some() => Ok(vec![event.identify(None, "")]),
        "$set" => Err("`$set` is missing: an event of this name says traits".to_owned()),
        "$create_alias" => {
            let other = event.property("alias").ok_or("`alias` is missing: it says who somebody is")?;
            Ok(vec![event.alias(other, event.property("distinct_id").unwrap_or(event.id))])
        }
        "$merge_dangerously" => {
            let other =
                event.property("alias").ok_or("`alias` is missing: it says who somebody was so far")?;
            Ok(vec![event.alias(event.id, other)])
        }
        "$set_once" | "$unset" => {
            Err(format!("`{name}` is not taken: a trait is what was said last; say it with `$set`"))
        }
        "$groupidentify" => {
            Err("`$groupidentify` is not taken: it tells of a group, not of a customer".to_owned())
        }
        name => {
            let mut lines = Vec::with_capacity(1);
            if event.set.is_some_and(|set| set.text() != "{}") {
                lines.push(event.identify(None, ":set"));
            }
            lines.push(event.done(name));
            Ok(lines)
        }
    }
}

impl<'a> Event<'a> {
    fn read(event: JsonText<'a>, post: &Post<'_>) -> Result<Self, String> {
        if event.first() != b'{' {
            return Err("an event should be a JSON object".to_owned());
        }
        let member = |name: &str| event.member(name).filter(|it| filled(*it));
        let properties = member("properties");
        if properties.is_some_and(|it| it.first() != b'{') {
            return Err("`properties` should be an object".to_owned());
        }
        let property = |name: &str| properties.and_then(|it| it.member(name)).filter(|it| filled(*it));
        let stamped = member("timestamp").or_else(|| property("$time"));
        let offset = member("offset").filter(|it| it.is_number()).and_then(moment);
        let at = match (stamped, offset) {
            (Some(json), _) => moment(json).map(|at| post.corrected(at, None)).ok_or(json),
            (None, ago) => Ok(Happened::BeforeArrival(ago.unwrap_or(0))),
        };
        let message_id = match member("uuid").or_else(|| property("$insert_id")).and_then(JsonText::string) {
            Some(id) => id.into_owned(),
            None => post.message_id(event, stamped.is_some()),
        };
        Ok(Self {
            name: member("event").ok_or("`event` is missing: it says what happened")?,
            id: member("distinct_id")
                .or_else(|| property("distinct_id"))
                .ok_or("`distinct_id` is missing: nobody did this")?,
            properties,
            set: member("$set").or_else(|| property("$set")),
            time_zone: property("$timezone"),
            message_id,
            at,
            received_at: post.arrival.received_at,
        })
    }

    fn property(&self, name: &str) -> Option<JsonText<'a>> {
        self.properties?.member(name).filter(|it| filled(*it))
    }

    /// Whether the id is a person's and not that of a device.
    fn is_known(&self) -> bool {
        let no = |name| self.property(name).and_then(JsonText::boolean) == Some(false);
        let device = self.property("$device_id").is_some_and(|device| device == self.id);
        !(device || no("$is_identified") || no("$process_person_profile"))
    }

    fn begin(&self, kind: &str, suffix: &str) -> Writer {
        let mut line = Writer::new(self.properties.map_or(0, |it| it.text().len()) + 128);
        line.text("type", kind);
        line.text("messageId", &format!("{}{suffix}", self.message_id));
        match self.at {
            Ok(happened) => line.timestamp(happened, self.received_at),
            Err(json) => line.json("timestamp", json),
        }
        line
    }

    fn end(&self, mut line: Writer) -> Line {
        if let Some(zone) = self.time_zone {
            line.object("context", |context| context.json("timezone", zone));
        }
        line.line(self.at.ok().map(|happened| happened.of(self.received_at)))
    }

    fn identify(&self, anonymous: Option<JsonText<'a>>, suffix: &str) -> Line {
        let mut line = self.begin("identify", suffix);
        let is_known = anonymous.is_some() || self.is_known() || self.name.text() == "\"$identify\"";
        line.json(if is_known { "userId" } else { "anonymousId" }, self.id);
        if let Some(anonymous) = anonymous {
            line.json("anonymousId", anonymous);
        }
        if let Some(set) = self.set {
            line.json("traits", set);
        }
        self.end(line)
    }

    fn alias(&self, user: JsonText<'a>, previous: JsonText<'a>) -> Line {
        let mut line = self.begin("alias", "");
        line.json("userId", user);
        line.json("previousId", previous);
        self.end(line)
    }

    /// Something that was done.
    fn done(&self, name: &str) -> Line {
        let (kind, title) = match name {
            "$pageview" => ("page", self.property("$title").or_else(|| self.property("title"))),
            "$screen" => ("screen", self.property("$screen_name")),
            _ => ("track", None),
        };
        let mut line = self.begin(kind, "");
        line.json(if self.is_known() { "userId" } else { "anonymousId" }, self.id);
        if kind == "track" {
            line.json("event", self.name);
        }
        if let Some(title) = title {
            line.json("name", title);
        }
        line.object("properties", |to| self.write_properties(kind, to));
        self.end(line)
    }

    fn write_properties(&self, kind: &str, to: &mut Writer) {
        for (key, value) in self.properties.and_then(JsonText::members).into_iter().flatten() {
            if !SAID.iter().any(|name| key.is(name)) {
                to.json(key.plain(), value);
            }
        }
        for (name, theirs) in PAGE.iter().filter(|_| kind == "page") {
            if let (None, Some(value)) = (self.property(name), self.property(theirs)) {
                to.json(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;

    const BOUNDS: Bounds = Bounds { event_bytes: 32 << 10, batch_bytes: 500 << 10, batch_events: 2_500 };
    const ARRIVAL: Arrival = Arrival { received_at: 1_767_607_200_000, request: 1 };

    /// The lines of one event, without its id and time, or why it is rejected.
    fn lines(event: &str) -> Vec<String> {
        let event = event.replacen('{', r#"{"uuid":"u","timestamp":"2026-01-05T09:00:00+00:00","#, 1);
        let body = format!(r#"{{"batch":[{event}],"api_key":"k","sent_at":"2026-01-05T09:00:00Z"}}"#);
        let posted = Posted::read(Form::PostHog, body.as_bytes(), &BOUNDS).unwrap();
        assert_eq!(posted.write_key.as_deref(), Some("k"));
        let calls = posted.calls(ARRIVAL, &BOUNDS);
        let common = r#","messageId":"u","timestamp":"2026-01-05T10:00:00.000Z""#;
        let lines = calls.calls.iter().map(|call| call.line().replace(common, ""));
        lines.chain(calls.rejected.into_iter().map(|it| it.reason)).collect()
    }

    #[test]
    fn events_are_calls() {
        for (event, expected) in [
            (
                r#"{"event":"Product Added","distinct_id":"ada","properties":{"name":"Boots","$lib":"x","token":"k"}}"#,
                r#"{"type":"track","userId":"ada","event":"Product Added","properties":{"name":"Boots","$lib":"x"}}"#,
            ),
            (
                r#"{"event":"A","properties":{"distinct_id":"d1","$device_id":"d1","$timezone":"Europe/Oslo"}}"#,
                r#"{"type":"track","anonymousId":"d1","event":"A","properties":{"$device_id":"d1"},"context":{"timezone":"Europe/Oslo"}}"#,
            ),
            (
                r#"{"event":"A","distinct_id":"d1","properties":{"$is_identified":false}}"#,
                r#"{"type":"track","anonymousId":"d1","event":"A","properties":{"$is_identified":false}}"#,
            ),
            (
                r#"{"event":"$identify","distinct_id":"ada","properties":{"$anon_distinct_id":"d1"},"$set":{"plan":"pro"}}"#,
                r#"{"type":"identify","userId":"ada","anonymousId":"d1","traits":{"plan":"pro"}}"#,
            ),
            (
                r#"{"event":"$set","distinct_id":"ada","$set":{"plan":"pro"},"properties":{}}"#,
                r#"{"type":"identify","userId":"ada","traits":{"plan":"pro"}}"#,
            ),
            (
                r#"{"event":"$create_alias","distinct_id":"d1","properties":{"distinct_id":"d1","alias":"ada"}}"#,
                r#"{"type":"alias","userId":"ada","previousId":"d1"}"#,
            ),
            (
                r#"{"event":"$merge_dangerously","distinct_id":"ada","properties":{"alias":"d1"}}"#,
                r#"{"type":"alias","userId":"ada","previousId":"d1"}"#,
            ),
            (
                r#"{"event":"$pageview","distinct_id":"ada","properties":{"$current_url":"https://x/y","$pathname":"/y","title":"Y"}}"#,
                r#"{"type":"page","userId":"ada","name":"Y","properties":{"$current_url":"https://x/y","$pathname":"/y","title":"Y","url":"https://x/y","path":"/y"}}"#,
            ),
            (
                r#"{"event":"$screen","distinct_id":"ada","properties":{"$screen_name":"Cart"}}"#,
                r#"{"type":"screen","userId":"ada","name":"Cart","properties":{"$screen_name":"Cart"}}"#,
            ),
        ] {
            assert_eq!(lines(event), [expected], "{event}");
        }
    }

    #[test]
    fn traits_within_an_event_are_a_call_of_their_own() {
        let event = r#"{"event":"A","distinct_id":"ada","properties":{"x":1,"$set":{"plan":"pro"},"$set_once":{"y":1}}}"#;
        let [identify, track] = &lines(event)[..] else { panic!("two calls") };
        assert!(
            identify.contains(r#""messageId":"u:set""#) && identify.ends_with(r#""traits":{"plan":"pro"}}"#)
        );
        assert_eq!(track, r#"{"type":"track","userId":"ada","event":"A","properties":{"x":1}}"#);
    }

    #[test]
    fn what_has_no_meaning_is_rejected() {
        for (event, reason) in [
            (
                r#"{"event":"$set_once","distinct_id":"ada","$set_once":{"a":1}}"#,
                "`$set_once` is not taken: a trait is what was said last; say it with `$set`",
            ),
            (
                r#"{"event":"$groupidentify","distinct_id":"x","properties":{}}"#,
                "`$groupidentify` is not taken: it tells of a group, not of a customer",
            ),
            (r#"{"distinct_id":"ada"}"#, "`event` is missing: it says what happened"),
            (r#"{"event":"A"}"#, "`distinct_id` is missing: nobody did this"),
            (r#"{"event":"$create_alias","distinct_id":"a"}"#, "`alias` is missing: it says who somebody is"),
            (r#"{"event":"A","distinct_id":{}}"#, "`userId` should be text, found an object"),
            (r#"{"event":"A","distinct_id":"a","properties":[]}"#, "`properties` should be an object"),
        ] {
            assert_eq!(lines(event), [reason], "{event}");
        }
    }

    #[test]
    fn one_event_and_lists_are_taken() {
        for body in [
            r#"{"event":"A","distinct_id":"ada","api_key":"k","offset":1000}"#,
            r#"[{"event":"A","properties":{"distinct_id":"ada","token":"k"},"offset":1000}]"#,
        ] {
            let posted = Posted::read(Form::PostHog, body.as_bytes(), &BOUNDS).unwrap();
            assert_eq!(posted.write_key.as_deref(), Some("k"));
            let calls = posted.calls(ARRIVAL, &BOUNDS);
            assert!(calls.calls[0].line().contains(r#""timestamp":"2026-01-05T09:59:59.000Z""#), "{calls:?}");
        }
    }
}
