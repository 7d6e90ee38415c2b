//! Values.

use crate::engine::host::Context;
use segue_compiler::{
    abi::{FIRST_TEXT_TAG, SPACE_SHIFT, Slot, Space},
    plan::{CellId, CellKind, Class, FrameRef, NEVER, Node, NodeId, UNSEEN},
    value::MILLIONTHS,
};

/// No value.
const MISSING: Slot = Slot { tag: 0, word: 0 };

impl Context<'_> {
    /// A value.
    pub(super) fn compute(&mut self, id: NodeId) -> Slot {
        let ahead = self.ahead.iter().find(|(other, _)| *other == id);
        if let Some((_, value)) = ahead {
            return *value;
        }
        let machine = self.machine;
        match machine.plan.node(id) {
            Node::Missing => MISSING,
            Node::Word(word) => Slot { tag: 1, word: *word },
            Node::Text(text) => Slot {
                tag: FIRST_TEXT_TAG + i64::from(text.0),
                word: (Space::Constants as i64) << SPACE_SHIFT | i64::from(text.0),
            },
            Node::Slot { frame, slot, class } => self.slot(*frame, *slot, *class),
            Node::Profile { slot, class } => {
                let first = machine.plan.record.profile_words + 2 * slot;
                let (tag, word) = (self.word(first), self.word(first + 1));
                Slot { tag, word: placed(word, *class, Space::Profile as i64) }
            }
            Node::Consent { .. } => {
                self.consent(id);
                self.given()
            }
            Node::Choose { arms, otherwise, class: _ } => {
                let chosen = arms.iter().find(|(condition, _)| self.condition(*condition));
                self.node(chosen.map_or(*otherwise, |(_, value)| *value))
            }
            Node::Arithmetic { left, right, .. } => {
                let (left, right) = (self.node(*left), self.node(*right));
                if left.tag == 0 || right.tag == 0 {
                    return MISSING;
                }
                self.arithmetic(id, left.word, right.word);
                self.given()
            }
            Node::Call { argument, .. } | Node::LocalDay(argument) => {
                let Slot { tag, word } = self.node(*argument);
                self.call(id, tag, word);
                self.given()
            }
            Node::Coalesce(left, right) => {
                let left = self.node(*left);
                if left.tag != 0 { left } else { self.node(*right) }
            }
            Node::FromCondition(condition) => Slot { tag: 1, word: self.condition(*condition).into() },
            Node::Counter(cell) => self.counter(*cell),
            Node::Moment(cell) => self.moment(*cell),
            Node::Nth(_) | Node::Total(..) | Node::Window { .. } | Node::Days { .. } | Node::Habit(..) => {
                self.aggregate(id);
                self.given()
            }
            Node::Query { filter, .. } => self.query(id, *filter),
            Node::Since(moment) => {
                let Slot { tag, word } = self.node(*moment);
                Slot { tag, word: self.header.now.wrapping_sub(word) }
            }
            // INVARIANT: the verifier finds conditions where values belong.
            _ => MISSING,
        }
    }

    /// A slot of a frame.
    fn slot(&self, frame: FrameRef, slot: u32, class: Class) -> Slot {
        let (slots, space): (Option<&[Slot]>, i64) = match frame {
            FrameRef::This => (self.this.map(|event| &*event.slots), Space::This as i64),
            FrameRef::Trigger => {
                let event = self.run.and_then(|run| run.frames.last());
                (event.map(|event| &*event.slots), Space::Trigger as i64)
            }
            FrameRef::Answer => {
                let event = self.run.and_then(|run| run.answer.as_ref());
                (event.map(|event| &*event.slots), Space::Answer as i64)
            }
            FrameRef::Element(number) => {
                let event = self.run.and_then(|run| run.frames.get(number as usize));
                (event.map(|event| &*event.slots), Space::Elements as i64 + i64::from(number))
            }
            // A row's texts are given as handles of temporaries.
            FrameRef::Row => (Some(&self.row_slots), 0),
        };
        let found = slots.and_then(|slots| slots.get(slot as usize)).copied().unwrap_or(MISSING);
        if space == 0 { found } else { Slot { word: placed(found.word, class, space), ..found } }
    }

    fn counter(&self, cell: CellId) -> Slot {
        match self.machine.plan.cell(cell).map(|cell| &cell.kind) {
            Some(CellKind::Counter { word }) => {
                Slot { tag: 1, word: self.word(*word).wrapping_mul(MILLIONTHS) }
            }
            _ => MISSING,
        }
    }

    fn moment(&self, cell: CellId) -> Slot {
        match self.machine.plan.cell(cell).map(|cell| &cell.kind) {
            Some(CellKind::Moment { word, first }) => {
                let at = self.word(*word);
                Slot { tag: i64::from(at != if *first { UNSEEN } else { NEVER }), word: at }
            }
            _ => MISSING,
        }
    }
}

/// The handle of a text, list or object from its place within a space; other words are themselves.
fn placed(word: i64, class: Class, space: i64) -> i64 {
    if class.is_handle() { word | space << SPACE_SHIFT } else { word }
}
