//! What a rule does, step by step.

use super::{Checker, Scope, channel::WITH_ADDRESS, unread::Missing};
use crate::{
    diagnostics::{names, rules, types},
    session,
    typed::{Content, ContentValue, Expr, Step, StepKind, wait::answer_after},
};
use segue_grammar::{ast, span::Span};
use std::sync::Arc;

impl Checker<'_> {
    pub(super) fn steps(&mut self, steps: &[ast::Step], scope: Scope<'_>, number: &mut u32) -> Vec<Step> {
        let mut checked = Vec::new();
        let mut rule = scope.rule.cloned().unwrap_or_default();
        for step in steps {
            *number += 1;
            let own = *number;
            if let Some(kind) = self.step(step, Scope { rule: Some(&rule), ..scope }, number) {
                rule.answer = answer_after(&kind, rule.answer.as_ref()).cloned();
                checked.push(Step { number: own, kind });
            }
        }
        checked
    }

    fn step(&mut self, step: &ast::Step, scope: Scope<'_>, number: &mut u32) -> Option<StepKind> {
        match &step.kind {
            ast::StepKind::Send { channel, content } => self.send(channel, content, scope, step.span),
            ast::StepKind::Call { hook, fields } => {
                let payload = self.fields(fields, scope, false)?;
                Some(StepKind::Call { hook: Arc::from(hook.text.as_str()), payload })
            }
            ast::StepKind::Set { field, value } => self.set(field, value, scope),
            ast::StepKind::GrantConsent { channel, topic } => self.set_consent(channel, topic.as_ref(), true),
            ast::StepKind::WithdrawConsent { channel, topic } => {
                self.set_consent(channel, topic.as_ref(), false)
            }
            ast::StepKind::Emit { event, fields } => self.emit(event, fields, scope),
            ast::StepKind::If { arms, otherwise } => {
                let mut checked = Vec::new();
                for (condition, steps) in arms {
                    let condition = self.condition(condition, scope);
                    condition.iter().for_each(|condition| self.judge_if(condition));
                    let steps = self.steps(steps, scope, number);
                    checked.push(condition.map(|condition| (condition, steps)));
                }
                let otherwise = self.steps(otherwise.as_deref().unwrap_or_default(), scope, number);
                Some(StepKind::If { arms: checked.into_iter().collect::<Option<_>>()?, otherwise })
            }
            ast::StepKind::Reply { content } => self.reply(content, scope, step.span),
            ast::StepKind::Wait { duration, at } => self.wait(duration, at.as_ref()).map(StepKind::Wait),
            ast::StepKind::WaitUntil(until) => self.wait_until(until, scope).map(StepKind::Wait),
            ast::StepKind::WaitFor(wait) => self.wait_for(wait, scope, number),
            ast::StepKind::Split(arms) => self.split(arms, scope, number, step.span),
            ast::StepKind::Stop => Some(StepKind::Stop),
        }
    }

    fn send(
        &mut self,
        channel: &ast::Name,
        content: &ast::Content,
        scope: Scope<'_>,
        span: Span,
    ) -> Option<StepKind> {
        let email = channel.text == "email";
        let mut fields: Content = match content {
            ast::Content::Template(text) => vec![(Arc::from("text"), self.template(text, email, scope)?)],
            ast::Content::File(file) => {
                vec![(Arc::from(if email { "body" } else { "text" }), self.file(file, email, scope)?)]
            }
            ast::Content::Fields(fields, _) => self.fields(fields, scope, email)?,
        };
        let to = fields.iter().position(|(name, _)| &**name == "to").map(|place| fields.remove(place).1);
        let known = WITH_ADDRESS;
        if !known.contains(&channel.text.as_str()) && to.is_none() {
            self.report(names::unknown_channel(channel.span, &channel.text, known));
            return None;
        }
        let is_blank = |value: &ContentValue| match value {
            ContentValue::Template(id) => {
                let template = self.program.templates.get(id.0 as usize);
                template.is_some_and(|template| template.source.trim().is_empty())
            }
            _ => false,
        };
        let has = |name: &str| fields.iter().any(|(other, value)| &**other == name && !is_blank(value));
        let missing = match channel.text.as_str() {
            "email" if !has("subject") => Some("subject"),
            "email" if !has("body") && !has("html") => Some("body"),
            "push" if !has("body") && !has("title") && !has("text") => Some("body"),
            "sms" if !has("text") => Some("text"),
            _ => None,
        };
        if let Some(missing) = missing {
            self.report(rules::missing_content(span, &channel.text, missing));
            return None;
        }
        Some(StepKind::Send { channel: Arc::from(channel.text.as_str()), to, content: fields })
    }

    pub(super) fn fields(
        &mut self,
        fields: &[(ast::Name, ast::ContentValue)],
        scope: Scope<'_>,
        email: bool,
    ) -> Option<Content> {
        let checked: Vec<Option<(Arc<str>, ContentValue)>> = self
            .once(fields, |(name, _)| name)
            .into_iter()
            .map(|(name, value)| {
                let html =
                    email && !matches!(name.text.as_str(), "subject" | "to" | "from" | "reply_to" | "text");
                Some((Arc::from(name.text.as_str()), self.content_value(value, scope, html)?))
            })
            .collect();
        checked.into_iter().collect()
    }

    fn content_value(
        &mut self,
        value: &ast::ContentValue,
        scope: Scope<'_>,
        html: bool,
    ) -> Option<ContentValue> {
        match value {
            ast::ContentValue::Template(text) => self.template(text, html, scope),
            ast::ContentValue::Value(value) => self.expr(value, scope).map(ContentValue::Value),
            ast::ContentValue::File(file) => self.file(file, html, scope),
            ast::ContentValue::Object(fields, _) => {
                self.fields(fields, scope, html).map(ContentValue::Object)
            }
        }
    }

    fn set(&mut self, path: &ast::Path, value: &ast::Expr, scope: Scope<'_>) -> Option<StepKind> {
        let value = self.expr(value, scope);
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
        let declared = self.program.profile.get(id.0 as usize)?.field.ty.clone();
        let value = value?;
        if value.ty != declared {
            self.report(types::different_types(value.span, &declared, &value.ty, field.span));
            return None;
        }
        Some(StepKind::Set { field: id, value })
    }

    fn set_consent(
        &mut self,
        channel: &ast::Name,
        topic: Option<&ast::Name>,
        granted: bool,
    ) -> Option<StepKind> {
        let topic = match topic {
            Some(topic) => Some(self.topic(topic)?),
            None => None,
        };
        self.channel_of_consent(channel, granted, topic.is_some())?;
        Some(StepKind::SetConsent { channel: Arc::from(channel.text.as_str()), topic, granted })
    }

    fn emit(
        &mut self,
        event: &ast::Name,
        fields: &[(ast::Name, ast::Expr)],
        scope: Scope<'_>,
    ) -> Option<StepKind> {
        let fields = self.once(fields, |(name, _)| name);
        let values: Vec<Option<Expr>> = fields.iter().map(|(_, value)| self.expr(value, scope)).collect();
        let id = self.event(event)?;
        if let Some(who) = told_by(&event.text) {
            self.report(rules::not_yours_to_emit(event.span, &event.text, who));
            return None;
        }
        let declared = self.program.events.get(id.0 as usize)?.fields.clone();
        let mut checked = Vec::new();
        for ((name, _), value) in fields.iter().copied().zip(values) {
            let Some(field) = declared.iter().find(|field| *field.name == *name.text) else {
                let known = declared.iter().map(|field| &*field.name);
                let unknown = names::unknown_field(name.span, &name.text, &[&event.text], known);
                self.report_missing(Missing::EventField, unknown);
                continue;
            };
            let value = value?;
            if value.ty != field.ty {
                self.report(types::different_types(value.span, &field.ty, &value.ty, name.span));
                continue;
            }
            checked.push((field.name.clone(), value));
        }
        let given = |name: &str| fields.iter().any(|(other, _)| other.text == name);
        if let Some(field) = declared.iter().find(|field| !field.optional && !given(&field.name)) {
            self.report(rules::missing_field(event.span, &event.text, &field.name));
        }
        Some(StepKind::Emit { event: id, fields: checked })
    }
}

/// Who tells of an event that rules cannot make.
fn told_by(event: &str) -> Option<&'static str> {
    match event {
        session::STARTED | session::ENDED => Some("Segue makes it itself, from what customers do"),
        "Message Sent" => Some("Segue makes it itself, when a message is sent"),
        "Message Delivered" | "Message Opened" | "Message Clicked" | "Message Replied"
        | "Message Bounced" | "Message Failed" | "Unsubscribed" | "Complained" => {
            Some("only whoever delivered a message can tell; it may change what a customer consents to")
        }
        _ => None,
    }
}
