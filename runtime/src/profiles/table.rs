//! Profiles as CSV.

use super::Row;
use crate::source::{Input, Reject, SourceError};
use segue_compiler::{json::JsonText, typed::ProfileField, types::Type, value::Decimal};
use serde_json::{Map, Value};
use std::io;

/// What a column holds.
enum Column<'a> {
    Customer,
    Field {
        name: String,
        ty: Option<&'a Type>,
    },
    /// `consent.CHANNEL` or `consent.CHANNEL.TOPIC`.
    Consent {
        channel: String,
        topic: Option<String>,
    },
}

pub(super) fn read(
    input: Input,
    header: &[u8],
    fields: &[ProfileField],
    take: &mut dyn FnMut(Row<'_>),
) -> Result<(), SourceError> {
    let name = input.name.clone();
    let broken = |line, error| SourceError::Read { file: name.clone(), line, error };
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter(header)).flexible(true).from_reader(input.reader);
    let header = reader.headers().map_err(|error| broken(0, io::Error::other(error)))?;
    let columns: Vec<Column<'_>> = header.iter().map(|name| column(name, fields)).collect();
    if !columns.iter().any(|column| matches!(column, Column::Customer)) {
        return Err(SourceError::NoCustomerColumn { file: name });
    }
    let mut record = csv::StringRecord::new();
    loop {
        let line = reader.position().line();
        let reason = match reader.read_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) => traits(&columns, &record).and_then(|(customer, traits)| {
                let traits = JsonText::parse(&traits).map_err(|_| "cells nested too deep".to_owned())?;
                take(Row::Traits { customer, traits });
                Ok(())
            }),
            Err(error) if error.is_io_error() => return Err(broken(line, error.into())),
            Err(_) => Err("not UTF-8 text".to_owned()),
        };
        if let Err(reason) = reason {
            let number = record.position().map_or(line, csv::Position::line);
            take(Row::Reject(Reject { file: &name, number, reason, line: None }));
        }
    }
}

/// The comma, or what spreadsheets in some countries write instead: the one that the first line has most of.
fn delimiter(header: &[u8]) -> u8 {
    let times = |delimiter: u8| header.iter().filter(|byte| **byte == delimiter).count();
    let most = [b'\t', b';', b','].into_iter().max_by_key(|delimiter| times(*delimiter));
    most.unwrap_or(b',')
}

fn column<'a>(name: &str, fields: &'a [ProfileField]) -> Column<'a> {
    let name = name.trim_start_matches('\u{feff}').trim();
    if name == "user_id" || name == "userId" {
        return Column::Customer;
    }
    if let Some(rest) = name.strip_prefix("consent.") {
        let (channel, topic) = match rest.split_once('.') {
            Some((channel, topic)) => (channel, Some(topic.to_owned())),
            None => (rest, None),
        };
        return Column::Consent { channel: channel.to_owned(), topic };
    }
    let ty = fields.iter().find(|it| *it.field.name == *name).map(|it| &it.field.ty);
    Column::Field { name: name.to_owned(), ty }
}

/// A line's customer and its traits as a JSON object.
fn traits<'a>(columns: &[Column<'_>], record: &'a csv::StringRecord) -> Result<(&'a str, String), String> {
    if record.len() != columns.len() {
        return Err(format!("{} columns, but the first line names {}", record.len(), columns.len()));
    }
    let mut customer = "";
    let mut traits: Vec<(&str, String)> = Vec::new();
    let mut consent = Map::new();
    for (column, cell) in columns.iter().zip(record) {
        let cell = cell.trim();
        if cell.is_empty() {
            continue;
        }
        match column {
            Column::Customer => customer = cell,
            Column::Field { name, ty } => traits.push((name, json(cell, *ty))),
            Column::Consent { channel, topic } => add_consent(&mut consent, channel, topic.as_deref(), cell),
        }
    }
    if customer.is_empty() {
        return Err("`user_id` is empty".to_owned());
    }
    if !consent.is_empty() {
        traits.push(("consent", Value::Object(consent).to_string()));
    }
    Ok((customer, object(&traits)))
}

fn add_consent(consent: &mut Map<String, Value>, channel: &str, topic: Option<&str>, cell: &str) {
    let value = truth(cell).map_or_else(|| Value::String(cell.to_owned()), Value::Bool);
    let Some(topic) = topic else {
        consent.insert(channel.to_owned(), value);
        return;
    };
    let topics = consent.entry(channel).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(topics) = topics {
        topics.insert(topic.to_owned(), value);
    }
}

/// A cell as JSON of its column's type; one that does not fit stays text, which the executor counts as invalid.
fn json(cell: &str, ty: Option<&Type>) -> String {
    let fitting = match ty {
        Some(Type::Number) => number(cell),
        Some(Type::Boolean) => truth(cell).map(|truth| truth.to_string()),
        Some(Type::Time | Type::Duration) => whole(cell),
        Some(Type::List(_) | Type::Object(_)) => Some(cell.to_owned()),
        Some(Type::Text | Type::Date) | None => None,
    };
    let fitting = fitting.filter(|json| JsonText::parse(json).is_ok());
    fitting.unwrap_or_else(|| Value::String(cell.to_owned()).to_string())
}

fn number(cell: &str) -> Option<String> {
    Decimal::parse(cell).map(|number| number.to_string())
}

fn whole(cell: &str) -> Option<String> {
    cell.parse::<i64>().ok().map(|number| number.to_string())
}

/// What spreadsheets and people write for yes and no.
fn truth(cell: &str) -> Option<bool> {
    match cell.to_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

fn object(members: &[(&str, String)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{}:{value}", Value::String((*name).to_owned())))
        .collect();
    format!("{{{}}}", members.join(","))
}
