//! Profile, consent and what follows from messaging events.

use super::{
    Engine,
    customer::Customer,
    default_of,
    frame::{Frame, Tracked},
    machine::Machine,
};
use segue_compiler::{
    consent::{EVERY_CHANNEL, Stamp, is_stop},
    decode,
    event::Call,
    execution::Counts,
    json::JsonText,
    time::Zone,
    typed::FieldId,
    types::Type,
    value::Value,
};

impl Engine {
    /// Records the traits of an identify call.
    pub(super) fn record_traits(
        &self,
        customer: &mut Customer,
        traits: JsonText<'_>,
        stamp: Stamp,
        counts: &mut Counts,
    ) {
        let Some(members) = traits.members() else {
            counts.invalid_fields += 1;
            return;
        };
        let fields = &self.program.profile;
        // Of members of one name the last counts.
        let mut found = vec![None; fields.len()];
        let mut consent = None;
        for (key, json) in members {
            if key.is("consent") {
                consent = Some(json);
            } else if let Some(place) = fields.iter().position(|field| key.is(&field.field.name)) {
                found[place] = Some(json);
            }
        }
        for ((field, json), number) in fields.iter().zip(found).zip(0..) {
            let Some(json) = json else { continue };
            match decode::value(json, &field.field.ty) {
                Ok(value) => self.record_field(customer, FieldId(number), value, stamp),
                Err(decode::Invalid) => counts.invalid_fields += 1,
            }
        }
        if let Some(said) = consent {
            customer.consent.read(&self.program, said, stamp, counts);
        }
    }

    /// Records a value if it is not older than the one that is there.
    pub(super) fn record_field(&self, customer: &mut Customer, field: FieldId, value: Value, stamp: Stamp) {
        if customer.profile.get(field.0).is_some_and(|(_, recorded)| *recorded > stamp) {
            return;
        }
        let value = if value.is_known() { value.kept() } else { default_of(&self.program, field) };
        customer.fill_slots(&self.machine, field, &value);
        customer.profile.set(field.0, (value, stamp));
        if [self.fields.time_zone, self.fields.country].contains(&Some(field)) {
            customer.zone = self.own_zone(customer);
        }
        customer.forget_next_occurrence();
    }

    /// The zone that the profile tells: by its name, else by the country.
    pub(super) fn own_zone(&self, customer: &Customer) -> Option<Zone> {
        let text = |field: Option<FieldId>| customer.field(&self.program, field?)?.as_text();
        Zone::of_profile(text(self.fields.time_zone), text(self.fields.country))
    }

    /// The zone of a customer: their own, else that of their country, else the project's.
    pub(super) fn zone<'z>(&'z self, customer: &'z Customer) -> &'z Zone {
        customer.zone.as_ref().unwrap_or(&self.settings.time_zone)
    }

    /// Withdrawn consent and suppressed channels.
    pub(super) fn follow_messaging(&self, customer: &mut Customer, frame: &Frame, event: Tracked<'_>) {
        let (Some(id), Some(properties)) = (frame.event, event.properties) else { return };
        let known = &self.messaging;
        let concerned = [known.replied, known.bounced, known.unsubscribed, known.complained];
        if !concerned.contains(&Some(id)) {
            return;
        }
        let declared = self.program.events.get(id.0 as usize).map(|event| event.fields.as_slice());
        let text = |name: &str| {
            // Rules may declare such an event themselves; what they leave out is nobody's business.
            declared?.iter().find(|field| &*field.name == name && field.ty == Type::Text)?;
            match decode::value(properties.member(name)?, &Type::Text) {
                Ok(Value::Text(text)) => Some(text),
                _ => None,
            }
        };
        let channel = text("channel");
        if known.unsubscribed == Some(id) {
            let topic = text("topic").and_then(|topic| self.program.topic(&topic));
            let channel = channel.as_deref().unwrap_or(EVERY_CHANNEL);
            customer.consent.record(channel, topic, false, frame.stamp());
        } else if let Some(channel) = channel
            && (known.complained == Some(id)
                || known.replied == Some(id) && text("text").is_some_and(|text| is_stop(&text))
                || known.bounced == Some(id) && text("type").as_deref() == Some("hard"))
        {
            customer.consent.suppress(&channel);
        }
        // Conditions on consent may change.
        customer.next_change = i64::MIN;
    }

    /// What a call other than an event changes.
    pub(super) fn record_call(
        &self,
        customer: &mut Customer,
        call: &Call<'_>,
        stamp: Stamp,
        counts: &mut Counts,
    ) {
        match call {
            Call::Identify { traits: Some(traits) } => self.record_traits(customer, *traits, stamp, counts),
            Call::Group { id } => {
                if let Some(group) = self.fields.group {
                    self.record_field(customer, group, Value::text(id), stamp);
                }
            }
            Call::Identify { traits: None } | Call::Track { .. } => {}
        }
    }

    /// The zone that a tracker sent along.
    pub(super) fn record_zone(&self, customer: &mut Customer, name: Option<&str>, stamp: Stamp) {
        let (Some(name), Some(field)) = (name, self.fields.time_zone) else { return };
        // What the profile says may be no zone: then it is not said anew either.
        let is_theirs = customer.zone.as_ref().is_some_and(|zone| zone.name() == name);
        let recorded = customer.profile.get_mut(field.0);
        if let Some((_, recorded)) = recorded.filter(|(value, _)| is_theirs && value.as_text() == Some(name))
        {
            // The same zone again is only recorded anew.
            *recorded = (*recorded).max(stamp);
        } else if Zone::named(name).is_some() {
            self.record_field(customer, field, Value::text(name), stamp);
            customer.next_change = i64::MIN;
        }
    }
}

impl Customer {
    /// Fills the slots that machine code reads of a field.
    pub(super) fn fill_slots(&mut self, machine: &Machine, field: FieldId, value: &Value) {
        let layout = &machine.plan.record;
        for (slot, number) in layout.profile.iter().zip(0_u32..).filter(|(slot, _)| slot.field == field) {
            let reached = value.at(&slot.path);
            let words = machine.slot(&reached, i64::from(number));
            let first = (layout.profile_words + 2 * number) as usize;
            if let Some([tag, word]) = self.record.get_mut(first..first + 2) {
                (*tag, *word) = (words.tag, words.word);
            }
            if matches!(reached, Value::Text(_) | Value::List(_) | Value::Object(_)) {
                self.profile_slots.set(number, reached);
            } else {
                self.profile_slots.remove(number);
            }
        }
    }
}
