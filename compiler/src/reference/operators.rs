//! Operators, functions and aggregates on values that are already known or missing.

use super::evaluate::whole;
use crate::{
    time::{self, Zone},
    typed::{Aggregate, Arithmetic, Comparison, Function, TextTest},
    value::{Decimal, MILLIONTHS, Value, divide_half_even},
};
use std::{cmp::Ordering, collections::BTreeMap};

/// A comparison; one that touches a missing value does not hold, and `!=` is the exact negation of `=`.
pub(super) fn compare(operator: Comparison, left: &Value, right: &Value) -> bool {
    let equal = left.is_known() && left == right;
    let is = |wanted: fn(Ordering) -> bool| order(left, right).is_some_and(wanted);
    match operator {
        Comparison::Equal => equal,
        Comparison::NotEqual => !equal,
        Comparison::Less => is(Ordering::is_lt),
        Comparison::LessOrEqual => is(Ordering::is_le),
        Comparison::Greater => is(Ordering::is_gt),
        Comparison::GreaterOrEqual => is(Ordering::is_ge),
    }
}

/// The order of two values of one ordered type.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => Some(left.cmp(right)),
        (Value::Time(left), Value::Time(right)) | (Value::Duration(left), Value::Duration(right)) => {
            Some(left.cmp(right))
        }
        (Value::Date(left), Value::Date(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

/// A test of a text by a text. Of a list, `contains` asks for an item that is the operand, the others whether any item
/// passes the test.
pub(super) fn text_test(test: TextTest, value: &Value, operand: &Value) -> bool {
    if let Value::List(items) = value {
        return match test {
            TextTest::Contains => operand.is_known() && items.contains(operand),
            TextTest::StartsWith | TextTest::EndsWith | TextTest::Matches => {
                items.iter().any(|item| text_test(test, item, operand))
            }
        };
    }
    let (Some(text), Some(part)) = (value.as_text(), operand.as_text()) else { return false };
    match test {
        TextTest::Contains => text.contains(part),
        TextTest::StartsWith => text.starts_with(part),
        TextTest::EndsWith => text.ends_with(part),
        // Only a literal is a regular expression, and those are looked up.
        TextTest::Matches => false,
    }
}

/// Arithmetic; with missing values, out of range and by 0 it is missing.
pub(super) fn arithmetic(operator: Arithmetic, left: &Value, right: &Value) -> Value {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => number(match operator {
            Arithmetic::Add => left.checked_add(*right),
            Arithmetic::Subtract => left.checked_sub(*right),
            Arithmetic::Multiply => left.checked_mul(*right),
            Arithmetic::Divide => left.checked_div(*right),
        }),
        (Value::Duration(millis), Value::Number(by)) | (Value::Number(by), Value::Duration(millis))
            if operator == Arithmetic::Multiply =>
        {
            duration(i128::from(*millis) * i128::from(by.0), i128::from(MILLIONTHS))
        }
        (Value::Duration(millis), Value::Number(by)) if operator == Arithmetic::Divide => {
            duration(i128::from(*millis) * i128::from(MILLIONTHS), i128::from(by.0))
        }
        (Value::Duration(left), Value::Duration(right)) => match operator {
            Arithmetic::Add => left.checked_add(*right).map_or(Value::Missing, Value::Duration),
            Arithmetic::Subtract => left.checked_sub(*right).map_or(Value::Missing, Value::Duration),
            Arithmetic::Divide => number(Decimal(*left).checked_div(Decimal(*right))),
            Arithmetic::Multiply => Value::Missing,
        },
        (Value::Time(at), Value::Duration(by)) | (Value::Duration(by), Value::Time(at))
            if operator == Arithmetic::Add =>
        {
            at.checked_add(*by).map_or(Value::Missing, Value::Time)
        }
        (Value::Time(at), Value::Duration(by)) if operator == Arithmetic::Subtract => {
            at.checked_sub(*by).map_or(Value::Missing, Value::Time)
        }
        (Value::Time(left), Value::Time(right)) if operator == Arithmetic::Subtract => {
            left.checked_sub(*right).map_or(Value::Missing, Value::Duration)
        }
        _ => Value::Missing,
    }
}

/// Built-in functions.
pub(super) fn call(function: Function, arguments: &[Value], zone: &Zone) -> Value {
    if function == Function::Coalesce {
        return arguments.iter().find(|value| value.is_known()).cloned().unwrap_or_default();
    }
    let argument = arguments.first().unwrap_or(&Value::Missing);
    let text = |change: &dyn Fn(&str) -> String| {
        argument.as_text().map_or(Value::Missing, |text| Value::text(&change(text)))
    };
    match function {
        Function::Lower => text(&str::to_lowercase),
        Function::Upper => text(&str::to_uppercase),
        Function::Trim => text(&|text| text.trim().to_owned()),
        Function::Length => match argument {
            Value::Text(text) => whole(text.chars().count()),
            Value::List(items) => whole(items.len()),
            Value::Missing
            | Value::Boolean(_)
            | Value::Number(_)
            | Value::Time(_)
            | Value::Date(_)
            | Value::Duration(_)
            | Value::Object(_) => Value::Missing,
        },
        Function::Round => as_number(argument).map_or(Value::Missing, |it| number(it.round())),
        Function::Abs => match argument {
            Value::Duration(millis) => millis.checked_abs().map_or(Value::Missing, Value::Duration),
            Value::Number(value) => number(value.checked_abs()),
            Value::Missing
            | Value::Boolean(_)
            | Value::Text(_)
            | Value::Time(_)
            | Value::Date(_)
            | Value::List(_)
            | Value::Object(_) => Value::Missing,
        },
        Function::Hour | Function::Weekday | Function::Day | Function::Month => {
            time::calendar(function, argument, zone)
        }
        Function::Coalesce => Value::Missing,
    }
}

/// An aggregate of known values, from the earliest event to the latest.
pub(super) fn aggregate(function: Aggregate, values: &[Value]) -> Value {
    let known = |value: Option<&Value>| value.cloned().unwrap_or_default();
    match function {
        Aggregate::Sum => match values.first() {
            Some(Value::Duration(_)) => Value::Duration(Decimal::saturating_from(sum(values)).0),
            _ => Value::Number(Decimal::saturating_from(sum(values))),
        },
        Aggregate::Average => {
            let average = Decimal::average(sum(values), values.len() as u64);
            match values.first() {
                Some(Value::Duration(_)) => {
                    average.map_or(Value::Missing, |average| Value::Duration(average.0))
                }
                _ => number(average),
            }
        }
        Aggregate::Smallest => known(values.iter().min()),
        Aggregate::Largest => known(values.iter().max()),
        Aggregate::First => known(values.first()),
        Aggregate::Last => known(values.last()),
        Aggregate::MostFrequent => most_frequent(values),
        Aggregate::DistinctCount => whole(values.iter().collect::<std::collections::BTreeSet<_>>().len()),
    }
}

/// The value that occurs most often; of those that occur equally often the one that occurred last.
fn most_frequent(values: &[Value]) -> Value {
    let mut occurrences: BTreeMap<&Value, (usize, usize)> = BTreeMap::new();
    for (position, value) in values.iter().enumerate() {
        let (count, latest) = occurrences.entry(value).or_default();
        *count += 1;
        *latest = position;
    }
    let most = occurrences.into_iter().max_by_key(|(_, count_and_latest)| *count_and_latest);
    most.map_or(Value::Missing, |(value, _)| value.clone())
}

/// The sum of numbers in millionths, or of durations in milliseconds.
fn sum(values: &[Value]) -> i128 {
    values
        .iter()
        .map(|value| match value {
            Value::Number(number) => i128::from(number.0),
            Value::Duration(millis) => i128::from(*millis),
            Value::Missing
            | Value::Boolean(_)
            | Value::Text(_)
            | Value::Time(_)
            | Value::Date(_)
            | Value::List(_)
            | Value::Object(_) => 0,
        })
        .sum()
}

fn as_number(value: &Value) -> Option<Decimal> {
    if let Value::Number(number) = value { Some(*number) } else { None }
}

fn number(value: Option<Decimal>) -> Value {
    value.map_or(Value::Missing, Value::Number)
}

/// `dividend ÷ divisor` milliseconds, rounded half-even.
fn duration(dividend: i128, divisor: i128) -> Value {
    if divisor == 0 {
        return Value::Missing;
    }
    i64::try_from(divide_half_even(dividend, divisor)).map_or(Value::Missing, Value::Duration)
}
