//! What messages and payloads say.

use crate::engine::{
    Engine,
    customer::{Customer, Opened},
    run::Run,
};
use segue_compiler::{
    content::{ContentError, Scope},
    plan::Content,
    record::{Fields, Json},
    time::Zone,
    typed::{EventRole, FieldId, LetId, TemplateId},
    value::{Millis, Value},
};
use std::{collections::BTreeMap, sync::Arc};

impl Engine {
    pub(super) fn fields(
        &self,
        customer: &mut Customer,
        run: &Run<'_>,
        fields: &[(Arc<str>, Content)],
        now: Millis,
    ) -> Result<Fields, ContentError> {
        let mut made = Vec::with_capacity(fields.len());
        for (name, content) in fields {
            made.push((name.clone(), self.content(customer, run, content, now)?));
        }
        Ok(Fields(made))
    }

    pub(super) fn content(
        &self,
        customer: &mut Customer,
        run: &Run<'_>,
        content: &Content,
        now: Millis,
    ) -> Result<Json, ContentError> {
        match content {
            Content::Template(template) => self.render(customer, run, *template, now).map(Json::Value),
            Content::Value(value) => {
                Ok(Json::Value(self.value(customer, now, run.completed.as_ref(), *value)))
            }
            Content::Variant { by, variants, otherwise } => {
                let by = self.value(customer, now, run.completed.as_ref(), *by);
                let chosen = variants
                    .iter()
                    .find(|(name, _)| by.as_text() == Some(name))
                    .map(|(_, template)| template);
                self.render(customer, run, *chosen.unwrap_or(otherwise), now).map(Json::Value)
            }
            Content::Object(fields) => self.fields(customer, run, fields, now).map(Json::Fields),
        }
    }

    fn render(
        &self,
        customer: &mut Customer,
        run: &Run<'_>,
        id: TemplateId,
        now: Millis,
    ) -> Result<Value, ContentError> {
        let Some(template) = self.program.templates.get(id.0 as usize) else { return Ok(Value::Missing) };
        let mut lets = BTreeMap::new();
        for id in &template.lets {
            if let Some(Some(value)) = self.machine.plan.lets.get(id.0 as usize) {
                lets.insert(*id, self.value(customer, now, None, *value));
            }
        }
        let scope = TemplateScope { engine: self, customer, completed: run.completed.as_ref(), lets };
        Ok(Value::Text(self.contents.render(id, &scope)?))
    }
}

/// What a template can see.
struct TemplateScope<'s> {
    engine: &'s Engine,
    customer: &'s Customer,
    completed: Option<&'s Opened>,
    lets: BTreeMap<LetId, Value>,
}

impl Scope for TemplateScope<'_> {
    fn profile(&self, field: FieldId) -> Value {
        self.customer.field(&self.engine.program, field).cloned().unwrap_or_default()
    }

    fn let_value(&self, id: LetId) -> Value {
        self.lets.get(&id).cloned().unwrap_or_default()
    }

    fn event(&self, role: &EventRole, field: &str) -> Value {
        let Some(completed) = self.completed else { return Value::Missing };
        let event = match role {
            EventRole::This | EventRole::Trigger => completed.frames.last(),
            EventRole::Answer => completed.answer.as_ref(),
            EventRole::Element(number, _) => completed.frames.get(*number as usize),
        };
        let Some(event) = event else { return Value::Missing };
        match field {
            "at" => Value::Time(event.at),
            "message_id" => Value::Text(event.message_id.clone()),
            "event_name" => Value::text(&event.name),
            name => {
                let layout = event.event.and_then(|id| self.engine.machine.plan.layouts.get(id.0 as usize));
                let slot = layout.and_then(|layout| layout.names.get(name));
                slot.and_then(|slot| event.values.get(*slot as usize)).cloned().unwrap_or_default()
            }
        }
    }

    fn zone(&self) -> Zone {
        self.engine.zone(self.customer).clone()
    }
}
