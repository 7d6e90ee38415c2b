//! Calls in the order in which they are applied: customer by customer, each customer's in the order of the stream.
//!
//! Customers do not touch each other, so nothing that comes out tells in what order they were looked at. Where there are so
//! many that those on the site do not stay near the processor, all that one of them does within some thousand calls is done
//! at once. Elsewhere so few calls are taken together that they stay near it themselves.

use super::{Options, shard::Shard};
use crate::{
    limits::{APPROACHED, MANY_CUSTOMERS, READ_TOGETHER},
    source::Envelope,
};
use segue_compiler::execution::Execution;
use std::borrow::Borrow;

/// Some calls, between which nothing happens to several customers at once.
pub(super) struct Visits<C> {
    calls: Vec<C>,
    /// The hashes of their customers.
    hashes: Vec<u64>,
}

impl<C> Default for Visits<C> {
    fn default() -> Self {
        Self { calls: Vec::new(), hashes: Vec::new() }
    }
}

impl<'b, C: Borrow<Envelope<'b>>> Visits<C> {
    /// Takes the next call of the stream; the hash is that of its customer.
    pub(super) fn push(&mut self, hash: u64, call: C) {
        self.hashes.push(hash);
        self.calls.push(call);
    }

    /// Applies the calls if they are as many as should be taken together.
    pub(super) fn apply_enough<E: Execution>(
        &mut self,
        shard: &mut Shard<E>,
        execution: &E,
        options: Options,
    ) {
        let is_enough = self.calls.len() >= APPROACHED && shard.customers() < MANY_CUSTOMERS;
        if is_enough {
            self.apply(shard, execution, options);
        }
    }

    /// Applies all calls.
    pub(super) fn apply<E: Execution>(&mut self, shard: &mut Shard<E>, execution: &E, options: Options) {
        // Half of a hash tells nearly all customers apart; calls of those whom it does not come in the order of the stream.
        let half = |(hash, position): (&u64, u64)| u64::from(*hash as u32) << u32::BITS | position;
        let mut order: Vec<u64> = self.hashes.iter().zip(0..).map(half).collect();
        order.sort_unstable();
        for some in order.chunks(READ_TOGETHER) {
            let calls = some.iter().map(|it| *it as u32 as usize);
            shard.apply(execution, options, calls.map(|it| (self.hashes[it], self.calls[it].borrow())));
        }
        self.calls.clear();
        self.hashes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::Engine, replay::Records, threads::hash};
    use segue_compiler::{
        project::{Project, Source, compile},
        record::Record,
        settings::Settings,
    };

    const RULES: &str = r#"
event "Added" { cart: text }
event "Ordered" { cart: text }
segment keen { did "Added" at least 3 times in the last 1 hour }
rule left { when "Added" then no "Ordered" within 20 minutes with same cart
  call crm { cart: event.cart } }
rule eager { when enters keen
  call crm { keen: true } }
"#;

    #[test]
    fn what_is_applied_together_comes_to_what_it_does_one_by_one() {
        let source = Source { name: "rules.segue".to_owned(), text: RULES.to_owned() };
        let program = compile(&Project { sources: vec![source], ..Project::default() }).program.unwrap();
        let program = std::sync::Arc::new(program);
        let engine = Engine::new(program.clone(), Settings::default()).unwrap();
        let line = |number: u64| {
            // Odd factors, so that customers and events are mixed; some calls come twice, some late.
            let (customer, kind) = (number * 7 % 19, number * 11 % 5);
            let event = if kind < 4 { "Added" } else { "Ordered" };
            let (id, at) = (
                number - u64::from(number % 17 == 3),
                1_767_600_000_000 + 60_000 * number - 90_000 * (number % 3),
            );
            format!(
                r#"{{"type":"track","messageId":"m{id}","userId":"u{customer}","event":"{event}","properties":{{"cart":"c{}"}},"timestamp":{}}}"#,
                number % 4,
                at,
            )
        };
        let lines: Vec<String> = (0..2_000).map(line).collect();
        let calls: Vec<Envelope<'_>> =
            lines.iter().map(|it| Envelope::parse(it.as_bytes()).unwrap()).collect();
        let after = |together: usize| -> Vec<Record> {
            let mut shard = Shard::new(&program);
            let mut visits = Visits::default();
            for some in calls.chunks(together) {
                some.iter().for_each(|call| visits.push(hash(&call.customer), call));
                visits.apply(&mut shard, &engine, Options::default());
            }
            let end = shard.last();
            Records::of(vec![shard.finish(&engine, Options::default(), end).records]).iter().collect()
        };
        let one_by_one = after(1);
        assert!(one_by_one.len() > 200, "{}", one_by_one.len());
        for together in [APPROACHED, 500, calls.len()] {
            assert_eq!(after(together), one_by_one, "{together}");
        }
    }
}
