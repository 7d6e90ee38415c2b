//! Words of the language and what they stand for.

use crate::{
    typed::{Aggregate, Arithmetic, Comparison, FieldPath, Function, TextTest},
    types::Type,
};

/// Fields that every profile has.
pub(crate) const PROFILE_FIELDS: &[&str] = &["phone", "email", "push_token", "country", "time_zone", "group"];

/// Functions by name.
pub(crate) const FUNCTIONS: &[(&str, Function)] = &[
    ("lower", Function::Lower),
    ("upper", Function::Upper),
    ("trim", Function::Trim),
    ("length", Function::Length),
    ("round", Function::Round),
    ("abs", Function::Abs),
    ("coalesce", Function::Coalesce),
    ("hour", Function::Hour),
    ("weekday", Function::Weekday),
    ("day", Function::Day),
    ("month", Function::Month),
];

pub(crate) fn function(name: &str) -> Option<Function> {
    FUNCTIONS.iter().find(|(other, _)| *other == name).map(|(_, function)| *function)
}

pub(crate) fn named_type(name: &str) -> Option<Type> {
    match name {
        "text" => Some(Type::Text),
        "number" => Some(Type::Number),
        "boolean" => Some(Type::Boolean),
        "time" => Some(Type::Time),
        "date" => Some(Type::Date),
        "duration" => Some(Type::Duration),
        _ => None,
    }
}

/// Fields of every event.
pub(crate) fn fixed_field(name: &str) -> Option<(FieldPath, Type)> {
    match name {
        "at" => Some((FieldPath::At, Type::Time)),
        "message_id" => Some((FieldPath::MessageId, Type::Text)),
        "event_name" => Some((FieldPath::EventName, Type::Text)),
        _ => None,
    }
}

pub(crate) fn arithmetic(operator: Arithmetic) -> &'static str {
    match operator {
        Arithmetic::Add => "+",
        Arithmetic::Subtract => "-",
        Arithmetic::Multiply => "*",
        Arithmetic::Divide => "/",
    }
}

pub(crate) fn comparison(operator: Comparison) -> &'static str {
    match operator {
        Comparison::Equal => "=",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

pub(crate) fn text_test(test: TextTest) -> &'static str {
    match test {
        TextTest::Contains => "contains",
        TextTest::StartsWith => "starts with",
        TextTest::EndsWith => "ends with",
        TextTest::Matches => "matches",
    }
}

pub(crate) fn aggregate(function: Aggregate) -> &'static str {
    match function {
        Aggregate::Sum => "sum",
        Aggregate::Average => "average",
        Aggregate::Smallest => "smallest",
        Aggregate::Largest => "largest",
        Aggregate::First => "first",
        Aggregate::Last => "last",
        Aggregate::MostFrequent => "most frequent",
        Aggregate::DistinctCount => "distinct count",
    }
}
