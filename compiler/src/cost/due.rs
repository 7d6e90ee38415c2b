//! After what something is due because of a declaration: the instants to which time jumps.

use super::Declaration;
use crate::{
    plan::print::duration,
    session::GAP,
    typed::{Expr, ExprKind, LetId, Occurrence, Program, Sequence, StepKind, Trigger, Window, visit},
    value::Value,
};
use std::collections::BTreeSet;

/// What makes time stop for a declaration, in words.
pub(super) fn due(program: &Program, declaration: &Declaration) -> Vec<String> {
    let mut found = Found { program, words: BTreeSet::new(), lets: BTreeSet::new() };
    match declaration {
        // Named values and conditions of rules are asked when something else happens.
        Declaration::Let(_) => {}
        Declaration::Segment(place) => {
            program.segments.get(*place).into_iter().for_each(|it| found.expression(&it.condition));
        }
        Declaration::Rule(place) => {
            let Some(rule) = program.rules.get(*place) else { return Vec::new() };
            match rule.trigger {
                Trigger::Sequence(id) => {
                    program.sequences.get(id.0 as usize).into_iter().for_each(|it| found.sequence(it));
                }
                Trigger::Schedule(id) => {
                    let schedule = program.schedules.get(id.0 as usize);
                    found.words.extend(schedule.map(|schedule| schedule.words(program)));
                }
                Trigger::Enters(_) | Trigger::Leaves(_) | Trigger::Former { .. } => {}
            }
            let mut waits = false;
            visit::each_step(&rule.steps, &mut |step| {
                waits |= matches!(step.kind, StepKind::Wait(_) | StepKind::WaitFor { .. })
            });
            if waits {
                found.words.insert("the end of a wait".to_owned());
            }
        }
    }
    found.words.into_iter().collect()
}

struct Found<'p> {
    program: &'p Program,
    words: BTreeSet<String>,
    lets: BTreeSet<LetId>,
}

impl Found<'_> {
    fn expression(&mut self, expr: &Expr) {
        let mut parts = Vec::new();
        visit::expression(expr, &mut |part| parts.push(part.clone()));
        let lengths: Vec<i64> = parts.iter().filter_map(|part| self.length(part)).collect();
        for part in &parts {
            self.part(part, &lengths);
        }
    }

    /// A length of time that something is compared with.
    fn length(&self, part: &Expr) -> Option<i64> {
        match &part.kind {
            ExprKind::Literal(Value::Duration(length)) => Some(*length),
            _ => None,
        }
    }

    fn part(&mut self, part: &Expr, lengths: &[i64]) {
        match &part.kind {
            ExprKind::Did { what, window, .. } => {
                self.window(*window);
                if let Occurrence::Sequence(id) = what {
                    let program = self.program;
                    program.sequences.get(id.0 as usize).into_iter().for_each(|it| self.sequence(it));
                }
            }
            ExprKind::Count { window, .. }
            | ExprKind::Aggregate { window, .. }
            | ExprKind::LastOf { window, .. } => self.window(*window),
            ExprKind::NoActivity(length) => {
                self.after("last activity", *length);
                self.after("first seen", *length);
            }
            ExprKind::KnownFor(length) => self.after("first seen", *length),
            ExprKind::Held { duration, .. } => self.after("since it holds", *duration),
            ExprKind::TimeSince { .. } => lengths.iter().for_each(|length| self.after("event", *length)),
            ExprKind::Regularly { .. } | ExprKind::Streak { .. } => self.midnight(),
            ExprKind::Let(id) => {
                let program = self.program;
                if let Some(definition) = program.lets.get(id.0 as usize)
                    && self.lets.insert(*id)
                {
                    for (value, condition) in &definition.arms {
                        self.expression(value);
                        self.expression(condition);
                    }
                    self.expression(&definition.value);
                    // A value that is compared here with a length of time.
                    if matches!(definition.value.kind, ExprKind::TimeSince { .. }) {
                        lengths.iter().for_each(|length| self.after("event", *length));
                    }
                }
            }
            _ => {}
        }
    }

    fn window(&mut self, window: Window) {
        match window {
            Window::Last(length) => self.after("event", length),
            Window::Ago { near, far } => {
                self.after("event", near);
                self.after("event", far);
            }
            Window::Calendar(_) => self.midnight(),
            Window::ThisSession => self.after("event", GAP),
            Window::Always | Window::Since(_) | Window::ThisMatch => {}
        }
    }

    fn sequence(&mut self, sequence: &Sequence) {
        if let Some((_, within)) = &sequence.then_no {
            self.after("event", *within);
        }
    }

    fn after(&mut self, what: &str, length: i64) {
        self.words.insert(format!("{what} + {}", duration(length)));
    }

    fn midnight(&mut self) {
        self.words.insert("local midnight".to_owned());
    }
}
