//! What becomes of customers' states when new rules take the place of old ones.
//!
//! State is matched by what it means: an event, a filter, an aggregate and a window that are the same in both versions go on,
//! whatever they are called and wherever they stand. What is new is filled from the log before a rule takes effect. A rule is
//! the same if it has the same name, or says `was` and the old one.

mod print;

pub use print::print;

use crate::{
    reach::{self, Reach},
    succession::{Made, with_first_names},
    typed::{Expr, ExprKind, Program, Rule, SegmentId, Trigger, visit, words::Words},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What becomes of everything that is kept of a customer.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Changes {
    /// What is remembered of events.
    pub remembered: Vec<Remembered>,
    /// Fields of the profile.
    pub profile: Vec<Named>,
    /// Topics, for whose rates messages are counted.
    pub topics: Vec<Named>,
    /// Segments.
    pub segments: Vec<Named>,
    /// Rules, in order of trigger, and then those that are gone.
    pub rules: Vec<RuleChange>,
}

/// What becomes of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It goes on as it is.
    Kept,
    /// It means something else now, and begins anew.
    Changed,
    /// There was nothing like it.
    New,
    /// It is let go.
    Dropped,
}

/// Something that is remembered of events.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Remembered {
    /// What, in the words of the language.
    pub what: String,
    /// Kept, new, or dropped.
    pub fate: Fate,
    /// How far back the log is read to fill it, where it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<Reach>,
    /// The declarations that use it.
    pub used_by: Vec<String>,
}

/// Something that is matched by name, or by meaning where the name is new.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Named {
    /// Its name.
    pub name: Arc<str>,
    /// Its name before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<Arc<str>>,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a rule, its limits and its runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleChange {
    /// Its name.
    pub name: Arc<str>,
    /// Its name before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<Arc<str>>,
    /// What becomes of it.
    pub fate: Fate,
    /// The parts that say something else now, by their first words.
    pub changed: Vec<&'static str>,
    /// Whether its limits, holdout and runs go on.
    pub keeps_identity: bool,
    /// How far back the log must reach before the rule takes effect, because of what is new; no further than the present
    /// where it says `start cold`.
    pub log: Reach,
    /// How far back it looks, as to what is new, at things that rules made before, such as messages: no log tells of them, so
    /// the rule takes effect when it looks back no further than the change.
    pub made: Reach,
    /// A rule that is gone and says the same: perhaps it was renamed without `was`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looks_like: Option<Arc<str>>,
}

/// Compares two versions of a project.
#[must_use]
pub fn changes(old: &Program, new: &Program) -> Changes {
    let new = &with_first_names(old, new);
    let made = Made::by(old);
    let (before, after) = (Memory::of(old, &made), Memory::of(new, &made));
    let remembered = remembered(&before, &after);
    let segments = segments(old, new);
    let rules = rules(old, new, &before, &after);
    let field = |program: &Program| -> Vec<(Arc<str>, String)> {
        let fields = program.profile.iter().map(|it| (it.field.name.clone(), it.field.ty.to_string()));
        fields.collect()
    };
    let topic = |program: &Program| -> Vec<(Arc<str>, String)> {
        program.topics.iter().map(|topic| (topic.name.clone(), String::new())).collect()
    };
    Changes {
        remembered,
        profile: named(&field(old), &field(new)),
        topics: named(&topic(old), &topic(new)),
        segments,
        rules,
    }
}

/// What a program remembers of events, by its exact meaning.
struct Memory {
    items: BTreeMap<String, Item>,
    /// The meanings in the order in which they are met.
    order: Vec<String>,
}

/// One thing that is remembered.
struct Item {
    what: String,
    reach: Reach,
    /// Whether rules made some of it before.
    is_made: bool,
    used_by: Vec<String>,
}

impl Memory {
    fn of(program: &Program, made: &Made) -> Self {
        let mut memory = Self { items: BTreeMap::new(), order: Vec::new() };
        let (exact, words) = (Words::exact(program), Words::new(program));
        let mut add = |meaning: String, what: String, (reach, is_made): (Reach, bool), user: &str| {
            let item = memory.items.entry(meaning.clone()).or_insert_with(|| {
                memory.order.push(meaning);
                Item { what, reach, is_made, used_by: Vec::new() }
            });
            if !item.used_by.iter().any(|other| other == user) {
                item.used_by.push(user.to_owned());
            }
        };
        let mut part = |expr: &Expr, user: &str| {
            if is_remembered(expr) {
                let reach = reach::of_expression(program, expr);
                let is_made = made.is_remembered_for(program, expr);
                add(exact.expression(expr), words.expression(expr), (reach, is_made), user);
            }
        };
        for definition in &program.lets {
            let user = format!("let {}", definition.name);
            for (value, condition) in &definition.arms {
                visit::expression(value, &mut |expr| part(expr, &user));
                visit::expression(condition, &mut |expr| part(expr, &user));
            }
            visit::expression(&definition.value, &mut |expr| part(expr, &user));
        }
        for segment in &program.segments {
            let user = format!("segment {}", segment.name);
            visit::expression(&segment.condition, &mut |expr| part(expr, &user));
        }
        for rule in &program.rules {
            let user = format!("rule {}", rule.name);
            visit::rule(rule, &mut |expr| part(expr, &user));
        }
        for rule in &program.rules {
            let user = format!("rule {}", rule.name);
            match rule.trigger {
                Trigger::Sequence(id) => {
                    if let Some(sequence) = program.sequences.get(id.0 as usize)
                        && (sequence.elements.len() > 1 || sequence.then_no.is_some() || sequence.first_time)
                    {
                        let what = format!("matches under way of {}", words.sequence(sequence));
                        let reach = (reach::of_sequence(sequence), made.is_followed_by(program, sequence));
                        add(exact.sequence(sequence), what, reach, &user);
                    }
                }
                Trigger::Schedule(_) => {
                    let when = words.trigger(rule.trigger);
                    add(when.clone(), format!("the last occurrence of {when}"), (Reach::NONE, false), &user);
                }
                Trigger::Enters(_) | Trigger::Leaves(_) | Trigger::Former { .. } => {}
            }
        }
        memory
    }
}

/// Whether something is remembered of events to know a condition or value.
pub(crate) fn is_remembered(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Did { .. }
        | ExprKind::NoActivity(_)
        | ExprKind::Held { .. }
        | ExprKind::Regularly { .. }
        | ExprKind::Streak { .. }
        | ExprKind::Count { .. }
        | ExprKind::Aggregate { .. }
        | ExprKind::LastOf { .. }
        | ExprKind::TimeSince { .. } => true,
        // When somebody was first seen is known of everybody.
        ExprKind::KnownFor(_)
        | ExprKind::Literal(_)
        | ExprKind::Profile { .. }
        | ExprKind::Consent { .. }
        | ExprKind::Field { .. }
        | ExprKind::Let(_)
        | ExprKind::Call { .. }
        | ExprKind::Arithmetic { .. }
        | ExprKind::Compare { .. }
        | ExprKind::Between { .. }
        | ExprKind::In { .. }
        | ExprKind::TextTest { .. }
        | ExprKind::IsKnown(_)
        | ExprKind::Not(_)
        | ExprKind::And(_)
        | ExprKind::Or(_)
        | ExprKind::AtLeastOf { .. }
        | ExprKind::InSegment(_) => false,
    }
}

fn remembered(before: &Memory, after: &Memory) -> Vec<Remembered> {
    let mut all = Vec::new();
    for meaning in &after.order {
        let Some(item) = after.items.get(meaning) else { continue };
        let fate = if before.items.contains_key(meaning) { Fate::Kept } else { Fate::New };
        let log = (fate == Fate::New).then_some(item.reach);
        all.push(Remembered { what: item.what.clone(), fate, log, used_by: item.used_by.clone() });
    }
    for meaning in before.order.iter().filter(|meaning| !after.items.contains_key(*meaning)) {
        let Some(item) = before.items.get(meaning) else { continue };
        let (what, used_by) = (item.what.clone(), item.used_by.clone());
        all.push(Remembered { what, fate: Fate::Dropped, log: None, used_by });
    }
    all
}

/// Things by name and meaning, new ones in their order and then those that are gone.
fn named(old: &[(Arc<str>, String)], new: &[(Arc<str>, String)]) -> Vec<Named> {
    let mut all = Vec::new();
    for (name, meaning) in new {
        let fate = match old.iter().find(|(other, _)| other == name) {
            Some((_, other)) if other == meaning => Fate::Kept,
            Some(_) => Fate::Changed,
            None => Fate::New,
        };
        all.push(Named { name: name.clone(), was: None, fate });
    }
    let gone = old.iter().filter(|(name, _)| !new.iter().any(|(other, _)| other == name));
    all.extend(gone.map(|(name, _)| Named { name: name.clone(), was: None, fate: Fate::Dropped }));
    all
}

/// Segments by name; where the name is new or gone, by meaning.
fn segments(old: &Program, new: &Program) -> Vec<Named> {
    let meanings = |program: &Program| -> Vec<(Arc<str>, String)> {
        let words = Words::exact(program);
        let numbered = program.segments.iter().zip((0..).map(SegmentId));
        numbered.map(|(segment, id)| (segment.name.clone(), words.segment(id))).collect()
    };
    let (before, after) = (meanings(old), meanings(new));
    let mut all = named(&before, &after);
    let mut renamed: BTreeSet<Arc<str>> = BTreeSet::new();
    for change in all.iter_mut().filter(|change| change.fate == Fate::New) {
        let meaning = after.iter().find(|(name, _)| *name == change.name).map(|(_, meaning)| meaning);
        let same = before.iter().find(|(name, other)| {
            Some(other) == meaning && !after.iter().any(|(kept, _)| kept == name) && !renamed.contains(name)
        });
        if let Some((name, _)) = same {
            renamed.insert(name.clone());
            *change = Named { name: change.name.clone(), was: Some(name.clone()), fate: Fate::Kept };
        }
    }
    all.retain(|change| change.fate != Fate::Dropped || !renamed.contains(&change.name));
    all
}

fn rules(old: &Program, new: &Program, before: &Memory, after: &Memory) -> Vec<RuleChange> {
    let (old_words, new_words) = (Words::exact(old), Words::exact(new));
    // What limits and runs go by is the identity; without it the name still tells what is compared with what.
    let predecessor = |rule: &Rule| {
        let by_identity = old.rules.iter().find(|other| other.identity() == rule.identity());
        by_identity.or_else(|| old.rules.iter().find(|other| other.name == rule.name))
    };
    let has_successor = |rule: &&Rule| {
        new.rules.iter().any(|other| other.identity() == rule.identity() || other.name == rule.name)
    };
    let gone: Vec<&Rule> = old.rules.iter().filter(|rule| !has_successor(rule)).collect();
    let mut all = Vec::new();
    for rule in &new.rules {
        let parts = new_words.parts(rule);
        let earlier = predecessor(rule);
        let changed: Vec<&'static str> = earlier.map_or_else(Vec::new, |earlier| {
            let pairs = parts.iter().zip(old_words.parts(earlier));
            pairs.filter(|((_, new), (_, old))| new != old).map(|((name, _), _)| *name).collect()
        });
        let fate = match earlier {
            None => Fate::New,
            Some(_) if changed.is_empty() => Fate::Kept,
            Some(_) => Fate::Changed,
        };
        let [log, made] = if rule.start_cold { [Reach::NONE; 2] } else { to_fill(new, rule, before, after) };
        let similar = gone.iter().find(|other| old_words.parts(other) == parts);
        all.push(RuleChange {
            name: rule.name.clone(),
            was: earlier.map(|earlier| earlier.name.clone()).filter(|name| *name != rule.name),
            fate,
            changed,
            keeps_identity: earlier.is_some_and(|earlier| earlier.identity() == rule.identity()),
            log,
            made,
            looks_like: similar.filter(|_| fate == Fate::New).map(|other| other.name.clone()),
        });
    }
    all.extend(gone.into_iter().map(|rule| RuleChange {
        name: rule.name.clone(),
        was: None,
        fate: Fate::Dropped,
        changed: Vec::new(),
        keeps_identity: false,
        log: Reach::NONE,
        made: Reach::NONE,
        looks_like: None,
    }));
    all
}

/// How far back a rule looks at what is new, and at that of it which rules made.
fn to_fill(program: &Program, rule: &Rule, before: &Memory, after: &Memory) -> [Reach; 2] {
    let users: BTreeSet<String> = reach::used_by(program, rule);
    let new = after.items.iter().filter(|(meaning, _)| !before.items.contains_key(*meaning));
    let used = new.filter(|(_, item)| item.used_by.iter().any(|user| users.contains(user)));
    used.fold([Reach::NONE; 2], |[log, made], (_, item)| {
        [log.or(item.reach), if item.is_made { made.or(item.reach) } else { made }]
    })
}
