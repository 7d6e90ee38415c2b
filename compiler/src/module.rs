//! The owner of executable memory.
#![expect(unsafe_code, reason = "machine code is entered and its memory is freed here")]

use crate::{
    abi::{Header, HostFunction, HostTable, Slot},
    codegen::{self, Functions},
    plan::{ConditionId, Plan, Task, ValueId, WatchId},
    typed::EventId,
};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, default_libcall_names};

/// `(header, record, frames, due) → word`.
type Entry = extern "C" fn(*mut Header, *mut i64, *const *const Slot, i64) -> i64;

/// The machine code of one plan. It is freed with its owner, so callers keep the owner while code runs.
pub struct Code {
    _memory: Memory,
    handlers: Vec<Entry>,
    other: Entry,
    evaluate: Entry,
    conditions: Vec<Entry>,
    watched: Vec<Entry>,
    /// Constants have none.
    values: Vec<Option<Entry>>,
}

/// Machine code could not be made.
#[derive(Debug, thiserror::Error)]
#[error("machine code could not be made: {0}")]
pub struct CodeError(String);

/// Machine code that asks several conditions about one event at once: what they have in common is computed once.
pub struct Answers {
    _memory: Memory,
    sets: Vec<Entry>,
}

/// Memory with machine code, freed at its end.
struct Memory(Option<JITModule>);

// SAFETY: after `finalize_definitions` the module is only held for its memory, which nothing writes any more; entering
// code from several threads is as safe as its arguments are.
unsafe impl Send for Memory {}
// SAFETY: see `Send`.
unsafe impl Sync for Memory {}

impl Memory {
    /// Makes the code that was defined in a module ready.
    fn ready(mut module: JITModule) -> Result<Self, CodeError> {
        module.finalize_definitions().map_err(|error| CodeError(error.to_string()))?;
        Ok(Self(Some(module)))
    }

    /// The entries of functions that were defined in the module.
    fn entries(&self, functions: impl IntoIterator<Item = FuncId>) -> Vec<Entry> {
        functions.into_iter().filter_map(|id| self.entry(id)).collect()
    }

    fn entry(&self, id: FuncId) -> Option<Entry> {
        let address = self.0.as_ref()?.get_finalized_function(id);
        // SAFETY: every function was generated with the signature of `Entry` and the C calling convention of this machine,
        // and was finalized before.
        Some(unsafe { std::mem::transmute::<*const u8, Entry>(address) })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Some(module) = self.0.take() {
            // SAFETY: the entries die with their owner, which is being dropped, so that no call can be under way.
            unsafe { module.free_memory() };
        }
    }
}

impl Answers {
    /// How many conditions a set has at most: a bit each.
    pub const SET: usize = u64::BITS as usize;

    /// Makes the code of some sets of conditions that [look at frames only](codegen::looks_at_frames_only), each with its bit
    /// in what [`Answers::ask`] gives. The code calls nobody, and reads nothing but frames.
    ///
    /// # Errors
    /// As [`Code::new`].
    pub fn new(plan: &Plan, sets: &[Vec<(u32, ConditionId)>]) -> Result<Self, CodeError> {
        let node = |(bit, ConditionId(condition)): &(u32, ConditionId)| {
            Some((*bit, *plan.conditions.get(*condition as usize)?))
        };
        let sets: Vec<Vec<_>> = sets.iter().map(|set| set.iter().filter_map(node).collect()).collect();
        let mut module = JITModule::new(builder()?);
        let functions =
            codegen::answers(plan, &mut module, &sets).map_err(|error| CodeError(error.to_string()))?;
        let memory = Memory::ready(module)?;
        Ok(Self { sets: memory.entries(functions), _memory: memory })
    }

    /// The bits of those conditions of a set that hold; none where there is no such set.
    #[inline]
    #[must_use]
    pub fn ask(&self, set: usize, call: &mut Call<'_>) -> u64 {
        self.sets.get(set).map_or(0, |entry| call.enter(*entry, false).cast_unsigned())
    }
}

/// What a module begins with.
fn builder() -> Result<JITBuilder, CodeError> {
    let target = codegen::target().map_err(CodeError)?;
    Ok(JITBuilder::with_isa(target, default_libcall_names()))
}

/// What a module begins with whose functions call the host.
fn builder_with(host: &HostTable) -> Result<JITBuilder, CodeError> {
    let mut builder = builder()?;
    for function in HostFunction::ALL {
        builder.symbol(function.name(), host.address(function));
    }
    Ok(builder)
}

impl Code {
    /// Makes the machine code of a plan.
    ///
    /// # Errors
    /// When the machine is not supported, or Cranelift refuses the code.
    pub fn new(plan: &Plan, host: &HostTable) -> Result<Self, CodeError> {
        let mut module = JITModule::new(builder_with(host)?);
        let functions = codegen::generate(plan, &mut module).map_err(|error| CodeError(error.to_string()))?;
        let memory = Memory::ready(module)?;
        let Functions { handlers, other, evaluate, conditions, watched, values } = functions;
        let absent = || CodeError("a function has no code".to_owned());
        Ok(Self {
            handlers: memory.entries(handlers),
            other: memory.entry(other).ok_or_else(absent)?,
            evaluate: memory.entry(evaluate).ok_or_else(absent)?,
            conditions: memory.entries(conditions),
            watched: memory.entries(watched),
            values: values.into_iter().map(|value| value.and_then(|value| memory.entry(value))).collect(),
            _memory: memory,
        })
    }

    /// Carries out what is asked, and returns what [`Task`] says of it; what the plan has not is 0.
    pub fn run(&self, task: Task, call: &mut Call<'_>) -> i64 {
        fn at(entries: &[Entry], place: u32) -> Option<&Entry> {
            entries.get(place as usize)
        }
        let (entry, due) = match task {
            Task::Event { event, due } => {
                let handler = event.and_then(|EventId(event)| at(&self.handlers, event));
                (Some(handler.unwrap_or(&self.other)), due)
            }
            Task::Evaluate => (Some(&self.evaluate), true),
            Task::Condition(ConditionId(condition)) => (at(&self.conditions, condition), false),
            Task::Watch(WatchId(watch)) => (at(&self.watched, watch), false),
            Task::Value(ValueId(value)) => (self.values.get(value as usize).and_then(Option::as_ref), false),
        };
        entry.map_or(0, |entry| call.enter(*entry, due))
    }

    /// The entry of a condition, for those who ask it often.
    #[must_use]
    pub fn condition(&self, condition: ConditionId) -> Option<Condition> {
        self.conditions.get(condition.0 as usize).copied().map(Condition)
    }
}

/// The entry of a condition, found beforehand.
#[derive(Clone, Copy, Debug)]
pub struct Condition(Entry);

impl Condition {
    /// Whether the condition holds.
    ///
    /// # Safety
    /// The [`Code`] that it is from still exists.
    #[inline]
    #[must_use]
    pub unsafe fn holds(self, call: &mut Call<'_>) -> bool {
        call.enter(self.0, false) != 0
    }
}

/// The code of the handlers of some events before registers are given out, by name, for people to read.
///
/// # Errors
/// As [`Code::new`].
pub fn clif(plan: &Plan, host: &HostTable, events: &[usize]) -> Result<Vec<(String, String)>, CodeError> {
    let mut module = JITModule::new(builder_with(host)?);
    codegen::print(plan, &mut module, events).map_err(|error| CodeError(error.to_string()))
}

/// The arguments of a call of machine code.
pub struct Call<'a> {
    header: *mut Header,
    record: *mut i64,
    frames: &'a [*const Slot],
}

impl<'a> Call<'a> {
    /// Makes a call.
    ///
    /// # Safety
    /// - `header` is the beginning of the context that the host functions expect, and stays valid, and unused by others,
    ///   until the call returns;
    /// - `record` points to the words of the plan's record layout, which only machine code and host functions touch until
    ///   the call returns;
    /// - `frames` has, for each frame that the code called looks at, a pointer to at least as many slots as the layout of
    ///   its event says.
    #[inline]
    pub unsafe fn new(header: *mut Header, record: *mut i64, frames: &'a [*const Slot]) -> Self {
        Self { header, record, frames }
    }

    #[inline]
    fn enter(&mut self, entry: Entry, due: bool) -> i64 {
        entry(self.header, self.record, self.frames.as_ptr(), i64::from(due))
    }
}
