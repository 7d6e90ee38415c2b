//! Named values and segments.

use super::{Checker, Scope, empty, resolve::Names};
use crate::{
    diagnostics::{limits, names, rules},
    limits::MAX_EXPRESSION_SIZE,
    typed::{Expr, ExprKind, Let, LetId, Segment, SegmentId, visit},
    types::Type,
    value::Value,
};
use segue_grammar::ast;
use std::sync::Arc;

impl Checker<'_> {
    /// Lets and segments, each after those that it uses.
    pub(super) fn lets_and_segments(&mut self, names: &Names<'_>) {
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
                condition.iter().for_each(|condition| self.judge_if(condition));
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
        self.empty.push(empty::levels(&condition, &self.program, &self.empty, &self.project.time_zone));
        self.segments.push(segment.name.text.clone());
        self.program.segments.push(Segment {
            name: Arc::from(segment.name.text.as_str()),
            title: segment.title.as_ref().map(|title| Arc::from(title.text.as_str())),
            condition,
        });
    }

    pub(super) fn let_id(&self, name: &str) -> Option<LetId> {
        let position = self.program.lets.iter().position(|definition| *definition.name == *name)?;
        u32::try_from(position).ok().map(LetId)
    }

    pub(super) fn is_refused_let(&self, name: &str) -> bool {
        self.refused_lets.contains(name)
    }

    pub(super) fn segment(&mut self, name: &ast::Name) -> Option<SegmentId> {
        let position = self.segments.iter().position(|other| *other == name.text);
        if position.is_none() && !self.refused_lets.contains(&name.text) {
            let known = self.segments.iter().map(String::as_str);
            self.report(names::unknown_segment(name.span, &name.text, known));
        }
        u32::try_from(position?).ok().map(SegmentId)
    }
}
