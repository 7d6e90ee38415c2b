//! Joining two customers whose states lie in different shards, while every shard goes on with its own calls.
//!
//! Both shards come to an errand at the same place in the stream and wait for each other there. They cannot wait in a
//! circle: whichever errand stands first in the stream is the next one for both of its shards.

use crate::identities::Link;
use segue_compiler::value::Millis;
use std::sync::mpsc::{Receiver, Sender, channel};

/// What a shard has to do between two calls.
pub(super) enum Errand<C> {
    /// Both customers are here.
    Join(Link),
    /// The anonymous one is here.
    Give {
        link: Link,
        /// Until when time passes for this one before they are joined; none when there is nobody.
        mine: Sender<Option<Millis>>,
        other: Receiver<Millis>,
        state: Sender<C>,
    },
    /// The known one is here.
    Take { link: Link, mine: Sender<Millis>, other: Receiver<Option<Millis>>, state: Receiver<C> },
}

impl<C> Errand<C> {
    /// The errands of two shards: of the anonymous customer's and of the known one's.
    pub(super) fn between(link: Link) -> [Self; 2] {
        let (mine, other) = channel();
        let (answer, of_known) = channel();
        let (give, take) = channel();
        [
            Self::Give { link: link.clone(), mine, other: of_known, state: give },
            Self::Take { link, mine: answer, other, state: take },
        ]
    }
}
