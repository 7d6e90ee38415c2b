//! What would leave a gap in a message.

use super::{
    Checker, Found, Scope, Walk,
    filter::is_default,
    path::{path_of, proofs},
};
use crate::diagnostics::templates;
use minijinja::machinery::ast::{BinOp, BinOpKind, CallArg, Expr, UnaryOpKind};
use segue_grammar::span::Span;

/// A path that may be missing, with its place.
pub(super) struct Gap {
    path: String,
    span: Span,
    place: String,
}

impl Checker<'_> {
    /// An expression whose value is printed: it must be there.
    pub(super) fn printed(&mut self, expr: &Expr<'_>, walk: &mut Walk<'_>, scope: Scope<'_>) {
        self.asked(expr, walk, scope);
        for gap in self.gaps(expr, walk, scope) {
            self.report(templates::optional(gap.span, &gap.place, &gap.path));
        }
    }

    /// What may be missing in the value of an expression.
    pub(super) fn gaps(&mut self, expr: &Expr<'_>, walk: &mut Walk<'_>, scope: Scope<'_>) -> Vec<Gap> {
        if let Some(path) = path_of(expr) {
            let words = path.join(".");
            if walk.guarded.contains(&words) {
                return Vec::new();
            }
            return match self.lookup(&path, walk, scope, false) {
                Some(Found { optional: true, .. }) => vec![Gap::of(words, expr, walk)],
                _ => Vec::new(),
            };
        }
        match expr {
            Expr::Filter(it) if is_default(it.name) => {
                let other = it.args.iter().find_map(|argument| match argument {
                    CallArg::Pos(other) => Some(other),
                    CallArg::Kwarg(..) | CallArg::PosSplat(_) | CallArg::KwargSplat(_) => None,
                });
                // What is put together of something missing is not missing itself.
                let made = it.expr.as_ref().map(unfiltered).filter(|inner| matches!(inner, Expr::BinOp(_)));
                let parts = [made, other].into_iter().flatten();
                parts.flat_map(|part| self.gaps(part, walk, scope)).collect()
            }
            Expr::Filter(it) => {
                it.expr.as_ref().map(|inner| self.gaps(inner, walk, scope)).unwrap_or_default()
            }
            Expr::BinOp(it) => self.gaps_of_operation(it, walk, scope),
            Expr::UnaryOp(it) => match it.op {
                UnaryOpKind::Neg => self.gaps(&it.expr, walk, scope),
                UnaryOpKind::Not => Vec::new(),
            },
            Expr::IfExpr(it) => {
                let mut gaps = self.gaps_if(&it.test_expr, true, &it.true_expr, walk, scope);
                if let Some(other) = &it.false_expr {
                    gaps.extend(self.gaps_if(&it.test_expr, false, other, walk, scope));
                }
                gaps
            }
            Expr::GetAttr(it) => {
                let mut gaps = self.gaps(&it.expr, walk, scope);
                let of = self.asked(&it.expr, walk, scope);
                if let Some(Found { optional: true, .. }) = of.and_then(|of| Found::within(&of, it.name)) {
                    gaps.push(Gap::of(it.name.to_owned(), expr, walk));
                }
                gaps
            }
            Expr::GetItem(it) => self.gaps(&it.expr, walk, scope),
            Expr::Slice(it) => self.gaps(&it.expr, walk, scope),
            Expr::Var(_)
            | Expr::Const(_)
            | Expr::Compare(_)
            | Expr::Test(_)
            | Expr::Call(_)
            | Expr::List(_)
            | Expr::Tuple(_)
            | Expr::Map(_) => Vec::new(),
        }
    }

    fn gaps_of_operation(&mut self, it: &BinOp<'_>, walk: &mut Walk<'_>, scope: Scope<'_>) -> Vec<Gap> {
        match it.op {
            BinOpKind::ScAnd => {
                let mut gaps = self.gaps(&it.left, walk, scope);
                gaps.extend(self.gaps_if(&it.left, true, &it.right, walk, scope));
                gaps
            }
            // The right side stands in for the left one.
            BinOpKind::ScOr => self.gaps_if(&it.left, false, &it.right, walk, scope),
            BinOpKind::Add
            | BinOpKind::Sub
            | BinOpKind::Mul
            | BinOpKind::Div
            | BinOpKind::FloorDiv
            | BinOpKind::Rem
            | BinOpKind::Pow
            | BinOpKind::Concat => {
                let mut gaps = self.gaps(&it.left, walk, scope);
                gaps.extend(self.gaps(&it.right, walk, scope));
                gaps
            }
            BinOpKind::Eq
            | BinOpKind::Ne
            | BinOpKind::Lt
            | BinOpKind::Lte
            | BinOpKind::Gt
            | BinOpKind::Gte
            | BinOpKind::In => Vec::new(),
        }
    }

    /// What may be missing where a condition holds, or does not.
    fn gaps_if(
        &mut self,
        condition: &Expr<'_>,
        holds: bool,
        expr: &Expr<'_>,
        walk: &mut Walk<'_>,
        scope: Scope<'_>,
    ) -> Vec<Gap> {
        let guarded = walk.guarded.len();
        walk.guarded.extend(proofs(condition, holds));
        let gaps = self.gaps(expr, walk, scope);
        walk.guarded.truncate(guarded);
        gaps
    }
}

impl Gap {
    fn of(path: String, expr: &Expr<'_>, walk: &Walk<'_>) -> Self {
        let (span, place) = walk.at(expr);
        Self { path, span, place }
    }
}

/// What stands before all filters.
fn unfiltered<'e, 't>(expr: &'e Expr<'t>) -> &'e Expr<'t> {
    match expr {
        Expr::Filter(filter) => filter.expr.as_ref().map_or(expr, unfiltered),
        _ => expr,
    }
}
