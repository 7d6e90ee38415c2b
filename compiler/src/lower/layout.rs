//! Which fields are read of which event, and where they lie in its frame.
//!
//! Events that occur together in a pattern share slot numbers, so that code that looks at one of them need not ask which
//! it is.

use crate::{
    plan::{Class, FIXED_SLOTS, FieldUse, Layout, ProfileSlot, SlotUse},
    typed::{EventId, EventSet, ExprKind, FieldId, FieldPath, Pattern, Program, Sequence},
    types::Type,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A group of events with common slot numbers; `None`: events of which only the fixed slots are read.
pub(super) type Group = Option<u32>;

/// Slot numbers under construction.
pub(super) struct Layouts<'p> {
    program: &'p Program,
    /// The group of each event.
    groups: Vec<u32>,
    /// The slots of each group.
    slots: BTreeMap<u32, BTreeMap<Vec<Arc<str>>, u32>>,
    /// By event, the slots that are read of it when it is part of a match.
    kept: BTreeMap<EventId, BTreeSet<u32>>,
    pub(super) profile: Vec<ProfileSlot>,
}

impl<'p> Layouts<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        let count = u32::try_from(program.events.len()).unwrap_or(u32::MAX);
        let mut layouts = Self {
            program,
            groups: (0..count).collect(),
            slots: BTreeMap::new(),
            kept: BTreeMap::new(),
            profile: Vec::new(),
        };
        visit_patterns(program, &mut |pattern| layouts.unite(&pattern.events));
        layouts
    }

    fn unite(&mut self, events: &EventSet) {
        let EventSet::Of(events) = events else { return };
        let Some(first) = events.first().and_then(|event| self.groups.get(event.0 as usize)).copied() else {
            return;
        };
        for event in events {
            let Some(other) = self.groups.get(event.0 as usize).copied() else { continue };
            for group in &mut self.groups {
                if *group == other {
                    *group = first;
                }
            }
        }
    }

    /// The group of a pattern's events.
    pub(super) fn group(&self, events: &EventSet) -> Group {
        match events {
            EventSet::Any => None,
            EventSet::Of(events) => {
                events.first().and_then(|event| self.groups.get(event.0 as usize)).copied()
            }
        }
    }

    /// The slot of a path, given out if it is new.
    pub(super) fn slot(&mut self, group: Group, path: &FieldPath) -> u32 {
        match path {
            FieldPath::At => 0,
            FieldPath::MessageId => 1,
            FieldPath::EventName => 2,
            FieldPath::Property(path) => {
                let Some(group) = group else { return 0 };
                let slots = self.slots.entry(group).or_default();
                let next = FIXED_SLOTS + u32::try_from(slots.len()).unwrap_or(0);
                *slots.entry(path.clone()).or_insert(next)
            }
        }
    }

    /// The slot of a path of some events, given out if it is new; `is_kept` tells whether it is read after their instant, when
    /// they are part of a match.
    pub(super) fn slot_of(&mut self, events: &EventSet, path: &FieldPath, is_kept: bool) -> u32 {
        let slot = self.slot(self.group(events), path);
        if let EventSet::Of(events) = events
            && is_kept
            && slot >= FIXED_SLOTS
        {
            for event in events {
                self.kept.entry(*event).or_default().insert(slot);
            }
        }
        slot
    }

    /// The slot of a profile path, given out if it is new.
    pub(super) fn profile_slot(&mut self, field: FieldId, path: &[Arc<str>], class: Class) -> u32 {
        let known = self.profile.iter().position(|slot| slot.field == field && slot.path == path);
        let position = known.unwrap_or_else(|| {
            self.profile.push(ProfileSlot { field, path: path.to_vec(), class });
            self.profile.len() - 1
        });
        u32::try_from(position).unwrap_or(u32::MAX)
    }

    /// The slots that must be the same in a sequence, by event.
    pub(super) fn keys(&self, sequence: &Sequence) -> BTreeMap<EventId, Vec<u32>> {
        let mut keys = BTreeMap::new();
        let then_no = sequence.then_no.iter().map(|(pattern, _)| pattern);
        for pattern in sequence.elements.iter().map(|element| &element.pattern).chain(then_no) {
            let EventSet::Of(events) = &pattern.events else { continue };
            for event in events {
                let slots = self.groups.get(event.0 as usize).and_then(|group| self.slots.get(group));
                let of = |path: &FieldPath| match path {
                    FieldPath::At => Some(0),
                    FieldPath::MessageId => Some(1),
                    FieldPath::EventName => Some(2),
                    FieldPath::Property(path) => slots.and_then(|slots| slots.get(path)).copied(),
                };
                keys.insert(*event, sequence.same.iter().filter_map(of).collect());
            }
        }
        keys
    }

    /// The layout of each event's frame.
    pub(super) fn finish(self) -> Vec<Layout> {
        let none = BTreeMap::new();
        let of = |(id, (event, group)): (EventId, (&crate::typed::EventType, &u32))| {
            let slots = self.slots.get(group).unwrap_or(&none);
            let kept = self.kept.get(&id).into_iter().flatten().copied().collect();
            let mut layout = Layout { slots: FIXED_SLOTS, kept, ..Layout::default() };
            for (field, number) in event.fields.iter().zip(0..) {
                let mut uses = Vec::new();
                for (path, slot) in slots.iter().filter(|(path, _)| path.first() == Some(&field.name)) {
                    let rest = path.get(1..).unwrap_or_default();
                    let Some(ty) = field.ty.at(rest) else { continue };
                    layout.slots = layout.slots.max(slot + 1);
                    uses.push(SlotUse { slot: *slot, path: rest.to_vec(), class: Class::of(&ty) });
                    if rest.is_empty() {
                        layout.names.insert(field.name.clone(), *slot);
                    }
                }
                if !uses.is_empty() {
                    layout.fields.push(FieldUse { field: number, slots: uses });
                }
            }
            // Code for a group may read any of its slots.
            layout.slots = layout.slots.max(FIXED_SLOTS + u32::try_from(slots.len()).unwrap_or(0));
            layout
        };
        (0..).map(EventId).zip(self.program.events.iter().zip(&self.groups)).map(of).collect()
    }

    /// All top-level fields of a pattern's events, for a value that is the whole event.
    pub(super) fn whole(&mut self, events: &EventSet) {
        let EventSet::Of(events) = events else { return };
        let program = self.program;
        for event in events {
            let group = self.groups.get(event.0 as usize).copied();
            for field in program
                .events
                .get(event.0 as usize)
                .map(crate::typed::EventType::declared)
                .unwrap_or_default()
            {
                self.slot(group, &FieldPath::Property(vec![field.name.clone()]));
            }
        }
    }

    /// The type of a profile field at a path.
    pub(super) fn profile_type(&self, field: FieldId, path: &[Arc<str>]) -> Option<Type> {
        self.program.profile.get(field.0 as usize)?.field.ty.at(path)
    }
}

/// Visits every pattern of a program.
fn visit_patterns(program: &Program, visit: &mut dyn FnMut(&Pattern)) {
    for sequence in &program.sequences {
        for element in &sequence.elements {
            visit(&element.pattern);
        }
        if let Some((pattern, _)) = &sequence.then_no {
            visit(pattern);
        }
    }
    for rule in &program.rules {
        crate::typed::visit::heard(rule, visit);
        if let Some(goal) = &rule.goal {
            visit(&goal.pattern);
        }
    }
    let mut expression = |expr: &crate::typed::Expr| {
        if let ExprKind::Did { what: crate::typed::Occurrence::Pattern(pattern), .. }
        | ExprKind::Count { pattern, .. }
        | ExprKind::Aggregate { pattern, .. }
        | ExprKind::LastOf { pattern, .. }
        | ExprKind::TimeSince { pattern, .. }
        | ExprKind::Regularly { pattern, .. }
        | ExprKind::Streak { pattern, .. } = &expr.kind
        {
            visit(pattern);
        }
    };
    crate::typed::visit::program(program, &mut expression);
}
