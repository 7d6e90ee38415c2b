//! Conditions that one event decides as an object file with a C header, to be linked into programs of any language.
//!
//! The code needs nothing of whoever it is linked to: no functions, no memory of its own. So only conditions are in it that
//! compare, add and subtract; tests of parts of texts, lists, functions, multiplication and division need the engine.

mod entries;
mod header;
mod names;

use crate::{
    codegen::{self, looks_at_frames_only},
    lower::lower,
    plan::{Class, FIXED_SLOTS, FrameRef, Node, NodeId, Plan, TextId},
    predicate::predicate,
    typed::{EventId, EventSet, Program},
};
use cranelift_module::default_libcall_names;
use cranelift_object::{ObjectBuilder, ObjectModule};
use names::Names;
use std::{collections::BTreeSet, sync::Arc};

/// An object file and what belongs to it.
#[derive(Clone, Debug)]
pub struct ObjectFile {
    /// The object file, in the format of this machine.
    pub bytes: Vec<u8>,
    /// The C header that declares what is in it.
    pub header: String,
    /// The rules whose conditions are in it.
    pub rules: Vec<Arc<str>>,
    /// The rules whose conditions are not, and why.
    pub left_out: Vec<(Arc<str>, String)>,
}

/// An object file could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// None of the rules has a condition that could be in it.
    #[error("no rule has a condition that one event decides by comparisons alone{}", first(.0))]
    Nothing(Vec<(Arc<str>, String)>),
    /// Code could not be made.
    #[error("machine code could not be made: {0}")]
    Code(String),
}

/// Why the first of the rules is none.
fn first(left_out: &[(Arc<str>, String)]) -> String {
    left_out.first().map_or_else(String::new, |(rule, why)| format!("; of `{rule}`, {why}"))
}

/// What an object file shows.
struct Exports {
    /// What every name begins with.
    prefix: String,
    /// How many slots an event has.
    slots: u32,
    events: Vec<Event>,
    rules: Vec<Rule>,
    /// The text constants that a text is compared with.
    texts: Vec<(TextId, Arc<str>)>,
}

/// An event that rules are about.
struct Event {
    id: EventId,
    name: Arc<str>,
    /// What it is called in C.
    constant: String,
    fields: Vec<Field>,
}

/// A field that conditions look at.
struct Field {
    /// Its path, as rules write it.
    path: String,
    constant: String,
    slot: u32,
    class: Class,
}

/// A rule whose condition is exported.
struct Rule {
    name: Arc<str>,
    title: Option<Arc<str>>,
    function: String,
    condition: NodeId,
    events: Vec<EventId>,
}

/// Makes the object file of a program. `prefix` is what its names begin with; it should say what the rules are about.
///
/// # Errors
/// When no rule has a condition for it, or the machine is not supported.
pub fn object(program: &Program, prefix: &str) -> Result<ObjectFile, ObjectError> {
    let plan = lower(program);
    let (exports, left_out) = exports(program, &plan, prefix);
    if exports.rules.is_empty() {
        return Err(ObjectError::Nothing(left_out));
    }
    let bytes = code(&plan, &exports).map_err(ObjectError::Code)?;
    let header = header::header(&exports);
    let rules = exports.rules.into_iter().map(|rule| rule.name).collect();
    Ok(ObjectFile { bytes, header, rules, left_out })
}

fn code(plan: &Plan, exports: &Exports) -> Result<Vec<u8>, String> {
    let words = |error: cranelift_module::ModuleError| error.to_string();
    let target = codegen::portable_target()?;
    let builder =
        ObjectBuilder::new(target, exports.prefix.clone(), default_libcall_names()).map_err(words)?;
    let mut module = ObjectModule::new(builder);
    let conditions: Vec<NodeId> = exports.rules.iter().map(|rule| rule.condition).collect();
    let conditions =
        codegen::conditions(plan, &mut module, &conditions).map_err(|error| error.to_string())?;
    entries::define(&mut module, exports, &conditions).map_err(|error| error.to_string())?;
    module.finish().emit().map_err(|error| error.to_string())
}

/// What can be exported, and what is left out.
fn exports(program: &Program, plan: &Plan, prefix: &str) -> (Exports, Vec<(Arc<str>, String)>) {
    let prefix = names::word(prefix);
    let mut names = Names::new(&prefix);
    let (mut rules, mut left_out) = (Vec::new(), Vec::new());
    for (rule, planned) in program.rules.iter().zip(&plan.rules) {
        let found = predicate(program, rule).map_err(|lack| lack.to_string()).and_then(|predicate| {
            let condition = planned.only_if.and_then(|id| plan.conditions.get(id.0 as usize)).copied();
            match (condition.filter(|node| compares_only(plan, *node)), predicate.events) {
                (Some(condition), EventSet::Of(events)) => Ok((condition, events.clone())),
                (Some(_), EventSet::Any) => Err("it is about any event".to_owned()),
                (None, _) => Err("its condition does more than compare, add and subtract".to_owned()),
            }
        });
        match found {
            Ok((condition, events)) => rules.push(Rule {
                name: rule.name.clone(),
                title: rule.title.clone(),
                function: names.function(&rule.name),
                condition,
                events,
            }),
            Err(why) => left_out.push((rule.name.clone(), why)),
        }
    }
    let about: BTreeSet<EventId> = rules.iter().flat_map(|rule| rule.events.iter().copied()).collect();
    let below: BTreeSet<NodeId> = rules.iter().flat_map(|rule| below(plan, rule.condition)).collect();
    let texts = below.iter().filter_map(|id| match plan.node(*id) {
        Node::Text(text) => Some(*text),
        _ => None,
    });
    let texts: BTreeSet<TextId> = texts.collect();
    let texts = texts.into_iter().filter_map(|id| Some((id, plan.texts.get(id.0 as usize)?.clone())));
    let events: Vec<Event> = about.iter().filter_map(|id| event(program, plan, *id, &mut names)).collect();
    let laid_out = about.iter().filter_map(|id| plan.layouts.get(id.0 as usize));
    let slots = laid_out.map(|layout| layout.slots).max().unwrap_or(FIXED_SLOTS);
    (Exports { prefix, slots, events, texts: texts.collect(), rules }, left_out)
}

fn event(program: &Program, plan: &Plan, id: EventId, names: &mut Names) -> Option<Event> {
    let declared = program.events.get(id.0 as usize)?;
    let layout = plan.layouts.get(id.0 as usize)?;
    let constant = names.constant(&["event", &declared.name]);
    let mut fields = Vec::new();
    for used in &layout.fields {
        let Some(field) = declared.fields.get(used.field as usize) else { continue };
        for slot in used.slots.iter().filter(|slot| slot.class == Class::Text || !slot.class.is_handle()) {
            let parts: Vec<&str> =
                std::iter::once(&*field.name).chain(slot.path.iter().map(|part| &**part)).collect();
            let path = parts.join(".");
            let constant = names.constant(&["field", &declared.name, &path]);
            fields.push(Field { path, constant, slot: slot.slot, class: slot.class });
        }
    }
    fields.sort_by_key(|field| field.slot);
    Some(Event { id, name: declared.name.clone(), constant, fields })
}

/// Whether a condition looks at single values of an event only, and calls nobody.
fn compares_only(plan: &Plan, condition: NodeId) -> bool {
    let single = |id: &NodeId| match plan.node(*id) {
        Node::Slot { frame: FrameRef::Trigger | FrameRef::Element(0), class, .. } => {
            *class == Class::Text || !class.is_handle()
        }
        Node::Slot { .. } => false,
        _ => true,
    };
    looks_at_frames_only(plan, condition) && below(plan, condition).iter().all(single)
}

/// A node and all that it uses.
fn below(plan: &Plan, node: NodeId) -> BTreeSet<NodeId> {
    let mut open = vec![node];
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(plan.node(id).operands());
        }
    }
    seen
}
