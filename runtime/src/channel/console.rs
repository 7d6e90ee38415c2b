//! Decisions as lines to read.

use super::{Channel, Delivery, Outcome};
use crate::words::{self, shown};
use segue_compiler::record::{Fields, Json, Record};
use std::io::Write;

/// How much of a message is shown.
const SHOWN: usize = 400;

/// Writes a line per decision.
pub struct Console {
    writer: Box<dyn Write + Send>,
}

impl Console {
    /// A console over a writer.
    #[must_use]
    pub fn new(writer: Box<dyn Write + Send>) -> Self {
        Self { writer }
    }
}

impl Channel for Console {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Outcome {
        let line = match delivery.record {
            Record::Send(send) => {
                format!("{} to {}: {}", send.channel, shown(&send.to, SHOWN), content(&send.content, SHOWN))
            }
            Record::Call(call) => {
                format!(
                    "call {} for {}: {}",
                    call.hook,
                    shown(&call.customer, SHOWN),
                    content(&call.payload, SHOWN)
                )
            }
            Record::Suppressed(_)
            | Record::Held(_)
            | Record::Segment(_)
            | Record::Set(_)
            | Record::Emit(_) => {
                return Outcome::refused("no decision");
            }
        };
        match writeln!(self.writer, "{line}").and_then(|()| self.writer.flush()) {
            Ok(()) => Outcome::Delivered { attempts: 1 },
            Err(error) => {
                let reason = words::reason(&error);
                Outcome::Failed { reason, said: None, attempts: 1, retryable: true }
            }
        }
    }
}

/// The fields of a message on one line, parted by `|`, at most so many characters; a message that is only text is that
/// text.
#[must_use]
pub fn content(fields: &Fields, limit: usize) -> String {
    let mut parts = Vec::with_capacity(fields.0.len());
    for (name, value) in &fields.0 {
        let text = match value {
            Json::Value(value) => match value.as_text() {
                Some(text) => text.to_owned(),
                None => serde_json::to_string(value).unwrap_or_default(),
            },
            Json::Fields(fields) => format!("{{ {} }}", content(fields, limit)),
        };
        let text = shown(&text, limit);
        parts.push(if fields.0.len() == 1 && &**name == "text" { text } else { format!("{name}: {text}") });
    }
    shown(&parts.join(" | "), limit)
}
