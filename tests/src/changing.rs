//! Drives an executor over a log while its rules change.

use crate::drive::{Driven, Driver, Entry};
use segue_compiler::{
    execution::{Counts, Execution},
    settings::Settings,
    succession::{read_from, succession},
    typed::Program,
    value::Millis,
};
use std::{collections::BTreeSet, mem, sync::Arc};

/// Rules that take the place of others.
#[derive(Clone, Debug)]
pub struct NewRules {
    /// When: before the first entry that comes at this time or later.
    pub at: Millis,
    /// The rules.
    pub program: Arc<Program>,
    /// What came before this is in the log no more.
    pub log_from: Option<Millis>,
}

/// A log and the changes of rules on its way.
#[derive(Clone, Copy)]
pub struct Changing<'c> {
    /// The changes, in order.
    pub changes: &'c [NewRules],
    /// The log.
    pub log: &'c [Entry],
    /// Whether the host is live.
    pub live: bool,
    /// The end of time.
    pub until: Option<Millis>,
    /// What executors obey.
    pub settings: &'c Settings,
    /// Whether no more of the log is told than what is new asks for.
    pub is_sparing: bool,
}

/// What happens in a log with changes of rules on its way.
#[derive(Clone, Copy, Debug)]
pub enum Happening<'c> {
    /// An entry.
    Entry(&'c Entry),
    /// Other rules are put in force.
    Change(&'c NewRules),
}

impl<'c> Changing<'c> {
    /// All that happens, in order: a change comes before the first entry that arrives at its time or later, and those beyond
    /// the last one at the end of time.
    #[must_use]
    pub fn happenings(&self) -> Vec<Happening<'c>> {
        let mut all = Vec::with_capacity(self.log.len() + self.changes.len());
        let mut changes = self.changes.iter().peekable();
        let mut arrived = None;
        for entry in self.log {
            arrived = arrived.max(entry.arrival());
            while let Some(change) = changes.next_if(|change| Some(change.at) <= arrived) {
                all.push(Happening::Change(change));
            }
            all.push(Happening::Entry(entry));
        }
        let latest = || self.log.iter().filter_map(Entry::at).max();
        let end = self.until.or_else(latest);
        all.extend(changes.take_while(|change| Some(change.at) <= end).map(Happening::Change));
        all
    }

    /// Drives the executors that `make` makes of the programs in force. Gives what came of it, what was counted, and the
    /// program that is in force at the end.
    ///
    /// # Errors
    /// When an executor cannot be made.
    pub fn drive<E: Execution>(
        &self,
        make: &dyn Fn(Arc<Program>) -> Result<E, String>,
        first: Arc<Program>,
    ) -> Result<(Driven, Counts, Arc<Program>), String> {
        let mut program = first;
        let mut executor = Arc::new(make(program.clone())?);
        let mut driver = self.driver(executor.clone());
        let all = self.happenings();
        for (place, happening) in all.iter().enumerate() {
            match happening {
                Happening::Entry(entry) => driver.take(entry),
                Happening::Change(new) => {
                    driver.come_to(new.at);
                    program = Arc::new(new.succeed(&program, &driver.under_way()));
                    let before = mem::replace(&mut executor, Arc::new(make(program.clone())?));
                    let from = self.told_from((&before, &executor), new);
                    let told = driver.listener(executor.clone(), (new.log_from, from));
                    let mut told = if self.live { told.live(self.settings.settle) } else { told };
                    for happening in told_of(&all[..=place], from) {
                        match happening {
                            Happening::Entry(entry) => told.take(entry),
                            Happening::Change(change) => told.come_to(change.at),
                        }
                    }
                    driver = driver.succeeded_by(told);
                }
            }
        }
        driver.ends(self.until);
        let (driven, counts) = driver.finish(&program);
        Ok((driven, counts, program))
    }

    /// From when on the log is told.
    fn told_from<E: Execution>(&self, (before, after): (&E, &E), new: &NewRules) -> Option<Millis> {
        if !self.is_sparing {
            return new.log_from;
        }
        let reach = after.to_fill(before, &after.passage(before));
        let asked =
            if reach.is_none() { Some(Millis::MAX) } else { read_from(reach, new.at, self.settings.settle) };
        new.log_from.max(asked)
    }

    fn driver<E: Execution>(&self, executor: Arc<E>) -> Driver<Arc<E>> {
        if self.live {
            return Driver::new(executor, None).live(self.settings.settle);
        }
        Driver::new(executor, self.until)
    }
}

impl NewRules {
    /// The program in force from now on, after another one.
    #[must_use]
    pub fn succeed(&self, before: &Program, under_way: &BTreeSet<u32>) -> Program {
        succession(before, &self.program, (self.at, self.log_from), under_way)
    }
}

/// What the log tells of all that happened: the entries that it still has, and the changes among them.
pub fn told_of<'h, 'c>(
    all: &'h [Happening<'c>],
    log_from: Option<Millis>,
) -> impl Iterator<Item = Happening<'c>> + use<'h, 'c> {
    let mut arrived = None;
    all.iter().copied().filter(move |happening| match happening {
        Happening::Entry(entry) => {
            arrived = arrived.max(entry.arrival());
            log_from.is_none_or(|from| arrived >= Some(from))
        }
        Happening::Change(_) => true,
    })
}
