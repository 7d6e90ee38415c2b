//! Goals: whether customers did what a rule is for, within its time after the first message of a run.

use super::{
    Reference,
    customer::{Customer, Event},
    evaluate::Asked,
    steps::Run,
};
use crate::{execution::Counts, value::Millis};
use std::sync::Arc;

impl Reference {
    /// A run sent a message, or would have at that instant, were the customer not held out; the first of a run counts.
    pub(super) fn begin_goal(
        &self,
        customer: &mut Customer,
        run: &mut Run<'_>,
        (held_out, at): (bool, Millis),
        counts: &mut Counts,
    ) {
        let Some(goal) = &run.rule.goal else { return };
        if std::mem::replace(&mut run.memory.has_sent, true) {
            return;
        }
        // Of what triggered the run as much is kept as of any event that waits.
        let mut found = run.memory.triggered.found.clone().filter(|_| goal.of_trigger);
        for event in found.iter_mut().flat_map(|found| &mut found.events) {
            *event = Arc::new(event.kept());
        }
        let stamp = customer.current_stamp(at);
        let current = u32::try_from(self.current(run.memory.number)).unwrap_or(u32::MAX);
        let progress = customer.goals.entry(current).or_default();
        counts.goals_forgotten += u64::from(progress.begin(stamp, held_out, found));
    }

    /// An event is applied, late or not: it may be what a rule is for.
    pub(super) fn follow_goals(&self, customer: &mut Customer, event: &Event, now: Millis) {
        for (rule, number) in self.program.rules.iter().zip(0..) {
            let Some(goal) = &rule.goal else { continue };
            let Some(mut progress) = customer.goals.remove(&number) else { continue };
            progress.happened(event.stamp, goal.within, |found| {
                Asked { reference: self, customer, now, found, answer: None }.matches(&goal.pattern, event)
            });
            customer.goals.insert(number, progress);
        }
    }
}
