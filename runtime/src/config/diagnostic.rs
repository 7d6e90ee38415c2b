//! What is said about a `segue.toml`.

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use std::{fmt, ops::Range};

/// A finding in `segue.toml`, with its place.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    /// Its stable code.
    pub code: &'static str,
    message: String,
    source_code: NamedSource<String>,
    span: Range<usize>,
    help: Option<String>,
}

impl ConfigError {
    /// The place, in bytes of the file.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The file's name.
    #[must_use]
    pub fn file(&self) -> &str {
        self.source_code.name()
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.source_code.inner()
    }
}

impl Diagnostic for ConfigError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| -> Box<dyn fmt::Display + 'a> { Box::new(help) })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source_code)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(LabeledSpan::underline(self.span.clone()))))
    }
}

/// A finding that does not know its file yet.
pub(super) struct Finding {
    code: &'static str,
    pub(super) span: Range<usize>,
    message: String,
    help: Option<String>,
}

impl Finding {
    pub(super) fn new(code: &'static str, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { code, span, message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Something of the target that is not built.
    pub(super) fn unsupported(span: Range<usize>, what: &str) -> Self {
        Self::new("not-supported", span, format!("{what} is not supported yet")).help("leave it out")
    }

    pub(super) fn syntax(error: &toml::de::Error, length: usize) -> Self {
        let span = error.span().unwrap_or(0..0);
        let span = span.start.min(length)..span.end.min(length);
        Self::new("bad-toml", span, error.message().trim_end_matches('.').replace('\n', ", "))
    }

    pub(super) fn within(self, name: &str, text: &str) -> ConfigError {
        ConfigError {
            code: self.code,
            message: self.message,
            source_code: NamedSource::new(name, text.to_owned()),
            span: self.span,
            help: self.help,
        }
    }
}
