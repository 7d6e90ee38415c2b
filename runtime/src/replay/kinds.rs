//! Which kinds of records are wanted.

use crate::words::{did_you_mean, quote};
use segue_compiler::record::Record;

/// A choice of kinds of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds([bool; KINDS.len()]);

const KINDS: [&str; 7] = ["send", "call", "suppressed", "held", "segment", "set", "emit"];

impl Default for Kinds {
    /// All of them.
    fn default() -> Self {
        Self([true; KINDS.len()])
    }
}

impl Kinds {
    /// None of them, when only the summary is wanted.
    #[must_use]
    pub fn none() -> Self {
        Self([false; KINDS.len()])
    }

    /// These and the decisions: sends and calls.
    #[must_use]
    pub fn with_decisions(self) -> Self {
        let [_, _, rest @ ..] = self.0;
        let mut kinds = [true; KINDS.len()];
        kinds.iter_mut().skip(2).zip(rest).for_each(|(kind, wanted)| *kind = wanted);
        Self(kinds)
    }

    /// Reads names parted by commas, such as `send,segment`.
    ///
    /// # Errors
    /// When one is no kind; for a person.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut kinds = Self::none();
        for name in text.split(',').map(str::trim) {
            let known = KINDS.iter().zip(&mut kinds.0).find(|(kind, _)| **kind == name);
            let Some((_, wanted)) = known else {
                let help = did_you_mean(name, &KINDS);
                return Err(format!(
                    "unknown kind {}{help}; the kinds are {}",
                    quote(name),
                    KINDS.join(", ")
                ));
            };
            *wanted = true;
        }
        Ok(kinds)
    }

    /// Whether a record is wanted.
    #[must_use]
    pub fn has(&self, record: &Record) -> bool {
        let position = match record {
            Record::Send(_) => 0,
            Record::Call(_) => 1,
            Record::Suppressed(_) => 2,
            Record::Held(_) => 3,
            Record::Segment(_) => 4,
            Record::Set(_) => 5,
            Record::Emit(_) => 6,
        };
        self.0.get(position).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_kinds() {
        assert_eq!(
            Kinds::parse(" send, segment").map(|kinds| kinds.0),
            Ok([true, false, false, false, true, false, false])
        );
        assert_eq!(
            Kinds::parse("send,sent").unwrap_err(),
            "unknown kind `sent` (did you mean `send`?); the kinds are send, call, suppressed, held, segment, set, emit"
        );
    }
}
