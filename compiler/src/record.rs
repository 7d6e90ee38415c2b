//! What happened, as it is printed: one JSON object a line (the contract of the command line).

use crate::pack::{Broken, Packed, Packer, Unpacker};
use crate::value::{Decimal, Millis, Text, Value};
use crate::{packed, packed_enum, packed_inner};
use serde::{Serialize, Serializer, ser::SerializeMap, ser::SerializeSeq};
use std::{fmt, sync::Arc};

/// One thing that happened to one customer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Record {
    /// A message was decided.
    Send(Send),
    /// A system was called.
    Call(Call),
    /// A message or run was not.
    Suppressed(Suppressed),
    /// A message waits.
    Held(Held),
    /// A segment was entered or left.
    Segment(SegmentChange),
    /// A rule set a profile field.
    Set(Set),
    /// A rule made an event.
    Emit(Emit),
}

/// A message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Send {
    /// When it was decided.
    pub at: Instant,
    /// Its id, the same for the same input.
    pub id: ActionId,
    /// To whom.
    pub customer: Arc<str>,
    /// By which rule.
    pub rule: Arc<str>,
    /// The position of the action in the rule, from 1.
    pub step: u32,
    /// `sms`, `email`, `push` or another.
    pub channel: Arc<str>,
    /// The address.
    pub to: String,
    /// What it says.
    pub content: Fields,
    /// What triggered the run.
    pub because: Because,
}

/// A call of a system.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "as in `Send`")]
pub struct Call {
    pub at: Instant,
    pub id: ActionId,
    pub customer: Arc<str>,
    pub rule: Arc<str>,
    pub step: u32,
    /// The hook's name.
    pub hook: Arc<str>,
    /// What it is given.
    pub payload: Fields,
    pub because: Because,
}

/// A message or run that was not.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "as in `Send`")]
pub struct Suppressed {
    pub at: Instant,
    pub id: ActionId,
    pub customer: Arc<str>,
    pub rule: Arc<str>,
    /// The position of the action; 0 when the run itself did not start.
    pub step: u32,
    /// The channel, when it is an action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Arc<str>>,
    /// The first reason.
    pub reason: Reason,
    /// What was wrong with the content or the address, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Arc<str>>,
}

/// A message that waits, and is asked again later.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "as in `Send`")]
pub struct Held {
    pub at: Instant,
    /// That of the message.
    pub id: ActionId,
    pub customer: Arc<str>,
    pub rule: Arc<str>,
    pub step: u32,
    pub channel: Arc<str>,
    /// `quiet`, `cap` or `fuse`.
    pub reason: Reason,
    /// When it is asked again; a fuse is let go on by a person, and nobody knows when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
}

/// A segment was entered or left.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "as in `Send`")]
pub struct SegmentChange {
    pub at: Instant,
    pub customer: Arc<str>,
    pub segment: Arc<str>,
    pub change: Change,
}

/// A rule set a profile field. Consent is the field `consent.CHANNEL` or `consent.CHANNEL.TOPIC`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "as in `Send`")]
pub struct Set {
    pub at: Instant,
    pub customer: Arc<str>,
    pub rule: Arc<str>,
    pub field: Arc<str>,
    pub value: Json,
}

/// A rule made an event.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "as in `Send`")]
pub struct Emit {
    pub at: Instant,
    pub customer: Arc<str>,
    pub rule: Arc<str>,
    pub event: Arc<str>,
    pub properties: Fields,
}

/// Enter or leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is its word")]
pub enum Change {
    Enter,
    Leave,
}

/// Why nothing was sent, in the order in which reasons are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is its word")]
pub enum Reason {
    Cold,
    Running,
    Limit,
    Condition,
    Stopped,
    Holdout,
    Suppressed,
    Consent,
    NoAddress,
    Late,
    Fuse,
    Quiet,
    Cap,
    Content,
}

/// What triggered a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Because {
    /// The event's name; absent when only time passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Arc<str>>,
    /// The event's message id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<Text>,
    /// The segment that was entered or left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment: Option<Arc<str>>,
    /// The event's time, or the instant at which the segment changed.
    pub at: Instant,
}

/// An instant, printed in UTC with milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub Millis);

/// The id of an action, printed as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionId(pub u128);

/// Named values in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(pub Vec<(Arc<str>, Json)>);

/// A value on its way out.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// A value of the language.
    Value(Value),
    /// Fields within.
    Fields(Fields),
}

packed_enum!(Record {
    0 = Send(it),
    1 = Call(it),
    2 = Suppressed(it),
    3 = Segment(it),
    4 = Set(it),
    5 = Emit(it),
    6 = Held(it),
});
packed!(Send { at, id, customer, rule, step, channel, to, content, because });
packed!(Call { at, id, customer, rule, step, hook, payload, because });
packed!(Suppressed { at, id, customer, rule, step, channel, reason, detail });
packed!(Held { at, id, customer, rule, step, channel, reason, until });
packed!(SegmentChange { at, customer, segment, change });
packed!(Set { at, customer, rule, field, value });
packed!(Emit { at, customer, rule, event, properties });
packed!(Because { event, message_id, segment, at });
packed_enum!(Change { 0 = Enter, 1 = Leave });
packed_enum!(Reason {
    0 = Running,
    1 = Limit,
    2 = Condition,
    3 = Suppressed,
    4 = Consent,
    5 = NoAddress,
    6 = Cap,
    7 = Content,
    8 = Holdout,
    9 = Stopped,
    10 = Late,
    11 = Quiet,
    12 = Fuse,
    16 = Cold,
});
packed_enum!(Json { 0 = Value(it), 1 = Fields(it) });
packed_inner!(Instant, Fields);

impl Packed for ActionId {
    fn pack(&self, to: &mut Packer) {
        to.raw(&self.0.to_le_bytes());
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        from.raw(16)?.try_into().map(|bytes| Self(u128::from_le_bytes(bytes))).map_err(|_| Broken)
    }
}

impl Record {
    /// When it happened.
    #[must_use]
    pub fn at(&self) -> Millis {
        match self {
            Self::Send(record) => record.at.0,
            Self::Call(record) => record.at.0,
            Self::Suppressed(record) => record.at.0,
            Self::Held(record) => record.at.0,
            Self::Segment(record) => record.at.0,
            Self::Set(record) => record.at.0,
            Self::Emit(record) => record.at.0,
        }
    }

    /// To whom it happened.
    #[must_use]
    pub fn customer(&self) -> &Arc<str> {
        match self {
            Self::Send(record) => &record.customer,
            Self::Call(record) => &record.customer,
            Self::Suppressed(record) => &record.customer,
            Self::Held(record) => &record.customer,
            Self::Segment(record) => &record.customer,
            Self::Set(record) => &record.customer,
            Self::Emit(record) => &record.customer,
        }
    }

    /// Its `kind`, as printed.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Send(_) => "send",
            Self::Call(_) => "call",
            Self::Suppressed(_) => "suppressed",
            Self::Held(_) => "held",
            Self::Segment(_) => "segment",
            Self::Set(_) => "set",
            Self::Emit(_) => "emit",
        }
    }
}

impl Send {
    /// What is told of a message that the fuse of its rule holds until a person lets it go on.
    #[must_use]
    pub fn held_by_fuse(&self) -> Record {
        Record::Held(Held {
            at: self.at,
            id: self.id,
            customer: self.customer.clone(),
            rule: self.rule.clone(),
            step: self.step,
            channel: self.channel.clone(),
            reason: Reason::Fuse,
            until: None,
        })
    }
}

impl Reason {
    /// Every reason, in the order in which they are looked at.
    pub fn all() -> impl Iterator<Item = Self> {
        std::iter::successors(Some(Self::Cold), |reason| reason.next())
    }

    /// The reason that is looked at after this one.
    fn next(self) -> Option<Self> {
        match self {
            Self::Cold => Some(Self::Running),
            Self::Running => Some(Self::Limit),
            Self::Limit => Some(Self::Condition),
            Self::Condition => Some(Self::Stopped),
            Self::Stopped => Some(Self::Holdout),
            Self::Holdout => Some(Self::Suppressed),
            Self::Suppressed => Some(Self::Consent),
            Self::Consent => Some(Self::NoAddress),
            Self::NoAddress => Some(Self::Late),
            Self::Late => Some(Self::Fuse),
            Self::Fuse => Some(Self::Quiet),
            Self::Quiet => Some(Self::Cap),
            Self::Cap => Some(Self::Content),
            Self::Content => None,
        }
    }

    /// The reason as printed.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Running => "running",
            Self::Limit => "limit",
            Self::Condition => "condition",
            Self::Stopped => "stopped",
            Self::Holdout => "holdout",
            Self::Suppressed => "suppressed",
            Self::Consent => "consent",
            Self::NoAddress => "no_address",
            Self::Late => "late",
            Self::Fuse => "fuse",
            Self::Quiet => "quiet",
            Self::Cap => "cap",
            Self::Content => "content",
        }
    }
}

impl Reason {
    /// What something is suppressed by, as rules and people say it.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Suppressed => "suppression",
            other => other.word(),
        }
    }
}

impl ActionId {
    /// The id of a rule's action: the first 128 bits of SHA-256 over the parts, each preceded by its length. `rule` is the
    /// rule's identity.
    /// `trigger` names what triggered the run: the message ids of the match's events, or segment, change, instant and
    /// what changed it (a message id, or the id of the action that set something; empty when only time passed), or the
    /// instant of a schedule.
    #[must_use]
    pub fn of(rule: &str, customer: &str, trigger: &[&str], step: u32) -> Self {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        let mut digits = [b'0'; 10];
        let step = decimal(step, &mut digits);
        for part in [rule, customer].iter().chain(trigger).chain([&step]) {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        let mut first = [0; 16];
        first.copy_from_slice(&digest[..16]);
        Self(u128::from_be_bytes(first))
    }
}

/// The digits of a number, written to the end of `to`.
fn decimal(number: u32, to: &mut [u8; 10]) -> &str {
    let (mut left, mut start) = (number, to.len());
    for place in to.iter_mut().rev() {
        *place += (left % 10) as u8;
        (left, start) = (left / 10, start - 1);
        if left == 0 {
            break;
        }
    }
    std::str::from_utf8(&to[start..]).unwrap_or_default()
}

/// A digit below 16.
fn hexadecimal(digit: u8) -> u8 {
    if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }
}

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [b'0'; 32];
        for (digits, byte) in digits.chunks_exact_mut(2).zip(self.0.to_be_bytes()) {
            digits.copy_from_slice(&[hexadecimal(byte >> 4), hexadecimal(byte & 15)]);
        }
        f.write_str(std::str::from_utf8(&digits).unwrap_or_default())
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(instant) => write!(f, "{instant:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl Serialize for ActionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(&**name, value)?;
        }
        map.end()
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Fields(fields) => fields.serialize(serializer),
        }
    }
}

impl Serialize for Value {
    /// Missing is null, a time is ISO-8601 in UTC, a date `2026-01-31`, a duration a number of milliseconds.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Missing => serializer.serialize_unit(),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Number(value) => value.serialize(serializer),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Time(value) => Instant(*value).serialize(serializer),
            Self::Date(value) => serializer.serialize_str(&crate::time::print_date(*value)),
            Self::Duration(value) => serializer.serialize_i64(*value),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items.iter() {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields.iter() {
                    map.serialize_entry(&**name, value)?;
                }
                map.end()
            }
        }
    }
}

impl Serialize for Decimal {
    /// A JSON number with exactly the decimal's digits.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::value::RawValue::from_string(self.to_string()) {
            Ok(raw) => raw.serialize(serializer),
            Err(error) => Err(serde::ser::Error::custom(error)),
        }
    }
}
