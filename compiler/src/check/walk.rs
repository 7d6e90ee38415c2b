//! Visits expressions of the syntax tree.

use segue_grammar::ast::{Expr, ExprKind, Literal, Pattern, Sequence, Window, WindowKind};

/// Visits an expression and all within it, outer ones first.
pub(super) fn walk(expr: &Expr, visit: &mut dyn FnMut(&Expr)) {
    visit(expr);
    let mut each = |list: &[Expr]| list.iter().for_each(|it| walk(it, visit));
    match &expr.kind {
        ExprKind::Literal(Literal::List(items)) => each(items),
        ExprKind::Literal(_)
        | ExprKind::Path(_)
        | ExprKind::NoActivity(_)
        | ExprKind::KnownFor(_)
        | ExprKind::InSegment { .. } => {}
        ExprKind::Call { arguments, .. } => each(arguments),
        ExprKind::Arithmetic { left, right, .. } | ExprKind::Compare { left, right, .. } => {
            walk(left, visit);
            walk(right, visit);
        }
        ExprKind::Between { value, low, high } => {
            [value, low, high].into_iter().for_each(|it| walk(it, visit))
        }
        ExprKind::In { value, choices, .. } => {
            walk(value, visit);
            choices.iter().for_each(|it| walk(it, visit));
        }
        ExprKind::TextTest { value, operand, .. } => {
            walk(value, visit);
            walk(operand, visit);
        }
        ExprKind::IsKnown { value, .. } | ExprKind::Not(value) | ExprKind::Held { condition: value, .. } => {
            walk(value, visit)
        }
        ExprKind::And(list) | ExprKind::Or(list) | ExprKind::AtLeastOf { conditions: list, .. } => each(list),
        ExprKind::Did { sequence: it, window: over, .. } => {
            sequence(it, visit);
            window(over.as_ref(), visit);
        }
        ExprKind::Count { pattern: it, window: over }
        | ExprKind::LastOf { pattern: it, window: over, .. } => {
            pattern(it, visit);
            window(over.as_ref(), visit);
        }
        ExprKind::Aggregate { value, pattern: it, window: over, .. } => {
            walk(value, visit);
            pattern(it, visit);
            window(over.as_ref(), visit);
        }
        ExprKind::Regularly { pattern: it, .. }
        | ExprKind::TimeSince { pattern: it, .. }
        | ExprKind::Streak { pattern: it, .. } => pattern(it, visit),
    }
}

fn pattern(pattern: &Pattern, visit: &mut dyn FnMut(&Expr)) {
    if let Some(filter) = &pattern.filter {
        walk(filter, visit);
    }
}

fn sequence(sequence: &Sequence, visit: &mut dyn FnMut(&Expr)) {
    for element in sequence.elements.iter().chain(&sequence.then_no) {
        pattern(&element.pattern, visit);
    }
}

fn window(window: Option<&Window>, visit: &mut dyn FnMut(&Expr)) {
    if let Some(Window { kind: WindowKind::Since(since), .. }) = window {
        walk(since, visit);
    }
}
