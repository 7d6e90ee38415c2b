//! The text constants that fields are compared with.

use segue_compiler::{
    abi::FIRST_TEXT_TAG,
    plan::{FIXED_SLOTS, Node, Plan, TextId},
};
use std::{collections::BTreeSet, hint::select_unpredictable, sync::Arc};

/// The text constants that a slot is compared with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Constants {
    /// Where there are few, those whose keys are all of them.
    short: Box<[(Key, i64)]>,
    /// All others, by key, with their tags.
    others: Box<[(Key, Arc<str>, i64)]>,
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
            Some((key(&text), text, FIRST_TEXT_TAG + i64::from(number)))
        };
        let constants = texts.into_iter().filter_map(constant);
        let (mut short, mut others): (Vec<_>, Vec<_>) =
            constants.partition(|(_, text, _)| text.len() <= HEAD);
        if short.len() > FEW {
            others.append(&mut short);
        }
        others.sort_by_key(|(key, ..)| *key);
        Self { short: short.into_iter().map(|(key, _, tag)| (key, tag)).collect(), others: others.into() }
    }

    /// The tag of a text.
    #[inline(always)]
    pub(super) fn tag(&self, text: &str) -> i64 {
        if self.others.is_empty() { self.tag_of_short(text) } else { self.tag_of_any(text) }
    }

    #[inline(always)]
    fn tag_of_short(&self, text: &str) -> i64 {
        if self.short.is_empty() {
            return 1;
        }
        let key = key(text);
        // Without branches on which of them it is: no processor would foresee them.
        self.short.iter().fold(1, |tag, (other, its)| {
            let same = (other.0 == key.0) & (other.1 == key.1);
            select_unpredictable(same, *its, tag)
        })
    }

    #[inline(never)]
    fn tag_of_any(&self, text: &str) -> i64 {
        let key = key(text);
        let first = self.others.partition_point(|(other, ..)| *other < key);
        let alike = self.others.iter().skip(first).take_while(|(other, ..)| *other == key);
        let mut same = alike.filter(|(_, other, _)| **other == *text);
        same.next().map_or_else(|| self.tag_of_short(text), |(.., tag)| *tag)
    }
}

/// Up to how many constants it is quicker to look at each.
const FEW: usize = 8;
/// How many bytes of a text its key tells.
pub(super) const HEAD: usize = 8;

/// The length of a text and what it begins with.
pub(super) type Key = (usize, u64);

/// The key of a text. For short texts, as most constants are, this is all, and comparing two numbers takes less than
/// comparing texts.
#[inline]
pub(super) fn key(text: &str) -> Key {
    let bytes = text.as_bytes();
    let head = match (bytes.first_chunk(), bytes.first_chunk(), bytes.last_chunk()) {
        (Some(head), _, _) => u64::from_le_bytes(*head),
        (None, Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
        }
        // At most three bytes: the middle one is the first of one, and the last of two.
        _ => match bytes {
            [] => 0,
            [first, .., last] => {
                let middle = bytes.get(bytes.len() / 2).copied().unwrap_or_default();
                u64::from(*first) | u64::from(middle) << 8 | u64::from(*last) << 16
            }
            [only] => u64::from(*only),
        },
    };
    (bytes.len(), head)
}
