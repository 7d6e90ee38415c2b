//! A call becomes history, profile and consent; what it sets off is an instant [1, 2, 6, 7].

use super::{
    Reference,
    customer::{Customer, Event},
    instant::Cause,
};
use crate::{
    consent::{EVERY_CHANNEL, Stamp, is_stop},
    decode,
    event::{Call, Incoming},
    execution::{Counts, Output},
    json::JsonText,
    time::Zone,
    types::Type,
    value::Value,
};
use std::sync::Arc;

impl Reference {
    /// Applies an admitted call, before which every deadline has passed.
    pub(super) fn apply_call(&self, customer: &mut Customer, call: &Incoming<'_>, out: &mut Output) {
        let now = customer.clock.map_or(call.at, |clock| clock.max(call.at));
        let starts = now.saturating_sub(call.at) <= self.settings.lateness;
        customer.clock = Some(now);
        customer.schedules.reach(call.at.saturating_sub(1));
        customer.consequences = 0;
        // A session begins before the event that begins it.
        let session = self.begins_session(customer, call, now).then(|| customer.next_stamp(call.at));
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
        let mut cause = Cause { id: Arc::from(call.message_id), starts_nothing: !starts, ..Cause::default() };
        match &call.call {
            Call::Track { event, properties, name } => {
                let event =
                    self.read_event(customer, call, event, *properties, *name, stamp, &mut out.counts);
                cause.event = Some(event.clone());
                self.obey(customer, &event);
                if let Some(first) = session {
                    self.start_session(customer, first, now, starts, out);
                }
                self.continue_session(customer, &event);
                self.remember(customer, &event, now);
                self.follow_goals(customer, &event, now);
                cause.completed = self.move_sequences(customer, &event, now, starts, &mut out.counts);
            }
            Call::Identify { traits } => {
                if let Some(traits) = traits {
                    self.record_traits(customer, *traits, stamp, &mut out.counts);
                }
            }
            Call::Group { id } => {
                if let Some(field) = self.built_in.group {
                    customer.record(field, &Value::text(id), stamp);
                }
            }
        }
        self.instant(customer, now, &cause, out);
    }

    /// Puts an event into history and watches what it may change later.
    pub(super) fn remember(&self, customer: &mut Customer, event: &Arc<Event>, now: i64) {
        customer.history.remember(event);
        self.watches.event_applied(customer, event, now);
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a call")]
    pub(super) fn read_event(
        &self,
        customer: &Customer,
        call: &Incoming<'_>,
        name: &str,
        properties: Option<JsonText<'_>>,
        page: Option<&str>,
        stamp: Stamp,
        counts: &mut Counts,
    ) -> Arc<Event> {
        let id = self.program.event(name);
        let declared = id.and_then(|id| self.program.events.get(id.0 as usize));
        let fields = declared.map(|declared| declared.fields.as_slice()).unwrap_or_default();
        let fields = fields.iter().map(|field| {
            let value = match (page, properties.and_then(|all| all.member(&field.name))) {
                (Some(page), _) if &*field.name == "name" => of_page(page, &field.ty),
                (_, Some(json)) => decode::value(json, &field.ty),
                (_, None) => Ok(Value::Missing),
            };
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
        traits: JsonText<'_>,
        stamp: Stamp,
        counts: &mut Counts,
    ) {
        if traits.members().is_none() {
            counts.invalid_fields += 1;
            return;
        }
        for (declared, number) in self.program.profile.iter().zip(0..) {
            let field = &declared.field;
            let Some(json) = traits.member(&field.name) else { continue };
            match decode::value(json, &field.ty) {
                Ok(value) => customer.record(crate::typed::FieldId(number), &value, stamp),
                Err(decode::Invalid) => counts.invalid_fields += 1,
            }
        }
        if let Some(said) = traits.member("consent") {
            customer.consent.read(&self.program, said, stamp, counts);
        }
    }

    /// What customers say about messages takes effect before anything else of the instant.
    pub(super) fn obey(&self, customer: &mut Customer, event: &Event) {
        let text = |name: &str| event.property(&self.program, name).and_then(Value::as_text);
        if event.id.is_some() && &*event.name == "Unsubscribed" {
            let topic = text("topic").and_then(|name| self.program.topic(name));
            let channel = text("channel").unwrap_or(EVERY_CHANNEL);
            customer.consent.record(channel, topic, false, event.stamp);
        }
        let Some(channel) = text("channel").filter(|_| event.id.is_some()) else { return };
        match &*event.name {
            "Message Replied" if text("text").is_some_and(is_stop) => customer.consent.suppress(channel),
            "Message Bounced" if text("type") == Some("hard") => customer.consent.suppress(channel),
            "Complained" => customer.consent.suppress(channel),
            _ => {}
        }
    }
}

/// The name of a page or screen as a field of this type.
fn of_page(name: &str, ty: &Type) -> Result<Value, decode::Invalid> {
    if *ty == Type::Text { Ok(Value::text(name)) } else { Err(decode::Invalid) }
}
