//! Who is who: which anonymous ids belong to which known customers.

use crate::source::Envelope;
use hashbrown::HashMap;
use segue_compiler::value::Millis;
use std::{borrow::Cow, sync::Arc};
use xxhash_rust::xxh3::Xxh3DefaultBuilder;

/// Anonymous ids that were joined with known customers, as of the line that is read.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    /// By anonymous id. Whoever lists them sorts them, so that no order of hashes is seen.
    joined: HashMap<Box<str>, Arc<str>, Xxh3DefaultBuilder>,
    /// By known customer, the anonymous ids.
    ids: HashMap<Arc<str>, Vec<Box<str>>, Xxh3DefaultBuilder>,
    /// Anonymous ids that were joined since this was last taken, where somebody asks for it.
    news: Option<Vec<Box<str>>>,
}

/// What a call says of who is who.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) anonymous: String,
    pub(crate) known: String,
    /// When it was said.
    pub(crate) at: Millis,
}

/// What becomes of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Linked {
    /// From now on the anonymous id is the known customer's.
    Now,
    /// It is already.
    Already,
    /// It is another known customer, or another's.
    Refused,
}

impl Identities {
    /// Remembers what is new, for [`Identities::take_news`].
    pub(crate) fn remembering() -> Self {
        Self { news: Some(Vec::new()), ..Self::default() }
    }

    /// Gives an anonymous call to whom it belongs.
    pub(crate) fn resolve(&self, envelope: &mut Envelope<'_>) {
        if !envelope.known {
            self.give_to_owner(&mut envelope.customer);
        }
    }

    /// Puts whose an anonymous id is in its place.
    pub(crate) fn give_to_owner(&self, anonymous: &mut Cow<'_, str>) {
        if let Some(owner) = self.joined.get(&**anonymous) {
            *anonymous = Cow::Owned((**owner).to_owned());
        }
    }

    /// The link of a call that says something new.
    pub(crate) fn news(&self, envelope: &Envelope<'_>, until: Option<Millis>) -> Option<Link> {
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
    pub(crate) fn link(&mut self, link: &Link, is_known: bool) -> Linked {
        match self.joined.get(&*link.anonymous) {
            Some(owner) if **owner == *link.known => Linked::Already,
            Some(_) => Linked::Refused,
            None if is_known => Linked::Refused,
            None => {
                self.restore(&link.anonymous, &link.known);
                if let Some(news) = &mut self.news {
                    news.push(link.anonymous.as_str().into());
                }
                Linked::Now
            }
        }
    }

    /// Forgets a customer; gives every id that was theirs, in order.
    pub(crate) fn forget(&mut self, customer: &str) -> Vec<String> {
        let theirs = self.ids_of(customer);
        if let Some(owner) = self.joined.remove(customer)
            && let Some(ids) = self.ids.get_mut(&owner)
        {
            ids.retain(|id| **id != *customer);
        }
        for id in self.ids.remove(customer).into_iter().flatten() {
            self.joined.remove(&id);
        }
        theirs
    }

    /// Whose an anonymous id is.
    pub(crate) fn owner(&self, anonymous: &str) -> Option<Arc<str>> {
        self.joined.get(anonymous).cloned()
    }

    /// All anonymous ids that were joined, with whom, in no order that means something.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.joined.iter().map(|(anonymous, known)| (&**anonymous, &**known))
    }

    /// Every id of a customer, in order.
    pub(crate) fn ids_of(&self, customer: &str) -> Vec<String> {
        let joined = self.ids.get(customer).into_iter().flatten();
        let mut ids: Vec<String> = joined.map(|id| String::from(id.as_ref())).collect();
        ids.push(customer.to_owned());
        ids.sort_unstable();
        ids
    }

    /// An anonymous id is a known customer's.
    pub(crate) fn restore(&mut self, anonymous: &str, known: &str) {
        let known: Arc<str> =
            self.ids.get_key_value(known).map_or_else(|| Arc::from(known), |(known, _)| known.clone());
        self.ids.entry(known.clone()).or_default().push(anonymous.into());
        self.joined.insert(anonymous.into(), known);
    }

    /// Anonymous ids that were joined since this was last asked, with whom.
    pub(crate) fn take_news(&mut self) -> Vec<(Box<str>, Arc<str>)> {
        let news = self.news.as_mut().map(std::mem::take).unwrap_or_default();
        news.into_iter().filter_map(|id| self.joined.get(&id).cloned().map(|owner| (id, owner))).collect()
    }
}
