//! Goals: whether customers did what a rule is for.

use super::{Engine, customer::Customer, frame::Frame, instant::Moment, run::Run};
use segue_compiler::value::Millis;
use std::sync::Arc;

impl Engine {
    /// A run sends, or would at that instant, were the customer not held out; the first message of a run counts.
    pub(super) fn begin_goal(
        &self,
        customer: &mut Customer,
        run: &mut Run<'_>,
        (held_out, at): (bool, Millis),
        moment: &mut Moment<'_>,
    ) {
        let Some(goal) = &run.plan.goal else { return };
        if std::mem::replace(&mut run.memory.has_sent, true) {
            return;
        }
        let mut found = run.memory.completed.clone().filter(|_| goal.of_trigger);
        for event in found.iter_mut().flat_map(|found| &mut found.events) {
            *event = Arc::new(event.cut());
        }
        let stamp = (at, customer.order());
        let forgotten = customer.goals.entry(self.current(run.memory.rule)).begin(stamp, held_out, found);
        moment.out.counts.goals_forgotten += u64::from(forgotten);
    }

    /// An event is applied, late or not: it may be what a rule is for.
    pub(super) fn follow_goals(&self, customer: &mut Customer, event: &Frame, now: Millis) {
        // Most customers wait for no goal at most times.
        let open: Vec<u32> = customer
            .goals
            .iter()
            .filter(|(_, progress)| !progress.runs.is_empty())
            .map(|(number, _)| number)
            .collect();
        for number in open {
            let rule = self.machine.plan.rules.get(number as usize);
            let Some(goal) = rule.and_then(|rule| rule.goal.as_ref()) else { continue };
            if !goal.event.concerns(event.event) {
                continue;
            }
            let mut progress = std::mem::take(customer.goals.entry(number));
            progress.happened(event.stamp(), goal.within, |found| {
                let opened = found.map(|found| found.open(&self.machine));
                self.hears(customer, &goal.event, opened.as_ref(), event, now)
            });
            customer.goals.set(number, progress);
        }
    }
}
