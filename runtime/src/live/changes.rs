//! What changed, as bytes that can be kept and taken up again.
//!
//! A key tells what it is of: a customer or a link of an anonymous id, with the hash first, so that keys spread evenly. The
//! bytes of a customer begin with the version of their format; they mean something only to the program that wrote them.

use super::{
    Live,
    shard::{Changed, Shard},
};
use crate::{
    customers::{Customers, Found},
    threads::{hash, shard_of},
};
use segue_compiler::{
    execution::Execution,
    pack::{Broken, Packed, Packer, Unpacker},
    value::Millis,
};
use std::{collections::BTreeSet, mem};

/// The version of the format of a customer's bytes.
pub const FORMAT: u8 = 4;

/// Something that changed. The later of two changes of one key holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// What it is of.
    pub key: Vec<u8>,
    /// What it is now; none when it is no more.
    pub value: Option<Vec<u8>>,
}

/// Bytes that are no customer's, or not of this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// They are broken.
    #[error("the bytes of a customer are broken")]
    Broken,
    /// They were written by a later version.
    #[error("the bytes of a customer have format {0}; this version reads up to {FORMAT}")]
    Format(u8),
}

impl From<Broken> for Unreadable {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}

/// What went since changes were last asked for.
#[derive(Debug, Default)]
pub(super) struct Removed {
    pub(super) customers: BTreeSet<String>,
    pub(super) links: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Customer = 1,
    Link = 2,
}

fn key(kind: Kind, id: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(9 + id.len());
    key.push(kind as u8);
    key.extend_from_slice(&hash(id).to_be_bytes());
    key.extend_from_slice(id.as_bytes());
    key
}

/// What a key is of.
fn read_key(key: &[u8]) -> Result<(Kind, &str), Unreadable> {
    let kind = match key.first() {
        Some(1) => Kind::Customer,
        Some(2) => Kind::Link,
        _ => return Err(Unreadable::Broken),
    };
    let id = key.get(9..).and_then(|id| std::str::from_utf8(id).ok());
    id.map(|id| (kind, id)).ok_or(Unreadable::Broken)
}

/// Changes in order of their keys, each key once: where something went and came again, it is there.
#[must_use]
pub fn in_order(mut changes: Vec<Change>) -> Vec<Change> {
    changes.sort_unstable_by(|a, b| a.key.cmp(&b.key).then_with(|| b.value.cmp(&a.value)));
    changes.dedup_by(|later, earlier| later.key == earlier.key);
    changes
}

/// What of one shard is to be given out as it was when changes were asked for.
pub(super) struct Asked<E: Execution> {
    /// Who is not captured yet: they are as they were.
    left: Changed,
    /// [`capture`]: whoever applies calls does not know that customers rest as bytes.
    capture: Capture<E>,
    captured: Vec<Captured<E::Customer>>,
}

/// A place with its deadline.
type Standing = (u32, Option<Millis>);

type Capture<E> = fn(&Customers<E>, &E, Standing) -> Option<Captured<<E as Execution>::Customer>>;

/// Somebody as they were.
pub(super) enum Captured<C> {
    /// Who was at rest, or went.
    Written(Change),
    /// Who was awake, and remains so. What is written is the key, then the bytes of the head, then those of the customer.
    Copied { key: Vec<u8>, head: Packer, customer: C },
}

/// All that changed, as it was when it was asked for. To write down whoever was awake takes a while, and is left to whoever
/// has the time.
pub struct Given<E: Execution> {
    /// The executor that was in force then.
    execution: E,
    captured: Vec<Captured<E::Customer>>,
    packer: Packer,
}

/// The changes, see [`in_order`].
impl<E: Execution<Resting = Box<[u8]>>> Iterator for Given<E> {
    type Item = Change;

    fn next(&mut self) -> Option<Change> {
        Some(match self.captured.pop()? {
            Captured::Written(change) => change,
            Captured::Copied { key, mut head, customer } => {
                head.raw(&self.execution.rest(customer, &mut self.packer));
                Change { key, value: Some(head.finish()) }
            }
        })
    }
}

impl<E: Execution<Resting = Box<[u8]>, Customer: Clone> + Clone> Live<E> {
    /// Changes are asked for: all that changed since they were last asked for, as it is now. [`Live::give_changes`] gives them
    /// out bit by bit, while entries go on to be handed over: whoever changes meanwhile is given out first, as they were. What
    /// was asked for before and not given out is forgotten.
    pub fn ask_changes(&mut self) {
        let gone = |kind| move |id: &String| Change { key: key(kind, id), value: None };
        let removed = mem::take(&mut self.removed);
        let customers = removed.customers.iter().map(gone(Kind::Customer));
        let links = removed.links.iter().map(gone(Kind::Link));
        let news = self.identities.take_news().into_iter().map(|(anonymous, owner)| Change {
            key: key(Kind::Link, &anonymous),
            value: Some(owner.to_bytes()),
        });
        let captured = customers.chain(links).chain(news).map(Captured::Written).collect();
        self.given = Some(Given { execution: self.execution.clone(), captured, packer: Packer::default() });
        for shard in &mut self.shards {
            shard.ask();
        }
    }

    /// Looks at so many more customers that changed; gives all changes once there are no more.
    pub fn give_changes(&mut self, most: usize) -> Option<Given<E>> {
        let mut left = most;
        for shard in &mut self.shards {
            shard.capture_some(&self.execution, &mut left);
        }
        if self.shards.iter().any(Shard::has_to_capture) {
            return None;
        }
        self.take_captured();
        self.given.take()
    }

    /// What changed since this was last asked, in order of the keys.
    pub fn changes(&mut self) -> Vec<Change> {
        self.ask_changes();
        in_order(self.give_changes(usize::MAX).into_iter().flatten().collect())
    }
}

impl<E: Execution<Resting = Box<[u8]>>> Live<E> {
    /// Takes up something that was there when it was last kept. Not twice of one key.
    ///
    /// # Errors
    /// When the bytes are not such.
    pub fn restore(&mut self, key: &[u8], value: &[u8]) -> Result<(), Unreadable> {
        match read_key(key)? {
            (Kind::Link, anonymous) => Ok(self.identities.restore(anonymous, value)?),
            (Kind::Customer, id) => {
                let hash = hash(id);
                let shard = shard_of(hash, self.shards.len());
                self.shards[shard].restore(&self.execution, hash, id, value)
            }
        }
    }
}

impl<E: Execution> Live<E> {
    /// Captures at once whoever is still to be.
    pub(super) fn capture_all(&mut self) {
        let mut all = usize::MAX;
        self.shards.iter_mut().for_each(|shard| shard.capture_some(&self.execution, &mut all));
        self.take_captured();
    }

    /// Takes up what the shards captured.
    fn take_captured(&mut self) {
        if let Some(given) = &mut self.given {
            let asked = self.shards.iter_mut().filter_map(|shard| shard.asked.take());
            asked.for_each(|mut asked| given.captured.append(&mut asked.captured));
        }
    }
}

impl<E: Execution> Shard<E> {
    /// Captures so many more.
    fn capture_some(&mut self, execution: &E, most: &mut usize) {
        while *most > 0
            && let Some(place) = self.asked.as_mut().and_then(|asked| asked.left.pop())
        {
            *most -= 1;
            self.capture(execution, place, self.deadlines.at(place));
        }
    }

    fn has_to_capture(&self) -> bool {
        self.asked.as_ref().is_some_and(|asked| !asked.left.is_empty())
    }

    /// Somebody is about to change: if they are still to be captured, that is done now.
    pub(super) fn before_changing(&mut self, execution: &E, place: u32, deadline: Option<Millis>) {
        if self.asked.as_mut().is_some_and(|asked| asked.left.remove(place)) {
            self.capture(execution, place, deadline);
        }
    }

    fn capture(&mut self, execution: &E, place: u32, deadline: Option<Millis>) {
        if let Some(asked) = &mut self.asked {
            asked.captured.extend((asked.capture)(&self.customers, execution, (place, deadline)));
        }
    }
}

/// A customer as they are.
fn capture<E: Execution<Resting = Box<[u8]>, Customer: Clone>>(
    customers: &Customers<E>,
    execution: &E,
    (place, deadline): Standing,
) -> Option<Captured<E::Customer>> {
    let key = key(Kind::Customer, customers.id(execution, place));
    let mut head = Packer::default();
    head.raw(&[FORMAT]);
    customers.is_known(place).pack(&mut head);
    deadline.pack(&mut head);
    Some(match customers.at(place)? {
        Found::Awake(customer) => Captured::Copied { key, head, customer: customer.clone() },
        Found::Resting(bytes) => {
            head.raw(bytes);
            Captured::Written(Change { key, value: Some(head.finish()) })
        }
    })
}

impl<E: Execution<Resting = Box<[u8]>>> Shard<E> {
    /// What changed is to be given out as it is now.
    fn ask(&mut self)
    where
        E::Customer: Clone,
    {
        self.asked = Some(Asked { left: mem::take(&mut self.changed), capture, captured: Vec::new() });
    }

    fn restore(&mut self, execution: &E, hash: u64, id: &str, value: &[u8]) -> Result<(), Unreadable> {
        let mut from = Unpacker::new(value, 0);
        match from.raw(1)? {
            // States tell themselves apart.
            [1..=FORMAT] => {}
            [format, ..] => return Err(Unreadable::Format(*format)),
            [] => return Err(Unreadable::Broken),
        }
        let (is_known, deadline) = (bool::unpack(&mut from)?, Option::<Millis>::unpack(&mut from)?);
        let resting: Box<[u8]> = from.rest().into();
        if execution.id_of(&resting) != id {
            return Err(Unreadable::Broken);
        }
        let place = self.customers.restore(execution, hash, id, resting);
        if is_known {
            self.customers.note_known(place);
        }
        if let Some(at) = deadline {
            self.deadlines.schedule(place, at);
        }
        Ok(())
    }
}
