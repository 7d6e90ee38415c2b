//! When schedules come round for a customer.

use super::{Reference, customer::Customer};
use crate::{
    schedule::Occurrence,
    typed::{Program, ScheduleId},
    value::{Millis, Value},
};

/// What is remembered of schedules.
#[derive(Clone, Debug)]
pub(super) struct Schedules {
    /// The latest instant of which every occurrence has been: what lies there or before it comes no more, also if it
    /// becomes known only now.
    passed: Millis,
    /// The mark of the last occurrence, by [`ScheduleId`].
    done: Vec<Option<i64>>,
}

impl Schedules {
    pub(super) fn new(program: &Program) -> Self {
        Self { passed: i64::MIN, done: vec![None; program.schedules.len()] }
    }

    /// Takes up what has been of another customer, who turned out to be the same.
    pub(super) fn merge(&mut self, other: Self) {
        let Self { passed, done } = other;
        self.reach(passed);
        for (mine, theirs) in self.done.iter_mut().zip(done) {
            *mine = (*mine).max(theirs);
        }
    }

    /// The same under new rules; `same` gives for each of their schedules the one it was. Where there was none, all that has
    /// been by now has been.
    pub(super) fn carried(&self, same: &[Option<ScheduleId>], clock: Option<Millis>, had_some: bool) -> Self {
        let done = |place: &Option<ScheduleId>| self.done.get(place.as_ref()?.0 as usize).copied().flatten();
        let mut carried = Self { passed: self.passed, done: same.iter().map(done).collect() };
        if let Some(clock) = clock.filter(|_| !had_some) {
            carried.reach(clock);
        }
        carried
    }

    /// All occurrences up to and including an instant have been.
    pub(super) fn reach(&mut self, instant: Millis) {
        self.passed = self.passed.max(instant);
    }
}

impl Reference {
    /// The next occurrence of any schedule; there is none of customers who are not known.
    pub(super) fn next_occurrence(&self, customer: &Customer) -> Option<Millis> {
        self.occurrences(customer).into_iter().map(|(_, occurrence)| occurrence.at).min()
    }

    /// The schedules that come round at an instant, before anything happens in it.
    pub(super) fn pass_schedules(&self, customer: &mut Customer, now: Millis) -> Vec<ScheduleId> {
        let due = self.occurrences(customer).into_iter().filter(|(_, occurrence)| occurrence.at == now);
        let mut passed = Vec::new();
        for (schedule, occurrence) in due {
            if let Some(done) = customer.schedules.done.get_mut(schedule.0 as usize) {
                *done = Some(occurrence.mark);
            }
            passed.push(schedule);
        }
        customer.schedules.reach(now);
        passed
    }

    /// The next occurrence of each schedule, by what the profile and the customer's zone are now.
    fn occurrences(&self, customer: &Customer) -> Vec<(ScheduleId, Occurrence)> {
        if customer.first_seen.is_none() {
            return Vec::new();
        }
        let zone = self.zone(customer);
        let from = customer.schedules.passed.saturating_add(1);
        let next = |(schedule, number): (&crate::typed::schedule::Schedule, u32)| {
            let date = schedule.date().map(|date| customer.profile(date.field).at(&date.path));
            let done = customer.schedules.done.get(number as usize).copied().flatten();
            let next = schedule.next(&date.unwrap_or(Value::Missing), &zone, from, done)?;
            Some((ScheduleId(number), next))
        };
        self.program.schedules.iter().zip(0..).filter_map(next).collect()
    }
}
