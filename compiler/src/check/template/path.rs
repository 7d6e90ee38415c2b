//! Paths in templates.

use super::Found;
use crate::types::Type;
use minijinja::machinery::ast::{BinOpKind, CompareOpKind, Expr, UnaryOpKind};
use std::{slice, sync::Arc};

/// Filters that give something for something, and nothing for nothing.
const KEEPING: [&str; 8] = ["trim", "lower", "upper", "capitalize", "title", "length", "count", "list"];

impl Found {
    /// A path into what the template itself named; what is not known is taken as it is.
    pub(super) fn local(ty: Option<&Type>, path: &[Arc<str>]) -> Option<Self> {
        let (Some(Type::Object(fields)), Some((name, rest))) = (ty, path.split_first()) else {
            return Some(Self { ty: ty.filter(|_| path.is_empty()).cloned(), optional: false });
        };
        let field = fields.iter().find(|field| field.name == *name)?;
        let ty = field.ty.at(rest)?;
        Some(Self { ty: Some(ty), optional: field.optional || !rest.is_empty() })
    }

    /// A field of a value of some type.
    pub(super) fn within(ty: &Type, name: &str) -> Option<Self> {
        let path = Arc::from(name);
        let optional = match ty {
            Type::Object(fields) => fields.iter().any(|field| *field.name == *name && field.optional),
            _ => false,
        };
        Some(Self { ty: Some(ty.at(slice::from_ref(&path))?), optional })
    }
}

/// `a.b.c` as its parts.
pub(super) fn path_of(expr: &Expr<'_>) -> Option<Vec<String>> {
    match expr {
        Expr::Var(var) => Some(vec![var.id.to_owned()]),
        Expr::GetAttr(attr) => {
            let mut path = path_of(&attr.expr)?;
            path.push(attr.name.to_owned());
            Some(path)
        }
        Expr::GetItem(item) => {
            let name = literal(&item.subscript_expr)?;
            let mut path = path_of(&item.expr)?;
            path.push(name);
            Some(path)
        }
        _ => None,
    }
}

/// A text in quotes.
pub(super) fn literal(expr: &Expr<'_>) -> Option<String> {
    match expr {
        Expr::Const(constant) => constant.value.as_str().map(str::to_owned),
        _ => None,
    }
}

/// The paths that are surely there where a condition holds, or does not.
pub(super) fn proofs(expr: &Expr<'_>, holds: bool) -> Vec<String> {
    let joined = |expr: &Expr<'_>| path_of(expr).map(|path| path.join("."));
    if let Some(path) = joined(expr) {
        return if holds { vec![path] } else { Vec::new() };
    }
    match expr {
        Expr::UnaryOp(it) if matches!(it.op, UnaryOpKind::Not) => proofs(&it.expr, !holds),
        Expr::BinOp(it) => match (it.op, holds) {
            (BinOpKind::ScAnd, true) | (BinOpKind::ScOr, false) => {
                [proofs(&it.left, holds), proofs(&it.right, holds)].concat()
            }
            (BinOpKind::Eq, true) => equal(&it.left, &it.right),
            _ => Vec::new(),
        },
        Expr::Compare(it) => match (it.ops.as_slice(), holds) {
            ([only], true) if matches!(only.op, CompareOpKind::Eq) => equal(&it.expr, &only.expr),
            _ => Vec::new(),
        },
        Expr::Test(it) => {
            let known = match it.name {
                "undefined" => !holds,
                "defined" | "string" | "number" | "integer" | "int" | "float" | "true" => holds,
                _ => false,
            };
            joined(&it.expr).filter(|_| known).into_iter().collect()
        }
        Expr::Filter(it) if holds && KEEPING.contains(&it.name) => {
            it.expr.as_ref().map(|inner| proofs(inner, true)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// What equals something that is there is there itself.
fn equal(left: &Expr<'_>, right: &Expr<'_>) -> Vec<String> {
    let is_there = |expr: &Expr<'_>| matches!(expr, Expr::Const(constant) if constant.value.is_true());
    let path = match (path_of(left), path_of(right)) {
        (Some(path), None) if is_there(right) => Some(path),
        (None, Some(path)) if is_there(left) => Some(path),
        _ => None,
    };
    path.map(|path| path.join(".")).into_iter().collect()
}
