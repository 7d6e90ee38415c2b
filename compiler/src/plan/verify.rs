//! What every plan fulfils.

use super::{CellKind, CellSource, Node, NodeId, Plan};

/// Says what is wrong with a plan; empty for every plan that lowering makes.
#[must_use]
pub fn verify(plan: &Plan) -> Vec<String> {
    let mut faults = Vec::new();
    for (node, number) in plan.nodes.iter().zip(0_u32..) {
        for operand in node.operands() {
            if operand.0 >= number {
                faults.push(format!("node {number} uses node {} that does not stand before it", operand.0));
            }
        }
        if let Some(cell) = node.cell()
            && plan.cell(cell).is_none()
        {
            faults.push(format!("node {number} reads cell {} that does not exist", cell.0));
        }
        conditions_where_conditions(plan, node, number, &mut faults);
    }
    for (cell, number) in plan.cells.iter().zip(0_u32..) {
        let (place, end) = match cell.kind {
            CellKind::Counter { word } | CellKind::Moment { word, .. } => (word, plan.record.profile_words),
            CellKind::Total { place, .. } => (place, plan.record.totals),
            CellKind::Rows { place, .. } => (place, plan.record.rings),
            CellKind::Days { place, .. } => (place, plan.record.days),
            CellKind::Periods { place, .. } => (place, plan.record.periods),
        };
        if place >= end {
            faults.push(format!("cell {number} lies outside the record"));
        }
        if let CellSource::Events { filter, .. } = &cell.source
            && !plan.node(*filter).is_condition()
        {
            faults.push(format!("the filter of cell {number} is no condition"));
        }
    }
    let asked = plan.levels.iter().chain(&plan.conditions).chain(&plan.watched);
    faults.extend(
        asked
            .filter(|node| !plan.node(**node).is_condition())
            .map(|node| format!("node {} is asked but is no condition", node.0)),
    );
    faults
}

fn conditions_where_conditions(plan: &Plan, node: &Node, number: u32, faults: &mut Vec<String>) {
    let mut demand = |id: &NodeId, condition: bool| {
        if plan.node(*id).is_condition() != condition {
            let wanted = if condition { "a condition" } else { "a value" };
            faults.push(format!("node {number} needs {wanted}, node {} is none", id.0));
        }
    };
    match node {
        Node::Not(inner) | Node::FromCondition(inner) => demand(inner, true),
        Node::And(list) | Node::Or(list) | Node::AtLeast(_, list) => {
            list.iter().for_each(|id| demand(id, true))
        }
        Node::Query { filter: Some(filter), .. } => demand(filter, true),
        Node::Choose { arms, otherwise, class: _ } => {
            for (condition, value) in arms {
                demand(condition, true);
                demand(value, false);
            }
            demand(otherwise, false);
        }
        _ => node.operands().iter().for_each(|id| demand(id, false)),
    }
}
