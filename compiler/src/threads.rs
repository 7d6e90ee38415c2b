//! Work on several threads, none of which outlives it.

use std::thread;

/// Does things at the same time, one of them on this thread; gives what they gave in their order.
pub fn beside_each_other<R: Send, W: FnOnce() -> R + Send>(mut work: Vec<W>) -> Vec<R> {
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
