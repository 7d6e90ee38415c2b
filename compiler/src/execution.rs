//! What an executor of rules is: the reference interpreter is one, the engine with machine code another.

use crate::{
    event::Incoming, goal, json::JsonText, pack::Packer, reach::Reach, record::Record, shelf::AtRest,
    typed::SegmentId, value::Millis,
};
use std::{
    collections::BTreeSet,
    ops::{AddAssign, Deref},
    sync::Arc,
};

/// A customer of an executor at rest, where they lie.
pub type Rested<E> = <<E as Execution>::Resting as Deref>::Target;

/// An executor. It holds the program; what it knows of a customer lies in `Customer`, so that customers can be spread
/// over threads.
pub trait Execution {
    /// What is known of one customer.
    type Customer: Send;
    /// The same while nothing happens to them: small where the executor can make it so.
    type Resting: AtRest;
    /// What has been found out, once for all customers, about a change of rules.
    type Passage: Send + Sync;
    /// What was read of a call ahead of its turn.
    type Reading: Default + Send;

    /// Lays a customer to rest; the packer is memory to work in.
    fn rest(&self, customer: Self::Customer, packer: &mut Packer) -> Self::Resting;

    /// What stands where somebody will rest who is awake: nothing but the id holds of it.
    fn absent(&self, id: &str, packer: &mut Packer) -> Self::Resting {
        self.rest(self.customer(Arc::from(id)), packer)
    }

    /// Takes up a customer who rested. What rested may be left as it was; only its id holds from then on.
    fn wake(&self, resting: &mut Rested<Self>) -> Self::Customer;

    /// The id of a customer at rest.
    fn id_of<'r>(&self, resting: &'r Rested<Self>) -> &'r str;

    /// A customer of whom nothing is known yet.
    fn customer(&self, id: Arc<str>) -> Self::Customer;

    /// Sets traits before the first event, silently: segments take their level without a change being recorded, and no
    /// rule is triggered. `at` is the time that the traits count as recorded.
    fn load_profile(
        &self,
        customer: &mut Self::Customer,
        at: Millis,
        traits: JsonText<'_>,
        counts: &mut Counts,
    );

    /// Reads of a call what does not depend on its customer, in place of what was read before.
    fn read(&self, incoming: &Incoming<'_>, reading: &mut Self::Reading);

    /// Applies one call, of which [`Execution::read`] has read: first every deadline before its time passes, then the call
    /// itself. Where calls are held for a while (`settle`), what is due by then is applied in its place.
    fn apply_read(
        &self,
        customer: &mut Self::Customer,
        incoming: &Incoming<'_>,
        reading: &mut Self::Reading,
        out: &mut Output,
    ) -> Outcome;

    /// Reads one call and applies it.
    fn apply(&self, customer: &mut Self::Customer, incoming: &Incoming<'_>, out: &mut Output) -> Outcome {
        let mut reading = Self::Reading::default();
        self.read(incoming, &mut reading);
        self.apply_read(customer, incoming, &mut reading, out)
    }

    /// Lets every deadline up to and including `until` pass, and moves the customer's clock there. Calls that are held from
    /// up to then are applied.
    fn advance(&self, customer: &mut Self::Customer, until: Millis, out: &mut Output);

    /// As [`Execution::advance`], of time in which the service was down; it is back at `now`, which is not before `until`.
    /// What changes does so at its own time, but a message that came due before `now` waits until then, and is decided as
    /// of then; where that is longer than its rule allows, it is suppressed as `late`.
    fn overdue(&self, customer: &mut Self::Customer, until: Millis, now: Millis, out: &mut Output);

    /// Until when time passes for a customer before being joined with another by what was said at `at`; of the two instants
    /// the later one holds for both, see [`join`].
    fn meeting(&self, customer: &Self::Customer, at: Millis) -> Millis;

    /// Joins a customer with another, for both of whom time has passed up to the same instant: `into` knows afterwards what
    /// both did, as far as possible as if one had done all of it. Joining starts nothing and tells nothing.
    fn merge(&self, into: &mut Self::Customer, from: Self::Customer, out: &mut Output);

    /// The next instant at which something may change by time alone. It may be early (then nothing changes), never late.
    /// Whoever lets time pass by a clock lets the project's `settle` pass, too, before [`Execution::advance`] goes there:
    /// what happened until then may still be on its way.
    fn next_deadline(&self, customer: &Self::Customer) -> Option<Millis>;

    /// Whether the customer is in the segment, as of the last instant evaluated.
    fn is_member(&self, customer: &Self::Customer, segment: SegmentId) -> bool;

    /// The rules that have runs under way, by their positions in the program.
    fn under_way(&self, customer: &Self::Customer) -> BTreeSet<u32>;

    /// Finds out what has become of everything since the rules that were in force before; those of now are their
    /// [`succession`](crate::succession::succession).
    fn passage(&self, before: &Self) -> Self::Passage;

    /// How far back the log must be told of to fill what is new since then; not at all where nothing is.
    fn to_fill(&self, before: &Self, passage: &Self::Passage) -> Reach;

    /// A customer to whom the log is to be told that begins at an instant: of the profile, and of when they were first seen,
    /// what is older is known already, because the log does not tell of it any more.
    fn begin(
        &self,
        change: (&Self, &Self::Passage),
        customer: &Self::Customer,
        log_from: Millis,
    ) -> Self::Customer;

    /// Takes a customer over from the rules that were in force before. `told` is what the log tells of the customer: one of
    /// this executor, to whom everything in it was applied [silently](Output::silent). What goes on is taken from the
    /// customer, what is new from the log. Nobody enters or leaves a segment by it; runs of which nothing is left are
    /// stopped, and told.
    fn carry(
        &self,
        change: (&Self, &Self::Passage),
        customer: Self::Customer,
        told: Self::Customer,
        out: &mut Output,
    ) -> Self::Customer;

    /// What came of the goals of rules that sent the customer something, or would have, in order of the rules.
    fn goals(&self, customer: &Self::Customer) -> Vec<goal::Outcome>;
}

/// One executor serves several parts of the customers.
impl<E: Execution> Execution for Arc<E> {
    type Customer = E::Customer;
    type Resting = E::Resting;
    type Passage = E::Passage;
    type Reading = E::Reading;

    fn rest(&self, customer: Self::Customer, packer: &mut Packer) -> Self::Resting {
        (**self).rest(customer, packer)
    }

    fn absent(&self, id: &str, packer: &mut Packer) -> Self::Resting {
        (**self).absent(id, packer)
    }

    fn wake(&self, resting: &mut Rested<Self>) -> Self::Customer {
        (**self).wake(resting)
    }

    fn id_of<'r>(&self, resting: &'r Rested<Self>) -> &'r str {
        (**self).id_of(resting)
    }

    fn customer(&self, id: Arc<str>) -> Self::Customer {
        (**self).customer(id)
    }

    fn load_profile(
        &self,
        customer: &mut Self::Customer,
        at: Millis,
        traits: JsonText<'_>,
        counts: &mut Counts,
    ) {
        (**self).load_profile(customer, at, traits, counts);
    }

    fn read(&self, incoming: &Incoming<'_>, reading: &mut Self::Reading) {
        (**self).read(incoming, reading);
    }

    fn apply_read(
        &self,
        customer: &mut Self::Customer,
        incoming: &Incoming<'_>,
        reading: &mut Self::Reading,
        out: &mut Output,
    ) -> Outcome {
        (**self).apply_read(customer, incoming, reading, out)
    }

    fn advance(&self, customer: &mut Self::Customer, until: Millis, out: &mut Output) {
        (**self).advance(customer, until, out);
    }

    fn overdue(&self, customer: &mut Self::Customer, until: Millis, now: Millis, out: &mut Output) {
        (**self).overdue(customer, until, now, out);
    }

    fn meeting(&self, customer: &Self::Customer, at: Millis) -> Millis {
        (**self).meeting(customer, at)
    }

    fn merge(&self, into: &mut Self::Customer, from: Self::Customer, out: &mut Output) {
        (**self).merge(into, from, out);
    }

    fn next_deadline(&self, customer: &Self::Customer) -> Option<Millis> {
        (**self).next_deadline(customer)
    }

    fn is_member(&self, customer: &Self::Customer, segment: SegmentId) -> bool {
        (**self).is_member(customer, segment)
    }

    fn under_way(&self, customer: &Self::Customer) -> BTreeSet<u32> {
        (**self).under_way(customer)
    }

    fn passage(&self, before: &Self) -> Self::Passage {
        (**self).passage(before)
    }

    fn to_fill(&self, before: &Self, passage: &Self::Passage) -> Reach {
        (**self).to_fill(&**before, passage)
    }

    fn begin(
        &self,
        (before, passage): (&Self, &Self::Passage),
        customer: &Self::Customer,
        log_from: Millis,
    ) -> Self::Customer {
        (**self).begin((&**before, passage), customer, log_from)
    }

    fn carry(
        &self,
        (before, passage): (&Self, &Self::Passage),
        customer: Self::Customer,
        told: Self::Customer,
        out: &mut Output,
    ) -> Self::Customer {
        (**self).carry((&**before, passage), customer, told, out)
    }

    fn goals(&self, customer: &Self::Customer) -> Vec<goal::Outcome> {
        (**self).goals(customer)
    }
}

/// Joins a customer with another, because of what was said at `at`: first time passes for both up to then.
pub fn join<E: Execution>(
    executor: &E,
    into: &mut E::Customer,
    mut from: E::Customer,
    at: Millis,
    out: &mut Output,
) {
    let meeting = executor.meeting(into, at).max(executor.meeting(&from, at));
    executor.advance(&mut from, meeting, out);
    executor.advance(into, meeting, out);
    executor.merge(into, from, out);
}

/// Where an executor writes.
#[derive(Debug, Default)]
pub struct Output {
    /// What happened, in order per customer.
    pub records: Vec<Record>,
    /// The rule of each run that started, in order per customer.
    pub fired: Vec<Arc<str>>,
    /// What became of calls that had been held.
    pub settled: Vec<Outcome>,
    /// What was counted.
    pub counts: Counts,
    /// Whether only what is known changes: nothing is told, and no rule is triggered. So a log is read again.
    pub silent: bool,
}

impl Output {
    /// For reading a log again.
    #[must_use]
    pub fn silent() -> Self {
        Self { silent: true, ..Self::default() }
    }
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Applied, in order.
    Applied,
    /// Applied at its own time, before the customer's clock.
    Late,
    /// Its message id is known; nothing changed.
    Duplicate,
    /// It may be a duplicate whose id was let go early: it stopped and cancelled, and did nothing else.
    Doubtful,
    /// It is held until those before it have arrived; [`Output::settled`] tells what became of it.
    Held,
    /// Stamped after its arrival, or after the end; nothing changed.
    Quarantined,
}

/// Things that are counted and shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Fields that broke their declaration (invalid, or absent without `?`) and were taken as missing.
    pub invalid_fields: u64,
    /// Matches or keys dropped because a customer had more than the limit.
    pub matches_dropped: u64,
    /// Triggers that started no run because a customer had as many of the rule as the limit.
    pub runs_refused: u64,
    /// Consequences that triggered nothing because an instant had more than the limit.
    pub consequences_dropped: u64,
    /// Events that a window no longer tells apart because it held more than the limit.
    pub window_overflow: u64,
    /// Message ids let go early because there were more than the limit.
    pub ids_dropped: u64,
    /// Calls that were applied before their time to settle was over because a customer had more than the limit.
    pub settled_early: u64,
    /// Runs that are no longer followed to their goal because a customer had more than the limit.
    pub goals_forgotten: u64,
    /// Runs that a change of rules ended: their rule is gone, or their version cannot go on.
    pub runs_ended: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.invalid_fields += other.invalid_fields;
        self.matches_dropped += other.matches_dropped;
        self.runs_refused += other.runs_refused;
        self.consequences_dropped += other.consequences_dropped;
        self.window_overflow += other.window_overflow;
        self.ids_dropped += other.ids_dropped;
        self.settled_early += other.settled_early;
        self.goals_forgotten += other.goals_forgotten;
        self.runs_ended += other.runs_ended;
    }
}
