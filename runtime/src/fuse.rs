//! The fuse: how many messages a rule may send before a person looks.
//!
//! It counts over all customers, and so belongs to the live service, where there is one order of all sends. A replay
//! carries each customer through time by itself; it says afterwards which rules the fuse would have stopped, and when.
//!
//! A host asks [`Fuses`] before it lets a message out, in the one order of its messages. One that may not go stays where
//! messages wait to be delivered, and is told as [`Send::held_by_fuse`](segue_compiler::record::Send::held_by_fuse) says.

use crate::words::thousands;
use segue_compiler::{packed, value::Millis};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
};

/// At most so many messages of one rule in any stretch of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fuse {
    /// How many.
    pub count: u32,
    /// In how many milliseconds.
    pub per: i64,
}

/// When a fuse would have stopped a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blown {
    /// The time of the first message too many.
    pub at: Millis,
    /// How many messages there are from it on.
    pub messages: u64,
}

impl Fuse {
    /// The first message too many, of messages at these times, in any order.
    #[must_use]
    pub fn blown(self, times: &[Millis]) -> Option<Blown> {
        let mut times = times.to_vec();
        times.sort_unstable();
        let mut recent: VecDeque<Millis> = VecDeque::new();
        for (at, before) in times.iter().copied().zip(0_u64..) {
            while recent.front().is_some_and(|first| *first <= at.saturating_sub(self.per)) {
                recent.pop_front();
            }
            if recent.len() >= self.count as usize {
                return Some(Blown { at, messages: times.len() as u64 - before });
            }
            recent.push_back(at);
        }
        None
    }
}

/// The fuses of a live service: one for each rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fuses {
    fuse: Fuse,
    /// By rule, its messages within the stretch, and whether its fuse is blown.
    rules: BTreeMap<String, Rule>,
}

/// What is known of a rule's messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rule {
    /// The times of the newest ones that went, at most as many as the fuse allows.
    recent: VecDeque<Millis>,
    /// When its fuse blew, until a person lets it go on.
    blown: Option<Millis>,
}

packed!(Fuse { count, per });
packed!(Fuses { fuse, rules });
packed!(Rule { recent, blown });

impl Fuses {
    /// Fuses of which none is blown.
    #[must_use]
    pub fn new(fuse: Fuse) -> Self {
        Self { fuse, rules: BTreeMap::new() }
    }

    /// Whether a message of a rule may go at an instant. The first one too many blows the rule's fuse, and from then on
    /// none may until [`Fuses::release`].
    pub fn may_go(&mut self, rule: &str, at: Millis) -> bool {
        if !self.rules.contains_key(rule) {
            self.rules.insert(rule.to_owned(), Rule::default());
        }
        let Some(state) = self.rules.get_mut(rule) else { return true };
        if state.blown.is_some() {
            return false;
        }
        while state.recent.front().is_some_and(|first| *first <= at.saturating_sub(self.fuse.per)) {
            state.recent.pop_front();
        }
        if state.recent.len() >= self.fuse.count as usize {
            state.blown = Some(at);
            return false;
        }
        state.recent.push_back(at);
        true
    }

    /// A person lets a rule go on: what was held may go, and counting begins anew. Whether its fuse was blown.
    pub fn release(&mut self, rule: &str) -> bool {
        self.rules.remove(rule).is_some_and(|state| state.blown.is_some())
    }

    /// Whether these are of the same fuse as others.
    #[must_use]
    pub fn is_of(&self, others: &Self) -> bool {
        self.fuse == others.fuse
    }

    /// The rules whose fuse is blown, and since when, in order of their names.
    pub fn blown(&self) -> impl Iterator<Item = (&str, Millis)> {
        self.rules.iter().filter_map(|(rule, state)| Some((rule.as_str(), state.blown?)))
    }
}

impl fmt::Display for Fuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(&str, i64); 5] = [
            ("week", 604_800_000),
            ("day", 86_400_000),
            ("hour", 3_600_000),
            ("minute", 60_000),
            ("second", 1_000),
        ];
        let unit = UNITS.into_iter().find(|(_, length)| self.per % length == 0);
        let (unit, length) = unit.unwrap_or(("millisecond", 1));
        write!(f, "{} per ", thousands(u64::from(self.count)))?;
        match self.per / length {
            1 => f.write_str(unit),
            units => write!(f, "{units} {unit}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segue_compiler::pack::{Packed, Packer, Unpacker};

    #[test]
    fn the_first_message_too_many() {
        let fuse = Fuse { count: 2, per: 100 };
        assert_eq!(fuse.blown(&[0, 50, 100, 150]), None);
        assert_eq!(fuse.blown(&[150, 0, 99, 50]), Some(Blown { at: 99, messages: 2 }));
        assert_eq!(fuse.blown(&[7, 7, 7]), Some(Blown { at: 7, messages: 1 }));
        assert_eq!(fuse.blown(&[]), None);
    }

    #[test]
    fn a_blown_fuse_waits_for_a_person() {
        let mut fuses = Fuses::new(Fuse { count: 2, per: 100 });
        assert!(fuses.may_go("a", 0) && fuses.may_go("a", 50) && fuses.may_go("b", 50));
        // At 100 the first is no longer within the stretch.
        assert!(fuses.may_go("a", 100) && !fuses.may_go("a", 149));
        // However long ago that was, and whatever others send.
        assert!(!fuses.may_go("a", 10_000) && fuses.may_go("b", 10_000));
        assert_eq!(fuses.blown().collect::<Vec<_>>(), [("a", 149)]);
        assert!(fuses.release("a") && !fuses.release("a") && !fuses.release("b"));
        assert!(fuses.may_go("a", 10_001) && fuses.may_go("a", 10_001) && !fuses.may_go("a", 10_002));
    }

    #[test]
    fn fuses_last_as_bytes() {
        let mut fuses = Fuses::new(Fuse { count: 1, per: 100 });
        assert!(fuses.may_go("a", 7) && fuses.may_go("b", 7) && !fuses.may_go("b", 8));
        let mut packer = Packer::default();
        fuses.pack(&mut packer);
        let again = Fuses::unpack(&mut Unpacker::new(packer.written(), 0));
        assert_eq!(again.ok(), Some(fuses));
    }

    #[test]
    fn reads_as_it_is_written() {
        assert_eq!(Fuse { count: 5_000, per: 3_600_000 }.to_string(), "5,000 per hour");
        assert_eq!(Fuse { count: 1, per: 172_800_000 }.to_string(), "1 per 2 days");
    }
}
