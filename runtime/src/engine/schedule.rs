//! When schedules come round for a customer.

use super::{Engine, customer::Customer, sparse::Sparse};
use segue_compiler::{
    packed,
    plan::{Plan, SchedulePlan},
    schedule::Occurrence,
    typed::ScheduleId,
    value::{Millis, Value},
};

/// What is remembered of schedules.
#[derive(Clone, Debug)]
pub(super) struct Schedules {
    /// The latest instant of which every occurrence has been.
    passed: Millis,
    /// The next occurrence of any schedule.
    pub(super) next: Option<Millis>,
    /// Whether the next occurrence must be found out, because of a change of the profile.
    is_stale: bool,
    /// The mark of the last occurrence, by schedule.
    done: Sparse<i64>,
}

packed!(Schedules { passed, next, is_stale, done });

impl Schedules {
    /// `None` where there is nothing to remember.
    pub(super) fn new(plan: &Plan) -> Option<Self> {
        let schedules = Self { passed: i64::MIN, next: None, is_stale: true, done: Sparse::default() };
        (!plan.schedules.is_empty()).then_some(schedules)
    }
}

impl Schedules {
    /// What is remembered under new rules; `same` gives for each of their schedules the one it was. Where there was none, all
    /// that has been by now has been.
    pub(super) fn carried(
        before: Option<&Self>,
        plan: &Plan,
        same: &[Option<ScheduleId>],
        clock: Option<Millis>,
    ) -> Option<Self> {
        let mut carried = Self::new(plan)?;
        carried.passed = before.map_or(clock.unwrap_or(carried.passed), |before| before.passed);
        for (place, number) in same.iter().zip(0..) {
            if let Some(mark) = place.and_then(|place| before?.done.get(place.0)) {
                carried.done.set(number, *mark);
            }
        }
        Some(carried)
    }

    /// Takes up what has been of another customer, who turned out to be the same.
    pub(super) fn merge(&mut self, other: &Self) {
        let Self { passed, next: _, is_stale: _, done } = other;
        self.passed = self.passed.max(*passed);
        for (schedule, theirs) in done.iter() {
            let mark = self.done.get(schedule).map_or(*theirs, |mine| *mine.max(theirs));
            self.done.set(schedule, mark);
        }
        self.is_stale = true;
    }
}

impl Customer {
    /// The next occurrence must be found out before it is asked for.
    pub(super) fn forget_next_occurrence(&mut self) {
        if let Some(schedules) = &mut self.schedules {
            schedules.is_stale = true;
        }
    }
}

impl Engine {
    /// All occurrences up to and including an instant have been.
    pub(super) fn reach(&self, customer: &mut Customer, instant: Millis) {
        if let Some(schedules) = &mut customer.schedules {
            schedules.passed = schedules.passed.max(instant);
        }
    }

    /// The schedules that come round at an instant.
    pub(super) fn pass_schedules(&self, customer: &mut Customer, now: Millis) -> Vec<ScheduleId> {
        let mut due = Vec::new();
        if customer.schedules.as_ref().is_some_and(|schedules| schedules.next.is_some_and(|next| next <= now))
        {
            due = self.occurrences(customer);
            due.retain(|(_, occurrence)| occurrence.at == now);
        }
        if let Some(schedules) = &mut customer.schedules {
            for (schedule, occurrence) in &due {
                schedules.done.set(schedule.0, occurrence.mark);
                schedules.is_stale = true;
            }
            schedules.passed = schedules.passed.max(now);
        }
        due.into_iter().map(|(schedule, _)| schedule).collect()
    }

    /// Finds out the next occurrence, where it may have changed.
    pub(super) fn plan_schedules(&self, customer: &mut Customer) {
        if !customer.schedules.as_ref().is_some_and(|schedules| schedules.is_stale) || !customer.is_seen() {
            return;
        }
        let next = self.occurrences(customer).iter().map(|(_, occurrence)| occurrence.at).min();
        if let Some(schedules) = &mut customer.schedules {
            schedules.next = next;
            schedules.is_stale = false;
        }
    }

    /// The next occurrence of each schedule.
    fn occurrences(&self, customer: &Customer) -> Vec<(ScheduleId, Occurrence)> {
        let Some(schedules) = &customer.schedules else { return Vec::new() };
        let zone = self.zone(customer);
        let from = schedules.passed.saturating_add(1);
        let next = |(plan, number): (&SchedulePlan, u32)| {
            let date = plan.schedule.date();
            let value = date.and_then(|date| Some(customer.field(&self.program, date.field)?.at(&date.path)));
            let done = schedules.done.get(number).copied();
            let next = plan.schedule.next(&value.unwrap_or(Value::Missing), zone, from, done)?;
            Some((ScheduleId(number), next))
        };
        self.machine.plan.schedules.iter().zip(0..).filter_map(next).collect()
    }
}
