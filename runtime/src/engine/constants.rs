//! The text constants that fields are compared with.

use segue_compiler::{
    abi::FIRST_TEXT_TAG,
    plan::{FIXED_SLOTS, Node, Plan, TextId},
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

/// What is known of the constants that a slot is compared with, while a plan is looked through.
#[derive(Clone, Debug, Default)]
struct Compared {
    texts: BTreeSet<TextId>,
    with_all: bool,
}

impl Constants {
    /// By slot, of whichever event, those of a plan.
    pub(super) fn of_slots(plan: &Plan) -> Vec<Self> {
        let slots = plan.layouts.iter().map(|layout| layout.slots).max().unwrap_or(0).max(FIXED_SLOTS);
        let mut compared = vec![Compared::default(); slots as usize];
        for node in &plan.nodes {
            for (place, operand) in node.operands().into_iter().enumerate() {
                let Node::Slot { slot, .. } = plan.node(operand) else { continue };
                let Some(compared) = compared.get_mut(*slot as usize) else { continue };
                match node {
                    Node::SameText(left, right) => {
                        let other = if place == 0 { right } else { left };
                        if let Node::Text(text) = plan.node(*other) {
                            compared.texts.insert(*text);
                        }
                    }
                    // Other conditions ask whether it is known, or the host about its text.
                    node if node.is_condition() => {}
                    // The value goes on, and may be compared with any.
                    _ => compared.with_all = true,
                }
            }
        }
        let all = || (0..).map(TextId).take(plan.texts.len());
        let of = |compared: Compared| {
            if compared.with_all { Self::new(plan, all()) } else { Self::new(plan, compared.texts) }
        };
        compared.into_iter().map(of).collect()
    }

    fn new(plan: &Plan, texts: impl IntoIterator<Item = TextId>) -> Self {
        let constant = |TextId(number): TextId| {
            let text = plan.texts.get(number as usize)?.clone();
            Some(Constant { key: key(&text), text, tag: FIRST_TEXT_TAG + i64::from(number) })
        };
        let mut constants: Vec<_> = texts.into_iter().filter_map(constant).collect();
        constants.sort_by_key(|constant| constant.key);
        Self(constants.into())
    }

    /// The tag of a text.
    #[inline]
    pub(super) fn tag(&self, text: &str) -> i64 {
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
pub(super) const HEAD: usize = 8;

/// The length of a text and what it begins with: for short texts, as most constants are, this is all, and comparing two
/// numbers takes less than comparing texts.
#[inline]
pub(super) fn key(text: &str) -> (usize, u64) {
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
