//! How the wall clock of a live service moves the clocks of customers, from what its log says (6): calls with their
//! arrivals, up to where time had come, and when the service came up again. Whoever hosts customers live and whoever replays
//! the log do this, and so decide the same.
//!
//! An instant passes when the project's `settle` has gone by since: what happened up to then may still be on its way.
//!
//! ```
//! use segue_compiler::arrival::Arrivals;
//!
//! let mut arrivals = Arrivals::new(1_000);
//! // Before a call that arrived at 10,000 is applied, time passes for its customer up to here, by `Execution::advance`.
//! assert_eq!(arrivals.before_call(10_000), 8_999);
//! // The wall clock has come to 60,000: time passes for everybody up to here, by `Execution::advance`.
//! assert_eq!(arrivals.come_to(60_000), 59_000);
//! // The service comes up at 90,000: for everybody by `Execution::overdue(customer, 89_000, 90_000)`.
//! assert_eq!(arrivals.come_up(90_000), 89_000);
//! ```
//!
//! Customers of whom nothing is due ([`Execution::next_deadline`]) need not be looked at when time comes to an instant or
//! the service comes up: before their next call, time passes for them at least as far.
//!
//! [`Execution::next_deadline`]: crate::execution::Execution::next_deadline

use crate::{
    event::Incoming,
    execution::{Execution, Outcome, Output},
    packed,
    value::Millis,
};

/// How far the wall clock of a live service has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrivals {
    settle: i64,
    /// Up to when time has passed for everybody.
    passed: Millis,
}

packed!(Arrivals { settle, passed });

impl Arrivals {
    /// A service that has not been up yet, for the project's `settle`.
    #[must_use]
    pub fn new(settle: i64) -> Self {
        Self { settle, passed: Millis::MIN }
    }

    /// Up to when time passes for a customer before a call of theirs is applied that arrived at an instant, or before they are
    /// joined with another by it: what is due in the millisecond of the arrival comes after the call.
    #[must_use]
    pub fn before_call(&self, received_at: Millis) -> Millis {
        received_at.saturating_sub(self.settle).saturating_sub(1).max(self.passed)
    }

    /// The wall clock has come to an instant, and every call that arrived up to then was handed over: up to when time passes
    /// for everybody.
    pub fn come_to(&mut self, clock: Millis) -> Millis {
        self.passed = self.passed.max(clock.saturating_sub(self.settle));
        self.passed
    }

    /// The service has come up at an instant: up to when time passes for everybody in which it was down, by
    /// [`Execution::overdue`] with the instant itself as `now`.
    pub fn come_up(&mut self, clock: Millis) -> Millis {
        self.come_to(clock)
    }

    /// Up to when time has passed for everybody.
    #[must_use]
    pub fn passed(&self) -> Millis {
        self.passed
    }

    /// Reads a call and applies it as of its arrival; one without is taken to have arrived when it happened. What is read
    /// takes the place of what `reading` held before.
    pub fn apply<E: Execution>(
        &self,
        executor: &E,
        customer: &mut E::Customer,
        incoming: &Incoming<'_>,
        reading: &mut E::Reading,
        out: &mut Output,
    ) -> Outcome {
        let received_at = incoming.received_at.unwrap_or(incoming.at);
        executor.advance(customer, self.before_call(received_at), out);
        executor.read(incoming, reading);
        executor.apply_read(customer, incoming, reading, out)
    }
}
