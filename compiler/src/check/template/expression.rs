//! Expressions of templates: every name in them.

use super::{
    Checker, Found, Scope, Walk,
    path::{literal, path_of},
};
use crate::{diagnostics::templates, types::Type};
use minijinja::machinery::ast::{CallArg, Expr, GetItem};

/// What templates can call.
const FUNCTIONS: [&str; 3] = ["range", "dict", "namespace"];

impl Checker<'_> {
    /// Checks every name of an expression; gives its type where that is known.
    pub(super) fn asked(&mut self, expr: &Expr<'_>, walk: &mut Walk<'_>, scope: Scope<'_>) -> Option<Type> {
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
                self.arguments(&it.args, walk, scope);
                self.filter(it, inner, expr, walk)
            }
            Expr::Test(it) => {
                self.asked(&it.expr, walk, scope);
                self.arguments(&it.args, walk, scope);
                self.known_test(it.name, expr, walk);
                Some(Type::Boolean)
            }
            Expr::GetAttr(it) => {
                let of = self.asked(&it.expr, walk, scope);
                self.attribute(of?, it.name, expr, walk)
            }
            Expr::GetItem(it) => self.item(it, expr, walk, scope),
            Expr::Slice(it) => {
                self.all([&it.start, &it.stop, &it.step].into_iter().flatten(), walk, scope);
                self.asked(&it.expr, walk, scope)
            }
            Expr::UnaryOp(it) => self.all([&it.expr], walk, scope),
            Expr::BinOp(it) => {
                let left = self.asked(&it.left, walk, scope);
                let right = self.asked(&it.right, walk, scope);
                left.filter(|left| Some(left) == right.as_ref())
            }
            Expr::Compare(it) => {
                self.asked(&it.expr, walk, scope);
                self.all(it.ops.iter().map(|operand| &operand.expr), walk, scope)
            }
            Expr::IfExpr(it) => {
                self.asked(&it.test_expr, walk, scope);
                let if_so = self.asked(&it.true_expr, walk, scope);
                let if_not = it.false_expr.as_ref().and_then(|other| self.asked(other, walk, scope));
                if_so.filter(|if_so| it.false_expr.is_none() || Some(if_so) == if_not.as_ref())
            }
            Expr::Call(it) => {
                self.called(&it.expr, walk, scope);
                self.arguments(&it.args, walk, scope);
                None
            }
            Expr::List(it) => self.all(&it.items, walk, scope),
            Expr::Tuple(it) => self.all(&it.items, walk, scope),
            Expr::Map(it) => self.all(it.keys.iter().chain(&it.values), walk, scope),
            Expr::Var(_) | Expr::Const(_) => None,
        }
    }

    /// Parts of something whose own type is not known.
    fn all<'e, 't: 'e>(
        &mut self,
        parts: impl IntoIterator<Item = &'e Expr<'t>>,
        walk: &mut Walk<'_>,
        scope: Scope<'_>,
    ) -> Option<Type> {
        for part in parts {
            self.asked(part, walk, scope);
        }
        None
    }

    fn item(
        &mut self,
        item: &GetItem<'_>,
        expr: &Expr<'_>,
        walk: &mut Walk<'_>,
        scope: Scope<'_>,
    ) -> Option<Type> {
        self.asked(&item.subscript_expr, walk, scope);
        let of = self.asked(&item.expr, walk, scope)?;
        match (literal(&item.subscript_expr), of) {
            (Some(name), of) => self.attribute(of, &name, expr, walk),
            (None, Type::List(item)) => Some(*item),
            (None, _) => None,
        }
    }

    fn called(&mut self, function: &Expr<'_>, walk: &mut Walk<'_>, scope: Scope<'_>) {
        let Some(path) = path_of(function) else {
            self.asked(function, walk, scope);
            return;
        };
        let is_known = match path.as_slice() {
            [name] => FUNCTIONS.contains(&name.as_str()) || name == "loop",
            [first, ..] => first == "loop",
            [] => true,
        };
        if !is_known {
            let (span, place) = walk.at(function);
            self.report(templates::unknown_filter(span, &place, "function", &path.join("."), FUNCTIONS));
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

    /// A field of what an index or a filter gives.
    pub(super) fn attribute(
        &mut self,
        of: Type,
        name: &str,
        expr: &Expr<'_>,
        walk: &Walk<'_>,
    ) -> Option<Type> {
        if let Some(found) = Found::within(&of, name) {
            return found.ty;
        }
        let fields = match &of {
            Type::Object(fields) => fields.as_slice(),
            Type::List(item) => match &**item {
                Type::Object(fields) => fields.as_slice(),
                _ => &[],
            },
            _ => &[],
        };
        let (span, place) = walk.at(expr);
        let known = fields.iter().map(|field| &*field.name);
        self.report(templates::unknown_name(span, &place, name, known));
        None
    }
}
