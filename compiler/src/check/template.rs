//! Templates: every name that one uses must exist, and what may be missing must say what stands there then.

mod paths;

use super::{Checker, Scope, rule::RuleScope, words};
use crate::{
    diagnostics::{limits, names, templates, types},
    limits::MAX_TEMPLATE_BYTES,
    typed::{
        self, Aggregate, Arithmetic, ContentValue, EventRole, EventSet, ExprKind, FieldPath, Function, LetId,
        Template, TemplateId,
    },
    types::Type,
};
use minijinja::machinery::{
    ast::{CallArg, Expr, Stmt},
    parse,
};
use paths::{asked_paths, bind, has_default, local, path_of};
use segue_grammar::{ast, span::Span};
use std::{collections::BTreeSet, iter, sync::Arc};

/// Filters that templates know: MiniJinja's own and ours.
const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "date",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "link",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "money",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "urlencode",
    "zip",
];

/// Where a template stands.
struct Place<'p> {
    /// The literal, or the phrase that names the file.
    span: Span,
    /// What the template reads, to find spans in it.
    text: &'p str,
    /// The file, when it is one.
    file: Option<&'p str>,
    /// Whether the literal stands in the source as it reads, so that offsets in it are offsets in the source.
    verbatim: Option<u32>,
}

impl Place<'_> {
    /// The span of some bytes of the template, where they can be pointed at.
    fn span(&self, start: usize, end: usize) -> Span {
        match self.verbatim {
            Some(offset) => {
                let at = |byte: usize| self.span.start + offset + u32::try_from(byte).unwrap_or(0);
                Span { start: at(start), end: at(end), ..self.span }
            }
            None => self.span,
        }
    }

    /// ` (file:line)` for files.
    fn words(&self, start: usize) -> String {
        match self.file {
            None => String::new(),
            Some(file) => {
                let line = self.text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
                format!(" (`{file}`, line {line})")
            }
        }
    }
}

/// What was read so far, and what is known where the walk stands.
struct Walk<'w> {
    place: Place<'w>,
    template: Template,
    /// Loop variables and `set` variables: what they are, when that is known.
    locals: Vec<(String, Option<Type>)>,
    /// Paths that an `if` around has asked for.
    guarded: Vec<String>,
}

/// What a path of a template is.
struct Found {
    ty: Option<Type>,
    optional: bool,
}

impl Checker<'_> {
    /// A template in quotes.
    pub(super) fn template(
        &mut self,
        text: &ast::Name,
        html: bool,
        scope: Scope<'_>,
    ) -> Option<ContentValue> {
        let written = self.text(text.span);
        let quotes = if written.starts_with("\"\"\"") { 3 } else { 1 };
        let inner = written.get(quotes as usize..written.len().saturating_sub(quotes as usize));
        let verbatim = (inner == Some(text.text.as_str())).then_some(quotes);
        let place = Place { span: text.span, text: &text.text, file: None, verbatim };
        self.template_text(place, html, scope).map(ContentValue::Template)
    }

    /// `file "name" by EXPR else "variant"`.
    pub(super) fn file(&mut self, file: &ast::FileRef, html: bool, scope: Scope<'_>) -> Option<ContentValue> {
        let Some((by, otherwise)) = &file.by else {
            return self
                .template_file(&file.name.text, file.name.span, html, scope)
                .map(ContentValue::Template);
        };
        let by = self.expr(by, scope)?;
        if by.ty != Type::Text {
            self.report(types::variant_not_text(by.span, &by.ty));
            return None;
        }
        let (stem, extension) = file.name.text.rsplit_once('.').unwrap_or((&file.name.text, ""));
        let name = |variant: &str| format!("{stem}.{variant}.{extension}");
        let fallback = self.template_file(&name(&otherwise.text), otherwise.span, html, scope)?;
        let (prefix, suffix) = (format!("{stem}."), format!(".{extension}"));
        let variants: Vec<String> = self
            .project
            .files
            .keys()
            .filter_map(|path| path.strip_prefix(&prefix)?.strip_suffix(&suffix))
            .filter(|variant| !variant.contains(['.', '/']))
            .map(str::to_owned)
            .collect();
        let mut checked = Vec::new();
        for variant in variants {
            let template = self.template_file(&name(&variant), file.name.span, html, scope)?;
            checked.push((Arc::from(variant.as_str()), template));
        }
        Some(ContentValue::Variant { by, variants: checked, otherwise: fallback })
    }

    fn template_file(&mut self, path: &str, span: Span, html: bool, scope: Scope<'_>) -> Option<TemplateId> {
        let Some(text) = self.project.files.get(path).cloned() else {
            let known = self.project.files.keys().map(String::as_str);
            self.report(names::unknown_file(span, path, known));
            return None;
        };
        self.template_text(Place { span, text: &text, file: Some(path), verbatim: None }, html, scope)
    }

    fn template_text(&mut self, place: Place<'_>, html: bool, scope: Scope<'_>) -> Option<TemplateId> {
        let errors = self.errors();
        let text = place.text;
        if text.len() > MAX_TEMPLATE_BYTES {
            let what = format!("this template has {} bytes", text.len());
            self.report(limits::too_large(place.span, &what, MAX_TEMPLATE_BYTES));
            return None;
        }
        let template = Template {
            source: Arc::from(text),
            html,
            profile: Vec::new(),
            lets: Vec::new(),
            events: Vec::new(),
        };
        let mut walk = Walk { place, template, locals: Vec::new(), guarded: Vec::new() };
        match parse(text, "template", Default::default()) {
            Ok(parsed) => self.statement(&parsed, &mut walk, scope),
            Err(error) => {
                let range = error.range().unwrap_or(0..text.len());
                let why = error.detail().unwrap_or("it is incomplete").to_owned();
                let words = walk.place.words(range.start);
                self.report(templates::syntax(walk.place.span(range.start, range.end), &words, &why));
            }
        }
        if self.errors() > errors {
            return None;
        }
        self.program.templates.push(walk.template);
        u32::try_from(self.program.templates.len() - 1).ok().map(TemplateId)
    }

    fn statements(&mut self, list: &[Stmt<'_>], walk: &mut Walk<'_>, scope: Scope<'_>) {
        let locals = walk.locals.len();
        list.iter().for_each(|it| self.statement(it, walk, scope));
        walk.locals.truncate(locals);
    }

    fn statement(&mut self, statement: &Stmt<'_>, walk: &mut Walk<'_>, scope: Scope<'_>) {
        match statement {
            Stmt::Template(it) => self.statements(&it.children, walk, scope),
            Stmt::EmitRaw(_) => {}
            Stmt::EmitExpr(it) => self.printed(&it.expr, walk, scope),
            Stmt::IfCond(it) => {
                let guarded = walk.guarded.len();
                self.asked(&it.expr, walk, scope);
                walk.guarded.extend(asked_paths(&it.expr));
                self.statements(&it.true_body, walk, scope);
                walk.guarded.truncate(guarded);
                self.statements(&it.false_body, walk, scope);
            }
            Stmt::ForLoop(it) => {
                let over = self.asked(&it.iter, walk, scope);
                let item = match over {
                    Some(Type::List(item)) => Some(*item),
                    _ => None,
                };
                let locals = walk.locals.len();
                walk.locals.push(("loop".to_owned(), None));
                bind(&it.target, item, &mut walk.locals);
                if let Some(filter) = &it.filter_expr {
                    self.asked(filter, walk, scope);
                }
                self.statements(&it.body, walk, scope);
                walk.locals.truncate(locals);
                self.statements(&it.else_body, walk, scope);
            }
            Stmt::Set(it) => {
                let ty = self.asked(&it.expr, walk, scope);
                bind(&it.target, ty, &mut walk.locals);
            }
            Stmt::SetBlock(it) => {
                self.statements(&it.body, walk, scope);
                bind(&it.target, None, &mut walk.locals);
            }
            Stmt::WithBlock(it) => {
                let locals = walk.locals.len();
                for (target, value) in &it.assignments {
                    let ty = self.asked(value, walk, scope);
                    bind(target, ty, &mut walk.locals);
                }
                self.statements(&it.body, walk, scope);
                walk.locals.truncate(locals);
            }
            Stmt::AutoEscape(it) => self.statements(&it.body, walk, scope),
            Stmt::FilterBlock(it) => self.statements(&it.body, walk, scope),
            // Macros, imports, blocks and calls of them: a message is one text.
            _ => {
                let place = walk.place.words(0);
                self.report(templates::syntax(
                    walk.place.span,
                    &place,
                    "a message is one text, without blocks, macros or imports",
                ));
            }
        }
    }

    /// An expression whose value is printed.
    fn printed(&mut self, expr: &Expr<'_>, walk: &mut Walk<'_>, scope: Scope<'_>) {
        let Some(path) = path_of(expr) else {
            self.asked(expr, walk, scope);
            if let Expr::Filter(filter) = expr
                && !has_default(expr)
                && let Some(inner) = filter.expr.as_ref()
            {
                self.demand(inner, walk, scope);
            }
            return;
        };
        let _ = path;
        self.asked(expr, walk, scope);
        self.demand(expr, walk, scope);
    }

    /// What is printed as it is must be there.
    fn demand(&mut self, expr: &Expr<'_>, walk: &mut Walk<'_>, scope: Scope<'_>) {
        if let Expr::Filter(filter) = expr {
            if let Some(inner) = filter.expr.as_ref().filter(|_| !has_default(expr)) {
                self.demand(inner, walk, scope);
            }
            return;
        }
        let Some(path) = path_of(expr) else { return };
        let words = path.join(".");
        if walk.guarded.contains(&words) {
            return;
        }
        if let Some(Found { optional: true, .. }) = self.lookup(&path, walk, scope, false) {
            let span = expr.span();
            let (start, end) = (span.start_offset as usize, span.end_offset as usize);
            self.report(templates::optional(walk.place.span(start, end), &walk.place.words(start), &words));
        }
    }

    /// Checks every name of an expression; gives its type where it is a path.
    fn asked(&mut self, expr: &Expr<'_>, walk: &mut Walk<'_>, scope: Scope<'_>) -> Option<Type> {
        if let Some(path) = path_of(expr) {
            return match self.lookup(&path, walk, scope, true) {
                Some(found) => found.ty,
                None => {
                    self.unknown(&path, expr, walk, scope);
                    None
                }
            };
        }
        match expr {
            Expr::Filter(it) => {
                let inner = it.expr.as_ref().and_then(|inner| self.asked(inner, walk, scope));
                self.known_filter(it.name, expr, walk);
                self.arguments(&it.args, walk, scope);
                inner
            }
            Expr::Test(it) => {
                self.asked(&it.expr, walk, scope);
                self.arguments(&it.args, walk, scope);
                None
            }
            Expr::GetAttr(it) => self.asked(&it.expr, walk, scope),
            Expr::GetItem(it) => {
                self.asked(&it.subscript_expr, walk, scope);
                match self.asked(&it.expr, walk, scope) {
                    Some(Type::List(item)) => Some(*item),
                    _ => None,
                }
            }
            Expr::Slice(it) => self.asked(&it.expr, walk, scope),
            Expr::UnaryOp(it) => self.asked(&it.expr, walk, scope),
            Expr::BinOp(it) => {
                self.asked(&it.left, walk, scope);
                self.asked(&it.right, walk, scope)
            }
            Expr::IfExpr(it) => {
                self.asked(&it.test_expr, walk, scope);
                self.asked(&it.true_expr, walk, scope);
                it.false_expr.as_ref().and_then(|other| self.asked(other, walk, scope))
            }
            Expr::Call(it) => {
                if let Some(path) = path_of(&it.expr)
                    && !matches!(
                        path.first().map(String::as_str),
                        Some("range" | "dict" | "namespace" | "loop")
                    )
                {
                    let span = it.expr.span();
                    let at = walk.place.span(span.start_offset as usize, span.end_offset as usize);
                    let words = walk.place.words(span.start_offset as usize);
                    self.report(templates::unknown_filter(at, &words, "function", &path.join("."), []));
                }
                self.arguments(&it.args, walk, scope);
                None
            }
            Expr::List(it) => {
                it.items.iter().for_each(|item| {
                    self.asked(item, walk, scope);
                });
                None
            }
            Expr::Map(it) => {
                it.values.iter().for_each(|item| {
                    self.asked(item, walk, scope);
                });
                None
            }
            _ => None,
        }
    }

    fn arguments(&mut self, arguments: &[CallArg<'_>], walk: &mut Walk<'_>, scope: Scope<'_>) {
        for argument in arguments {
            match argument {
                CallArg::Pos(value)
                | CallArg::Kwarg(_, value)
                | CallArg::PosSplat(value)
                | CallArg::KwargSplat(value) => {
                    self.asked(value, walk, scope);
                }
            }
        }
    }

    fn known_filter(&mut self, name: &str, expr: &Expr<'_>, walk: &Walk<'_>) {
        if FILTERS.contains(&name) {
            return;
        }
        let span = expr.span();
        let at = walk.place.span(span.start_offset as usize, span.end_offset as usize);
        let words = walk.place.words(span.start_offset as usize);
        self.report(templates::unknown_filter(at, &words, "filter", name, FILTERS.iter().copied()));
    }

    /// What a path means; `read` notes that the template reads it.
    fn lookup(
        &mut self,
        path: &[String],
        walk: &mut Walk<'_>,
        scope: Scope<'_>,
        read: bool,
    ) -> Option<Found> {
        let (root, rest) = path.split_first()?;
        let rest: Vec<Arc<str>> = rest.iter().map(|part| Arc::from(part.as_str())).collect();
        if let Some((_, ty)) = walk.locals.iter().rev().find(|(name, _)| name == root) {
            return local(ty.as_ref(), &rest);
        }
        if root == "unsubscribe_url" {
            return Some(Found { ty: Some(Type::Text), optional: false });
        }
        if root == "profile" {
            let (field, rest) = rest.split_first()?;
            let id = self.profile_field(field)?;
            let declared = self.program.profile.get(id.0 as usize)?;
            let ty = declared.field.ty.at(rest)?;
            let optional = declared.field.optional || !rest.is_empty();
            if read && !walk.template.profile.contains(&id) {
                walk.template.profile.push(id);
            }
            return Some(Found { ty: Some(ty), optional });
        }
        let role = scope.rule.and_then(|rule| role_of(root, rule));
        if let Some((role, events)) = role {
            return self.event_path(&role, &events, &rest, walk, read);
        }
        let id = self.let_id(root)?;
        if read && !walk.template.lets.contains(&id) {
            walk.template.lets.push(id);
        }
        let definition = self.program.lets.get(id.0 as usize)?;
        let ty = definition.value.ty.at(&rest)?;
        let optional = self.may_be_missing(id) || !rest.is_empty();
        Some(Found { ty: Some(ty), optional })
    }

    fn event_path(
        &self,
        role: &EventRole,
        events: &EventSet,
        path: &[Arc<str>],
        walk: &mut Walk<'_>,
        read: bool,
    ) -> Option<Found> {
        let mut note = |names: &mut dyn Iterator<Item = Arc<str>>| {
            if !read {
                return;
            }
            let known = walk.template.events.iter().position(|(other, _)| other == role);
            let position = known.unwrap_or_else(|| {
                walk.template.events.push((role.clone(), Vec::new()));
                walk.template.events.len() - 1
            });
            if let Some((_, list)) = walk.template.events.get_mut(position) {
                for name in names {
                    if !list.contains(&name) {
                        list.push(name);
                    }
                }
            }
        };
        let declared: Vec<_> = match events {
            EventSet::Any => Vec::new(),
            EventSet::Of(ids) => ids.iter().filter_map(|id| self.program.events.get(id.0 as usize)).collect(),
        };
        let Some((name, rest)) = path.split_first() else {
            note(&mut declared.iter().flat_map(|event| &event.fields).map(|field| field.name.clone()));
            return Some(Found { ty: None, optional: false });
        };
        let fields: Vec<_> =
            declared.iter().map(|event| event.fields.iter().find(|field| field.name == *name)).collect();
        if fields.iter().all(Option::is_none) {
            let (_, ty) = words::fixed_field(name).filter(|_| rest.is_empty())?;
            note(&mut iter::once(name.clone()));
            return Some(Found { ty: Some(ty), optional: false });
        }
        let ty = fields.iter().flatten().find_map(|field| field.ty.at(rest))?;
        let optional =
            !rest.is_empty() || fields.iter().any(|field| field.is_none_or(|field| field.optional));
        note(&mut iter::once(name.clone()));
        Some(Found { ty: Some(ty), optional })
    }

    /// Whether a let can be without a value.
    fn may_be_missing(&self, id: LetId) -> bool {
        let Some(definition) = self.program.lets.get(id.0 as usize) else { return true };
        let values = definition.arms.iter().map(|(value, _)| value).chain([&definition.value]);
        values.into_iter().any(|value| self.is_optional(value))
    }

    /// Whether an expression can be without a value.
    fn is_optional(&self, expr: &typed::Expr) -> bool {
        match &expr.kind {
            ExprKind::Literal(value) => !value.is_known(),
            ExprKind::Profile { field, path } => {
                !path.is_empty()
                    || self.program.profile.get(field.0 as usize).is_none_or(|field| field.field.optional)
            }
            ExprKind::Let(id) => self.may_be_missing(*id),
            ExprKind::Count { .. } | ExprKind::LastOf { .. } => false,
            ExprKind::Aggregate { function, .. } => {
                !matches!(function, Aggregate::Sum | Aggregate::DistinctCount)
            }
            ExprKind::Call { function: Function::Coalesce, arguments } => {
                arguments.iter().all(|it| self.is_optional(it))
            }
            ExprKind::Call { arguments, .. } => arguments.iter().any(|it| self.is_optional(it)),
            ExprKind::Arithmetic { operator, left, right } => {
                *operator == Arithmetic::Divide || self.is_optional(left) || self.is_optional(right)
            }
            ExprKind::TimeSince { .. }
            | ExprKind::Consent { .. }
            | ExprKind::Field { path: FieldPath::Property(_), .. } => true,
            _ => false,
        }
    }

    fn unknown(&mut self, path: &[String], expr: &Expr<'_>, walk: &Walk<'_>, scope: Scope<'_>) {
        let refused = scope.rule.is_some_and(|rule| rule.refused);
        if refused && path.first().is_some_and(|root| root != "profile") {
            return;
        }
        let span = expr.span();
        let (start, end) = (span.start_offset as usize, span.end_offset as usize);
        let known = self.template_names(walk, scope);
        let name = path.join(".");
        self.report(templates::unknown_name(
            walk.place.span(start, end),
            &walk.place.words(start),
            &name,
            known.iter().map(String::as_str),
        ));
    }

    /// What a template could name, nearest first.
    fn template_names(&self, walk: &Walk<'_>, scope: Scope<'_>) -> BTreeSet<String> {
        let mut known: BTreeSet<String> = walk.locals.iter().map(|(name, _)| name.clone()).collect();
        known.extend(self.program.profile.iter().map(|field| format!("profile.{}", field.field.name)));
        known.extend(self.program.lets.iter().map(|definition| definition.name.to_string()));
        known.insert("unsubscribe_url".to_owned());
        let Some(rule) = scope.rule else { return known };
        let elements = rule.elements.iter().map(|(name, _, events)| (name.to_string(), events));
        for (root, events) in rule.trigger.iter().map(|events| ("event".to_owned(), events)).chain(elements) {
            let EventSet::Of(ids) = events else { continue };
            let fields = ids
                .iter()
                .filter_map(|id| self.program.events.get(id.0 as usize))
                .flat_map(|event| &event.fields);
            known.extend(fields.map(|field| format!("{root}.{}", field.name)));
        }
        known
    }
}

fn role_of(root: &str, rule: &RuleScope) -> Option<(EventRole, EventSet)> {
    if root == "event" {
        return rule.trigger.clone().map(|events| (EventRole::Trigger, events));
    }
    let (name, number, events) = rule.elements.iter().find(|(name, ..)| **name == *root)?;
    Some((EventRole::Element(*number, name.clone()), events.clone()))
}
