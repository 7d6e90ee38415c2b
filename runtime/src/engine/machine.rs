//! What runs are made of: plan, code, constants.

use super::{constants::Constants, fields::Fields, names::Names, ring::Ring};
use segue_compiler::{
    abi::{FIRST_TEXT_TAG, Slot},
    module::Code,
    pattern,
    plan::{Class, Plan},
    typed::EventType,
    value::Value,
};

/// A plan with its code and constants.
pub(super) struct Machine {
    pub(super) plan: Plan,
    /// Without it the plan is interpreted.
    pub(super) code: Option<Code>,
    /// The events by number.
    pub(super) events: Names,
    /// Of each of them, the fields in use.
    pub(super) fields: Vec<Fields>,
    /// Their names as values.
    pub(super) titles: Vec<Value>,
    /// By node, whether it looks at a remembered row.
    pub(super) of_row: Vec<bool>,
    /// The text constants as values.
    pub(super) constants: Vec<Value>,
    /// The text constants by number.
    texts: Names,
    /// By slot, of whichever event, the text constants that it is compared with.
    pub(super) of_slots: Vec<Constants>,
    /// The plan's regular expressions; one that does not compile (which the checker refuses) never matches.
    pub(super) patterns: Vec<Option<regex::Regex>>,
    /// The rows of what never happened.
    pub(super) no_rows: Ring,
}

impl Machine {
    pub(super) fn new(plan: Plan, code: Option<Code>, events: &[EventType]) -> Self {
        let laid_out = events.iter().zip(&plan.layouts);
        let fields = laid_out.map(|(event, layout)| Fields::new(event, layout)).collect();
        let events = Names::new(events.iter().map(|event| event.name.clone()));
        Self {
            fields,
            titles: events.all().iter().map(|name| Value::text(name)).collect(),
            events,
            of_row: plan.of_row(),
            constants: plan.texts.iter().map(|text| Value::text(text)).collect(),
            texts: Names::new(plan.texts.iter().cloned()),
            of_slots: Constants::of_slots(&plan),
            patterns: plan.patterns.iter().map(|pattern| pattern::ready(pattern).ok()).collect(),
            no_rows: Ring::default(),
            plan,
            code,
        }
    }

    /// The values of an event as machine code sees them, slot by slot.
    #[inline]
    pub(super) fn slots<'v>(&'v self, values: &'v [Value]) -> impl Iterator<Item = Slot> + 'v {
        let placed = values.iter().zip(&self.of_slots).zip(0..);
        placed.map(|((value, constants), place)| self.compared(value, constants, place))
    }

    /// A value of an event as machine code sees it in a slot.
    #[inline]
    pub(super) fn slot_of(&self, value: &Value, slot: u32) -> Slot {
        match self.of_slots.get(slot as usize) {
            Some(constants) => self.compared(value, constants, i64::from(slot)),
            None => Slot::default(),
        }
    }

    #[inline]
    fn compared(&self, value: &Value, constants: &Constants, place: i64) -> Slot {
        match value {
            Value::Text(text) => Slot { tag: constants.tag(text), word: place },
            other => self.slot(other, place),
        }
    }

    /// A value as machine code sees it; `place` is where it lies, for texts, lists and objects.
    pub(super) fn slot(&self, value: &Value, place: i64) -> Slot {
        match value {
            Value::Missing => Slot::default(),
            Value::Text(text) => {
                let tag = self.texts.get(text).map_or(1, |number| FIRST_TEXT_TAG + i64::from(number));
                Slot { tag, word: place }
            }
            Value::List(_) | Value::Object(_) => Slot { tag: 1, word: place },
            Value::Boolean(_) | Value::Number(_) | Value::Time(_) | Value::Date(_) | Value::Duration(_) => {
                Slot { tag: 1, word: Class::word(value).unwrap_or(0) }
            }
        }
    }
}
