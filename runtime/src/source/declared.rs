//! Calls against what a program declares.

use super::Envelope;
use crate::words::quote;
use segue_compiler::{
    consent::EVERY_CHANNEL,
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

/// What in traits breaks the declaration of the profile, or is no consent, in words for a person; `None` when nothing does.
pub(crate) fn traits_fault(profile: &[ProfileField], traits: JsonText<'_>) -> Option<String> {
    let fault = profile.iter().find_map(|declared| {
        let json = traits.member(&declared.field.name).filter(|json| !json.is_null())?;
        unfit(&declared.field, json)
    });
    let of_profile = fault.map(|fault| format!("the traits break the declaration of the profile: {fault}"));
    of_profile.or_else(|| consent_fault(traits.member("consent").filter(|said| !said.is_null())?))
}

/// What of consent is neither a boolean nor booleans by topic, by channel; so it is read, too.
fn consent_fault(said: JsonText<'_>) -> Option<String> {
    let Some(channels) = said.members() else {
        return Some(format!("`consent` should be an object, by channel, found {}", quote(said.text())));
    };
    channels.filter(|(channel, _)| channel.text().is_some_and(|name| name != EVERY_CHANNEL)).find_map(
        |(channel, said)| {
            let odd = match said.members() {
                Some(topics) => topics.map(|(_, said)| said).find(|said| said.boolean().is_none())?,
                None if said.boolean().is_some() => return None,
                None => said,
            };
            Some(format!(
                "consent to {} should be true or false, or that by topic, found {}",
                quote(&channel.text()?),
                quote(odd.text())
            ))
        },
    )
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
