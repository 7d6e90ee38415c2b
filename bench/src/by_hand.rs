//! The 20-rule pack written by hand, in Rust for these rules alone: how fast a program can be that knows nothing else.
//!
//! It decides the same as `segue run` with [this pack](crate::packs::ORDINARY), over a stream that is in order of time,
//! down to the ids and the order of the records. `file` cuts a file into lines and `line` reads a call, `customer` is what
//! is known of one customer, with `windows` and `sequences`; `rules` is what happens at one moment, `messages` what comes of
//! it, `ids` its ids, and `records` how it is kept. `names` has the names of the pack, `print` prints, `texts` and `time`
//! are small tools.
//!
//! What a rules engine does and this leaves out:
//!
//! - late events, and events from the future; it relies on the order of the stream
//! - duplicates: it remembers no message ids
//! - `anonymousId`, `alias`, `group`, joining customers, profiles that are loaded beforehand
//! - time zones: everything is UTC; instants are read in one form only
//! - fields of another type than declared: such a call is passed over; a number is not taken for a
//!   text, a `null` trait clears nothing, and texts are kept as long as they are
//! - what `use messaging` does by itself: `Message Sent` (no rule of the pack looks at it), unsubscribing,
//!   and suppression by replies, bounces and complaints; passive events; consent by topic in traits
//! - whether an address can be one; `context.timezone`
//! - what the pack does not use: settling, quiet times, held messages, holdouts, goals, waits, schedules
//! - other rules, a change of rules, storing of customers, explanations, the summary, and the library
//!   interface

mod customer;
mod file;
mod ids;
mod line;
mod messages;
mod names;
mod print;
mod records;
mod rules;
mod sequences;
mod texts;
mod time;
mod windows;

use customer::Customer;
use hashbrown::HashTable;
use line::Call;
use messages::Desk;
use rules::{Moment, pass};
use sequences::Completed;
use std::{
    fs::File,
    hint::black_box,
    io::{self, Write},
    path::Path,
};
use time::{Millis, NEVER};
use xxhash_rust::xxh3::xxh3_64;

/// The shop: its customers, and what happened.
pub struct Shop {
    /// Customers with the hashes of their ids.
    customers: HashTable<(u64, Box<Customer>)>,
    /// Where what happens is written down.
    desk: Desk,
    /// The time of the latest call.
    latest: Millis,
}

/// Decodes the lines of a file, and does nothing with them; gives how many are calls.
///
/// # Errors
/// When the file cannot be read.
pub fn decode_only(path: &Path) -> io::Result<u64> {
    file::each_call(File::open(path)?, |call| _ = black_box(call))
}

impl Shop {
    /// What comes of a file, in order. A line that is no call is passed over.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let mut shop = Self::with_room(usize::try_from(file.metadata()?.len()).unwrap_or_default());
        file::each_call(file, |call| shop.apply(call))?;
        shop.end();
        shop.desk.records.sort(&shop.desk.texts);
        Ok(shop)
    }

    /// An empty shop, with room for what comes of a stream of so many bytes, so that nothing has to be moved
    /// as it grows.
    fn with_room(bytes: usize) -> Self {
        Self { customers: HashTable::new(), desk: Desk::with_room(bytes), latest: NEVER }
    }

    /// Applies a call; calls come in order of time.
    fn apply(&mut self, call: &Call<&str>) {
        self.latest = call.at;
        let desk = &mut self.desk;
        let hash = xxh3_64(call.customer.as_bytes());
        let is_it = |(other, customer): &(u64, Box<Customer>)| {
            *other == hash && desk.texts.get(customer.id) == call.customer
        };
        let place = self.customers.entry(hash, is_it, |(hash, _)| *hash);
        let new = || (hash, Box::new(Customer::new(desk.texts.keep(call.customer), call.at)));
        let known = place.or_insert_with(new).into_mut();
        let customer = &mut *known.1;
        pass(customer, call.at - 1, desk);
        let message = desk.texts.keep(call.message_id);
        let completed = if let Some(event) = call.event {
            customer.remember(event, call);
            customer.sequences.follow(event, call, message)
        } else {
            customer.profile.record(&call.traits, call.at, &mut desk.texts);
            Completed::default()
        };
        Moment { customer, desk, now: call.at, call: Some(call), message }.happen(&completed);
    }

    /// Lets all time pass up to the end of the stream.
    fn end(&mut self) {
        for (_, customer) in &mut self.customers {
            pass(customer, self.latest, &mut self.desk);
        }
    }

    /// How many records there are.
    #[must_use]
    pub fn records(&self) -> usize {
        self.desk.records.len()
    }

    /// Prints what happened, as `segue run` does.
    ///
    /// # Errors
    /// When writing fails.
    pub fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        print::print(&self.desk.records, &self.desk.texts, out)
    }
}
