//! Holding a customer's calls for a while, so that they are applied in order of time however they arrive (7).
//!
//! A call is held until one arrives that is stamped more than `settle` after it; up to then whatever belongs before it finds
//! its place. The customer's deadlines wait as long: what is not settled lets nothing pass.

use crate::{
    admission::is_ahead,
    event::{Call, Incoming},
    execution::{Execution, Outcome, Output},
    json::JsonText,
    limits::MAX_HELD,
    packed, packed_enum,
    settings::Settings,
    value::Millis,
};

/// The calls of one customer that are not settled yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// The greatest time of any call that arrived.
    frontier: Option<Millis>,
    /// In order of application.
    calls: Vec<HeldCall>,
}

packed!(Held { frontier, calls });

/// A call that owns what it says. Its order is that of application: by time, then by message id; what else differs
/// decides only about calls that have the same id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct HeldCall {
    at: Millis,
    message_id: String,
    said: Said,
    time_zone: Option<String>,
    received_at: Option<Millis>,
}

packed!(HeldCall { at, message_id, said, time_zone, received_at });

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Track { event: String, properties: Option<String>, name: Option<String> },
    Identify { traits: Option<String> },
    Group { id: String },
}

packed_enum!(Said { 0 = Track { event, properties, name }, 1 = Identify { traits }, 2 = Group { id } });

/// An executor of which the functions below make one that holds calls.
pub trait Settling: Execution {
    /// What it obeys.
    fn settings(&self) -> &Settings;

    /// The customer's clock.
    fn clock(&self, customer: &Self::Customer) -> Option<Millis>;

    /// What is held of a customer. There is none while nothing was ever held.
    fn held<'c>(&self, customer: &'c mut Self::Customer) -> &'c mut Option<Box<Held>>;

    /// As [`Execution::read`], of a call that is not held.
    fn read_now(&self, incoming: &Incoming<'_>, reading: &mut Self::Reading);

    /// As [`Execution::apply_read`], without holding.
    fn apply_now(
        &self,
        customer: &mut Self::Customer,
        incoming: &Incoming<'_>,
        reading: &mut Self::Reading,
        out: &mut Output,
    ) -> Outcome;

    /// As [`Execution::advance`], without regard to what is held.
    fn advance_now(&self, customer: &mut Self::Customer, until: Millis, out: &mut Output);
}

/// Reads a call, unless it will be held: then it is read when it is applied.
pub fn read<E: Settling>(executor: &E, incoming: &Incoming<'_>, reading: &mut E::Reading) {
    if executor.settings().settle == 0 {
        executor.read_now(incoming, reading);
    }
}

/// Applies a call, or holds it and applies what is settled by it.
pub fn apply<E: Settling>(
    executor: &E,
    customer: &mut E::Customer,
    incoming: &Incoming<'_>,
    reading: &mut E::Reading,
    out: &mut Output,
) -> Outcome {
    let settle = executor.settings().settle;
    if settle == 0 {
        return executor.apply_now(customer, incoming, reading, out);
    }
    if is_ahead(incoming.at, incoming.received_at, executor.settings().until) {
        return Outcome::Quarantined;
    }
    let held = executor.held(customer).get_or_insert_default();
    let frontier = held.frontier.map_or(incoming.at, |frontier| frontier.max(incoming.at));
    held.frontier = Some(frontier);
    held.insert(HeldCall::of(incoming));
    settle_until(executor, customer, frontier.saturating_sub(settle), out);
    Outcome::Held
}

/// Applies whatever is held from up to an instant, and lets time pass to it.
pub fn advance<E: Settling>(executor: &E, customer: &mut E::Customer, until: Millis, out: &mut Output) {
    apply_before(executor, customer, until.saturating_add(1), out);
    executor.advance_now(customer, until, out);
}

/// Until when time passes for a customer before being joined with another at an instant: what is not settled by then goes on
/// to be held.
pub fn meeting<E: Settling>(executor: &E, customer: &E::Customer, at: Millis) -> Millis {
    let settled = at.saturating_sub(1).saturating_sub(executor.settings().settle);
    executor.clock(customer).map_or(settled, |clock| clock.max(settled))
}

/// Joins what is held of two customers; what there is too much of is applied.
pub fn merge<E: Settling>(executor: &E, into: &mut E::Customer, from: Option<Box<Held>>, out: &mut Output) {
    let Some(from) = from else { return };
    let held = executor.held(into).get_or_insert_default();
    held.frontier = held.frontier.max(from.frontier);
    from.calls.into_iter().for_each(|call| held.insert(call));
    make_room(executor, into, out);
}

/// When held calls are due at the latest, or `deadline`, whichever is earlier.
#[must_use]
pub fn next_deadline(held: Option<&Held>, deadline: Option<Millis>) -> Option<Millis> {
    let first = held.and_then(|held| held.calls.first()).map(|call| call.at);
    first.into_iter().chain(deadline).min()
}

/// Everything before an instant is settled.
fn settle_until<E: Settling>(executor: &E, customer: &mut E::Customer, settled: Millis, out: &mut Output) {
    apply_before(executor, customer, settled, out);
    make_room(executor, customer, out);
    executor.advance_now(customer, settled.saturating_sub(1), out);
}

fn apply_before<E: Settling>(executor: &E, customer: &mut E::Customer, before: Millis, out: &mut Output) {
    while let Some(call) = executor.held(customer).as_mut().and_then(|held| held.take_before(before)) {
        apply_held(executor, customer, &call, out);
    }
}

fn apply_held<E: Settling>(executor: &E, customer: &mut E::Customer, call: &HeldCall, out: &mut Output) {
    let (incoming, mut reading) = (call.incoming(), E::Reading::default());
    executor.read_now(&incoming, &mut reading);
    let outcome = executor.apply_now(customer, &incoming, &mut reading, out);
    out.settled.push(outcome);
}

/// Applies the earliest calls where too many are held.
fn make_room<E: Settling>(executor: &E, customer: &mut E::Customer, out: &mut Output) {
    while let Some(held) = executor.held(customer)
        && held.calls.len() > MAX_HELD
        && let Some(call) = held.take_before(Millis::MAX)
    {
        out.counts.settled_early += 1;
        apply_held(executor, customer, &call, out);
    }
}

impl Held {
    fn insert(&mut self, call: HeldCall) {
        let place = self.calls.partition_point(|other| *other <= call);
        self.calls.insert(place, call);
    }

    /// The earliest call, if it lies before an instant.
    fn take_before(&mut self, before: Millis) -> Option<HeldCall> {
        let is_before = self.calls.first().is_some_and(|call| call.at < before);
        is_before.then(|| self.calls.remove(0))
    }
}

impl HeldCall {
    fn of(incoming: &Incoming<'_>) -> Self {
        let json = |json: Option<JsonText<'_>>| json.map(|json| json.text().to_owned());
        let said = match &incoming.call {
            Call::Track { event, properties, name } => Said::Track {
                event: (*event).to_owned(),
                properties: json(*properties),
                name: name.map(str::to_owned),
            },
            Call::Identify { traits } => Said::Identify { traits: json(*traits) },
            Call::Group { id } => Said::Group { id: (*id).to_owned() },
        };
        Self {
            at: incoming.at,
            message_id: incoming.message_id.to_owned(),
            said,
            time_zone: incoming.time_zone.map(str::to_owned),
            received_at: incoming.received_at,
        }
    }

    fn incoming(&self) -> Incoming<'_> {
        let call = match &self.said {
            Said::Track { event, properties, name } => {
                Call::Track { event, properties: json(properties.as_deref()), name: name.as_deref() }
            }
            Said::Identify { traits } => Call::Identify { traits: json(traits.as_deref()) },
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

/// JSON that was taken from a call as it stands.
fn json(text: Option<&str>) -> Option<JsonText<'_>> {
    JsonText::parse(text?).ok()
}
