//! Events of nobody: how conditions are asked of an event without a customer.

use super::{
    Engine,
    frame::Tracked,
    host::{Alone, Asked},
};
use segue_compiler::{
    abi::{FIRST_TEXT_TAG, Slot},
    codegen::looks_at_frames_only,
    execution::Counts,
    json::JsonText,
    plan::{Class, FIXED_SLOTS, Node, NodeId, Plan},
    typed::EventId,
    value::{Millis, Value},
};
use std::{collections::BTreeSet, sync::Arc};

/// The text constants that a slot is compared with, by [`key`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Constants(Box<[Constant]>);

/// A text constant.
#[derive(Clone, Debug)]
struct Constant {
    key: (usize, u64),
    text: Arc<str>,
    tag: i64,
}

impl Constants {
    /// Those of a slot, of whichever event it is.
    fn of(plan: &Plan, slot: u32) -> Self {
        let is_slot =
            |id: &NodeId| matches!(plan.node(*id), Node::Slot { slot: other, .. } if *other == slot);
        let mut compared = BTreeSet::new();
        for node in plan.nodes.iter().filter(|node| node.operands().iter().any(is_slot)) {
            match node {
                Node::SameText(left, right) => {
                    let other = if is_slot(left) { right } else { left };
                    if let Node::Text(text) = plan.node(*other) {
                        compared.insert(text.0);
                    }
                }
                // Other conditions ask whether it is known, or the host about its text.
                node if node.is_condition() => {}
                // The value goes on, and may be compared with any.
                _ => compared.extend((0..).take(plan.texts.len())),
            }
        }
        let constant = |number: u32| {
            let text = plan.texts.get(number as usize)?.clone();
            Some(Constant { key: key(&text), text, tag: FIRST_TEXT_TAG + i64::from(number) })
        };
        let mut constants: Vec<_> = compared.into_iter().filter_map(constant).collect();
        constants.sort_by_key(|constant| constant.key);
        Self(constants.into())
    }

    /// The tag of a text.
    #[inline]
    fn tag(&self, text: &str) -> i64 {
        if self.0.is_empty() {
            return 1;
        }
        let key = key(text);
        if text.len() <= HEAD && self.0.len() <= FEW {
            // Without branches on which of them it is: no processor would foresee them.
            return self.0.iter().fold(1, |tag, constant| {
                let same = (constant.key.0 == key.0) & (constant.key.1 == key.1);
                if same { constant.tag } else { tag }
            });
        }
        let first = self.0.partition_point(|constant| constant.key < key);
        let alike = self.0.iter().skip(first).take_while(|constant| constant.key == key);
        let mut same = alike.filter(|constant| *constant.text == *text);
        same.next().map_or(1, |constant| constant.tag)
    }
}

/// Up to how many constants it is quicker to look at each.
const FEW: usize = 8;
/// How many bytes of a text its key tells.
const HEAD: usize = 8;

/// The length of a text and what it begins with: for short texts, as most constants are, this is all, and comparing two
/// numbers takes less than comparing texts.
#[inline]
fn key(text: &str) -> (usize, u64) {
    let bytes = text.as_bytes();
    let head = match (bytes.first_chunk(), bytes.first_chunk(), bytes.last_chunk()) {
        (Some(head), _, _) => u64::from_le_bytes(*head),
        (None, Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
        }
        _ => bytes.iter().fold(0, |head, byte| head << 8 | u64::from(*byte)),
    };
    (bytes.len(), head)
}

impl Engine {
    /// The event of a name, and an occurrence of it without properties.
    pub(crate) fn alone(&self, event: &str) -> Option<(EventId, Alone)> {
        let id = EventId(self.machine.events.get(event)?);
        Some((id, Alone::new(&self.machine, self.made(id, "", Millis::default(), 0, &[]))))
    }

    /// What is asked for a rule's `only if`.
    pub(crate) fn asked(&self, rule: usize) -> Asked {
        let plan = &self.machine.plan;
        let condition = plan.rules.get(rule).and_then(|rule| rule.only_if);
        let Some(condition) = condition else { return Asked::Never };
        let node = plan.conditions.get(condition.0 as usize);
        match self.machine.code.condition(condition) {
            Some(entry) if node.is_some_and(|node| looks_at_frames_only(plan, *node)) => Asked::Frames(entry),
            Some(_) | None => Asked::Host(condition),
        }
    }

    /// By slot, of whichever event, the constants that it is compared with.
    pub(crate) fn constants(&self) -> Vec<Constants> {
        let plan = &self.machine.plan;
        let slots = plan.layouts.iter().map(|layout| layout.slots).max().unwrap_or(FIXED_SLOTS);
        (0..slots).map(|slot| Constants::of(plan, slot)).collect()
    }

    /// The slot of a field; `None` when no rule looks at it.
    pub(crate) fn slot_of(&self, event: EventId, field: &str) -> Option<(u32, Class)> {
        let position = event.0 as usize;
        let slot = *self.machine.plan.layouts.get(position)?.names.get(field)?;
        let declared = self.program.events.get(position)?.fields.iter().find(|it| &*it.name == field)?;
        Some((slot, Class::of(&declared.ty)))
    }

    /// Reads an event's properties in place of those it had.
    pub(crate) fn read_alone(&self, alone: &mut Alone, event: &str, properties: JsonText<'_>) {
        let tracked = Tracked { name: event, message_id: "", properties: Some(properties), title: None };
        let frame = self.frame(tracked, Millis::default(), 0, &mut Counts::default());
        alone.change(|old| *old = frame);
    }
}

impl Alone {
    /// Makes every property missing.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.change(|frame| {
            if let Some(slots) = frame.slots.get_mut(FIXED_SLOTS as usize..) {
                slots.fill(Slot::default());
            }
        });
    }

    /// Sets the word of a slot; a missing value has none.
    #[inline]
    pub(crate) fn set(&mut self, slot: u32, word: Option<i64>) {
        self.put(slot, word.map_or_else(Slot::default, |word| Slot { tag: 1, word }));
    }

    /// Sets the text of a slot.
    #[inline]
    pub(crate) fn set_text(&mut self, slot: u32, constants: &[Constants], text: &str) {
        let tag = constants.get(slot as usize).map_or(1, |constants| constants.tag(text));
        self.put(slot, Slot { tag, word: i64::from(slot) });
    }

    /// Keeps the text of a slot, for the host.
    pub(crate) fn keep(&mut self, slot: u32, text: &str) {
        self.change(|frame| {
            if let Some(value) = frame.values.get_mut(slot as usize) {
                *value = Value::text(text);
            }
        });
    }

    #[inline]
    fn put(&mut self, slot: u32, filled: Slot) {
        self.change(|frame| {
            if let Some(slot) = frame.slots.get_mut(slot as usize) {
                *slot = filled;
            }
        });
    }
}
