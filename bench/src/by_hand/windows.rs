//! Windows: what happened in the last so many days, as far as conditions ask.

use super::{
    line::Amount,
    time::{DAY, Millis, NEVER, NEVER_MORE},
};
use std::collections::VecDeque;

/// The times of the latest `N` events of a kind, the latest first; `NEVER` where nothing happened yet. `at
/// least N times in the last D` is decided by the oldest of them alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Latest<const N: usize>([Millis; N]);

impl<const N: usize> Default for Latest<N> {
    fn default() -> Self {
        Self([NEVER; N])
    }
}

impl<const N: usize> Latest<N> {
    /// It happened once more.
    pub(super) fn happened(&mut self, at: Millis) {
        self.0.rotate_right(1);
        if let Some(latest) = self.0.first_mut() {
            *latest = at;
        }
    }

    /// When it happened last.
    pub(super) fn latest(&self) -> Millis {
        self.0.first().copied().unwrap_or(NEVER)
    }

    /// Whether it happened `N` times or more in the last so many milliseconds.
    pub(super) fn all_within(&self, length: Millis, now: Millis) -> bool {
        self.leaves(length) > now
    }

    /// When the `N`th latest is so many milliseconds old, and has left the window; long ago where there is
    /// none.
    pub(super) fn leaves(&self, length: Millis) -> Millis {
        self.0.last().map_or(NEVER, |oldest| oldest + length)
    }
}

/// What was spent in the last 365 days.
#[derive(Clone, Debug, Default)]
pub(super) struct Spent {
    /// When and how much, the oldest first.
    orders: VecDeque<(Millis, Amount)>,
    /// The sum of all that are still there.
    sum: i64,
}

/// How far back spending is added up.
const YEAR: Millis = 365 * DAY;

impl Spent {
    /// An order of so much.
    pub(super) fn add(&mut self, at: Millis, total: Amount) {
        self.orders.push_back((at, total));
        self.sum = self.sum.saturating_add(total.0);
    }

    /// Lets go what is too old by now.
    pub(super) fn forget(&mut self, now: Millis) {
        while let Some((_, total)) = self.orders.pop_front_if(|(at, _)| *at + YEAR <= now) {
            self.sum = self.sum.saturating_sub(total.0);
        }
    }

    /// The sum, as of the last time that what is too old was let go.
    pub(super) fn sum(&self) -> Amount {
        Amount(self.sum)
    }

    /// When the oldest order leaves the window.
    pub(super) fn leaves(&self) -> Millis {
        self.orders.front().map_or(NEVER_MORE, |(at, _)| at + YEAR)
    }
}
