//! Conditions.

use crate::engine::host::Context;
use segue_compiler::{
    abi::{FIRST_TEXT_TAG, Slot},
    plan::{FIRST_SEEN_WORD, LAST_ACTIVE_WORD, Node, NodeId, Order},
    typed::{Judged, SegmentId},
};

impl Context<'_> {
    /// Whether a condition holds.
    pub(super) fn condition(&mut self, id: NodeId) -> bool {
        let plan = &self.machine.plan;
        match plan.node(id) {
            Node::Constant(holds) => *holds,
            Node::Truth(value) => {
                let Slot { tag, word } = self.node(*value);
                tag & word != 0
            }
            Node::Not(inner) => !self.condition(*inner),
            Node::And(conditions) => conditions.iter().all(|id| self.condition(*id)),
            Node::Or(conditions) => conditions.iter().any(|id| self.condition(*id)),
            Node::AtLeast(count, conditions) => {
                let holding = conditions.iter().filter(|id| self.condition(**id)).count();
                holding >= *count as usize
            }
            Node::Compare(order, left, right) => {
                self.both(*left, *right).is_some_and(|(left, right)| compare(*order, left, right))
            }
            Node::SameText(left, right) => self.same_text(*left, *right),
            Node::SameValue(left, right) => self
                .both(*left, *right)
                .is_some_and(|(left, right)| self.resolve(left) == self.resolve(right)),
            Node::TextTest(_, left, right) => {
                self.both(*left, *right).is_some_and(|(left, right)| self.text_test(id, left, right))
            }
            Node::Matches(text, _) => {
                let Slot { tag, word } = self.node(*text);
                tag != 0 && self.matches(id, word)
            }
            Node::ListContains { list, item, class: _ } => {
                let (list, item) = (self.node(*list), self.node(*item));
                list.tag != 0 && item.tag != 0 && self.list_contains(id, list.word, item.tag, item.word)
            }
            Node::IsKnown(value) => self.node(*value).tag != 0,
            Node::InSegment(segment) => self.level(*segment),
            Node::Held { held, duration } => {
                let holds = self.level(plan.level(Judged::Held(*held)));
                let end = self.word(plan.record.held + held.0).wrapping_add(*duration);
                self.deadline(Some(end).filter(|_| holds));
                holds && end <= self.header.now
            }
            Node::NoActivity(duration) => {
                self.quiet_for(self.word(FIRST_SEEN_WORD).max(self.word(LAST_ACTIVE_WORD)), *duration)
            }
            Node::KnownFor(duration) => self.quiet_for(self.word(FIRST_SEEN_WORD), *duration),
            Node::Within(moment, duration) => {
                let Slot { tag, word } = self.node(*moment);
                self.deadline(Some(word.wrapping_add(*duration)));
                tag != 0 && word > self.header.now.wrapping_sub(*duration)
            }
            Node::Elapsed(order, moment, duration) => {
                let Slot { tag, word } = self.node(*moment);
                let reached = word.wrapping_add(*duration);
                self.deadline(Some(reached));
                self.deadline(Some(reached.wrapping_add(1)));
                tag != 0 && compare(*order, self.header.now.wrapping_sub(word), *duration)
            }
            // INVARIANT: the verifier finds values where conditions belong.
            _ => false,
        }
    }

    /// The words of two values, where both are known.
    fn both(&mut self, left: NodeId, right: NodeId) -> Option<(i64, i64)> {
        let (left, right) = (self.node(left), self.node(right));
        (left.tag != 0 && right.tag != 0).then_some((left.word, right.word))
    }

    /// Texts that are compared with a constant carry its number.
    fn same_text(&mut self, left: NodeId, right: NodeId) -> bool {
        let plan = &self.machine.plan;
        match (plan.node(left), plan.node(right)) {
            (Node::Text(constant), _) => self.node(right).tag == FIRST_TEXT_TAG + i64::from(constant.0),
            (_, Node::Text(constant)) => self.node(left).tag == FIRST_TEXT_TAG + i64::from(constant.0),
            _ => self.both(left, right).is_some_and(|(left, right)| self.text(left) == self.text(right)),
        }
    }

    /// Whether a level is held.
    fn level(&self, level: SegmentId) -> bool {
        self.word(self.machine.plan.record.segments + level.0 / 64) >> (level.0 % 64) & 1 == 1
    }

    /// Whether an instant, which is later than all for whom nothing is known of, is at least so long ago.
    fn quiet_for(&mut self, latest: i64, duration: i64) -> bool {
        self.deadline(Some(latest.wrapping_add(duration)));
        latest <= self.header.now.wrapping_sub(duration)
    }
}

fn compare(order: Order, left: i64, right: i64) -> bool {
    match order {
        Order::Equal => left == right,
        Order::Less => left < right,
        Order::LessOrEqual => left <= right,
        Order::Greater => left > right,
        Order::GreaterOrEqual => left >= right,
    }
}
