//! One event as machine code sees it: only the fields that the rules use.

use super::{Engine, fields::Fields, machine::Machine, merge::Shift};
use segue_compiler::{
    abi::Slot,
    consent::Stamp,
    decode,
    event::{Call, Incoming},
    execution::Counts,
    json::JsonText,
    pack::{Broken, Packed, Packer, Unpacker},
    plan::{FIXED_SLOTS, FieldUse, Layout, SlotUse},
    typed::{EventId, EventType},
    types::Type,
    value::{Millis, Text, Value},
};
use smallvec::SmallVec;
use std::sync::Arc;

/// How many fields in use are found without memory of their own: more than most rules read of an event.
const FEW_FIELDS: usize = 16;

/// How many slots a frame has without memory of its own: more than most events fill.
const FEW_SLOTS: usize = 8;

/// An event with the slots of its layout.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// The event; `None` when it is not declared.
    pub(super) event: Option<EventId>,
    pub(super) name: Arc<str>,
    pub(super) message_id: Text,
    pub(super) at: Millis,
    /// Its place in the customer's order of application.
    pub(super) order: u64,
    pub(super) slots: SmallVec<[Slot; FEW_SLOTS]>,
    pub(super) values: SmallVec<[Value; FEW_SLOTS]>,
}

/// The event of a call, read ahead of its turn.
#[derive(Debug, Default)]
pub struct Reading {
    /// Where the call is none, whatever was read before.
    frame: Frame,
    /// How many of its fields are not as they were declared.
    invalid_fields: u64,
}

impl Reading {
    /// The event at its place in the customer's order of application.
    #[inline]
    pub(super) fn event(&mut self, order: u64, counts: &mut Counts) -> &Frame {
        counts.invalid_fields += self.invalid_fields;
        self.frame.order = order;
        &self.frame
    }
}

impl Default for Frame {
    fn default() -> Self {
        Self::begun(None, Arc::default(), Text::default(), Stamp::default())
    }
}

impl Frame {
    /// An event of which nothing is laid out.
    #[inline(always)]
    fn begun(event: Option<EventId>, name: Arc<str>, message_id: Text, (at, order): Stamp) -> Self {
        Self { event, name, message_id, at, order, slots: SmallVec::new(), values: SmallVec::new() }
    }

    /// Makes room for its values, of which no property is known. Whatever is filled in, [`Frame::ready`] then makes it one
    /// for machine code.
    #[inline]
    fn lay_out(&mut self, machine: &Machine) {
        let layout = self.event.and_then(|event| machine.plan.layouts.get(event.0 as usize));
        let count = layout.map_or(FIXED_SLOTS, |layout| layout.slots);
        self.values.resize(count as usize, Value::Missing);
    }

    /// Puts a field's value into the slots of its use.
    #[inline]
    fn fill(&mut self, used: &FieldUse, value: Value) {
        if let [SlotUse { slot, path, .. }] = used.slots.as_slice()
            && path.is_empty()
        {
            if let Some(slot) = self.values.get_mut(*slot as usize) {
                *slot = value;
            }
            return;
        }
        for place in &used.slots {
            if let Some(slot) = self.values.get_mut(place.slot as usize) {
                *slot = value.at(&place.path);
            }
        }
    }

    /// Fills in what every event has, and lays out the slots of the values.
    #[inline]
    fn ready(&mut self, machine: &Machine) {
        if let Some([time, id, called]) = self.values.first_chunk_mut() {
            let title = self.event.and_then(|event| machine.titles.get(event.0 as usize)).cloned();
            *time = Value::Time(self.at);
            *id = Value::Text(self.message_id.clone());
            *called = title.unwrap_or_else(|| Value::text(&self.name));
        }
        self.slots.reserve(self.values.len());
        for slot in machine.slots(&self.values) {
            self.slots.push(slot);
        }
    }

    /// The event's place in the customer's history.
    pub(super) fn stamp(&self) -> Stamp {
        (self.at, self.order)
    }

    /// What rules read of the event after its own instant; `whole` keeps texts uncut.
    pub(super) fn kept(&self, machine: &Machine, whole: bool) -> Arc<Kept> {
        let layout = self.event.and_then(|event| machine.plan.layouts.get(event.0 as usize));
        let slots = layout.map(|layout| layout.kept.as_slice()).unwrap_or_default();
        let mut values = SmallVec::new();
        for slot in slots {
            if let Some(value) = self.values.get(*slot as usize).filter(|value| value.is_known()) {
                values.push((*slot, if whole { value.clone() } else { value.kept() }));
            }
        }
        Arc::new(Kept {
            event: self.event,
            name: self.name.clone(),
            message_id: self.message_id.clone(),
            at: self.at,
            order: self.order,
            values,
        })
    }
}

/// An event as a part of a match: only what rules read of it.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) event: Option<EventId>,
    pub(super) name: Arc<str>,
    pub(super) message_id: Text,
    pub(super) at: Millis,
    pub(super) order: u64,
    /// By slot.
    values: SmallVec<[(u32, Value); 2]>,
}

/// What values an event has at rest: how many bits say it, and what they say.
const KIND_BITS: u32 = 2;
const NOTHING: u64 = 0;
const THE_KEY: u64 = 1;
const VALUES: u64 = 2;

impl Packed for Kept {
    fn pack(&self, to: &mut Packer) {
        self.pack_of(&[], to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        Self::unpack_of(&[], from)
    }
}

impl Kept {
    /// Writes it as a part of what has a key: values that are the key's are told by their place in it.
    pub(super) fn pack_of(&self, key: &[Value], to: &mut Packer) {
        let Self { event, name, message_id, at, order, values } = self;
        // Mostly there are none, or there is one, which is the key's first.
        let kind = match values.as_slice() {
            [] => NOTHING,
            [(_, value)] if key.first() == Some(value) => THE_KEY,
            _ => VALUES,
        };
        to.number(event.map_or(0, |event| u64::from(event.0) + 1) << KIND_BITS | kind);
        if event.is_none() {
            name.pack(to);
        }
        message_id.pack(to);
        at.pack(to);
        order.pack(to);
        match values.as_slice() {
            [(slot, _)] if kind == THE_KEY => slot.pack(to),
            _ if kind == VALUES => values.len().pack(to),
            _ => {}
        }
        for (slot, value) in values.iter().filter(|_| kind == VALUES) {
            let place = key.iter().position(|other| other == value);
            to.number(u64::from(*slot) << 1 | u64::from(place.is_some()));
            match place {
                Some(place) => place.pack(to),
                None => value.pack(to),
            }
        }
    }

    /// Reads what [`Kept::pack_of`] wrote.
    pub(super) fn unpack_of(key: &[Value], from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        let head = if from.is_former() { from.number()? << KIND_BITS | VALUES } else { from.number()? };
        let event = (head >> KIND_BITS).checked_sub(1).map(|number| u32::try_from(number).map(EventId));
        let event = event.transpose().map_err(|_| Broken)?;
        let name = match event {
            Some(event) => from.event_name(event)?,
            None => Packed::unpack(from)?,
        };
        let (message_id, at, order) = (Packed::unpack(from)?, Packed::unpack(from)?, Packed::unpack(from)?);
        let mut values = SmallVec::new();
        let kind = head & !(u64::MAX << KIND_BITS);
        if kind == THE_KEY {
            values.push((Packed::unpack(from)?, key.first().cloned().ok_or(Broken)?));
        }
        for _ in 0..if kind == VALUES { from.length()? } else { 0 } {
            let head = from.number()?;
            let slot = u32::try_from(head >> 1).map_err(|_| Broken)?;
            let value = if head & 1 == 1 {
                key.get(usize::unpack(from)?).cloned().ok_or(Broken)?
            } else {
                Packed::unpack(from)?
            };
            values.push((slot, value));
        }
        Ok(Self { event, name, message_id, at, order, values })
    }

    /// The same under another plan, in whose layout a slot lies elsewhere.
    pub(super) fn carried(&self, event: Option<EventId>, place: impl Fn(u32) -> Option<u32>) -> Self {
        let values = self.values.iter().filter_map(|(slot, value)| Some((place(*slot)?, value.clone())));
        let mut values: SmallVec<_> = values.collect();
        values.sort_by_key(|(slot, _)| *slot);
        Self { event, values, ..self.clone() }
    }

    /// The same at another place in the order of application.
    pub(super) fn at_order(&self, order: u64) -> Self {
        Self { order, ..self.clone() }
    }

    /// The same at another place in the order of application.
    pub(super) fn shifted(&self, shift: Shift) -> Self {
        Self { order: shift.order(self.order), ..self.clone() }
    }

    /// The event's place in the customer's history.
    pub(super) fn stamp(&self) -> Stamp {
        (self.at, self.order)
    }

    /// The event as it is remembered beyond its instant.
    pub(super) fn cut(&self) -> Self {
        let values = self.values.iter().map(|(slot, value)| (*slot, value.kept())).collect();
        Self { values, ..self.clone() }
    }

    /// The event as machine code reads it.
    pub(super) fn frame(&self, machine: &Machine) -> Frame {
        let mut frame = Frame::begun(self.event, self.name.clone(), self.message_id.clone(), self.stamp());
        frame.lay_out(machine);
        for (slot, value) in &self.values {
            if let Some(place) = frame.values.get_mut(*slot as usize) {
                place.clone_from(value);
            }
        }
        frame.ready(machine);
        frame
    }
}

impl Engine {
    /// Reads the event of a call, if it is one. It is written where it stays: moving what was just written takes long.
    pub(super) fn read_call(&self, incoming: &Incoming<'_>, reading: &mut Reading) {
        let Some(event) = Tracked::of(&incoming.call, incoming.message_id) else { return };
        let frame = &mut reading.frame;
        frame.event = self.machine.events.get(event.name).map(EventId);
        let declared = frame.event.and_then(|id| self.program.events.get(id.0 as usize));
        frame.name = declared.map_or_else(|| Arc::from(event.name), |declared| declared.name.clone());
        frame.message_id = Text::from(event.message_id);
        frame.at = incoming.at;
        frame.slots.clear();
        frame.values.clear();
        reading.invalid_fields = self.read_properties(frame, event);
    }

    /// Reads the properties of a tracked event into its frame; gives how many are not as they were declared.
    fn read_properties(&self, frame: &mut Frame, event: Tracked<'_>) -> u64 {
        let mut invalid = 0;
        frame.lay_out(&self.machine);
        if let Some((ty, layout, fields)) = frame.event.and_then(|event| self.declared(event)) {
            let (mut few, mut many) = ([None; FEW_FIELDS], Vec::new());
            let members: &mut [Option<JsonText<'_>>] = match few.get_mut(..fields.len()) {
                Some(few) => few,
                None => {
                    many.resize(fields.len(), None);
                    &mut many
                }
            };
            if let Some(properties) = event.properties.and_then(JsonText::members) {
                for (key, json) in properties {
                    if let Some(place) = fields.place(key) {
                        members[place] = Some(json);
                    }
                }
            }
            for (used, json) in layout.fields.iter().zip(&*members) {
                let Some(field) = ty.fields.get(used.field as usize) else { continue };
                let value = match (event.title, json) {
                    (Some(title), _) if &*field.name == "name" => of_title(title, &field.ty),
                    (_, Some(json)) => decode::value(*json, &field.ty),
                    (_, None) => Ok(Value::Missing),
                };
                invalid += u64::from(value.is_err() || value == Ok(Value::Missing) && !field.optional);
                frame.fill(used, value.unwrap_or_default());
            }
        }
        frame.ready(&self.machine);
        invalid
    }

    /// An event's declaration, its layout, and its fields in use.
    fn declared(&self, event: EventId) -> Option<(&EventType, &Layout, &Fields)> {
        let (position, machine) = (event.0 as usize, &self.machine);
        Some((
            self.program.events.get(position)?,
            machine.plan.layouts.get(position)?,
            machine.fields.get(position)?,
        ))
    }

    /// Gives `put` the properties of an event, each with its slot. As in [`Engine::read_properties`], what is invalid is
    /// missing.
    pub(super) fn properties(
        &self,
        event: EventId,
        properties: JsonText<'_>,
        mut put: impl FnMut(u32, Slot, Value),
    ) {
        let Some((ty, layout, fields)) = self.declared(event) else { return };
        let Some(properties) = properties.members() else { return };
        for (key, json) in properties {
            let Some(place) = fields.place(key) else { continue };
            let Some(used) = layout.fields.get(place) else { continue };
            let Some(field) = ty.fields.get(used.field as usize) else { continue };
            let value = decode::value(json, &field.ty).unwrap_or_default();
            for SlotUse { slot, path, .. } in &used.slots {
                let value = if path.is_empty() { value.clone() } else { value.at(path) };
                put(*slot, self.machine.slot_of(&value, *slot), value);
            }
        }
    }

    /// The frame of an event that was made here; `fields` gives the value of a field by name.
    pub(super) fn made(
        &self,
        event: EventId,
        message_id: &str,
        at: Millis,
        order: u64,
        fields: impl Fn(&str) -> Value,
    ) -> Frame {
        let name = self.program.events.get(event.0 as usize).map(|event| event.name.clone());
        let mut frame =
            Frame::begun(Some(event), name.unwrap_or_default(), Text::from(message_id), (at, order));
        frame.lay_out(&self.machine);
        if let Some((ty, layout, _)) = self.declared(event) {
            for used in &layout.fields {
                let Some(field) = ty.fields.get(used.field as usize) else { continue };
                frame.fill(used, fields(&field.name));
            }
        }
        frame.ready(&self.machine);
        frame
    }
}

/// A tracked event before its fields are read.
#[derive(Clone, Copy)]
pub(super) struct Tracked<'a> {
    pub(super) name: &'a str,
    pub(super) message_id: &'a str,
    pub(super) properties: Option<JsonText<'a>>,
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

/// The name of a page or screen as a field of this type.
fn of_title(title: &str, ty: &Type) -> Result<Value, decode::Invalid> {
    if *ty == Type::Text { Ok(Value::text(title)) } else { Err(decode::Invalid) }
}
