//! What arrives for one customer, read from its envelope; properties and traits are still JSON text.

use crate::{json::JsonText, value::Millis};

/// One call of a tracker.
#[derive(Clone, Debug)]
pub struct Incoming<'a> {
    /// Its id; calls of one customer with the same id are one.
    pub message_id: &'a str,
    /// When it happened.
    pub at: Millis,
    /// When it arrived, where that is known.
    pub received_at: Option<Millis>,
    /// The customer's IANA time zone, when the tracker sends one (`context.timezone`).
    pub time_zone: Option<&'a str>,
    /// What it says.
    pub call: Call<'a>,
}

/// The kinds of calls.
#[derive(Clone, Debug)]
pub enum Call<'a> {
    /// `track`, and `page` and `screen` as the events "Page Viewed" and "Screen Viewed" with `name` among the
    /// properties.
    Track {
        /// The event's name.
        event: &'a str,
        /// A JSON object, when there is one.
        properties: Option<JsonText<'a>>,
        /// The `name` of a page or screen, which is added to the properties.
        name: Option<&'a str>,
    },
    /// `identify`.
    Identify {
        /// A JSON object, when there is one.
        traits: Option<JsonText<'a>>,
    },
    /// `group`: sets `profile.group`.
    Group {
        /// The group.
        id: &'a str,
    },
}
