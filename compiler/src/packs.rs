//! Declarations that come with the language, written in the language.

use segue_grammar::{SourceId, ast, parse};

/// A set of declarations that `use NAME` brings in.
#[derive(Clone, Copy, Debug)]
pub struct Pack {
    /// The name after `use`; [`ALWAYS`] needs none.
    pub name: &'static str,
    /// Its source.
    pub text: &'static str,
}

/// What every project knows.
pub const ALWAYS: Pack = Pack { name: "segue", text: include_str!("packs/always.segue") };

/// Every pack that can be used, by name.
pub const PACKS: [Pack; 2] = [
    Pack { name: "ecommerce", text: include_str!("packs/ecommerce.segue") },
    Pack { name: "messaging", text: include_str!("packs/messaging.segue") },
];

/// The pack of a name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Pack> {
    PACKS.iter().find(|pack| pack.name == name)
}

/// The pack that declares an event.
#[must_use]
pub fn declaring(event: &str) -> Option<&'static Pack> {
    PACKS.iter().find(|pack| {
        let (file, _) = parse(SourceId(0), pack.text);
        file.items.iter().any(|item| matches!(item, ast::Item::Event(it) if it.name.text == event))
    })
}
