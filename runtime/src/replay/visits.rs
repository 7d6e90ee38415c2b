//! Calls in the order in which they are applied: customer by customer, each customer's in the order of the stream.
//!
//! Customers do not touch each other, so nothing that comes out tells in what order they were looked at. All that one of them
//! does within some thousand calls is done at once, and where they are more than can stay awake until they come again, they are
//! laid to rest at once, too: while one is awake, all that their state is made of lies nearest to the processor. Where hardly
//! anybody comes twice within that, so few calls are taken together that these lie near it themselves.

use super::{Options, shard::Shard};
use crate::{
    limits::{APPROACHED, GATHERED_ANYWAY, JUDGED_CALLS, READ_TOGETHER, STAYING, WORTH_GATHERING},
    source::Envelope,
};
use segue_compiler::execution::Execution;
use smallvec::SmallVec;
use std::borrow::Borrow;

/// A call in its turn.
#[derive(Clone, Copy)]
pub(super) struct Visit<'c> {
    /// The hash of its customer.
    pub(super) hash: u64,
    pub(super) call: &'c Envelope<'c>,
    /// Whether the customer is laid to rest after it.
    pub(super) leaves: bool,
}

/// Whether as many calls as there are should be taken together, as far as those before tell.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    /// For how many calls more it is not tried.
    untried: usize,
}

impl Gathering {
    fn is_worth_it(&self) -> bool {
        self.untried == 0
    }

    /// Some calls by so many customers were taken together.
    fn judge(&mut self, calls: usize, customers: usize) {
        self.untried = if calls < JUDGED_CALLS || self.untried > 0 {
            self.untried.saturating_sub(calls)
        } else if calls < customers.saturating_mul(WORTH_GATHERING) {
            calls.saturating_mul(GATHERED_ANYWAY)
        } else {
            0
        };
    }
}

/// Some calls, between which nothing happens to several customers at once.
pub(super) struct Visits<C> {
    calls: Vec<C>,
    /// The hashes of their customers.
    hashes: Vec<u64>,
}

impl<'b, C: Borrow<Envelope<'b>>> Visits<C> {
    /// None yet; room for so many.
    pub(super) fn of(calls: usize) -> Self {
        Self { calls: Vec::with_capacity(calls), hashes: Vec::with_capacity(calls) }
    }

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
        if !shard.gathering.is_worth_it() && self.calls.len() >= APPROACHED {
            self.apply(shard, execution, options);
        }
    }

    /// Applies all calls.
    pub(super) fn apply<E: Execution>(&mut self, shard: &mut Shard<E>, execution: &E, options: Options) {
        // Half of a hash tells nearly all customers apart; calls of those whom it does not come in the order of the stream.
        let half = |(hash, position): (&u64, u64)| u64::from(*hash as u32) << u32::BITS | position;
        let mut order: Vec<u64> = self.hashes.iter().zip(0..).map(half).collect();
        order.sort_unstable();
        let is_last = |place: usize| {
            let customer = |place: usize| order.get(place).map(|it| it >> u32::BITS);
            customer(place + 1) != customer(place)
        };
        let customers = (0..order.len()).filter(|place| is_last(*place)).count();
        shard.gathering.judge(order.len(), customers);
        let stay = customers <= shard.seats().saturating_mul(STAYING);
        for (some, first) in order.chunks(READ_TOGETHER).zip((0..).step_by(READ_TOGETHER)) {
            let visits = some.iter().enumerate().map(|(further, it)| {
                let call = *it as u32 as usize;
                let leaves = !stay && is_last(first + further);
                Visit { hash: self.hashes[call], call: self.calls[call].borrow(), leaves }
            });
            let visits: SmallVec<[Visit<'_>; READ_TOGETHER]> = visits.collect();
            shard.apply(execution, options, &visits);
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
        typed::Program,
    };
    use std::sync::Arc;

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
        let program = Arc::new(program);
        for crowd in [19, 601] {
            compare(&program, crowd);
        }
    }

    /// Compares what comes of a stream by so many customers: few of whom all stay awake, or more than can.
    fn compare(program: &Arc<Program>, crowd: u64) {
        let engine = Engine::new(program.clone(), Settings::default()).unwrap();
        let line = |number: u64| {
            // Odd factors, so that customers and events are mixed; some calls come twice, some late.
            let (customer, kind) = (number * 7 % crowd, number * 11 % 5);
            let event = if kind < 4 { "Added" } else { "Ordered" };
            let (id, at) = (
                number - u64::from(number % 17 == 3),
                1_767_600_000_000 + 60_000 * 19 * number / crowd - 90_000 * (number % 3),
            );
            format!(
                r#"{{"type":"track","messageId":"m{id}","userId":"u{customer}","event":"{event}","properties":{{"cart":"c{}"}},"timestamp":{}}}"#,
                number % 4,
                at,
            )
        };
        let lines: Vec<String> = (0..2_000.max(10 * crowd)).map(line).collect();
        let calls: Vec<Envelope<'_>> =
            lines.iter().map(|it| Envelope::parse(it.as_bytes()).unwrap()).collect();
        let after = |together: usize| -> Vec<Record> {
            let mut shard = Shard::new(program);
            let mut visits = Visits::of(0);
            for some in calls.chunks(together) {
                some.iter().for_each(|call| visits.push(hash(&call.customer), call));
                visits.apply(&mut shard, &engine, Options::default());
            }
            let end = shard.last();
            Records::of(vec![shard.finish(&engine, Options::default(), end).records]).iter().collect()
        };
        let one_by_one = after(1);
        assert!(one_by_one.len() > 200, "{}", one_by_one.len());
        for together in [READ_TOGETHER / 4, 500, calls.len()] {
            assert_eq!(after(together), one_by_one, "{crowd}, {together}");
        }
    }
}
