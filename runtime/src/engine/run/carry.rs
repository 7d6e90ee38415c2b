//! Runs under way, under new rules.

use super::Waiting;
use crate::engine::{
    Engine,
    carry::Passage,
    customer::{Customer, Runs},
    instant::Moment,
};
use segue_compiler::{execution::Output, succession::counts_from};
use smallvec::SmallVec;
use std::sync::Arc;

impl Engine {
    /// The runs that wait; those that no version goes on with are stopped.
    pub(in crate::engine) fn carry_waiting(
        &self,
        before: &Self,
        passage: &Passage,
        customer: &mut Customer,
        out: &mut Output,
    ) -> Vec<Waiting> {
        let now = customer.clock.unwrap_or_default();
        let mut all = Vec::new();
        for mut run in std::mem::take(&mut customer.waiting) {
            let Some(rule) = passage.matched.runs.get(run.memory.rule as usize).copied().flatten() else {
                out.counts.runs_ended += 1;
                before.stop(customer, run, &mut Moment { now, out, consequences: None });
                continue;
            };
            run.memory.rule = rule;
            run.memory.completed =
                run.memory.completed.map(|it| it.mapped(|event| passage.event(event), |place| place));
            run.memory.answer = run.memory.answer.map(|event| Arc::new(passage.event(&event)));
            all.push(run);
        }
        all.sort_by_key(Waiting::place);
        all
    }

    /// The runs that count for limits: those that counted for the limit of before.
    pub(in crate::engine) fn carry_runs(
        before: &Self,
        passage: &Passage,
        customer: &Customer,
        carried: &mut Customer,
    ) {
        for (number, Runs { started, under_way: _ }) in customer.runs.iter() {
            let limit = before.program.rules.get(number as usize).and_then(|rule| rule.limit);
            let from = customer.clock.and_then(|now| counts_from(limit, now));
            let current = passage.matched.rules.get(number as usize).copied().flatten();
            if let (Some(from), Some(current)) = (from, current) {
                let counting = started.iter().copied().filter(|at| *at >= from);
                let started: std::collections::VecDeque<_> = counting.collect();
                if !started.is_empty() {
                    carried.runs.set(current, Runs { started, under_way: SmallVec::new() });
                }
            }
        }
    }
}

/// The rules that have runs under way.
pub(in crate::engine) fn under_way(customer: &Customer) -> std::collections::BTreeSet<u32> {
    customer.waiting.iter().map(|run| run.memory.rule).collect()
}
