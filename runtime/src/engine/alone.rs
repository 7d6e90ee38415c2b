//! Events of nobody: how conditions are asked of an event without a customer.

use super::{
    Engine, EngineError,
    constants::Constants,
    host::{Alone, Asked},
};
use segue_compiler::{
    abi::Slot,
    codegen::looks_at_frames_only,
    json::JsonText,
    module::Answers,
    plan::ConditionId,
    typed::EventId,
    value::{Millis, Value},
};

impl Engine {
    /// The event of a name, and an occurrence of it without properties.
    pub(crate) fn alone(&self, event: &str) -> Option<(EventId, Alone)> {
        let id = EventId(self.machine.events.get(event)?);
        Some((id, Alone::new(&self.machine, self.made(id, "", Millis::default(), 0, |_| Value::Missing))))
    }

    /// A rule's `only if`.
    pub(crate) fn only_if(&self, rule: usize) -> Option<ConditionId> {
        self.machine.plan.rules.get(rule)?.only_if
    }

    /// Makes the code of sets of conditions that look at frames only.
    pub(crate) fn answers(&self, sets: &[Vec<(u32, ConditionId)>]) -> Result<Answers, EngineError> {
        Ok(Answers::new(&self.machine.plan, sets)?)
    }

    /// What is asked for a rule's `only if`.
    pub(crate) fn asked(&self, rule: usize) -> Asked {
        let plan = &self.machine.plan;
        let Some(condition) = self.only_if(rule) else { return Asked::Never };
        let node = plan.conditions.get(condition.0 as usize);
        match self.machine.code.as_ref().and_then(|code| code.condition(condition)) {
            Some(entry) if node.is_some_and(|node| looks_at_frames_only(plan, *node)) => Asked::Frames(entry),
            Some(_) | None => Asked::Host(condition),
        }
    }

    /// By slot, of whichever event, the constants that it is compared with.
    pub(crate) fn constants(&self) -> &[Constants] {
        &self.machine.of_slots
    }

    /// The slot of a field; `None` when no rule looks at it.
    pub(crate) fn slot_of(&self, event: EventId, field: &str) -> Option<u32> {
        self.machine.plan.layouts.get(event.0 as usize)?.names.get(field).copied()
    }

    /// Reads an event's properties in place of those it had.
    pub(crate) fn read_alone(&self, event: EventId, alone: &mut Alone, properties: JsonText<'_>) {
        alone.clear();
        self.properties(event, properties, |slot, filled, value| {
            alone.put(slot, filled);
            alone.keep(slot, value);
        });
    }
}

impl Alone {
    /// Sets the word of a slot; a missing value has none.
    #[inline]
    pub(crate) fn set(&mut self, slot: u32, word: Option<i64>) {
        self.put(slot, word.map_or_else(Slot::default, |word| Slot { tag: 1, word }));
    }

    /// Sets the text of a slot.
    #[inline]
    pub(crate) fn set_text(&mut self, slot: u32, constants: &[Constants], text: &str) {
        let tag = constants.get(slot as usize).map_or(1, |constants| constants.tag(text));
        self.put(slot, Slot { tag, word: i64::from(slot) });
    }

    /// Keeps the text of a slot, for the host.
    pub(crate) fn keep_text(&mut self, slot: u32, text: &str) {
        self.keep(slot, Value::text(text));
    }
}
