//! The program in force after a change of rules: the new one, and earlier versions of its rules for the runs under way.
//!
//! What is remembered of customers goes on where the new rules ask for the same, in the words of [`changes`](crate::changes);
//! everything else is marked as remembered since this change, so that it is filled from the log. Of a rule that does other
//! things now, what runs under way can still come to (its steps, and what stops them) is taken over from the old program,
//! written for the positions of the new one, as a rule that nothing triggers. Which positions of two programs mean the same
//! is said by [`Matched`].

mod fill;
mod import;
mod made;
mod matched;
mod restore;

pub use fill::{read_from, to_fill};
pub use made::Made;
pub use matched::{Matched, TriggeredBefore};
pub use restore::{Marks, Version, current, former, restored};

use crate::{
    changes::is_remembered,
    limits::MAX_FORMER_VERSIONS,
    typed::{
        Change, Expr, ExprKind, Limit, Occurrence, Overlap, Program, Rule, Sequence, Step, StepKind, Trigger,
        rewrite::{self, Rewrite},
        visit,
        words::Words,
    },
    value::Millis,
};
use import::Import;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The program in force after `new` takes the place of `old`, at a time from which the log reaches back to `log_from` (to
/// everything, if `None`). Of earlier versions those are kept that have runs under way, by their positions in `old`.
#[must_use]
pub fn succession(
    old: &Program,
    new: &Program,
    (at, log_from): (Millis, Option<Millis>),
    under_way: &BTreeSet<u32>,
) -> Program {
    let new = &with_first_names(old, new);
    let mut program = new.clone();
    // What tests expect is asked of the rules as they are written.
    program.tests = Vec::new();
    let change = Change { at, log_from, made: Made::by(old) };
    program.changes = old.changes.iter().cloned().chain([change]).collect();
    mark(old, new, &mut program);
    take_over(old, new, under_way, &mut program);
    program
}

impl Program {
    /// The number of the latest change of rules: what is remembered since then is new.
    #[must_use]
    pub fn generation(&self) -> u32 {
        u32::try_from(self.changes.len()).unwrap_or(u32::MAX)
    }

    /// Of each rule the position of its current version, by which limits, goals and runs under way go.
    #[must_use]
    pub fn current_versions(&self) -> Vec<u32> {
        let mut current = Vec::with_capacity(self.rules.len());
        for (rule, number) in self.rules.iter().zip(0..) {
            if !rule.is_former() {
                // Those before it that have none yet are its earlier versions.
                current.resize(current.len().max(number as usize + 1), number);
            }
        }
        current
    }
}

/// The new rules by the names that they first had: one that is renamed again may say the name that it had last, or nothing
/// more once it was in force under its name.
pub(crate) fn with_first_names(old: &Program, new: &Program) -> Program {
    let first_name = |rule: &Rule| {
        let earlier = old.rules.iter().find(|it| !it.is_former() && it.name == *rule.identity())?;
        let first = earlier.identity();
        // Another rule may say that it is that one.
        let is_free = new.rules.iter().all(|other| other.identity() != first);
        is_free.then(|| first.clone())
    };
    let names: Vec<Option<Arc<str>>> = new.rules.iter().map(first_name).collect();
    let mut program = new.clone();
    for (rule, name) in program.rules.iter_mut().zip(names) {
        rule.was = name.or_else(|| rule.was.take());
    }
    program
}

/// Marks since when everything is remembered that the new program asks for.
fn mark(old: &Program, new: &Program, program: &mut Program) {
    let mut known: BTreeMap<String, u32> = BTreeMap::new();
    let words = Words::exact(old);
    each_remembered(old, &mut |expr| {
        known.insert(words.expression(expr), crate::reach::remembered_since(old, expr));
    });
    for sequence in triggers(old) {
        known.insert(words.sequence(sequence), sequence.since);
    }
    let words = Words::exact(new);
    let generation = program.generation();
    program.active_since =
        if Words::exact(old).passive() == words.passive() { old.active_since } else { generation };
    let mut marks =
        Marking { words: &words, known: &known, generation, sequences: Vec::new(), held: Vec::new() };
    rewrite::program(program, &mut marks);
    let Marking { sequences, held, .. } = marks;
    for (sequence, since) in sequences {
        if let Some(sequence) = program.sequences.get_mut(sequence as usize) {
            sequence.since = since;
        }
    }
    for (held, since) in held {
        if let Some(held) = program.held.get_mut(held as usize) {
            held.since = since;
        }
    }
    for rule in &program.rules {
        if let Trigger::Sequence(id) = rule.trigger
            && let Some(sequence) = program.sequences.get_mut(id.0 as usize)
        {
            let remembered = known.get(&words.sequence(sequence)).copied().unwrap_or(generation);
            sequence.since = if is_plain(sequence) { 0 } else { remembered };
        }
    }
}

/// Gives every pattern that is remembered its mark, and collects those of sequences and of what must hold without a break.
struct Marking<'a> {
    words: &'a Words<'a>,
    known: &'a BTreeMap<String, u32>,
    generation: u32,
    sequences: Vec<(u32, u32)>,
    held: Vec<(u32, u32)>,
}

impl Rewrite for Marking<'_> {
    fn expression(&mut self, expr: &mut Expr) {
        if is_remembered(expr) {
            let since = self.known.get(&self.words.expression(expr)).copied().unwrap_or(self.generation);
            match &mut expr.kind {
                ExprKind::Did { what: Occurrence::Pattern(pattern), .. }
                | ExprKind::Count { pattern, .. }
                | ExprKind::Aggregate { pattern, .. }
                | ExprKind::LastOf { pattern, .. }
                | ExprKind::TimeSince { pattern, .. }
                | ExprKind::Regularly { pattern, .. }
                | ExprKind::Streak { pattern, .. } => pattern.since = since,
                ExprKind::Did { what: Occurrence::Sequence(id), .. } => self.sequences.push((id.0, since)),
                ExprKind::Held { id, .. } => self.held.push((id.0, since)),
                _ => {}
            }
        }
        rewrite::parts(expr, self);
    }
}

/// Takes over the earlier versions of rules that have runs under way, each before the version that follows it.
fn take_over(old: &Program, new: &Program, under_way: &BTreeSet<u32>, program: &mut Program) {
    let (old_versions, new_versions) = (versions(old), versions(new));
    let mut rules = Vec::new();
    for (place, (rule, version)) in new.rules.iter().zip(&new_versions).enumerate() {
        let mut taken: Vec<(u64, Rule)> = Vec::new();
        for ((earlier, number), earlier_version) in old.rules.iter().zip(0..).zip(&old_versions) {
            let has_runs = under_way.contains(&number) && can_wait(&earlier.steps);
            let is_known = earlier_version == version || taken.iter().any(|(it, _)| it == earlier_version);
            if earlier.identity() != rule.identity() || !has_runs || is_known {
                continue;
            }
            let taken_over = Import::new(old, program).rule(earlier, *earlier_version);
            if let Some(former) = taken_over {
                taken.push((*earlier_version, former));
            }
        }
        let beyond = taken.len().saturating_sub(MAX_FORMER_VERSIONS);
        for (_, former) in taken.into_iter().skip(beyond) {
            rules.push(under(former, rule, new, old));
        }
        rules.extend(program.rules.get(place).cloned());
    }
    program.sessions |= old.sessions && rules.iter().any(Rule::is_former);
    program.rules = rules;
}

/// An earlier version under the guardrails that belong to the rule, whatever its version.
fn under(mut former: Rule, current: &Rule, new: &Program, old: &Program) -> Rule {
    let earlier = old.rules.iter().find(|rule| rule.identity() == current.identity() && !rule.is_former());
    let keeps_goal = earlier.is_some_and(|earlier| same_goal((old, earlier), (new, current)));
    if !keeps_goal {
        former.goal = None;
    }
    former.limit = current.limit;
    former.holdout = current.holdout;
    former.priority = current.priority;
    former
}

/// Whether two rules are for the same, so that one measure goes on.
fn same_goal((old, earlier): (&Program, &Rule), (new, current): (&Program, &Rule)) -> bool {
    let (old_words, new_words) = (Words::exact(old), Words::exact(new));
    match (&earlier.goal, &current.goal) {
        (Some(before), Some(after)) => {
            before.within == after.within
                && old_words.pattern(&before.pattern) == new_words.pattern(&after.pattern)
                && (!before.of_trigger
                    || old_words.trigger(earlier.trigger) == new_words.trigger(current.trigger))
        }
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// What tells versions of rules apart: equal ones do the same in a run that has begun. In order of the rules.
fn versions(program: &Program) -> Vec<u64> {
    let words = Words::exact(program);
    program.rules.iter().map(|rule| version(&words, rule)).collect()
}

fn version(words: &Words<'_>, rule: &Rule) -> u64 {
    if let Trigger::Former { sequence: _, version } = rule.trigger {
        return version;
    }
    let trigger = rule.trigger.sequence().map(|_| words.trigger(rule.trigger)).unwrap_or_default();
    let of_run = |part: &&(&'static str, String)| {
        matches!(part.0, "still if" | "stop when" | "topic" | "transactional" | "quiet" | "late" | "steps")
    };
    let mut digest = Sha256::new();
    digest.update(trigger.as_bytes());
    for (name, words) in words.parts(rule).iter().filter(of_run) {
        digest.update(format!("\n{name}: {words}").as_bytes());
    }
    let bytes: [u8; 32] = digest.finalize().into();
    bytes.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Whether a run may leave off: to wait, or with a message that is held.
fn can_wait(steps: &[Step]) -> bool {
    let mut can = false;
    visit::each_step(steps, &mut |step| {
        can |= matches!(step.kind, StepKind::Wait(_) | StepKind::WaitFor { .. } | StepKind::Send { .. });
    });
    can
}

/// Everything of which something is remembered.
fn each_remembered(program: &Program, each: &mut dyn FnMut(&Expr)) {
    visit::program(program, &mut |expr| {
        if is_remembered(expr) {
            each(expr);
        }
    });
}

/// The sequences that trigger rules, and of which something is remembered.
fn triggers(program: &Program) -> impl Iterator<Item = &Sequence> {
    let ids = program.rules.iter().filter_map(|rule| match rule.trigger {
        Trigger::Sequence(id) => Some(id),
        _ => None,
    });
    ids.filter_map(|id| program.sequences.get(id.0 as usize)).filter(|sequence| !is_plain(sequence))
}

/// Whether each event is a match, so that nothing is remembered.
fn is_plain(sequence: &Sequence) -> bool {
    sequence.elements.len() == 1 && sequence.then_no.is_none() && !sequence.first_time
}

/// From when on runs still count for a limit at an instant: what a limit no longer looks at is forgotten when another takes
/// its place. `None`: nothing counts.
#[must_use]
pub fn counts_from(limit: Option<Limit>, now: Millis) -> Option<Millis> {
    match limit {
        None => None,
        Some(Limit::Once) => Some(Millis::MIN),
        Some(Limit::Per { count: _, per }) => Some(now.saturating_sub(per).saturating_add(1)),
    }
}

/// How former versions treat triggers: there are none.
const FORMER_OVERLAP: Overlap = Overlap::Skip;
