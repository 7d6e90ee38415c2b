//! Findings as programs read them: with file, line and column.

use crate::{
    diagnostics::{Diagnostic, Severity},
    project::Project,
};
use serde::Serialize;
use std::fmt;

/// What is wrong, or probably not meant, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `error` or `warning`.
    pub severity: &'static str,
    /// Its stable code.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The character of the line, from 1.
    pub column: usize,
    /// One way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Finding {
    /// Whether rules with it can be used.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == "error"
    }
}

/// On one line.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { severity, code, message, file, line, column, help } = self;
        write!(f, "{file}:{line}:{column}: {severity}[{code}]: {message}")?;
        help.iter().try_for_each(|help| write!(f, " ({help})"))
    }
}

/// The findings of the checker in a project.
#[must_use]
pub fn findings<'d>(
    diagnostics: impl IntoIterator<Item = &'d Diagnostic>,
    project: &Project,
) -> Vec<Finding> {
    let mut lines = Lines::default();
    let found = diagnostics.into_iter().map(|diagnostic| {
        let number = diagnostic.span.source.0;
        let source = project.sources.get(number as usize);
        let (file, text) = source.map_or(("", ""), |source| (&source.name, &source.text));
        let (line, column) = lines.place(number, text, diagnostic.span.start as usize);
        Finding {
            severity: match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            code: diagnostic.code,
            message: diagnostic.message.clone(),
            file: file.to_owned(),
            line,
            column,
            help: diagnostic.help.clone(),
        }
    });
    found.collect()
}

/// Line and column of a byte of a text, both from 1; columns count characters.
#[must_use]
pub fn place(text: &str, byte: usize) -> (usize, usize) {
    Lines::default().place(0, text, byte)
}

/// Where the lines of a text start, kept for the text asked about last: findings come in the order of their files.
#[derive(Default)]
struct Lines {
    text: Option<u32>,
    starts: Vec<usize>,
}

impl Lines {
    fn place(&mut self, number: u32, text: &str, byte: usize) -> (usize, usize) {
        if self.text != Some(number) {
            self.text = Some(number);
            self.starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        }
        let byte = text.floor_char_boundary(byte.min(text.len()));
        let line = self.starts.partition_point(|start| *start <= byte);
        let start = line.checked_sub(1).and_then(|index| self.starts.get(index)).copied().unwrap_or(0);
        let column = text.get(start..byte).map_or(0, |before| before.chars().count());
        (line.max(1), column + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters() {
        let mut lines = Lines::default();
        let text = "ab\nø x\n";
        let places = [0, 2, 3, 5, 6, 8, 99].map(|byte| lines.place(0, text, byte));
        assert_eq!(places, [(1, 1), (1, 3), (2, 1), (2, 2), (2, 3), (3, 1), (3, 1)]);
    }
}
