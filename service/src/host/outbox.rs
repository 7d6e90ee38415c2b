//! Decisions that are on their way: made, and not yet known to have been delivered.
//!
//! What is here follows from the log: decisions come in as they are made, and go when an entry says what became of them.
//! The fuse stands before delivery: what a rule sends beyond it is held until a person lets it go on.

use super::history::At;
use segue_compiler::{
    pack::{Broken, Packed, Packer, Unpacker},
    packed,
    record::{ActionId, Record},
    value::Millis,
};
use segue_runtime::{
    channel::Delivery,
    fuse::{Fuse, Fuses},
    live::Change,
};
use std::{collections::BTreeMap, sync::Arc};
use xxhash_rust::xxh3::xxh3_64;

/// What the keys of decisions begin with, among those of a checkpoint.
const KEY: u8 = 16;
/// The version of the format of a decision on its way.
pub(super) const FORMAT: u8 = 1;

#[derive(Debug, Default)]
pub(super) struct Outbox {
    fuses: Option<Fuses>,
    pending: BTreeMap<ActionId, Pending>,
    /// Those that came, changed or went since changes were last asked for, each with whether it was there then: what came and
    /// went in between is none of them.
    changed: BTreeMap<ActionId, bool>,
}

/// A decision on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) segment: u64,
    pub(super) offset: u64,
    pub(super) channel: Arc<str>,
    pub(super) rule: Arc<str>,
    /// A hash of whom it is for.
    pub(super) customer: u64,
    pub(super) is_held: bool,
}

packed!(Pending { segment, offset, channel, rule, customer, is_held });

/// What becomes of a new decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It goes out.
    Out,
    /// It is held.
    Held,
    /// It is held, and is the first of its rule.
    Blown,
}

impl Outbox {
    pub(super) fn new(fuse: Option<Fuse>) -> Self {
        Self { fuses: fuse.map(Fuses::new), ..Self::default() }
    }

    /// Takes up a decision; none when the record is none.
    pub(super) fn add(&mut self, record: &Record, at: At) -> Option<(ActionId, Way)> {
        let Delivery { id, channel, .. } = Delivery::of(record)?;
        let (rule, is_send) = match record {
            Record::Send(it) => (&it.rule, true),
            Record::Call(it) => (&it.rule, false),
            Record::Suppressed(_)
            | Record::Held(_)
            | Record::Segment(_)
            | Record::Set(_)
            | Record::Emit(_) => return None,
        };
        let way = if is_send { self.count(rule, record.at()) } else { Way::Out };
        let pending = Pending {
            segment: at.segment,
            offset: at.offset,
            channel: Arc::from(channel),
            rule: rule.clone(),
            customer: hash(record.customer()),
            is_held: way != Way::Out,
        };
        let was_there = self.pending.insert(id, pending).is_some();
        self.changed.entry(id).or_insert(was_there);
        Some((id, way))
    }

    /// What the fuse says to a message of a rule.
    fn count(&mut self, rule: &Arc<str>, at: Millis) -> Way {
        let Some(fuses) = &mut self.fuses else { return Way::Out };
        let was_blown = fuses.blown().any(|(blown, _)| *blown == **rule);
        if fuses.may_go(rule, at) {
            Way::Out
        } else if was_blown {
            Way::Held
        } else {
            Way::Blown
        }
    }

    /// Nothing more is to be done for a decision; whether there was one.
    pub(super) fn done(&mut self, id: ActionId) -> bool {
        let was_there = self.pending.remove(&id).is_some();
        if was_there {
            self.went(id);
        }
        was_there
    }

    /// One is no longer pending. That is a change only if an earlier checkpoint knows of it: what changed is asked for once for
    /// each of them, and none knows more than what was there when it was asked.
    fn went(&mut self, id: ActionId) {
        if self.changed.insert(id, true) == Some(false) {
            self.changed.remove(&id);
        }
    }

    /// A person lets a rule go on; gives what was held.
    pub(super) fn release(&mut self, rule: &str) -> Vec<(ActionId, Pending)> {
        if let Some(fuses) = &mut self.fuses {
            fuses.release(rule);
        }
        let mut released = Vec::new();
        for (id, pending) in &mut self.pending {
            if pending.is_held && *pending.rule == *rule {
                pending.is_held = false;
                self.changed.entry(*id).or_insert(true);
                released.push((*id, pending.clone()));
            }
        }
        in_order(&mut released);
        released
    }

    /// Forgets what is on its way to somebody.
    pub(super) fn erase(&mut self, customer: u64) {
        let theirs = self.pending.extract_if(.., |_, pending| pending.customer == customer);
        let theirs: Vec<ActionId> = theirs.map(|(id, _)| id).collect();
        theirs.into_iter().for_each(|id| self.went(id));
    }

    /// Everything that is to go out, in the order in which it was decided.
    pub(super) fn outgoing(&self) -> Vec<(ActionId, Pending)> {
        let outgoing = self.pending.iter().filter(|(_, pending)| !pending.is_held);
        let mut outgoing: Vec<_> = outgoing.map(|(id, pending)| (*id, pending.clone())).collect();
        in_order(&mut outgoing);
        outgoing
    }

    /// The channel of a decision on its way, and the hash of whom it is for.
    pub(super) fn whereto(&self, id: ActionId) -> Option<(Arc<str>, u64)> {
        self.pending.get(&id).map(|pending| (pending.channel.clone(), pending.customer))
    }

    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether a decision is on its way, and held.
    pub(super) fn state(&self, id: ActionId) -> Option<bool> {
        self.pending.get(&id).map(|pending| pending.is_held)
    }

    /// By rule that is stopped, how many messages are held.
    pub(super) fn held(&self) -> BTreeMap<String, usize> {
        let blown = self.fuses.iter().flat_map(Fuses::blown);
        let mut held: BTreeMap<String, usize> = blown.map(|(rule, _)| (rule.to_owned(), 0)).collect();
        if !held.is_empty() {
            for pending in self.pending.values().filter(|pending| pending.is_held) {
                *held.entry(pending.rule.to_string()).or_default() += 1;
            }
        }
        held
    }

    /// The first file of decisions that is still needed.
    pub(super) fn needed(&self) -> Option<u64> {
        self.pending.values().map(|pending| pending.segment).min()
    }

    /// What the fuses counted.
    pub(super) fn fuses(&self) -> Option<&Fuses> {
        self.fuses.as_ref()
    }

    /// Goes on counting from there, unless the fuse is another one now.
    pub(super) fn restore_fuses(&mut self, fuses: Option<Fuses>) {
        if let Some(fuses) = fuses
            && self.fuses.as_ref().is_some_and(|own| own.is_of(&fuses))
        {
            self.fuses = Some(fuses);
        }
    }

    /// What changed since this was last asked, in order of the keys.
    pub(super) fn changes(&mut self) -> Vec<Change> {
        let changed = std::mem::take(&mut self.changed);
        let change = |id: ActionId| {
            let mut key = vec![KEY];
            key.extend_from_slice(&id.0.to_be_bytes());
            let value = self.pending.get(&id).map(|pending| {
                let mut packer = Packer::default();
                packer.raw(&[FORMAT]);
                pending.pack(&mut packer);
                packer.finish()
            });
            Change { key, value }
        };
        changed.into_keys().map(change).collect()
    }

    /// Takes up a decision of a checkpoint; whether the key is that of one.
    pub(super) fn restore(&mut self, key: &[u8], value: &[u8]) -> Result<bool, Broken> {
        let Some((&KEY, id)) = key.split_first() else { return Ok(false) };
        let id = id.try_into().map(u128::from_be_bytes).map_err(|_| Broken)?;
        let mut from = Unpacker::new(value, 0);
        if from.raw(1)? != [FORMAT] {
            return Err(Broken);
        }
        self.pending.insert(ActionId(id), Pending::unpack(&mut from)?);
        Ok(true)
    }
}

fn in_order(pending: &mut [(ActionId, Pending)]) {
    pending.sort_by_key(|(_, pending)| (pending.segment, pending.offset));
}

/// The hash that tells whom a decision is for.
pub(super) fn hash(customer: &str) -> u64 {
    xxh3_64(customer.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use segue_compiler::record::{Because, Fields, Instant, Send};

    fn send(rule: &str, id: u128, at: Millis) -> Record {
        Record::Send(Send {
            at: Instant(at),
            id: ActionId(id),
            customer: Arc::from("ada"),
            rule: Arc::from(rule),
            step: 1,
            channel: Arc::from("sms"),
            to: "+47".to_owned(),
            content: Fields::default(),
            because: Because::default(),
        })
    }

    #[test]
    fn the_fuse_holds_until_a_person_says_go() {
        let mut outbox = Outbox::new(Some(Fuse { count: 2, per: 100 }));
        let at = At { segment: 0, offset: 1 };
        let mut add = |id, time| outbox.add(&send("a", id, time), at).unwrap().1;
        assert_eq!([add(1, 0), add(2, 50), add(3, 100)], [Way::Out, Way::Out, Way::Out], "the first is over");
        assert_eq!([add(4, 120), add(5, 900)], [Way::Blown, Way::Held]);
        assert_eq!(outbox.add(&send("b", 6, 120), at).unwrap().1, Way::Out, "another rule");
        assert_eq!(outbox.held(), BTreeMap::from([("a".to_owned(), 2)]));
        assert_eq!(outbox.outgoing().len(), 4);
        assert_eq!(outbox.release("a").len(), 2);
        assert!(outbox.held().is_empty() && outbox.outgoing().len() == 6);
        assert!(outbox.done(ActionId(4)) && !outbox.done(ActionId(4)));
    }

    #[test]
    fn what_is_kept_is_taken_up() {
        let mut outbox = Outbox::new(Some(Fuse { count: 1, per: 100 }));
        for id in 1..4 {
            outbox.add(&send("a", id, 0), At { segment: 3, offset: 8 });
        }
        outbox.done(ActionId(2));
        let changes = outbox.changes();
        assert_eq!((changes.len(), outbox.changes().len()), (2, 0), "the second came and went");
        let mut other = Outbox::new(Some(Fuse { count: 1, per: 100 }));
        for Change { key, value } in changes {
            if let Some(value) = value {
                assert_eq!(other.restore(&key, &value), Ok(true));
            }
        }
        other.restore_fuses(outbox.fuses().cloned());
        assert_eq!((other.held(), &other.pending), (outbox.held(), &outbox.pending));
        assert!(other.done(ActionId(1)));
        assert!(matches!(&*other.changes(), [Change { value: None, .. }]), "what was kept goes");
        assert_eq!(Outbox::new(None).restore(&[1, 2], &[]), Ok(false));
    }
}
