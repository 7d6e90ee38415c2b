//! The fuse: how many messages a rule may send before a person looks.
//!
//! It counts over all customers, and so belongs to the live service, where there is one order of all sends. A replay
//! carries each customer through time by itself; it says afterwards which rules the fuse would have stopped, and when.

use crate::words::thousands;
use segue_compiler::value::Millis;
use std::{collections::VecDeque, fmt};

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

    #[test]
    fn the_first_message_too_many() {
        let fuse = Fuse { count: 2, per: 100 };
        assert_eq!(fuse.blown(&[0, 50, 100, 150]), None);
        assert_eq!(fuse.blown(&[150, 0, 99, 50]), Some(Blown { at: 99, messages: 2 }));
        assert_eq!(fuse.blown(&[7, 7, 7]), Some(Blown { at: 7, messages: 1 }));
        assert_eq!(fuse.blown(&[]), None);
    }

    #[test]
    fn reads_as_it_is_written() {
        assert_eq!(Fuse { count: 5_000, per: 3_600_000 }.to_string(), "5,000 per hour");
        assert_eq!(Fuse { count: 1, per: 172_800_000 }.to_string(), "1 per 2 days");
    }
}
