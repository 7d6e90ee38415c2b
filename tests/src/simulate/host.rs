//! What can be seen of whoever hosts the customers of a simulated world, and the simplest host there is.

use crate::{changing::Changing, drive::Driven};
use segue_compiler::{
    execution::{Counts, Execution},
    goal,
    record::Record,
    typed::Program,
};
use std::{collections::BTreeMap, sync::Arc};

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
    /// How many runs were ended by a change of rules.
    pub ended: u64,
    /// By customer, what came of goals, where there are some.
    pub goals: BTreeMap<String, Vec<goal::Outcome>>,
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
        if self.goals != other.goals {
            format!("goals\n  reference: {:?}\n  host:      {:?}", self.goals, other.goals)
        } else if self.members == other.members {
            let print = |it: &Self| {
                let Self { outcomes, fired, ended, customers, .. } = it;
                format!("{outcomes:?}, {fired} runs, {ended} ended by changes, {customers} customers")
            };
            format!("calls, runs and customers\n  reference: {}\n  host:      {}", print(self), print(other))
        } else {
            format!("members\n  reference: {:?}\n  host:      {:?}", self.members, other.members)
        }
    }
}

/// The simplest host: everybody rests between any two entries, and everybody is woken when time comes on.
///
/// # Panics
/// Never: its executors can be made.
#[must_use]
pub fn plain<E: Execution>(
    first: Arc<Program>,
    changing: &Changing<'_>,
    make: &dyn Fn(Arc<Program>) -> E,
) -> Told {
    let (driven, counts, program) = changing.drive(&|program| Ok(make(program)), first).unwrap();
    Told::of(driven, counts, &program)
}

impl Told {
    /// What the simplest host tells.
    fn of(driven: Driven, counts: Counts, program: &Program) -> Self {
        let Driven { records, members: segments, fired, mut goals, outcomes, settled } = driven;
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
        goals.retain(|_, outcomes| !outcomes.is_empty());
        let (customers, fired) = (segments.len(), fired.len() as u64);
        Self { records, members, customers, outcomes: counted, fired, ended: counts.runs_ended, goals }
    }
}
