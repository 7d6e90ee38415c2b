//! Drives an executor over a log while its rules change.

use crate::drive::{Driven, Driver, Entry};
use segue_compiler::{
    execution::{Counts, Execution},
    settings::Settings,
    succession::succession,
    typed::Program,
    value::Millis,
};
use std::sync::Arc;

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
}

/// How far a log was read: its entries so far, the latest arrival, and the changes with the place of each.
#[derive(Clone, Debug, Default)]
struct Progress {
    place: usize,
    arrived: Option<Millis>,
    changes: Vec<(usize, Millis)>,
}

impl Changing<'_> {
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
        let executor = Arc::new(make(first.clone())?);
        self.go_on(make, first, self.driver(executor), Progress::default())
    }

    fn driver<E: Execution>(&self, executor: Arc<E>) -> Driver<Arc<E>> {
        if self.live {
            return Driver::new(executor, None).live(self.settings.settle);
        }
        Driver::new(executor, self.until)
    }

    fn go_on<E: Execution>(
        &self,
        make: &dyn Fn(Arc<Program>) -> Result<E, String>,
        program: Arc<Program>,
        mut driver: Driver<Arc<E>>,
        mut progress: Progress,
    ) -> Result<(Driven, Counts, Arc<Program>), String> {
        let next = self.changes.get(progress.changes.len());
        while let Some(entry) = self.log.get(progress.place) {
            progress.arrived = progress.arrived.max(entry.arrival());
            if let Some(next) = next.filter(|next| Some(next.at) <= progress.arrived) {
                return self.change(make, &program, driver, next, progress);
            }
            driver.take(entry);
            progress.place += 1;
        }
        driver.ends(self.until);
        if let Some(next) = next.filter(|next| next.at <= driver.end()) {
            return self.change(make, &program, driver, next, progress);
        }
        let (driven, counts) = driver.finish(&program);
        Ok((driven, counts, program))
    }

    fn change<E: Execution>(
        &self,
        make: &dyn Fn(Arc<Program>) -> Result<E, String>,
        program: &Program,
        mut driver: Driver<Arc<E>>,
        new: &NewRules,
        mut progress: Progress,
    ) -> Result<(Driven, Counts, Arc<Program>), String> {
        driver.come_to(new.at);
        let under_way = driver.under_way();
        let program = Arc::new(succession(program, &new.program, new.log_from, &under_way));
        let after = Arc::new(make(program.clone())?);
        progress.changes.push((progress.place, new.at));
        let told = self.told(after, &progress, new.log_from);
        self.go_on(make, program, driver.succeeded_by(told), progress)
    }

    /// A host to whom the log was told.
    fn told<E: Execution>(
        &self,
        executor: Arc<E>,
        progress: &Progress,
        log_from: Option<Millis>,
    ) -> Driver<Arc<E>> {
        let mut driver = self.driver(executor).silent();
        let mut arrived = None;
        for place in 0..=progress.place {
            for (_, at) in progress.changes.iter().filter(|(of, _)| *of == place) {
                driver.come_to(*at);
            }
            let Some(entry) = self.log.get(place).filter(|_| place < progress.place) else { continue };
            arrived = arrived.max(entry.arrival());
            if log_from.is_none_or(|from| arrived >= Some(from)) {
                driver.take(entry);
            }
        }
        driver
    }
}
