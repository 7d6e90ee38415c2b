//! Functions on the way to machine code: some at a time, and where they are large beside each other.

use super::Failure;
use crate::{
    limits::{FUNCTIONS_AT_ONCE, WORTH_A_COMPILING_THREAD},
    threads::beside_each_other,
};
use cranelift_codegen::{CodegenError, Context, control::ControlPlane, isa::TargetIsa};
use cranelift_module::{FuncId, Module, ModuleReloc};
use std::thread;

/// Functions of a module that have no machine code yet, in the order in which they are defined.
#[derive(Default)]
pub(super) struct Batch {
    functions: Vec<(FuncId, Context)>,
    /// Contexts that were used and may be again.
    spare: Vec<Context>,
}

impl Batch {
    /// A context for the next function.
    pub(super) fn context(&mut self, module: &impl Module) -> Context {
        self.spare.pop().unwrap_or_else(|| module.make_context())
    }

    /// Takes a function; where there are enough, makes their code.
    ///
    /// # Errors
    /// When Cranelift refuses one.
    pub(super) fn push(
        &mut self,
        id: FuncId,
        context: Context,
        module: &mut impl Module,
    ) -> Result<(), Failure> {
        self.functions.push((id, context));
        if self.functions.len() < FUNCTIONS_AT_ONCE { Ok(()) } else { self.finish(module) }
    }

    /// Makes the code of all functions that have none, and defines them in their order.
    ///
    /// # Errors
    /// As [`Batch::push`].
    pub(super) fn finish(&mut self, module: &mut impl Module) -> Result<(), Failure> {
        compile(&mut self.functions, module.isa()).map_err(|error| Box::new(error.into()))?;
        for (id, mut context) in self.functions.drain(..) {
            define(id, &context, module)?;
            module.clear_context(&mut context);
            self.spare.push(context);
        }
        Ok(())
    }
}

/// Makes the code of functions. What comes out does not depend on how many threads there are.
fn compile(functions: &mut [(FuncId, Context)], isa: &dyn TargetIsa) -> Result<(), CodegenError> {
    let size = |context: &Context| context.func.dfg.num_insts();
    let all: usize = functions.iter().map(|(_, context)| size(context)).sum();
    let threads = thread::available_parallelism().map_or(1, usize::from).min(all / WORTH_A_COMPILING_THREAD);
    let mut contexts: Vec<&mut Context> = functions.iter_mut().map(|(_, context)| context).collect();
    if threads < 2 {
        return of_some(contexts, isa);
    }
    // The largest first, each to whoever has least to do.
    contexts.sort_by_key(|context| std::cmp::Reverse(size(context)));
    let mut parts: Vec<(usize, Vec<&mut Context>)> = (0..threads).map(|_| (0, Vec::new())).collect();
    for context in contexts {
        if let Some((sum, part)) = parts.iter_mut().min_by_key(|(sum, _)| *sum) {
            *sum += size(context);
            part.push(context);
        }
    }
    let work = parts.into_iter().map(|(_, part)| move || of_some(part, isa)).collect();
    beside_each_other(work).into_iter().collect()
}

fn of_some(contexts: Vec<&mut Context>, isa: &dyn TargetIsa) -> Result<(), CodegenError> {
    contexts.into_iter().try_for_each(|context| {
        context.compile(isa, &mut ControlPlane::default()).map(|_| ()).map_err(|error| error.inner)
    })
}

/// Puts a function's code into its module.
fn define(id: FuncId, context: &Context, module: &mut impl Module) -> Result<(), Failure> {
    // INVARIANT: it was compiled.
    let Some(code) = context.compiled_code() else { return Ok(()) };
    let relocations = code.buffer.relocs().iter();
    let relocations: Vec<ModuleReloc> =
        relocations.map(|it| ModuleReloc::from_mach_reloc(it, &context.func, id)).collect();
    let alignment = u64::from(code.buffer.alignment);
    module.define_function_bytes(id, alignment, code.code_buffer(), &relocations).map_err(Box::new)
}
