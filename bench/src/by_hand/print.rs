//! Records as `segue run` prints them: one JSON object a line.

use super::{
    line::Amount,
    names::{Channel, Rule, Segment},
    records::{Content, Deed, Record, Records, What},
    texts::{Span, Texts},
    time::Written,
};
use serde::{Serialize, Serializer};
use std::io::{self, Write};

/// A record with all that is told of it, each field under its name in the output.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line<'r> {
    /// A segment was entered or left.
    Segment { at: &'r str, customer: &'r str, segment: &'r str, change: &'r str },
    /// A message was sent.
    Send {
        at: &'r str,
        id: &'r str,
        customer: &'r str,
        rule: &'r str,
        step: u32,
        channel: &'r str,
        to: &'r str,
        content: Says<'r>,
        because: Why<'r>,
    },
    /// A system was called.
    Call {
        at: &'r str,
        id: &'r str,
        customer: &'r str,
        rule: &'r str,
        step: u32,
        hook: &'r str,
        payload: Says<'r>,
        because: Why<'r>,
    },
    /// A rule did not run, or a message was not sent.
    Suppressed {
        at: &'r str,
        id: &'r str,
        customer: &'r str,
        rule: &'r str,
        step: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        channel: Option<&'r str>,
        reason: &'r str,
    },
    /// Consent was recorded.
    Set { at: &'r str, customer: &'r str, rule: &'r str, field: &'r str, value: bool },
}

/// What a message or call says, by its fields.
#[derive(Serialize)]
#[serde(untagged)]
enum Says<'r> {
    Sms { text: &'r str },
    Email { subject: &'r str, body: &'r str },
    Push { title: &'r str, body: &'r str },
    Spender { spent: Amount },
    Hunter { hunter: bool },
    Engaged { engaged: bool },
    Upsell { upsell: bool },
    Order { order: Option<&'r str>, total: Option<Amount> },
}

/// What triggered a rule.
#[derive(Serialize)]
struct Why<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    segment: Option<&'r str>,
    at: &'r str,
}

/// Prints all records.
///
/// # Errors
/// When writing fails.
pub(super) fn print(records: &Records, texts: &Texts, out: &mut dyn Write) -> io::Result<()> {
    for record in records.sorted() {
        let at = Written::of(record.at);
        match record.what {
            What::Done(place) => {
                let Some(deed) = records.deed(place) else { continue };
                write_deed(record, deed, texts, out)?;
            }
            What::Segment { segment, entered } => {
                let change = if entered { "enter" } else { "leave" };
                let customer = texts.get(record.customer);
                write(&Line::Segment { at: at.text(), customer, segment: segment.name(), change }, out)?;
            }
            What::Consent => {
                let (rule, field) = (Rule::Newsletter.name(), "consent.email.marketing");
                let customer = texts.get(record.customer);
                write(&Line::Set { at: at.text(), customer, rule, field, value: true }, out)?;
            }
            What::Suppressed { id, rule, reason } => {
                let step = reason.step();
                let line = Line::Suppressed {
                    at: at.text(),
                    id: &hexadecimal(id),
                    customer: texts.get(record.customer),
                    rule: rule.name(),
                    step,
                    channel: rule.channel().filter(|_| step > 0).map(Channel::name),
                    reason: reason.word(),
                };
                write(&line, out)?;
            }
        }
    }
    Ok(())
}

/// Writes a message or call.
fn write_deed(record: &Record, deed: &Deed, texts: &Texts, out: &mut dyn Write) -> io::Result<()> {
    let (at, since) = (Written::of(record.at), Written::of(deed.because.at));
    let (id, customer, rule) = (hexadecimal(deed.id), texts.get(record.customer), deed.rule.name());
    let (at, id, step) = (at.text(), id.as_str(), 1);
    let because = Why {
        event: deed.because.event.map(super::line::Event::name),
        message_id: Some(deed.because.message).filter(|it| !it.is_empty()).map(|it| texts.get(it)),
        segment: deed.because.segment.map(Segment::name),
        at: since.text(),
    };
    let line = match (deed.rule.channel(), deed.content) {
        (Some(channel), Content::Message { to, texts: [first, second] }) => {
            let [first, body] = [first, second].map(|it| texts.get(it));
            let content = match channel {
                Channel::Sms => Says::Sms { text: body },
                Channel::Email => Says::Email { subject: first, body },
                Channel::Push => Says::Push { title: first, body },
            };
            let (channel, to) = (channel.name(), texts.get(to));
            Line::Send { at, id, customer, rule, step, channel, to, content, because }
        }
        (_, content) => {
            let hook = if deed.rule == Rule::LargeOrder { "sales" } else { "crm" };
            let payload = payload(deed.rule, content, texts);
            Line::Call { at, id, customer, rule, step, hook, payload, because }
        }
    };
    write(&line, out)
}

/// What a call says.
fn payload(rule: Rule, content: Content, texts: &Texts) -> Says<'_> {
    let text = |it: Span| texts.get(it);
    match (content, rule) {
        (Content::Spent(spent), _) => Says::Spender { spent },
        (Content::Order { order, total }, _) => Says::Order { order: order.map(text), total },
        (_, Rule::Coupons) => Says::Hunter { hunter: true },
        (_, Rule::EngagedCustomer) => Says::Engaged { engaged: true },
        _ => Says::Upsell { upsell: true },
    }
}

/// Writes a line.
fn write(line: &Line<'_>, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// An id in hexadecimal digits.
fn hexadecimal(id: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(id))
}

impl Serialize for Amount {
    /// The shortest digits: `120`, `19.99`.
    #[expect(clippy::cast_precision_loss, reason = "as many digits as amounts have fit")]
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.0 % 1_000_000 == 0 {
            to.serialize_i64(self.0 / 1_000_000)
        } else {
            to.serialize_f64(self.0 as f64 / 1e6)
        }
    }
}
