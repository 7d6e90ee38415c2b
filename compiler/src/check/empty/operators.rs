//! What operators and functions make of values, for the values that stand in rules: literals, defaults, sums of nothing.

use crate::{
    time::{self, Zone},
    typed::{Arithmetic, Comparison, Function, TextTest},
    value::{Decimal, MILLIONTHS, Value, divide_half_even},
};

/// A comparison, which does not hold where a value is missing; `!=` is the negation of `=`.
pub(super) fn compare(operator: Comparison, left: &Value, right: &Value) -> bool {
    let known = left.is_known() && right.is_known();
    match operator {
        Comparison::Equal => known && left == right,
        Comparison::NotEqual => !(known && left == right),
        Comparison::Less => known && left < right,
        Comparison::LessOrEqual => known && left <= right,
        Comparison::Greater => known && left > right,
        Comparison::GreaterOrEqual => known && left >= right,
    }
}

/// A test of a text, or whether a list contains an item.
pub(super) fn text_test(test: TextTest, value: &Value, operand: &Value) -> bool {
    if let Value::List(items) = value {
        return match test {
            TextTest::Contains => operand.is_known() && items.contains(operand),
            TextTest::StartsWith | TextTest::EndsWith | TextTest::Matches => {
                items.iter().any(|item| item.as_text().is_some() && text_test(test, item, operand))
            }
        };
    }
    let (Some(text), Some(part)) = (value.as_text(), operand.as_text()) else { return false };
    match test {
        TextTest::Contains => text.contains(part),
        TextTest::StartsWith => text.starts_with(part),
        TextTest::EndsWith => text.ends_with(part),
        TextTest::Matches => crate::pattern::ready(part).is_ok_and(|pattern| pattern.is_match(text)),
    }
}

/// Arithmetic; with missing values, out of range and by 0 it is missing.
pub(super) fn arithmetic(operator: Arithmetic, left: &Value, right: &Value) -> Value {
    let million = i128::from(MILLIONTHS);
    match (operator, left, right) {
        (_, Value::Number(left), Value::Number(right)) => number(match operator {
            Arithmetic::Add => left.checked_add(*right),
            Arithmetic::Subtract => left.checked_sub(*right),
            Arithmetic::Multiply => left.checked_mul(*right),
            Arithmetic::Divide => left.checked_div(*right),
        }),
        (Arithmetic::Add, Value::Duration(left), Value::Duration(right)) => {
            left.checked_add(*right).map_or(Value::Missing, Value::Duration)
        }
        (Arithmetic::Subtract, Value::Duration(left), Value::Duration(right))
        | (Arithmetic::Subtract, Value::Time(left), Value::Time(right)) => {
            left.checked_sub(*right).map_or(Value::Missing, Value::Duration)
        }
        (Arithmetic::Multiply, Value::Duration(millis), Value::Number(by))
        | (Arithmetic::Multiply, Value::Number(by), Value::Duration(millis)) => {
            length(i128::from(*millis) * i128::from(by.0), million)
        }
        (Arithmetic::Divide, Value::Duration(millis), Value::Number(by)) => {
            length(i128::from(*millis) * million, i128::from(by.0))
        }
        (Arithmetic::Add, Value::Time(at), Value::Duration(by))
        | (Arithmetic::Add, Value::Duration(by), Value::Time(at)) => {
            at.checked_add(*by).map_or(Value::Missing, Value::Time)
        }
        (Arithmetic::Subtract, Value::Time(at), Value::Duration(by)) => {
            at.checked_sub(*by).map_or(Value::Missing, Value::Time)
        }
        _ => Value::Missing,
    }
}

/// A function of the language.
pub(super) fn call(function: Function, arguments: &[Value], zone: &Zone) -> Value {
    let argument = arguments.first().unwrap_or(&Value::Missing);
    let count = |count: usize| number(i64::try_from(count).ok().and_then(Decimal::whole));
    match (function, argument) {
        (Function::Coalesce, _) => {
            arguments.iter().find(|value| value.is_known()).cloned().unwrap_or_default()
        }
        (Function::Lower, Value::Text(text)) => Value::text(&text.to_lowercase()),
        (Function::Upper, Value::Text(text)) => Value::text(&text.to_uppercase()),
        (Function::Trim, Value::Text(text)) => Value::text(text.trim()),
        (Function::Length, Value::Text(text)) => count(text.chars().count()),
        (Function::Length, Value::List(items)) => count(items.len()),
        (Function::Round, Value::Number(value)) => number(value.round()),
        (Function::Abs, Value::Number(value)) => number(value.checked_abs()),
        (Function::Abs, Value::Duration(millis)) => {
            millis.checked_abs().map_or(Value::Missing, Value::Duration)
        }
        (Function::Hour | Function::Weekday | Function::Day | Function::Month, value) => {
            time::calendar(function, value, zone)
        }
        _ => Value::Missing,
    }
}

fn number(value: Option<Decimal>) -> Value {
    value.map_or(Value::Missing, Value::Number)
}

/// `dividend ÷ divisor` milliseconds, rounded half-even.
fn length(dividend: i128, divisor: i128) -> Value {
    if divisor == 0 {
        return Value::Missing;
    }
    i64::try_from(divide_half_even(dividend, divisor)).map_or(Value::Missing, Value::Duration)
}
