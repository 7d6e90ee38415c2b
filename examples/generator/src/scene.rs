//! A stretch of one customer's time in which events happen one after the other.

use crate::calendar::{HOUR, MINUTE, SECOND, iso};
use crate::customer::Customer;
use crate::json::Fields;

/// A call as it reaches the collector. Its order is the order of arrival.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arrival {
    /// When it arrives, in milliseconds since 1970.
    pub(crate) at: i64,
    /// The JSON text of the call.
    pub(crate) line: String,
}

/// Events of one customer in a row, with a clock that only they move.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    /// Who acts.
    pub(crate) customer: &'a mut Customer,
    /// The time of the next event, in milliseconds since 1970.
    pub(crate) now: i64,
    end: i64,
    out: &'a mut Vec<Arrival>,
}

impl<'a> Scene<'a> {
    /// Opens a scene at `now`; what happens at `end` or later is left out.
    pub(crate) fn new(
        customer: &'a mut Customer,
        now: i64,
        end: i64,
        out: &'a mut Vec<Arrival>,
    ) -> Scene<'a> {
        Scene { customer, now, end, out }
    }

    /// Lets between `low` and `high` seconds pass.
    pub(crate) fn pause(&mut self, low: i64, high: i64) {
        self.now += self.customer.random.between(low * SECOND, high * SECOND);
    }

    /// Is true `per_mille` times in a thousand.
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.customer.random.chance(per_mille)
    }

    /// Records an event.
    pub(crate) fn track(&mut self, event: &str, properties: Fields) {
        let call = Fields::new().text("event", event).object("properties", properties);
        self.deliver("track", call);
    }

    /// Records the view of a page.
    pub(crate) fn page(&mut self, name: &str, category: &str, url: &str) {
        let properties = Fields::new().text("category", category).text("url", url);
        let call = Fields::new().text("name", name).object("properties", properties);
        self.deliver("page", call);
    }

    /// Records who the customer is.
    pub(crate) fn identify(&mut self) {
        let zone = Fields::new().text("timezone", self.customer.time_zone());
        let call = Fields::new().object("traits", self.customer.traits()).object("context", zone);
        self.deliver("identify", call);
    }

    /// Writes a call, decides when it arrives, and whether it arrives twice.
    fn deliver(&mut self, kind: &str, call: Fields) {
        if self.now >= self.end {
            return;
        }
        let head = Fields::new()
            .text("type", kind)
            .text("messageId", &self.customer.next_call())
            .text("userId", &self.customer.id())
            .finish();
        let head = head.trim_end_matches('}');
        let call = call.finish();
        let call = call.trim_start_matches('{').strip_suffix('}').unwrap_or_default();
        let line = format!("{head},{call},\"timestamp\":\"{}\"", iso(self.now));
        let delay = self.delay();
        self.arrive(&line, delay);
        if self.chance(10) {
            let again = self.customer.random.between(SECOND, 90 * SECOND);
            self.arrive(&line, delay + again);
        }
    }

    /// Most calls arrive at once, some minutes late, a few (a telephone without a network) by hours.
    fn delay(&mut self) -> i64 {
        let random = &mut self.customer.random;
        match random.below(1000) {
            0..2 => random.between(HOUR, 6 * HOUR),
            2..6 => random.between(MINUTE, 30 * MINUTE),
            6..30 => random.between(SECOND, MINUTE),
            _ => 0,
        }
    }

    /// Adds one arrival. The collector's time is written where it tells something.
    fn arrive(&mut self, line: &str, delay: i64) {
        let at = self.now + delay;
        let received = if delay == 0 { String::new() } else { format!(",\"receivedAt\":\"{}\"", iso(at)) };
        self.out.push(Arrival { at, line: format!("{line}{received}}}") });
    }
}
