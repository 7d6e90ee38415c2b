//! What a rule of one program says, written for the positions of another.

use super::FORMER_OVERLAP;
use crate::typed::{
    EventId, Expr, ExprKind, FieldId, HeldId, Let, LetId, Occurrence, Program, Rule, SequenceId, TemplateId,
    TopicId, Trigger,
    rewrite::{self, Rewrite},
    visit,
    words::Words,
};
use crate::types::Field;
use std::{collections::BTreeMap, sync::Arc};

/// Takes parts of one program over into another. What the other has, too, is used; what it has not is added.
pub(super) struct Import<'a> {
    old: &'a Program,
    new: &'a mut Program,
    words: Words<'a>,
    lets: BTreeMap<(Arc<str>, String), LetId>,
    held: BTreeMap<String, HeldId>,
    sequences: BTreeMap<String, SequenceId>,
    triggers: BTreeMap<String, SequenceId>,
    /// Whether something has another type in the new program.
    conflict: bool,
}

impl<'a> Import<'a> {
    pub(super) fn new(old: &'a Program, new: &'a mut Program) -> Self {
        let mut import = Self {
            old,
            words: Words::exact(old),
            lets: BTreeMap::new(),
            held: BTreeMap::new(),
            sequences: BTreeMap::new(),
            triggers: BTreeMap::new(),
            conflict: false,
            new,
        };
        import.look_around();
        import
    }

    /// Finds out what the new program has, by its meaning.
    fn look_around(&mut self) {
        let words = Words::exact(self.new);
        for (definition, id) in self.new.lets.iter().zip((0..).map(LetId)) {
            self.lets.entry((definition.name.clone(), words.definition(id))).or_insert(id);
        }
        visit::program(self.new, &mut |expr| match &expr.kind {
            ExprKind::Held { id, .. } => {
                self.held.entry(words.expression(expr)).or_insert(*id);
            }
            ExprKind::Did { what: Occurrence::Sequence(id), .. } => {
                self.sequences.entry(words.expression(expr)).or_insert(*id);
            }
            _ => {}
        });
        for (sequence, id) in self.new.sequences.iter().zip((0..).map(SequenceId)) {
            self.triggers.entry(words.sequence(sequence)).or_insert(id);
        }
    }

    /// A rule as an earlier version, which nothing triggers; nothing where the new program gives another type to what it
    /// looks at.
    pub(super) fn rule(mut self, rule: &Rule, version: u64) -> Option<Rule> {
        let before = self.new.clone();
        let sequence = rule.trigger.sequence().and_then(|id| self.trigger(id));
        let mut former = rule.clone();
        former.only_if = None;
        former.overlap = FORMER_OVERLAP;
        rewrite::rule(&mut former, &mut self);
        former.trigger = Trigger::Former { sequence, version };
        if self.conflict {
            *self.new = before;
            return None;
        }
        Some(former)
    }

    /// The sequence that triggered runs, which is followed no more.
    fn trigger(&mut self, id: SequenceId) -> Option<SequenceId> {
        let sequence = self.old.sequences.get(id.0 as usize)?;
        let words = self.words.sequence(sequence);
        if let Some(known) = self.triggers.get(&words) {
            // Its events may have fields that are new to the other program all the same.
            let known = *known;
            self.events_of(id);
            return Some(known);
        }
        let added = self.sequence(id, true)?;
        self.triggers.insert(words, added);
        Some(added)
    }

    fn events_of(&mut self, id: SequenceId) {
        let Some(mut sequence) = self.old.sequences.get(id.0 as usize).cloned() else { return };
        for element in &mut sequence.elements {
            rewrite::pattern(&mut element.pattern, self);
        }
        if let Some((pattern, _)) = &mut sequence.then_no {
            rewrite::pattern(pattern, self);
        }
    }

    fn sequence(&mut self, id: SequenceId, idle: bool) -> Option<SequenceId> {
        let mut sequence = self.old.sequences.get(id.0 as usize)?.clone();
        for element in &mut sequence.elements {
            rewrite::pattern(&mut element.pattern, self);
        }
        if let Some((pattern, _)) = &mut sequence.then_no {
            rewrite::pattern(pattern, self);
        }
        sequence.idle = idle;
        self.new.sequences.push(sequence);
        position(self.new.sequences.len()).map(SequenceId)
    }

    fn definition(&mut self, id: LetId) -> Option<LetId> {
        let definition = self.old.lets.get(id.0 as usize)?;
        let meaning = (definition.name.clone(), self.words.definition(id));
        if let Some(known) = self.lets.get(&meaning) {
            return Some(*known);
        }
        let Let { name, mut arms, mut value } = definition.clone();
        for (value, condition) in &mut arms {
            self.expression(value);
            self.expression(condition);
        }
        self.expression(&mut value);
        self.new.lets.push(Let { name, arms, value });
        let id = position(self.new.lets.len()).map(LetId)?;
        self.lets.insert(meaning, id);
        Some(id)
    }

    fn held(&mut self, words: String, id: HeldId) -> Option<HeldId> {
        if let Some(known) = self.held.get(&words) {
            return Some(*known);
        }
        let mut held = self.old.held.get(id.0 as usize)?.clone();
        self.expression(&mut held.condition);
        self.new.held.push(held);
        let id = position(self.new.held.len()).map(HeldId)?;
        self.held.insert(words, id);
        Some(id)
    }

    fn topic_of(&mut self, id: TopicId) -> Option<TopicId> {
        let topic = self.old.topics.get(id.0 as usize)?;
        if let Some(known) = self.new.topic(&topic.name) {
            return Some(known);
        }
        let mut topic = topic.clone();
        topic.within = topic.within.and_then(|within| self.topic_of(within));
        self.new.topics.push(topic);
        position(self.new.topics.len()).map(TopicId)
    }

    fn event_of(&mut self, id: EventId) -> Option<EventId> {
        let event = self.old.events.get(id.0 as usize)?;
        let Some(known) = self.new.event(&event.name) else {
            let mut event = event.clone();
            event.former = event.fields.len();
            // What nobody declares is taken for something that the customer does.
            event.passive = false;
            self.new.events.push(event);
            return position(self.new.events.len()).map(EventId);
        };
        let declared = self.new.events.get_mut(known.0 as usize)?;
        for field in &event.fields {
            match declared.fields.iter().find(|other| other.name == field.name) {
                Some(other) => self.conflict |= other.ty != field.ty,
                None => {
                    declared.fields.push(Field { optional: true, ..field.clone() });
                    declared.former += 1;
                }
            }
        }
        Some(known)
    }

    fn field_of(&mut self, id: FieldId) -> Option<FieldId> {
        let field = self.old.profile.get(id.0 as usize)?;
        let known = self.new.profile.iter().position(|other| other.field.name == field.field.name);
        if let Some(known) = known {
            self.conflict |=
                self.new.profile.get(known).is_some_and(|other| other.field.ty != field.field.ty);
            return u32::try_from(known).ok().map(FieldId);
        }
        self.new.profile.push(field.clone());
        position(self.new.profile.len()).map(FieldId)
    }

    fn template_of(&mut self, id: TemplateId) -> Option<TemplateId> {
        let mut template = self.old.templates.get(id.0 as usize)?.clone();
        template.lets = template.lets.iter().filter_map(|id| self.definition(*id)).collect();
        template.profile = template.profile.iter().filter_map(|id| self.field_of(*id)).collect();
        self.new.templates.push(template);
        position(self.new.templates.len()).map(TemplateId)
    }
}

impl Rewrite for Import<'_> {
    fn expression(&mut self, expr: &mut Expr) {
        match &mut expr.kind {
            // Whether somebody is in a segment is whether its condition holds.
            ExprKind::InSegment(id) => {
                if let Some(segment) = self.old.segments.get(id.0 as usize) {
                    *expr = segment.condition.clone();
                    self.expression(expr);
                }
            }
            ExprKind::Let(id) => *id = self.definition(*id).unwrap_or(*id),
            ExprKind::Did { what: Occurrence::Sequence(id), .. } => {
                let old = *id;
                let words = self.words.expression(expr);
                let known = self.sequences.get(&words).copied();
                let Some(new) = known.or_else(|| self.sequence(old, false)) else { return };
                self.sequences.insert(words, new);
                if let ExprKind::Did { what: Occurrence::Sequence(id), .. } = &mut expr.kind {
                    *id = new;
                }
            }
            ExprKind::Held { id, .. } => {
                let old = *id;
                let words = self.words.expression(expr);
                let new = self.held(words, old);
                if let (ExprKind::Held { id, .. }, Some(new)) = (&mut expr.kind, new) {
                    *id = new;
                }
                rewrite::parts(expr, self);
            }
            _ => rewrite::parts(expr, self),
        }
    }

    fn event(&mut self, id: &mut EventId) {
        *id = self.event_of(*id).unwrap_or(*id);
    }

    fn field(&mut self, id: &mut FieldId) {
        *id = self.field_of(*id).unwrap_or(*id);
    }

    fn topic(&mut self, id: &mut TopicId) {
        *id = self.topic_of(*id).unwrap_or(*id);
    }

    fn template(&mut self, id: &mut TemplateId) {
        *id = self.template_of(*id).unwrap_or(*id);
    }
}

/// The position of what was added last.
fn position(count: usize) -> Option<u32> {
    u32::try_from(count.checked_sub(1)?).ok()
}
