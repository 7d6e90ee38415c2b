//! Who is who: which anonymous ids belong to which known customers.

use crate::source::Envelope;
use hashbrown::HashMap;
use segue_compiler::value::Millis;
use std::{borrow::Cow, sync::Arc};
use xxhash_rust::xxh3::Xxh3DefaultBuilder;

/// Anonymous ids that were joined with known customers, as of the line that is read.
#[derive(Debug, Default)]
pub(super) struct Identities {
    /// By anonymous id. Only looked up, never told, so that no order of hashes is seen.
    joined: HashMap<Box<str>, Arc<str>, Xxh3DefaultBuilder>,
}

/// What a call says of who is who.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) anonymous: String,
    pub(super) known: String,
    /// When it was said.
    pub(super) at: Millis,
}

/// What becomes of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Linked {
    /// From now on the anonymous id is the known customer's.
    Now,
    /// It is already.
    Already,
    /// It is another known customer, or another's.
    Refused,
}

impl Identities {
    /// Gives an anonymous call to whom it belongs.
    pub(super) fn resolve(&self, envelope: &mut Envelope<'_>) {
        if !envelope.known
            && let Some(owner) = self.joined.get(&*envelope.customer)
        {
            envelope.customer = Cow::Owned((**owner).to_owned());
        }
    }

    /// The link of a call that says something new.
    pub(super) fn news(&self, envelope: &Envelope<'_>, until: Option<Millis>) -> Option<Link> {
        let anonymous = envelope.same_as.as_deref()?;
        let known = &*envelope.customer;
        let is_old = self.joined.get(anonymous).is_some_and(|owner| **owner == *known);
        (!is_old && !envelope.is_ahead(until)).then(|| Link {
            anonymous: anonymous.to_owned(),
            known: known.to_owned(),
            at: envelope.at,
        })
    }

    /// Takes up a link; `is_known` tells whether the anonymous id was ever that of a known customer.
    pub(super) fn link(&mut self, link: &Link, is_known: bool) -> Linked {
        match self.joined.get(&*link.anonymous) {
            Some(owner) if **owner == *link.known => Linked::Already,
            Some(_) => Linked::Refused,
            None if is_known => Linked::Refused,
            None => {
                self.joined.insert(link.anonymous.as_str().into(), Arc::from(link.known.as_str()));
                Linked::Now
            }
        }
    }

    /// Forgets a customer; gives every id that was theirs, in order.
    pub(super) fn forget(&mut self, customer: &str) -> Vec<String> {
        self.joined.remove(customer);
        let theirs = self.joined.extract_if(|_, owner| **owner == *customer);
        let mut ids: Vec<String> = theirs.map(|(id, _)| String::from(id)).collect();
        ids.push(customer.to_owned());
        ids.sort_unstable();
        ids
    }
}
