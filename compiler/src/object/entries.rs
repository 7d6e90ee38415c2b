//! The functions of an object file that programs call.

use super::Exports;
use crate::{
    abi::{FIRST_TEXT_TAG, FRAME_ELEMENTS, Header, Slot},
    codegen::Failure,
    plan::FIXED_SLOTS,
};
use cranelift_codegen::ir::{
    AbiParam, Endianness, InstBuilder, MemFlagsData, StackSlotData, StackSlotKind, Type, Value,
    condcodes::IntCC,
    types::{I8, I16, I32, I64},
};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{FuncId, Linkage, Module};

/// The size of a word.
const WORD: i32 = 8;
/// The slot of an event's name; its text is compared with constants, too.
const NAME_SLOT: u32 = 2;
/// Where the slots of an event begin: after its kind.
const SLOTS: i32 = WORD;
/// The frames that a condition on one event can look at: `event`, by any of its names.
const FRAMES: u32 = FRAME_ELEMENTS + 1;

/// Defines every function.
pub(super) fn define<M: Module>(
    module: &mut M,
    exports: &Exports,
    conditions: &[FuncId],
) -> Result<(), Failure> {
    let mut entries = Entries { module, builder: FunctionBuilderContext::new() };
    let prefix = &exports.prefix;
    entries.function(&format!("{prefix}_begin"), 2, false, |entry, parameters| {
        entry.begin(exports, parameters);
    })?;
    entries.function(&format!("{prefix}_text"), 2, true, |entry, parameters| {
        entry.text(exports, parameters);
    })?;
    for (rule, condition) in exports.rules.iter().zip(conditions) {
        let events: Vec<i64> = rule.events.iter().map(|event| i64::from(event.0)).collect();
        entries.function(&rule.function, 1, true, |entry, parameters| {
            entry.rule(&events, *condition, parameters);
        })?;
    }
    Ok(())
}

struct Entries<'m, M> {
    module: &'m mut M,
    builder: FunctionBuilderContext,
}

/// A function under construction.
struct Entry<'e, M> {
    module: &'e mut M,
    builder: FunctionBuilder<'e>,
}

impl<M: Module> Entries<'_, M> {
    /// A function of words.
    fn function(
        &mut self,
        name: &str,
        parameters: usize,
        returns: bool,
        body: impl FnOnce(&mut Entry<'_, M>, &[Value]),
    ) -> Result<(), Failure> {
        let mut context = self.module.make_context();
        let signature = &mut context.func.signature;
        signature.call_conv = self.module.isa().default_call_conv();
        signature.params.extend(std::iter::repeat_n(AbiParam::new(I64), parameters));
        signature.returns.extend(std::iter::repeat_n(AbiParam::new(I64), usize::from(returns)));
        let id =
            self.module.declare_function(name, Linkage::Export, &context.func.signature).map_err(Box::new)?;
        let mut builder = FunctionBuilder::new(&mut context.func, &mut self.builder);
        let block = builder.create_block();
        builder.append_block_params_for_function_params(block);
        builder.switch_to_block(block);
        builder.seal_block(block);
        let parameters = builder.block_params(block).to_vec();
        let mut entry = Entry { module: &mut *self.module, builder };
        body(&mut entry, &parameters);
        let config = entry.module.target_config();
        entry.builder.finalize(config);
        self.module.define_function(id, &mut context).map_err(Box::new)
    }
}

impl<M: Module> Entry<'_, M> {
    /// `(event, kind)`: every field is missing, but for the name.
    fn begin(&mut self, exports: &Exports, parameters: &[Value]) {
        let &[event, kind] = parameters else { return };
        self.store(kind, event, 0);
        let zero = self.constant(0);
        for word in 0..2 * exports.slots {
            self.store(zero, event, SLOTS + WORD * offset(word));
        }
        let mut tag = self.constant(1);
        for known in &exports.events {
            let text = exports.texts.iter().find(|(_, text)| *text == known.name);
            if let Some((id, _)) = text {
                let named = self.constant(FIRST_TEXT_TAG + i64::from(id.0));
                let is = self.builder.ins().icmp_imm_s(IntCC::Equal, kind, i64::from(known.id.0));
                tag = self.builder.ins().select(is, named, tag);
            }
        }
        self.store(tag, event, SLOTS + 2 * WORD * offset(NAME_SLOT));
        self.builder.ins().return_(&[]);
    }

    /// `(text, length) → tag`.
    fn text(&mut self, exports: &Exports, parameters: &[Value]) {
        let &[text, length] = parameters else { return };
        for (id, constant) in &exports.texts {
            let (as_long, after) = (self.builder.create_block(), self.builder.create_block());
            let bytes = constant.as_bytes();
            let as_many = self.builder.ins().icmp_imm_s(IntCC::Equal, length, size(bytes.len()));
            self.builder.ins().brif(as_many, as_long, &[], after, &[]);
            self.builder.switch_to_block(as_long);
            self.builder.seal_block(as_long);
            let differs = self.differs(text, bytes);
            let same = self.builder.create_block();
            self.builder.ins().brif(differs, after, &[], same, &[]);
            self.builder.switch_to_block(same);
            self.builder.seal_block(same);
            let tag = self.constant(FIRST_TEXT_TAG + i64::from(id.0));
            self.builder.ins().return_(&[tag]);
            self.builder.switch_to_block(after);
            self.builder.seal_block(after);
        }
        let other = self.constant(1);
        self.builder.ins().return_(&[other]);
    }

    /// A word that is not 0 if memory does not hold these bytes.
    fn differs(&mut self, at: Value, bytes: &[u8]) -> Value {
        let mut differs = self.constant(0);
        let (mut rest, mut place) = (bytes, 0);
        while !rest.is_empty() {
            let (ty, length): (Type, usize) = match rest.len() {
                8.. => (I64, 8),
                4.. => (I32, 4),
                2.. => (I16, 2),
                _ => (I8, 1),
            };
            let (piece, others) = rest.split_at(length);
            let mut word = [0; 8];
            word.iter_mut().zip(piece).for_each(|(to, from)| *to = *from);
            let flags = MemFlagsData::new().with_notrap().with_endianness(Endianness::Little);
            let loaded = self.builder.ins().load(ty, flags, at, place);
            let loaded = if ty == I64 { loaded } else { self.builder.ins().uextend(I64, loaded) };
            let wanted = self.constant(i64::from_le_bytes(word));
            let differ = self.builder.ins().bxor(loaded, wanted);
            differs = self.builder.ins().bor(differs, differ);
            place += i32::try_from(length).unwrap_or(0);
            rest = others;
        }
        differs
    }

    /// `(event) → 0 or 1`: whether a condition holds of an event of these kinds.
    fn rule(&mut self, kinds: &[i64], condition: FuncId, parameters: &[Value]) {
        let &[event] = parameters else { return };
        let kind = self.builder.ins().load(I64, MemFlagsData::trusted(), event, 0);
        let mut about = self.builder.ins().iconst(I8, 0);
        for known in kinds {
            let is = self.builder.ins().icmp_imm_s(IntCC::Equal, kind, *known);
            about = self.builder.ins().bor(about, is);
        }
        let (ask, other) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(about, ask, &[], other, &[]);
        self.builder.switch_to_block(other);
        self.builder.seal_block(other);
        let no = self.constant(0);
        self.builder.ins().return_(&[no]);
        self.builder.switch_to_block(ask);
        self.builder.seal_block(ask);
        // Code of conditions begins with a look at the header, whether it needs it or not.
        let header = self.memory(size_of::<Header>());
        let frames = self.memory(FRAMES as usize * size_of::<i64>());
        let zero = self.constant(0);
        for word in 0..size_of::<Header>() / size_of::<i64>() {
            self.store(zero, header, WORD * i32::try_from(word).unwrap_or(0));
        }
        let slots = self.builder.ins().iadd_imm_s(event, i64::from(SLOTS));
        for frame in 0..FRAMES {
            self.store(slots, frames, WORD * offset(frame));
        }
        let callee = self.module.declare_func_in_func(condition, self.builder.func);
        let call = self.builder.ins().call(callee, &[header, zero, frames, zero]);
        let holds = self.builder.inst_results(call).first().copied().unwrap_or(zero);
        self.builder.ins().return_(&[holds]);
    }

    /// The address of memory for the length of the call.
    fn memory(&mut self, bytes: usize) -> Value {
        let bytes = u32::try_from(bytes).unwrap_or(0);
        let data = StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 3);
        let slot = self.builder.create_sized_stack_slot(data);
        self.builder.ins().stack_addr(I64, slot, 0)
    }

    fn store(&mut self, value: Value, at: Value, offset: i32) {
        self.builder.ins().store(MemFlagsData::trusted(), value, at, offset);
    }

    fn constant(&mut self, word: i64) -> Value {
        self.builder.ins().iconst(I64, word)
    }
}

const _: () = assert!(NAME_SLOT < FIXED_SLOTS, "every frame has a name");
const _: () = assert!(size_of::<Slot>() == 16, "the header says what a field takes");

fn offset(word: u32) -> i32 {
    i32::try_from(word).unwrap_or(i32::MAX / 32)
}

fn size(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
