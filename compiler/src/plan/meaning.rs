//! What cells mean, whatever their positions: so that state goes on under another plan.

use super::{Cell, CellKind, CellSource, FIXED_SLOTS, Node, NodeId, Plan};
use crate::typed::{EventId, Program};
use std::{fmt::Write, sync::Arc};

/// What is remembered in a cell, in words that are the same in every plan; nothing of a cell that counts matches of a
/// sequence, whose meaning is the sequence's.
#[must_use]
pub fn cell(program: &Program, plan: &Plan, cell: &Cell) -> Option<String> {
    let CellSource::Events { events, filter, columns, object, since } = &cell.source else { return None };
    let name = |id: &EventId| program.events.get(id.0 as usize).map(|event| format!("{:?}", &*event.name));
    let mut names: Vec<String> = events.iter().flatten().filter_map(name).collect();
    names.sort_unstable();
    let of = Meaning { program, plan, events: events.as_deref().unwrap_or_default() };
    let mut words = format!("{} since {since} of {names:?} {object} where ", kind(&cell.kind));
    of.node(*filter, &mut words);
    for column in columns {
        words.push_str(" and ");
        of.node(*column, &mut words);
    }
    Some(words)
}

/// How something is remembered.
#[must_use]
pub fn kind(kind: &CellKind) -> String {
    match kind {
        CellKind::Counter { word: _ } => "count".to_owned(),
        CellKind::Moment { word: _, first } => format!("moment {first}"),
        CellKind::Total { place: _, class } => format!("total {class:?}"),
        CellKind::Rows { place: _, capacity, columns, stretch, reach, distinct } => {
            format!("{capacity} rows {columns:?} {stretch:?} {reach:?} {distinct}")
        }
        // Days further back than another plan keeps are asked for by nothing that goes on.
        CellKind::Days { place: _, class, reach: _ } => format!("days {class:?}"),
        CellKind::Periods { place: _, unit, reach: _ } => format!("periods {unit:?}"),
    }
}

struct Meaning<'p> {
    program: &'p Program,
    plan: &'p Plan,
    /// The events that are looked at; none where any are.
    events: &'p [EventId],
}

impl Meaning<'_> {
    fn node(&self, id: NodeId, to: &mut String) {
        let node = self.plan.node(id);
        match node {
            Node::Slot { frame: _, slot, class } => {
                let _ = write!(to, "{}: {class:?}", self.slot(*slot));
                return;
            }
            Node::Text(id) => {
                let _ = write!(to, "{:?}", self.plan.texts.get(id.0 as usize));
                return;
            }
            Node::Matches(_, pattern) => {
                let _ = write!(to, "matches {:?}", self.plan.patterns.get(*pattern as usize));
            }
            Node::Arithmetic { operation, .. } => {
                let _ = write!(to, "{operation:?}");
            }
            Node::Call { function, class, of_event, .. } => {
                let _ = write!(to, "{function:?} {class:?} {of_event}");
            }
            Node::Choose { class, .. } | Node::ListContains { class, .. } => {
                let _ = write!(to, "{} {class:?}", name(node));
            }
            Node::AtLeast(count, _) => {
                let _ = write!(to, "at least {count}");
            }
            Node::Compare(order, ..) => {
                let _ = write!(to, "{order:?}");
            }
            Node::TextTest(test, ..) => {
                let _ = write!(to, "{test:?}");
            }
            Node::Word(_) | Node::Constant(_) => {
                let _ = write!(to, "{node:?}");
            }
            _ => to.push_str(name(node)),
        }
        to.push('(');
        for operand in node.operands() {
            self.node(operand, to);
            to.push(',');
        }
        to.push(')');
    }

    /// The name of a slot in a frame.
    fn slot(&self, slot: u32) -> String {
        if slot < FIXED_SLOTS {
            return slot.to_string();
        }
        let named = |event: &EventId| {
            slots(self.program, self.plan, *event).into_iter().find(|(_, other)| *other == slot)
        };
        self.events.iter().find_map(named).map(|(path, _)| path.join(".")).unwrap_or_default()
    }
}

/// The slots of an event's frame by what they hold: a field and the path into it.
#[must_use]
pub fn slots(program: &Program, plan: &Plan, event: EventId) -> Vec<(Vec<Arc<str>>, u32)> {
    let place = event.0 as usize;
    let (Some(declared), Some(layout)) = (program.events.get(place), plan.layouts.get(place)) else {
        return Vec::new();
    };
    let fields =
        layout.fields.iter().filter_map(|used| Some((used, declared.fields.get(used.field as usize)?)));
    let slots = fields.flat_map(|(used, field)| {
        let path = |path: &[Arc<str>]| [field.name.clone()].into_iter().chain(path.iter().cloned()).collect();
        used.slots.iter().map(move |it| (path(&it.path), it.slot)).collect::<Vec<_>>()
    });
    slots.collect()
}

/// The name of a kind of node.
fn name(node: &Node) -> &'static str {
    match node {
        Node::Missing => "missing",
        Node::Choose { .. } => "choose",
        Node::Coalesce(..) => "coalesce",
        Node::FromCondition(_) => "value",
        Node::LocalDay(_) => "day",
        Node::Truth(_) => "truth",
        Node::Not(_) => "not",
        Node::And(_) => "and",
        Node::Or(_) => "or",
        Node::SameText(..) => "same text",
        Node::SameValue(..) => "same value",
        Node::ListContains { .. } => "contains",
        Node::IsKnown(_) => "known",
        // What looks at more than an event is part of no cell.
        _ => "",
    }
}
