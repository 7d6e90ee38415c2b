//! JSON text to values of a declared type.

use crate::{
    json::JsonText,
    limits::MAX_ITEMS,
    time,
    types::{Field, Type},
    value::{Decimal, Millis, Value},
};
use std::{borrow::Cow, sync::Arc};

/// How deep lists and objects of one value may nest: declared types are finite, this bounds those who declare them.
pub const MAX_DEPTH: u32 = 16;

/// A value that does not fit its declared type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid;

/// Reads a value of a declared type; null is missing.
///
/// # Errors
/// When the JSON is of another type or out of the type's range.
pub fn value(json: JsonText<'_>, ty: &Type) -> Result<Value, Invalid> {
    nested(json, ty, 0)
}

fn nested(json: JsonText<'_>, ty: &Type, depth: u32) -> Result<Value, Invalid> {
    if json.is_null() {
        return Ok(Value::Missing);
    }
    if depth > MAX_DEPTH {
        return Err(Invalid);
    }
    match ty {
        Type::Text => text(json),
        Type::Number => Decimal::parse(json.text()).map(Value::Number).ok_or(Invalid),
        Type::Boolean => json.boolean().map(Value::Boolean).ok_or(Invalid),
        Type::Time => instant(json),
        Type::Date => {
            let text = string(json)?;
            // A full timestamp for a date is its first ten characters: trackers send birth dates so.
            let day = text.get(..10).ok_or(Invalid)?;
            if !matches!(text.as_bytes().get(10), None | Some(b'T' | b't' | b' ')) {
                return Err(Invalid);
            }
            time::parse_date(day).map(Value::Date).ok_or(Invalid)
        }
        Type::Duration => whole(json).map(Value::Duration).ok_or(Invalid),
        Type::List(item) => {
            let items = json.items().ok_or(Invalid)?;
            let values = items.take(MAX_ITEMS).map(|json| nested(json, item, depth + 1));
            let values: Result<Vec<_>, _> = values.collect();
            Ok(Value::List(values?.into_iter().filter(Value::is_known).collect()))
        }
        Type::Object(fields) => object(json, fields, depth),
    }
}

/// An object's declared fields; one that is invalid is left out.
fn object(json: JsonText<'_>, fields: &[Field], depth: u32) -> Result<Value, Invalid> {
    if json.members().is_none() {
        return Err(Invalid);
    }
    let mut known: Vec<(Arc<str>, Value)> = Vec::new();
    for field in fields {
        let Some(json) = json.member(&field.name) else { continue };
        if let Ok(value) = nested(json, &field.ty, depth + 1)
            && value.is_known()
        {
            known.push((field.name.clone(), value));
        }
    }
    Ok(Value::Object(known.into()))
}

#[inline(always)]
fn string(json: JsonText<'_>) -> Result<Cow<'_, str>, Invalid> {
    json.string().ok_or(Invalid)
}

/// Text; a JSON number becomes its own digits.
#[inline(always)]
fn text(json: JsonText<'_>) -> Result<Value, Invalid> {
    if json.is_number() { Ok(Value::text(json.text())) } else { string(json).map(|text| Value::text(&text)) }
}

/// An instant from ISO-8601 or a number of milliseconds.
fn instant(json: JsonText<'_>) -> Result<Value, Invalid> {
    moment(json).map(Value::Time).ok_or(Invalid)
}

/// As `instant`, for whoever reads a call's own times.
#[must_use]
pub fn moment(json: JsonText<'_>) -> Option<Millis> {
    match json.first() {
        b'"' => time::parse_instant(&json.string()?),
        _ => whole(json).and_then(time::instant_from_number),
    }
}

/// A number of milliseconds, rounded half-even.
fn whole(json: JsonText<'_>) -> Option<i64> {
    let json = json.text();
    json.parse().ok().or_else(|| Some(Decimal::parse(json)?.round()?.0 / crate::value::MILLIONTHS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_day_or_the_day_of_a_point_in_time() {
        let date = |text: &str| {
            let json = format!("\"{text}\"");
            value(JsonText::parse(&json).unwrap(), &Type::Date)
        };
        for text in ["2026-01-31", "2026-01-31T08:00:00Z", "2026-01-31 08:00"] {
            assert_eq!(date(text), Ok(Value::Date(time::parse_date("2026-01-31").unwrap())), "{text}");
        }
        for text in ["2026-01-310", "2026-01-31, or so", "2026-02-30", "31.01.2026", ""] {
            assert_eq!(date(text), Err(Invalid), "{text}");
        }
    }
}
