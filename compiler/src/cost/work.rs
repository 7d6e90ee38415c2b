//! How much is done for an event.

use super::{Declaration, Uses};
use crate::{
    limits::EXACT_EVENTS,
    plan::{CellKind, CellSource, Handler, Node, NodeId, Plan},
    typed::{HeldId, Program, Trigger},
};
use std::collections::BTreeSet;

/// Work for events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// For how many kinds of events there is any; those that are not declared are one kind.
    pub events: u64,
    /// The most operations for one event. A row that is looked at is one.
    pub most: u64,
}

/// Everything that some nodes use, themselves included.
pub(super) fn reachable(plan: &Plan, roots: &[NodeId]) -> BTreeSet<NodeId> {
    let mut seen = BTreeSet::new();
    let mut open = roots.to_vec();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(plan.node(id).operands());
            if let Node::Held { held, .. } = plan.node(id) {
                open.extend(level(plan, *held));
            }
        }
    }
    seen
}

/// The condition that must hold without a break.
fn level(plan: &Plan, held: HeldId) -> Option<NodeId> {
    plan.levels.get((plan.segments + held.0) as usize).copied()
}

/// The work of a declaration.
pub(super) fn work(program: &Program, plan: &Plan, declaration: &Declaration, uses: &Uses) -> Work {
    let needs = uses.needs(plan);
    let asked = operations(plan, &uses.nodes);
    let triggered_by_segment = |handler: &Handler| match declaration {
        Declaration::Rule(place) => program.rules.get(*place).is_some_and(|rule| match rule.trigger {
            Trigger::Enters(id) | Trigger::Leaves(id) => handler.touched.iter().any(|it| it.segment == id),
            Trigger::Sequence(_) | Trigger::Schedule(_) | Trigger::Former { .. } => false,
        }),
        Declaration::Segment(_) | Declaration::Let(_) => false,
    };
    let of_handler = |handler: &Handler| {
        let cells = handler.feeds.iter().filter(|cell| needs.cells.contains(cell));
        let fed: u64 = cells.map(|cell| plan.cell(*cell).map_or(0, |cell| feed(plan, &cell.source))).sum();
        let roles = handler.roles.iter().filter(|role| needs.sequences.contains(&role.sequence));
        let moved: u64 = roles.map(|role| 1 + operations(plan, &[role.filter])).sum();
        let evaluates = match declaration {
            Declaration::Segment(place) => handler.touched.iter().any(|it| it.segment.0 as usize == *place),
            Declaration::Let(_) => false,
            Declaration::Rule(_) => {
                triggered_by_segment(handler)
                    || handler.roles.iter().any(|role| Some(role.sequence) == uses.sequence)
            }
        };
        fed.saturating_add(moved).saturating_add(if evaluates { asked.max(1) } else { 0 })
    };
    let all: Vec<u64> = plan.handlers.iter().chain([&plan.other]).map(of_handler).collect();
    Work {
        events: all.iter().filter(|work| **work > 0).count() as u64,
        most: all.into_iter().max().unwrap_or(0),
    }
}

/// Deciding whether an event feeds a cell, and doing it.
fn feed(plan: &Plan, source: &CellSource) -> u64 {
    match source {
        CellSource::Events { filter, columns, .. } => {
            let roots: Vec<NodeId> = columns.iter().copied().chain([*filter]).collect();
            operations(plan, &roots).saturating_add(1)
        }
        CellSource::Sequence { .. } => 1,
    }
}

/// The operations of conditions and values: equal ones are done once.
fn operations(plan: &Plan, roots: &[NodeId]) -> u64 {
    let weights = reachable(plan, roots).into_iter().map(|id| match plan.node(id) {
        Node::Constant(_) => 0,
        Node::Query { cell, filter, .. } => {
            let of_row = filter.map_or(1, |filter| reachable(plan, &[filter]).len() as u64);
            rows(plan, *cell).saturating_mul(of_row)
        }
        Node::Window { cell, .. } | Node::Days { cell, .. } | Node::Habit(cell, _) => rows(plan, *cell),
        _ => 1,
    });
    weights.fold(0, u64::saturating_add)
}

/// How many rows of a cell may be looked at.
fn rows(plan: &Plan, cell: crate::plan::CellId) -> u64 {
    match plan.cell(cell).map(|cell| &cell.kind) {
        Some(CellKind::Rows { capacity, stretch, .. }) => {
            u64::from(*capacity) + if stretch.is_some() { EXACT_EVENTS as u64 } else { 0 }
        }
        Some(CellKind::Days { reach, .. } | CellKind::Periods { reach, .. }) => {
            u64::try_from(*reach).unwrap_or(0)
        }
        Some(CellKind::Counter { .. } | CellKind::Moment { .. } | CellKind::Total { .. }) | None => 1,
    }
}
