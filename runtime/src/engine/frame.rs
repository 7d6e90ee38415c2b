//! One event as machine code sees it: only the fields that the rules use.

use super::{Engine, machine::Machine};
use segue_compiler::{
    abi::Slot,
    decode,
    event::Call,
    execution::Counts,
    plan::{FIXED_SLOTS, Layout},
    typed::{EventId, EventType},
    types::Field,
    value::{Millis, Value},
};
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt, sync::Arc};

/// An event with the slots of its layout.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// The event; `None` when it is not declared.
    pub(super) event: Option<EventId>,
    pub(super) name: Arc<str>,
    pub(super) message_id: Arc<str>,
    pub(super) at: Millis,
    /// Its place in the customer's order of application.
    pub(super) order: u64,
    pub(super) slots: Box<[Slot]>,
    pub(super) values: Box<[Value]>,
}

impl Frame {
    /// The event's place in the customer's history.
    pub(super) fn stamp(&self) -> (Millis, u64) {
        (self.at, self.order)
    }

    /// The event as it is remembered: texts cut to what state keeps.
    pub(super) fn kept(&self, machine: &Machine) -> Self {
        let values: Box<[Value]> = self.values.iter().map(Value::kept).collect();
        let slots = values.iter().zip(0..).map(|(value, place)| machine.slot(value, place)).collect();
        Self { values, slots, ..self.clone() }
    }
}

impl Engine {
    /// The frame of a tracked event.
    pub(super) fn frame(&self, event: Tracked<'_>, at: Millis, order: u64, counts: &mut Counts) -> Frame {
        let id = self.events.get(event.name).copied();
        let name = id.and_then(|id| self.program.events.get(id.0 as usize)).map(|event| event.name.clone());
        let mut builder = FrameBuilder::new(
            &self.machine,
            id,
            name.unwrap_or_else(|| Arc::from(event.name)),
            event.message_id,
            at,
        );
        if let Some((ty, layout)) = builder.declared(self) {
            let mut seen = vec![false; layout.fields.len()];
            if let Some(properties) = event.properties {
                let seed = Fields { ty, layout, seen: &mut seen, builder: &mut builder, counts };
                let mut json = serde_json::Deserializer::from_str(properties.get());
                // What is no object has no fields.
                let _ = seed.deserialize(&mut json);
            }
            for (used, seen) in layout.fields.iter().zip(&mut seen) {
                let Some(field) = ty.fields.get(used.field as usize) else { continue };
                if let (Some(text), "name") = (event.title, &*field.name) {
                    builder.fill(used, &Value::text(text));
                    *seen = true;
                }
                counts.invalid_fields += u64::from(!*seen && !field.optional);
            }
        }
        builder.finish(order)
    }

    /// The frame of an event that a rule made.
    pub(super) fn made(
        &self,
        event: EventId,
        message_id: &str,
        at: Millis,
        order: u64,
        fields: &[(Arc<str>, Value)],
    ) -> Frame {
        let name = self.program.events.get(event.0 as usize).map(|event| event.name.clone());
        let mut builder =
            FrameBuilder::new(&self.machine, Some(event), name.unwrap_or_default(), message_id, at);
        if let Some((ty, layout)) = builder.declared(self) {
            for used in &layout.fields {
                let Some(field) = ty.fields.get(used.field as usize) else { continue };
                if let Some((_, value)) = fields.iter().find(|(name, _)| *name == field.name) {
                    builder.fill(used, value);
                }
            }
        }
        builder.finish(order)
    }
}

/// A tracked event before its fields are read.
#[derive(Clone, Copy)]
pub(super) struct Tracked<'a> {
    pub(super) name: &'a str,
    pub(super) message_id: &'a str,
    pub(super) properties: Option<&'a RawValue>,
    /// The `name` of a page or screen.
    pub(super) title: Option<&'a str>,
}

impl<'a> Tracked<'a> {
    /// The event of a call, if it is one.
    pub(super) fn of(call: &Call<'a>, message_id: &'a str) -> Option<Self> {
        match call {
            Call::Track { event, properties, name } => {
                Some(Self { name: event, message_id, properties: *properties, title: *name })
            }
            Call::Identify { .. } | Call::Group { .. } => None,
        }
    }
}

struct FrameBuilder<'m> {
    machine: &'m Machine,
    event: Option<EventId>,
    name: Arc<str>,
    message_id: Arc<str>,
    at: Millis,
    values: Vec<Value>,
}

impl<'m> FrameBuilder<'m> {
    fn new(
        machine: &'m Machine,
        event: Option<EventId>,
        name: Arc<str>,
        message_id: &str,
        at: Millis,
    ) -> Self {
        let layout = event.and_then(|event| machine.plan.layouts.get(event.0 as usize));
        let count = layout.map_or(FIXED_SLOTS, |layout| layout.slots);
        let message_id: Arc<str> = Arc::from(message_id);
        let mut values = vec![Value::Missing; count as usize];
        let fixed = [Value::Time(at), Value::Text(message_id.clone()), Value::Text(name.clone())];
        for (slot, value) in values.iter_mut().zip(fixed) {
            *slot = value;
        }
        Self { machine, event, name, message_id, at, values }
    }

    fn declared<'e>(&self, engine: &'e Engine) -> Option<(&'e EventType, &'e Layout)> {
        let position = self.event?.0 as usize;
        Some((engine.program.events.get(position)?, engine.machine.plan.layouts.get(position)?))
    }

    fn fill(&mut self, used: &segue_compiler::plan::FieldUse, value: &Value) {
        for place in &used.slots {
            if let Some(slot) = self.values.get_mut(place.slot as usize) {
                *slot = value.at(&place.path);
            }
        }
    }

    fn finish(self, order: u64) -> Frame {
        let slots =
            self.values.iter().zip(0..).map(|(value, place)| self.machine.slot(value, place)).collect();
        Frame {
            event: self.event,
            name: self.name,
            message_id: self.message_id,
            at: self.at,
            order,
            slots,
            values: self.values.into(),
        }
    }
}

/// Reads the fields in use from a JSON object and skips the rest.
struct Fields<'s, 'm> {
    ty: &'s EventType,
    layout: &'s Layout,
    seen: &'s mut [bool],
    builder: &'s mut FrameBuilder<'m>,
    counts: &'s mut Counts,
}

impl<'de> DeserializeSeed<'de> for Fields<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(Key)? {
            let declared = |field: u32| self.ty.fields.get(field as usize);
            let found = self
                .layout
                .fields
                .iter()
                .zip(0_usize..)
                .find(|(used, _)| declared(used.field).is_some_and(|field| *field.name == *key));
            let (Some((used, number)), raw) = (found, ()) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let () = raw;
            let raw: &RawValue = map.next_value()?;
            let Some(field) = declared(used.field) else { continue };
            let value = read(raw, field, self.counts);
            if let Some(seen) = self.seen.get_mut(number) {
                *seen = value.is_known();
                self.builder.fill(used, &value);
            }
        }
        Ok(())
    }
}

fn read(raw: &RawValue, field: &Field, counts: &mut Counts) -> Value {
    decode::value(raw, &field.ty).unwrap_or_else(|_| {
        counts.invalid_fields += u64::from(field.optional);
        Value::Missing
    })
}

/// A key of an object, borrowed where it has no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}
