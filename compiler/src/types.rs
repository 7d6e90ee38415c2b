//! The types of values, and how they are printed.

use std::{fmt, sync::Arc};

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is named after its word in the language")]
pub enum Type {
    Text,
    Number,
    Boolean,
    Time,
    Date,
    Duration,
    List(Box<Type>),
    Object(Vec<Field>),
}

/// A field of an event, of the profile or of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name, as trackers send it.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
    /// Whether it may be absent (`?`).
    pub optional: bool,
}

impl Type {
    /// Whether values are neither lists nor objects.
    #[must_use]
    pub fn is_scalar(&self) -> bool {
        match self {
            Self::Text | Self::Number | Self::Boolean | Self::Time | Self::Date | Self::Duration => true,
            Self::List(_) | Self::Object(_) => false,
        }
    }

    /// Whether `<` and its like apply.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        matches!(self, Self::Number | Self::Time | Self::Date | Self::Duration)
    }

    /// The type that a path reaches from here; a path through a list is the list of what it reaches.
    #[must_use]
    pub fn at(&self, path: &[Arc<str>]) -> Option<Type> {
        let Some((first, rest)) = path.split_first() else { return Some(self.clone()) };
        match self {
            Self::Object(fields) => fields.iter().find(|field| field.name == *first)?.ty.at(rest),
            Self::List(item) => match item.at(path)? {
                nested @ Self::List(_) => Some(nested),
                item => Some(Self::List(Box::new(item))),
            },
            Self::Text | Self::Number | Self::Boolean | Self::Time | Self::Date | Self::Duration => None,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::Number => f.write_str("number"),
            Self::Boolean => f.write_str("boolean"),
            Self::Time => f.write_str("time"),
            Self::Date => f.write_str("date"),
            Self::Duration => f.write_str("duration"),
            Self::List(item) => write!(f, "list of {item}"),
            Self::Object(fields) => {
                f.write_str("{ ")?;
                for (index, field) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    let mark = if field.optional { "?" } else { "" };
                    write!(f, "{comma}{}: {}{mark}", field.name, field.ty)?;
                }
                f.write_str(" }")
            }
        }
    }
}
