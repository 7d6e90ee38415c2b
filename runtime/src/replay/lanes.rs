//! The calls of a batch on their way to the shards of their customers, and between them the errands of shards.

use super::{errand::Errand, shard::Shard};
use crate::{
    identities::{Identities, Link, Linked},
    source::{Envelope, Reject},
    threads::{hash, shard_of},
};
use hashbrown::HashMap;
use segue_compiler::{execution::Execution, value::Millis};
use std::{borrow::Cow, mem};
use xxhash_rust::xxh3::Xxh3DefaultBuilder;

/// Something with its position in the batch.
pub(super) type Placed<T> = (usize, T);

/// Whose call a line is.
pub(super) struct Call<'b> {
    /// That of the line in the batch.
    pub(super) position: usize,
    pub(super) customer: Cow<'b, str>,
    /// That of the customer.
    pub(super) hash: u64,
    /// Whether the customer was named by `userId`.
    pub(super) known: bool,
}

/// Some lines of a batch, shared out.
pub(super) struct Piece<'b> {
    /// By shard, in the order of the stream.
    pub(super) calls: Vec<Vec<Call<'b>>>,
    /// What calls say of who is who, as far as it is news.
    links: Vec<Placed<Link>>,
    /// Lines that were seen to be none.
    pub(super) rejects: Vec<Placed<Reject<'b>>>,
}

impl<'b> Piece<'b> {
    /// For so many shards, about as many calls for each.
    pub(super) fn new(shards: usize, calls: usize) -> Self {
        Self {
            calls: (0..shards).map(|_| Vec::with_capacity(calls)).collect(),
            links: Vec::new(),
            rejects: Vec::new(),
        }
    }

    /// Takes a call that was read, and what it says of who is who, unless it comes after the end.
    pub(super) fn take(
        &mut self,
        position: usize,
        envelope: Envelope<'b>,
        identities: &Identities,
        until: Option<Millis>,
    ) {
        self.links.extend(identities.news(&envelope, until).map(|link| (position, link)));
        self.push(position, envelope.customer, envelope.known, identities);
    }

    /// Takes a call for the shard of whom it belongs to.
    pub(super) fn push(
        &mut self,
        position: usize,
        mut customer: Cow<'b, str>,
        known: bool,
        identities: &Identities,
    ) {
        if !known {
            identities.give_to_owner(&mut customer);
        }
        self.push_of(position, customer, known);
    }

    fn push_of(&mut self, position: usize, customer: Cow<'b, str>, known: bool) {
        let hash = hash(&customer);
        let shard = shard_of(hash, self.calls.len());
        self.calls[shard].push(Call { position, customer, hash, known });
    }
}

/// By shard, what it has to do between its calls.
pub(super) struct Errands<C> {
    pub(super) of_shards: Vec<Vec<Placed<Errand<C>>>>,
    /// Links that would have joined two known customers.
    pub(super) refused: u64,
}

/// Takes up every link of some pieces in order: anonymous customers are joined with known ones by errands, and calls that come
/// after a link go to whom their id belongs by then. `is_call` tells whether the line at a position is a call at all.
pub(super) fn link<E: Execution>(
    identities: &mut Identities,
    execution: &E,
    shards: &[Shard<E>],
    pieces: &mut [Piece<'_>],
    is_call: impl Fn(usize) -> bool,
) -> Errands<E::Customer> {
    let count = shards.len();
    let mut errands = Errands { of_shards: (0..count).map(|_| Vec::new()).collect(), refused: 0 };
    let links: Vec<Placed<Link>> = pieces.iter_mut().flat_map(|piece| mem::take(&mut piece.links)).collect();
    if links.is_empty() {
        return errands;
    }
    let named = first_named(&links, pieces, is_call);
    let is_known = |link: &Link, position: usize| {
        named.get(&*link.anonymous).is_some_and(|first| *first < position)
            || shards[shard_of(hash(&link.anonymous), count)].is_known(execution, &link.anonymous)
    };
    // By anonymous id, from where on it is whose.
    let mut owners: HashMap<String, Placed<String>, Xxh3DefaultBuilder> = HashMap::default();
    for (position, link) in &links {
        match identities.link(link, link.at, is_known(link, *position)) {
            Linked::Already => {}
            Linked::Refused => errands.refused += 1,
            Linked::Now => {
                owners.insert(link.anonymous.clone(), (*position, link.known.clone()));
                let [from, into] = [&link.anonymous, &link.known].map(|id| shard_of(hash(id), count));
                if from == into {
                    errands.of_shards[from].push((*position, Errand::Join(link.clone())));
                } else {
                    let [give, take] = Errand::between(link.clone());
                    errands.of_shards[from].push((*position, give));
                    errands.of_shards[into].push((*position, take));
                }
            }
        }
    }
    give_to_owners(pieces, |call| {
        let (from, owner) = owners.get(&*call.customer).filter(|_| !call.known)?;
        (*from < call.position).then(|| owner.clone())
    });
    errands
}

/// By the anonymous id of a link, where it is first named as `userId`.
fn first_named<'l>(
    links: &'l [Placed<Link>],
    pieces: &[Piece<'_>],
    is_call: impl Fn(usize) -> bool,
) -> HashMap<&'l str, usize, Xxh3DefaultBuilder> {
    let mut named: HashMap<&str, usize, Xxh3DefaultBuilder> =
        links.iter().map(|(_, link)| (&*link.anonymous, usize::MAX)).collect();
    let calls = pieces.iter().flat_map(|piece| &piece.calls).flatten();
    for call in calls.filter(|call| call.known) {
        if let Some(first) = named.get_mut(&*call.customer)
            && call.position < *first
            && is_call(call.position)
        {
            *first = call.position;
        }
    }
    named
}

/// Moves calls to the shards of their owners, and keeps the order of the stream there.
fn give_to_owners(pieces: &mut [Piece<'_>], owner: impl Fn(&Call<'_>) -> Option<String>) {
    for piece in pieces {
        let mut moved = Vec::new();
        for lane in &mut piece.calls {
            for call in mem::take(lane) {
                match owner(&call) {
                    None => lane.push(call),
                    Some(owner) => moved.push((call.position, owner)),
                }
            }
        }
        if moved.is_empty() {
            continue;
        }
        for (position, owner) in moved {
            piece.push_of(position, Cow::Owned(owner), false);
        }
        for lane in &mut piece.calls {
            lane.sort_by_key(|call| call.position);
        }
    }
}
