//! What is remembered by calendar days and weeks.

use super::{merge::Shift, total::Total};
use segue_compiler::{
    calendar::{Habit, MAX_STREAK, ZONE_DAYS},
    packed,
    value::{Millis, Value},
};
use std::collections::VecDeque;

/// Totals of calendar days.
#[derive(Clone, Debug, Default)]
pub(super) struct Days {
    /// In order; days without events are left out.
    days: VecDeque<(i32, Total)>,
}

packed!(Days { days });

impl Days {
    /// Adds an event to its day, and lets days go that no window reaches any more.
    pub(super) fn add(
        &mut self,
        (day, today, reach): (i32, i32, i32),
        (at, order): (Millis, u64),
        value: Option<&Value>,
    ) {
        let oldest = oldest(today, reach);
        while self.days.front().is_some_and(|(day, _)| *day < oldest) {
            self.days.pop_front();
        }
        if day < oldest {
            return;
        }
        let place = self.days.partition_point(|(other, _)| *other < day);
        if self.days.get(place).is_none_or(|(other, _)| *other != day) {
            self.days.insert(place, (day, Total::default()));
        }
        if let Some((_, total)) = self.days.get_mut(place) {
            total.add(at, order, value);
        }
    }

    /// Takes up the days of another customer, who turned out to be the same.
    pub(super) fn merge(&mut self, other: &Self, shift: Shift) {
        let Self { days } = other;
        for (day, total) in days {
            let place = self.days.partition_point(|(other, _)| other < day);
            match self.days.get_mut(place) {
                Some((other, mine)) if other == day => mine.combine(&total.shifted(shift)),
                Some(_) | None => self.days.insert(place, (*day, total.shifted(shift))),
            }
        }
    }

    /// The same with one place in the order of application.
    pub(super) fn at_order(mut self, order: u64) -> Self {
        self.days.iter_mut().for_each(|(_, total)| *total = total.at_order(order));
        self
    }

    /// All from a day on together, and the first day among them.
    pub(super) fn from(&self, first: i32) -> (Total, Option<i32>) {
        let start = self.days.partition_point(|(day, _)| *day < first);
        let mut all = Total::default();
        for (_, total) in self.days.range(start..) {
            all.combine(total);
        }
        (all, self.days.get(start).map(|(day, _)| *day))
    }
}

/// Days or weeks on which there was something: a bit for each from the first one on.
#[derive(Clone, Debug, Default)]
pub(super) struct Periods {
    /// The number of the first bit.
    first: i32,
    words: VecDeque<u64>,
}

packed!(Periods { first, words });

const BITS: i32 = 64;

impl Periods {
    /// Adds a day or week, and lets those go that are not asked for any more.
    pub(super) fn add(&mut self, number: i32, current: i32, reach: i32) {
        let oldest = oldest(current, reach);
        while !self.words.is_empty() && self.first + BITS <= oldest {
            self.words.pop_front();
            self.first += BITS;
        }
        if number < oldest {
            return;
        }
        if self.words.is_empty() {
            self.first = number;
        }
        while number < self.first {
            self.words.push_front(0);
            self.first -= BITS;
        }
        let place = usize::try_from((number - self.first) / BITS).unwrap_or_default();
        while self.words.len() <= place {
            self.words.push_back(0);
        }
        if let Some(word) = self.words.get_mut(place) {
            *word |= 1 << ((number - self.first) % BITS);
        }
    }

    /// Takes up the days or weeks of another customer, who turned out to be the same.
    pub(super) fn merge(&mut self, other: &Self) {
        let Self { first, words: _ } = other;
        for number in (*first..other.end()).filter(|number| other.contains(*number)) {
            self.add(number, i32::MIN, 0);
        }
    }

    fn contains(&self, number: i32) -> bool {
        let Ok(place) = usize::try_from((number - self.first).div_euclid(BITS)) else { return false };
        self.words.get(place).is_some_and(|word| word >> (number - self.first).rem_euclid(BITS) & 1 == 1)
    }

    fn end(&self) -> i32 {
        self.first + BITS * i32::try_from(self.words.len()).unwrap_or_default()
    }

    /// What a habit comes to now, and the day or week at whose beginning it comes to something else.
    pub(super) fn count(&self, habit: Habit, current: i32) -> (i32, Option<i32>) {
        match habit {
            Habit::Of(last) => {
                let last = i32::try_from(last).unwrap_or(i32::MAX);
                let from = self.first.max(current.saturating_sub(last - 1));
                let mut counted = (from..self.end()).filter(|number| self.contains(*number));
                let oldest = counted.next();
                let rest = i32::try_from(counted.count()).unwrap_or_default();
                (oldest.map_or(0, |_| rest + 1), oldest.map(|oldest| oldest + last))
            }
            Habit::Streak => {
                let newest = (self.first..self.end()).rev().find(|number| self.contains(*number));
                let Some(newest) = newest.filter(|newest| *newest >= current - 1) else { return (0, None) };
                let row = (0..MAX_STREAK).take_while(|back| self.contains(newest - back)).count();
                (i32::try_from(row).unwrap_or_default(), Some(newest + 2))
            }
        }
    }
}

/// The first day or week that may still be asked for.
fn oldest(current: i32, reach: i32) -> i32 {
    current.saturating_sub(reach).saturating_sub(ZONE_DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn bits_count_as_a_set_does() {
        let mut periods = Periods::default();
        let mut set = BTreeSet::new();
        // Days in and out of order, with gaps, over several words.
        for step in 0..400 {
            let day = 20_000 + step - (step * 7) % 45;
            if step % 11 < 8 {
                periods.add(day, 20_000 + step, 90);
                set.insert(day);
            }
            for habit in [Habit::Of(1), Habit::Of(7), Habit::Of(30), Habit::Of(90), Habit::Streak] {
                let current = 20_000 + step;
                assert_eq!(periods.count(habit, current), habit.count(&set, current), "{habit:?} {step}");
            }
        }
        assert!(periods.words.len() <= 3);
    }

    #[test]
    fn days_that_no_window_reaches_are_let_go() {
        let mut days = Days::default();
        for day in 0..100 {
            days.add((day, day, 7), (i64::from(day), 0), None);
        }
        assert_eq!(days.days.len(), 10);
        assert_eq!(days.from(93).0.count, 7);
        assert_eq!(days.from(93).1, Some(93));
    }
}
