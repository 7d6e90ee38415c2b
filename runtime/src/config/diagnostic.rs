//! What is said about a `segue.toml`.

use segue_compiler::{
    findings::{self, Finding as Found},
    report::Report,
};
use std::{ops::Range, sync::Arc};

/// A finding in `segue.toml`, with its place.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    /// Its stable code.
    pub code: &'static str,
    message: String,
    file: Arc<str>,
    text: Arc<str>,
    span: Range<usize>,
    help: Option<String>,
}

impl ConfigError {
    /// The place, in bytes of the file.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// One way out.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The finding as programs read it.
    #[must_use]
    pub fn finding(&self) -> Found {
        let (line, column) = findings::place(&self.text, self.span.start);
        Found {
            severity: "error",
            code: self.code,
            message: self.message.clone(),
            file: self.file.to_string(),
            line,
            column,
            help: self.help.clone(),
        }
    }

    /// The finding as it is drawn for people.
    #[must_use]
    pub fn report(&self) -> Report {
        let places = vec![(self.span(), "")];
        Report::error(self.code, &self.message, self.help(), &self.file, &self.text, &places)
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

    /// What the reader of TOML says; where it names an end of the text, the character before it is marked.
    pub(super) fn syntax(error: &toml::de::Error, text: &str) -> Self {
        let span = error.span().unwrap_or(0..0);
        let start = text.floor_char_boundary(span.start.min(text.len()));
        let end = text.ceil_char_boundary(span.end.min(text.len()));
        let span = match text.get(start..end).unwrap_or_default().trim() {
            "" => visible_before(text, start),
            _ => start..end,
        };
        let message = error.message().trim_end_matches('.').replace('\n', ", ");
        Self::new("bad-toml", span, message).help("a line is `[section]` or `key = \"text\"`")
    }

    pub(super) fn within(self, file: &Arc<str>, text: &Arc<str>) -> ConfigError {
        let Self { code, span, message, help } = self;
        ConfigError { code, message, file: file.clone(), text: text.clone(), span, help }
    }
}

/// The last visible character before a place or else the one at it, so that something is underlined.
fn visible_before(text: &str, place: usize) -> Range<usize> {
    let before = text.get(..place).unwrap_or_default().trim_end();
    match before.chars().next_back() {
        Some(last) => before.len() - last.len_utf8()..before.len(),
        None => place..text.ceil_char_boundary((place + 1).min(text.len())),
    }
}
