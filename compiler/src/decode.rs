//! JSON text to values of a declared type.

use crate::{
    time,
    types::{Field, Type},
    value::{Decimal, Value},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::HashMap, sync::Arc};

/// How deep lists and objects of one value may nest: declared types are finite, this bounds those who declare them.
pub const MAX_DEPTH: u32 = 16;

/// A value that does not fit its declared type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid;

/// A JSON object, its members still JSON text. Later members win over earlier ones of the same name.
pub type Members<'a> = HashMap<Cow<'a, str>, &'a RawValue>;

/// The members of a JSON object; `None` when it is none.
#[must_use]
pub fn members(raw: &RawValue) -> Option<Members<'_>> {
    #[derive(Deserialize)]
    struct Entries<'a>(#[serde(borrow)] HashMap<Key<'a>, &'a RawValue>);
    #[derive(Deserialize, PartialEq, Eq, Hash)]
    struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
    let entries: Entries<'_> = serde_json::from_str(raw.get()).ok()?;
    Some(entries.0.into_iter().map(|(key, value)| (key.0, value)).collect())
}

/// Reads a value of a declared type; null is missing.
///
/// # Errors
/// When the JSON is of another type or out of the type's range.
pub fn value(raw: &RawValue, ty: &Type) -> Result<Value, Invalid> {
    nested(raw, ty, 0)
}

fn nested(raw: &RawValue, ty: &Type, depth: u32) -> Result<Value, Invalid> {
    let json = raw.get().trim();
    if json == "null" {
        return Ok(Value::Missing);
    }
    if depth > MAX_DEPTH {
        return Err(Invalid);
    }
    match ty {
        Type::Text => text(json),
        Type::Number => Decimal::parse(json).map(Value::Number).ok_or(Invalid),
        Type::Boolean => match json {
            "true" => Ok(Value::Boolean(true)),
            "false" => Ok(Value::Boolean(false)),
            _ => Err(Invalid),
        },
        Type::Time => instant(json),
        Type::Date => {
            let text = string(json)?;
            // A full timestamp for a date is its first ten characters: trackers send birth dates so.
            let day = text.get(..10).ok_or(Invalid)?;
            time::parse_date(day).map(Value::Date).ok_or(Invalid)
        }
        Type::Duration => whole(json).map(Value::Duration).ok_or(Invalid),
        Type::List(item) => {
            let items: Vec<&RawValue> = serde_json::from_str(json).map_err(|_| Invalid)?;
            let values: Result<Vec<_>, _> =
                items.into_iter().map(|raw| nested(raw, item, depth + 1)).collect();
            Ok(Value::List(values?.into_iter().filter(Value::is_known).collect()))
        }
        Type::Object(fields) => object(raw, fields, depth),
    }
}

/// An object's declared fields; one that is invalid is left out.
fn object(raw: &RawValue, fields: &[Field], depth: u32) -> Result<Value, Invalid> {
    let members = members(raw).ok_or(Invalid)?;
    let mut known: Vec<(Arc<str>, Value)> = Vec::new();
    for field in fields {
        let Some(raw) = members.get(&*field.name) else { continue };
        if let Ok(value) = nested(raw, &field.ty, depth + 1)
            && value.is_known()
        {
            known.push((field.name.clone(), value));
        }
    }
    Ok(Value::Object(known.into()))
}

fn string(json: &str) -> Result<Cow<'_, str>, Invalid> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str::<Text<'_>>(json).map(|text| text.0).map_err(|_| Invalid)
}

/// Text; a JSON number becomes its own digits.
fn text(json: &str) -> Result<Value, Invalid> {
    match json.as_bytes().first() {
        Some(b'"') => string(json).map(|text| Value::text(&text)),
        Some(b'-' | b'0'..=b'9') => Ok(Value::text(json)),
        _ => Err(Invalid),
    }
}

/// An instant from ISO-8601 or a number of milliseconds.
fn instant(json: &str) -> Result<Value, Invalid> {
    let at = if json.starts_with('"') {
        time::parse_instant(&string(json)?)
    } else {
        whole(json).and_then(time::instant_from_number)
    };
    at.map(Value::Time).ok_or(Invalid)
}

/// A number of milliseconds, rounded half-even.
fn whole(json: &str) -> Option<i64> {
    json.parse().ok().or_else(|| Some(Decimal::parse(json)?.round()?.0 / crate::value::MILLIONTHS))
}
