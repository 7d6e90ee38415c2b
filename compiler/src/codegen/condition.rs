//! Conditions.

use super::function::{Computed, Function, Pair};
use crate::{
    abi::{FIRST_TEXT_TAG, HostFunction},
    plan::{FIRST_SEEN_WORD, LAST_ACTIVE_WORD, Node, NodeId, Order},
    typed::{Judged, SegmentId},
};
use cranelift_codegen::ir::{
    InstBuilder, Value,
    condcodes::IntCC,
    types::{I8, I64},
};
use cranelift_module::Module;

impl<M: Module> Function<'_, M> {
    /// Whether a condition holds: 0 or 1 of type `I8`.
    pub(super) fn condition(&mut self, id: NodeId) -> Value {
        if let Some(Computed::Condition(holds)) = self.known.get(&id) {
            return *holds;
        }
        let holds = self.compute_condition(id);
        self.remember(id, Computed::Condition(holds));
        holds
    }

    fn compute_condition(&mut self, id: NodeId) -> Value {
        match self.plan_node(id) {
            Node::Constant(holds) => self.bit(*holds),
            Node::Truth(value) => {
                let Pair { tag, word } = self.value(*value);
                let both = self.builder.ins().band(tag, word);
                self.builder.ins().icmp_imm_s(IntCC::NotEqual, both, 0)
            }
            Node::Not(inner) => {
                let holds = self.condition(*inner);
                self.builder.ins().bxor_imm_s(holds, 1)
            }
            Node::And(conditions) => self.all(conditions, true),
            Node::Or(conditions) => self.all(conditions, false),
            Node::AtLeast(count, conditions) => self.at_least(*count, conditions),
            Node::Compare(order, left, right) => self.compare(*order, *left, *right),
            Node::SameText(left, right) => self.same_text(*left, *right),
            Node::SameValue(left, right) => {
                let (l, r) = (self.value(*left), self.value(*right));
                let known = self.both_known(l, r);
                self.ask_if(known, HostFunction::SameValue, &[l.word, r.word])
            }
            Node::TextTest(_, left, right) => {
                let (l, r) = (self.value(*left), self.value(*right));
                let known = self.both_known(l, r);
                let node = self.constant(i64::from(id.0));
                self.ask_if(known, HostFunction::TextTest, &[node, l.word, r.word])
            }
            Node::Matches(text, _) => {
                let Pair { tag, word } = self.value(*text);
                let known = self.builder.ins().icmp_imm_s(IntCC::NotEqual, tag, 0);
                let node = self.constant(i64::from(id.0));
                self.ask_if(known, HostFunction::Matches, &[node, word])
            }
            Node::ListContains { list, item, class: _ } => {
                let (l, i) = (self.value(*list), self.value(*item));
                let known = self.both_known(l, i);
                let node = self.constant(i64::from(id.0));
                self.ask_if(known, HostFunction::ListContains, &[node, l.word, i.tag, i.word])
            }
            Node::IsKnown(value) => {
                let Pair { tag, word: _ } = self.value(*value);
                self.builder.ins().icmp_imm_s(IntCC::NotEqual, tag, 0)
            }
            Node::InSegment(segment) => self.level(*segment),
            Node::Held { held, duration } => {
                let level = self.level(self.plan.level(Judged::Held(*held)));
                let since = self.word(self.plan.record.held + held.0);
                let end = self.builder.ins().iadd_imm_s(since, *duration);
                let ahead = self.builder.ins().select(level, end, self.now);
                self.deadline(ahead);
                let passed = self.builder.ins().icmp(IntCC::SignedLessThanOrEqual, end, self.now);
                self.builder.ins().band(level, passed)
            }
            Node::NoActivity(duration) => self.quiet_for(*duration, true),
            Node::KnownFor(duration) => self.quiet_for(*duration, false),
            Node::Within(moment, duration) => self.within(*moment, *duration),
            Node::Elapsed(order, moment, duration) => self.elapsed(*order, *moment, *duration),
            // INVARIANT: the verifier finds values where conditions belong.
            _ => self.bit(false),
        }
    }

    /// Whether a level is held, 0 or 1.
    fn level(&mut self, level: SegmentId) -> Value {
        let (offset, bit) = self.segment_place(level);
        let flags = cranelift_codegen::ir::MemFlagsData::trusted();
        let word = self.builder.ins().load(I64, flags, self.record, offset);
        let shifted = self.builder.ins().ushr_imm_u(word, bit);
        let level = self.builder.ins().band_imm_u(shifted, 1);
        self.builder.ins().ireduce(I8, level)
    }

    /// Conjunction (`wanted` true) or disjunction; what is cheap is computed without jumps, and first.
    fn all(&mut self, conditions: &[NodeId], wanted: bool) -> Value {
        let (costly, cheap): (Vec<NodeId>, Vec<NodeId>) =
            conditions.iter().partition(|id| self.is_costly(**id));
        let mut result = None;
        for id in cheap {
            let holds = self.condition(id);
            result = Some(match result {
                None => holds,
                Some(before) if wanted => self.builder.ins().band(before, holds),
                Some(before) => self.builder.ins().bor(before, holds),
            });
        }
        let mut rest = costly.into_iter();
        let first = result.or_else(|| rest.next().map(|id| self.condition(id)));
        let rest: Vec<NodeId> = rest.collect();
        match first {
            Some(first) => self.all_of_rest(first, &rest, wanted),
            None => self.bit(wanted),
        }
    }

    fn all_of_rest(&mut self, before: Value, rest: &[NodeId], wanted: bool) -> Value {
        let Some((next, rest)) = rest.split_first() else { return before };
        let (next, rest) = (*next, rest.to_vec());
        let go_on = move |function: &mut Self| {
            let holds = function.condition(next);
            [function.all_of_rest(holds, &rest, wanted)]
        };
        let stay = |_: &mut Self| [before];
        let [result] = if wanted {
            self.select(before, [I8], go_on, stay)
        } else {
            self.select(before, [I8], stay, go_on)
        };
        result
    }

    fn at_least(&mut self, count: u32, conditions: &[NodeId]) -> Value {
        let mut sum = self.constant(0);
        for id in conditions {
            let holds = self.condition(*id);
            let word = self.builder.ins().uextend(I64, holds);
            sum = self.builder.ins().iadd(sum, word);
        }
        self.builder.ins().icmp_imm_s(IntCC::SignedGreaterThanOrEqual, sum, i64::from(count))
    }

    fn compare(&mut self, order: Order, left: NodeId, right: NodeId) -> Value {
        let (l, r) = (self.value(left), self.value(right));
        let holds = self.builder.ins().icmp(comparison(order), l.word, r.word);
        let known = self.both_known(l, r);
        self.builder.ins().band(holds, known)
    }

    pub(super) fn both_known(&mut self, left: Pair, right: Pair) -> Value {
        let l = self.builder.ins().icmp_imm_s(IntCC::NotEqual, left.tag, 0);
        let r = self.builder.ins().icmp_imm_s(IntCC::NotEqual, right.tag, 0);
        self.builder.ins().band(l, r)
    }

    /// Texts that are compared with a constant carry its number.
    fn same_text(&mut self, left: NodeId, right: NodeId) -> Value {
        match (self.plan_node(left), self.plan_node(right)) {
            (Node::Text(constant), _) => self.is_text(right, i64::from(constant.0)),
            (_, Node::Text(constant)) => self.is_text(left, i64::from(constant.0)),
            _ => {
                let (l, r) = (self.value(left), self.value(right));
                let known = self.both_known(l, r);
                self.ask_if(known, HostFunction::SameText, &[l.word, r.word])
            }
        }
    }

    fn is_text(&mut self, id: NodeId, constant: i64) -> Value {
        let Pair { tag, word: _ } = self.value(id);
        self.builder.ins().icmp_imm_s(IntCC::Equal, tag, FIRST_TEXT_TAG + constant)
    }

    /// Asks the host only if all that it would be asked about is known.
    fn ask_if(&mut self, known: Value, function: HostFunction, arguments: &[Value]) -> Value {
        let arguments = arguments.to_vec();
        let [holds] = self.select(known, [I8], |it| [it.ask(function, &arguments)], |it| [it.bit(false)]);
        holds
    }

    /// First seen, and for `no activity` also last active, at least so long ago.
    fn quiet_for(&mut self, duration: i64, activity: bool) -> Value {
        let seen = self.word(FIRST_SEEN_WORD);
        let latest = if activity {
            let active = self.word(LAST_ACTIVE_WORD);
            self.builder.ins().smax(seen, active)
        } else {
            seen
        };
        // An unseen customer has the latest time of all, so that the sum wraps to the distant past: no deadline.
        let at = self.builder.ins().iadd_imm_s(latest, duration);
        self.deadline(at);
        let horizon = self.builder.ins().iadd_imm_s(self.now, -duration);
        self.builder.ins().icmp(IntCC::SignedLessThanOrEqual, latest, horizon)
    }

    fn within(&mut self, moment: NodeId, duration: i64) -> Value {
        let Pair { tag, word } = self.value(moment);
        let end = self.builder.ins().iadd_imm_s(word, duration);
        self.deadline(end);
        let horizon = self.builder.ins().iadd_imm_s(self.now, -duration);
        let recent = self.builder.ins().icmp(IntCC::SignedGreaterThan, word, horizon);
        let known = self.builder.ins().icmp_imm_s(IntCC::NotEqual, tag, 0);
        self.builder.ins().band(recent, known)
    }

    fn elapsed(&mut self, order: Order, moment: NodeId, duration: i64) -> Value {
        let Pair { tag, word } = self.value(moment);
        let reached = self.builder.ins().iadd_imm_s(word, duration);
        self.deadline(reached);
        let passed = self.builder.ins().iadd_imm_s(reached, 1);
        self.deadline(passed);
        let elapsed = self.builder.ins().isub(self.now, word);
        let holds = self.builder.ins().icmp_imm_s(comparison(order), elapsed, duration);
        let known = self.builder.ins().icmp_imm_s(IntCC::NotEqual, tag, 0);
        self.builder.ins().band(holds, known)
    }
}

fn comparison(order: Order) -> IntCC {
    match order {
        Order::Equal => IntCC::Equal,
        Order::Less => IntCC::SignedLessThan,
        Order::LessOrEqual => IntCC::SignedLessThanOrEqual,
        Order::Greater => IntCC::SignedGreaterThan,
        Order::GreaterOrEqual => IntCC::SignedGreaterThanOrEqual,
    }
}
