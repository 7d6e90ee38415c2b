//! What a change of rules needs of the log stays until it has read it.

use crate::log::{Damage, Trimmed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keeps the log from being trimmed while changes of rules are on their way; copies are about the same log.
#[derive(Clone, Debug, Default)]
pub(super) struct Hold(Arc<Mutex<u32>>);

impl Hold {
    /// A change is on its way: what the log holds now stays.
    pub(super) fn begin(&self) {
        *self.lock() += 1;
    }

    /// A change was put in force, or will not be.
    pub(super) fn end(&self) {
        let mut changes = self.lock();
        *changes = changes.saturating_sub(1);
    }

    /// Trims, unless a change is on its way; none begins meanwhile.
    pub(super) fn trim(&self, trim: impl FnOnce() -> Result<Trimmed, Damage>) -> Result<Trimmed, Damage> {
        let changes = self.lock();
        if *changes > 0 { Ok(Trimmed::default()) } else { trim() }
    }

    fn lock(&self) -> MutexGuard<'_, u32> {
        // Nothing is left half done in here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
