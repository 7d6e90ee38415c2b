//! Drives an executor over calls, customer by customer, as a replay does.

use segue_compiler::{
    admission::is_ahead,
    event::{Call, Incoming},
    execution::{Counts, Execution, Outcome, Output, join},
    goal,
    json::JsonText,
    pack::Packer,
    record::Record,
    time,
    typed::{Program, SegmentId},
    value::Millis,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What an executor made of some calls.
#[derive(Debug, PartialEq)]
pub struct Driven {
    /// Records in order of time, then customer, then happening.
    pub records: Vec<Record>,
    /// By customer, the names of the segments they are in at the end.
    pub members: BTreeMap<String, Vec<String>>,
    /// The rule of each run that started.
    pub fired: Vec<Arc<str>>,
    /// By customer, what came of goals.
    pub goals: BTreeMap<String, Vec<goal::Outcome>>,
    /// What became of each call.
    pub outcomes: Vec<String>,
    /// What became of those that were held, in order per customer.
    pub settled: Vec<Outcome>,
}

/// Applies calls in order and lets time pass to `until`, or to the last call's time.
#[must_use]
pub fn drive<E: Execution>(
    program: &Program,
    executor: &E,
    calls: &[Value],
    until: Option<Millis>,
) -> Driven {
    drive_and_count(program, executor, calls, until).0
}

/// As [`drive`], and what was counted.
#[must_use]
pub fn drive_and_count<E: Execution>(
    program: &Program,
    executor: &E,
    calls: &[Value],
    until: Option<Millis>,
) -> (Driven, Counts) {
    let mut out = Output::default();
    let (customers, outcomes) = apply(executor, calls, until, &mut out);
    let latest = calls.iter().filter_map(Read::of).map(|read| read.at).max();
    let end = until.or(latest).unwrap_or(i64::MIN);
    let mut customers: BTreeMap<String, E::Customer> =
        customers.into_iter().map(|(id, mut resting)| (id, executor.wake(&mut resting))).collect();
    for customer in customers.values_mut() {
        executor.advance(customer, end, &mut out);
    }
    let fired = out.fired;
    let mut records = out.records;
    // Stable: what happened to one customer at one instant stays in its order.
    records.sort_by(|a, b| (a.at(), a.customer()).cmp(&(b.at(), b.customer())));
    let members = customers
        .iter()
        .map(|(id, customer)| {
            let of =
                program.segments.iter().zip(0..).filter(|(_, n)| executor.is_member(customer, SegmentId(*n)));
            (id.clone(), of.map(|(segment, _)| segment.name.to_string()).collect())
        })
        .collect();
    let goals = customers.iter().map(|(id, customer)| (id.clone(), executor.goals(customer))).collect();
    (Driven { records, members, fired, goals, outcomes, settled: out.settled }, out.counts)
}

/// Applies calls in order, up to an end; what the customers are at rest then, and what became of each call.
pub fn apply<E: Execution>(
    executor: &E,
    calls: &[Value],
    until: Option<Millis>,
    out: &mut Output,
) -> (BTreeMap<String, E::Resting>, Vec<String>) {
    let mut customers: BTreeMap<String, E::Resting> = BTreeMap::new();
    let mut outcomes = Vec::new();
    // Who is who, as far as calls have said so.
    let (mut known, mut owners) = (BTreeSet::new(), BTreeMap::new());
    for call in calls {
        let Some(mut read) = Read::of(call) else {
            outcomes.push("unreadable".to_owned());
            continue;
        };
        let ahead = is_ahead(read.at, read.received_at, until);
        let joins = read
            .same_as
            .take()
            .filter(|id| !ahead && *id != read.customer && !known.contains(id) && !owners.contains_key(id));
        if read.known {
            known.insert(read.customer.clone());
        } else if let Some(owner) = owners.get(&read.customer) {
            read.customer.clone_from(owner);
        }
        // Everybody rests between calls: nothing may be lost by that.
        let resting = customers.remove(&read.customer);
        let mut customer = match resting {
            Some(mut resting) => executor.wake(&mut resting),
            None => executor.customer(Arc::from(read.customer.as_str())),
        };
        if let Some(anonymous) = joins {
            if let Some(mut other) = customers.remove(&anonymous) {
                join(executor, &mut customer, executor.wake(&mut other), read.at, out);
            }
            owners.insert(anonymous, read.customer.clone());
        }
        outcomes.push(format!("{:?}", executor.apply(&mut customer, &read.incoming(), out)));
        customers.insert(read.customer, executor.rest(customer, &mut Packer::default()));
    }
    (customers, outcomes)
}

/// A call with everything that [`Incoming`] borrows.
pub struct Read {
    customer: String,
    /// Whether the customer is named by `userId`.
    known: bool,
    /// The anonymous id that is said to be the same person's.
    same_as: Option<String>,
    message_id: String,
    at: Millis,
    received_at: Option<Millis>,
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
