//! Syntax trees to a checked program: names, types, and whether what is written can mean something.

mod empty;
mod expr;
mod history;
mod interval;
mod resolve;
mod rule;
mod safety;
mod template;
mod walk;
mod words;

use crate::{
    diagnostics::{limits, names, rules, types},
    limits::{MAX_DECLARATIONS, MAX_EXPRESSION_SIZE, MAX_LIMIT_COUNT},
    packs,
    project::Project,
    typed::{
        EventSet, EventType, Expr, ExprKind, Let, LetId, ProfileField, Program, Rate, Segment, SegmentId,
        Suppression, Topic, visit,
    },
    types::{Field, Type},
    value::Value,
};
use resolve::Names;
use rule::RuleScope;
use segue_grammar::{
    Diagnostic, Severity,
    ast::{self, Item, TypeKind},
    span::Span,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

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
        refused_lets: BTreeSet::new(),
        segments: Vec::new(),
        empty: Vec::new(),
        sizes: Vec::new(),
        declared: BTreeMap::new(),
    };
    let items: Vec<&Item> = packs.iter().chain(files).flat_map(|file| &file.items).collect();
    let names = Names::of(&items);
    checker.declarations(&items);
    checker.uses(&items);
    checker.declare(&items);
    checker.duplicates(&names);
    checker.topics(&items);
    checker.lets_and_segments(&names);
    checker.suppressions(&items);
    checker.rules(&items);
    checker.safety();
    (checker.program, checker.diagnostics)
}

/// The pass.
struct Checker<'a> {
    project: &'a Project,
    program: Program,
    diagnostics: Vec<Diagnostic>,
    /// Lets that were reported, so that what uses them is not reported too.
    refused_lets: BTreeSet<String>,
    /// Names of segments in order of evaluation; a refused one keeps its place with a condition that never holds.
    segments: Vec<String>,
    /// For each segment whether it holds of a customer of whom nothing is known.
    empty: Vec<bool>,
    /// For each let how many parts it has with the lets that it uses written out.
    sizes: Vec<u64>,
    /// Where a field of an event (or, without one, of the profile) was first declared.
    declared: BTreeMap<(Option<String>, String), Span>,
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
}

impl Checker<'_> {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
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
                Item::Profile(profile) => {
                    profile.fields.iter().for_each(|field| self.declare_profile_field(field))
                }
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

    fn declare_event(&mut self, event: &ast::EventDecl) {
        if self.unsupported_events(&event.name) {
            return;
        }
        let fields = self.fields_of(&event.fields);
        let known = self.program.events.iter().position(|other| *other.name == *event.name.text);
        let position = known.unwrap_or_else(|| {
            let name = Arc::from(event.name.text.as_str());
            self.program.events.push(EventType { name, passive: false, fields: Vec::new() });
            self.program.events.len() - 1
        });
        for (field, declared) in fields.into_iter().zip(&event.fields) {
            let place = (Some(event.name.text.clone()), declared.name.text.clone());
            let first = *self.declared.entry(place).or_insert(declared.ty.span);
            let Some(known) = self.program.events.get_mut(position) else { continue };
            match known.fields.iter_mut().find(|other| other.name == field.name) {
                None => known.fields.push(field),
                Some(other) if other.ty == field.ty => other.optional &= field.optional,
                Some(other) => {
                    let (span, name) = (declared.ty.span, &declared.name.text);
                    let conflict = names::type_conflict(span, name, &field.ty, &other.ty, first);
                    self.report(conflict);
                }
            }
        }
        if let Some(known) = self.program.events.get_mut(position) {
            known.passive |= event.passive;
        }
    }

    fn fields_of(&mut self, declared: &[ast::FieldDecl]) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::new();
        for field in declared {
            let ty = self.ty(&field.ty);
            if let Some(first) = declared
                .iter()
                .find(|other| other.name.text == field.name.text && other.name.span < field.name.span)
            {
                let twice = names::duplicate_field(field.name.span, &field.name.text, first.name.span);
                self.report(twice);
                continue;
            }
            fields.push(Field { name: Arc::from(field.name.text.as_str()), ty, optional: field.optional });
        }
        fields
    }

    fn declare_profile_field(&mut self, declared: &ast::FieldDecl) {
        if declared.name.text == "consent" {
            self.report(names::consent_is_built_in(declared.name.span));
            return;
        }
        let ty = self.ty(&declared.ty);
        let default =
            declared.default.as_ref().and_then(|default| self.default(default, &ty)).unwrap_or_default();
        let name: Arc<str> = Arc::from(declared.name.text.as_str());
        let first = *self.declared.entry((None, declared.name.text.clone())).or_insert(declared.ty.span);
        let optional = declared.optional || !default.is_known();
        let optional = optional && declared.default.is_none();
        match self.program.profile.iter_mut().find(|other| other.field.name == name) {
            None => self.program.profile.push(ProfileField { field: Field { name, ty, optional }, default }),
            Some(other) if other.field.ty == ty => {
                if default.is_known() {
                    other.default = default;
                    other.field.optional = false;
                }
            }
            Some(other) => {
                let (span, name) = (declared.ty.span, &declared.name.text);
                let conflict = names::type_conflict(span, name, &ty, &other.field.ty, first);
                self.report(conflict);
            }
        }
    }

    fn default(&mut self, default: &ast::Expr, ty: &Type) -> Option<Value> {
        let checked = self.expr(default, Scope::default())?;
        match checked.kind {
            ExprKind::Literal(value) if checked.ty == *ty => Some(value),
            _ => {
                self.report(types::different_types(default.span, ty, &checked.ty, default.span));
                None
            }
        }
    }

    fn ty(&mut self, ty: &ast::TypeExpr) -> Type {
        match &ty.kind {
            TypeKind::Named(name) => words::named_type(name).unwrap_or_else(|| {
                self.report(names::unknown_type(ty.span, name));
                Type::Text
            }),
            TypeKind::List(item) => Type::List(Box::new(self.ty(item))),
            TypeKind::Object(fields) => Type::Object(self.fields_of(fields)),
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

    /// Topics, each after the one that it lies within.
    fn topics(&mut self, items: &[&Item]) {
        let mut open: Vec<&ast::Topic> = items
            .iter()
            .filter_map(|item| if let Item::Topic(topic) = item { Some(topic) } else { None })
            .collect();
        let all: Vec<String> = open.iter().map(|topic| topic.name.text.clone()).collect();
        while !open.is_empty() {
            let ready = open.iter().position(|topic| {
                topic
                    .within
                    .as_ref()
                    .is_none_or(|within| !all.contains(&within.text) || self.topic_id(&within.text).is_some())
            });
            let topic = match ready {
                Some(position) => open.remove(position),
                None => {
                    for topic in open.drain(..) {
                        self.report(rules::definition_cycle(
                            topic.name.span,
                            "topic",
                            &topic.name.text,
                            &topic.name.text,
                        ));
                    }
                    return;
                }
            };
            let within = topic.within.as_ref().and_then(|within| self.topic(within));
            let rates = topic.rates.iter().filter_map(|rate| self.rate(rate)).collect();
            if let Some(ast::TopicElse::Hold(_, span)) = &topic.otherwise {
                self.report(rules::not_supported(*span, "`else hold up to`"));
            }
            self.program.topics.push(Topic { name: Arc::from(topic.name.text.as_str()), within, rates });
        }
    }

    fn rate(&mut self, rate: &ast::Rate) -> Option<Rate> {
        let (count, per) = (self.count(&rate.count, 1, MAX_LIMIT_COUNT), self.duration(&rate.per));
        let channel = rate.channel.as_ref().map(|channel| Arc::from(channel.text.as_str()));
        Some(Rate { channel, count: count?, per: per? })
    }

    /// Lets and segments, each after those that it uses.
    fn lets_and_segments(&mut self, names: &Names<'_>) {
        let (order, cycles) = names.order();
        for (name, path) in cycles {
            let (kind, span) = match (names.segments.get(name.as_str()), names.lets.get(name.as_str())) {
                (Some(segment), _) => ("segment", segment.name.span),
                (None, Some(definition)) => ("let", definition.name.span),
                (None, None) => continue,
            };
            self.report(rules::definition_cycle(span, kind, &name, &path));
            self.refused_lets.insert(name);
        }
        for name in &order {
            if let Some(segment) = names.segments.get(name.as_str()) {
                self.segment_definition(segment);
            } else if let Some(definition) = names.lets.get(name.as_str()) {
                self.let_definition(definition);
            }
        }
    }

    fn let_definition(&mut self, definition: &ast::Let) {
        let arms: Vec<_> = definition
            .arms
            .iter()
            .map(|(value, condition)| {
                let value = self.expr(value, Scope::default());
                let condition = self.condition(condition, Scope::default());
                Some((value?, condition?))
            })
            .collect();
        let value = match &definition.value {
            Some(value) => self.expr(value, Scope::default()),
            None => {
                self.report(rules::missing_otherwise(definition.name.span, &definition.name.text));
                None
            }
        };
        let (Some(arms), Some(value)) = (arms.into_iter().collect::<Option<Vec<_>>>(), value) else {
            self.refused_lets.insert(definition.name.text.clone());
            return;
        };
        for part in arms.iter().flat_map(|(arm, condition)| [arm, condition]).chain([&value]) {
            self.time_since(part);
        }
        for (arm, _) in &arms {
            if self.same_types(&value, arm).is_none() {
                self.refused_lets.insert(definition.name.text.clone());
                return;
            }
        }
        let size = arms
            .iter()
            .flat_map(|(arm, condition)| [arm, condition])
            .chain([&value])
            .map(|it| self.size(it))
            .sum();
        if size > MAX_EXPRESSION_SIZE {
            let most = usize::try_from(MAX_EXPRESSION_SIZE).unwrap_or(usize::MAX);
            self.report(limits::too_large(
                definition.name.span,
                "the parts of a named value, with those that it uses",
                most,
            ));
            self.refused_lets.insert(definition.name.text.clone());
            return;
        }
        self.sizes.push(size);
        self.program.lets.push(Let { name: Arc::from(definition.name.text.as_str()), arms, value });
    }

    /// How many parts an expression has, with lets written out.
    fn size(&self, expr: &Expr) -> u64 {
        let mut size: u64 = 0;
        visit::expression(expr, &mut |part| {
            let part = match &part.kind {
                ExprKind::Let(id) => self.sizes.get(id.0 as usize).copied().unwrap_or(1),
                _ => 1,
            };
            size = size.saturating_add(part);
        });
        size
    }

    fn segment_definition(&mut self, segment: &ast::Segment) {
        let checked = self.condition(&segment.condition, Scope::default());
        if let Some(condition) = &checked {
            self.judge(condition);
        }
        let condition = checked.unwrap_or(Expr {
            kind: ExprKind::Literal(Value::Boolean(false)),
            ty: Type::Boolean,
            span: segment.condition.span,
        });
        self.empty.push(empty::holds(&condition, &self.program, &self.empty, &self.project.time_zone));
        self.segments.push(segment.name.text.clone());
        self.program.segments.push(Segment {
            name: Arc::from(segment.name.text.as_str()),
            title: segment.title.as_ref().map(|title| Arc::from(title.text.as_str())),
            condition,
        });
    }

    fn suppressions(&mut self, items: &[&Item]) {
        for item in items {
            let Item::Suppress(suppress) = item else { continue };
            let (topic, segment) = (self.topic(&suppress.topic), self.segment(&suppress.segment));
            let channel = suppress.channel.as_ref().map(|channel| Arc::from(channel.text.as_str()));
            if let (Some(topic), Some(segment)) = (topic, segment) {
                self.program.suppressions.push(Suppression { topic, channel, segment });
            }
        }
    }

    fn rules(&mut self, items: &[&Item]) {
        let mut defaults: Vec<ast::Clause> = Vec::new();
        for item in items {
            match item {
                Item::Defaults(declared) => {
                    for clause in &declared.clauses {
                        if matches!(clause.kind, ast::ClauseKind::When(_)) {
                            self.report(rules::when_in_defaults(clause.span));
                            continue;
                        }
                        let rule_only = matches!(
                            clause.kind,
                            ast::ClauseKind::Holdout(_)
                                | ast::ClauseKind::Quiet(_)
                                | ast::ClauseKind::Goal { .. }
                                | ast::ClauseKind::Was(_)
                                | ast::ClauseKind::StartCold
                        );
                        if rule_only {
                            self.unsupported_clause(clause);
                        } else {
                            defaults.push(clause.clone());
                        }
                    }
                }
                Item::Test(test) => self.report(rules::test_not_run(test.title.span)),
                Item::Use(_)
                | Item::Event(_)
                | Item::Profile(_)
                | Item::Let(_)
                | Item::Segment(_)
                | Item::Topic(_)
                | Item::Suppress(_)
                | Item::Rule(_) => {}
            }
        }
        let mut rules = Vec::new();
        for item in items {
            if let Item::Rule(rule) = item {
                rules.extend(self.rule(rule, &defaults));
            }
        }
        rules.sort_by(|a, b| b.priority.cmp(&a.priority).then_with(|| a.name.cmp(&b.name)));
        self.program.rules = rules;
    }

    /// `use` of a pack that does not exist, or of a path.
    fn uses(&mut self, items: &[&Item]) {
        for item in items {
            let Item::Use(used) = item else { continue };
            if used.is_path {
                self.report(rules::not_supported(used.span, "`use \"path\"`"));
            } else if packs::named(&used.target.text).is_none() {
                let known = packs::PACKS.iter().map(|pack| pack.name);
                self.report(names::unknown_pack(used.target.span, &used.target.text, known));
            }
        }
    }

    fn let_id(&self, name: &str) -> Option<LetId> {
        let position = self.program.lets.iter().position(|definition| *definition.name == *name)?;
        u32::try_from(position).ok().map(LetId)
    }

    fn is_refused_let(&self, name: &str) -> bool {
        self.refused_lets.contains(name)
    }

    fn segment(&mut self, name: &ast::Name) -> Option<SegmentId> {
        let position = self.segments.iter().position(|other| *other == name.text);
        if position.is_none() && !self.refused_lets.contains(&name.text) {
            let known = self.segments.iter().map(String::as_str);
            self.report(names::unknown_segment(name.span, &name.text, known));
        }
        u32::try_from(position?).ok().map(SegmentId)
    }
}
