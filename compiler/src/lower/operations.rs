//! The steps of a rule as a flat list of operations with jumps, so that a run's place is a number.

use super::{Lowering, Scope, View};
use crate::{
    plan::{Op, OpKind},
    typed::{Arm, Awaited, Step, StepKind, wait::answer_after},
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
        if let Some(Op {
            kind: OpKind::Jump(to) | OpKind::Unless(_, to) | OpKind::WaitFor { otherwise: to, .. },
            ..
        }) = self.0.get_mut(jump)
        {
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
        let mut scope = scope;
        for step in steps {
            self.step(step, scope, list);
            if let Scope::Rule(view) = scope {
                scope = Scope::Rule(View { answer: answer_after(&step.kind, view.answer), ..view });
            }
        }
    }

    fn wait_for(
        &mut self,
        step: u32,
        (up_to, what): (i64, &'p Awaited),
        (steps, otherwise): (&'p [Step], &'p [Step]),
        scope: Scope<'p>,
        list: &mut List,
    ) {
        let heard = self.awaited(what, scope);
        let wait = list.push(step, OpKind::WaitFor { up_to, heard, otherwise: 0 });
        let answered = match scope {
            Scope::Rule(view) => Scope::Rule(View { answer: Some(&what.pattern.events), ..view }),
            other => other,
        };
        self.steps(steps, answered, list);
        let end = list.push(step, OpKind::Jump(0));
        list.land(wait);
        self.steps(otherwise, scope, list);
        list.land(end);
    }

    fn split(&mut self, step: u32, arms: &'p [Arm], scope: Scope<'p>, list: &mut List) {
        let split = list.push(step, OpKind::Split(Vec::new()));
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        for arm in arms {
            starts.push((arm.share, list.next()));
            self.steps(&arm.steps, scope, list);
            ends.push(list.push(step, OpKind::Jump(0)));
        }
        if let Some(split) = list.0.get_mut(split) {
            split.kind = OpKind::Split(starts);
        }
        ends.into_iter().for_each(|end| list.land(end));
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
            StepKind::Reply { channel, to, content } => OpKind::Reply {
                channel: self.value_id(channel, scope),
                to: to.as_ref().map(|to| self.content_value(to, scope)),
                content: self.content(content, scope),
            },
            StepKind::WaitFor { up_to, what, steps, otherwise } => {
                return self.wait_for(step.number, (*up_to, what), (steps, otherwise), scope, list);
            }
            StepKind::Split(arms) => return self.split(step.number, arms, scope, list),
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
