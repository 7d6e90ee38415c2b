//! Calls against what a program declares.

use super::Envelope;
use crate::words::quote;
use segue_compiler::{
    decode,
    event::Call,
    json::JsonText,
    typed::{ProfileField, Program},
    types::{Field, Type},
};

/// What in a call breaks the declarations of its event or of the profile, in words for a person; `None` when nothing
/// does. Events that are not declared break nothing.
#[must_use]
pub fn fault(program: &Program, envelope: &Envelope<'_>) -> Option<String> {
    let text = Type::Text;
    match envelope.incoming().call {
        Call::Track { event, properties, name } => {
            let declared = program.events.get(program.event(event)?.0 as usize)?;
            let member = |name: &str| properties.and_then(|all| all.member(name));
            let fault = declared.fields.iter().find_map(|field| match (member(&field.name), name) {
                (_, Some(_)) if &*field.name == "name" => (field.ty != text).then(|| odd(field, None)),
                (Some(json), _) => unfit(field, json),
                (None, _) if field.optional => None,
                (None, _) => Some(format!("its field {} is missing", quote(&field.name))),
            })?;
            Some(format!("{} breaks its declaration: {fault}", quote(event)))
        }
        Call::Identify { traits } => traits_fault(&program.profile, traits?),
        Call::Group { .. } => None,
    }
}

/// What in traits breaks the declaration of the profile, in words for a person; `None` when nothing does.
pub(crate) fn traits_fault(profile: &[ProfileField], traits: JsonText<'_>) -> Option<String> {
    let fault = profile.iter().find_map(|declared| {
        let json = traits.member(&declared.field.name).filter(|json| !json.is_null())?;
        unfit(&declared.field, json)
    })?;
    Some(format!("the traits break the declaration of the profile: {fault}"))
}

fn unfit(field: &Field, json: JsonText<'_>) -> Option<String> {
    match decode::value(json, &field.ty) {
        Ok(value) if value.is_known() || field.optional => None,
        Ok(_) => Some(format!("its field {} is null", quote(&field.name))),
        Err(decode::Invalid) => Some(odd(field, Some(json))),
    }
}

fn odd(field: &Field, found: Option<JsonText<'_>>) -> String {
    let found = found.map(|json| format!(", found {}", quote(json.text()))).unwrap_or_default();
    format!("its field {} should be of type {}{found}", quote(&field.name), field.ty)
}
