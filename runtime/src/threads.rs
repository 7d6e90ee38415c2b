//! Customers spread over shards, and shards over threads.

use std::thread;
use xxhash_rust::xxh3::xxh3_64;

/// The hash by which customers are found and spread, the same everywhere.
pub(crate) fn hash(customer: &str) -> u64 {
    xxh3_64(customer.as_bytes())
}

/// The shard of a customer.
pub(crate) fn shard_of(hash: u64, count: usize) -> usize {
    // The upper half: the lower one finds places in tables.
    (hash >> 32) as usize % count
}

/// Does things at the same time, one of them on this thread; gives what they gave in their order.
pub(crate) fn beside_each_other<R: Send, W: FnOnce() -> R + Send>(mut work: Vec<W>) -> Vec<R> {
    let Some(last) = work.pop() else { return Vec::new() };
    thread::scope(|scope| {
        let others: Vec<_> = work.into_iter().map(|work| scope.spawn(work)).collect();
        let last = last();
        let mut results: Vec<R> = Vec::with_capacity(others.len() + 1);
        for other in others {
            match other.join() {
                Ok(result) => results.push(result),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results.push(last);
        results
    })
}
