//! The ids of actions: the same for the same input.

use super::{
    names::{Rule, Segment},
    texts::{Span, Texts},
    time::{Millis, Written},
};
use sha2::{Digest, Sha256};

/// The first half of a SHA-256.
pub(super) type ActionId = [u8; 16];

/// What an id is made of, besides rule, customer and step.
#[derive(Clone, Copy)]
pub(super) enum Origin {
    /// The calls of a match: that of the first of two events, and that of the last.
    Match(Option<Span>, Span),
    /// A segment that was entered, when, and by which call; an empty one where only time passed.
    Entered(Segment, Millis, Span),
}

/// Makes ids.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// What is hashed, used again and again.
    parts: Vec<u8>,
}

impl Ids {
    /// The id of a step of a rule.
    pub(super) fn of(
        &mut self,
        texts: &Texts,
        rule: Rule,
        customer: Span,
        origin: Origin,
        step: u32,
    ) -> ActionId {
        self.parts.clear();
        self.add(rule.name());
        self.add(texts.get(customer));
        match origin {
            Origin::Match(first, last) => {
                if let Some(first) = first {
                    self.add(texts.get(first));
                }
                self.add(texts.get(last));
            }
            Origin::Entered(segment, at, message) => {
                self.add(segment.name());
                self.add("enter");
                self.add(Written::of(at).text());
                self.add(texts.get(message));
            }
        }
        self.add(if step == 0 { "0" } else { "1" });
        let digest = Sha256::digest(&self.parts);
        digest.first_chunk().copied().unwrap_or_default()
    }

    /// Adds a part, behind its length.
    fn add(&mut self, part: &str) {
        self.parts.extend_from_slice(&(part.len() as u64).to_le_bytes());
        self.parts.extend_from_slice(part.as_bytes());
    }
}
