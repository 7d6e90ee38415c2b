//! Numbers of names.

use hashbrown::HashTable;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// Finds the number of a name.
pub(super) struct Names {
    /// Hash and number; only looked up, never walked, so that no order of hashes is seen.
    table: HashTable<(u64, u32)>,
    names: Vec<Arc<str>>,
}

impl Names {
    /// Numbers names in their order; of equal ones the first counts.
    pub(super) fn new(names: impl IntoIterator<Item = Arc<str>>) -> Self {
        let mut all = Self { table: HashTable::new(), names: names.into_iter().collect() };
        for (name, number) in all.names.iter().zip(0..) {
            let hash = xxh3_64(name.as_bytes());
            if find(&all.table, &all.names, hash, name).is_none() {
                all.table.insert_unique(hash, (hash, number), |(hash, _)| *hash);
            }
        }
        all
    }

    /// The names by number.
    pub(super) fn all(&self) -> &[Arc<str>] {
        &self.names
    }

    pub(super) fn get(&self, name: &str) -> Option<u32> {
        find(&self.table, &self.names, xxh3_64(name.as_bytes()), name)
    }
}

fn find(table: &HashTable<(u64, u32)>, names: &[Arc<str>], hash: u64, name: &str) -> Option<u32> {
    let is_it = |(other, number): &(u64, u32)| {
        *other == hash && names.get(*number as usize).is_some_and(|other| **other == *name)
    };
    table.find(hash, is_it).map(|(_, number)| *number)
}
