//! What an event adds to state: cells and roles in sequences.

use super::{
    dispatch::Dispatch,
    function::{Function, Pair},
};
use crate::{
    abi::HostFunction,
    plan::{CellId, CellKind, CellSource, Class, FrameRef, Node, NodeId, Role, Touched},
    typed::SegmentId,
};
use cranelift_codegen::ir::{InstBuilder, Value, types::I64};
use cranelift_module::Module;
use std::collections::HashMap;

impl<M: Module> Function<'_, M> {
    /// Feeds the cells whose filter the event fulfils; cells with one filter together. Gives, for those that every event
    /// comes past, whether they were fed.
    pub(super) fn feeds(&mut self, cells: &[CellId]) -> HashMap<CellId, Value> {
        let mut fed = HashMap::new();
        let Dispatch { plain, keyed } = self.dispatch(self.feeders(cells), |feeder| vec![feeder.filter]);
        let roots: Vec<NodeId> = plain.iter().map(|feeder| feeder.filter).collect();
        let uses = self.uses(&roots);
        for Feeder { filter, cells } in plain {
            if matches!(self.plan_node(filter), Node::Constant(true)) {
                cells.into_iter().for_each(|cell| self.feed(cell));
                continue;
            }
            self.prepare(filter, &uses);
            let holds = self.condition(filter);
            fed.extend(cells.iter().map(|cell| (*cell, holds)));
            self.when(holds, |function| cells.into_iter().for_each(|cell| function.feed(cell)));
        }
        for (slot, arms) in &keyed {
            self.jump(*slot, arms, |function, feeders| {
                for feeder in feeders {
                    let holds = function.condition(feeder.filter);
                    function
                        .when(holds, |function| feeder.cells.iter().for_each(|cell| function.feed(*cell)));
                }
            });
        }
        fed
    }

    /// Cells by their filters.
    fn feeders(&self, cells: &[CellId]) -> Vec<Feeder> {
        let mut places: HashMap<NodeId, usize> = HashMap::new();
        let mut feeders: Vec<Feeder> = Vec::new();
        for id in cells {
            let Some(CellSource::Events { filter, .. }) = self.plan.cell(*id).map(|cell| &cell.source) else {
                continue;
            };
            let place = *places.entry(*filter).or_insert_with(|| {
                feeders.push(Feeder { filter: *filter, cells: Vec::new() });
                feeders.len() - 1
            });
            if let Some(feeder) = feeders.get_mut(place) {
                feeder.cells.push(*id);
            }
        }
        feeders
    }

    /// Evaluates the segments that the event may have changed; of those that only fed cells can change, the ones whose
    /// cells were fed.
    pub(super) fn touch(&mut self, touched: &[Touched], fed: &HashMap<CellId, Value>) {
        let (by_cells, others): (Vec<&Touched>, Vec<&Touched>) =
            touched.iter().partition(|it| it.fed_by.as_ref().is_some_and(|cells| !self.is_always_fed(cells)));
        let others: Vec<SegmentId> = others.into_iter().map(|it| it.segment).collect();
        let Dispatch { plain, keyed } = self.dispatch(by_cells, |it| self.filters(it));
        for it in plain {
            let mut any = None;
            for cell in it.fed_by.iter().flatten() {
                let holds = match (fed.get(cell), self.cell_filter(*cell)) {
                    (Some(holds), _) => *holds,
                    (None, Some(filter)) => self.condition(filter),
                    (None, None) => self.bit(true),
                };
                any = Some(match any {
                    None => holds,
                    Some(before) => self.builder.ins().bor(before, holds),
                });
            }
            let any = any.unwrap_or_else(|| self.bit(true));
            self.when(any, |function| function.evaluate(&[it.segment]));
        }
        for (slot, arms) in &keyed {
            self.jump(*slot, arms, |function, touched| {
                for it in touched {
                    let mut any = function.bit(false);
                    for filter in function.filters(it) {
                        let holds = function.condition(filter);
                        any = function.builder.ins().bor(any, holds);
                    }
                    function.when(any, |function| function.evaluate(&[it.segment]));
                }
            });
        }
        self.evaluate(&others);
    }

    fn cell_filter(&self, cell: CellId) -> Option<NodeId> {
        match self.plan.cell(cell).map(|cell| &cell.source) {
            Some(CellSource::Events { filter, .. }) => Some(*filter),
            Some(CellSource::Sequence { .. }) | None => None,
        }
    }

    fn filters(&self, touched: &Touched) -> Vec<NodeId> {
        touched.fed_by.iter().flatten().filter_map(|cell| self.cell_filter(*cell)).collect()
    }

    fn is_always_fed(&self, cells: &[CellId]) -> bool {
        let mut filters = cells.iter().filter_map(|cell| self.cell_filter(*cell));
        filters.any(|filter| matches!(self.plan_node(filter), Node::Constant(true)))
    }

    fn feed(&mut self, id: CellId) {
        let Some(cell) = self.plan.cell(id) else { return };
        match &cell.kind {
            CellKind::Counter { word } => {
                let count = self.word(*word);
                let more = self.builder.ins().iadd_imm_s(count, 1);
                self.store_word(*word, more);
            }
            CellKind::Moment { word, first } => {
                let at = self.event_time();
                let before = self.word(*word);
                let moment = if *first {
                    self.builder.ins().smin(at, before)
                } else {
                    self.builder.ins().smax(at, before)
                };
                self.store_word(*word, moment);
            }
            CellKind::Total { class, .. } => self.push(id, &cell.source, &[*class]),
            CellKind::Rows { columns, .. } => self.push(id, &cell.source, columns),
            CellKind::Days { class, .. } => {
                let classes: Vec<Class> = [Class::Date].into_iter().chain(*class).collect();
                self.push(id, &cell.source, &classes);
            }
            CellKind::Periods { .. } => self.push(id, &cell.source, &[Class::Date]),
        }
    }

    fn push(&mut self, id: CellId, source: &CellSource, classes: &[Class]) {
        let CellSource::Events { columns, .. } = source else { return };
        for (column, class) in columns.iter().zip(classes) {
            let Pair { tag, word } = self.value(*column);
            let class = self.constant(*class as i64);
            self.call(HostFunction::Column, &[tag, word, class]);
        }
        let cell = self.constant(i64::from(id.0));
        self.call(HostFunction::Push, &[cell]);
    }

    /// Slot 0 of the event's frame.
    fn event_time(&mut self) -> Value {
        self.slot(FrameRef::This, 0, Class::Time).word
    }

    /// Tells the host which roles the event plays, sequence by sequence.
    pub(super) fn roles(&mut self, roles: &[Role]) {
        let mut sequences: Vec<&[Role]> = Vec::new();
        let mut rest = roles;
        while let Some(first) = rest.first() {
            let count = rest.iter().take_while(|role| role.sequence == first.sequence).count();
            let (group, later) = rest.split_at(count);
            sequences.push(group);
            rest = later;
        }
        let filters = |roles: &&[Role]| roles.iter().map(|role| role.filter).collect();
        let Dispatch { plain, keyed } = self.dispatch(sequences, filters);
        self.played(&plain);
        for (slot, arms) in &keyed {
            self.jump(*slot, arms, |function, sequences| function.played(sequences));
        }
    }

    fn played(&mut self, sequences: &[&[Role]]) {
        let roots: Vec<NodeId> = sequences.iter().copied().flatten().map(|role| role.filter).collect();
        let uses = self.uses(&roots);
        for roles in sequences {
            let Some(first) = roles.first() else { continue };
            let mut mask = self.constant(0);
            for role in *roles {
                self.prepare(role.filter, &uses);
                let holds = self.condition(role.filter);
                let word = self.builder.ins().uextend(I64, holds);
                let bit = self.builder.ins().ishl_imm_u(word, i64::from(role.element));
                mask = self.builder.ins().bor(mask, bit);
            }
            self.when(mask, |function| {
                let sequence = function.constant(i64::from(first.sequence.0));
                function.call(HostFunction::Role, &[sequence, mask]);
            });
        }
    }
}

/// Cells with one filter.
struct Feeder {
    filter: NodeId,
    cells: Vec<CellId>,
}
