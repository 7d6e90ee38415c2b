//! Findings as they are drawn for people, with the text that they point into.
//!
//! A rule file may hold anything: lines of a megabyte, characters that act on a terminal, spans over a thousand lines.
//! What is drawn is cut to the surroundings of the places, and shows such characters as signs.

use crate::project::Project;
use excerpt::Excerpt;
use segue_grammar::{Diagnostic, Severity, SourceId};
use std::{fmt, ops::Range};

mod excerpt;

/// How much of a message or a help line is drawn, in characters: names in it may be as long as a file.
const MAX_WORDS: usize = 600;

/// A finding that can be drawn.
#[derive(Debug)]
pub struct Report {
    code: Option<String>,
    severity: miette::Severity,
    message: String,
    help: Option<String>,
    excerpt: Excerpt,
    /// Places in other files, each to be drawn after this.
    pub elsewhere: Vec<Self>,
}

/// Places with the words that stand at them; the first is the one that a finding is about.
pub type Places<'a> = Vec<(Range<usize>, &'a str)>;

impl Report {
    /// An error in any text.
    #[must_use]
    pub fn error(
        code: &str,
        message: &str,
        help: Option<&str>,
        name: &str,
        text: &str,
        places: &Places<'_>,
    ) -> Self {
        Self {
            code: Some(format!("segue::{code}")),
            severity: miette::Severity::Error,
            message: visible(message, MAX_WORDS),
            help: help.map(|help| visible(help, MAX_WORDS)),
            excerpt: Excerpt::new(name, text, places),
            elsewhere: Vec::new(),
        }
    }
}

impl Report {
    /// A failure that is no fault of the text: a test that does not pass.
    #[must_use]
    pub fn failure(message: &str, help: Option<&str>, name: &str, text: &str, places: &Places<'_>) -> Self {
        Self { code: None, ..Self::error("", message, help, name, text, places) }
    }
}

/// Makes a report of a diagnostic.
#[must_use]
pub fn report(diagnostic: &Diagnostic, project: &Project) -> Report {
    let source = |id: SourceId| project.sources.get(id.0 as usize);
    let (name, text) = source(diagnostic.span.source).map_or(("", ""), |it| (&it.name, &it.text));
    let mut places: Places<'_> = vec![(diagnostic.span.range(), &diagnostic.label)];
    let mut elsewhere = Vec::new();
    for (span, words) in &diagnostic.related {
        if span.source == diagnostic.span.source {
            places.push((span.range(), words));
        } else if let Some(other) = source(span.source) {
            elsewhere.push(Report {
                code: None,
                severity: miette::Severity::Advice,
                ..Report::error("", words, None, &other.name, &other.text, &vec![(span.range(), "")])
            });
        }
    }
    let help = diagnostic.help.as_deref();
    Report {
        severity: match diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        },
        elsewhere,
        ..Report::error(diagnostic.code, &diagnostic.message, help, name, text, &places)
    }
}

/// A text without characters that act on a terminal, at most so many characters of it.
#[must_use]
pub fn visible(text: &str, limit: usize) -> String {
    let mut characters = text.chars();
    let mut visible: String =
        characters.by_ref().take(limit).map(|it| if it == '\n' { ' ' } else { sign(it) }).collect();
    if characters.next().is_some() {
        visible.push('…');
    }
    visible
}

/// The character, or a sign for one that acts on a terminal or turns the direction of what follows.
fn sign(character: char) -> char {
    match character {
        '\t' => character,
        '\0'..='\x1F' => char::from_u32(0x2400 + u32::from(character)).unwrap_or('�'),
        '\x7F' => '␡',
        '\u{80}'..='\u{9F}'
        | '\u{61C}'
        | '\u{200E}'
        | '\u{200F}'
        | '\u{2028}'..='\u{202E}'
        | '\u{2066}'..='\u{2069}' => '�',
        _ => character,
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Report {}

impl miette::Diagnostic for Report {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.as_ref().map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        Some(Box::new(self.excerpt.labels()))
    }
}
