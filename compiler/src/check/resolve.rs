//! Declared names, and in which order lets and segments are evaluated.

use super::{Checker, Scope, unread::Missing, walk::walk, words};
use crate::{
    diagnostics::names,
    packs, session,
    typed::{EventId, EventSet, EventType, FieldId, TopicId},
    types::{Field, Type},
};
use segue_grammar::ast::{self, ExprKind, Item, Name};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

/// Lets, segments and what else has a name.
pub(super) struct Names<'a> {
    pub(super) lets: BTreeMap<&'a str, &'a ast::Let>,
    pub(super) segments: BTreeMap<&'a str, &'a ast::Segment>,
    /// A name and the earlier one that it repeats.
    pub(super) duplicates: Vec<(&'a Name, &'a Name)>,
}

impl<'a> Names<'a> {
    pub(super) fn of(items: &[&'a Item]) -> Self {
        let mut names = Self { lets: BTreeMap::new(), segments: BTreeMap::new(), duplicates: Vec::new() };
        // Lets and segments are named in expressions; rules, topics and tests in places of their own.
        let mut taken: BTreeMap<(u8, &str), &Name> = BTreeMap::new();
        for item in items {
            let (kind, name) = match item {
                Item::Let(definition) => (0, &definition.name),
                Item::Segment(segment) => (0, &segment.name),
                Item::Topic(topic) => (1, &topic.name),
                Item::Rule(rule) => (2, &rule.name),
                Item::Test(test) => (3, &test.title),
                Item::Use(_) | Item::Event(_) | Item::Profile(_) | Item::Defaults(_) | Item::Suppress(_) => {
                    continue;
                }
            };
            if let Some(first) = taken.get(&(kind, name.text.as_str())) {
                names.duplicates.push((name, first));
                continue;
            }
            taken.insert((kind, &name.text), name);
            match item {
                Item::Let(definition) => names.lets.insert(&name.text, definition).map(|_| ()),
                Item::Segment(segment) => names.segments.insert(&name.text, segment).map(|_| ()),
                _ => None,
            };
        }
        names
    }

    fn uses(&self, name: &str) -> BTreeSet<String> {
        let mut uses = BTreeSet::new();
        let mut visit = |expr: &ast::Expr| match &expr.kind {
            ExprKind::InSegment { segment, .. } if self.segments.contains_key(segment.text.as_str()) => {
                uses.insert(segment.text.clone());
            }
            ExprKind::Path(path) => {
                if let [single] = path.parts.as_slice()
                    && self.lets.contains_key(single.text.as_str())
                {
                    uses.insert(single.text.clone());
                }
            }
            _ => {}
        };
        if let Some(segment) = self.segments.get(name) {
            walk(&segment.condition, &mut visit);
        }
        if let Some(definition) = self.lets.get(name) {
            for (value, condition) in &definition.arms {
                walk(value, &mut visit);
                walk(condition, &mut visit);
            }
            if let Some(value) = &definition.value {
                walk(value, &mut visit);
            }
        }
        uses
    }

    /// All lets and segments that are not in cycles, each after those that it uses, else by name; and those in cycles, each
    /// with its cycle in words.
    pub(super) fn order(&self) -> (Vec<String>, Vec<(String, String)>) {
        let mut open: BTreeMap<String, BTreeSet<String>> = self
            .lets
            .keys()
            .chain(self.segments.keys())
            .map(|name| ((*name).to_owned(), self.uses(name)))
            .collect();
        let cycles: Vec<(String, String)> =
            open.keys().filter_map(|name| Some((name.clone(), circle(name, &open)?))).collect();
        let endless: BTreeSet<&String> = cycles.iter().map(|(name, _)| name).collect();
        open.retain(|name, _| !endless.contains(name));
        let mut order: Vec<String> = Vec::new();
        loop {
            let ready = open
                .iter()
                .find(|(_, uses)| uses.iter().all(|name| endless.contains(name) || order.contains(name)));
            let Some(name) = ready.map(|(name, _)| name.clone()) else { break };
            open.remove(&name);
            order.push(name);
        }
        (order, cycles)
    }
}

/// A shortest way from a name back to itself, if there is one.
pub(super) fn circle(start: &str, uses: &BTreeMap<String, BTreeSet<String>>) -> Option<String> {
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(name) = open.pop_front() {
        for next in uses.get(name).into_iter().flatten() {
            if next == start {
                let mut way = vec![start, name];
                while let Some(earlier) =
                    way.last().filter(|last| **last != start).and_then(|last| before.get(last))
                {
                    way.push(earlier);
                }
                way.reverse();
                return Some(way.join(" → "));
            }
            if !before.contains_key(next.as_str()) {
                before.insert(next, name);
                open.push_back(next);
            }
        }
    }
    None
}

impl Checker<'_> {
    pub(super) fn event(&mut self, name: &Name) -> Option<EventId> {
        self.session_event(&name.text);
        let id = self.program.event(&name.text);
        if id.is_none() {
            let known = self.program.events.iter().map(|event| &*event.name);
            let pack = packs::declaring(&name.text).map(|pack| pack.name);
            let unknown = names::unknown_event(name.span, &name.text, known, pack);
            self.report_missing(Missing::Event(&name.text), unknown);
        }
        id
    }

    /// Declares an event of sessions where it is first named: only then it is made.
    pub(super) fn session_event(&mut self, name: &str) {
        if !matches!(name, session::STARTED | session::ENDED) || self.program.event(name).is_some() {
            return;
        }
        let field = |(name, ty)| Field { name: Arc::from(name), ty, optional: false };
        let fields = match name {
            session::ENDED => {
                vec![("length", Type::Duration), ("events", Type::Number), ("pages", Type::Number)]
            }
            _ => Vec::new(),
        };
        let fields = fields.into_iter().map(field).collect();
        self.program.events.push(EventType { name: Arc::from(name), passive: true, fields, former: 0 });
        self.program.sessions = true;
    }

    pub(super) fn profile_field(&self, name: &str) -> Option<FieldId> {
        let position = self.program.profile.iter().position(|field| *field.field.name == *name)?;
        u32::try_from(position).ok().map(FieldId)
    }

    pub(super) fn topic_id(&self, name: &str) -> Option<TopicId> {
        let position = self.program.topics.iter().position(|topic| *topic.name == *name)?;
        u32::try_from(position).ok().map(TopicId)
    }

    pub(super) fn topic(&mut self, name: &Name) -> Option<TopicId> {
        let id = self.topic_id(&name.text);
        if id.is_none() {
            let known = self.program.topics.iter().map(|topic| &*topic.name);
            let unknown = names::unknown_topic(name.span, &name.text, known);
            self.report_missing(Missing::Topic(&name.text), unknown);
        }
        id
    }

    /// What a bare name could have been.
    pub(super) fn names_in_scope(&self, scope: Scope<'_>) -> Vec<String> {
        let mut known: Vec<String> =
            self.program.lets.iter().map(|definition| definition.name.to_string()).collect();
        known.extend(self.program.profile.iter().map(|field| format!("profile.{}", field.field.name)));
        if let Some(rule) = scope.rule {
            known.extend(rule.elements.iter().map(|(name, ..)| name.to_string()));
            if let Some(EventSet::Of(events)) = &rule.trigger {
                let declared = events.iter().filter_map(|id| self.program.events.get(id.0 as usize));
                known.extend(
                    declared.flat_map(|event| &event.fields).map(|field| format!("event.{}", field.name)),
                );
            }
        }
        known.extend(words::FUNCTIONS.iter().map(|(name, _)| (*name).to_owned()));
        known
    }
}
