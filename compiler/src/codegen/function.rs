//! One function under construction.

use super::Facts;
use crate::{
    abi::{HostFunction, NO_DEADLINE, offset},
    plan::{Node, NodeId, Plan},
    typed::SegmentId,
};
use cranelift_codegen::ir::{
    Block, InstBuilder, MemFlagsData, Type, Value,
    condcodes::IntCC,
    types::{I8, I64},
};
use cranelift_frontend::{FunctionBuilder, Variable};
use cranelift_module::{FuncId, Module};
use std::collections::{BTreeMap, HashMap};

/// A value: whether there is one, and its word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) tag: Value,
    pub(super) word: Value,
}

/// What a node became.
#[derive(Clone, Copy, Debug)]
pub(super) enum Computed {
    Value(Pair),
    /// 0 or 1, of type `I8`.
    Condition(Value),
}

pub(super) struct Function<'f, M> {
    pub(super) plan: &'f Plan,
    pub(super) facts: &'f Facts,
    pub(super) module: &'f mut M,
    host: &'f BTreeMap<HostFunction, FuncId>,
    pub(super) builder: FunctionBuilder<'f>,
    pub(super) header: Value,
    pub(super) record: Value,
    pub(super) frames: Value,
    due: Value,
    pub(super) now: Value,
    deadline: Variable,
    /// What was computed where control surely came past.
    pub(super) known: HashMap<NodeId, Computed>,
    /// The order in which it was, so that a branch can be left.
    log: Vec<NodeId>,
}

impl<'f, M: Module> Function<'f, M> {
    pub(super) fn new(
        plan: &'f Plan,
        facts: &'f Facts,
        module: &'f mut M,
        host: &'f BTreeMap<HostFunction, FuncId>,
        mut builder: FunctionBuilder<'f>,
    ) -> Self {
        let entry = builder.create_block();
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        builder.seal_block(entry);
        let parameters = builder.block_params(entry).to_vec();
        let parameter = |index: usize| parameters.get(index).copied().unwrap_or_else(|| Value::from_u32(0));
        let (header, record, frames, due) = (parameter(0), parameter(1), parameter(2), parameter(3));
        let now = builder.ins().load(I64, MemFlagsData::trusted(), header, offset::NOW);
        let deadline = builder.declare_var(I64);
        let none = builder.ins().iconst(I64, NO_DEADLINE);
        builder.def_var(deadline, none);
        Self {
            plan,
            facts,
            module,
            host,
            builder,
            header,
            record,
            frames,
            due,
            now,
            deadline,
            known: HashMap::new(),
            log: Vec::new(),
        }
    }

    /// Evaluates levels in order, tells the host of segments that changed, and notes since when other conditions hold.
    pub(super) fn evaluate(&mut self, segments: &[SegmentId]) {
        let roots: Vec<NodeId> =
            segments.iter().filter_map(|segment| self.plan.levels.get(segment.0 as usize)).copied().collect();
        let uses = self.uses(&roots);
        for (segment, root) in segments.iter().zip(roots) {
            self.prepare(root, &uses);
            let holds = self.condition(root);
            self.change(*segment, holds);
        }
    }

    fn change(&mut self, segment: SegmentId, holds: Value) {
        let (offset, bit) = self.segment_place(segment);
        let word = self.builder.ins().load(I64, MemFlagsData::trusted(), self.record, offset);
        let shifted = self.builder.ins().ushr_imm_u(word, bit);
        let before = self.builder.ins().band_imm_u(shifted, 1);
        let level = self.builder.ins().uextend(I64, holds);
        let differs = self.builder.ins().icmp(IntCC::NotEqual, before, level);
        self.when(differs, |function| {
            let flipped = function.builder.ins().bxor_imm_s(word, 1_i64 << bit);
            function.builder.ins().store(MemFlagsData::trusted(), flipped, function.record, offset);
            if let Some(held) = function.plan.held(segment) {
                function.store_word(function.plan.record.held + held.0, function.now);
                return;
            }
            let number = function.constant(i64::from(segment.0));
            function.call(HostFunction::SegmentChanged, &[number, level]);
        });
    }

    /// The byte offset of a segment's word in the record, and its bit.
    pub(super) fn segment_place(&self, segment: SegmentId) -> (i32, i64) {
        (word_offset(self.plan.record.segments + segment.0 / 64), i64::from(segment.0 % 64))
    }

    /// When a deadline is due, every segment is evaluated, and that is all.
    pub(super) fn evaluate_all_if_due(&mut self, evaluate: FuncId) {
        let due = self.due;
        let then = self.builder.create_block();
        let after = self.builder.create_block();
        self.builder.ins().brif(due, then, &[], after, &[]);
        self.builder.switch_to_block(then);
        self.builder.seal_block(then);
        let callee = self.module.declare_func_in_func(evaluate, self.builder.func);
        let call = self.builder.ins().call(callee, &[self.header, self.record, self.frames, due]);
        let result = self.builder.inst_results(call).first().copied().unwrap_or(due);
        self.builder.ins().return_(&[result]);
        self.builder.switch_to_block(after);
        self.builder.seal_block(after);
    }

    /// Returns the earliest deadline.
    pub(super) fn finish_with_deadline(&mut self) {
        let own = self.builder.use_var(self.deadline);
        let hosts = self.builder.ins().load(I64, MemFlagsData::trusted(), self.header, offset::DEADLINE);
        let earliest = self.builder.ins().smin(own, hosts);
        self.builder.ins().return_(&[earliest]);
    }

    /// Returns whether a condition holds, and leaves the earliest next deadline in the header.
    pub(super) fn watch(&mut self, node: NodeId) {
        let uses = self.uses(&[node]);
        self.prepare(node, &uses);
        let holds = self.condition(node);
        let own = self.builder.use_var(self.deadline);
        let hosts = self.builder.ins().load(I64, MemFlagsData::trusted(), self.header, offset::DEADLINE);
        let earliest = self.builder.ins().smin(own, hosts);
        self.builder.ins().store(MemFlagsData::trusted(), earliest, self.header, offset::DEADLINE);
        let word = self.builder.ins().uextend(I64, holds);
        self.builder.ins().return_(&[word]);
    }

    /// Returns whether a condition holds.
    pub(super) fn answer(&mut self, node: NodeId) {
        let uses = self.uses(&[node]);
        self.prepare(node, &uses);
        let holds = self.condition(node);
        let word = self.builder.ins().uextend(I64, holds);
        self.builder.ins().return_(&[word]);
    }

    /// Returns of some conditions which hold: each has its bit, from 0 to 63.
    pub(super) fn answers(&mut self, conditions: &[(u32, NodeId)]) {
        let roots: Vec<NodeId> = conditions.iter().map(|(_, node)| *node).collect();
        let uses = self.uses(&roots);
        let mut bits = self.constant(0);
        for (bit, node) in conditions {
            self.prepare(*node, &uses);
            let holds = self.condition(*node);
            let word = self.builder.ins().uextend(I64, holds);
            let placed = self.builder.ins().ishl_imm_u(word, i64::from(*bit));
            bits = self.builder.ins().bor(bits, placed);
        }
        self.builder.ins().return_(&[bits]);
    }

    /// Leaves a value in the header.
    pub(super) fn result(&mut self, node: NodeId) {
        let uses = self.uses(&[node]);
        self.prepare(node, &uses);
        let Pair { tag, word } = self.value(node);
        self.builder.ins().store(MemFlagsData::trusted(), tag, self.header, offset::TAG);
        self.builder.ins().store(MemFlagsData::trusted(), word, self.header, offset::WORD);
        let zero = self.constant(0);
        self.builder.ins().return_(&[zero]);
    }

    /// How often each node is used below some roots.
    pub(super) fn uses(&self, roots: &[NodeId]) -> HashMap<NodeId, u32> {
        let mut uses: HashMap<NodeId, u32> = HashMap::new();
        let mut open = roots.to_vec();
        while let Some(id) = open.pop() {
            let count = uses.entry(id).or_default();
            *count += 1;
            if *count == 1 {
                open.extend(self.plan.node(id).operands());
            }
        }
        uses
    }

    /// Computes what is costly and used more than once, here where all that follows can see it.
    pub(super) fn prepare(&mut self, root: NodeId, uses: &HashMap<NodeId, u32>) {
        let mut below = std::collections::BTreeSet::new();
        let mut open = vec![root];
        while let Some(id) = open.pop() {
            if below.insert(id) {
                open.extend(self.plan.node(id).operands());
            }
        }
        for id in below {
            let fact = |of: &[bool]| of.get(id.0 as usize).copied().unwrap_or(false);
            let shared = uses.get(&id).is_some_and(|count| *count > 1);
            if shared
                && id != root
                && super::calls_host(self.plan, self.plan.node(id))
                && !fact(&self.facts.of_row)
            {
                self.node(id);
            }
        }
    }

    /// What a node became, computed if it is not yet.
    fn node(&mut self, id: NodeId) {
        if self.plan.node(id).is_condition() {
            self.condition(id);
        } else {
            self.value(id);
        }
    }

    pub(super) fn remember(&mut self, id: NodeId, computed: Computed) {
        if self.known.insert(id, computed).is_none() {
            self.log.push(id);
        }
    }

    /// Builds something that control may not come past; what is computed in it is forgotten after it.
    pub(super) fn branch<T>(&mut self, build: impl FnOnce(&mut Self) -> T) -> T {
        let mark = self.log.len();
        let result = build(self);
        for id in self.log.drain(mark..) {
            self.known.remove(&id);
        }
        result
    }

    /// Builds something that happens only when a condition holds.
    pub(super) fn when(&mut self, holds: Value, build: impl FnOnce(&mut Self)) {
        let then = self.builder.create_block();
        let after = self.builder.create_block();
        self.builder.ins().brif(holds, then, &[], after, &[]);
        self.enter(then);
        self.branch(build);
        self.builder.ins().jump(after, &[]);
        self.enter(after);
    }

    /// `if holds { yes } else { no }`, of values of the given types.
    pub(super) fn select<const N: usize>(
        &mut self,
        holds: Value,
        types: [Type; N],
        yes: impl FnOnce(&mut Self) -> [Value; N],
        no: impl FnOnce(&mut Self) -> [Value; N],
    ) -> [Value; N] {
        let (then, otherwise) = (self.builder.create_block(), self.builder.create_block());
        let done = self.builder.create_block();
        let results = types.map(|ty| self.builder.append_block_param(done, ty));
        self.builder.ins().brif(holds, then, &[], otherwise, &[]);
        self.enter(then);
        let values = self.branch(yes).map(Into::into);
        self.builder.ins().jump(done, &values);
        self.enter(otherwise);
        let values = self.branch(no).map(Into::into);
        self.builder.ins().jump(done, &values);
        self.enter(done);
        results
    }

    pub(super) fn enter(&mut self, block: Block) {
        self.builder.switch_to_block(block);
        self.builder.seal_block(block);
    }

    pub(super) fn constant(&mut self, word: i64) -> Value {
        self.builder.ins().iconst(I64, word)
    }

    pub(super) fn bit(&mut self, holds: bool) -> Value {
        self.builder.ins().iconst(I8, i64::from(holds))
    }

    /// Calls the host; the result is a word if the function returns one.
    pub(super) fn call(&mut self, function: HostFunction, arguments: &[Value]) -> Option<Value> {
        let id = self.host.get(&function)?;
        let callee = self.module.declare_func_in_func(*id, self.builder.func);
        let mut all = vec![self.header];
        all.extend_from_slice(arguments);
        let call = self.builder.ins().call(callee, &all);
        self.builder.inst_results(call).first().copied()
    }

    /// Calls a host function that returns a condition.
    pub(super) fn ask(&mut self, function: HostFunction, arguments: &[Value]) -> Value {
        match self.call(function, arguments) {
            Some(word) => self.builder.ins().icmp_imm_s(IntCC::NotEqual, word, 0),
            None => self.bit(false),
        }
    }

    /// Calls a host function that leaves a value in the header.
    pub(super) fn fetch(&mut self, function: HostFunction, arguments: &[Value]) -> Pair {
        self.call(function, arguments);
        let tag = self.builder.ins().load(I64, MemFlagsData::new(), self.header, offset::TAG);
        let word = self.builder.ins().load(I64, MemFlagsData::new(), self.header, offset::WORD);
        Pair { tag, word }
    }

    /// A word of the record.
    pub(super) fn word(&mut self, word: u32) -> Value {
        self.builder.ins().load(I64, MemFlagsData::trusted(), self.record, word_offset(word))
    }

    pub(super) fn store_word(&mut self, word: u32, value: Value) {
        self.builder.ins().store(MemFlagsData::trusted(), value, self.record, word_offset(word));
    }

    /// Takes a moment into account at which something may change, if it lies ahead.
    pub(super) fn deadline(&mut self, at: Value) {
        let ahead = self.builder.ins().icmp(IntCC::SignedGreaterThan, at, self.now);
        let before = self.builder.use_var(self.deadline);
        let earlier = self.builder.ins().smin(at, before);
        let next = self.builder.ins().select(ahead, earlier, before);
        self.builder.def_var(self.deadline, next);
    }

    pub(super) fn is_costly(&self, id: NodeId) -> bool {
        self.facts.costly.get(id.0 as usize).copied().unwrap_or(true)
    }

    pub(super) fn plan_node(&self, id: NodeId) -> &'f Node {
        self.plan.node(id)
    }
}

/// The byte offset of a word of the record.
pub(super) fn word_offset(word: u32) -> i32 {
    i32::try_from(word.saturating_mul(8)).unwrap_or(i32::MAX)
}
