//! Dispatch on a text: of many conditions that demand different constants of one field, an event comes past those of its
//! own constant only.

use super::function::Function;
use crate::{
    abi::FIRST_TEXT_TAG,
    plan::{Class, FrameRef, Node, NodeId, Plan, TextId},
};
use cranelift_codegen::ir::InstBuilder;
use cranelift_frontend::Switch;
use cranelift_module::Module;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// From how many conditions on a field a jump pays.
const WORTH_A_JUMP: usize = 4;

/// Things with a condition each, parted by what they demand of the event.
pub(super) struct Dispatch<T> {
    /// Those that nothing is known of, in their order.
    pub(super) plain: Vec<T>,
    /// By slot and constant.
    pub(super) keyed: BTreeMap<u32, BTreeMap<TextId, Vec<T>>>,
}

/// What a condition demands of the event: by slot, the constant that it must equal.
type Demands = BTreeMap<u32, TextId>;

impl<M: Module> Function<'_, M> {
    /// Parts things by the constant that their conditions demand of a slot.
    pub(super) fn dispatch<T>(&self, things: Vec<T>, filters: impl Fn(&T) -> Vec<NodeId>) -> Dispatch<T> {
        let demands = |thing: &T| demanded_by_all(self.plan, &filters(thing));
        part(things.into_iter().map(|thing| (demands(&thing), thing)).collect())
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

/// Parts things by what they demand: by the slot of which most different constants are demanded, then what is left by the next
/// such slot, as long as a jump pays.
fn part<T>(mut things: Vec<(Demands, T)>) -> Dispatch<T> {
    let mut keyed = BTreeMap::new();
    while let Some(slot) = most_selective(&things) {
        let mut arms: BTreeMap<TextId, Vec<T>> = BTreeMap::new();
        let mut left = Vec::new();
        for (demands, thing) in things {
            match demands.get(&slot) {
                Some(text) => arms.entry(*text).or_default().push(thing),
                None => left.push((demands, thing)),
            }
        }
        keyed.insert(slot, arms);
        things = left;
    }
    Dispatch { plain: things.into_iter().map(|(_, thing)| thing).collect(), keyed }
}

/// The slot of which most different constants are demanded, by enough things; of several the first.
fn most_selective<T>(things: &[(Demands, T)]) -> Option<u32> {
    let mut slots: BTreeMap<u32, (BTreeSet<TextId>, usize)> = BTreeMap::new();
    for (slot, text) in things.iter().flat_map(|(demands, _)| demands) {
        let (texts, count) = slots.entry(*slot).or_default();
        texts.insert(*text);
        *count += 1;
    }
    let worth_it = slots.into_iter().filter(|(_, (_, count))| *count >= WORTH_A_JUMP);
    worth_it.min_by_key(|(slot, (texts, _))| (Reverse(texts.len()), *slot)).map(|(slot, _)| slot)
}

/// What every one of some conditions demands.
fn demanded_by_all(plan: &Plan, filters: &[NodeId]) -> Demands {
    let mut all = filters.iter().map(|filter| {
        let mut demands = Demands::new();
        demand(plan, *filter, &mut demands);
        demands
    });
    let mut common = all.next().unwrap_or_default();
    for demands in all {
        common.retain(|slot, text| demands.get(slot) == Some(text));
    }
    common
}

/// Adds what a condition demands. Where it demands two constants of one slot, it never holds, and either will do.
fn demand(plan: &Plan, filter: NodeId, demands: &mut Demands) {
    match plan.node(filter) {
        Node::And(parts) => parts.iter().for_each(|part| demand(plan, *part, demands)),
        Node::SameText(left, right) => {
            if let (Node::Slot { frame: FrameRef::This, slot, .. }, Node::Text(text))
            | (Node::Text(text), Node::Slot { frame: FrameRef::This, slot, .. }) =
                (plan.node(*left), plan.node(*right))
            {
                demands.entry(*slot).or_insert(*text);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        lower::lower,
        plan::CellSource,
        project::{Project, Source, compile},
    };
    use std::fmt::Write;

    /// The conditions of the cells that an event of one kind may feed, parted.
    fn parted(segments: impl Iterator<Item = String>) -> Dispatch<NodeId> {
        let mut text =
            "event \"Ordered\" { country: text, product_id: text, shop: text, total: number }\n".to_owned();
        for (number, condition) in segments.enumerate() {
            writeln!(text, "segment s{number} {{ did \"Ordered\" where ({condition}) in the last 30 days }}")
                .unwrap();
        }
        let source = Source { name: "rules.segue".to_owned(), text };
        let checked = compile(&Project { sources: vec![source], ..Project::default() });
        let plan = lower(&checked.program.expect("no errors"));
        let filters: BTreeSet<NodeId> = plan
            .cells
            .iter()
            .filter_map(|cell| match cell.source {
                CellSource::Events { filter, .. } => Some(filter),
                CellSource::Sequence { .. } => None,
            })
            .collect();
        part(filters.into_iter().map(|it| (demanded_by_all(&plan, &[it]), it)).collect())
    }

    /// By slot, how many arms there are, and how many conditions the longest has.
    fn arms(parted: &Dispatch<NodeId>) -> Vec<(usize, usize)> {
        let longest = |arms: &BTreeMap<TextId, Vec<NodeId>>| arms.values().map(Vec::len).max().unwrap_or(0);
        parted.keyed.values().map(|arms| (arms.len(), longest(arms))).collect()
    }

    #[test]
    fn an_equality_that_all_have_does_not_hide_the_one_that_parts_them() {
        let conditions = (0..1_000).map(|it| format!("country = \"NO\" and product_id = \"p{it}\""));
        let parted = parted(conditions);
        assert_eq!((arms(&parted), parted.plain.len()), (vec![(1_000, 1)], 0));
    }

    #[test]
    fn what_the_first_slot_does_not_part_the_next_does() {
        let products = (0..20).map(|it| format!("shop = \"s{}\" and product_id = \"p{it}\"", it % 3));
        let shops = (0..6).map(|it| format!("shop = \"s{}\" and total > {it}", it % 2));
        let others = (0..3).map(|it| format!("country = \"c{it}\" and total > {it}"));
        let parted = parted(products.chain(shops).chain(others));
        let mut found = arms(&parted);
        found.sort_unstable();
        assert_eq!((found, parted.plain.len()), (vec![(2, 3), (20, 1)], 3), "three are too few for a jump");
    }
}
