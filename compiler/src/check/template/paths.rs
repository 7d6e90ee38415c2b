//! Paths in templates.

use super::Found;
use crate::types::Type;
use minijinja::machinery::ast::{BinOpKind, Expr};
use std::sync::Arc;

/// A path into a loop's item; what is not known is taken as it is.
pub(super) fn local(ty: Option<&Type>, path: &[Arc<str>]) -> Option<Found> {
    let (Some(Type::Object(fields)), Some((name, rest))) = (ty, path.split_first()) else {
        return Some(Found { ty: ty.filter(|_| path.is_empty()).cloned(), optional: false });
    };
    let field = fields.iter().find(|field| field.name == *name)?;
    let ty = field.ty.at(rest)?;
    Some(Found { ty: Some(ty), optional: field.optional || !rest.is_empty() })
}

/// Gives a loop's or assignment's names their types.
pub(super) fn bind(target: &Expr<'_>, ty: Option<Type>, locals: &mut Vec<(String, Option<Type>)>) {
    match target {
        Expr::Var(var) => locals.push((var.id.to_owned(), ty)),
        Expr::List(list) => list.items.iter().for_each(|item| bind(item, None, locals)),
        _ => {}
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
        Expr::GetItem(item) => match &item.subscript_expr {
            Expr::Const(constant) => {
                let mut path = path_of(&item.expr)?;
                path.push(constant.value.as_str()?.to_owned());
                Some(path)
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether a chain of filters has a `default`.
pub(super) fn has_default(expr: &Expr<'_>) -> bool {
    match expr {
        Expr::Filter(filter) => {
            matches!(filter.name, "default" | "d") || filter.expr.as_ref().is_some_and(has_default)
        }
        _ => false,
    }
}

/// The paths that are surely there where a condition holds.
pub(super) fn asked_paths(expr: &Expr<'_>) -> Vec<String> {
    if let Some(path) = path_of(expr) {
        return vec![path.join(".")];
    }
    match expr {
        Expr::BinOp(operation) if matches!(operation.op, BinOpKind::ScAnd) => {
            [asked_paths(&operation.left), asked_paths(&operation.right)].concat()
        }
        Expr::Test(test) if matches!(test.name, "defined" | "string" | "number") => asked_paths(&test.expr),
        Expr::Filter(filter) => filter.expr.as_ref().map(asked_paths).unwrap_or_default(),
        _ => Vec::new(),
    }
}
