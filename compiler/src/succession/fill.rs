//! How far back the log is read to fill what is new after a change of rules.

use super::{Matched, each_remembered, triggers};
use crate::{
    admission::MAX_SKEW,
    reach::{self, Reach},
    typed::{Anchor, Expr, ExprKind, Occurrence, Pattern, Program, Sequence, Window, visit},
    value::Millis,
};

/// How far back the log must be read to fill all that is new in a program that succeeds another: not at all where nothing is.
/// Where an event means what it does only to who knows what was before it, all of the log is read.
#[must_use]
pub fn to_fill(old: &Program, new: &Program, matched: &Matched) -> Reach {
    let all = Reach { always: true, ..Reach::NONE };
    let is_told_by_all = matched.profile.iter().any(Option::is_none)
        || !matched.new_topics.is_empty()
        || new.sessions && !old.sessions
        || new.active_since == new.generation();
    if is_told_by_all {
        return all;
    }
    let mut reach = Reach::NONE;
    let is_new = |since: u32| since == new.generation();
    each_remembered(new, &mut |expr| {
        if is_new(reach::remembered_since(new, expr)) {
            let own = reach::of_expression(new, expr);
            reach = reach.or(if stands_alone(expr) { own } else { all });
        }
    });
    for sequence in triggers(new).filter(|sequence| is_new(sequence.since)) {
        reach = reach.or(if is_each_alone(sequence) { reach::of_sequence(sequence) } else { all });
    }
    reach
}

/// From when on what was received is read, so that everything lies in it that happened as far back as is asked for at an
/// instant; `None`: all of it.
#[must_use]
pub fn read_from(reach: Reach, now: Millis, settle: i64) -> Option<Millis> {
    if reach.always {
        return None;
    }
    // Nobody's time has come further than this, or is further behind; and nothing is received long before it happens.
    let back = now.saturating_sub(settle).saturating_sub(reach.back);
    Some(reach.since.map_or(back, |since| since.min(back)).saturating_sub(MAX_SKEW + 1))
}

/// Whether an event's part in an expression is known without what was before it.
fn stands_alone(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Did { what: Occurrence::Pattern(pattern), window, .. }
        | ExprKind::Count { pattern, window, .. }
        | ExprKind::Aggregate { pattern, window, .. }
        | ExprKind::LastOf { pattern, window, .. } => {
            let mut is_of_event = true;
            visit::expression(expr, &mut |part| is_of_event &= !asks_of_customer(part));
            let is_plain = matches!(window, Window::Last(_) | Window::Ago { .. } | Window::Since(_));
            is_of_event && is_plain && !asks_of_pattern(pattern)
        }
        // Days are those of the customer's zone then, which events are a match depends on those before them, and the others
        // look at all that there was.
        _ => false,
    }
}

/// Whether each event is a match by itself, unless another follows. With `earliest` it is none where one before it still waits,
/// and whether that does depends on those before it in turn.
fn is_each_alone(sequence: &Sequence) -> bool {
    let patterns = sequence.elements.iter().map(|element| &element.pattern);
    let patterns = patterns.chain(sequence.then_no.iter().map(|(pattern, _)| pattern));
    let is_alone =
        sequence.elements.len() == 1 && sequence.anchor != Anchor::Earliest && !sequence.first_time;
    is_alone && !patterns.into_iter().any(asks_of_pattern)
}

fn asks_of_pattern(pattern: &Pattern) -> bool {
    let mut asks = false;
    if let Some(filter) = &pattern.filter {
        visit::expression(filter, &mut |part| asks |= asks_of_customer(part));
    }
    asks
}

/// Whether a part of a condition on an event asks for what is known of the customer then.
fn asks_of_customer(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Profile { .. }
            | ExprKind::Consent { .. }
            | ExprKind::Let(_)
            | ExprKind::InSegment(_)
            | ExprKind::Call { .. }
    )
}
