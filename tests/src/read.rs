//! Segment-spec calls as executors take them.

use segue_compiler::{
    event::{Call, Incoming},
    json::JsonText,
    time,
    value::Millis,
};
use serde_json::Value;

/// A call with everything that [`Incoming`] borrows.
pub struct Read {
    pub(crate) customer: String,
    /// Whether the customer is named by `userId`.
    pub(crate) known: bool,
    /// The anonymous id that is said to be the same person's.
    pub(crate) same_as: Option<String>,
    message_id: String,
    pub(crate) at: Millis,
    pub(crate) received_at: Option<Millis>,
    time_zone: Option<String>,
    kind: String,
    event: String,
    payload: Option<String>,
    group: String,
}

impl Read {
    /// Reads a call; `None` when it has no time.
    #[must_use]
    pub fn of(call: &Value) -> Option<Self> {
        let text = |name: &str| call.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let instant = |name: &str| match call.get(name)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => time::parse_instant(text),
            _ => None,
        };
        let kind = text("type");
        let known = !text("userId").is_empty();
        let same_as = match kind.as_str() {
            "identify" if known => Some(text("anonymousId")),
            "alias" => Some(text("previousId")),
            _ => None,
        };
        let payload = call.get(if kind == "identify" { "traits" } else { "properties" });
        Some(Self {
            customer: if known { text("userId") } else { text("anonymousId") },
            known,
            same_as: same_as.filter(|id| !id.is_empty()),
            message_id: if text("messageId").is_empty() { call.to_string() } else { text("messageId") },
            at: instant("timestamp")?,
            received_at: instant("receivedAt"),
            time_zone: call.pointer("/context/timezone").and_then(Value::as_str).map(str::to_owned),
            event: text("event"),
            payload: payload.map(Value::to_string),
            group: text("groupId"),
            kind,
        })
    }

    /// The call as executors take it.
    #[must_use]
    pub fn incoming(&self) -> Incoming<'_> {
        let payload = self.payload.as_deref().and_then(|payload| JsonText::parse(payload).ok());
        let call = match self.kind.as_str() {
            "identify" => Call::Identify { traits: payload },
            "alias" => Call::Identify { traits: None },
            "group" => Call::Group { id: &self.group },
            _ => Call::Track { event: &self.event, properties: payload, name: None },
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
