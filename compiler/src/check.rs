//! Syntax trees to a checked program: names, types, and whether what is written can mean something.

mod channel;
mod conversation;
mod defaults;
mod empty;
mod expected;
mod expr;
mod field;
mod guardrail;
mod held;
mod history;
mod interval;
mod literal;
mod matched;
mod named;
mod negation;
mod path;
mod resolve;
mod rule;
mod safety;
mod scenario;
mod schedule;
mod step;
mod template;
mod topic;
mod unread;
mod wait;
mod walk;
pub(crate) mod words;

use crate::{
    diagnostics::{limits, names},
    limits::MAX_DECLARATIONS,
    packs,
    project::{Project, used_from},
    typed::{EventSet, EventType, ProfileField, Program, Suppression},
    types::{Field, Type},
    value::Value,
};
use resolve::Names;
use rule::RuleScope;
use segue_grammar::{
    Diagnostic, Severity,
    ast::{self, Item},
    span::Span,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use unread::Unread;

/// Checks a project's files; `packs` are the files of the packs that are used.
pub(crate) fn check(
    project: &Project,
    packs: &[ast::File],
    files: &[ast::File],
) -> (Program, Vec<Diagnostic>) {
    let mut checker = Checker {
        project,
        program: Program::default(),
        diagnostics: Vec::new(),
        said: BTreeSet::new(),
        patterns: BTreeSet::new(),
        refused_lets: BTreeSet::new(),
        segments: Vec::new(),
        empty: Vec::new(),
        sizes: Vec::new(),
        declared: BTreeMap::new(),
        channels: BTreeSet::new(),
        unread: Unread::of(files),
        where_before: None,
    };
    checker.refused_lets.extend(checker.unread.conditions().cloned().collect::<Vec<_>>());
    let items: Vec<&Item> = packs.iter().chain(files).flat_map(|file| &file.items).collect();
    let names = Names::of(&items);
    checker.declarations(&items);
    checker.uses(&items);
    checker.declare(&items);
    checker.duplicates(&names);
    checker.known_channels(&items);
    checker.topics(&items);
    checker.lets_and_segments(&names);
    checker.suppressions(&items);
    checker.rules(&items);
    checker.safety();
    checker.tests(&items);
    (checker.program, checker.diagnostics)
}

/// The pass.
struct Checker<'a> {
    project: &'a Project,
    program: Program,
    diagnostics: Vec<Diagnostic>,
    /// What was said, to say it once.
    said: BTreeSet<(&'static str, Span, String)>,
    /// The regular expressions so far.
    patterns: BTreeSet<Arc<str>>,
    /// Lets that were reported, so that what uses them is not reported too.
    refused_lets: BTreeSet<String>,
    /// Names of segments in order of evaluation; a refused one keeps its place with a condition that never holds.
    segments: Vec<String>,
    /// For each segment whether it holds of a customer of whom nothing is known.
    empty: Vec<empty::Levels>,
    /// For each let how many parts it has with the lets that it uses written out.
    sizes: Vec<u64>,
    /// Where a field of an event (or, without one, of the profile) was first declared.
    declared: BTreeMap<(Option<String>, String), Span>,
    /// The channels that messages can go by.
    channels: BTreeSet<String>,
    unread: Unread,
    /// In a list of conditions, the events of the `where` with which the one before ended.
    where_before: Option<EventSet>,
}

/// What an expression can see.
#[derive(Clone, Copy, Default)]
struct Scope<'s> {
    /// In `where` and in the value of an aggregate: the events that are looked at.
    events: Option<&'s EventSet>,
    /// In rules.
    rule: Option<&'s RuleScope>,
    /// In a sequence, which cannot look at the match that it makes.
    in_sequence: bool,
    /// In a sequence of several events.
    among_others: bool,
    /// In a condition that must hold without a break, which is asked of every customer at all times.
    in_held: bool,
}

impl Checker<'_> {
    /// Says something, once: a default is checked for each rule that uses it.
    fn report(&mut self, diagnostic: Diagnostic) {
        if self.said.insert((diagnostic.code, diagnostic.span, diagnostic.message.clone())) {
            self.diagnostics.push(diagnostic);
        }
    }

    fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|it| it.severity == Severity::Error).count()
    }

    /// The author's own words.
    fn text(&self, span: Span) -> &str {
        let source = self.project.sources.get(span.source.0 as usize);
        source.and_then(|source| source.text.get(span.start as usize..span.end as usize)).unwrap_or_default()
    }

    /// Reports the first declaration beyond the bound.
    fn declarations(&mut self, items: &[&Item]) {
        if let Some(item) = items.get(MAX_DECLARATIONS) {
            let what = format!("the project has {} declarations", items.len());
            self.report(limits::too_large(item.span(), &what, MAX_DECLARATIONS));
        }
    }

    /// Events and profile: declarations of one name add up.
    fn declare(&mut self, items: &[&Item]) {
        for name in words::PROFILE_FIELDS {
            let field = Field { name: Arc::from(*name), ty: Type::Text, optional: true };
            self.program.profile.push(ProfileField { field, default: Value::Missing });
        }
        for item in items {
            match item {
                Item::Event(event) => self.declare_event(event),
                Item::Profile(profile) => self.declare_profile(profile),
                Item::Use(_)
                | Item::Let(_)
                | Item::Segment(_)
                | Item::Topic(_)
                | Item::Defaults(_)
                | Item::Suppress(_)
                | Item::Rule(_)
                | Item::Test(_) => {}
            }
        }
    }

    fn duplicates(&mut self, names: &Names<'_>) {
        for (second, first) in &names.duplicates {
            self.report(names::duplicate_name(second.span, &second.text, first.span));
        }
        for definition in names.lets.values() {
            let has =
                |event: &&EventType| event.fields.iter().any(|field| *field.name == *definition.name.text);
            let owner = self.program.events.iter().find(has).map(|event| event.name.clone());
            if let Some(owner) = &owner {
                self.report(names::let_is_field(definition.name.span, &definition.name.text, owner));
            }
        }
    }

    fn suppressions(&mut self, items: &[&Item]) {
        for item in items {
            let Item::Suppress(suppress) = item else { continue };
            let (topic, segment) = (self.topic(&suppress.topic), self.segment(&suppress.segment));
            suppress.channel.iter().for_each(|channel| self.channel(channel));
            let channel = suppress.channel.as_ref().map(|channel| Arc::from(channel.text.as_str()));
            if let (Some(topic), Some(segment)) = (topic, segment) {
                self.program.suppressions.push(Suppression { topic, channel, segment });
            }
        }
    }

    fn rules(&mut self, items: &[&Item]) {
        let defaults = self.defaults(items);
        let mut rules = Vec::new();
        for item in items {
            if let Item::Rule(rule) = item {
                rules.extend(self.rule(rule, &defaults));
            }
        }
        self.former_names(items);
        rules.sort_by(|a, b| b.priority.cmp(&a.priority).then_with(|| a.name.cmp(&b.name)));
        self.program.rules = rules;
    }

    /// A path leads to a rule file of the project, or to a folder with some.
    fn use_of_path(&mut self, used: &ast::Use) {
        let name = |source: &crate::project::Source| used_from("", &source.name);
        let from = self.project.sources.get(used.span.source.0 as usize).map(|source| source.name.as_str());
        let path = used_from(from.unwrap_or_default(), &used.target.text);
        let folder = format!("{path}/");
        let is_there = self.project.sources.iter().map(name).any(|source| {
            source == path || source.starts_with(&folder) || path.is_empty() && !source.starts_with("..")
        });
        if !is_there {
            let is_pack = packs::named(&used.target.text).is_some();
            self.report(names::unknown_use(used.target.span, &used.target.text, is_pack));
        }
    }

    /// `use` of a pack that does not exist, or of a path.
    fn uses(&mut self, items: &[&Item]) {
        for item in items {
            let Item::Use(used) = item else { continue };
            if used.is_path {
                self.use_of_path(used);
            } else if packs::named(&used.target.text).is_none() {
                let known = packs::PACKS.iter().map(|pack| pack.name);
                self.report(names::unknown_pack(used.target.span, &used.target.text, known));
            }
        }
    }
}
