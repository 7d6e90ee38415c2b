//! What happens for which event.

use super::PlayedRole;
use crate::{
    plan::{CellId, CellSource, Handler, Node, NodeId, Plan, Touched},
    typed::{EventId, Judged, Program, SegmentId, SequenceId},
};
use std::collections::BTreeSet;

/// Fills the plan's handlers and the sequences' feeds.
pub(super) fn fill(program: &Program, plan: &mut Plan, roles: &[PlayedRole]) {
    for (cell, number) in plan.cells.iter().zip(0..) {
        if let CellSource::Sequence { sequence, .. } = &cell.source
            && let Some(sequence) = plan.sequences.get_mut(sequence.0 as usize)
        {
            sequence.feeds.push(CellId(number));
        }
    }
    let dependences: Vec<Dependences> = plan.levels.iter().map(|node| Dependences::of(plan, *node)).collect();
    let count = u32::try_from(program.events.len()).unwrap_or(u32::MAX);
    plan.handlers = (0..count)
        .zip(&program.events)
        .map(|(number, event)| handler(plan, roles, &dependences, Some(EventId(number)), !event.passive))
        .collect();
    plan.other = handler(plan, roles, &dependences, None, true);
}

fn handler(
    plan: &Plan,
    roles: &[PlayedRole],
    dependences: &[Dependences],
    event: Option<EventId>,
    active: bool,
) -> Handler {
    let concerns = |events: &Option<Vec<EventId>>| match (events, event) {
        (None, _) => true,
        (Some(events), Some(event)) => events.contains(&event),
        (Some(_), None) => false,
    };
    let feeds = |cell: &crate::plan::Cell| match &cell.source {
        CellSource::Events { events, .. } => concerns(events),
        CellSource::Sequence { .. } => false,
    };
    let feeds: Vec<CellId> =
        plan.cells.iter().zip(0..).filter(|(cell, _)| feeds(cell)).map(|(_, n)| CellId(n)).collect();
    let roles: Vec<_> =
        roles.iter().filter(|role| concerns(&role.events)).map(|role| role.role.clone()).collect();
    let moved: BTreeSet<SequenceId> = roles.iter().map(|role| role.sequence).collect();
    let mut cells: BTreeSet<CellId> = feeds.iter().copied().collect();
    for sequence in moved {
        cells
            .extend(plan.sequences.get(sequence.0 as usize).into_iter().flat_map(|sequence| &sequence.feeds));
    }
    let fed: BTreeSet<CellId> = feeds.iter().copied().collect();
    let mut changing: BTreeSet<SegmentId> = BTreeSet::new();
    let mut touched: Vec<Touched> = Vec::new();
    for segment in plan.order.iter().copied() {
        let Some(needs) = dependences.get(segment.0 as usize) else { continue };
        let by_segment = needs.segments.iter().any(|segment| changing.contains(segment));
        let by_activity = active && needs.activity;
        let concerned: Vec<CellId> = needs.cells.intersection(&cells).copied().collect();
        if by_segment || by_activity || !concerned.is_empty() {
            changing.insert(segment);
            let by_cells = !by_segment && !by_activity && concerned.iter().all(|cell| fed.contains(cell));
            touched.push(Touched { segment, fed_by: by_cells.then_some(concerned) });
        }
    }
    Handler { feeds, roles, touched }
}

/// What a condition depends on, besides the profile.
#[derive(Default)]
struct Dependences {
    cells: BTreeSet<CellId>,
    segments: BTreeSet<SegmentId>,
    activity: bool,
}

impl Dependences {
    fn of(plan: &Plan, node: NodeId) -> Self {
        let mut dependences = Self::default();
        let mut seen = BTreeSet::new();
        let mut open = vec![node];
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let node = plan.node(id);
            dependences.cells.extend(node.cell());
            match node {
                Node::InSegment(segment) => {
                    dependences.segments.insert(*segment);
                }
                Node::Held { held, .. } => {
                    dependences.segments.insert(plan.level(Judged::Held(*held)));
                }
                Node::NoActivity(_) => dependences.activity = true,
                _ => {}
            }
            open.extend(node.operands());
        }
        dependences
    }
}
