//! Which positions of two programs mean the same.

use super::{each_remembered, is_plain, same_goal, versions};
use crate::typed::{
    EventId, ExprKind, FieldId, HeldId, Occurrence, Program, Rule, ScheduleId, SequenceId, TopicId, Trigger,
    words::Words,
};
use crate::value::Millis;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Where what is known of customers under one program lies in the program that follows it.
#[derive(Clone, Debug, Default)]
pub struct Matched {
    /// Of each event of the old program, the event of that name.
    pub events: Vec<Option<EventId>>,
    /// Of each field of each event of the old program, the position of the field of that name and type.
    pub event_fields: Vec<Vec<Option<usize>>>,
    /// Of each profile field of the new program, the one of that name and type.
    pub profile: Vec<Option<FieldId>>,
    /// Of each topic of the old program, the one of that name.
    pub topics: Vec<Option<TopicId>>,
    /// The topics of the new program that the old one did not have.
    pub new_topics: BTreeSet<TopicId>,
    /// Of each sequence of the new program, the same one; nothing where it is filled from the log.
    pub sequences: Vec<Option<SequenceId>>,
    /// Of each sequence of the new program that triggers a rule, where it is filled from the log: what triggered the rule
    /// before, and does not do so again.
    pub triggered: Vec<Option<TriggeredBefore>>,
    /// Of each condition of the new program that must hold without a break, the same one; nothing where it is filled from
    /// the log.
    pub held: Vec<Option<HeldId>>,
    /// Of each schedule of the new program, the same one.
    pub schedules: Vec<Option<ScheduleId>>,
    /// Of each rule of the old program, the one with which its runs under way go on; nothing where they are stopped.
    pub runs: Vec<Option<u32>>,
    /// Of each rule of the old program, the current version of the same rule, by which its limit goes.
    pub rules: Vec<Option<u32>>,
    /// Of each rule of the old program, the rule whose goal is the same.
    pub goals: Vec<Option<u32>>,
}

/// What triggered a rule before another sequence does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TriggeredBefore {
    /// The sequence of the old program.
    pub by: SequenceId,
    /// After how many milliseconds a complete chain of it triggered the rule.
    pub after: i64,
    /// Since when it was followed, where that is not from the beginning: of what is older, the rules before may have been
    /// triggered by what this one did not wait for any more.
    pub since: Option<Millis>,
}

impl TriggeredBefore {
    /// Whether a chain whose last event was at an instant may still trigger the rule `now`. `waits` says whether the sequence
    /// of before has a chain under way that ends with an event of that instant.
    #[must_use]
    pub fn may_still(&self, last: Millis, now: Millis, waits: impl FnOnce() -> bool) -> bool {
        last.saturating_add(self.after) > now && (self.since.is_none_or(|since| last >= since) || waits())
    }
}

impl Matched {
    /// Compares two programs in force, of which the second is a [`succession`](super::succession) of the first.
    #[must_use]
    pub fn between(old: &Program, new: &Program) -> Self {
        let new_topics = (0..).map(TopicId).zip(&new.topics);
        let new_topics = new_topics.filter(|(_, topic)| old.topic(&topic.name).is_none()).map(|(id, _)| id);
        let mut matched = Self {
            events: old.events.iter().map(|event| new.event(&event.name)).collect(),
            event_fields: old.events.iter().map(|event| fields(event, new)).collect(),
            profile: new.profile.iter().map(|field| profile_field(field, old)).collect(),
            topics: old.topics.iter().map(|topic| new.topic(&topic.name)).collect(),
            new_topics: new_topics.collect(),
            ..Self::default()
        };
        matched.match_remembered(old, new);
        matched.match_rules(old, new);
        matched
    }

    fn match_remembered(&mut self, old: &Program, new: &Program) {
        let (before, after) = (remembered(old), remembered(new));
        let generation = new.generation();
        self.sequences = vec![None; new.sequences.len()];
        for (meaning, ids) in &after.sequences {
            for id in ids {
                let known = new.sequences.get(id.0 as usize).is_some_and(|it| it.since < generation);
                let same = before.sequences.get(meaning).and_then(|ids| ids.first()).filter(|_| known);
                if let Some(place) = self.sequences.get_mut(id.0 as usize) {
                    *place = same.copied();
                }
            }
        }
        self.held = vec![None; new.held.len()];
        for (meaning, ids) in &after.held {
            for id in ids {
                let known = new.held.get(id.0 as usize).is_some_and(|it| it.since < generation);
                let same = before.held.get(meaning).and_then(|ids| ids.first()).filter(|_| known);
                if let Some(place) = self.held.get_mut(id.0 as usize) {
                    *place = same.copied();
                }
            }
        }
        self.triggered = vec![None; new.sequences.len()];
        for rule in &new.rules {
            let Trigger::Sequence(id) = rule.trigger else { continue };
            let place = id.0 as usize;
            if self.sequences.get(place).is_some_and(Option::is_none)
                && let Some(triggered) = self.triggered.get_mut(place)
            {
                *triggered = what_triggered((old, new), rule);
            }
        }
        let words: Vec<String> = old.schedules.iter().map(|it| it.words(old)).collect();
        let same = |schedule: &crate::typed::schedule::Schedule| {
            let meaning = schedule.words(new);
            let place = words.iter().position(|other| *other == meaning)?;
            u32::try_from(place).ok().map(ScheduleId)
        };
        self.schedules = new.schedules.iter().map(same).collect();
    }

    fn match_rules(&mut self, old: &Program, new: &Program) {
        let (old_versions, new_versions) = (versions(old), versions(new));
        for (rule, version) in old.rules.iter().zip(&old_versions) {
            let family = || new.rules.iter().zip(0..).filter(|(it, _)| it.identity() == rule.identity());
            // The current version stands after the others of its rule, and is the first choice.
            let same = family().zip(0..).filter(|((_, number), _)| {
                usize::try_from(*number).ok().and_then(|number| new_versions.get(number)) == Some(version)
            });
            self.runs.push(same.map(|((_, number), _): ((&Rule, u32), u32)| number).last());
            let current = family().find(|(it, _)| !it.is_former());
            self.rules.push(current.map(|(_, number)| number));
            let same_goal = current.filter(|(it, _)| {
                !rule.is_former() && it.goal.is_some() && same_goal((old, rule), (new, it))
            });
            self.goals.push(same_goal.map(|(_, number)| number));
        }
    }
}

/// What triggered a rule before, if that was a sequence of as many events.
fn what_triggered((old, new): (&Program, &Program), rule: &Rule) -> Option<TriggeredBefore> {
    let sequence = |program: &'_ Program, rule: &Rule| match rule.trigger {
        Trigger::Sequence(id) => Some((id, program.sequences.get(id.0 as usize).cloned()?)),
        _ => None,
    };
    let earlier = old.rules.iter().find(|it| it.identity() == rule.identity() && !it.is_former())?;
    let ((by, before), (_, after)) = (sequence(old, earlier)?, sequence(new, rule)?);
    let change = before.since.checked_sub(1).and_then(|place| old.changes.get(place as usize));
    (before.elements.len() == after.elements.len()).then(|| TriggeredBefore {
        by,
        after: before.then_no.map_or(0, |(_, within)| within),
        since: change.map(|change| change.at),
    })
}

/// The positions of a program by meaning.
#[derive(Default)]
struct Meanings {
    sequences: BTreeMap<String, Vec<SequenceId>>,
    held: BTreeMap<String, Vec<HeldId>>,
}

fn remembered(program: &Program) -> Meanings {
    let words = Words::exact(program);
    let mut meanings = Meanings::default();
    each_remembered(program, &mut |expr| match &expr.kind {
        ExprKind::Did { what: Occurrence::Sequence(id), .. } => {
            meanings.sequences.entry(words.expression(expr)).or_default().push(*id);
        }
        ExprKind::Held { id, .. } => meanings.held.entry(words.expression(expr)).or_default().push(*id),
        _ => {}
    });
    for rule in &program.rules {
        if let Trigger::Sequence(id) = rule.trigger
            && let Some(sequence) = program.sequences.get(id.0 as usize).filter(|it| !is_plain(it))
        {
            meanings.sequences.entry(words.sequence(sequence)).or_default().push(id);
        }
    }
    meanings
}

/// Where the fields of an event lie in another program.
fn fields(event: &crate::typed::EventType, program: &Program) -> Vec<Option<usize>> {
    let other = program.event(&event.name).and_then(|id| program.events.get(id.0 as usize));
    let place = |field: &crate::types::Field| {
        other?.fields.iter().position(|it| it.name == field.name && it.ty == field.ty)
    };
    event.fields.iter().map(place).collect()
}

fn profile_field(field: &crate::typed::ProfileField, program: &Program) -> Option<FieldId> {
    let name: &Arc<str> = &field.field.name;
    let same =
        |other: &crate::typed::ProfileField| other.field.name == *name && other.field.ty == field.field.ty;
    u32::try_from(program.profile.iter().position(same)?).ok().map(FieldId)
}
