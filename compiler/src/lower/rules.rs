//! Rules: what is asked when they are triggered, and what is listened for while they wait.

use super::{Lowering, Scope, View};
use crate::{
    plan::{ConditionId, Content, GoalPlan, Heard, NodeId, RulePlan, WatchId},
    typed::{
        self, About, Awaited, ContentValue, EventRole, EventSet, Expr, ExprKind, FieldPath, Goal, Overlap,
        Rule, Sequence, StopWhen, TemplateId,
    },
    types::Type,
};
use std::sync::Arc;

impl<'p> Lowering<'p> {
    pub(super) fn rule(&mut self, rule: &'p Rule) -> RulePlan {
        let program = self.program;
        let sequence = rule.trigger.sequence().and_then(|id| program.sequences.get(id.0 as usize));
        let scope = Scope::Rule(View { sequence, answer: None });
        RulePlan {
            only_if: rule.only_if.as_ref().map(|condition| self.asked(condition, scope)),
            still_if: rule.still_if.as_ref().map(|condition| self.asked(condition, scope)),
            overlap_per: match &rule.overlap {
                Overlap::Skip | Overlap::Restart => None,
                Overlap::Per(path) => Some(self.overlap(path, sequence, scope)),
            },
            stop_condition: match &rule.stop_when {
                Some(StopWhen::Condition(condition)) => Some(self.watched(condition, scope)),
                Some(StopWhen::Event(_)) | None => None,
            },
            stop_event: match &rule.stop_when {
                Some(StopWhen::Event(pattern)) => Some(self.heard(pattern, scope)),
                Some(StopWhen::Condition(_)) | None => None,
            },
            stop_no: sequence
                .and_then(|sequence| sequence.then_no.as_ref())
                .map(|(pattern, _)| self.heard(pattern, Scope::Global)),
            quiet: rule
                .quiet
                .iter()
                .map(|quiet| quiet.condition.as_ref().map(|condition| self.asked(condition, scope)))
                .collect(),
            goal: rule.goal.as_ref().map(|goal| self.goal(goal, scope)),
            operations: self.operations(&rule.steps, scope),
        }
    }

    /// A condition that is asked of runs that wait.
    fn watched(&mut self, condition: &Expr, scope: Scope<'_>) -> WatchId {
        let node = self.condition(condition, scope);
        self.plan.watched.push(node);
        WatchId(u32::try_from(self.plan.watched.len() - 1).unwrap_or(u32::MAX))
    }

    fn goal(&mut self, goal: &'p Goal, scope: Scope<'p>) -> GoalPlan {
        let event = self.heard(&goal.pattern, scope);
        GoalPlan { event, of_trigger: goal.of_trigger, within: goal.within }
    }

    fn overlap(
        &mut self,
        path: &FieldPath,
        sequence: Option<&Sequence>,
        scope: Scope<'_>,
    ) -> crate::plan::ValueId {
        let pattern = sequence.and_then(|sequence| sequence.elements.last()).map(|element| &element.pattern);
        let span = pattern.map(|pattern| pattern.span).unwrap_or_default();
        let ty = match pattern.map(|pattern| self.path_type(pattern, path)) {
            Some(Some(ty)) => ty,
            Some(None) | None => Type::Text,
        };
        let kind = ExprKind::Field { of: EventRole::Trigger, path: path.clone() };
        self.value_id(&Expr { kind, ty, span }, scope)
    }

    fn path_type(&self, pattern: &typed::Pattern, path: &FieldPath) -> Option<Type> {
        match path {
            FieldPath::At => Some(Type::Time),
            FieldPath::MessageId | FieldPath::EventName => Some(Type::Text),
            FieldPath::Property(path) => {
                let EventSet::Of(events) = &pattern.events else { return None };
                let event = self.program.events.get(events.first()?.0 as usize)?;
                let field = event.fields.iter().find(|field| path.first() == Some(&field.name))?;
                field.ty.at(path.get(1..)?)
            }
        }
    }

    /// A condition that is asked by a rule.
    pub(super) fn asked(&mut self, condition: &Expr, scope: Scope<'_>) -> ConditionId {
        let node: NodeId = self.condition(condition, scope);
        let known = self.plan.conditions.iter().position(|other| *other == node);
        let position = known.unwrap_or_else(|| {
            self.plan.conditions.push(node);
            self.plan.conditions.len() - 1
        });
        ConditionId(u32::try_from(position).unwrap_or(u32::MAX))
    }

    /// What a run waits for.
    pub(super) fn awaited(&mut self, what: &'p Awaited, scope: Scope<'p>) -> Heard {
        let group = self.layouts.group(&what.pattern.events);
        let mut slot = |name: &str| match what.about {
            About::Anything => 0,
            About::Message | About::MessageOrChannel => {
                self.layouts.slot(group, &FieldPath::Property(vec![Arc::from(name)]))
            }
        };
        let slots = [slot("message"), slot("channel")];
        Heard { about: what.about, slots, ..self.heard(&what.pattern, scope) }
    }

    /// What a rule listens for after it has begun.
    fn heard(&mut self, pattern: &'p typed::Pattern, scope: Scope<'p>) -> Heard {
        let group = self.layouts.group(&pattern.events);
        let scope = match scope {
            Scope::Rule(view) => Scope::Heard(group, view),
            Scope::Global | Scope::Event(_) | Scope::Heard(..) => Scope::Event(group),
        };
        Heard {
            events: match &pattern.events {
                EventSet::Any => None,
                EventSet::Of(events) => Some(events.clone()),
            },
            filter: pattern.filter.as_ref().map(|filter| self.asked(filter, scope)),
            about: About::Anything,
            slots: [0; 2],
        }
    }

    pub(super) fn content(
        &mut self,
        fields: &[(Arc<str>, ContentValue)],
        scope: Scope<'p>,
    ) -> Vec<(Arc<str>, Content)> {
        fields.iter().map(|(name, value)| (name.clone(), self.content_value(value, scope))).collect()
    }

    pub(super) fn content_value(&mut self, value: &ContentValue, scope: Scope<'p>) -> Content {
        match value {
            ContentValue::Template(template) => {
                self.template(*template, scope);
                Content::Template(*template)
            }
            ContentValue::Value(value) => Content::Value(self.value_id(value, scope)),
            ContentValue::Variant { by, variants, otherwise } => {
                for template in variants.iter().map(|(_, template)| template).chain([otherwise]) {
                    self.template(*template, scope);
                }
                Content::Variant {
                    by: self.value_id(by, scope),
                    variants: variants.clone(),
                    otherwise: *otherwise,
                }
            }
            ContentValue::Object(fields) => Content::Object(self.content(fields, scope)),
        }
    }

    /// Makes sure that what a template reads is there.
    fn template(&mut self, id: TemplateId, scope: Scope<'p>) {
        let program = self.program;
        let Some(template) = program.templates.get(id.0 as usize) else { return };
        for id in &template.lets {
            self.template_let(*id);
        }
        let Scope::Rule(view) = scope else { return };
        for (role, names) in &template.events {
            let Some(events) = view.events(role) else { continue };
            for name in names.iter().filter(|name| !matches!(&***name, "at" | "message_id" | "event_name")) {
                self.layouts.slot_of(events, &FieldPath::Property(vec![name.clone()]), true);
            }
        }
    }
}
