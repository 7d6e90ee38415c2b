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
    succession::{read_from, succession},
    typed::Program,
    value::Millis,
};
use segue_runtime::{
    engine::{Engine, EngineError},
    live::Live,
    source::Envelope,
};
use std::{collections::BTreeSet, num::NonZeroUsize, ops::Range, path::Path, sync::Arc};
use xxhash_rust::xxh3::xxh3_64;

/// Rules that were put in force, from the first on. A program in force has earlier versions of rules for runs under way, so
/// that it is made of all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lineage {
    steps: Vec<Step>,
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
}

impl Packed for Step {
    fn pack(&self, to: &mut Packer) {
        let Self { text, at, log_from, under_way } = self;
        text.len().pack(to);
        to.raw(text);
        at.pack(to);
        log_from.pack(to);
        under_way.iter().copied().collect::<Vec<u32>>().pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        let length = usize::unpack(from)?;
        let text = from.raw(length)?.to_vec();
        let (at, log_from) = (Packed::unpack(from)?, Packed::unpack(from)?);
        Ok(Self { text, at, log_from, under_way: Vec::<u32>::unpack(from)?.into_iter().collect() })
    }
}

packed!(Lineage { steps });

impl Lineage {
    /// Reads it as checkpoints had it before anybody had to know when rules changed.
    pub(crate) fn unpack_undated(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        let mut steps = Vec::new();
        for _ in 0..usize::unpack(from)? {
            let length = usize::unpack(from)?;
            let text = from.raw(length)?.to_vec();
            let (at, log_from) = (Millis::default(), Packed::unpack(from)?);
            let under_way = Vec::<u32>::unpack(from)?.into_iter().collect();
            steps.push(Step { text, at, log_from, under_way });
        }
        Ok(Self { steps })
    }
}

/// Rules in force, ready to be obeyed.
pub(crate) struct InForce {
    /// The text that was put in force last, checked.
    pub(crate) prepared: Prepared,
    /// The program: more than the text says, where runs under way finish as they began.
    pub(crate) program: Arc<Program>,
    /// Its executor.
    pub(crate) engine: Engine,
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
        let engine = Engine::new(program.clone(), prepared.config.settings.clone())?;
        let rules = prepared.text.fingerprint() ^ xxh3_64(ir(&program, engine.plan()).as_bytes());
        Ok(Self { prepared, program, engine, rules })
    }
}

impl Lineage {
    /// The first rules.
    pub(crate) fn beginning(text: &Text) -> Self {
        Self { steps: vec![Step { text: text.write(), ..Step::default() }] }
    }

    /// The text that was put in force last.
    pub(crate) fn latest(&self) -> Result<Text, TextError> {
        Text::read(self.steps.last().map(|step| step.text.as_slice()).unwrap_or_default())
    }

    /// The rules in force, made once more of all that were.
    pub(crate) fn in_force(&self, root: &Path) -> Result<InForce, ForceError> {
        let mut in_force: Option<(Prepared, Arc<Program>)> = None;
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

    /// The rules of a text, in force after a program.
    pub(crate) fn follow(
        &mut self,
        before: &Program,
        prepared: Prepared,
        (at, log_from): (Millis, Option<Millis>),
        under_way: BTreeSet<u32>,
    ) -> Result<InForce, ForceError> {
        let program = Arc::new(succession(before, &prepared.program, (at, log_from), &under_way));
        let in_force = InForce::of(prepared, program)?;
        self.steps.push(Step { text: in_force.prepared.text.write(), at, log_from, under_way });
        Ok(in_force)
    }
}

/// A change of rules under way.
pub(crate) struct Change<'c> {
    /// Where the log lies.
    pub(crate) log: &'c Path,
    /// The position of the change, and where the log began then.
    pub(crate) stretch: Range<u64>,
    /// When it is.
    pub(crate) at: Millis,
}

impl Change<'_> {
    /// Customers of an executor that is to follow, who know of the log what is new to them; and from where on it was read.
    pub(crate) fn tell<E: Execution + Sync>(
        &self,
        live: &Live<E>,
        (executor, settle, shards): (E, i64, NonZeroUsize),
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
        let mut told = Live::new(executor, settle, shards, start).silent();
        while let Some(group) = next {
            tell_group(&mut told, &group, end);
            next = (reader.position() < end).then(|| reader.group()).transpose()?.flatten();
        }
        Ok((told, from))
    }
}

fn tell_group<E: Execution + Sync>(told: &mut Live<E>, group: &Group, up_to: u64) {
    let mut calls = Vec::new();
    for entry in group.entries().take_while(|entry| entry.position < up_to) {
        if entry.kind == Kind::Call {
            calls.extend(Envelope::parse(entry.payload).ok().map(|it| it.received(entry.received_at)));
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
