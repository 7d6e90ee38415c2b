//! Statements of templates.

use super::{Checker, Local, Scope, Walk, path::proofs};
use crate::{diagnostics::templates, types::Type};
use minijinja::machinery::ast::{Expr, Stmt};

impl Checker<'_> {
    fn statements(&mut self, list: &[Stmt<'_>], walk: &mut Walk<'_>, scope: Scope<'_>) {
        list.iter().for_each(|it| self.statement(it, walk, scope));
    }

    pub(super) fn statement(&mut self, statement: &Stmt<'_>, walk: &mut Walk<'_>, scope: Scope<'_>) {
        match statement {
            Stmt::Template(it) => self.statements(&it.children, walk, scope),
            Stmt::EmitRaw(_) => {}
            Stmt::EmitExpr(it) => self.printed(&it.expr, walk, scope),
            Stmt::IfCond(it) => {
                self.asked(&it.expr, walk, scope);
                let if_so = self.branch(&it.expr, true, &it.true_body, walk, scope);
                let if_not = self.branch(&it.expr, false, &it.false_body, walk, scope);
                walk.join(if_so, if_not);
            }
            Stmt::ForLoop(it) => {
                let item = match self.asked(&it.iter, walk, scope) {
                    Some(Type::List(item)) => Some(*item),
                    _ => None,
                };
                let locals = walk.locals.len();
                walk.locals.push(Local { name: "loop".to_owned(), ty: None, optional: false });
                walk.bind(&it.target, item, false);
                if let Some(filter) = &it.filter_expr {
                    self.asked(filter, walk, scope);
                }
                self.statements(&it.body, walk, scope);
                walk.locals.truncate(locals);
                self.statements(&it.else_body, walk, scope);
            }
            Stmt::Set(it) => self.assignment(&it.target, &it.expr, walk, scope),
            Stmt::SetBlock(it) => {
                self.statements(&it.body, walk, scope);
                if let Some(filter) = &it.filter {
                    self.asked(filter, walk, scope);
                }
                walk.bind(&it.target, Some(Type::Text), false);
            }
            Stmt::WithBlock(it) => {
                let locals = walk.locals.len();
                for (target, value) in &it.assignments {
                    self.assignment(target, value, walk, scope);
                }
                self.statements(&it.body, walk, scope);
                walk.locals.truncate(locals);
            }
            Stmt::AutoEscape(it) => {
                self.asked(&it.enabled, walk, scope);
                self.statements(&it.body, walk, scope);
            }
            Stmt::FilterBlock(it) => {
                self.statements(&it.body, walk, scope);
                self.asked(&it.filter, walk, scope);
            }
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

    fn assignment(&mut self, target: &Expr<'_>, value: &Expr<'_>, walk: &mut Walk<'_>, scope: Scope<'_>) {
        let ty = self.asked(value, walk, scope);
        let optional = !self.gaps(value, walk, scope).is_empty();
        walk.bind(target, ty, optional);
    }

    /// The names that one branch of an `if` gives.
    fn branch(
        &mut self,
        condition: &Expr<'_>,
        holds: bool,
        body: &[Stmt<'_>],
        walk: &mut Walk<'_>,
        scope: Scope<'_>,
    ) -> Vec<Local> {
        let (locals, guarded) = (walk.locals.len(), walk.guarded.clone());
        walk.guarded.extend(proofs(condition, holds));
        self.statements(body, walk, scope);
        walk.guarded = guarded;
        walk.locals.split_off(locals)
    }
}

impl Walk<'_> {
    /// After an `if`, names are what either branch made of them; one that only one branch gives may be missing.
    fn join(&mut self, if_so: Vec<Local>, if_not: Vec<Local>) {
        let mut names: Vec<&str> = if_so.iter().chain(&if_not).map(|local| local.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let mut joined = Vec::new();
        for name in names {
            let last = |branch: &[Local]| {
                let own = branch.iter().rev().find(|local| local.name == name);
                own.or_else(|| self.local(name)).cloned()
            };
            let (one, other) = (last(&if_so), last(&if_not));
            let optional = [&one, &other].into_iter().any(|it| it.as_ref().is_none_or(|it| it.optional));
            let ty = one.as_ref().or(other.as_ref()).and_then(|local| local.ty.clone());
            let agree = [&one, &other].into_iter().flatten().all(|local| local.ty == ty);
            joined.push(Local { name: name.to_owned(), ty: ty.filter(|_| agree), optional });
        }
        self.locals.extend(joined);
    }
}
