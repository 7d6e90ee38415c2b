//! Who is who: which anonymous ids belong to which known customers.

use crate::source::Envelope;
use hashbrown::HashMap;
use segue_compiler::{
    pack::{Broken, Packed, Packer, Unpacker},
    value::Millis,
};
use std::{borrow::Cow, sync::Arc};
use xxhash_rust::xxh3::Xxh3DefaultBuilder;

/// What the bytes of an [`Owner`] begin with.
const WITH_TIME: u8 = 0xff;

/// Anonymous ids that were joined with known customers, as of the line that is read.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    /// By anonymous id. Whoever lists them sorts them, so that no order of hashes is seen.
    joined: HashMap<Box<str>, Owner, Xxh3DefaultBuilder>,
    /// By known customer, the anonymous ids.
    ids: HashMap<Arc<str>, Vec<Box<str>>, Xxh3DefaultBuilder>,
    /// Anonymous ids that were joined since this was last taken, where somebody asks for it.
    news: Option<Vec<Box<str>>>,
}

/// Whose an anonymous id is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) known: Arc<str>,
    /// When the call arrived that said so.
    pub(crate) since: Millis,
}

impl Owner {
    /// As bytes that can be kept: a byte that begins no text, since when, and the id of the customer.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut packer = Packer::default();
        packer.raw(&[WITH_TIME]);
        self.since.pack(&mut packer);
        packer.raw(self.known.as_bytes());
        packer.finish()
    }

    /// The id of the customer, and since when. Where only the id was kept, it was so from the beginning.
    fn read(bytes: &[u8]) -> Result<(&str, Millis), Broken> {
        let (since, known) = match bytes.split_first() {
            Some((&WITH_TIME, rest)) => {
                let mut from = Unpacker::new(rest, 0);
                (Millis::unpack(&mut from)?, from.rest())
            }
            _ => (Millis::MIN, bytes),
        };
        Ok((std::str::from_utf8(known).map_err(|_| Broken)?, since))
    }
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
            *anonymous = Cow::Owned((*owner.known).to_owned());
        }
    }

    /// The link of a call that says something new.
    pub(crate) fn news(&self, envelope: &Envelope<'_>, until: Option<Millis>) -> Option<Link> {
        let anonymous = envelope.same_as.as_deref()?;
        let known = &*envelope.customer;
        let is_old = self.joined.get(anonymous).is_some_and(|owner| *owner.known == *known);
        (!is_old && !envelope.is_ahead(until)).then(|| Link {
            anonymous: anonymous.to_owned(),
            known: known.to_owned(),
            at: envelope.at,
        })
    }

    /// Takes up a link of a call that arrived at an instant; `is_known` tells whether the anonymous id was ever that of a known
    /// customer.
    pub(crate) fn link(&mut self, link: &Link, arrival: Millis, is_known: bool) -> Linked {
        match self.joined.get(&*link.anonymous) {
            Some(owner) if *owner.known == *link.known => Linked::Already,
            Some(_) => Linked::Refused,
            None if is_known => Linked::Refused,
            None => {
                self.join(&link.anonymous, &link.known, arrival);
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
            && let Some(ids) = self.ids.get_mut(&owner.known)
        {
            ids.retain(|id| **id != *customer);
        }
        for id in self.ids.remove(customer).into_iter().flatten() {
            self.joined.remove(&id);
        }
        theirs
    }

    /// Whose an anonymous id is.
    pub(crate) fn owner(&self, anonymous: &str) -> Option<&Owner> {
        self.joined.get(anonymous)
    }

    /// Whose an id is: the known customer with whom it was joined, or itself.
    pub(crate) fn whose(&self, id: &str) -> Arc<str> {
        self.owner(id).map_or_else(|| Arc::from(id), |owner| owner.known.clone())
    }

    /// Every id of a customer, in order.
    pub(crate) fn ids_of(&self, customer: &str) -> Vec<String> {
        let joined = self.ids.get(customer).into_iter().flatten();
        let mut ids: Vec<String> = joined.map(|id| String::from(id.as_ref())).collect();
        ids.push(customer.to_owned());
        ids.sort_unstable();
        ids
    }

    /// An anonymous id is a known customer's, as a call said that arrived at an instant.
    fn join(&mut self, anonymous: &str, known: &str, since: Millis) {
        let known: Arc<str> =
            self.ids.get_key_value(known).map_or_else(|| Arc::from(known), |(known, _)| known.clone());
        self.ids.entry(known.clone()).or_default().push(anonymous.into());
        self.joined.insert(anonymous.into(), Owner { known, since });
    }

    /// Takes up whose an anonymous id is, from [bytes](Owner::to_bytes).
    ///
    /// # Errors
    /// When the bytes are not such.
    pub(crate) fn restore(&mut self, anonymous: &str, owner: &[u8]) -> Result<(), Broken> {
        let (known, since) = Owner::read(owner)?;
        self.join(anonymous, known, since);
        Ok(())
    }

    /// Anonymous ids that were joined since this was last asked, with whom.
    pub(crate) fn take_news(&mut self) -> Vec<(Box<str>, Owner)> {
        let news = self.news.as_mut().map(std::mem::take).unwrap_or_default();
        news.into_iter().filter_map(|id| self.joined.get(&id).cloned().map(|owner| (id, owner))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_come_back_from_bytes_and_from_an_id_alone() {
        let mut identities = Identities::remembering();
        let link = Link { anonymous: "anon".to_owned(), known: "ada".to_owned(), at: 5 };
        assert_eq!(identities.link(&link, 7, false), Linked::Now);
        let news = identities.take_news();
        let [(_, owner)] = news.as_slice() else { panic!("{news:?}") };
        let mut restored = Identities::default();
        restored.restore("anon", &owner.to_bytes()).unwrap();
        restored.restore("other", b"bob").unwrap();
        assert_eq!(restored.owner("anon"), Some(&Owner { known: Arc::from("ada"), since: 7 }));
        assert_eq!(restored.owner("other"), Some(&Owner { known: Arc::from("bob"), since: Millis::MIN }));
        assert_eq!(restored.restore("odd", b"\xff"), Err(Broken));
        assert_eq!(restored.restore("odd", b"\xfe"), Err(Broken));
    }
}
