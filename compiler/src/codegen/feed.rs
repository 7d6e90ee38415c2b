//! What an event adds to state: cells and roles in sequences.

use super::function::{Function, Pair};
use crate::{
    abi::HostFunction,
    plan::{CellId, CellKind, CellSource, Class, FrameRef, Node, NodeId, Role},
};
use cranelift_codegen::ir::{InstBuilder, Value, types::I64};
use cranelift_module::Module;

impl<M: Module> Function<'_, M> {
    /// Feeds the cells whose filter the event fulfils; cells with one filter together.
    pub(super) fn feeds(&mut self, cells: &[CellId]) {
        let mut groups: Vec<(NodeId, Vec<CellId>)> = Vec::new();
        for id in cells {
            let Some(CellSource::Events { filter, .. }) = self.plan.cell(*id).map(|cell| &cell.source) else {
                continue;
            };
            match groups.iter_mut().find(|(other, _)| other == filter) {
                Some((_, group)) => group.push(*id),
                None => groups.push((*filter, vec![*id])),
            }
        }
        let roots: Vec<NodeId> = groups.iter().map(|(filter, _)| *filter).collect();
        let uses = self.uses(&roots);
        for (filter, cells) in groups {
            if matches!(self.plan_node(filter), Node::Constant(true)) {
                cells.into_iter().for_each(|cell| self.feed(cell));
                continue;
            }
            self.prepare(filter, &uses);
            let holds = self.condition(filter);
            self.when(holds, |function| cells.into_iter().for_each(|cell| function.feed(cell)));
        }
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
        let roots: Vec<NodeId> = roles.iter().map(|role| role.filter).collect();
        let uses = self.uses(&roots);
        let mut rest = roles;
        while let Some(first) = rest.first() {
            let count = rest.iter().take_while(|role| role.sequence == first.sequence).count();
            let (group, later) = rest.split_at(count);
            rest = later;
            let mut mask = self.constant(0);
            for role in group {
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
