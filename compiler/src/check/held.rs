//! Conditions that must hold without a break.

use super::{Checker, Scope};
use crate::{
    diagnostics::types,
    typed::{Expr, ExprKind, Held, HeldId},
    types::Type,
};
use segue_grammar::{ast, span::Span};

impl Checker<'_> {
    /// `(CONDITION) for 3 days`.
    pub(super) fn held(
        &mut self,
        condition: &ast::Expr,
        duration: &ast::Duration,
        scope: Scope<'_>,
        span: Span,
    ) -> Option<Expr> {
        if scope.events.is_some() {
            self.report(types::history_in_where(span, self.text(span)));
            return None;
        }
        let duration = self.duration(duration);
        let condition = self.condition(condition, Scope { in_held: true, ..scope })?;
        let held = Held { condition, duration: duration?, since: 0 };
        let known = self.program.held.iter().position(|other| *other == held);
        let position = known.unwrap_or_else(|| {
            self.program.held.push(held.clone());
            self.program.held.len() - 1
        });
        let id = HeldId(u32::try_from(position).ok()?);
        let Held { condition, duration, since: _ } = held;
        let kind = ExprKind::Held { id, condition: Box::new(condition), duration };
        Some(Expr { kind, ty: Type::Boolean, span })
    }
}
