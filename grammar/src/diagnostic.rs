//! What is said to a person about a rule file: one form for every stage.
//!
//! Messages are lower-case fragments without a full stop, with the author's own text in backticks: what was
//! expected, what was found, one way out. Codes are stable and registered where the stage that uses them lives.

use crate::span::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The rules cannot be used.
    Error,
    /// The rules can be used; something is probably not meant.
    Warning,
}

/// One finding in the sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable kebab-case code, for example `unknown-event`.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, as a fragment.
    pub message: String,
    /// The place that is underlined.
    pub span: Span,
    /// A few words under the underlined place; may be empty.
    pub label: String,
    /// Further places that explain the finding, each with its words.
    pub related: Vec<(Span, String)>,
    /// One way out.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error with an empty label and no help.
    #[must_use]
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            span,
            label: String::new(),
            related: Vec::new(),
            help: None,
        }
    }

    /// A warning with an empty label and no help.
    #[must_use]
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// Sets the words under the underlined place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Sets the way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a further place.
    #[must_use]
    pub fn also(mut self, span: Span, words: impl Into<String>) -> Self {
        self.related.push((span, words.into()));
        self
    }
}
