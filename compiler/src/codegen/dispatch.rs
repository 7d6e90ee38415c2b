//! Dispatch on a text: of many conditions that demand different constants of one field, an event comes past those of its
//! own constant only.

use super::function::Function;
use crate::{
    abi::FIRST_TEXT_TAG,
    plan::{Class, FrameRef, Node, NodeId, TextId},
};
use cranelift_codegen::ir::InstBuilder;
use cranelift_frontend::Switch;
use cranelift_module::Module;
use std::collections::BTreeMap;

/// From how many conditions on a field a jump pays.
const WORTH_A_JUMP: usize = 4;

/// Things with a condition each, parted by what they demand of the event.
pub(super) struct Dispatch<T> {
    /// Those that nothing is known of, in their order.
    pub(super) plain: Vec<T>,
    /// By slot and constant.
    pub(super) keyed: BTreeMap<u32, BTreeMap<TextId, Vec<T>>>,
}

impl<M: Module> Function<'_, M> {
    /// Parts things by the constant that their conditions demand of a slot.
    pub(super) fn dispatch<T>(&self, things: Vec<T>, filters: impl Fn(&T) -> Vec<NodeId>) -> Dispatch<T> {
        let mut keyed: BTreeMap<u32, BTreeMap<TextId, Vec<T>>> = BTreeMap::new();
        let mut plain = Vec::new();
        for thing in things {
            let mut keys = filters(&thing).into_iter().map(|filter| self.demanded(filter));
            match keys.next().flatten() {
                Some((slot, text)) if keys.all(|key| key == Some((slot, text))) => {
                    keyed.entry(slot).or_default().entry(text).or_default().push(thing);
                }
                _ => plain.push(thing),
            }
        }
        let few = |arms: &BTreeMap<TextId, Vec<T>>| arms.values().map(Vec::len).sum::<usize>() < WORTH_A_JUMP;
        for (_, arms) in keyed.extract_if(.., |_, arms| few(arms)) {
            plain.extend(arms.into_values().flatten());
        }
        Dispatch { plain, keyed }
    }

    /// The slot of the event and the constant that it must equal for a condition to hold.
    fn demanded(&self, filter: NodeId) -> Option<(u32, TextId)> {
        match self.plan_node(filter) {
            Node::And(parts) => parts.iter().find_map(|part| self.demanded(*part)),
            Node::SameText(left, right) => match (self.plan_node(*left), self.plan_node(*right)) {
                (Node::Slot { frame: FrameRef::This, slot, .. }, Node::Text(text))
                | (Node::Text(text), Node::Slot { frame: FrameRef::This, slot, .. }) => Some((*slot, *text)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Jumps to what belongs to the text in a slot.
    pub(super) fn jump<T>(
        &mut self,
        slot: u32,
        arms: &BTreeMap<TextId, Vec<T>>,
        mut arm: impl FnMut(&mut Self, &[T]),
    ) {
        let tag = self.slot(FrameRef::This, slot, Class::Text).tag;
        let after = self.builder.create_block();
        let mut switch = Switch::new();
        let blocks: Vec<_> = arms.keys().map(|text| (*text, self.builder.create_block())).collect();
        for (text, block) in &blocks {
            switch.set_entry(u128::from(text.0) + FIRST_TEXT_TAG.unsigned_abs() as u128, *block);
        }
        switch.emit(&mut self.builder, tag, after);
        for ((_, block), things) in blocks.into_iter().zip(arms.values()) {
            self.enter(block);
            self.branch(|function| arm(function, things));
            self.builder.ins().jump(after, &[]);
        }
        self.enter(after);
    }
}
