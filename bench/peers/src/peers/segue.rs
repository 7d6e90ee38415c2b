//! Segue: compiled, and interpreted by the reference that says what the language means.

use super::{Fault, PREDICATES, Peer, bits};
use crate::{
    events::{Line, Properties},
    measure::Column,
};
use segue_compiler::{
    json::{JsonText, Reader},
    project::{Project, Source, compile},
    reference,
    typed::Program,
    value::{Decimal, Value},
};
use segue_runtime::predicate::{Field, Occurrence, Predicates};
use std::{borrow::Cow, sync::Arc};

const RULES: [&str; PREDICATES] = ["dear_shoes", "middle_of_the_range", "norwegian_offer"];
const EVENTS: [&str; 2] = ["Order Completed", "Product Viewed"];
const FIELDS: [&str; 6] = ["category", "price", "quantity", "total", "country", "coupon"];

/// The name of a line's event, and its properties as they are written.
fn open(line: &str) -> Result<(Cow<'_, str>, JsonText<'_>), Fault> {
    let (mut event, mut properties) = (None, None);
    let mut reader = Reader::new(line);
    let fault = |_| "a line is not JSON";
    reader.open().map_err(fault)?;
    while let Some((key, value)) = reader.member().map_err(fault)? {
        if key.is("event") {
            event = value.string();
        } else if key.is("properties") {
            properties = Some(value);
        }
    }
    Ok((event.ok_or("a line has no event")?, properties.ok_or("a line has no properties")?))
}

fn program() -> Result<Arc<Program>, Fault> {
    let text = include_str!("predicates.segue").to_owned();
    let source = Source { name: "predicates.segue".to_owned(), text };
    let checked = compile(&Project { sources: vec![source], ..Project::default() });
    let program = checked.program.ok_or_else(|| format!("{:?}", checked.diagnostics))?;
    Ok(Arc::new(program))
}

/// The positions of the rules.
fn rules(program: &Program) -> Result<[usize; PREDICATES], Fault> {
    let mut positions = [0; PREDICATES];
    for (place, name) in positions.iter_mut().zip(RULES) {
        let position = program.rules.iter().position(|rule| &*rule.name == name);
        *place = position.ok_or_else(|| format!("there is no rule {name}"))?;
    }
    Ok(positions)
}

/// An amount as an exact decimal.
fn decimal(amount: f64) -> Decimal {
    // Amounts are positive, have two places and are far below 2^53 millionths, so that this is exact.
    #[expect(clippy::cast_possible_truncation, reason = "amounts are small")]
    let millionths = (amount * 1e6 + 0.5) as i64;
    Decimal(millionths)
}

/// Who decodes a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decoder {
    /// serde_json, into the struct that all other peers take their values from.
    Serde,
    /// Segue, which finds the fields that rules look at in the text of the properties.
    Own,
}

/// Machine code.
pub(super) struct Compiled {
    decoder: Decoder,
    predicates: &'static Predicates,
    rules: [usize; PREDICATES],
    /// The bit of each rule in the answers of all.
    own: [u64; PREDICATES],
    /// An occurrence of each event, to be filled anew, and its fields.
    events: Vec<(Occurrence<'static>, [Field; FIELDS.len()])>,
    bound: Vec<Occurrence<'static>>,
}

impl Compiled {
    pub(super) fn new(decoder: Decoder) -> Result<Self, Fault> {
        let program = program()?;
        let rules = rules(&program)?;
        // It is needed until the end, and what is bound points into it.
        let predicates: &'static Predicates = Box::leak(Box::new(Predicates::new(program)?));
        let mut events = Vec::new();
        for name in EVENTS {
            let event = predicates.event(name).ok_or("an event is not declared")?;
            let fields: Option<Vec<Field>> = FIELDS.iter().map(|field| event.field(field)).collect();
            let fields = fields.and_then(|fields| fields.try_into().ok()).ok_or("a field is not declared")?;
            events.push((event, fields));
        }
        let own = rules.map(|rule| 1 << rule);
        Ok(Self { decoder, predicates, rules, own, events, bound: Vec::new() })
    }

    fn event(&mut self, name: &str) -> Option<&mut (Occurrence<'static>, [Field; FIELDS.len()])> {
        // The names differ in length; which of them it is cannot be foreseen, so nothing branches on it.
        let [first, second] = EVENTS;
        let is_second = name.len() == second.len();
        let known = self.events.get_mut(usize::from(is_second))?;
        let expected = if is_second { second } else { first };
        (name == expected).then_some(known)
    }
}

fn fill(occurrence: &mut Occurrence<'_>, fields: &[Field; FIELDS.len()], event: &Properties<'_>) {
    let [category, price, quantity, total, country, coupon] = *fields;
    occurrence.set(category, event.category);
    occurrence.set(price, decimal(event.price));
    occurrence.set(quantity, decimal(event.quantity));
    occurrence.set(total, decimal(event.total));
    occurrence.set(country, event.country);
    occurrence.set(coupon, event.coupon);
}

/// Asks one rule after the other.
fn ask(occurrence: &mut Occurrence<'_>, rules: [usize; PREDICATES]) -> u8 {
    bits(|number| rules.get(number).is_some_and(|rule| occurrence.holds(*rule)))
}

/// Asks all rules at once; they are fewer than 64, and each has its bit.
fn ask_all(occurrence: &mut Occurrence<'_>, own: [u64; PREDICATES]) -> u8 {
    let answers = occurrence.answers().first().copied().unwrap_or(0);
    bits(|number| own.get(number).is_some_and(|bit| answers & bit != 0))
}

impl<'d> Peer<'d> for Compiled {
    fn name(&self) -> &'static str {
        match self.decoder {
            Decoder::Serde => "Segue, compiled",
            Decoder::Own => "Segue, compiled, own decoding",
        }
    }

    fn has(&self, column: Column) -> bool {
        self.decoder == Decoder::Serde || column == Column::Decoding
    }

    fn bind(&mut self, events: &'d [Line<'d>]) -> Result<(), Fault> {
        self.bound.clear();
        for event in events {
            let (_, fields) = self.event(event.event).ok_or("an event is not declared")?;
            let fields = *fields;
            let mut occurrence = self.predicates.event(event.event).ok_or("an event is not declared")?;
            fill(&mut occurrence, &fields, &event.properties);
            self.bound.push(occurrence);
        }
        Ok(())
    }

    fn ask(&mut self, answers: &mut [u8]) -> Result<(), Fault> {
        for (occurrence, answer) in self.bound.iter_mut().zip(answers) {
            *answer = ask(occurrence, self.rules);
        }
        Ok(())
    }

    fn bind_and_ask(&mut self, events: &'d [Line<'d>], answers: &mut [u8]) -> Result<(), Fault> {
        let own = self.own;
        for (event, answer) in events.iter().zip(answers) {
            let (occurrence, fields) = self.event(event.event).ok_or("an event is not declared")?;
            fill(occurrence, fields, &event.properties);
            *answer = ask_all(occurrence, own);
        }
        Ok(())
    }

    fn decode_and_ask(&mut self, lines: &'d [String], answers: &mut [u8]) -> Result<(), Fault> {
        let own = self.own;
        for (line, answer) in lines.iter().zip(answers) {
            let occurrence = match self.decoder {
                Decoder::Serde => {
                    let event: Line<'d> = serde_json::from_str(line)?;
                    let (occurrence, fields) = self.event(event.event).ok_or("an event is not declared")?;
                    fill(occurrence, fields, &event.properties);
                    occurrence
                }
                Decoder::Own => {
                    let (event, properties) = open(line)?;
                    let (occurrence, _) = self.event(&event).ok_or("an event is not declared")?;
                    occurrence.read(properties);
                    occurrence
                }
            };
            *answer = ask_all(occurrence, own);
        }
        Ok(())
    }
}

/// The reference interpreter.
pub(super) struct Interpreted {
    predicates: reference::Predicates,
    rules: [usize; PREDICATES],
    bound: Vec<reference::Occurrence>,
}

impl Interpreted {
    pub(super) fn new() -> Result<Self, Fault> {
        let program = program()?;
        let rules = rules(&program)?;
        Ok(Self { predicates: reference::Predicates::new(program)?, rules, bound: Vec::new() })
    }

    fn occurrence(&self, event: &Line<'_>) -> Result<reference::Occurrence, Fault> {
        let it = &event.properties;
        let number = |amount| Value::Number(decimal(amount));
        let fields = vec![
            Value::Missing,
            Value::text(it.category),
            number(it.price),
            number(it.quantity),
            number(it.total),
            Value::text(it.country),
            it.coupon.map_or(Value::Missing, Value::text),
        ];
        Ok(self.predicates.occurrence(event.event, fields).ok_or("an event is not declared")?)
    }

    fn answer(&self, occurrence: &reference::Occurrence) -> u8 {
        bits(|number| self.rules.get(number).is_some_and(|rule| self.predicates.holds(*rule, occurrence)))
    }
}

impl<'d> Peer<'d> for Interpreted {
    fn name(&self) -> &'static str {
        "Segue, reference interpreter"
    }

    fn bind(&mut self, events: &'d [Line<'d>]) -> Result<(), Fault> {
        let bound: Result<Vec<_>, Fault> = events.iter().map(|event| self.occurrence(event)).collect();
        self.bound = bound?;
        Ok(())
    }

    fn ask(&mut self, answers: &mut [u8]) -> Result<(), Fault> {
        for (occurrence, answer) in self.bound.iter().zip(answers) {
            *answer = self.answer(occurrence);
        }
        Ok(())
    }

    fn bind_and_ask(&mut self, events: &'d [Line<'d>], answers: &mut [u8]) -> Result<(), Fault> {
        for (event, answer) in events.iter().zip(answers) {
            *answer = self.answer(&self.occurrence(event)?);
        }
        Ok(())
    }

    fn decode_and_ask(&mut self, lines: &'d [String], answers: &mut [u8]) -> Result<(), Fault> {
        for (line, answer) in lines.iter().zip(answers) {
            let (event, properties) = open(line)?;
            let occurrence = self.predicates.read(&event, properties);
            *answer = self.answer(&occurrence.ok_or("an event is not declared")?);
        }
        Ok(())
    }
}
