//! Calls as Segment's trackers send them, and RudderStack's, which say the same in a few other places:
//! `originalTimestamp` for `timestamp`, and the traits of an `identify` within its `context`.

use super::{Form, Happened, Kind, Line, Post, Posted, Unreadable, Writer, filled};
use segue_compiler::{
    decode::moment,
    json::{JsonText, Key},
};

/// Members that end with the transport: secrets, times of sending, and what only the client's queue is about.
const TRANSPORT: [&str; 7] =
    ["writeKey", "timestamp", "originalTimestamp", "sentAt", "receivedAt", "messageId", "_metadata"];

/// Reads a body as far as to know its events.
pub(super) fn read(form: Form, json: JsonText<'_>) -> Result<Posted<'_>, Unreadable> {
    if json.first() != b'{' {
        return Err(Unreadable::Form("the body should be a JSON object"));
    }
    let (mut batch, mut write_key, mut sent_at, mut context) = (None, None, None, None);
    // Once through all of it: it is as long as the whole body.
    for (key, value) in json.members().into_iter().flatten() {
        match &*key.name() {
            "batch" => batch = Some(value),
            "writeKey" => write_key = Some(value),
            "sentAt" => sent_at = Some(value),
            "context" => context = Some(value),
            _ => {}
        }
    }
    let events = if form == Form::Batch {
        let batch = batch.and_then(JsonText::items);
        batch.ok_or(Unreadable::Form("the body should have the calls as a list `batch`"))?.collect()
    } else {
        vec![json]
    };
    Ok(Posted {
        write_key: write_key.and_then(JsonText::string),
        sent_at: sent_at.and_then(moment),
        context: context.filter(|_| form == Form::Batch),
        events,
        form,
    })
}

/// What of a call is read before it is written.
#[derive(Default)]
struct Seen<'a> {
    kind: Option<JsonText<'a>>,
    message_id: Option<JsonText<'a>>,
    timestamp: Option<JsonText<'a>>,
    original: Option<JsonText<'a>>,
    sent_at: Option<JsonText<'a>>,
    traits: Option<JsonText<'a>>,
    context: Option<JsonText<'a>>,
}

/// A call as a line. `kind` is the type that its path says, which then holds.
pub(super) fn line(event: JsonText<'_>, kind: Option<Kind>, post: &Post<'_>) -> Result<Line, String> {
    let mut seen = Seen::default();
    let members: Vec<(Key<'_>, JsonText<'_>)> =
        event.members().ok_or("a call should be a JSON object")?.collect();
    for (key, value) in &members {
        let value = *value;
        match &*key.name() {
            "type" => seen.kind = Some(value),
            "messageId" => seen.message_id = Some(value).filter(|id| filled(*id)),
            "timestamp" => seen.timestamp = Some(value).filter(|at| filled(*at)),
            "originalTimestamp" => seen.original = Some(value).filter(|at| filled(*at)),
            "sentAt" => seen.sent_at = Some(value),
            "traits" => seen.traits = Some(value),
            "context" => seen.context = Some(value).filter(|context| !context.is_null()),
            _ => {}
        }
    }
    let mut line = Writer::new(event.text().len());
    match (kind, seen.kind) {
        (Some(kind), _) => line.text("type", kind.name()),
        (None, Some(kind)) => line.json("type", kind),
        (None, None) => {}
    }
    let stamped = seen.timestamp.or(seen.original);
    match seen.message_id {
        Some(id) => line.json("messageId", id),
        None => line.text("messageId", &post.message_id(event, stamped.is_some())),
    }
    let at = match stamped.map(|json| (json, moment(json))) {
        None => {
            line.timestamp(Happened::BeforeArrival(0), post.arrival.received_at);
            Some(post.arrival.received_at)
        }
        Some((_, Some(at))) => {
            let happened = post.corrected(at, seen.sent_at.and_then(moment));
            line.timestamp(happened, post.arrival.received_at);
            let corrected = happened.of(post.arrival.received_at);
            if corrected != at {
                line.instant("originalTimestamp", at);
            }
            Some(corrected)
        }
        Some((json, None)) => {
            // Whoever reads the line says what is wrong with it.
            line.json("timestamp", json);
            None
        }
    };
    for (key, value) in &members {
        let is_written = key.is("type") || TRANSPORT.iter().any(|name| key.is(name));
        if !is_written && !value.is_null() {
            line.json(key.plain(), *value);
        }
    }
    if let (None, Some(context)) = (seen.context, post.context.filter(|it| it.first() == b'{')) {
        line.json("context", context);
    }
    let traits = seen.context.and_then(|context| context.member("traits"));
    let is_identify =
        kind == Some(Kind::Identify) || seen.kind.is_some_and(|kind| kind.text() == "\"identify\"");
    if let (true, None, Some(traits)) = (is_identify, seen.traits.filter(|it| !it.is_null()), traits) {
        line.json("traits", traits);
    }
    Ok(line.line(at))
}

#[cfg(test)]
mod tests {
    use super::super::*;

    const BOUNDS: Bounds = Bounds { event_bytes: 32 << 10, batch_bytes: 500 << 10, batch_events: 2_500 };
    /// 2026-01-05T10:00:00Z.
    const NOON: Millis = 1_767_607_200_000;
    const ARRIVAL: Arrival = Arrival { received_at: NOON, request: 1 };

    fn calls(form: Form, body: &str) -> Calls {
        Posted::read(form, body.as_bytes(), &BOUNDS).unwrap().calls(ARRIVAL, &BOUNDS)
    }

    fn one(form: Form, body: &str) -> String {
        let mut calls = calls(form, body);
        assert_eq!((calls.accepted, &calls.rejected), (1, &Vec::new()), "{body}");
        calls.calls.remove(0).line().to_owned()
    }

    #[test]
    fn a_call_keeps_what_it_says() {
        let body = r#"{ "userId": "ada", "anonymousId": null, "event": "Product Added", "writeKey": "secret",
            "properties": {"name": "Boots", "price": 120.50}, "messageId": "m1", "channel": "server",
            "context": {"timezone": "Europe/Oslo"}, "timestamp": "2026-01-05T10:59:00+01:00", "_metadata": {} }"#;
        assert_eq!(
            one(Form::Call(Kind::Track), body),
            r#"{"type":"track","messageId":"m1","timestamp":"2026-01-05T09:59:00.000Z","userId":"ada","#
                .to_owned()
                + r#""event":"Product Added","properties":{"name":"Boots","price":120.50},"channel":"server","#
                + r#""context":{"timezone":"Europe/Oslo"}}"#
        );
    }

    #[test]
    fn the_path_says_the_type() {
        let body = r#"{"type":"page","userId":"ada","event":"A","messageId":"m","timestamp":"2026-01-05"}"#;
        assert!(one(Form::Call(Kind::Track), body).starts_with(r#"{"type":"track","#));
        assert!(one(Form::Batch, &format!(r#"{{"batch":[{body}]}}"#)).starts_with(r#"{"type":"page","#));
    }

    #[test]
    fn clocks_of_clients_are_corrected() {
        // The client's clock is a day behind; it sent the event ten seconds after it happened.
        let event = r#"{"type":"track","event":"A","userId":"ada","messageId":"m","timestamp":"2026-01-04T09:00:00Z"}"#;
        let body = format!(r#"{{"batch":[{event}],"sentAt":"2026-01-04T09:00:10.000Z"}}"#);
        assert!(one(Form::Batch, &body).contains(
            r#""timestamp":"2026-01-05T09:59:50.000Z","originalTimestamp":"2026-01-04T09:00:00.000Z""#
        ));
        // An event's own time of sending comes first; RudderStack's name for the time is taken, too.
        let rudder = event.replace("timestamp", "originalTimestamp");
        let body = rudder.replace("\"messageId\"", "\"sentAt\":\"2026-01-04T09:00:01Z\",\"messageId\"");
        let body = format!(r#"{{"batch":[{body}],"sentAt":"2026-01-04T09:00:10.000Z"}}"#);
        assert!(one(Form::Batch, &body).contains(r#""timestamp":"2026-01-05T09:59:59.000Z","#));
        // Without one, the clock is taken as right; an odd one is none.
        let body = format!(r#"{{"batch":[{event}],"sentAt":"now"}}"#);
        assert!(
            one(Form::Batch, &body)
                .contains(r#""timestamp":"2026-01-04T09:00:00.000Z","userId"#.get(..39).unwrap())
        );
    }

    #[test]
    fn what_is_told_from_the_arrival_is_put_right_when_it_is_written() {
        let arrived = |form, body: &str| {
            let mut call = calls(form, body).calls.remove(0);
            call.arrived(NOON + 12);
            call.line().to_owned()
        };
        let event =
            r#"{"type":"track","event":"A","userId":"ada","messageId":"m","properties":{"timestamp":"x"}}"#;
        let line = arrived(Form::Call(Kind::Track), event);
        assert!(line.contains(r#""timestamp":"2026-01-05T10:00:00.012Z","#), "{line}");
        let said = event.replacen('{', r#"{"timestamp":"2026-01-04T09:00:00Z","#, 1);
        let sent = format!(r#"{{"batch":[{said}],"sentAt":"2026-01-04T09:00:10.000Z"}}"#);
        let line = arrived(Form::Batch, &sent);
        assert!(line.contains(r#""timestamp":"2026-01-05T09:59:50.012Z","originalTimestamp":"#), "{line}");
        // What a client says without saying when it sent it stays.
        let line = arrived(Form::Call(Kind::Track), &said);
        assert!(line.contains(r#""timestamp":"2026-01-04T09:00:00.000Z","#), "{line}");
        let line = arrived(Form::PostHog, r#"{"event":"A","distinct_id":"ada","offset":1000}"#);
        assert!(line.contains(r#""timestamp":"2026-01-05T09:59:59.012Z","#), "{line}");
    }

    #[test]
    fn what_is_missing_is_filled_in() {
        let dated = r#"{"event":"A","userId":"ada","timestamp":"2026-01-05"}"#;
        assert_eq!(one(Form::Call(Kind::Track), dated), one(Form::Call(Kind::Track), dated));
        let bare = r#"{"event":"A","userId":"ada","messageId":""}"#;
        let line = one(Form::Call(Kind::Track), bare);
        assert!(line.contains(r#""timestamp":"2026-01-05T10:00:00.000Z","#), "{line}");
        // Twice in one batch is twice, and so is twice in one millisecond.
        let both = calls(
            Form::Batch,
            &format!(r#"{{"batch":[{0},{0}]}}"#, bare.replace('{', r#"{"type":"track","#)),
        );
        assert_ne!(both.calls[0], both.calls[1]);
        let posted = Posted::read(Form::Call(Kind::Track), bare.as_bytes(), &BOUNDS).unwrap();
        let again = posted.calls(Arrival { request: 2, ..ARRIVAL }, &BOUNDS);
        assert_ne!(again.calls[0].line(), line);
    }

    #[test]
    fn traits_of_rudderstack_are_found() {
        let body =
            r#"{"userId":"ada","context":{"traits":{"a":1}},"messageId":"m","timestamp":"2026-01-05"}"#;
        assert!(one(Form::Call(Kind::Identify), body).ends_with(r#","traits":{"a":1}}"#));
        assert!(!one(Form::Call(Kind::Page), body).ends_with(r#","traits":{"a":1}}"#));
        let both = body.replace("\"messageId\"", "\"traits\":{\"b\":2},\"messageId\"");
        assert!(!one(Form::Call(Kind::Identify), &both).contains(r#""traits":{"a":1}}}"#.get(1..).unwrap()));
    }

    #[test]
    fn the_context_of_a_batch_is_that_of_its_calls() {
        let body = r#"{"context":{"timezone":"Asia/Tokyo"},"batch":[
            {"type":"track","event":"A","userId":"a","context":{"x":1}},{"type":"track","event":"A","userId":"a"}]}"#;
        let lines = calls(Form::Batch, body).calls;
        assert!(
            lines[0].line().ends_with(r#""context":{"x":1}}"#)
                && lines[1].line().ends_with(r#""timezone":"Asia/Tokyo"}}"#)
        );
    }

    #[test]
    fn each_rejected_event_has_its_reason() {
        let long = "x".repeat(32 << 10);
        let body = format!(
            r#"{{"batch":[
            {{"type":"track","event":"A","userId":"ada","messageId":"m0"}},
            7,
            {{"type":"trak","userId":"ada","messageId":"m2"}},
            {{"type":"track","userId":"ada","messageId":"m3"}},
            {{"event":"A","userId":"ada","messageId":4}},
            {{"type":"track","event":"A","messageId":"m5","timestamp":"2026-01-05"}},
            {{"type":"track","event":"A","userId":"ada","timestamp":"yesterday"}},
            {{"type":"track","event":"A","userId":"ada","messageId":"m7","timestamp":"2026-01-05T10:06:00Z"}},
            {{"type":"track","event":"A","userId":"ada","messageId":"m8","properties":{{"x":"{long}"}}}},
            {{"type":"track","event":"A","event":"B","userId":"ada","messageId":"m9"}}]}}"#
        );
        let calls = calls(Form::Batch, &body);
        let shown: Vec<String> = calls
            .rejected
            .iter()
            .map(|it| format!("{} {}: {}", it.index, it.message_id.as_deref().unwrap_or("-"), it.reason))
            .collect();
        assert_eq!(calls.accepted, 1);
        assert_eq!(
            shown,
            [
                "1 -: a call should be a JSON object",
                "2 m2: unknown type `trak` (did you mean `track`?)",
                "3 m3: `event` is missing: a `track` call names its event",
                "4 4: `type` is missing: a line says whether it is `track`, `identify` …",
                "5 m5: `userId` and `anonymousId` are missing: nobody did this",
                "6 -: `timestamp` should be an instant of the years 1 to 9999 such as `2026-01-31T08:00:00Z`, \
                    found `\"yesterday\"`",
                "7 m7: `timestamp` lies more than 5 minutes after the event's arrival",
                "8 m8: the event has 32,850 bytes, at most 32,768 are taken",
                "9 m9: not a call: `event` stands twice",
            ]
        );
    }

    #[test]
    fn bodies_that_are_none_say_why() {
        let tight = Bounds { batch_events: 1, batch_bytes: 100, ..BOUNDS };
        let long = format!(r#"{{"batch":[{}]}}"#, " ".repeat(100));
        for (form, body, words) in [
            (
                Form::Batch,
                "{\"batch\":[1,2]}",
                "the batch has 2 events, at most 1 are taken; send smaller batches",
            ),
            (Form::Batch, &*long, "the body has more than 100 bytes (unpacked); send smaller batches"),
            (Form::Batch, "{}", "the body should have the calls as a list `batch`"),
            (Form::Batch, "{\"batch\":{}}", "the body should have the calls as a list `batch`"),
            (Form::Call(Kind::Track), "[]", "the body should be a JSON object"),
            (Form::Call(Kind::Track), "", "the body is not JSON, or nested more than 127 deep (byte 1)"),
            (Form::PostHog, "{\"batch\":7}", "`batch` should be a list of events"),
            (
                Form::PostHog,
                "7",
                "the body should be an event, a list of events, or an object with them as `batch`",
            ),
        ] {
            assert_eq!(Posted::read(form, body.as_bytes(), &tight).unwrap_err().to_string(), words, "{body}");
        }
        assert_eq!(Posted::read(Form::Batch, b"{\xff", &BOUNDS).unwrap_err(), Unreadable::NotText(2));
    }
}
