//! Bodies of requests to calls of trackers: pure functions, without a clock and without I/O.
//!
//! [`body`] takes what came over the wire to text, [`Posted::read`] reads that as far as to know whose write key it came
//! with, and [`Posted::calls`] gives each event as one line for the log, or the reason why it is none. [`segment`] holds
//! what Segment and RudderStack send, [`posthog`] what PostHog sends, and [`settings`] what browsers ask for before they
//! send anything.
//!
//! A line is a Segment-spec call as event files have it: JSON without space, with `type`, `messageId` and `timestamp`.
//! Everything else stands as the client wrote it, but for what belongs to the transport: keys, and the times at which
//! it was sent.

pub mod body;
pub mod key;
mod line;
pub mod posthog;
pub mod segment;
pub mod settings;

use crate::intake::{Call, Told};
use line::Writer;
use segue_compiler::{
    admission::is_ahead,
    json::{JsonText, MAX_DEPTH},
    value::Millis,
};
use segue_runtime::{
    limits::MAX_NAME_BYTES,
    words::{shown, thousands},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// What a path takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One call of this type.
    Call(Kind),
    /// Calls of all types, each of which says its own.
    Batch,
    /// Events of PostHog: a batch, a list or one.
    PostHog,
}

/// The type of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something was done.
    Track,
    /// A page was seen.
    Page,
    /// A screen of an app was seen.
    Screen,
    /// Who somebody is, and what is known of them.
    Identify,
    /// What somebody belongs to.
    Group,
    /// Two ids are one person.
    Alias,
}

impl Kind {
    /// As `type` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Track => "track",
            Self::Page => "page",
            Self::Screen => "screen",
            Self::Identify => "identify",
            Self::Group => "group",
            Self::Alias => "alias",
        }
    }
}

/// How much is taken; settings of the service.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most bytes of one event.
    pub event_bytes: usize,
    /// Most bytes of a body, after it is unpacked.
    pub batch_bytes: usize,
    /// Most events of a body.
    pub batch_events: usize,
}

/// When a request came, and which it was: together they differ for any two requests of a service's life.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// When.
    pub received_at: Millis,
    /// The request's number since the service came up.
    pub request: u64,
}

/// A body that cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// It is packed in a way that is not taken.
    #[error("`Content-Encoding: {0}` is not taken, only gzip")]
    Encoding(String),
    /// It says that it is gzip, and is not.
    #[error("the body is no complete gzip stream")]
    Packed,
    /// It is longer than is taken.
    #[error("the body has more than {} bytes (unpacked); send smaller batches", thousands(*.0 as u64))]
    TooLong(usize),
    /// It holds more events than are taken.
    #[error("the batch has {} events, at most {} are taken; send smaller batches", thousands(*.0 as u64), thousands(*.1 as u64))]
    TooMany(usize, usize),
    /// It is no text.
    #[error("the body is not UTF-8 text (byte {0})")]
    NotText(usize),
    /// It is no JSON.
    #[error("the body is not JSON, or nested more than {MAX_DEPTH} deep (byte {0})")]
    NotJson(usize),
    /// It is JSON of another form.
    #[error("{0}")]
    Form(&'static str),
}

/// A body, read as far as to know what it holds.
#[derive(Clone, Debug)]
pub struct Posted<'a> {
    /// The write key, where the body has it.
    pub write_key: Option<Cow<'a, str>>,
    /// When the client sent it, by its own clock.
    sent_at: Option<Millis>,
    /// What holds for every call of a batch that does not say otherwise.
    context: Option<JsonText<'a>>,
    events: Vec<JsonText<'a>>,
    form: Form,
}

impl<'a> Posted<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// When nothing of it can be taken.
    pub fn read(form: Form, body: &'a [u8], bounds: &Bounds) -> Result<Self, Unreadable> {
        if body.len() > bounds.batch_bytes {
            return Err(Unreadable::TooLong(bounds.batch_bytes));
        }
        let text = std::str::from_utf8(body).map_err(|error| Unreadable::NotText(error.valid_up_to() + 1))?;
        let json = JsonText::parse(text).map_err(|fault| Unreadable::NotJson(fault.at + 1))?;
        let posted = match form {
            Form::Call(_) | Form::Batch => segment::read(form, json)?,
            Form::PostHog => posthog::read(json)?,
        };
        if posted.events.len() > bounds.batch_events {
            return Err(Unreadable::TooMany(posted.events.len(), bounds.batch_events));
        }
        Ok(posted)
    }

    /// Each event as lines, or as the reason why it is rejected.
    #[must_use]
    pub fn calls(&self, arrival: Arrival, bounds: &Bounds) -> Calls {
        let mut calls =
            Calls { accepted: 0, calls: Vec::with_capacity(self.events.len()), rejected: Vec::new() };
        for (index, event) in self.events.iter().enumerate() {
            match self.event(index, *event, arrival, bounds) {
                Ok(lines) => {
                    calls.accepted += 1;
                    calls.calls.extend(lines);
                }
                Err(reason) => {
                    let message_id = message_id(*event);
                    calls.rejected.push(Rejected { index, message_id, reason });
                }
            }
        }
        calls
    }

    fn event(
        &self,
        index: usize,
        event: JsonText<'a>,
        arrival: Arrival,
        bounds: &Bounds,
    ) -> Result<Vec<Call>, String> {
        let length = event.text().len();
        if length > bounds.event_bytes {
            let most = thousands(bounds.event_bytes as u64);
            return Err(format!(
                "the event has {} bytes, at most {most} are taken",
                thousands(length as u64)
            ));
        }
        let post = Post { sent_at: self.sent_at, context: self.context, arrival, index };
        match self.form {
            Form::Call(kind) => segment::line(event, Some(kind), &post)?.call(arrival).map(|call| vec![call]),
            Form::Batch => segment::line(event, None, &post)?.call(arrival).map(|call| vec![call]),
            Form::PostHog => {
                posthog::lines(event, &post)?.into_iter().map(|line| line.call(arrival)).collect()
            }
        }
    }
}

/// A call as written.
struct Line {
    text: String,
    /// When it happened, where that can be read.
    at: Option<Millis>,
    /// Its `timestamp`, where that is told from the arrival.
    told: Option<Told>,
}

/// When something happened.
#[derive(Clone, Copy)]
enum Happened {
    /// As the call says.
    At(Millis),
    /// So many milliseconds before it arrived.
    BeforeArrival(i64),
}

impl Happened {
    /// By the clock of the service, of what arrived at an instant.
    fn of(self, received_at: Millis) -> Millis {
        match self {
            Self::At(at) => at,
            Self::BeforeArrival(before) => received_at.saturating_sub(before),
        }
    }
}

impl Line {
    /// The call, checked.
    fn call(self, arrival: Arrival) -> Result<Call, String> {
        if self.at.is_some_and(|at| is_ahead(at, Some(arrival.received_at), None)) {
            return Err("`timestamp` lies more than 5 minutes after the event's arrival".to_owned());
        }
        Ok(Call::new(self.text)?.told(self.told))
    }
}

/// What came of a body.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// How many of its events are accepted.
    pub accepted: usize,
    /// Them as calls for the log, in the order of the body; one event may be two.
    pub calls: Vec<Call>,
    /// Those that are not accepted.
    pub rejected: Vec<Rejected>,
}

/// An event that is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// Its place in the batch, from 0.
    pub index: usize,
    /// Its message id, where it has one.
    pub message_id: Option<String>,
    /// Why, for a person.
    pub reason: String,
}

/// What is known of an event from the body around it.
#[derive(Clone, Copy)]
struct Post<'a> {
    sent_at: Option<Millis>,
    context: Option<JsonText<'a>>,
    arrival: Arrival,
    index: usize,
}

impl Post<'_> {
    /// When something happened that did so at an instant by the client's clock: how long before sending, before arrival.
    fn corrected(&self, at: Millis, sent_at: Option<Millis>) -> Happened {
        match sent_at.or(self.sent_at) {
            Some(sent_at) => Happened::BeforeArrival(sent_at.saturating_sub(at)),
            None => Happened::At(at),
        }
    }

    /// An id for an event without one. What says when it happened is the same when it is sent again, and gets the same
    /// id; what does not may well have happened twice.
    fn message_id(&self, event: JsonText<'_>, is_dated: bool) -> String {
        let mut digest = Sha256::new();
        digest.update(event.text().as_bytes());
        if !is_dated {
            digest.update(self.arrival.received_at.to_le_bytes());
            digest.update(self.arrival.request.to_le_bytes());
            digest.update((self.index as u64).to_le_bytes());
        }
        digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A text or number that is not empty.
fn filled(json: JsonText<'_>) -> bool {
    !json.is_null() && json.text() != "\"\""
}

/// The text of a member that should be text, for showing.
fn message_id(event: JsonText<'_>) -> Option<String> {
    let id = event.member("messageId").or_else(|| event.member("uuid"))?;
    let id = if id.is_number() { id.text().to_owned() } else { id.string()?.into_owned() };
    Some(shown(&id, MAX_NAME_BYTES)).filter(|id| !id.is_empty())
}
