//! Goals: whether customers did what a rule is for.

use super::{Engine, customer::Customer, frame::Frame, host::Occasion};
use segue_compiler::{execution::Counts, value::Millis};

impl Engine {
    /// A run of a rule sent its first message, or would have at that instant, were the customer not held out.
    pub(super) fn begin_goal(
        &self,
        customer: &mut Customer,
        rule: u32,
        (held_out, at): (bool, Millis),
        counts: &mut Counts,
    ) {
        let stamp = (at, customer.order());
        counts.goals_forgotten += u64::from(customer.goals.entry(rule).begin(stamp, held_out));
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
            let concerns = |events: &Vec<_>| event.event.is_some_and(|event| events.contains(&event));
            if !goal.events.as_ref().is_none_or(concerns) {
                continue;
            }
            let occasion = Occasion { now, event: Some((event, true)), ..Occasion::default() };
            let holds =
                |condition| self.run(customer, occasion, None, |code, call| code.holds(condition, call)).0;
            if goal.filter.is_none_or(holds)
                && let Some(progress) = customer.goals.get_mut(number)
            {
                progress.happened(event.stamp(), goal.within);
            }
        }
    }
}
