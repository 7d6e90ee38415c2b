//! The engine: machine code over a customer's state, without I/O, clock or threads.
//!
//! `(program, customer state, input) → (state, records, next deadline)`. Whoever hosts it owns time and delivery.

mod aggregate;
pub(crate) mod alone;
mod calendar;
mod carry;
pub(crate) mod constants;
mod customer;
mod days;
mod doubtful;
mod fields;
mod frame;
mod goal;
pub(crate) mod host;
mod instant;
mod interpret;
mod machine;
mod merge;
mod names;
mod profile;
mod query;
mod rest;
mod ring;
mod run;
mod schedule;
mod sequence;
mod session;
mod sparse;
mod steps;
mod total;

pub use carry::Passage;
pub use customer::Customer;
pub use frame::Reading;

use machine::Machine;
use segue_compiler::{
    content::Contents,
    event::Incoming,
    execution::{Counts, Execution, Outcome, Output},
    goal as goals,
    json::JsonText,
    lower::lower,
    module::{Code, CodeError, clif},
    pack::Packer,
    plan::{Plan, verify::verify},
    reach::{Reach, View},
    settings::Settings,
    settle::{self, Held, Settling},
    typed::{EventId, FieldId, Program, SegmentId, Trigger},
    value::{Millis, Value},
};
use std::{collections::BTreeSet, sync::Arc};

/// A compiled program, ready to be applied to customers.
pub struct Engine {
    program: Arc<Program>,
    settings: Settings,
    machine: Machine,
    contents: Contents,
    /// How far back each rule looks.
    views: Vec<View>,
    /// Of each rule its current version.
    current: Vec<u32>,
    /// For each segment the rules that its change triggers.
    changes: Vec<Changes>,
    fields: KnownFields,
    messaging: Messaging,
    sessions: SessionEvents,
    /// What a customer is before the first call.
    blank: Customer,
}

/// The rules that a segment's change triggers, in order.
#[derive(Default)]
struct Changes {
    enters: Vec<u32>,
    leaves: Vec<u32>,
}

/// Profile fields that the engine itself reads or sets.
struct KnownFields {
    time_zone: Option<FieldId>,
    country: Option<FieldId>,
    group: Option<FieldId>,
    phone: Option<FieldId>,
    email: Option<FieldId>,
    push_token: Option<FieldId>,
}

/// Events that change consent or suppress a channel, or are made by sends.
struct Messaging {
    sent: Option<EventId>,
    replied: Option<EventId>,
    bounced: Option<EventId>,
    unsubscribed: Option<EventId>,
    complained: Option<EventId>,
}

/// Events of sessions, where rules look at them.
struct SessionEvents {
    started: Option<EventId>,
    ended: Option<EventId>,
}

/// A program could not be made ready.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// Machine code could not be made.
    #[error(transparent)]
    Code(#[from] CodeError),
    /// The plan breaks a rule of its own: a fault of the compiler.
    #[error("the plan is not sound: {0}")]
    Plan(String),
}

impl Engine {
    /// Compiles a checked program.
    ///
    /// # Errors
    /// When the machine is not supported, or the compiler is at fault.
    pub fn new(program: Arc<Program>, settings: Settings) -> Result<Self, EngineError> {
        let plan = sound(&program)?;
        let code = Code::new(&plan, &host::table())?;
        Ok(Self::ready(program, settings, plan, Some(code)))
    }

    /// The same without machine code: the plan is interpreted, node by node. It decides the same, and takes longer; it is
    /// there to be compared with, and for machines that code cannot be made for.
    ///
    /// # Errors
    /// When the compiler is at fault.
    pub fn interpreting(program: Arc<Program>, settings: Settings) -> Result<Self, EngineError> {
        let plan = sound(&program)?;
        Ok(Self::ready(program, settings, plan, None))
    }

    fn ready(program: Arc<Program>, settings: Settings, plan: Plan, code: Option<Code>) -> Self {
        let event = |name: &str| program.event(name);
        let field = |name: &str| {
            let position = program.profile.iter().position(|field| &*field.field.name == name)?;
            u32::try_from(position).ok().map(FieldId)
        };
        let machine = Machine::new(plan, code, &program.events);
        let mut engine = Self {
            contents: Contents::new(&program),
            views: program.rules.iter().map(|rule| View::of_rule(&program, rule)).collect(),
            current: program.current_versions(),
            blank: Customer::blank(&program, &machine),
            machine,
            changes: changes(&program),
            fields: KnownFields {
                time_zone: field("time_zone"),
                country: field("country"),
                group: field("group"),
                phone: field("phone"),
                email: field("email"),
                push_token: field("push_token"),
            },
            messaging: Messaging {
                sent: event("Message Sent"),
                replied: event("Message Replied"),
                bounced: event("Message Bounced"),
                unsubscribed: event("Unsubscribed"),
                complained: event("Complained"),
            },
            sessions: SessionEvents {
                started: event(segue_compiler::session::STARTED),
                ended: event(segue_compiler::session::ENDED),
            },
            program,
            settings,
        };
        engine.blank.zone = engine.own_zone(&engine.blank);
        engine
    }

    /// The Cranelift code of one event's handler, and of what it calls, by name.
    ///
    /// # Errors
    /// When the machine is not supported.
    pub fn clif(&self, event: EventId) -> Result<Vec<(String, String)>, EngineError> {
        Ok(clif(&self.machine.plan, &host::table(), &[event.0 as usize])?)
    }

    /// The plan that is executed.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.machine.plan
    }
}

/// The plan of a program, verified.
fn sound(program: &Program) -> Result<Plan, EngineError> {
    let plan = lower(program);
    match verify(&plan).into_iter().next() {
        Some(fault) => Err(EngineError::Plan(fault)),
        None => Ok(plan),
    }
}

fn changes(program: &Program) -> Vec<Changes> {
    let mut changes: Vec<Changes> = program.segments.iter().map(|_| Changes::default()).collect();
    for (rule, number) in program.rules.iter().zip(0..) {
        match rule.trigger {
            Trigger::Enters(segment) => {
                if let Some(changes) = changes.get_mut(segment.0 as usize) {
                    changes.enters.push(number);
                }
            }
            Trigger::Leaves(segment) => {
                if let Some(changes) = changes.get_mut(segment.0 as usize) {
                    changes.leaves.push(number);
                }
            }
            Trigger::Sequence(_) | Trigger::Schedule(_) | Trigger::Former { .. } => {}
        }
    }
    changes
}

impl Execution for Engine {
    type Customer = Customer;
    /// Bytes.
    type Resting = Box<[u8]>;
    type Passage = Passage;
    type Reading = Reading;

    fn rest(&self, customer: Customer, packer: &mut Packer) -> Box<[u8]> {
        packer.clear();
        packer.shortly();
        packer.rebase(rest::BASE);
        rest::pack(&customer, &self.blank, &self.machine.plan, packer);
        packer.written().into()
    }

    fn absent(&self, id: &str, packer: &mut Packer) -> Box<[u8]> {
        packer.clear();
        packer.shortly();
        packer.raw(&[rest::SHORT]);
        packer.text(id);
        packer.written().into()
    }

    fn wake(&self, resting: &mut [u8]) -> Customer {
        rest::unpack(resting, self)
    }

    fn id_of<'r>(&self, resting: &'r [u8]) -> &'r str {
        rest::id(resting)
    }

    fn customer(&self, id: Arc<str>) -> Customer {
        Customer::of(id, &self.blank)
    }

    fn load_profile(&self, customer: &mut Customer, at: Millis, traits: JsonText<'_>, counts: &mut Counts) {
        let stamp = (at, customer.next_order());
        self.record_traits(customer, traits, stamp, counts);
        self.set_levels(customer, customer.clock.map_or(at, |clock| clock.max(at)));
    }

    fn read(&self, incoming: &Incoming<'_>, reading: &mut Reading) {
        settle::read(self, incoming, reading);
    }

    fn apply_read(
        &self,
        customer: &mut Customer,
        incoming: &Incoming<'_>,
        reading: &mut Reading,
        out: &mut Output,
    ) -> Outcome {
        settle::apply(self, customer, incoming, reading, out)
    }

    fn advance(&self, customer: &mut Customer, until: Millis, out: &mut Output) {
        settle::advance(self, customer, until, out);
    }

    fn overdue(&self, customer: &mut Customer, until: Millis, now: Millis, out: &mut Output) {
        customer.back_at = Some(now);
        settle::advance(self, customer, until, out);
        customer.back_at = None;
    }

    fn meeting(&self, customer: &Customer, at: Millis) -> Millis {
        settle::meeting(self, customer, at)
    }

    fn merge(&self, into: &mut Customer, from: Customer, out: &mut Output) {
        self.merge_customers(into, from, out);
    }

    fn next_deadline(&self, customer: &Customer) -> Option<Millis> {
        settle::next_deadline(customer.held.as_deref(), customer.next_deadline())
    }

    fn is_member(&self, customer: &Customer, segment: SegmentId) -> bool {
        customer.is_member(&self.machine.plan.record, segment)
    }

    fn under_way(&self, customer: &Customer) -> BTreeSet<u32> {
        run::under_way(customer)
    }

    fn passage(&self, before: &Self) -> Passage {
        Passage::between(before, self)
    }

    fn to_fill(&self, before: &Self, passage: &Passage) -> Reach {
        passage.to_fill(before, self)
    }

    fn begin(&self, (_, passage): (&Self, &Passage), customer: &Customer, log_from: Millis) -> Customer {
        self.begin_customer(passage, customer, log_from)
    }

    fn carry(
        &self,
        (before, passage): (&Self, &Passage),
        customer: Customer,
        told: Customer,
        out: &mut Output,
    ) -> Customer {
        self.carry_customer(before, passage, customer, told, out)
    }

    fn goals(&self, customer: &Customer) -> Vec<goals::Outcome> {
        customer.goals.iter().map(|(rule, progress)| progress.outcome(rule)).collect()
    }
}

impl Settling for Engine {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn clock(&self, customer: &Customer) -> Option<Millis> {
        customer.clock
    }

    fn held<'c>(&self, customer: &'c mut Customer) -> &'c mut Option<Box<Held>> {
        &mut customer.held
    }

    fn read_now(&self, incoming: &Incoming<'_>, reading: &mut Reading) {
        self.read_call(incoming, reading);
    }

    fn apply_now(
        &self,
        customer: &mut Customer,
        incoming: &Incoming<'_>,
        reading: &mut Reading,
        out: &mut Output,
    ) -> Outcome {
        self.apply_call(customer, incoming, reading, out)
    }

    fn advance_now(&self, customer: &mut Customer, until: Millis, out: &mut Output) {
        self.pass_deadlines(customer, until, out);
        customer.clock = Some(customer.clock.map_or(until, |clock| clock.max(until)));
        self.reach(customer, until);
    }
}

/// The value of a profile field that was never recorded.
fn default_of(program: &Program, field: FieldId) -> Value {
    program.profile.get(field.0 as usize).map_or(Value::Missing, |field| field.default.clone())
}
