//! What can be asked of a host: each answer takes a few milliseconds at most, between two groups of entries.

use super::{
    hold::Hold,
    state::State,
    timeline::{self, Timeline, TimelineError},
};
use crate::{
    intake::{Accepted, Intake, Refusal},
    log::Kind,
    rules::{LogBegins, Put, Text},
};
use segue_compiler::{
    record::ActionId,
    typed::{Program, SegmentId},
    value::Millis,
};
use segue_runtime::{
    channel::Delivery,
    limits::FORESEEN,
    live::{Cursor, Earliest, Foreseen, Members, Portrait},
};
use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, mpsc::SyncSender},
};
use tokio::sync::{Semaphore, oneshot};

/// Whom to ask; copies lead to the same host.
#[derive(Clone)]
pub struct Ask {
    pub(super) questions: SyncSender<Question>,
    pub(super) intake: Intake,
    pub(super) segments: Names,
    /// The rules that were put in force last.
    pub(super) rules: Arc<Mutex<Arc<Text>>>,
    pub(super) hold: Hold,
    pub(super) log: Arc<Path>,
    pub(super) decisions: Arc<Path>,
    /// Who may look through files: one at a time.
    pub(super) turn: Arc<Semaphore>,
}

/// The names of the segments of the rules in force, by number; copies lead to the same.
#[derive(Clone, Default)]
pub(super) struct Names(Arc<Mutex<Arc<[Arc<str>]>>>);

impl Names {
    fn get(&self) -> Arc<[Arc<str>]> {
        // Nothing is left half done in here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Other rules are in force.
    pub(super) fn set(&self, program: &Program) {
        let names = program.segments.iter().map(|segment| segment.name.clone()).collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = names;
    }
}

/// Too much is asked, or the host is about to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much is asked at once; try again in a moment")]
pub struct Busy;

/// How far a decision has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is on its way.
    Pending,
    /// The fuse holds it.
    Held,
    /// Nothing more is to be done.
    Done,
}

pub(super) enum Question {
    Customer { id: String, answer: oneshot::Sender<Option<Portrait>> },
    Members { segment: SegmentId, from: Cursor, most: usize, answer: oneshot::Sender<Members> },
    Progress { ids: Vec<ActionId>, answer: oneshot::Sender<Vec<Progress>> },
    LookAhead { earliest: Earliest, answer: oneshot::Sender<Earliest> },
    Foresee { places: Vec<(Millis, Cursor)>, answer: oneshot::Sender<Vec<Foreseen>> },
}

impl Ask {
    /// The names of the segments, by number.
    #[must_use]
    pub fn segments(&self) -> Arc<[Arc<str>]> {
        self.segments.get()
    }

    /// Puts other rules in force: from the entry on that says so, everybody is taken over by them. Returns when they are on
    /// disk; they were checked before.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn change_rules(&self, text: &Text) -> Result<Accepted, Refusal> {
        // What the log holds now stays until the change has read it.
        self.hold.begin();
        let accepted = match LogBegins::of(&self.log) {
            Ok(begins) => {
                let put = Put { text: text.clone(), log_begins: Some(begins) };
                self.intake.write(Kind::Rules, put.write()).await
            }
            Err(_) => Err(Refusal::Full),
        };
        let accepted = accepted.inspect_err(|_| self.hold.end())?;
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(text.clone());
        Ok(accepted)
    }

    /// The text of the rules in force.
    #[must_use]
    pub fn rules(&self) -> Arc<Text> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is known of a customer, by any of their ids.
    ///
    /// # Errors
    /// When too much is asked.
    pub async fn customer(&self, id: &str) -> Result<Option<Portrait>, Busy> {
        self.ask(|answer| Question::Customer { id: id.to_owned(), answer }).await
    }

    /// Some members of a segment from a place on, at most so many. There may be none before the end is reached.
    ///
    /// # Errors
    /// When too much is asked.
    pub async fn members(&self, segment: SegmentId, from: Cursor, most: usize) -> Result<Members, Busy> {
        self.ask(|answer| Question::Members { segment, from, most, answer }).await
    }

    /// The next deadlines of all customers, at most so many, in order of time, with what comes of each if nothing happens
    /// before; and how many there are in all. Customers go on between looks, so that one who moves meanwhile may be missing.
    ///
    /// # Errors
    /// When too much is asked.
    pub async fn deadlines(&self, most: usize) -> Result<(Vec<Foreseen>, u64), Busy> {
        let mut earliest = Earliest::new(most);
        while !earliest.is_complete() {
            earliest = self.ask(|answer| Question::LookAhead { earliest, answer }).await?;
        }
        let all = earliest.seen();
        let mut foreseen = Vec::new();
        for places in earliest.into_places().chunks(FORESEEN) {
            let places = places.to_vec();
            foreseen.append(&mut self.ask(|answer| Question::Foresee { places, answer }).await?);
        }
        Ok((foreseen, all))
    }

    /// How far decisions have come.
    ///
    /// # Errors
    /// When too much is asked.
    pub async fn progress(&self, ids: Vec<ActionId>) -> Result<Vec<Progress>, Busy> {
        self.ask(|answer| Question::Progress { ids, answer }).await
    }

    /// Lets a rule go on that the fuse has stopped; returns when that is on disk.
    ///
    /// # Errors
    /// When the host is about to end.
    pub async fn release(&self, rule: &str) -> Result<Accepted, Refusal> {
        self.intake.write(Kind::Release, rule.as_bytes().to_vec()).await
    }

    /// Erases a customer by any of their ids: their state, what is on its way to them, and what was written of them in the
    /// log, the decisions and the checkpoints. Returns when it is on disk that it is to be; it is done when
    /// [`Status::erasing`] is 0 again.
    ///
    /// [`Status::erasing`]: super::Status::erasing
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn erase(&self, customer: &str) -> Result<Accepted, Refusal> {
        self.intake.write(Kind::Erase, customer.as_bytes().to_vec()).await
    }

    /// What happened to a customer of late, the newest last, at most so much of each kind; none when there is nobody. It
    /// looks through the newest files only.
    ///
    /// # Errors
    /// When too much is asked, or a file cannot be read.
    pub async fn timeline(&self, id: &str, most: usize) -> Result<Option<Timeline>, TimelineError> {
        let Ok(_turn) = self.turn.try_acquire() else { return Err(Busy.into()) };
        let Some(portrait) = self.customer(id).await? else { return Ok(None) };
        let (log, decisions, ids) = (self.log.clone(), self.decisions.clone(), portrait.ids.clone());
        let read = tokio::task::spawn_blocking(move || timeline::read(&log, &decisions, &ids, most)).await;
        let (calls, records) = read.map_err(|_| Busy)??;
        let ids = records.found.iter().filter_map(Delivery::of).map(|it| it.id).collect();
        let progress = self.progress(ids).await?;
        Ok(Some(Timeline { portrait, calls, records, progress }))
    }

    async fn ask<A>(&self, question: impl FnOnce(oneshot::Sender<A>) -> Question) -> Result<A, Busy> {
        let (answer, answered) = oneshot::channel();
        self.questions.try_send(question(answer)).map_err(|_| Busy)?;
        answered.await.map_err(|_| Busy)
    }
}

impl Question {
    /// Answers it. Whoever asked may be gone.
    pub(super) fn answer(self, state: &mut State) {
        match self {
            Self::Customer { id, answer } => {
                let segments = state.segments;
                let _ = answer.send(state.live.portrait(&id, segments));
            }
            Self::Members { segment, from, most, answer } => {
                let _ = answer.send(state.live.members(segment, from, most));
            }
            Self::Progress { ids, answer } => {
                let progress = |id: &ActionId| match state.outbox.state(*id) {
                    Some(true) => Progress::Held,
                    Some(false) => Progress::Pending,
                    None => Progress::Done,
                };
                let _ = answer.send(ids.iter().map(progress).collect());
            }
            Self::LookAhead { mut earliest, answer } => {
                state.live.look_ahead(&mut earliest);
                let _ = answer.send(earliest);
            }
            Self::Foresee { places, answer } => {
                let _ = answer.send(state.live.foresee(&places));
            }
        }
    }
}
