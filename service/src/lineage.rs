//! The rules that were in force, one after the other: what the program in force is made of.

use crate::{
    log::{Damage, Group, Kind, Reader, since},
    rules::{Prepared, Text, TextError},
};
use segue_compiler::{
    execution::Execution,
    pack::{Broken, Packed, Packer, Unpacker},
    packed,
    plan::print::ir,
    succession::{Marks, Version, current, former, read_from, restored, succession},
    typed::{Change, Program},
    value::Millis,
};
use segue_runtime::{
    engine::{Engine, EngineError},
    live::Live,
    source::Envelope,
};
use std::{collections::BTreeSet, ops::Range, path::Path, sync::Arc};
use xxhash_rust::xxh3::xxh3_64;

/// What the program in force is made of. It has earlier versions of rules for runs under way, so that it is made of more than
/// the text that was put in force last; but of no more than of that and the texts in which those versions stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lineage {
    /// Texts, the oldest first; those that made no difference are left out.
    kept: Vec<Kept>,
    /// All changes of rules up to the last of these.
    changes: Vec<Change>,
    /// The earlier versions of rules in the program that these make.
    former: BTreeSet<Version>,
    /// What was put in force since, where it could not be made of fewer texts.
    steps: Vec<Step>,
}

packed!(Lineage { kept, changes, former, steps });

/// A text that was put in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Kept {
    text: Vec<u8>,
    /// After how many changes it was in force.
    changes: u32,
    /// Since when it remembers things.
    marks: Marks,
}

impl Packed for Kept {
    fn pack(&self, to: &mut Packer) {
        let Self { text, changes, marks } = self;
        pack_text(text, to);
        changes.pack(to);
        marks.pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        let text = unpack_text(from)?;
        Ok(Self { text, changes: Packed::unpack(from)?, marks: Packed::unpack(from)? })
    }
}

/// Rules that took the place of others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Step {
    /// Their text.
    text: Vec<u8>,
    /// When.
    at: Millis,
    /// From when on the log told of everything then.
    log_from: Option<Millis>,
    /// Which rules had runs under way, by their positions in the program before.
    under_way: BTreeSet<u32>,
    /// Since when they remember things; earlier versions of this program did not write it down.
    marks: Option<Marks>,
}

impl Packed for Step {
    fn pack(&self, to: &mut Packer) {
        let Self { text, at, log_from, under_way, marks } = self;
        pack_text(text, to);
        at.pack(to);
        log_from.pack(to);
        under_way.iter().copied().collect::<Vec<u32>>().pack(to);
        marks.pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        let step = Self::unpack_as(from, true)?;
        Ok(Self { marks: Packed::unpack(from)?, ..step })
    }
}

impl Step {
    /// Reads it as it was before it had marks, with or without the time.
    fn unpack_as(from: &mut Unpacker<'_>, has_time: bool) -> Result<Self, Broken> {
        let text = unpack_text(from)?;
        let at = if has_time { Packed::unpack(from)? } else { Millis::default() };
        let log_from = Packed::unpack(from)?;
        let under_way = Vec::<u32>::unpack(from)?.into_iter().collect();
        Ok(Self { text, at, log_from, under_way, marks: None })
    }
}

fn pack_text(text: &[u8], to: &mut Packer) {
    text.len().pack(to);
    to.raw(text);
}

fn unpack_text(from: &mut Unpacker<'_>) -> Result<Vec<u8>, Broken> {
    let length = usize::unpack(from)?;
    Ok(from.raw(length)?.to_vec())
}

impl Lineage {
    /// Reads it as checkpoints of earlier versions had it: every text that ever was, with or without the time.
    pub(crate) fn unpack_steps(from: &mut Unpacker<'_>, has_time: bool) -> Result<Self, Broken> {
        let count = usize::unpack(from)?;
        let steps = (0..count).map(|_| Step::unpack_as(from, has_time)).collect::<Result<_, _>>()?;
        Ok(Self { steps, ..Self::default() })
    }
}

/// Rules in force, ready to be obeyed.
pub(crate) struct InForce {
    /// The text that was put in force last, checked.
    pub(crate) prepared: Prepared,
    /// The program: more than the text says, where runs under way finish as they began.
    pub(crate) program: Arc<Program>,
    /// Its executor.
    pub(crate) engine: Arc<Engine>,
    /// What tells it: bytes of customers mean something to this program and this version's plan of it only.
    pub(crate) rules: u64,
}

/// Rules cannot be put in force.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForceError {
    #[error(transparent)]
    Text(#[from] TextError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Log(#[from] Damage),
}

impl InForce {
    fn of(prepared: Prepared, program: Arc<Program>) -> Result<Self, EngineError> {
        let engine = Arc::new(Engine::new(program.clone(), prepared.config.settings.clone())?);
        let rules = prepared.text.fingerprint() ^ xxh3_64(ir(&program, engine.plan()).as_bytes());
        Ok(Self { prepared, program, engine, rules })
    }
}

impl Lineage {
    /// The first rules.
    pub(crate) fn beginning(text: &Text) -> Self {
        Self { steps: vec![Step { text: text.write(), ..Step::default() }], ..Self::default() }
    }

    /// The text that was put in force last.
    pub(crate) fn latest(&self) -> Result<Text, TextError> {
        let latest = self.steps.last().map(|step| &step.text);
        let latest = latest.or_else(|| self.kept.last().map(|kept| &kept.text));
        Text::read(latest.map(Vec::as_slice).unwrap_or_default())
    }

    /// The rules in force, made once more of all that they are made of.
    pub(crate) fn in_force(&self, root: &Path) -> Result<InForce, ForceError> {
        let mut in_force: Option<(Prepared, Arc<Program>)> = self.restored(root)?;
        for step in &self.steps {
            let prepared = Text::read(&step.text)?.prepare(root.to_owned())?;
            let program = match in_force {
                None => prepared.program.clone(),
                Some((_, before)) => {
                    let known = (step.at, step.log_from);
                    Arc::new(succession(&before, &prepared.program, known, &step.under_way))
                }
            };
            in_force = Some((prepared, program));
        }
        let (prepared, program) = in_force.ok_or(TextError::Broken)?;
        Ok(InForce::of(prepared, program)?)
    }

    /// What the texts make that are kept.
    fn restored(&self, root: &Path) -> Result<Option<(Prepared, Arc<Program>)>, TextError> {
        let mut in_force: Option<(Prepared, Arc<Program>)> = None;
        for Kept { text, changes, marks } in &self.kept {
            let prepared = Text::read(text)?.prepare(root.to_owned())?;
            let changes = self.changes.get(..*changes as usize).ok_or(TextError::Broken)?;
            let before = in_force.as_ref().map(|(_, program)| &**program);
            let program = restored(before, &prepared.program, changes, marks, &self.former);
            in_force = Some((prepared, Arc::new(program)));
        }
        Ok(in_force)
    }

    /// The rules of a text, in force after a program.
    pub(crate) fn follow(
        &mut self,
        before: &Program,
        prepared: Prepared,
        (at, log_from): (Millis, Option<Millis>),
        under_way: BTreeSet<u32>,
    ) -> Result<InForce, ForceError> {
        let marks = Some(Marks::between(before, &prepared.program));
        let program = Arc::new(succession(before, &prepared.program, (at, log_from), &under_way));
        let in_force = InForce::of(prepared, program)?;
        let text = in_force.prepared.text.write();
        self.steps.push(Step { text, at, log_from, under_way, marks });
        if let Some(shorter) = self.shortened(&in_force)? {
            *self = shorter;
        }
        Ok(in_force)
    }

    /// The same of as few texts as are needed, where it is the same to the last mark.
    fn shortened(&self, in_force: &InForce) -> Result<Option<Self>, TextError> {
        let (root, program) = (&in_force.prepared.root, &in_force.program);
        let former = former(program);
        // The first steps are as old as the program has changes more.
        let before = program.changes.len() + 1 - self.steps.len().min(program.changes.len() + 1);
        let steps = self.steps.iter().zip(before..).filter_map(|(step, changes)| {
            // The first of all remembers everything from the beginning.
            let marks = step.marks.clone().or_else(|| (changes == 0).then(Marks::default))?;
            let changes = u32::try_from(changes).ok()?;
            Some(Kept { text: step.text.clone(), changes, marks })
        });
        let mut all: Vec<Kept> = self.kept.iter().cloned().chain(steps).collect();
        let latest = all.pop();
        let mut missing = former.clone();
        let mut kept: Vec<Kept> = latest.into_iter().collect();
        for earlier in all.into_iter().rev() {
            let written = Text::read(&earlier.text)?.prepare(root.clone())?.program;
            let versions = current(&restored(None, &written, &[], &earlier.marks, &BTreeSet::new()));
            let count = missing.len();
            missing.retain(|version| !versions.contains(version));
            if missing.len() < count {
                kept.push(earlier);
            }
        }
        kept.reverse();
        let shorter = Self { kept, changes: program.changes.clone(), former, steps: Vec::new() };
        let Some((_, restored)) = shorter.restored(root)? else { return Ok(None) };
        Ok((format!("{restored:?}") == format!("{program:?}")).then_some(shorter))
    }
}

/// A change of rules under way.
pub(crate) struct UnderWay<'c> {
    /// Where the log lies.
    pub(crate) log: &'c Path,
    /// The position of the change, and where the log began then.
    pub(crate) stretch: Range<u64>,
    /// From when on it told of everything then.
    pub(crate) log_from: Option<Millis>,
    /// When it is.
    pub(crate) at: Millis,
}

impl UnderWay<'_> {
    /// Customers of an executor that is to follow, who know of the log what is new to them; and from where on it was read.
    pub(crate) fn tell<E: Execution + Sync>(
        &self,
        live: &mut Live<E>,
        (executor, settle): (E, i64),
    ) -> Result<(Live<E>, u64), Damage> {
        let end = self.stretch.end;
        let reach = live.to_fill(&executor);
        let from = match read_from(reach, self.at, settle) {
            _ if reach.is_none() => end,
            None => self.stretch.start,
            Some(at) => since(self.log, self.stretch.clone(), at)?,
        };
        let mut reader = Reader::open(self.log, from)?;
        let mut next = (reader.position() < end).then(|| reader.group()).transpose()?.flatten();
        let first = next.as_ref().and_then(|group| group.entries().next());
        let start = first.map_or(self.at, |entry| entry.received_at);
        // Where nothing is told, nothing needs to be known before it either.
        let log_from = self.log_from.filter(|_| next.is_some());
        let mut told = live.listener(executor, settle, log_from, start);
        // Of what lies before that, who is who was said already.
        let is_all = log_from.is_none() && from == self.stretch.start;
        let who_since = (!is_all).then_some(start);
        while let Some(group) = next {
            tell_group((live, who_since), &mut told, &group, end);
            next = (reader.position() < end).then(|| reader.group()).transpose()?.flatten();
        }
        Ok((told, from))
    }
}

fn tell_group<E: Execution + Sync>(
    (live, who_since): (&Live<E>, Option<Millis>),
    told: &mut Live<E>,
    group: &Group,
    up_to: u64,
) {
    let mut calls = Vec::new();
    for entry in group.entries().take_while(|entry| entry.position < up_to) {
        if entry.kind == Kind::Call {
            if let Ok(call) = Envelope::parse(entry.payload) {
                calls.push(live.as_told(call.received(entry.received_at), who_since));
            }
            continue;
        }
        told.calls(calls.drain(..));
        match entry.kind {
            Kind::Advance => told.advance(entry.received_at),
            Kind::Start => told.resume(entry.received_at),
            Kind::Rules => {
                told.before_change(entry.received_at);
            }
            Kind::Erase => {
                told.erase(&String::from_utf8_lossy(entry.payload));
            }
            Kind::Void | Kind::Call | Kind::Release | Kind::Done | Kind::Record => {}
        }
    }
    told.calls(calls);
}
