//! Aggregates over rows.

use super::{ring::Row, total::Total};
use segue_compiler::{
    plan::Class,
    typed::Aggregate,
    value::{Decimal, Value},
};
use std::collections::{BTreeMap, BTreeSet};

/// An aggregate of the last column of rows in order; `older` is what lies before them.
pub(super) fn of_rows<'r>(
    function: Aggregate,
    class: Class,
    rows: impl Iterator<Item = &'r Row>,
    older: Total,
) -> Value {
    let valued =
        rows.filter_map(|row| row.columns.last().filter(|value| value.is_known()).map(|value| (row, value)));
    match function {
        Aggregate::MostFrequent => most_frequent(valued.map(|(_, value)| value)),
        Aggregate::DistinctCount => {
            let distinct: BTreeSet<Value> = valued.map(|(_, value)| value.kept()).collect();
            number(distinct.len())
        }
        Aggregate::Sum
        | Aggregate::Average
        | Aggregate::Smallest
        | Aggregate::Largest
        | Aggregate::First
        | Aggregate::Last => {
            let mut total = older;
            for (row, value) in valued {
                total.add(row.at, row.order, Some(value));
            }
            total.aggregate(function, class)
        }
    }
}

/// A count as a number.
pub(super) fn number(count: usize) -> Value {
    i64::try_from(count).ok().and_then(Decimal::whole).map_or(Value::Missing, Value::Number)
}

/// The most frequent value; of several the one that came last.
fn most_frequent<'r>(values: impl Iterator<Item = &'r Value>) -> Value {
    let mut counts: BTreeMap<Value, (u32, usize)> = BTreeMap::new();
    for (value, position) in values.zip(0..) {
        let entry = counts.entry(value.kept()).or_default();
        *entry = (entry.0 + 1, position);
    }
    counts.into_iter().max_by_key(|(_, rank)| *rank).map_or(Value::Missing, |(value, _)| value)
}
