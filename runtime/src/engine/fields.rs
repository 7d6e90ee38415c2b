//! The properties of an event that rules read, found by their names.

use super::constants::{HEAD, key};
use segue_compiler::{json::Key, plan::Layout, typed::EventType};
use std::sync::Arc;

/// The fields in use of one event, in the order of its layout.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Box<[Field]>);

#[derive(Clone, Debug)]
struct Field {
    key: (usize, u64),
    name: Arc<str>,
}

impl Fields {
    pub(super) fn new(event: &EventType, layout: &Layout) -> Self {
        let names = layout.fields.iter().map(|used| event.fields.get(used.field as usize));
        let field = |name: Arc<str>| Field { key: key(&name), name };
        Self(names.map(|declared| field(declared.map(|it| it.name.clone()).unwrap_or_default())).collect())
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The place of a member among the fields in use.
    #[inline]
    pub(super) fn place(&self, name: Key<'_>) -> Option<usize> {
        if !name.is_plain() {
            return self.0.iter().position(|field| name.is(&field.name));
        }
        let written = name.plain();
        let key = key(written);
        let is_it = |field: &Field| field.key == key && (written.len() <= HEAD || *field.name == *written);
        self.0.iter().position(is_it)
    }
}
