//! The steps of a rule as a flat list of operations with jumps, so that a run's place is a number.

use super::{Lowering, Scope};
use crate::{
    plan::{Op, OpKind},
    typed::{Step, StepKind},
};

/// Operations under construction.
#[derive(Default)]
struct List(Vec<Op>);

impl List {
    /// The position of the next operation.
    fn next(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    fn push(&mut self, step: u32, kind: OpKind) -> usize {
        self.0.push(Op { step, kind });
        self.0.len() - 1
    }

    /// Lets an operation that jumps go on at the next one.
    fn land(&mut self, jump: usize) {
        let next = self.next();
        if let Some(Op { kind: OpKind::Jump(to) | OpKind::Unless(_, to), .. }) = self.0.get_mut(jump) {
            *to = next;
        }
    }
}

impl<'p> Lowering<'p> {
    /// The operations of a rule's steps.
    pub(super) fn operations(&mut self, steps: &'p [Step], scope: Scope<'p>) -> Vec<Op> {
        let mut list = List::default();
        self.steps(steps, scope, &mut list);
        list.0
    }

    fn steps(&mut self, steps: &'p [Step], scope: Scope<'p>, list: &mut List) {
        for step in steps {
            self.step(step, scope, list);
        }
    }

    fn step(&mut self, step: &'p Step, scope: Scope<'p>, list: &mut List) {
        let kind = match &step.kind {
            StepKind::Send { channel, to, content } => OpKind::Send {
                channel: channel.clone(),
                to: to.as_ref().map(|to| self.content_value(to, scope)),
                content: self.content(content, scope),
            },
            StepKind::Call { hook, payload } => {
                OpKind::Call { hook: hook.clone(), payload: self.content(payload, scope) }
            }
            StepKind::Set { field, value } => {
                OpKind::Set { field: *field, value: self.value_id(value, scope) }
            }
            StepKind::SetConsent { channel, topic, granted } => {
                OpKind::SetConsent { channel: channel.clone(), topic: *topic, granted: *granted }
            }
            StepKind::Emit { event, fields } => {
                let fields = fields.iter().map(|(name, value)| (name.clone(), self.value_id(value, scope)));
                OpKind::Emit { event: *event, fields: fields.collect() }
            }
            StepKind::Wait(until) => OpKind::Wait(until.map(|value| self.value_id(value, scope))),
            StepKind::Stop => OpKind::Stop,
            StepKind::If { arms, otherwise } => {
                let mut ends = Vec::new();
                for (condition, steps) in arms {
                    let condition = self.asked(condition, scope);
                    let unless = list.push(step.number, OpKind::Unless(condition, 0));
                    self.steps(steps, scope, list);
                    ends.push(list.push(step.number, OpKind::Jump(0)));
                    list.land(unless);
                }
                self.steps(otherwise, scope, list);
                ends.into_iter().for_each(|end| list.land(end));
                return;
            }
        };
        list.push(step.number, kind);
    }
}
