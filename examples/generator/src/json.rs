//! Builds JSON objects as text, in the order in which fields are given.

use std::fmt::Write;

/// A JSON object under construction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(String);

impl Fields {
    /// Starts an empty object.
    pub(crate) fn new() -> Fields {
        Fields::default()
    }

    /// Adds a text.
    pub(crate) fn text(self, name: &str, value: &str) -> Fields {
        let mut fields = self.name(name);
        fields.0.push('"');
        for letter in value.chars() {
            match letter {
                '"' => fields.0.push_str("\\\""),
                '\\' => fields.0.push_str("\\\\"),
                letter => fields.0.push(letter),
            }
        }
        fields.0.push('"');
        fields
    }

    /// Adds a whole number.
    pub(crate) fn number(self, name: &str, value: u64) -> Fields {
        self.raw(name, &value.to_string())
    }

    /// Adds an amount of money, given in cents and written in units.
    pub(crate) fn money(self, name: &str, cents: u64) -> Fields {
        let (units, rest) = (cents / 100, cents % 100);
        let amount = match (rest, rest % 10) {
            (0, _) => units.to_string(),
            (_, 0) => format!("{units}.{}", rest / 10),
            _ => format!("{units}.{rest:02}"),
        };
        self.raw(name, &amount)
    }

    /// Adds a boolean.
    pub(crate) fn boolean(self, name: &str, value: bool) -> Fields {
        self.raw(name, if value { "true" } else { "false" })
    }

    /// Adds an object.
    pub(crate) fn object(self, name: &str, value: Fields) -> Fields {
        self.raw(name, &value.finish())
    }

    /// Adds a list of objects.
    pub(crate) fn list(self, name: &str, items: impl Iterator<Item = Fields>) -> Fields {
        let items: Vec<String> = items.map(Fields::finish).collect();
        self.raw(name, &format!("[{}]", items.join(",")))
    }

    /// Ends the object and gives its text.
    pub(crate) fn finish(self) -> String {
        format!("{{{}}}", self.0)
    }

    fn name(mut self, name: &str) -> Fields {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        // Writing into a string cannot fail.
        let _ = write!(self.0, "\"{name}\":");
        self
    }

    fn raw(self, name: &str, value: &str) -> Fields {
        let mut fields = self.name(name);
        fields.0.push_str(value);
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_a_json_reader_reads() {
        let fields = Fields::new()
            .text("name", "a \"b\" \\ ø")
            .number("count", 3)
            .money("price", 1_905)
            .money("sum", 12_000)
            .money("half", 50)
            .boolean("yes", true)
            .list("items", [Fields::new().text("id", "x"), Fields::new()].into_iter());
        let read: serde_json::Value = serde_json::from_str(&fields.finish()).unwrap();
        let expected = serde_json::json!({
            "name": "a \"b\" \\ ø", "count": 3, "price": 19.05, "sum": 120, "half": 0.5, "yes": true,
            "items": [{"id": "x"}, {}]
        });
        assert_eq!(read, expected);
    }
}
