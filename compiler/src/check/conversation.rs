//! What makes a rule a conversation: waiting for an event, replying to it, and taking one of several ways.

use super::{Checker, Scope, rule::RuleScope};
use crate::{
    diagnostics::{names, rules},
    share::Share,
    typed::{
        About, Arm, Awaited, Content, EventRole, EventSet, Expr, ExprKind, FieldPath, Pattern, StepKind,
    },
    types::Type,
    value::Decimal,
};
use segue_grammar::{ast, span::Span};
use std::sync::Arc;

impl Checker<'_> {
    /// `wait up to 2 days for a reply { … } otherwise { … }`.
    pub(super) fn wait_for(
        &mut self,
        wait: &ast::WaitFor,
        scope: Scope<'_>,
        number: &mut u32,
    ) -> Option<StepKind> {
        let up_to = self.duration(&wait.up_to);
        let what = self.awaited(&wait.what, scope);
        let mut answered = scope.rule.cloned().unwrap_or_default();
        // What cannot be known of a refused event is not complained about.
        answered.refused |= what.is_none();
        answered.answer = what.as_ref().map(|what| what.pattern.events.clone());
        let steps = self.steps(&wait.steps, Scope { rule: Some(&answered), ..scope }, number);
        let otherwise = self.steps(wait.otherwise.as_deref().unwrap_or_default(), scope, number);
        Some(StepKind::WaitFor { up_to: up_to?, what: what?, steps, otherwise })
    }

    fn awaited(&mut self, what: &ast::WaitWhat, scope: Scope<'_>) -> Option<Awaited> {
        match what {
            ast::WaitWhat::Event { pattern, of_this_run } => {
                let checked = self.pattern(pattern, scope)?;
                if !of_this_run {
                    return Some(Awaited { pattern: checked, about: About::Anything });
                }
                if let Some(event) = self.without_message(&checked.events) {
                    self.report(rules::not_of_this_run(pattern.span, &event));
                    return None;
                }
                Some(Awaited { pattern: checked, about: About::Message })
            }
            ast::WaitWhat::Engagement { word, filter } => {
                let (name, about) = match word.text.as_str() {
                    "click" => ("Message Clicked", About::Message),
                    "open" => ("Message Opened", About::Message),
                    "delivery" => ("Message Delivered", About::Message),
                    _ => ("Message Replied", About::MessageOrChannel),
                };
                let event = ast::Name { text: name.to_owned(), span: word.span };
                let events = EventSet::Of(vec![self.event(&event)?]);
                let filter = match filter {
                    None => None,
                    Some(filter) => {
                        Some(Box::new(self.condition(filter, Scope { events: Some(&events), ..scope })?))
                    }
                };
                let pattern = Pattern { events, filter, span: word.span, since: 0 };
                if let Some(event) = self.without_message(&pattern.events) {
                    self.report(rules::not_of_this_run(word.span, &event));
                    return None;
                }
                Some(Awaited { pattern, about })
            }
        }
    }

    /// Waits for what becomes of messages, where none has been sent before; `sent` is where the rule first sends one.
    pub(super) fn waits_in_vain(&mut self, steps: &[ast::Step], sent: Option<Span>) {
        for step in steps {
            match &step.kind {
                ast::StepKind::WaitFor(wait) => {
                    let of_this_run = match &wait.what {
                        ast::WaitWhat::Event { of_this_run, .. } => *of_this_run,
                        ast::WaitWhat::Engagement { .. } => true,
                    };
                    if of_this_run && sent.is_none_or(|sent| step.span.start < sent.start) {
                        let head = Span { end: step.span.start + 4, ..step.span };
                        self.report(rules::nothing_to_answer(head));
                    }
                    self.waits_in_vain(&wait.steps, sent);
                    self.waits_in_vain(wait.otherwise.as_deref().unwrap_or_default(), sent);
                }
                ast::StepKind::If { arms, otherwise } => {
                    arms.iter().for_each(|(_, steps)| self.waits_in_vain(steps, sent));
                    self.waits_in_vain(otherwise.as_deref().unwrap_or_default(), sent);
                }
                ast::StepKind::Split(arms) => {
                    arms.iter().for_each(|arm| self.waits_in_vain(&arm.steps, sent))
                }
                _ => {}
            }
        }
    }

    /// An event that does not say which message it is about.
    fn without_message(&self, events: &EventSet) -> Option<String> {
        let EventSet::Of(ids) = events else { return Some("any event".to_owned()) };
        let has = |id: &&crate::typed::EventId| self.text_field(**id, "message");
        let id = ids.iter().find(|id| !has(id))?;
        self.program.events.get(id.0 as usize).map(|event| event.name.to_string())
    }

    fn text_field(&self, id: crate::typed::EventId, name: &str) -> bool {
        let event = self.program.events.get(id.0 as usize);
        event.is_some_and(|event| {
            event.fields.iter().any(|field| *field.name == *name && field.ty == Type::Text)
        })
    }

    /// `reply "…"`.
    pub(super) fn reply(&mut self, content: &ast::Content, scope: Scope<'_>, span: Span) -> Option<StepKind> {
        let mut fields: Content = match content {
            ast::Content::Template(text) => vec![(Arc::from("text"), self.template(text, false, scope)?)],
            ast::Content::File(file) => vec![(Arc::from("text"), self.file(file, false, scope)?)],
            ast::Content::Fields(fields, _) => self.fields(fields, scope, true)?,
        };
        let to = fields.iter().position(|(name, _)| &**name == "to").map(|place| fields.remove(place).1);
        let Some(of) = scope.rule.and_then(|rule| self.replied_to(rule)) else {
            if scope.rule.is_none_or(|rule| !rule.refused) {
                self.report(rules::no_reply(span));
            }
            return None;
        };
        let kind = ExprKind::Field { of, path: FieldPath::Property(vec![Arc::from("channel")]) };
        Some(StepKind::Reply { channel: Expr { kind, ty: Type::Text, span }, to, content: fields })
    }

    /// The event whose channel a reply takes: the answer, else a reply that started the rule.
    fn replied_to(&self, rule: &RuleScope) -> Option<EventRole> {
        let has_channel = |events: &EventSet| match events {
            EventSet::Any => false,
            EventSet::Of(ids) => ids.iter().all(|id| self.text_field(*id, "channel")),
        };
        if rule.answer.as_ref().is_some_and(has_channel) {
            return Some(EventRole::Answer);
        }
        let replied = self.program.event("Message Replied")?;
        let is_replied = |events: &EventSet| *events == EventSet::Of(vec![replied]) && has_channel(events);
        rule.trigger.as_ref().is_some_and(is_replied).then_some(EventRole::Trigger)
    }

    /// `split { a 50% { … } b 50% { … } }`.
    pub(super) fn split(
        &mut self,
        arms: &[ast::Arm],
        scope: Scope<'_>,
        number: &mut u32,
        span: Span,
    ) -> Option<StepKind> {
        let mut checked: Vec<Arm> = Vec::new();
        let mut known: Vec<&ast::Name> = Vec::new();
        let mut sum = Decimal(0);
        for arm in arms {
            match known.iter().find(|other| other.text == arm.name.text) {
                Some(first) => self.report(names::duplicate_name(arm.name.span, &arm.name.text, first.span)),
                None => known.push(&arm.name),
            }
            let percent = Decimal::parse(&arm.share.text).filter(|percent| percent.0 >= 0);
            let share = percent.and_then(|it| u32::try_from(it.0 / 100).ok().filter(|_| it.0 % 100 == 0));
            if share.is_none() {
                self.report(rules::bad_arm(arm.share.span, &arm.share.text));
            }
            sum = Decimal(sum.0.saturating_add(percent.map_or(0, |percent| percent.0)));
            let steps = self.steps(&arm.steps, scope, number);
            let share = Share(share.unwrap_or_default());
            checked.push(Arm { name: Arc::from(arm.name.text.as_str()), share, steps });
        }
        if sum != Decimal(100_000_000) {
            let head = Span { end: span.start + 5, ..span };
            self.report(rules::bad_split(head, &sum.to_string()));
        }
        Some(StepKind::Split(checked))
    }
}
