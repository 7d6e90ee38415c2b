//! Customers spread over shards, and shards over threads.

use rayon_core::{ThreadPool, ThreadPoolBuilder};
pub(crate) use segue_compiler::threads::beside_each_other;
use std::sync::{Mutex, MutexGuard, PoisonError};
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

/// What a mutex guards, also where a thread has failed that held it: its failure is told where threads come together.
pub(crate) fn lock<T>(guarded: &Mutex<T>) -> MutexGuard<'_, T> {
    guarded.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Threads that stay, each with a shard of its own: what a customer's state is made of is then always asked for and given
/// back by the same thread.
#[derive(Debug)]
pub(crate) struct Crew {
    /// None where there is one thread: then all is done by whoever asks for it.
    pool: Option<ThreadPool>,
}

impl Crew {
    /// So many threads; one where the system does not give them.
    pub(crate) fn new(size: usize) -> Self {
        let pool = ThreadPoolBuilder::new().num_threads(size).thread_name(|number| format!("shard {number}"));
        Self { pool: if size < 2 { None } else { pool.build().ok() } }
    }

    /// How many threads there are.
    pub(crate) fn size(&self) -> usize {
        self.pool.as_ref().map_or(1, ThreadPool::current_num_threads)
    }

    /// Does something that has all threads work again and again on one of them, so that only the others have to be waited for.
    pub(crate) fn lead<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            None => work(),
            Some(pool) => pool.install(work),
        }
    }

    /// Does things at the same time, each on the thread of its position; gives what they gave in their order.
    pub(crate) fn work<R: Send, W: FnOnce() -> R + Send>(&self, work: Vec<W>) -> Vec<R> {
        let Some(pool) = &self.pool else { return work.into_iter().map(|work| work()).collect() };
        let work: Vec<Mutex<Option<W>>> = work.into_iter().map(|work| Mutex::new(Some(work))).collect();
        let results = pool.broadcast(|thread| {
            let work = lock(work.get(thread.index())?).take();
            work.map(|work| work())
        });
        results.into_iter().flatten().collect()
    }
}
