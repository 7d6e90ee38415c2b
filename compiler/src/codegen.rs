//! Plan to machine code, written against Cranelift's `Module`, so that it serves the running engine and object files.

mod batch;
mod condition;
mod dispatch;
mod feed;
mod function;
mod query;
mod value;

use crate::{
    abi::HostFunction,
    plan::{Handler, Node, NodeId, Plan},
};
use batch::Batch;
use cranelift_codegen::{
    ir::{AbiParam, Signature, types::I64},
    isa::CallConv,
    settings::Configurable,
};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{FuncId, Linkage, Module, ModuleError};
use function::Function;
use std::collections::{BTreeMap, BTreeSet};

/// What Cranelift said when it refused; boxed because it is large and rare.
pub type Failure = Box<ModuleError>;

/// The functions of a plan in a module.
#[derive(Clone, Debug)]
pub struct Functions {
    /// By event: `(header, record, frames, due) → deadline`.
    pub handlers: Vec<FuncId>,
    /// Of events that are not declared.
    pub other: FuncId,
    /// Evaluates every segment: `(header, record, frames, due) → deadline`.
    pub evaluate: FuncId,
    /// By condition: `(header, record, frames, due) → 0 or 1`.
    pub conditions: Vec<FuncId>,
    /// By watched condition: `(header, record, frames, due) → 0 or 1`; the earliest next deadline is in the header.
    pub watched: Vec<FuncId>,
    /// By value, unless it is a constant: the value is in the header.
    pub values: Vec<Option<FuncId>>,
}

/// Makes the functions of a plan.
///
/// # Errors
/// When Cranelift refuses a function, which is a fault of this compiler.
pub fn generate<M: Module>(plan: &Plan, module: &mut M) -> Result<Functions, Failure> {
    let mut generator = Generator::new(plan, module)?;
    let evaluate = generator.define("evaluate", |function| {
        function.evaluate(&plan.order);
        function.finish_with_deadline();
    })?;
    let mut handlers = Vec::new();
    for (handler, number) in plan.handlers.iter().zip(0_usize..) {
        handlers.push(generator.handler(&format!("event_{number}"), handler, evaluate)?);
    }
    let other = generator.handler("event_other", &plan.other, evaluate)?;
    let mut conditions = Vec::new();
    for (node, number) in plan.conditions.iter().zip(0_usize..) {
        conditions.push(generator.define(&format!("condition_{number}"), |function| function.answer(*node))?);
    }
    let mut watched = Vec::new();
    for (node, number) in plan.watched.iter().zip(0_usize..) {
        watched.push(generator.define(&format!("watched_{number}"), |function| function.watch(*node))?);
    }
    let mut values = Vec::new();
    for (value, number) in plan.values.iter().zip(0_usize..) {
        if plan.constant(value).is_some() {
            values.push(None);
            continue;
        }
        let value = generator.define(&format!("value_{number}"), |function| function.result(value.node))?;
        values.push(Some(value));
    }
    generator.finish()?;
    Ok(Functions { handlers, other, evaluate, conditions, watched, values })
}

/// Makes the functions of some conditions that look at frames only, for their own module: `(header, record, frames, due) →
/// 0 or 1`. They call nobody.
///
/// # Errors
/// As [`generate`].
pub(crate) fn conditions<M: Module>(
    plan: &Plan,
    module: &mut M,
    conditions: &[NodeId],
) -> Result<Vec<FuncId>, Failure> {
    let mut generator = Generator::with_host(plan, module, &[])?;
    let define = |(node, number): (&NodeId, usize)| {
        generator.define_as(&format!("condition_{number}"), Linkage::Local, |function| function.answer(*node))
    };
    let defined: Vec<FuncId> = conditions.iter().zip(0..).map(define).collect::<Result<_, _>>()?;
    generator.finish()?;
    Ok(defined)
}

/// Makes functions that ask several conditions at once, which look at frames only: `(header, record, frames, due) → bits`.
/// They call nobody.
///
/// # Errors
/// As [`generate`].
pub(crate) fn answers<M: Module>(
    plan: &Plan,
    module: &mut M,
    sets: &[Vec<(u32, NodeId)>],
) -> Result<Vec<FuncId>, Failure> {
    let mut generator = Generator::with_host(plan, module, &[])?;
    let define = |(set, number): (&Vec<_>, usize)| {
        generator.define_as(&format!("answers_{number}"), Linkage::Local, |function| function.answers(set))
    };
    let defined: Vec<FuncId> = sets.iter().zip(0..).map(define).collect::<Result<_, _>>()?;
    generator.finish()?;
    Ok(defined)
}

/// The settings for object files: any processor of this machine's kind, code that may lie anywhere, and optimised, because
/// it is made once.
pub(crate) fn portable_target() -> Result<cranelift_codegen::isa::OwnedTargetIsa, String> {
    let mut flags = cranelift_codegen::settings::builder();
    for (name, value) in [("opt_level", "speed"), ("is_pic", "true"), ("enable_verifier", VERIFIER)] {
        flags.set(name, value).map_err(|error| error.to_string())?;
    }
    let flags = cranelift_codegen::settings::Flags::new(flags);
    cranelift_native::builder_with_options(false)?.finish(flags).map_err(|error| error.to_string())
}

/// The settings of the code generator: without optimisation, because functions of this size take longer to optimise than
/// that saves.
///
/// # Errors
/// When the machine is not supported.
pub fn target() -> Result<cranelift_codegen::isa::OwnedTargetIsa, String> {
    let mut flags = cranelift_codegen::settings::builder();
    for (name, value) in [("opt_level", "none"), ("is_pic", "false"), ("enable_verifier", VERIFIER)] {
        flags.set(name, value).map_err(|error| error.to_string())?;
    }
    let flags = cranelift_codegen::settings::Flags::new(flags);
    cranelift_native::builder()?.finish(flags).map_err(|error| error.to_string())
}

const VERIFIER: &str = if cfg!(debug_assertions) { "true" } else { "false" };

/// What is common to all functions.
struct Generator<'p, M> {
    plan: &'p Plan,
    module: &'p mut M,
    host: BTreeMap<HostFunction, FuncId>,
    batch: Batch,
    builder: FunctionBuilderContext,
    facts: Facts,
    printed: Option<&'p mut Vec<(String, String)>>,
}

/// What is known of each node.
struct Facts {
    /// Whether it is worth a jump around it, with all that it uses.
    costly: Vec<bool>,
    /// Whether it looks at a remembered row.
    of_row: Vec<bool>,
}

impl Facts {
    fn of(plan: &Plan) -> Self {
        let mut facts = Self { costly: Vec::new(), of_row: plan.of_row() };
        for node in &plan.nodes {
            // INVARIANT: operands stand before the node (checked by the verifier).
            let is_costly = |id: &NodeId| facts.costly.get(id.0 as usize).copied().unwrap_or(false);
            let costly = calls_host(plan, node) || node.operands().iter().any(is_costly);
            facts.costly.push(costly);
        }
        facts
    }
}

/// Whether the code of a condition looks at frames and at nothing else: it neither calls the host nor reads the header or
/// the customer's record.
#[must_use]
pub fn looks_at_frames_only(plan: &Plan, condition: NodeId) -> bool {
    let facts = Facts::of(plan);
    let mut open = vec![condition];
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let fact = |of: &[bool]| of.get(id.0 as usize).copied().unwrap_or(true);
        let node = plan.node(id);
        // Whatever calls the host is costly, and so is all that uses it.
        if fact(&facts.costly) || fact(&facts.of_row) || node.reads_customer() {
            return false;
        }
        open.extend(node.operands());
    }
    true
}

/// Whether a node itself is more than a few instructions.
fn calls_host(plan: &Plan, node: &Node) -> bool {
    match node {
        Node::SameText(left, right) => {
            let constant = |id: &NodeId| matches!(plan.node(*id), Node::Text(_));
            !constant(left) && !constant(right)
        }
        Node::Arithmetic { operation, .. } => {
            !matches!(operation, crate::plan::Operation::Add | crate::plan::Operation::Subtract)
        }
        _ => node.is_costly(),
    }
}

impl<'p, M: Module> Generator<'p, M> {
    fn new(plan: &'p Plan, module: &'p mut M) -> Result<Self, Failure> {
        Self::with_host(plan, module, &HostFunction::ALL)
    }

    /// A generator of functions that call no others of the host than these.
    fn with_host(plan: &'p Plan, module: &'p mut M, known: &[HostFunction]) -> Result<Self, Failure> {
        let mut host = BTreeMap::new();
        for function in known.iter().copied() {
            let (arguments, returns) = function.shape();
            let mut signature = module.make_signature();
            signature.params.extend(std::iter::repeat_n(AbiParam::new(I64), arguments + 1));
            signature.returns.extend(std::iter::repeat_n(AbiParam::new(I64), usize::from(returns)));
            let id =
                module.declare_function(function.name(), Linkage::Import, &signature).map_err(Box::new)?;
            host.insert(function, id);
        }
        Ok(Self {
            plan,
            module,
            host,
            batch: Batch::default(),
            builder: FunctionBuilderContext::new(),
            facts: Facts::of(plan),
            printed: None,
        })
    }

    fn handler(&mut self, name: &str, handler: &Handler, evaluate: FuncId) -> Result<FuncId, Failure> {
        self.define(name, |function| {
            let fed = function.feeds(&handler.feeds);
            function.roles(&handler.roles);
            function.evaluate_all_if_due(evaluate);
            function.touch(&handler.touched, &fed);
            function.finish_with_deadline();
        })
    }

    fn define(&mut self, name: &str, body: impl FnOnce(&mut Function<'_, M>)) -> Result<FuncId, Failure> {
        self.define_as(name, Linkage::Export, body)
    }

    fn define_as(
        &mut self,
        name: &str,
        linkage: Linkage,
        body: impl FnOnce(&mut Function<'_, M>),
    ) -> Result<FuncId, Failure> {
        let signature = signature(self.module.isa().default_call_conv());
        let id = self.module.declare_function(name, linkage, &signature).map_err(Box::new)?;
        let mut context = self.batch.context(self.module);
        context.func.signature = signature;
        let builder = FunctionBuilder::new(&mut context.func, &mut self.builder);
        let mut function = Function::new(self.plan, &self.facts, self.module, &self.host, builder);
        body(&mut function);
        {
            let config = function.module.target_config();
            function.builder.finalize(config);
        }
        if let Some(printed) = &mut self.printed {
            printed.push((name.to_owned(), context.func.display().to_string()));
        }
        self.batch.push(id, context, self.module)?;
        Ok(id)
    }

    /// Makes the code of all functions that have none yet.
    fn finish(mut self) -> Result<(), Failure> {
        self.batch.finish(self.module)
    }
}

/// `(header, record, frames, due) → word`.
fn signature(convention: CallConv) -> Signature {
    let mut signature = Signature::new(convention);
    signature.params.extend(std::iter::repeat_n(AbiParam::new(I64), 4));
    signature.returns.push(AbiParam::new(I64));
    signature
}

/// The code of every function before registers are given out, by name, for people to read.
///
/// # Errors
/// As [`generate`].
pub fn print<M: Module>(
    plan: &Plan,
    module: &mut M,
    handlers: &[usize],
) -> Result<Vec<(String, String)>, Failure> {
    let mut printed = Vec::new();
    let mut generator = Generator::new(plan, module)?;
    generator.printed = Some(&mut printed);
    let evaluate = generator.define("evaluate", |function| {
        function.evaluate(&plan.order);
        function.finish_with_deadline();
    })?;
    for number in handlers {
        if let Some(handler) = plan.handlers.get(*number) {
            generator.handler(&format!("event_{number}"), handler, evaluate)?;
        }
    }
    drop(generator);
    Ok(printed)
}
