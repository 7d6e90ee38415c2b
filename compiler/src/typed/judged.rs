//! What is judged at every instant, in order.

use super::{Expr, ExprKind, HeldId, LetId, Program, SegmentId, visit};
use std::collections::BTreeSet;

/// Something whose level is kept from instant to instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// A condition that must hold without a break.
    Held(HeldId),
    /// A segment.
    Segment(SegmentId),
}

impl Program {
    /// All segments in their order, and all conditions that must hold without a break, each before what asks how long it
    /// has held.
    #[must_use]
    pub fn judged(&self) -> Vec<Judged> {
        let mut order = Vec::new();
        let mut placed = BTreeSet::new();
        let mut place = |all: BTreeSet<HeldId>, order: &mut Vec<Judged>| {
            // A condition within another one was checked before it and has the smaller number.
            order.extend(all.into_iter().filter(|id| placed.insert(*id)).map(Judged::Held));
        };
        for (segment, number) in self.segments.iter().zip(0..) {
            let mut found = Found::default();
            found.gather(self, &segment.condition);
            place(found.held, &mut order);
            order.push(Judged::Segment(SegmentId(number)));
        }
        let count = u32::try_from(self.held.len()).unwrap_or(u32::MAX);
        place((0..count).map(HeldId).collect(), &mut order);
        order
    }
}

#[derive(Default)]
struct Found {
    held: BTreeSet<HeldId>,
    lets: BTreeSet<LetId>,
}

impl Found {
    fn gather(&mut self, program: &Program, expr: &Expr) {
        let mut lets = Vec::new();
        visit::expression(expr, &mut |part| match &part.kind {
            ExprKind::Held { id, .. } => {
                self.held.insert(*id);
            }
            ExprKind::Let(id) => lets.push(*id),
            _ => {}
        });
        for id in lets {
            let Some(definition) = program.lets.get(id.0 as usize).filter(|_| self.lets.insert(id)) else {
                continue;
            };
            for (value, condition) in &definition.arms {
                self.gather(program, value);
                self.gather(program, condition);
            }
            self.gather(program, &definition.value);
        }
    }
}
