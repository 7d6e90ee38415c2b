//! Calls against what a program declares.

use super::Envelope;
use crate::words::quote;
use segue_compiler::{
    decode,
    event::Call,
    typed::Program,
    types::{Field, Type},
};
use serde_json::value::RawValue;

/// What in a call breaks the declarations of its event or of the profile, in words for a person; `None` when nothing
/// does. Events that are not declared break nothing.
#[must_use]
pub fn fault(program: &Program, envelope: &Envelope<'_>) -> Option<String> {
    let text = Type::Text;
    match envelope.incoming().call {
        Call::Track { event, properties, name } => {
            let declared = program.events.get(program.event(event)?.0 as usize)?;
            let members = properties.and_then(decode::members).unwrap_or_default();
            let fault = declared.fields.iter().find_map(|field| match (members.get(&*field.name), name) {
                (_, Some(_)) if &*field.name == "name" => (field.ty != text).then(|| odd(field, None)),
                (Some(raw), _) => unfit(field, raw),
                (None, _) if field.optional => None,
                (None, _) => Some(format!("its field {} is missing", quote(&field.name))),
            })?;
            Some(format!("{} breaks its declaration: {fault}", quote(event)))
        }
        Call::Identify { traits } => {
            let members = traits.and_then(decode::members)?;
            let fault = program.profile.iter().find_map(|declared| {
                let raw = members.get(&*declared.field.name).filter(|raw| raw.get() != "null")?;
                unfit(&declared.field, raw)
            })?;
            Some(format!("the traits break the declaration of the profile: {fault}"))
        }
        Call::Group { .. } => None,
    }
}

fn unfit(field: &Field, raw: &RawValue) -> Option<String> {
    match decode::value(raw, &field.ty) {
        Ok(value) if value.is_known() || field.optional => None,
        Ok(_) => Some(format!("its field {} is null", quote(&field.name))),
        Err(decode::Invalid) => Some(odd(field, Some(raw))),
    }
}

fn odd(field: &Field, found: Option<&RawValue>) -> String {
    let found = found.map(|raw| format!(", found {}", quote(raw.get()))).unwrap_or_default();
    format!("its field {} should be of type {}{found}", quote(&field.name), field.ty)
}
