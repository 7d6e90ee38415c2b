//! Faults that are planted into an executor, to see that they are found.

use segue_compiler::{
    event::{Call, Incoming},
    execution::{Counts, Execution, Outcome, Output, join},
    goal,
    json::JsonText,
    pack::Packer,
    reach::Reach,
    typed::{Program, SegmentId},
    value::Millis,
};
use std::{collections::BTreeSet, sync::Arc};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Messages that came due while the service was down go out as if it had been up.
    SendsWhileDown,
    /// Time passes a millisecond too far.
    TooFar,
    /// Certain events are not applied.
    Skips,
    /// An arrival is forgotten, so that nothing is put aside.
    KnowsNoArrival,
    /// What is known of some customers is lost when they are laid to rest.
    ForgetsAtRest,
    /// Runs under way are not found when rules change.
    ForgetsRuns,
    /// What is new is not filled from the log.
    FillsNothing,
    /// What is new is filled from the log twice.
    FillsTwice,
    /// Everything is filled from the log, also what goes on.
    KeepsNothing,
    /// Runs that a change of rules ends are not told.
    EndsUntold,
    /// Runs of an earlier version of a rule go on with the steps of the new one.
    GoesOnAsNew,
}

impl Fault {
    /// The program that an executor with this fault obeys in place of one.
    #[must_use]
    pub fn program(self, program: Arc<Program>) -> Arc<Program> {
        if self != Self::GoesOnAsNew {
            return program;
        }
        let mut program = Arc::unwrap_or_clone(program);
        let versions = program.rules.iter().zip(program.current_versions());
        let steps: Vec<_> = versions
            .map(|(rule, current)| {
                program.rules.get(current as usize).map_or_else(Vec::new, |current| {
                    if rule.is_former() { current.steps.clone() } else { rule.steps.clone() }
                })
            })
            .collect();
        program.rules.iter_mut().zip(steps).for_each(|(rule, steps)| rule.steps = steps);
        Arc::new(program)
    }
}

/// An executor that does something wrong.
pub struct Planted<E> {
    /// The one that does not.
    pub executor: E,
    /// What is wrong.
    pub fault: Fault,
}

impl<E: Execution<Resting = Box<[u8]>>> Execution for Planted<E> {
    type Customer = E::Customer;
    type Resting = E::Resting;
    type Passage = E::Passage;
    type Reading = E::Reading;

    fn rest(&self, customer: E::Customer, packer: &mut Packer) -> E::Resting {
        let resting = self.executor.rest(customer, packer);
        if self.fault == Fault::ForgetsAtRest && self.executor.id_of(&resting).starts_with('b') {
            let nobody = self.executor.customer(Arc::from(self.executor.id_of(&resting)));
            return self.executor.rest(nobody, packer);
        }
        resting
    }

    fn wake(&self, resting: &mut [u8]) -> E::Customer {
        self.executor.wake(resting)
    }

    fn id_of<'r>(&self, resting: &'r [u8]) -> &'r str {
        self.executor.id_of(resting)
    }

    fn customer(&self, id: Arc<str>) -> E::Customer {
        self.executor.customer(id)
    }

    fn load_profile(
        &self,
        customer: &mut E::Customer,
        at: Millis,
        traits: JsonText<'_>,
        counts: &mut Counts,
    ) {
        self.executor.load_profile(customer, at, traits, counts);
    }

    fn read(&self, incoming: &Incoming<'_>, reading: &mut E::Reading) {
        self.executor.read(incoming, reading);
    }

    fn apply_read(
        &self,
        customer: &mut E::Customer,
        incoming: &Incoming<'_>,
        reading: &mut E::Reading,
        out: &mut Output,
    ) -> Outcome {
        if self.fault == Fault::Skips
            && let Call::Track { event: "B", properties: Some(properties), .. } = incoming.call
            && properties.text().contains("\"k\":\"k3\"")
        {
            return Outcome::Applied;
        }
        if self.fault == Fault::KnowsNoArrival {
            let incoming = Incoming { received_at: None, ..incoming.clone() };
            return self.executor.apply_read(customer, &incoming, reading, out);
        }
        self.executor.apply_read(customer, incoming, reading, out)
    }

    fn advance(&self, customer: &mut E::Customer, until: Millis, out: &mut Output) {
        let until = if self.fault == Fault::TooFar { until + 1 } else { until };
        self.executor.advance(customer, until, out);
    }

    fn overdue(&self, customer: &mut E::Customer, until: Millis, now: Millis, out: &mut Output) {
        if self.fault == Fault::SendsWhileDown {
            self.executor.advance(customer, until, out);
        } else {
            self.executor.overdue(customer, until, now, out);
        }
    }

    fn meeting(&self, customer: &E::Customer, at: Millis) -> Millis {
        self.executor.meeting(customer, at)
    }

    fn merge(&self, into: &mut E::Customer, from: E::Customer, out: &mut Output) {
        self.executor.merge(into, from, out);
    }

    fn next_deadline(&self, customer: &E::Customer) -> Option<Millis> {
        self.executor.next_deadline(customer)
    }

    fn is_member(&self, customer: &E::Customer, segment: SegmentId) -> bool {
        self.executor.is_member(customer, segment)
    }

    fn under_way(&self, customer: &E::Customer) -> BTreeSet<u32> {
        if self.fault == Fault::ForgetsRuns { BTreeSet::new() } else { self.executor.under_way(customer) }
    }

    fn passage(&self, before: &Self) -> E::Passage {
        self.executor.passage(&before.executor)
    }

    fn to_fill(&self, before: &Self, passage: &E::Passage) -> Reach {
        self.executor.to_fill(&before.executor, passage)
    }

    fn begin(
        &self,
        (before, passage): (&Self, &E::Passage),
        customer: &E::Customer,
        log_from: Millis,
    ) -> E::Customer {
        self.executor.begin((&before.executor, passage), customer, log_from)
    }

    fn carry(
        &self,
        (before, passage): (&Self, &E::Passage),
        customer: E::Customer,
        told: E::Customer,
        out: &mut Output,
    ) -> E::Customer {
        let customer = match self.fault {
            Fault::KeepsNothing => before.renewed(customer, 0),
            _ => customer,
        };
        let told = match self.fault {
            Fault::FillsNothing => self.renewed(told, 0),
            Fault::FillsTwice => self.renewed(told, 2),
            _ => told,
        };
        if self.fault == Fault::EndsUntold {
            return self.executor.carry((&before.executor, passage), customer, told, &mut Output::default());
        }
        self.executor.carry((&before.executor, passage), customer, told, out)
    }

    fn goals(&self, customer: &E::Customer) -> Vec<goal::Outcome> {
        self.executor.goals(customer)
    }
}

impl<E: Execution<Resting = Box<[u8]>>> Planted<E> {
    /// A customer of whom is known what is known of one, so many times.
    fn renewed(&self, customer: E::Customer, times: usize) -> E::Customer {
        let resting = self.executor.rest(customer, &mut Packer::default());
        let mut all = (0..times).map(|_| self.executor.wake(&mut resting.clone()));
        let nobody = || self.executor.customer(Arc::from(self.executor.id_of(&resting)));
        let mut renewed = all.next().unwrap_or_else(nobody);
        for again in all {
            // At a time so early that none passes.
            join(&self.executor, &mut renewed, again, Millis::MIN / 2, &mut Output::silent());
        }
        renewed
    }
}
