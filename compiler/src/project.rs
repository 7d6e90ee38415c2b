//! A project's sources to a checked program.

use crate::{check::check, packs, time::Zone, typed::Program};
use segue_grammar::{
    Diagnostic, Severity, SourceId,
    ast::{File, Item},
    parse,
};
use std::collections::{BTreeMap, BTreeSet};

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

impl Project {
    /// A project of one rule file, in UTC.
    #[must_use]
    pub fn of(name: &str, text: &str) -> Self {
        let source = Source { name: name.to_owned(), text: text.to_owned() };
        Self { sources: vec![source], ..Self::default() }
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

/// The paths that a rule file says with `use "path"`, as they are written: whoever loads a project loads them, too.
#[must_use]
pub fn used_paths(text: &str) -> Vec<String> {
    let (file, _) = parse(SourceId(0), text);
    let path = |item: Item| match item {
        Item::Use(used) if used.is_path => Some(used.target.text),
        _ => None,
    };
    file.items.into_iter().filter_map(path).collect()
}

/// What a path in a rule file leads to: from the file's folder on, without steps that go back.
#[must_use]
pub fn used_from(file: &str, path: &str) -> String {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let (root, folder) = match folder.strip_prefix('/') {
        Some(rest) => ("/", rest),
        None => ("", folder),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("{root}{}", parts.join("/"))
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
        .filter_map(|item| match item {
            Item::Use(used) if !used.is_path => Some(used.target.text.as_str()),
            _ => None,
        })
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
