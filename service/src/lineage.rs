//! The rules that were in force, one after the other: what the program in force is made of.

use crate::{
    log::{Damage, Group, Kind, Reader, segments},
    rules::{Prepared, Text, TextError},
};
use segue_compiler::{
    pack::{Broken, Packed, Packer, Unpacker},
    packed,
    plan::print::ir,
    succession::succession,
    typed::Program,
    value::Millis,
};
use segue_runtime::{
    engine::{Engine, EngineError},
    live::Live,
    source::Envelope,
};
use std::{collections::BTreeSet, num::NonZeroUsize, path::Path, sync::Arc};
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
    /// Their text, as an entry of the log has it.
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
    pub(crate) fn beginning(text: &[u8]) -> Self {
        Self { steps: vec![Step { text: text.to_vec(), ..Step::default() }] }
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
        (text, root): (&[u8], &Path),
        (at, log_from): (Millis, Option<Millis>),
        under_way: BTreeSet<u32>,
    ) -> Result<InForce, ForceError> {
        let prepared = Text::read(text)?.prepare(root.to_owned())?;
        let program = Arc::new(succession(before, &prepared.program, (at, log_from), &under_way));
        let in_force = InForce::of(prepared, program)?;
        self.steps.push(Step { text: text.to_vec(), at, log_from, under_way });
        Ok(in_force)
    }
}

/// From when on the log tells of everything: its first entry.
pub(crate) fn log_from(log: &Path) -> Result<Option<Millis>, Damage> {
    let first = segments(log)?.first().map_or(0, |segment| segment.first);
    let group = Reader::open(log, first)?.group()?;
    Ok(group.and_then(|group| group.entries().next().map(|entry| entry.received_at)))
}

/// Hands the log up to a position over to customers of an executor, silently.
pub(crate) fn tell(
    log: &Path,
    up_to: u64,
    (engine, settle, shards): (Engine, i64, NonZeroUsize),
) -> Result<Live<Engine>, Damage> {
    let first = segments(log)?.first().map_or(0, |segment| segment.first);
    let mut reader = Reader::open(log, first)?;
    let mut told: Option<Live<Engine>> = None;
    let mut engine = Some(engine);
    while reader.position() < up_to {
        let Some(group) = reader.group()? else { break };
        if let Some(engine) = engine.take() {
            let start = group.entries().next().map_or(0, |entry| entry.received_at);
            told = Some(Live::new(engine, settle, shards, start).silent());
        }
        if let Some(told) = &mut told {
            tell_group(told, &group, up_to);
        }
    }
    // Nothing was said yet: everybody begins anew.
    Ok(match (told, engine) {
        (Some(told), _) => told,
        (None, Some(engine)) => Live::new(engine, settle, shards, 0).silent(),
        (None, None) => return Err(Damage::Gap { path: log.to_owned(), expected: up_to }),
    })
}

fn tell_group(told: &mut Live<Engine>, group: &Group, up_to: u64) {
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
