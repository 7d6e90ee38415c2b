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
    /// By segment, who is in it at the end.
    pub members: BTreeMap<String, Vec<String>>,
    /// How many customers there are at the end.
    pub customers: usize,
    /// How many calls became what, those that were held once they settled.
    pub outcomes: BTreeMap<String, u64>,
    /// How many runs started.
    pub fired: u64,
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
            let print =
                |it: &Self| format!("{:?}, {} runs, {} customers", it.outcomes, it.fired, it.customers);
            format!("calls, runs and customers\n  reference: {}\n  host:      {}", print(self), print(other))
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
        let Driven { records, members: segments, fired, goals: _, outcomes, settled } = driven;
        let settled = settled.iter().map(|outcome| format!("{outcome:?}"));
        let mut counted = BTreeMap::new();
        for outcome in outcomes.into_iter().chain(settled).filter(|outcome| outcome != "Held") {
            *counted.entry(outcome).or_default() += 1;
        }
        let mut members: BTreeMap<String, Vec<String>> =
            program.segments.iter().map(|segment| (segment.name.to_string(), Vec::new())).collect();
        for (customer, of) in &segments {
            for segment in of {
                members.entry(segment.clone()).or_default().push(customer.clone());
            }
        }
        Told { records, members, customers: segments.len(), outcomes: counted, fired: fired.len() as u64 }
    }
}
