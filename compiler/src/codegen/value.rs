//! Values.

use super::function::{Computed, Function, Pair, word_offset};
use crate::{
    abi::{
        FIRST_TEXT_TAG, FRAME_ANSWER, FRAME_ELEMENTS, FRAME_THIS, FRAME_TRIGGER, HostFunction, SPACE_SHIFT,
        Space, offset,
    },
    plan::{CellKind, Class, FrameRef, NEVER, Node, NodeId, Operation, UNSEEN},
    value::MILLIONTHS,
};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, condcodes::IntCC, types::I64};
use cranelift_module::Module;

impl<M: Module> Function<'_, M> {
    /// A value.
    pub(super) fn value(&mut self, id: NodeId) -> Pair {
        if let Some(Computed::Value(pair)) = self.known.get(&id) {
            return *pair;
        }
        let pair = self.compute_value(id);
        self.remember(id, Computed::Value(pair));
        pair
    }

    fn compute_value(&mut self, id: NodeId) -> Pair {
        match self.plan_node(id) {
            Node::Missing => self.missing(),
            Node::Word(word) => Pair { tag: self.constant(1), word: self.constant(*word) },
            Node::Text(text) => Pair {
                tag: self.constant(FIRST_TEXT_TAG + i64::from(text.0)),
                word: self.constant(handle(Space::Constants as i64, text.0)),
            },
            Node::Slot { frame, slot, class } => self.slot(*frame, *slot, *class),
            Node::Profile { slot, class } => {
                let first = self.plan.record.profile_words + 2 * slot;
                let (tag, word) = (self.word(first), self.word(first + 1));
                let word = self.place(word, *class, Space::Profile as i64);
                Pair { tag, word }
            }
            Node::Consent { .. } => {
                let node = self.constant(i64::from(id.0));
                self.fetch(HostFunction::Consent, &[node])
            }
            Node::Choose { arms, otherwise, class: _ } => self.choose(arms, *otherwise),
            Node::Arithmetic { operation, left, right } => self.arithmetic(id, *operation, *left, *right),
            Node::Call { argument, .. } | Node::LocalDay(argument) => {
                let Pair { tag, word } = self.value(*argument);
                let node = self.constant(i64::from(id.0));
                self.fetch(HostFunction::Call, &[node, tag, word])
            }
            Node::Coalesce(left, right) => {
                let (l, r) = (self.value(*left), self.value(*right));
                let known = self.builder.ins().icmp_imm_s(IntCC::NotEqual, l.tag, 0);
                let tag = self.builder.ins().select(known, l.tag, r.tag);
                let word = self.builder.ins().select(known, l.word, r.word);
                Pair { tag, word }
            }
            Node::FromCondition(condition) => {
                let holds = self.condition(*condition);
                let word = self.builder.ins().uextend(I64, holds);
                Pair { tag: self.constant(1), word }
            }
            Node::Counter(cell) => match self.plan.cell(*cell).map(|cell| &cell.kind) {
                Some(CellKind::Counter { word }) => {
                    let count = self.word(*word);
                    let word = self.builder.ins().imul_imm_s(count, MILLIONTHS);
                    Pair { tag: self.constant(1), word }
                }
                _ => self.missing(),
            },
            Node::Moment(cell) => match self.plan.cell(*cell).map(|cell| &cell.kind) {
                Some(CellKind::Moment { word, first }) => {
                    let at = self.word(*word);
                    let none = if *first { UNSEEN } else { NEVER };
                    let known = self.builder.ins().icmp_imm_s(IntCC::NotEqual, at, none);
                    let tag = self.builder.ins().uextend(I64, known);
                    Pair { tag, word: at }
                }
                _ => self.missing(),
            },
            Node::Nth(_) | Node::Total(..) | Node::Window { .. } | Node::Days { .. } | Node::Habit(..) => {
                let node = self.constant(i64::from(id.0));
                self.fetch(HostFunction::Aggregate, &[node])
            }
            Node::Query { filter, .. } => self.query(id, *filter),
            Node::Since(moment) => {
                let Pair { tag, word } = self.value(*moment);
                let word = self.builder.ins().isub(self.now, word);
                Pair { tag, word }
            }
            // INVARIANT: the verifier finds conditions where values belong.
            _ => self.missing(),
        }
    }

    fn missing(&mut self) -> Pair {
        Pair { tag: self.constant(0), word: self.constant(0) }
    }

    /// A slot of a frame.
    pub(super) fn slot(&mut self, frame: FrameRef, slot: u32, class: Class) -> Pair {
        let (frame, space) = match frame {
            FrameRef::This => (self.frame(FRAME_THIS), Space::This as i64),
            FrameRef::Trigger => (self.frame(FRAME_TRIGGER), Space::Trigger as i64),
            FrameRef::Answer => (self.frame(FRAME_ANSWER), Space::Answer as i64),
            FrameRef::Element(number) => {
                (self.frame(FRAME_ELEMENTS + number), Space::Elements as i64 + i64::from(number))
            }
            // A row's texts are given as handles of temporaries.
            FrameRef::Row => (self.builder.ins().load(I64, MemFlagsData::new(), self.header, offset::ROW), 0),
        };
        let start = i32::try_from(slot).unwrap_or(i32::MAX / offset::SLOT) * offset::SLOT;
        // Row memory is written by the host between reads; frames do not change during a call.
        let flags = MemFlagsData::new();
        let tag = self.builder.ins().load(I64, flags, frame, start + offset::SLOT_TAG);
        let word = self.builder.ins().load(I64, flags, frame, start + offset::SLOT_WORD);
        let word = if space == 0 { word } else { self.place(word, class, space) };
        Pair { tag, word }
    }

    fn frame(&mut self, number: u32) -> Value {
        self.builder.ins().load(I64, MemFlagsData::trusted(), self.frames, word_offset(number))
    }

    /// The handle of a text, list or object from its place within a space; other words are themselves.
    fn place(&mut self, word: Value, class: Class, space: i64) -> Value {
        if class.is_handle() { self.builder.ins().bor_imm_s(word, space << SPACE_SHIFT) } else { word }
    }

    fn choose(&mut self, arms: &[(NodeId, NodeId)], otherwise: NodeId) -> Pair {
        let Some(((condition, value), rest)) = arms.split_first() else { return self.value(otherwise) };
        let holds = self.condition(*condition);
        let pair = |Pair { tag, word }: Pair| [tag, word];
        let [tag, word] = self.select(
            holds,
            [I64, I64],
            |it| pair(it.value(*value)),
            |it| pair(it.choose(rest, otherwise)),
        );
        Pair { tag, word }
    }

    fn arithmetic(&mut self, id: NodeId, operation: Operation, left: NodeId, right: NodeId) -> Pair {
        let (l, r) = (self.value(left), self.value(right));
        let known = self.both_known(l, r);
        match operation {
            Operation::Add | Operation::Subtract => {
                let add = operation == Operation::Add;
                let word = if add {
                    self.builder.ins().iadd(l.word, r.word)
                } else {
                    self.builder.ins().isub(l.word, r.word)
                };
                // Out of range: the sign of the result differs from what the operands' signs demand.
                let from_left = self.builder.ins().bxor(l.word, word);
                let against = if add {
                    self.builder.ins().bxor(r.word, word)
                } else {
                    self.builder.ins().bxor(l.word, r.word)
                };
                let both = self.builder.ins().band(from_left, against);
                let fits = self.builder.ins().icmp_imm_s(IntCC::SignedGreaterThanOrEqual, both, 0);
                let known = self.builder.ins().band(known, fits);
                Pair { tag: self.builder.ins().uextend(I64, known), word }
            }
            Operation::Multiply | Operation::Divide | Operation::Scale | Operation::Shrink => {
                let node = self.constant(i64::from(id.0));
                let [tag, word] = self.select(
                    known,
                    [I64, I64],
                    |it| {
                        let Pair { tag, word } = it.fetch(HostFunction::Arithmetic, &[node, l.word, r.word]);
                        [tag, word]
                    },
                    |it| [it.constant(0), it.constant(0)],
                );
                Pair { tag, word }
            }
        }
    }
}

/// A handle known when code is made.
fn handle(space: i64, place: u32) -> i64 {
    space << SPACE_SHIFT | i64::from(place)
}
