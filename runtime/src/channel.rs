//! Delivery: what carries a decision to a person or a system.
//!
//! A [`Channel`] is one way out; [`Hooks`] are those that a project configured, and [`Hooks::deliver`] takes decisions to
//! them. A decision's id goes along, so that a receiver that sees it twice can tell.

mod console;
mod deliver;
mod file;
mod webhook;

pub use console::{Console, content};
pub use deliver::{Hooks, OpenError};
pub use file::FileHook;
pub use webhook::{RealSleep, Sleep, Webhook};

use segue_compiler::record::{ActionId, Record};

/// A decision on its way out: a message or a call.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// The decision; always a send or a call.
    pub record: &'a Record,
    /// Its id, the same for the same input.
    pub id: ActionId,
    /// The channel or hook.
    pub channel: &'a str,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver took it.
    Delivered {
        /// How often it was tried.
        attempts: u32,
    },
    /// The receiver did not take it.
    Failed {
        /// What kind of failure it was, in words. It quotes nothing: not the address, which may hold a secret, nor what
        /// the receiver said, which may name a customer. So it may stand in a log.
        reason: String,
        /// What the receiver or the system said, for the person who asked for the delivery.
        said: Option<String>,
        /// How often it was tried.
        attempts: u32,
        /// Whether the receiver as a whole is at fault, so that a later try may help; else it is this decision.
        retryable: bool,
    },
}

/// One way out.
pub trait Channel: Send {
    /// Delivers a decision; returns when it is known what became of it.
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Outcome;
}

impl<'a> Delivery<'a> {
    /// The delivery that a record asks for; none for records that are no decisions.
    #[must_use]
    pub fn of(record: &'a Record) -> Option<Self> {
        match record {
            Record::Send(send) => Some(Self { record, id: send.id, channel: &send.channel }),
            Record::Call(call) => Some(Self { record, id: call.id, channel: &call.hook }),
            Record::Suppressed(_)
            | Record::Held(_)
            | Record::Segment(_)
            | Record::Set(_)
            | Record::Emit(_) => None,
        }
    }
}

impl Outcome {
    /// A failure of this decision alone, which no retry mends.
    #[must_use]
    pub fn refused(reason: impl Into<String>) -> Self {
        Self::Failed { reason: reason.into(), said: None, attempts: 1, retryable: false }
    }
}
