//! What machine code runs on: plan, code, constants.

use segue_compiler::{
    abi::{FIRST_TEXT_TAG, Slot},
    module::Code,
    plan::{Class, Plan},
    value::Value,
};
use std::{collections::HashMap, sync::Arc};

/// A plan with its code and constants.
pub(super) struct Machine {
    pub(super) plan: Plan,
    pub(super) code: Code,
    /// The text constants as values.
    pub(super) constants: Vec<Value>,
    /// The tag of each text constant; only looked up, never iterated.
    tags: HashMap<Arc<str>, i64>,
    /// The plan's regular expressions; one that does not compile (which the checker refuses) never matches.
    pub(super) patterns: Vec<Option<regex::Regex>>,
}

impl Machine {
    pub(super) fn new(plan: Plan, code: Code) -> Self {
        Self {
            constants: plan.texts.iter().map(|text| Value::Text(text.clone())).collect(),
            tags: plan.texts.iter().cloned().zip(FIRST_TEXT_TAG..).collect(),
            patterns: plan.patterns.iter().map(|pattern| regex::Regex::new(pattern).ok()).collect(),
            plan,
            code,
        }
    }

    /// A value as machine code sees it; `place` is where it lies, for texts, lists and objects.
    pub(super) fn slot(&self, value: &Value, place: i64) -> Slot {
        match value {
            Value::Missing => Slot::default(),
            Value::Text(text) => Slot { tag: self.tags.get(&**text).copied().unwrap_or(1), word: place },
            Value::List(_) | Value::Object(_) => Slot { tag: 1, word: place },
            Value::Boolean(_) | Value::Number(_) | Value::Time(_) | Value::Date(_) | Value::Duration(_) => {
                Slot { tag: 1, word: Class::word(value).unwrap_or(0) }
            }
        }
    }
}
