//! What a test expects a rule to do: only what one of its steps does.

use super::{Checker, unread::Missing};
use crate::{
    diagnostics::{names, scenarios},
    typed::test::Action,
    value::Value,
};
use segue_grammar::{
    ast::{self, ExpectedAction, StepKind},
    span::Span,
};
use std::{collections::BTreeSet, sync::Arc};

impl Checker<'_> {
    /// What the rule is expected to do, if it has a step that does it. `span` is where there is nothing else to show.
    pub(super) fn expected_action(
        &mut self,
        action: &ExpectedAction,
        rule: &ast::Rule,
        span: Span,
    ) -> Option<Action> {
        let mut does = Does::default();
        does.steps(&rule.steps);
        let (place, never) = match action {
            ExpectedAction::Send(channel) => (!does.channels.contains(channel.text.as_str()))
                .then(|| (channel.span, format!("sends on `{}`", channel.text)))
                .unzip(),
            ExpectedAction::Call(hook) => (!does.hooks.contains(hook.text.as_str()))
                .then(|| (hook.span, format!("calls `{}`", hook.text)))
                .unzip(),
            ExpectedAction::Reply => (!does.replies).then(|| (span, "replies".to_owned())).unzip(),
            ExpectedAction::Emit(event) => (!does.events.contains(event.text.as_str()))
                .then(|| (event.span, format!("emits \"{}\"", event.text)))
                .unzip(),
            ExpectedAction::Consent { channel, topic, granted } => {
                let consent = Consent {
                    granted: *granted,
                    channel: &channel.text,
                    topic: topic.as_ref().map(|topic| topic.text.as_str()),
                };
                let never = (!does.consents.contains(&consent))
                    .then(|| (channel.span, consent.words(if *granted { "grants" } else { "withdraws" })));
                never.unzip()
            }
            ExpectedAction::Set { field, value } => {
                return self.expected_set(field, value.as_deref(), rule, &does);
            }
        };
        if let (Some(place), Some(never)) = (place, never) {
            self.report(scenarios::not_in_rule(place, &rule.name.text, &never, &does.words()));
            return None;
        }
        Some(match action {
            ExpectedAction::Send(channel) => Action::Send(Arc::from(channel.text.as_str())),
            ExpectedAction::Call(hook) => Action::Call(Arc::from(hook.text.as_str())),
            ExpectedAction::Emit(event) => Action::Emit(Arc::from(event.text.as_str())),
            ExpectedAction::Consent { channel, topic, granted } => {
                let topic = topic.as_ref().map(|topic| format!(".{}", topic.text)).unwrap_or_default();
                let field = Arc::from(format!("consent.{}{topic}", channel.text));
                Action::Set { field, value: Some(Value::Boolean(*granted)) }
            }
            ExpectedAction::Reply | ExpectedAction::Set { .. } => Action::Reply,
        })
    }

    fn expected_set(
        &mut self,
        path: &ast::Path,
        value: Option<&ast::Expr>,
        rule: &ast::Rule,
        does: &Does<'_>,
    ) -> Option<Action> {
        let field = match path.parts.as_slice() {
            [first, field] if first.text == "profile" && field.text != "consent" => field,
            _ => {
                self.report(names::set_what(path.span, self.text(path.span)));
                return None;
            }
        };
        let Some(id) = self.profile_field(&field.text) else {
            let known = self.program.profile.iter().map(|it| &*it.field.name);
            let unknown = names::unknown_profile_field(field.span, &field.text, known);
            self.report_missing(Missing::ProfileField, unknown);
            return None;
        };
        if !does.fields.contains(field.text.as_str()) {
            let never = format!("sets `profile.{}`", field.text);
            self.report(scenarios::not_in_rule(field.span, &rule.name.text, &never, &does.words()));
            return None;
        }
        let ty = self.program.profile.get(id.0 as usize)?.field.ty.clone();
        let value = match value {
            Some(value) => Some(self.literal_of(value, &ty)?),
            None => None,
        };
        Some(Action::Set { field: Arc::from(field.text.as_str()), value })
    }
}

/// A change of consent.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Consent<'r> {
    granted: bool,
    channel: &'r str,
    topic: Option<&'r str>,
}

impl Consent<'_> {
    fn words(&self, verb: &str) -> String {
        let topic = self.topic.map(|topic| format!(" {topic}")).unwrap_or_default();
        format!("{verb} consent `{}{topic}`", self.channel)
    }
}

/// What the steps of a rule do that a test can expect.
#[derive(Default)]
struct Does<'r> {
    channels: BTreeSet<&'r str>,
    hooks: BTreeSet<&'r str>,
    replies: bool,
    fields: BTreeSet<&'r str>,
    events: BTreeSet<&'r str>,
    consents: BTreeSet<Consent<'r>>,
}

impl<'r> Does<'r> {
    fn steps(&mut self, steps: &'r [ast::Step]) {
        for step in steps {
            match &step.kind {
                StepKind::Send { channel, .. } => {
                    self.channels.insert(&channel.text);
                }
                StepKind::Reply { .. } => self.replies = true,
                StepKind::Call { hook, .. } => {
                    self.hooks.insert(&hook.text);
                }
                StepKind::WaitFor(wait) => {
                    self.steps(&wait.steps);
                    self.steps(wait.otherwise.as_deref().unwrap_or_default());
                }
                StepKind::If { arms, otherwise } => {
                    arms.iter().for_each(|(_, steps)| self.steps(steps));
                    self.steps(otherwise.as_deref().unwrap_or_default());
                }
                StepKind::Split(arms) => arms.iter().for_each(|arm| self.steps(&arm.steps)),
                StepKind::Set { field, .. } => {
                    self.fields.extend(field.parts.last().map(|field| field.text.as_str()));
                }
                StepKind::Emit { event, .. } => {
                    self.events.insert(&event.text);
                }
                StepKind::GrantConsent { channel, topic } => self.consent(channel, topic.as_ref(), true),
                StepKind::WithdrawConsent { channel, topic } => self.consent(channel, topic.as_ref(), false),
                StepKind::Wait { .. } | StepKind::WaitUntil(_) | StepKind::Stop => {}
            }
        }
    }

    fn consent(&mut self, channel: &'r ast::Name, topic: Option<&'r ast::Name>, granted: bool) {
        let topic = topic.map(|topic| topic.text.as_str());
        self.consents.insert(Consent { granted, channel: &channel.text, topic });
    }

    fn words(&self) -> Vec<String> {
        let list = |names: &BTreeSet<&str>, before: &str| {
            names.iter().map(|name| format!("`{before}{name}`")).collect::<Vec<_>>().join(", ")
        };
        let mut words = Vec::new();
        if !self.channels.is_empty() {
            words.push(format!("sends on {}", list(&self.channels, "")));
        }
        if !self.hooks.is_empty() {
            words.push(format!("calls {}", list(&self.hooks, "")));
        }
        if self.replies {
            words.push("replies".to_owned());
        }
        if !self.fields.is_empty() {
            words.push(format!("sets {}", list(&self.fields, "profile.")));
        }
        if !self.events.is_empty() {
            let events: Vec<String> = self.events.iter().map(|event| format!("\"{event}\"")).collect();
            words.push(format!("emits {}", events.join(", ")));
        }
        let verb = |granted| if granted { "grants" } else { "withdraws" };
        words.extend(self.consents.iter().map(|consent| consent.words(verb(consent.granted))));
        words
    }
}
