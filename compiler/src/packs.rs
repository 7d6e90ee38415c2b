//! Declarations that come with the language, written in the language.

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

/// The pack that declares an event; told by its text alone, because it is asked for every event that is not known.
#[must_use]
pub fn declaring(event: &str) -> Option<&'static Pack> {
    let declares = |line: &str| {
        let rest = line.strip_prefix("passive ").unwrap_or(line).strip_prefix("event \"");
        rest.and_then(|rest| rest.strip_prefix(event)).is_some_and(|rest| rest.starts_with('"'))
    };
    PACKS.iter().find(|pack| pack.text.lines().any(declares))
}

#[cfg(test)]
mod tests {
    use super::*;
    use segue_grammar::{SourceId, ast, parse};

    #[test]
    fn every_event_of_a_pack_is_found_in_its_text() {
        for pack in &PACKS {
            let (file, _) = parse(SourceId(0), pack.text);
            let events = file.items.iter().filter_map(|item| match item {
                ast::Item::Event(it) => Some(&it.name.text),
                _ => None,
            });
            let found: Vec<Option<&str>> =
                events.map(|event| declaring(event).map(|pack| pack.name)).collect();
            assert!(found.len() > 5 && found.iter().all(|name| *name == Some(pack.name)), "{}", pack.name);
        }
        assert!(declaring("Order").is_none());
    }
}
