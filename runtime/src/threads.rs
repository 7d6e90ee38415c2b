//! Customers spread over shards, and shards over threads.

pub(crate) use segue_compiler::threads::beside_each_other;
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
