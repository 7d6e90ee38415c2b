//! Names of C for what rules name.

use std::collections::BTreeSet;

/// The names of one object file; each is given out once.
pub(super) struct Names {
    prefix: String,
    taken: BTreeSet<String>,
}

impl Names {
    /// Names that begin with a prefix; some of them the header needs itself.
    pub(super) fn new(prefix: &str) -> Self {
        let own = [
            "begin",
            "text",
            "value",
            "event",
            "set_text",
            "set_number",
            "set_boolean",
            "set_time",
            "set_date",
            "set_duration",
            "set_missing",
        ];
        Self { prefix: prefix.to_owned(), taken: own.iter().map(|name| format!("{prefix}_{name}")).collect() }
    }

    /// The function of a rule.
    pub(super) fn function(&mut self, rule: &str) -> String {
        let name = format!("{}_{}", self.prefix, word(rule));
        self.free(name)
    }

    /// A constant, made of parts.
    pub(super) fn constant(&mut self, parts: &[&str]) -> String {
        let words = std::iter::once(self.prefix.as_str()).chain(parts.iter().copied()).map(word);
        let name = words.collect::<Vec<_>>().join("_").to_ascii_uppercase();
        self.free(name)
    }

    /// The name, or with the first number that makes it another than those before.
    fn free(&mut self, name: String) -> String {
        let numbered = (2_u32..).map(|number| format!("{name}_{number}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !self.taken.contains(name));
        let free = free.unwrap_or(name);
        self.taken.insert(free.clone());
        free
    }
}

/// A text as a word of C: small letters, digits and `_`.
pub(super) fn word(text: &str) -> String {
    let mut word = String::new();
    for character in text.chars() {
        match character {
            it if it.is_ascii_alphanumeric() => word.push(it.to_ascii_lowercase()),
            _ if word.ends_with('_') || word.is_empty() => {}
            _ => word.push('_'),
        }
    }
    let word = word.trim_end_matches('_');
    match word.chars().next() {
        None => "rules".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("n{word}"),
        Some(_) => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_word_and_given_out_once() {
        assert_eq!(word("Order Completed"), "order_completed");
        assert_eq!(word("  3-D: größe "), "n3_d_gr_e");
        assert_eq!(word("—"), "rules");
        let mut names = Names::new("shop");
        assert_eq!(names.constant(&["event", "A b"]), "SHOP_EVENT_A_B");
        assert_eq!(names.constant(&["event", "a-B"]), "SHOP_EVENT_A_B_2");
        assert_eq!(names.function("begin"), "shop_begin_2");
        assert_eq!(names.function("reward"), "shop_reward");
    }
}
