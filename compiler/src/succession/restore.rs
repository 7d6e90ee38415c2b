//! A program in force made once more, without all that was in force before it.
//!
//! Of what came before, a program in force says two things: since which change everything is remembered, which are numbers
//! ([`Marks`]), and earlier versions of rules, which are taken over from the programs that had them.

use super::{mark, take_over, versions, with_first_names};
use crate::{
    packed,
    typed::{
        Change, Expr, ExprKind, Occurrence, Program, Rule, Trigger,
        rewrite::{self, Rewrite},
    },
};
use std::{collections::BTreeSet, sync::Arc};

/// Since which change of rules everything is remembered that a program asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Of each part that is remembered, in the order in which a program is gone through.
    since: Vec<u32>,
    active_since: u32,
    /// Of each rule the name that it had first.
    was: Vec<Option<Arc<str>>>,
}

packed!(Marks { since, active_since, was });

/// A version of a rule: what limits go by, and what it does.
pub type Version = (Arc<str>, u64);

impl Marks {
    /// Those of a program as it is written, when it takes the place of another that is in force.
    #[must_use]
    pub fn between(old: &Program, new: &Program) -> Self {
        let new = with_first_names(old, new);
        let mut program = new.clone();
        program.changes = old.changes.iter().cloned().chain([Change::default()]).collect();
        mark(old, &new, &mut program);
        Self::of(program)
    }

    /// Those of a program as it is.
    #[must_use]
    pub fn of(mut program: Program) -> Self {
        let mut since = Vec::new();
        through(&mut program, &mut |mark| since.push(*mark));
        let was = program.rules.iter().map(|rule| rule.was.clone()).collect();
        Self { since, active_since: program.active_since, was }
    }

    /// Gives a program as it is written its marks.
    fn give(&self, program: &mut Program) {
        let mut all = self.since.iter();
        program.active_since = self.active_since;
        through(program, &mut |mark| *mark = all.next().copied().unwrap_or(*mark));
        for (rule, was) in program.rules.iter_mut().zip(&self.was) {
            rule.was.clone_from(was);
        }
    }
}

/// A program in force: one as it is written with its marks, after so many changes, with those earlier versions that `former`
/// names of the rules of the program before.
#[must_use]
pub fn restored(
    before: Option<&Program>,
    written: &Program,
    changes: &[Change],
    marks: &Marks,
    former: &BTreeSet<Version>,
) -> Program {
    let mut program = written.clone();
    if !changes.is_empty() {
        program.tests = Vec::new();
    }
    program.changes = changes.to_vec();
    marks.give(&mut program);
    if let Some(before) = before {
        let named = Program { rules: program.rules.clone(), ..written.clone() };
        let all = before.rules.iter().zip(versions(before)).zip(0..);
        let is_former =
            |(rule, version): &(&Rule, u64)| former.contains(&(rule.identity().clone(), *version));
        let under_way = all.filter(|(rule, _)| is_former(rule)).map(|(_, number)| number).collect();
        take_over(before, &named, &under_way, &mut program);
    }
    program
}

/// The earlier versions of rules in a program.
#[must_use]
pub fn former(program: &Program) -> BTreeSet<Version> {
    some_versions(program, true)
}

/// The current versions of the rules of a program.
#[must_use]
pub fn current(program: &Program) -> BTreeSet<Version> {
    some_versions(program, false)
}

fn some_versions(program: &Program, is_former: bool) -> BTreeSet<Version> {
    let all = program.rules.iter().zip(versions(program));
    let all = all.filter(|(rule, _)| rule.is_former() == is_former);
    all.map(|(rule, version)| (rule.identity().clone(), version)).collect()
}

/// Goes through the marks of a program.
fn through(program: &mut Program, each: &mut dyn FnMut(&mut u32)) {
    let mut walk = Walk { each, sequences: Vec::new(), held: Vec::new() };
    rewrite::program(program, &mut walk);
    let Walk { each, sequences, held } = walk;
    for id in held {
        program.held.get_mut(id as usize).into_iter().for_each(|held| each(&mut held.since));
    }
    for id in sequences {
        program.sequences.get_mut(id as usize).into_iter().for_each(|sequence| each(&mut sequence.since));
    }
    for rule in &program.rules {
        if let Trigger::Sequence(id) = rule.trigger {
            program
                .sequences
                .get_mut(id.0 as usize)
                .into_iter()
                .for_each(|sequence| each(&mut sequence.since));
        }
    }
}

struct Walk<'w> {
    each: &'w mut dyn FnMut(&mut u32),
    sequences: Vec<u32>,
    held: Vec<u32>,
}

impl Rewrite for Walk<'_> {
    fn expression(&mut self, expr: &mut Expr) {
        match &mut expr.kind {
            ExprKind::Did { what: Occurrence::Pattern(pattern), .. }
            | ExprKind::Count { pattern, .. }
            | ExprKind::Aggregate { pattern, .. }
            | ExprKind::LastOf { pattern, .. }
            | ExprKind::TimeSince { pattern, .. }
            | ExprKind::Regularly { pattern, .. }
            | ExprKind::Streak { pattern, .. } => (self.each)(&mut pattern.since),
            ExprKind::Did { what: Occurrence::Sequence(id), .. } => self.sequences.push(id.0),
            ExprKind::Held { id, .. } => self.held.push(id.0),
            _ => {}
        }
        rewrite::parts(expr, self);
    }
}
