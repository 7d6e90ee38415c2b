//! The reference interpreter: what the language means, written to be read. Machine code must agree with it.
//!
//! It keeps the whole history of a customer and asks every condition anew at every instant. In reading order:
//! `customer` is what is known of a customer; `evaluate` gives the meaning of conditions and values as a pure function
//! of history, profile and now, with `aggregate` for what is made of many events; `sequence` moves sequences;
//! `deadline` says when something may change by time alone, `schedule` when a schedule comes round; `apply` takes in
//! calls, `history` keeps them, `doubtful` those that may be known; `instant` is what happens at one moment; `run` is how a rule's run begins,
//! waits and ends, `steps` is what it does, `gates` what keeps a message back, and `goal` what it was for. `merge` makes
//! one customer of two, `carry` takes customers over to new rules, and `predicate` asks conditions of an event of nobody.
//!
//! Numbers in brackets refer to the paragraphs of "Meaning" in the language's reference.

mod aggregate;
mod apply;
mod carry;
mod customer;
mod deadline;
mod doubtful;
mod evaluate;
mod gates;
mod goal;
mod history;
mod instant;
mod merge;
mod operators;
mod predicate;
mod run;
mod schedule;
mod sequence;
mod session;
mod steps;

use crate::{
    content::Contents,
    event::Incoming,
    execution::{Counts, Execution, Outcome, Output},
    goal::Outcome as Goal,
    json::JsonText,
    limits::{EXACT_EVENTS, MAX_MATCHES},
    pack::Packer,
    reach::{Reach, View},
    settings::Settings,
    settle::{self, Held, Settling},
    shelf::AtRest,
    succession::{Matched, to_fill},
    typed::{EventId, ExprKind, FieldId, Judged, Program, SegmentId, TextTest, visit},
    value::{Millis, Value},
};
pub use customer::Customer;
use deadline::Watches;
pub use predicate::{Occurrence, Predicates};
use regex::Regex;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The reference interpreter of one program.
#[derive(Debug)]
pub struct Reference {
    program: Arc<Program>,
    settings: Settings,
    contents: Contents,
    /// How far back each rule looks.
    views: Vec<View>,
    /// Of each rule its current version.
    current: Vec<u32>,
    watches: Watches,
    /// What is judged at every instant, in order.
    judged: Vec<Judged>,
    regexes: BTreeMap<Arc<str>, Regex>,
    built_in: BuiltIn,
    bounds: Bounds,
}

/// How much is told apart and followed of a customer [8].
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Events of a window.
    events: usize,
    /// Matches of a sequence under way, and values of its `with same`.
    matches: usize,
}

/// Where the program has what the engine itself reads and writes.
#[derive(Debug)]
struct BuiltIn {
    time_zone: Option<FieldId>,
    country: Option<FieldId>,
    group: Option<FieldId>,
    message_sent: Option<EventId>,
    session_started: Option<EventId>,
    session_ended: Option<EventId>,
}

impl Reference {
    /// Makes the interpreter of a program.
    #[must_use]
    pub fn new(program: Arc<Program>, settings: Settings) -> Self {
        let built_in = BuiltIn {
            time_zone: profile_field(&program, "time_zone"),
            country: profile_field(&program, "country"),
            group: profile_field(&program, "group"),
            message_sent: program.event("Message Sent"),
            session_started: program.event(crate::session::STARTED),
            session_ended: program.event(crate::session::ENDED),
        };
        Self {
            contents: Contents::new(&program),
            views: program.rules.iter().map(|rule| View::of_rule(&program, rule)).collect(),
            current: program.current_versions(),
            watches: Watches::new(&program),
            judged: program.judged(),
            regexes: regexes(&program),
            program,
            settings,
            built_in,
            bounds: Bounds { events: EXACT_EVENTS, matches: MAX_MATCHES },
        }
    }
}

impl Reference {
    /// An oracle for tests: the interpreter of a language without bounds. Wherever no overflow is counted, both agree.
    #[doc(hidden)]
    #[must_use]
    pub fn unbounded(program: Arc<Program>, settings: Settings) -> Self {
        let settings = Settings { max_ids: usize::MAX, ..settings };
        Self { bounds: Bounds { events: usize::MAX, matches: usize::MAX }, ..Self::new(program, settings) }
    }
}

/// A customer at rest, whose whole history is as it is.
#[derive(Debug)]
pub struct Resting {
    id: Arc<str>,
    customer: Option<Box<Customer>>,
}

impl AtRest for Box<Resting> {
    type Shelf = Vec<Self>;
}

impl Execution for Reference {
    type Customer = Customer;
    type Resting = Box<Resting>;
    type Passage = Matched;
    /// Everything is read when it is applied.
    type Reading = ();

    fn rest(&self, customer: Customer, _: &mut Packer) -> Box<Resting> {
        Box::new(Resting { id: customer.id.clone(), customer: Some(Box::new(customer)) })
    }

    fn wake(&self, resting: &mut Resting) -> Customer {
        let customer = resting.customer.take().map(|customer| *customer);
        customer.unwrap_or_else(|| self.customer(resting.id.clone()))
    }

    fn id_of<'r>(&self, resting: &'r Resting) -> &'r str {
        &resting.id
    }

    fn customer(&self, id: Arc<str>) -> Customer {
        Customer::new(id, &self.program)
    }

    fn load_profile(&self, customer: &mut Customer, at: Millis, traits: JsonText<'_>, counts: &mut Counts) {
        let stamp = customer.next_stamp(at);
        self.record_traits(customer, traits, stamp, counts);
        let now = customer.clock.map_or(at, |clock| clock.max(at));
        self.judge_segments(customer, now);
        if customer.first_seen.is_none() {
            // Nothing has lasted before anything happened.
            customer.lasting.fill(None);
        }
    }

    fn read(&self, _: &Incoming<'_>, (): &mut ()) {}

    fn apply_read(
        &self,
        customer: &mut Customer,
        incoming: &Incoming<'_>,
        reading: &mut (),
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
        settle::next_deadline(customer.held.as_deref(), self.next_change(customer))
    }

    fn is_member(&self, customer: &Customer, segment: SegmentId) -> bool {
        customer.is_member(segment)
    }

    fn under_way(&self, customer: &Customer) -> BTreeSet<u32> {
        carry::under_way(customer)
    }

    fn passage(&self, before: &Self) -> Matched {
        Matched::between(&before.program, &self.program)
    }

    fn to_fill(&self, before: &Self, matched: &Matched) -> Reach {
        to_fill(&before.program, &self.program, matched)
    }

    fn begin(&self, (_, matched): (&Self, &Matched), customer: &Customer, log_from: Millis) -> Customer {
        self.begin_customer(matched, customer, log_from)
    }

    fn carry(
        &self,
        (before, passage): (&Self, &Matched),
        customer: Customer,
        told: Customer,
        out: &mut Output,
    ) -> Customer {
        self.carry_customer(before, passage, customer, told, out)
    }

    fn goals(&self, customer: &Customer) -> Vec<Goal> {
        customer.goals.iter().map(|(rule, progress)| progress.outcome(*rule)).collect()
    }
}

impl Settling for Reference {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn clock(&self, customer: &Customer) -> Option<Millis> {
        customer.clock
    }

    fn held<'c>(&self, customer: &'c mut Customer) -> &'c mut Option<Box<Held>> {
        &mut customer.held
    }

    fn read_now(&self, _: &Incoming<'_>, (): &mut ()) {}

    fn apply_now(
        &self,
        customer: &mut Customer,
        incoming: &Incoming<'_>,
        (): &mut (),
        out: &mut Output,
    ) -> Outcome {
        let clock = customer.clock;
        let outcome = customer.admission.admit(incoming, clock, &self.settings, &mut out.counts);
        match outcome {
            Outcome::Applied | Outcome::Late => {
                self.pass_deadlines(customer, incoming.at.saturating_sub(1), out);
                self.apply_call(customer, incoming, out);
            }
            Outcome::Doubtful => self.apply_doubtful(customer, incoming, out),
            Outcome::Duplicate | Outcome::Quarantined | Outcome::Held => {}
        }
        outcome
    }

    fn advance_now(&self, customer: &mut Customer, until: Millis, out: &mut Output) {
        self.pass_deadlines(customer, until, out);
        customer.clock = Some(customer.clock.map_or(until, |clock| clock.max(until)));
        customer.schedules.reach(until);
    }
}

impl Reference {
    /// Lets every deadline up to and including an instant pass.
    fn pass_deadlines(&self, customer: &mut Customer, until: Millis, out: &mut Output) {
        while let Some(deadline) = self.next_change(customer).filter(|deadline| *deadline <= until) {
            self.pass_deadline(customer, deadline, out);
        }
    }

    /// The next instant at which something may change by time alone.
    fn next_change(&self, customer: &Customer) -> Option<Millis> {
        let by_window = customer.deadlines.first().copied();
        let by_sequence = customer.matchers.iter().filter_map(sequence::Matcher::next_deadline).min();
        let by_session = self.session_deadline(customer);
        let by_schedule = self.next_occurrence(customer);
        let by_calendar = self.watches.midnight(customer, &self.zone(customer));
        let by_held = self.watches.held(customer);
        let by_wait = customer.waiting.iter().map(|run| run.paused.until).min();
        by_window
            .into_iter()
            .chain(by_sequence)
            .chain(by_calendar)
            .chain(by_held)
            .chain(by_schedule)
            .chain(by_session)
            .chain(by_wait)
            .min()
    }
}

fn profile_field(program: &Program, name: &str) -> Option<FieldId> {
    let position = program.profile.iter().position(|it| &*it.field.name == name)?;
    u32::try_from(position).ok().map(FieldId)
}

/// Every regular expression of a program. One that does not compile (the checker refuses it) finds nothing.
fn regexes(program: &Program) -> BTreeMap<Arc<str>, Regex> {
    let mut found = BTreeMap::new();
    visit::program(program, &mut |expr| {
        if let ExprKind::TextTest { test: TextTest::Matches, operand, .. } = &expr.kind
            && let ExprKind::Literal(Value::Text(pattern)) = &operand.kind
            && let Ok(regex) = crate::pattern::ready(pattern)
        {
            found.insert(Arc::from(pattern.as_str()), regex);
        }
    });
    found
}
