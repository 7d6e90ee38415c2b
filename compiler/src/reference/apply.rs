//! A call becomes history, profile and consent; what it sets off is an instant [1, 2, 6, 7].

use super::{
    Reference,
    customer::{Customer, Event},
    instant::Cause,
};
use crate::{
    consent::{Stamp, is_stop},
    decode::{self, Members},
    event::{Call, Incoming},
    execution::{Counts, Output},
    time::Zone,
    typed::{Program, TopicId},
    types::Type,
    value::Value,
};
use serde_json::value::RawValue;
use std::sync::Arc;

impl Reference {
    /// Applies an admitted call, before which every deadline has passed.
    pub(super) fn apply_call(&self, customer: &mut Customer, call: &Incoming<'_>, out: &mut Output) {
        let now = customer.clock.map_or(call.at, |clock| clock.max(call.at));
        let starts = now.saturating_sub(call.at) <= self.settings.lateness;
        customer.clock = Some(now);
        customer.consequences = 0;
        let stamp = customer.next_stamp(call.at);
        if let Some(name) = call.time_zone
            && Zone::named(name).is_some()
            && let Some(field) = self.built_in.time_zone
        {
            customer.record(field, &Value::text(name), stamp);
        }
        if customer.first_seen.is_none_or(|seen| call.at < seen) {
            customer.first_seen = Some(call.at);
            self.watches.first_seen(customer, call.at, now);
        }
        let mut cause = Cause::default();
        match &call.call {
            Call::Track { event, properties, name } => {
                let event =
                    self.read_event(customer, call, event, *properties, *name, stamp, &mut out.counts);
                cause.starts_nothing = !starts;
                cause.event = Some(event.clone());
                self.remember(customer, &event, now);
                self.obey(customer, &event);
                cause.completed = self.move_sequences(customer, &event, now, starts, &mut out.counts);
            }
            Call::Identify { traits } => {
                cause.starts_nothing = !starts;
                if let Some(traits) = traits {
                    self.record_traits(customer, traits, stamp, &mut out.counts);
                }
            }
            Call::Group { id } => {
                cause.starts_nothing = !starts;
                if let Some(field) = self.built_in.group {
                    customer.record(field, &Value::text(id), stamp);
                }
            }
        }
        self.instant(customer, now, &cause, out);
    }

    /// Puts an event into history and watches what it may change later.
    pub(super) fn remember(&self, customer: &mut Customer, event: &Arc<Event>, now: i64) {
        customer.remember(event.clone());
        self.watches.event_applied(customer, event, now);
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a call")]
    fn read_event(
        &self,
        customer: &Customer,
        call: &Incoming<'_>,
        name: &str,
        properties: Option<&RawValue>,
        page: Option<&str>,
        stamp: Stamp,
        counts: &mut Counts,
    ) -> Arc<Event> {
        let id = self.program.event(name);
        let declared = id.and_then(|id| self.program.events.get(id.0 as usize));
        let page = page.and_then(|page| serde_json::value::to_raw_value(page).ok());
        let mut members = properties.and_then(decode::members).unwrap_or_default();
        if let Some(page) = &page {
            members.insert("name".into(), page);
        }
        let fields = declared.map(|declared| declared.fields.as_slice()).unwrap_or_default();
        let fields = fields.iter().map(|field| {
            let value = member(&members, &field.name, &field.ty);
            if value.is_err() || value == Ok(Value::Missing) && !field.optional {
                counts.invalid_fields += 1;
            }
            value.unwrap_or_default()
        });
        Arc::new(Event {
            stamp,
            id,
            name: Arc::from(name),
            message_id: Arc::from(call.message_id),
            fields: fields.collect(),
            zone: self.zone(customer),
            active: !declared.is_some_and(|declared| declared.passive),
        })
    }

    /// Records the declared traits of an `identify`; null clears, an invalid one changes nothing.
    pub(super) fn record_traits(
        &self,
        customer: &mut Customer,
        traits: &RawValue,
        stamp: Stamp,
        counts: &mut Counts,
    ) {
        let Some(members) = decode::members(traits) else {
            counts.invalid_fields += 1;
            return;
        };
        for (declared, number) in self.program.profile.iter().zip(0..) {
            let field = &declared.field;
            if !members.contains_key(&*field.name) {
                continue;
            }
            match member(&members, &field.name, &field.ty) {
                Ok(value) => customer.record(crate::typed::FieldId(number), &value, stamp),
                Err(decode::Invalid) => counts.invalid_fields += 1,
            }
        }
        if let Some(consent) = members.get("consent") {
            self.record_consent(customer, consent, stamp, counts);
        }
    }

    /// Records consent as traits say it: by channel a boolean, or booleans by topic.
    fn record_consent(&self, customer: &mut Customer, raw: &RawValue, stamp: Stamp, counts: &mut Counts) {
        let Some(channels) = decode::members(raw) else {
            counts.invalid_fields += u64::from(raw.get().trim() != "null");
            return;
        };
        for (channel, raw) in channels {
            if let Some(granted) = boolean(raw) {
                customer.consent.record(&channel, None, granted, stamp);
                continue;
            }
            let Some(topics) = decode::members(raw) else {
                counts.invalid_fields += 1;
                continue;
            };
            for (name, raw) in topics {
                let Some(topic) = topic(&self.program, &name) else { continue };
                match boolean(raw) {
                    Some(granted) => customer.consent.record(&channel, Some(topic), granted, stamp),
                    None => counts.invalid_fields += 1,
                }
            }
        }
    }

    /// What customers say about messages takes effect before anything else of the instant.
    fn obey(&self, customer: &mut Customer, event: &Event) {
        let text = |name: &str| event.property(&self.program, name).and_then(Value::as_text);
        let Some(channel) = text("channel").filter(|_| event.id.is_some()) else { return };
        match &*event.name {
            "Unsubscribed" => {
                let topic = text("topic").and_then(|name| topic(&self.program, name));
                customer.consent.record(channel, topic, false, event.stamp);
            }
            "Message Replied" if text("text").is_some_and(is_stop) => customer.consent.suppress(channel),
            "Message Bounced" if text("type") == Some("hard") => customer.consent.suppress(channel),
            "Complained" => customer.consent.suppress(channel),
            _ => {}
        }
    }
}

fn member(members: &Members<'_>, name: &str, ty: &Type) -> Result<Value, decode::Invalid> {
    members.get(name).map_or(Ok(Value::Missing), |raw| decode::value(raw, ty))
}

fn boolean(raw: &RawValue) -> Option<bool> {
    match decode::value(raw, &Type::Boolean) {
        Ok(Value::Boolean(value)) => Some(value),
        Ok(_) | Err(_) => None,
    }
}

/// The topic of this name.
fn topic(program: &Program, name: &str) -> Option<TopicId> {
    let position = program.topics.iter().position(|topic| &*topic.name == name)?;
    u32::try_from(position).ok().map(TopicId)
}
