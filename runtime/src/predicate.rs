//! Conditions over one event, compiled: the `only if` of rules as bare predicates, without customer, history or clock.
//!
//! ```
//! use segue_compiler::{
//!     json::JsonText,
//!     project::{Project, Source, compile},
//! };
//! use segue_runtime::predicate::Predicates;
//! use std::sync::Arc;
//!
//! let text = r#"
//! event "Order Completed" { total: number, category: text, coupon: text? }
//! rule big_shoes {
//!   when "Order Completed"
//!   only if event.total >= 100 and event.category = "shoes"
//!   call big_shoes { total: event.total }
//! }
//! "#;
//! let source = Source { name: "shoes.segue".to_owned(), text: text.to_owned() };
//! let program = compile(&Project { sources: vec![source], ..Project::default() }).program.expect("no errors");
//! let predicates = Predicates::new(Arc::new(program))?;
//! let rule = predicates.rule("big_shoes").expect("it is there");
//!
//! let mut order = predicates.event("Order Completed").expect("it is declared");
//! order.read(JsonText::parse(r#"{ "total": 129.9, "category": "shoes" }"#).expect("it is JSON"));
//! assert!(order.holds(rule));
//!
//! // Values that are decoded already need no JSON.
//! let category = order.field("category").expect("it is declared");
//! order.set(category, "socks");
//! assert!(!order.holds(rule));
//!
//! // Of many rules all are asked at once: the rule at position 0 has bit 0.
//! order.set(category, "shoes");
//! assert_eq!(order.answers(), [0b1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::engine::{
    Engine, EngineError,
    constants::Constants,
    host::{Alone, Asked},
};
use segue_compiler::{
    json::JsonText,
    module::Answers,
    plan::Class,
    predicate::{Undecided, predicates},
    settings::Settings,
    typed::{EventId, EventSet, Program},
    value::{Decimal, Millis},
};
use std::{collections::BTreeMap, sync::Arc};

/// The predicates of a program: one for each of its rules.
pub struct Predicates {
    engine: Engine,
    program: Arc<Program>,
    /// By event, then by rule.
    asked: Vec<Box<[Asked]>>,
    answers: Answers,
    /// By event, the sets in which its rules are asked, [`Answers::SET`] of them in each.
    sets: Vec<Box<[usize]>>,
    /// Whether a condition asks the host about texts.
    keeps_texts: bool,
}

/// A program's rules are no predicates.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PredicateError {
    /// A rule needs more than one event to be decided.
    #[error(transparent)]
    Undecided(#[from] Undecided),
    /// The program could not be made ready.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// An event that predicates are asked of. It can be filled anew, which is cheaper than to make another one.
pub struct Occurrence<'p> {
    of: &'p Predicates,
    event: EventId,
    asked: &'p [Asked],
    sets: &'p [usize],
    answers: Box<[u64]>,
    /// By slot, the constants that it is compared with.
    constants: &'p [Constants],
    alone: Alone,
}

/// A declared field that is neither list nor object, of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    event: EventId,
    /// One that no event has when no condition looks at it.
    slot: u32,
    class: Class,
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// None.
    Missing,
    /// `true` or `false`.
    Boolean(bool),
    /// An exact decimal.
    Number(Decimal),
    /// Text.
    Text(&'a str),
    /// An instant.
    Time(Millis),
    /// A calendar day, in days since 1970-01-01.
    Date(i32),
    /// A length of time in milliseconds.
    Duration(i64),
}

impl Predicates {
    /// Compiles the conditions of a program's rules.
    ///
    /// # Errors
    /// When a rule is not triggered by one plain event, or its condition looks at anything else than that event's name
    /// and properties; when the machine is not supported.
    pub fn new(program: Arc<Program>) -> Result<Self, PredicateError> {
        let found = predicates(&program)?;
        let engine = Engine::new(program.clone(), Settings::default())?;
        let by_rule: Vec<_> = found
            .iter()
            .enumerate()
            .map(|(rule, predicate)| (predicate.events, engine.asked(rule)))
            .collect();
        let of_event = |event: EventId| {
            let asked = |(events, asked): &(&EventSet, Asked)| match events {
                EventSet::Of(events) if !events.contains(&event) => Asked::Never,
                EventSet::Of(_) | EventSet::Any => *asked,
            };
            by_rule.iter().map(asked).collect()
        };
        let asked: Vec<Box<[Asked]>> = (0..).take(program.events.len()).map(EventId).map(of_event).collect();
        let keeps_texts = by_rule.iter().any(|(_, asked)| matches!(asked, Asked::Host(_)));
        // Events whose rules are the same share the code.
        let mut known = BTreeMap::new();
        let mut set_of = |(asked, first): (&[Asked], usize)| {
            let rules = asked.iter().zip(first..).zip(0..);
            let in_set = |((asked, rule), bit): ((&Asked, usize), u32)| match asked {
                Asked::Frames(_) => Some((bit, engine.only_if(rule)?)),
                Asked::Never | Asked::Host(_) => None,
            };
            let next = known.len();
            *known.entry(rules.filter_map(in_set).collect::<Vec<_>>()).or_insert(next)
        };
        let sets = asked
            .iter()
            .map(|asked| {
                asked.chunks(Answers::SET).zip((0..).step_by(Answers::SET)).map(&mut set_of).collect()
            })
            .collect();
        let mut conditions: Vec<_> = known.into_iter().collect();
        conditions.sort_by_key(|(_, number)| *number);
        let conditions: Vec<_> = conditions.into_iter().map(|(set, _)| set).collect();
        let answers = engine.answers(&conditions)?;
        Ok(Self { engine, program, asked, answers, sets, keeps_texts })
    }

    /// The position of a rule, by its name: that in [`Program::rules`].
    #[must_use]
    pub fn rule(&self, name: &str) -> Option<usize> {
        self.program.rules.iter().position(|rule| &*rule.name == name)
    }

    /// An event of which every field is missing; `None` when none of this name is declared.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<Occurrence<'_>> {
        let (event, alone) = self.engine.alone(name)?;
        let asked = self.asked.get(event.0 as usize)?;
        let sets = self.sets.get(event.0 as usize)?;
        let answers = vec![0; sets.len()].into();
        Some(Occurrence { of: self, event, asked, sets, answers, constants: self.engine.constants(), alone })
    }
}

impl Occurrence<'_> {
    /// A declared field of this event, for [`Occurrence::set`]; `None` for lists and objects, which only
    /// [`Occurrence::read`] takes.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Field> {
        let declared = self.of.program.events.get(self.event.0 as usize)?;
        let field = declared.fields.iter().find(|field| &*field.name == name)?;
        let slot = self.of.engine.slot_of(self.event, name).unwrap_or(u32::MAX);
        let class = Class::of(&field.ty);
        field.ty.is_scalar().then_some(Field { event: self.event, slot, class })
    }

    /// Takes properties from a JSON object. As everywhere, a field that is invalid there is missing.
    pub fn read(&mut self, properties: JsonText<'_>) {
        self.of.engine.read_alone(self.event, &mut self.alone, properties);
    }

    /// Makes every field missing, as in a new one.
    #[inline]
    pub fn clear(&mut self) {
        self.alone.clear();
    }

    /// Sets a field. It becomes missing by a value of another type than its own; a field of another event changes nothing.
    #[inline(always)]
    pub fn set<'v>(&mut self, field: Field, value: impl Into<Input<'v>>) {
        let Field { event, slot, class } = field;
        if event != self.event {
            return;
        }
        match (value.into(), class) {
            (Input::Text(text), Class::Text) if self.of.keeps_texts => self.set_and_keep(slot, text),
            (Input::Text(text), Class::Text) => self.alone.set_text(slot, self.constants, text),
            (value, class) => self.alone.set(slot, value.word(class)),
        }
    }

    /// Sets a text of which the host may be asked.
    #[cold]
    fn set_and_keep(&mut self, slot: u32, text: &str) {
        self.alone.keep_text(slot, text);
        self.alone.set_text(slot, self.constants, text);
    }

    /// Whether the `only if` of the rule at a position holds of this event; it does not when the rule is about other
    /// events.
    ///
    /// This is a call of the machine code and no more, except for conditions with tests of parts of texts, lists,
    /// functions, multiplication or division, which need a context that is made for each call.
    #[inline]
    pub fn holds(&mut self, rule: usize) -> bool {
        match self.asked.get(rule) {
            Some(asked) => self.alone.holds(&self.of.engine, *asked),
            None => false,
        }
    }

    /// Asks every rule: bit `n % 64` of word `n / 64` is what [`Occurrence::holds`] says of the rule at position `n`.
    ///
    /// For conditions that need no context of their own this is a call of the machine code for each 64 rules, which
    /// computes once what several of them have in common.
    #[inline]
    pub fn answers(&mut self) -> &[u64] {
        for (answers, set) in self.answers.iter_mut().zip(self.sets) {
            *answers = self.alone.answers(&self.of.answers, *set);
        }
        if self.of.keeps_texts {
            self.ask_with_host();
        }
        &self.answers
    }

    /// Sets the bits of conditions that need a context.
    #[cold]
    fn ask_with_host(&mut self) {
        for (asked, rule) in self.asked.iter().zip(0..) {
            if matches!(asked, Asked::Host(_))
                && self.alone.holds(&self.of.engine, *asked)
                && let Some(answers) = self.answers.get_mut(rule / Answers::SET)
            {
                *answers |= 1 << (rule % Answers::SET);
            }
        }
    }
}

impl Input<'_> {
    /// The word of a slot of a class; `None` when the value is missing or of another type.
    #[inline]
    fn word(self, class: Class) -> Option<i64> {
        match (self, class) {
            (Self::Boolean(value), Class::Boolean) => Some(i64::from(value)),
            (Self::Number(number), Class::Number) => Some(number.0),
            (Self::Time(word), Class::Time) | (Self::Duration(word), Class::Duration) => Some(word),
            (Self::Date(days), Class::Date) => Some(i64::from(days)),
            (
                Self::Missing
                | Self::Boolean(_)
                | Self::Number(_)
                | Self::Text(_)
                | Self::Time(_)
                | Self::Date(_)
                | Self::Duration(_),
                _,
            ) => None,
        }
    }
}

impl<'a> From<&'a str> for Input<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl From<Decimal> for Input<'_> {
    fn from(number: Decimal) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Input<'_> {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl<'a, T: Into<Input<'a>>> From<Option<T>> for Input<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Missing, Into::into)
    }
}
