//! Declarations that could not be read, which is told where they stand: of what uses them nobody is told that it is unknown.

use super::Checker;
use crate::diagnostics::Diagnostic;
use segue_grammar::ast;
use std::collections::BTreeSet;

/// What is declared, but could not be read.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// Each by its word and its name; what bears no name has an empty one.
    declarations: BTreeSet<(String, String)>,
    /// Whether a field was left out because its type is unknown.
    pub(super) fields: bool,
}

/// What something names that is unknown.
#[derive(Clone, Copy, Debug)]
pub(super) enum Missing<'n> {
    Event(&'n str),
    Topic(&'n str),
    Rule(&'n str),
    ProfileField,
    /// A field of an event, or a bare name, which can be one.
    EventField,
    /// The topic that a rule could have from the defaults.
    UsualTopic,
}

impl Unread {
    pub(super) fn of(files: &[ast::File]) -> Self {
        let unread = files.iter().flat_map(|file| &file.unread);
        Self { declarations: unread.map(|it| (it.word.clone(), it.name.clone())).collect(), fields: false }
    }

    /// The names of values and segments among them.
    pub(super) fn conditions(&self) -> impl Iterator<Item = &String> {
        self.declarations.iter().filter(|(word, _)| word == "let" || word == "segment").map(|(_, name)| name)
    }

    fn explains(&self, missing: Missing<'_>) -> bool {
        let is_one =
            |word: &str, name: &str| self.declarations.iter().any(|it| (&*it.0, &*it.1) == (word, name));
        let is_any = |word: &str| self.declarations.iter().any(|it| it.0 == word);
        match missing {
            Missing::Event(name) => is_one("event", name),
            Missing::Topic(name) => is_one("topic", name),
            Missing::Rule(name) => is_one("rule", name),
            Missing::ProfileField => self.fields || is_any("profile"),
            Missing::EventField => self.fields || is_any("event"),
            Missing::UsualTopic => is_any("defaults"),
        }
    }
}

impl Checker<'_> {
    /// Says that something is unknown, unless it may be declared where nothing could be read.
    pub(super) fn report_missing(&mut self, missing: Missing<'_>, diagnostic: Diagnostic) {
        if !self.unread.explains(missing) {
            self.report(diagnostic);
        }
    }
}
