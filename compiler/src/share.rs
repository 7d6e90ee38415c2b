//! Shares of customers: who falls into one is the same everywhere and at all times, and two shares have nothing to do with
//! each other.

use crate::value::MILLIONTHS;
use sha2::{Digest, Sha256};

/// A part of all, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(pub u32);

impl Share {
    /// Whether a place (see [`place`]) lies within the first part of this size.
    #[must_use]
    pub fn holds(self, place: u64) -> bool {
        (u128::from(place) * MILLIONTHS.unsigned_abs() as u128) >> 64 < u128::from(self.0)
    }
}

/// Where somebody stands among all: places of different parts are spread evenly and independently.
///
/// They are the first 64 bits of SHA-256 over the parts, each preceded by its length.
#[must_use]
pub fn place(parts: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first)
}

/// Which of several shares that make a whole a place lies in, by position.
#[must_use]
pub fn choose(shares: impl IntoIterator<Item = Share>, place: u64) -> Option<usize> {
    let mut end = Share(0);
    shares.into_iter().position(|share| {
        end = Share(end.0.saturating_add(share.0));
        end.holds(place)
    })
}

/// Where a run stands in a split: made of the rule's identity, the customer, what triggered the run, and the step.
#[must_use]
pub fn in_split(identity: &str, customer: &str, trigger: &[&str], step: u32) -> u64 {
    let step = step.to_string();
    let parts: Vec<&str> =
        ["split", identity, customer].into_iter().chain(trigger.iter().copied()).chain([&*step]).collect();
    place(&parts)
}

/// Whether a customer is held out of a rule, by its identity (see [`crate::typed::Rule::identity`]).
#[must_use]
pub fn is_held_out(identity: &str, customer: &str, share: Share) -> bool {
    share.holds(place(&["holdout", identity, customer]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_exact() {
        let half = Share(500_000);
        assert!(half.holds(u64::MAX / 2) && !half.holds(u64::MAX / 2 + 1));
        assert!(Share(1_000_000).holds(u64::MAX) && !Share(0).holds(0));
    }

    #[test]
    fn as_many_are_held_out_as_is_said_and_rules_hold_out_others() {
        let held = |rule: &str| -> Vec<bool> {
            (0..10_000).map(|n| is_held_out(rule, &format!("customer {n}"), Share(100_000))).collect()
        };
        let (one, other) = (held("one"), held("other"));
        let count = one.iter().filter(|it| **it).count();
        // Three standard deviations of a binomial distribution are 90.
        assert!((910..=1_090).contains(&count), "{count}");
        let both = one.iter().zip(&other).filter(|(a, b)| **a && **b).count();
        assert!((70..=130).contains(&both), "{both}");
    }
}
