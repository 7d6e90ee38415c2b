//! Queries: a condition asked of each remembered row.

use super::function::{Function, Pair};
use crate::{
    abi::HostFunction,
    plan::{Node, NodeId},
};
use cranelift_codegen::ir::{InstBuilder, condcodes::IntCC, types::I64};
use cranelift_module::Module;

impl<M: Module> Function<'_, M> {
    /// The value of a query.
    pub(super) fn query(&mut self, id: NodeId, filter: Option<NodeId>) -> Pair {
        let node = self.constant(i64::from(id.0));
        let Some(filter) = filter else {
            self.call(HostFunction::QueryAll, &[node]);
            return self.fetch(HostFunction::QueryEnd, &[node]);
        };
        self.compute_ahead(filter);
        let Some(rows) = self.call(HostFunction::QueryBegin, &[node]) else {
            return self.fetch(HostFunction::QueryEnd, &[node]);
        };
        let (head, body, after) =
            (self.builder.create_block(), self.builder.create_block(), self.builder.create_block());
        let row = self.builder.append_block_param(head, I64);
        let first = self.constant(0);
        self.builder.ins().jump(head, &[first.into()]);
        self.builder.switch_to_block(head);
        let more = self.builder.ins().icmp(IntCC::SignedLessThan, row, rows);
        self.builder.ins().brif(more, body, &[], after, &[]);
        self.enter(body);
        self.branch(|function| {
            function.call(HostFunction::QueryRow, &[row]);
            let holds = function.condition(filter);
            function.when(holds, |function| {
                function.call(HostFunction::QueryKeep, &[row]);
            });
        });
        let next = self.builder.ins().iadd_imm_s(row, 1);
        self.builder.ins().jump(head, &[next.into()]);
        self.builder.seal_block(head);
        self.enter(after);
        self.fetch(HostFunction::QueryEnd, &[node])
    }

    /// Computes the values below a row's condition that are the same for every row.
    fn compute_ahead(&mut self, id: NodeId) {
        let of_row = self.facts.of_row.get(id.0 as usize).copied().unwrap_or(false);
        let node = self.plan_node(id);
        if of_row {
            for operand in node.operands() {
                self.compute_ahead(operand);
            }
        } else if !node.is_condition() && !matches!(node, Node::Word(_) | Node::Text(_)) {
            self.value(id);
        }
    }
}
