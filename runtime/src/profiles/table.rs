//! Profiles as CSV.

use super::{Row, keep_to, records::Records};
use crate::{
    source::{Input, Reject, SourceError},
    words::{did_you_mean, quote},
};
use segue_compiler::{json::JsonText, typed::ProfileField, types::Type, value::Decimal};
use serde_json::{Map, Value};

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
    (fields, strict): (&[ProfileField], bool),
    take: &mut dyn FnMut(Row<'_>),
) -> Result<(), SourceError> {
    let name = input.name;
    let broken = |line, error| SourceError::Read { file: name.clone(), line, error };
    let unusable = |reason| SourceError::Header { file: name.clone(), reason };
    let mut records = Records::new(input.reader, delimiter(header));
    let header = match records.next(None).map_err(|error| broken(0, error))? {
        None => return Ok(()),
        Some(header) => header.map_err(unusable)?,
    };
    let columns: Vec<Column<'_>> = header.iter().map(|name| column(name, fields)).collect();
    if let Some(twice) = twice(&header) {
        return Err(unusable(format!("it names the column {} twice", quote(twice))));
    }
    if !columns.iter().any(|column| matches!(column, Column::Customer)) {
        return Err(SourceError::NoCustomerColumn { file: name });
    }
    for words in unknown(&columns, fields) {
        take(Row::Note(format!("{name}: {words}")));
    }
    while let Some(record) =
        records.next(Some(columns.len())).map_err(|error| broken(records.reached(), error))?
    {
        let result = record.and_then(|record| {
            let (customer, traits) = traits(&columns, &record)?;
            let traits = JsonText::parse(&traits).map_err(|_| "cells nested too deep".to_owned())?;
            keep_to(strict.then_some(fields), traits)?;
            take(Row::Traits { customer, traits });
            Ok(())
        });
        if let Err(reason) = result {
            take(Row::Reject(Reject { file: &name, number: records.number(), reason, line: None }));
        }
    }
    Ok(())
}

/// The name of a column without what spreadsheets put around it.
fn plain(name: &str) -> &str {
    match name.trim_start_matches('\u{feff}').trim() {
        "userId" => "user_id",
        name => name,
    }
}

/// A column that stands twice; which of two cells counts, nobody could say.
fn twice(header: &[String]) -> Option<&str> {
    let mut names: Vec<&str> =
        header.iter().map(|name| plain(name)).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.windows(2).find_map(|pair| if let [one, two] = pair { (one == two).then_some(*one) } else { None })
}

/// What to say of columns that no rule can read.
fn unknown(columns: &[Column<'_>], fields: &[ProfileField]) -> Vec<String> {
    let known: Vec<&str> = fields.iter().map(|field| &*field.field.name).collect();
    let unknown = columns.iter().filter_map(|column| match column {
        Column::Field { name, ty: None } => Some(name),
        Column::Field { .. } | Column::Customer | Column::Consent { .. } => None,
    });
    unknown
        .map(|name| {
            let near = did_you_mean(name, &known);
            format!("no rule reads the column {}: `profile` does not declare it{near}", quote(name))
        })
        .collect()
}

/// The comma, or what spreadsheets in some countries write instead: the one that the first line has most of.
fn delimiter(header: &[u8]) -> u8 {
    let times = |delimiter: u8| header.iter().filter(|byte| **byte == delimiter).count();
    let most = [b'\t', b';', b','].into_iter().max_by_key(|delimiter| times(*delimiter));
    most.unwrap_or(b',')
}

fn column<'a>(name: &str, fields: &'a [ProfileField]) -> Column<'a> {
    let name = plain(name);
    if name == "user_id" {
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
fn traits<'a>(columns: &[Column<'_>], record: &'a [String]) -> Result<(&'a str, String), String> {
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
