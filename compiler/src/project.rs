//! A project's sources to a checked program.

use crate::{check::check, packs, time::Zone, typed::Program};
use segue_grammar::{
    Diagnostic, Severity, SourceId, Span,
    ast::{File, Item},
    parse,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A rule file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Its path, as it is shown.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// What is compiled: rule files, and the content files that they name.
#[derive(Clone, Debug)]
pub struct Project {
    /// The rule files; a [`SourceId`] is a position here.
    pub sources: Vec<Source>,
    /// Content files by their path from the project's folder.
    pub files: BTreeMap<String, String>,
    /// The project's time zone, in which dates and instants of rules are read.
    pub time_zone: Zone,
}

impl Default for Project {
    fn default() -> Self {
        Self { sources: Vec::new(), files: BTreeMap::new(), time_zone: Zone::utc() }
    }
}

/// What came of checking.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The program; `None` when there is an error.
    pub program: Option<Program>,
    /// Everything that there is to say, in order of place.
    pub diagnostics: Vec<Diagnostic>,
}

impl Checked {
    /// Whether there is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|it| it.severity == Severity::Error)
    }
}

/// Parses and checks a project.
#[must_use]
pub fn compile(project: &Project) -> Checked {
    let mut diagnostics = Vec::new();
    let mut files: Vec<File> = Vec::new();
    for (source, number) in project.sources.iter().zip(0..) {
        let (file, found) = parse(SourceId(number), &source.text);
        files.push(file);
        diagnostics.extend(found);
    }
    let names: BTreeSet<&str> = files
        .iter()
        .flat_map(|file| &file.items)
        .filter_map(|item| if let Item::Use(used) = item { Some(used.target.text.as_str()) } else { None })
        .collect();
    let used = packs::PACKS.iter().filter(|pack| names.contains(pack.name));
    // Places in packs lie beyond all sources of the project.
    let packs: Vec<File> = std::iter::once(&packs::ALWAYS)
        .chain(used)
        .map(|pack| parse(SourceId(u32::MAX), pack.text).0)
        .collect();
    let (program, found) = check(project, &packs, &files);
    diagnostics.extend(found);
    diagnostics.sort_by_key(|it| (it.span, it.code));
    diagnostics.dedup();
    let mut checked = Checked { program: None, diagnostics };
    if !checked.has_errors() {
        checked.program = Some(program);
    }
    checked
}

/// A diagnostic with the sources that it points into, for people.
#[derive(Debug)]
pub struct Report {
    diagnostic: Diagnostic,
    source: miette::NamedSource<String>,
    related: Vec<Self>,
}

/// Makes a report of a diagnostic. Places in other files than its own follow as reports of their own.
#[must_use]
pub fn report(diagnostic: &Diagnostic, project: &Project) -> Report {
    let named = |id: SourceId| {
        let source = project.sources.get(id.0 as usize).cloned().unwrap_or_default();
        miette::NamedSource::new(source.name, source.text)
    };
    let (here, elsewhere): (Vec<_>, Vec<_>) =
        diagnostic.related.iter().cloned().partition(|(span, _)| span.source == diagnostic.span.source);
    let visible = |span: &Span| (span.source.0 as usize) < project.sources.len();
    let related = elsewhere
        .into_iter()
        .filter(|(span, _)| visible(span))
        .map(|(span, words)| Report {
            diagnostic: Diagnostic {
                severity: diagnostic.severity,
                ..Diagnostic::error(diagnostic.code, span, words)
            },
            source: named(span.source),
            related: Vec::new(),
        })
        .collect();
    Report {
        diagnostic: Diagnostic { related: here, ..diagnostic.clone() },
        source: named(diagnostic.span.source),
        related,
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for Report {}

impl miette::Diagnostic for Report {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(format!("segue::{}", self.diagnostic.code)))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.diagnostic.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        let label = |span: Span, words: &str| {
            let words = (!words.is_empty()).then(|| words.to_owned());
            miette::LabeledSpan::new(words, span.start as usize, span.len())
        };
        let main = std::iter::once(label(self.diagnostic.span, &self.diagnostic.label));
        Some(Box::new(
            main.chain(self.diagnostic.related.iter().map(move |(span, words)| label(*span, words))),
        ))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        if self.related.is_empty() {
            return None;
        }
        Some(Box::new(self.related.iter().map(|it| it as &dyn miette::Diagnostic)))
    }
}
