//! Who hosts the customers of a simulated world.

use super::World;
use crate::drive::{Driven, Driver, Entry};
use segue_compiler::{execution::Execution, record::Record, typed::Program, value::Millis};
use std::{collections::BTreeMap, sync::Arc};

/// A host under test.
pub trait Host {
    /// Takes an entry of the log.
    fn take(&mut self, entry: &Entry);

    /// Carries time on to the end, and tells what came of everything.
    fn finish(self, program: &Program, until: Millis) -> Told;
}

/// What can be seen of a host from outside.
#[derive(Debug, PartialEq)]
pub struct Told {
    /// In order of time, then customer, then happening.
    pub records: Vec<Record>,
    /// By customer, the names of the segments they are in at the end.
    pub members: BTreeMap<String, Vec<String>>,
    /// How many calls became what.
    pub outcomes: BTreeMap<String, usize>,
    /// How many runs started.
    pub fired: usize,
}

impl Told {
    /// The first thing that another host tells otherwise.
    #[must_use]
    pub fn difference(&self, other: &Self) -> String {
        let print = |record: Option<&Record>| match record {
            Some(record) => serde_json::to_string(record).unwrap_or_else(|error| error.to_string()),
            None => "nothing".to_owned(),
        };
        let count = self.records.len().max(other.records.len());
        for number in 0..count {
            let (expected, actual) = (self.records.get(number), other.records.get(number));
            if expected != actual {
                return format!(
                    "record {number}\n  reference: {}\n  host:      {}",
                    print(expected),
                    print(actual)
                );
            }
        }
        if self.members == other.members {
            let [expected, actual] = [self, other].map(|it| format!("{:?}, {} runs", it.outcomes, it.fired));
            format!("calls and runs\n  reference: {expected}\n  host:      {actual}")
        } else {
            format!("members\n  reference: {:?}\n  host:      {:?}", self.members, other.members)
        }
    }
}

/// The simplest host: everybody rests between any two entries, and everybody is woken when time comes on.
pub struct Plain<E: Execution>(Driver<Arc<E>>);

impl<E: Execution> Plain<E> {
    /// Without customers.
    pub fn new(executor: E, world: &World) -> Self {
        Self(Driver::new(Arc::new(executor), None).live(world.settle))
    }
}

impl<E: Execution> Host for Plain<E> {
    fn take(&mut self, entry: &Entry) {
        self.0.take(entry);
    }

    fn finish(self, program: &Program, until: Millis) -> Told {
        let (driven, _) = self.0.until(until).finish(program);
        let Driven { records, members, fired, goals: _, outcomes, settled } = driven;
        let mut counted = BTreeMap::new();
        for outcome in outcomes.into_iter().chain(settled.iter().map(|outcome| format!("{outcome:?}"))) {
            *counted.entry(outcome).or_default() += 1;
        }
        Told { records, members, outcomes: counted, fired: fired.len() }
    }
}
