//! A batch shared out over the shards: to each its calls, and between them its errands.

use super::{errand::Errand, shard::Shard};
use crate::{
    identities::{Identities, Link, Linked},
    source::{Envelope, Reject},
    threads::{hash, shard_of},
};
use hashbrown::HashMap;
use segue_compiler::execution::Execution;
use std::{borrow::Cow, mem};
use xxhash_rust::xxh3::Xxh3DefaultBuilder;

/// Something with its position in the batch.
pub(super) type Placed<T> = (usize, T);

/// A part of a batch, parsed.
pub(super) struct Parsed<'b> {
    /// By shard, in the order of the stream.
    pub(super) calls: Vec<Vec<Placed<Envelope<'b>>>>,
    /// What calls say of who is who, as far as it is news.
    pub(super) links: Vec<Placed<Link>>,
    pub(super) rejects: Vec<Reject<'b>>,
}

impl<'b> Parsed<'b> {
    pub(super) fn new(shards: usize) -> Self {
        Self { calls: (0..shards).map(|_| Vec::new()).collect(), links: Vec::new(), rejects: Vec::new() }
    }

    /// Takes a call for the shard of its customer.
    pub(super) fn push(&mut self, position: usize, envelope: Envelope<'b>) {
        let shard = shard_of(hash(&envelope.customer), self.calls.len());
        self.calls[shard].push((position, envelope));
    }
}

/// By shard, what it has to do between its calls.
pub(super) struct Errands<C> {
    pub(super) of_shards: Vec<Vec<Placed<Errand<C>>>>,
    /// Links that would have joined two known customers.
    pub(super) refused: u64,
}

/// Takes up every link of a batch in order: anonymous customers are joined with known ones by errands, and calls that come
/// after a link go to whom their id belongs by then.
pub(super) fn link<E: Execution>(
    identities: &mut Identities,
    execution: &E,
    shards: &[Shard<E>],
    parsed: &mut [Parsed<'_>],
) -> Errands<E::Customer> {
    let count = shards.len();
    let mut errands = Errands { of_shards: (0..count).map(|_| Vec::new()).collect(), refused: 0 };
    let links: Vec<Placed<Link>> = parsed.iter_mut().flat_map(|part| mem::take(&mut part.links)).collect();
    if links.is_empty() {
        return errands;
    }
    let named = first_named(parsed);
    let is_known = |link: &Link, position: usize| {
        named.get(&*link.anonymous).is_some_and(|first| *first < position)
            || shards[shard_of(hash(&link.anonymous), count)].is_known(execution, &link.anonymous)
    };
    // By anonymous id, from where on it is whose.
    let mut owners: HashMap<String, Placed<String>, Xxh3DefaultBuilder> = HashMap::default();
    for (position, link) in links {
        match identities.link(&link, is_known(&link, position)) {
            Linked::Already => {}
            Linked::Refused => errands.refused += 1,
            Linked::Now => {
                owners.insert(link.anonymous.clone(), (position, link.known.clone()));
                let [from, into] = [&link.anonymous, &link.known].map(|id| shard_of(hash(id), count));
                if from == into {
                    errands.of_shards[from].push((position, Errand::Join(link)));
                } else {
                    let [give, take] = Errand::between(link);
                    errands.of_shards[from].push((position, give));
                    errands.of_shards[into].push((position, take));
                }
            }
        }
    }
    give_to_owners(parsed, |position, envelope| {
        let (from, owner) = owners.get(&*envelope.customer).filter(|_| !envelope.known)?;
        (*from < position).then(|| owner.clone())
    });
    errands
}

/// By `userId`, where in the batch it is named first.
fn first_named(parsed: &[Parsed<'_>]) -> HashMap<String, usize, Xxh3DefaultBuilder> {
    let mut named: HashMap<String, usize, Xxh3DefaultBuilder> = HashMap::default();
    let calls = parsed.iter().flat_map(|part| &part.calls).flatten();
    for (position, envelope) in calls.filter(|(_, envelope)| envelope.known) {
        let first = named.entry_ref(&*envelope.customer).or_insert(*position);
        *first = (*first).min(*position);
    }
    named
}

/// Moves calls to the shards of their owners, and keeps the order of the stream there.
fn give_to_owners(parsed: &mut [Parsed<'_>], owner: impl Fn(usize, &Envelope<'_>) -> Option<String>) {
    for part in parsed {
        let mut moved = Vec::new();
        for lane in &mut part.calls {
            for (position, mut envelope) in mem::take(lane) {
                match owner(position, &envelope) {
                    None => lane.push((position, envelope)),
                    Some(owner) => {
                        envelope.customer = Cow::Owned(owner);
                        moved.push((position, envelope));
                    }
                }
            }
        }
        if moved.is_empty() {
            continue;
        }
        for (position, envelope) in moved {
            part.push(position, envelope);
        }
        for lane in &mut part.calls {
            lane.sort_by_key(|(position, _)| *position);
        }
    }
}
