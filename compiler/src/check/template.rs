//! Templates: every name that one uses must exist, and what may be missing must say what stands there then.

mod expression;
mod filter;
mod gap;
mod name;
mod ours;
mod path;
mod statement;

use super::{Checker, Scope, words};
use crate::{
    diagnostics::{limits, names, templates, types},
    limits::MAX_TEMPLATE_BYTES,
    typed::{ContentValue, Template, TemplateId},
    types::Type,
};
use minijinja::machinery::{ast::Expr, parse};
use segue_grammar::{ast, span::Span};
use std::sync::Arc;

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

/// A name that the template itself gives: of a loop, `set` or `with`.
#[derive(Clone)]
struct Local {
    name: String,
    /// What it is, when that is known.
    ty: Option<Type>,
    /// Whether it may be without a value.
    optional: bool,
}

/// What was read so far, and what is known where the walk stands.
struct Walk<'w> {
    place: Place<'w>,
    template: Template,
    locals: Vec<Local>,
    /// Paths that an `if` around has asked for.
    guarded: Vec<String>,
}

impl Walk<'_> {
    /// Where an expression stands, and that in words for files.
    fn at(&self, expr: &Expr<'_>) -> (Span, String) {
        let span = expr.span();
        let (start, end) = (span.start_offset as usize, span.end_offset as usize);
        (self.place.span(start, end), self.place.words(start))
    }

    /// The name that the template gave last.
    fn local(&self, name: &str) -> Option<&Local> {
        self.locals.iter().rev().find(|local| local.name == name)
    }

    /// Gives a loop's or assignment's names their types.
    fn bind(&mut self, target: &Expr<'_>, ty: Option<Type>, optional: bool) {
        match target {
            Expr::Var(var) => {
                let within = format!("{}.", var.id);
                self.guarded.retain(|path| path != var.id && !path.starts_with(&within));
                self.locals.push(Local { name: var.id.to_owned(), ty, optional });
            }
            Expr::List(list) => list.items.iter().for_each(|item| self.bind(item, None, false)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.bind(item, None, false)),
            _ => {}
        }
    }
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
        let by = self.expr(by, scope);
        if let Some(by) = by.as_ref().filter(|by| by.ty != Type::Text) {
            self.report(types::variant_not_text(by.span, &by.ty));
        }
        // The variant stands before the extension, where there is one.
        let name = file.name.text.as_str();
        let last = name.rfind('/').map_or(0, |slash| slash + 1);
        let dot = name.rfind('.').filter(|dot| *dot > last).unwrap_or(name.len());
        let (stem, extension) = name.split_at(dot);
        let path = |variant: &str| format!("{stem}.{variant}{extension}");
        let fallback = self.template_file(&path(&otherwise.text), otherwise.span, html, scope);
        let prefix = format!("{stem}.");
        let variants: Vec<String> = self
            .project
            .files
            .keys()
            .filter_map(|path| path.strip_prefix(&prefix)?.strip_suffix(extension))
            .filter(|variant| !variant.is_empty() && !variant.contains(['.', '/']))
            .map(str::to_owned)
            .collect();
        let mut checked = Vec::new();
        for variant in variants {
            let template = self.template_file(&path(&variant), file.name.span, html, scope);
            checked.push(template.map(|template| (Arc::from(variant.as_str()), template)));
        }
        let variants = checked.into_iter().collect::<Option<_>>()?;
        let by = by.filter(|by| by.ty == Type::Text)?;
        Some(ContentValue::Variant { by, variants, otherwise: fallback? })
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
        for (start, end, name) in other_signs(text) {
            let words = walk.place.words(start);
            let written = text.get(start..end).unwrap_or_default();
            self.report(templates::other_signs(walk.place.span(start, end), &words, written, &name));
        }
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
}

/// `{profile.first_name}` and `${profile.first_name}`: where they stand, and the name in them. Only what means something here
/// is looked for: a text may have braces of its own.
fn other_signs(text: &str) -> Vec<(usize, usize, String)> {
    let mut found = Vec::new();
    for (open, _) in text.match_indices('{') {
        let before = text.get(..open).unwrap_or_default();
        let inner = text.get(open + 1..).unwrap_or_default();
        let Some(close) = inner.find('}') else { break };
        let after = inner.get(close + 1..).unwrap_or_default();
        let name = inner.get(..close).unwrap_or_default().trim();
        let is_path = name.chars().all(|it| it.is_alphanumeric() || it == '_' || it == '.');
        let is_ours = ["profile.", "event.", "answer."].iter().any(|root| name.starts_with(root));
        if is_path && is_ours && !before.ends_with('{') && !after.starts_with('}') {
            let start = if before.ends_with('$') { open - 1 } else { open };
            found.push((start, open + close + 2, name.to_owned()));
        }
    }
    found
}
