//! Count, sum, extremes, first and last of a value.

use super::merge::Shift;
use segue_compiler::{
    packed,
    plan::Class,
    typed::Aggregate,
    value::{Decimal, Millis, Value, divide_half_even},
};

/// Totals over values that come one by one; combining two gives what adding all to one would.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Total {
    pub(super) count: u64,
    sum: i128,
    smallest: Value,
    largest: Value,
    first: Option<(Millis, u64, Value)>,
    last: Option<(Millis, u64, Value)>,
}

packed!(Total { count, sum, smallest, largest, first, last });

impl Total {
    /// Adds a value; without one only the count grows.
    pub(super) fn add(&mut self, at: Millis, order: u64, value: Option<&Value>) {
        self.count += 1;
        let Some(value) = value else { return };
        if let Some(word) = Class::word(value) {
            self.sum = self.sum.saturating_add(i128::from(word));
            if !self.smallest.is_known() || *value < self.smallest {
                self.smallest = value.clone();
            }
            if !self.largest.is_known() || *value > self.largest {
                self.largest = value.clone();
            }
        }
        if self.first.as_ref().is_none_or(|(first, other, _)| (at, order) < (*first, *other)) {
            self.first = Some((at, order, value.kept()));
        }
        if self.last.as_ref().is_none_or(|(last, other, _)| (at, order) > (*last, *other)) {
            self.last = Some((at, order, value.kept()));
        }
    }

    /// Adds all that another total holds.
    pub(super) fn combine(&mut self, other: &Self) {
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
        if other.smallest.is_known() && (!self.smallest.is_known() || other.smallest < self.smallest) {
            self.smallest = other.smallest.clone();
        }
        if other.largest.is_known() && (!self.largest.is_known() || other.largest > self.largest) {
            self.largest = other.largest.clone();
        }
        if let Some((at, order, value)) = &other.first
            && self.first.as_ref().is_none_or(|(first, other, _)| (at, order) < (first, other))
        {
            self.first = Some((*at, *order, value.clone()));
        }
        if let Some((at, order, value)) = &other.last
            && self.last.as_ref().is_none_or(|(last, other, _)| (at, order) > (last, other))
        {
            self.last = Some((*at, *order, value.clone()));
        }
    }

    /// The same with other places in the order of application.
    pub(super) fn shifted(&self, shift: Shift) -> Self {
        let Self { count, sum, smallest, largest, first, last } = self.clone();
        let shifted = |place: Option<(Millis, u64, Value)>| {
            place.map(|(at, order, value)| (at, shift.order(order), value))
        };
        Self { count, sum, smallest, largest, first: shifted(first), last: shifted(last) }
    }

    /// The same with one place in the order of application.
    pub(super) fn at_order(&self, order: u64) -> Self {
        let Self { count, sum, smallest, largest, first, last } = self.clone();
        let placed = |place: Option<(Millis, u64, Value)>| place.map(|(at, _, value)| (at, order, value));
        Self { count, sum, smallest, largest, first: placed(first), last: placed(last) }
    }

    /// An aggregate of what was added; most frequent and distinct count are not made of totals and are missing.
    pub(super) fn aggregate(&self, function: Aggregate, class: Class) -> Value {
        let of_sum = |sum: i128| class.value(Decimal::saturating_from(sum).0);
        match function {
            Aggregate::Sum => of_sum(self.sum),
            Aggregate::Average if self.count == 0 => Value::Missing,
            Aggregate::Average => of_sum(divide_half_even(self.sum, i128::from(self.count))),
            Aggregate::Smallest => self.smallest.clone(),
            Aggregate::Largest => self.largest.clone(),
            Aggregate::First => self.first.as_ref().map_or(Value::Missing, |(_, _, value)| value.clone()),
            Aggregate::Last => self.last.as_ref().map_or(Value::Missing, |(_, _, value)| value.clone()),
            Aggregate::MostFrequent | Aggregate::DistinctCount => Value::Missing,
        }
    }
}
