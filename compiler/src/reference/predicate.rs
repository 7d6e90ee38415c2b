//! The meaning of predicates: what a condition says of one event of nobody.

use super::{
    Reference,
    customer::{Customer, Event},
    evaluate::{Asked, This},
    sequence::Match,
};
use crate::{
    decode,
    json::JsonText,
    predicate::{Undecided, predicates},
    settings::Settings,
    time::Zone,
    typed::{EventId, Program, SequenceId, Trigger},
    types::Field,
    value::Value,
};
use std::sync::Arc;

/// The predicates of a program, interpreted.
#[derive(Debug)]
pub struct Predicates {
    reference: Reference,
    nobody: Customer,
}

/// An event that predicates are asked of.
#[derive(Clone, Debug)]
pub struct Occurrence {
    id: EventId,
    found: Match,
}

impl Predicates {
    /// Makes the predicates of a program.
    ///
    /// # Errors
    /// The first rule whose condition one event does not decide.
    pub fn new(program: Arc<Program>) -> Result<Self, Undecided> {
        predicates(&program)?;
        let nobody = Customer::new(Arc::from(""), &program);
        Ok(Self { reference: Reference::new(program, Settings::default()), nobody })
    }

    /// An event from its properties, a JSON object; what is invalid there is missing. `None` when no event of this name
    /// is declared.
    #[must_use]
    pub fn read(&self, event: &str, properties: JsonText<'_>) -> Option<Occurrence> {
        let id = self.reference.program.event(event)?;
        let declared = self.reference.program.events.get(id.0 as usize)?;
        let read = |field: &Field| decode::value(properties.member(&field.name)?, &field.ty).ok();
        let fields = declared.fields.iter().map(|field| read(field).unwrap_or_default()).collect();
        self.occurrence(event, fields)
    }

    /// An event from the values of its declared fields, in order. `None` when no event of this name is declared.
    #[must_use]
    pub fn occurrence(&self, event: &str, fields: Vec<Value>) -> Option<Occurrence> {
        let id = self.reference.program.event(event)?;
        let name = self.reference.program.events.get(id.0 as usize)?.name.clone();
        let event = Event {
            stamp: (0, 0),
            id: Some(id),
            name,
            message_id: Arc::from(""),
            fields,
            zone: Zone::utc(),
            active: true,
        };
        let found = Match { sequence: SequenceId(0), events: vec![Arc::new(event)], first: (0, 0) };
        Some(Occurrence { id, found })
    }

    /// Whether the condition of a rule, by its position in [`Program::rules`], holds of an event. It does not when the
    /// rule is about other events.
    #[must_use]
    pub fn holds(&self, rule: usize, occurrence: &Occurrence) -> bool {
        let program = &self.reference.program;
        let Some(rule) = program.rules.get(rule) else { return false };
        let Trigger::Sequence(sequence) = rule.trigger else { return false };
        let sequence = program.sequences.get(sequence.0 as usize);
        let element = sequence.and_then(|sequence| sequence.elements.first());
        let about = element.is_some_and(|element| element.pattern.is_of(Some(occurrence.id)));
        let asked = Asked {
            reference: &self.reference,
            customer: &self.nobody,
            now: 0,
            found: Some(&occurrence.found),
            answer: None,
        };
        about && rule.only_if.as_ref().is_some_and(|condition| asked.holds(condition, This::Nothing))
    }
}
