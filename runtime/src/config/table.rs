//! Reading a TOML table key by key.

use super::{Rate, diagnostic::Finding, duration::parse_duration};
use crate::{
    limits::SHOWN_CHARACTERS,
    words::{nearest, shown},
};
use std::ops::Range;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A table and its name.
pub(super) struct Table<'t> {
    name: String,
    table: &'t DeTable<'t>,
}

impl<'t> Table<'t> {
    pub(super) fn new(name: impl Into<String>, table: &'t DeTable<'t>) -> Self {
        Self { name: name.into(), table }
    }

    /// Reports every key that is not among the known ones.
    pub(super) fn only(&self, known: &[&str], findings: &mut Vec<Finding>) {
        for key in self.table.keys() {
            let name = key.get_ref();
            if known.contains(&&**name) {
                continue;
            }
            let help = match nearest(name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it has {}", known.join(", ")),
            };
            let message = format!("`{}` has no `{name}`", self.name);
            findings.push(Finding::new("unknown-key", key.span(), message).help(help));
        }
    }

    /// Its members with the places of their names.
    pub(super) fn members(&self) -> impl Iterator<Item = (&'t str, Range<usize>, &'t Spanned<DeValue<'t>>)> {
        self.table.iter().map(|(key, value)| (&**key.get_ref(), key.span(), value))
    }

    /// The place of a key.
    pub(super) fn place(&self, key: &str) -> Option<Range<usize>> {
        self.table.keys().find(|it| it.get_ref() == key).map(Spanned::span)
    }

    /// The value of a key and its place.
    pub(super) fn value(&self, key: &str) -> Option<(&'t DeValue<'t>, Range<usize>)> {
        let (.., value) = self.members().find(|(name, ..)| *name == key)?;
        Some((value.get_ref(), value.span()))
    }

    pub(super) fn table(&self, key: &str, findings: &mut Vec<Finding>) -> Option<Table<'t>> {
        let (value, span) = self.value(key)?;
        if let DeValue::Table(table) = value {
            return Some(Table::new(key, table));
        }
        findings.push(
            wrong_type(key, "a table", value, span).help(format!("write [{key}] on a line of its own")),
        );
        None
    }

    pub(super) fn text(&self, key: &str, findings: &mut Vec<Finding>) -> Option<(&'t str, Range<usize>)> {
        let (value, span) = self.value(key)?;
        if let DeValue::String(text) = value {
            return Some((text, span));
        }
        findings.push(wrong_type(key, "text", value, span).help("write it in double quotes"));
        None
    }

    pub(super) fn flag(&self, key: &str, findings: &mut Vec<Finding>) -> Option<bool> {
        let (value, span) = self.value(key)?;
        if let DeValue::Boolean(flag) = value {
            return Some(*flag);
        }
        findings.push(wrong_type(key, "true or false", value, span).help("write it without quotes"));
        None
    }

    pub(super) fn duration(&self, key: &str, findings: &mut Vec<Finding>) -> Option<(i64, Range<usize>)> {
        let (value, span) = self.value(key)?;
        let DeValue::String(text) = value else {
            let help = "write it as in rules, such as \"10 minutes\"";
            findings.push(wrong_type(key, "a duration", value, span).help(help));
            return None;
        };
        match parse_duration(text) {
            Ok(millis) => Some((millis, span)),
            Err(help) => {
                findings
                    .push(Finding::new("bad-duration", span, format!("`{text}` is no duration")).help(help));
                None
            }
        }
    }

    pub(super) fn rate(&self, key: &str, findings: &mut Vec<Finding>) -> Option<Rate> {
        let (rate, span) = self.text(key, findings)?;
        match Rate::parse(rate) {
            Ok(rate) => Some(rate),
            Err(help) => {
                let message = format!("`{}` is no rate", shown(rate, SHOWN_CHARACTERS));
                findings.push(Finding::new("bad-rate", span, message).help(help));
                None
            }
        }
    }

    /// One of some words.
    pub(super) fn word<'w>(
        &self,
        key: &str,
        words: &[&'w str],
        findings: &mut Vec<Finding>,
    ) -> Option<&'w str> {
        let (text, span) = self.text(key, findings)?;
        if let Some(word) = words.iter().find(|word| **word == text) {
            return Some(word);
        }
        let finding =
            Finding::new("unknown-word", span, format!("`{key}` is {}, found `{text}`", one_of(words)));
        findings.push(match nearest(text, words) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding,
        });
        None
    }
}

/// `` `a`, `b` or `c` ``.
fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

pub(super) fn wrong_type(key: &str, expected: &str, value: &DeValue<'_>, span: Range<usize>) -> Finding {
    let found = match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    Finding::new("wrong-type", span, format!("`{key}` should be {expected}, found {found}"))
}

/// A whole number that is not below zero.
pub(super) fn whole(value: &DeValue<'_>) -> Option<u64> {
    match value {
        DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
        DeValue::String(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => None,
    }
}
