//! The thread that hands the log's entries to the customers, in order, and asks for time to come.

use super::{
    keeping::{Done, Job, Keeper, Kept},
    questions::Question,
    state::State,
    status::lock,
};
use crate::{
    clock::{Clock, Steps, running},
    intake::Intake,
    limits::{CLOCK_STEP, ERASING_PAUSE, IDLE, QUESTIONS_AT_ONCE},
    log::{Group, Kind},
};
use segue_compiler::{record::Instant, value::Millis};
use segue_runtime::words::counted;
use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

/// What whoever writes the log says.
pub(super) enum Event {
    /// These are on disk.
    Group(Group),
    /// No more calls come.
    Drained,
}

pub(super) struct Conductor {
    pub(super) state: State,
    pub(super) intake: Intake,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) steps: Steps,
    pub(super) events: Receiver<Event>,
    pub(super) questions: Receiver<Question>,
    pub(super) keeper: Keeper,
    pub(super) checkpoint_every: Duration,
    pub(super) gathered_at_once: usize,
    pub(super) max_pending: usize,
    /// The position of the last checkpoint that was made, and when that was.
    pub(super) kept: (u64, Millis),
    /// A checkpoint of which not all changes were gathered yet.
    pub(super) gathering: Option<Job>,
    /// Whether something that should go is still needed by the checkpoints that there are, so that others are to follow also
    /// when nothing comes.
    pub(super) is_held: bool,
    /// Whether a checkpoint is being written.
    pub(super) is_keeping: bool,
    /// Whether the last one could not be written.
    pub(super) is_unkept: bool,
    /// How many calls were taken up since the last look at checkpoints.
    pub(super) taken: usize,
    /// Whether time was asked to come and has not yet.
    pub(super) is_asked: bool,
}

impl Conductor {
    /// Works until whoever writes the log has ended.
    pub(super) fn run(mut self) {
        loop {
            let event = self.events.recv_timeout(self.patience());
            // While entries are taken up, this is written.
            self.ask_for_time();
            match event {
                Ok(Event::Group(group)) => self.take(&group),
                Ok(Event::Drained) => self.end(),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.look_at_clock();
            self.ask_for_time();
            self.hear_of_checkpoints();
            self.keep(false);
            for question in self.questions.try_iter().take(QUESTIONS_AT_ONCE).collect::<Vec<_>>() {
                question.answer(&mut self.state);
            }
        }
        self.keep_last();
    }

    /// How long nothing needs to be done, as far as is known.
    fn patience(&self) -> Duration {
        if self.gathering.is_some() {
            return Duration::ZERO;
        }
        let Some(at) = self.state.live.wake_at().filter(|_| !self.is_asked) else { return IDLE };
        let wait = at.saturating_sub(self.present());
        Duration::from_millis(u64::try_from(wait).unwrap_or_default()).min(IDLE)
    }

    /// How late it is: as late as the clock says, and never earlier than what was received, also where the clock is set back.
    fn present(&self) -> Millis {
        self.clock.now().max(self.state.received_at.unwrap_or(Millis::MIN))
    }

    /// Tells when the clock is set.
    fn look_at_clock(&mut self) {
        let now = self.clock.now();
        let received_at = self.state.received_at.unwrap_or(now);
        let step = self.steps.step(now, running());
        let mut status = lock(&self.state.status);
        // Entries that follow time's coming to an instant are received a little later than that.
        let behind = received_at.saturating_sub(now);
        status.clock_behind = if behind < CLOCK_STEP { 0 } else { behind };
        let Some(step) = step else { return };
        let [back, forward] = &mut status.clock_steps;
        *if step < 0 { back } else { forward } += 1;
        drop(status);
        let by = counted((step.unsigned_abs() + 500) / 1_000, "second");
        (self.state.tell)(&if step < 0 {
            let until = Instant(received_at);
            format!(
                "the clock of this machine was set back by {by}: until it has come to {until}, all that comes is received then, and what is due later waits"
            )
        } else {
            format!("the clock of this machine went forward by {by} at once: what is due by now is decided")
        });
    }

    fn take(&mut self, group: &Group) {
        let received_at = group.entries().next().map(|entry| entry.received_at);
        let is_time = group.entries().any(|entry| entry.kind == Kind::Advance);
        if is_time {
            self.is_asked = false;
        }
        self.state.take(group);
        let calls = group.entries().filter(|entry| entry.kind == Kind::Call).count();
        self.taken += calls;
        if let Some(received_at) = received_at
            && calls > 0
        {
            let delay = self.clock.now().saturating_sub(received_at);
            lock(&self.state.status).delay.add(delay, calls as u64);
        }
        self.intake.set_crowded(self.state.outbox.len() > self.max_pending);
    }

    /// Where something is due, has it written that time has come: what is decided by it may be delivered only then.
    fn ask_for_time(&mut self) {
        if !self.is_asked && self.state.live.wake_at().is_some_and(|at| at <= self.present()) {
            self.intake.note(Kind::Advance, Vec::new());
            self.is_asked = true;
        }
    }

    fn hear_of_checkpoints(&mut self) {
        if let Ok(kept) = self.keeper.kept.try_recv() {
            self.hear(kept);
        }
    }

    fn hear(&mut self, kept: Kept) {
        self.is_keeping = false;
        let mut status = lock(&self.state.status);
        match kept {
            Some(Done { position, at, needed, is_held, erased }) => {
                self.is_unkept = false;
                self.is_held = is_held;
                self.state.reads.retain(|read| read.at >= needed);
                status.checkpoint = position;
                status.checkpoint_at = Some(at);
                // Who was erased once more meanwhile is still to be taken out.
                self.state.erasing.retain(|id, up_to| erased.get(id) != Some(up_to));
                status.erasing = self.state.erasing.len();
            }
            None => {
                status.failed_checkpoints += 1;
                self.is_unkept = true;
            }
        }
    }

    /// Has a checkpoint written if it is time.
    fn keep(&mut self, is_last: bool) {
        let taken = std::mem::take(&mut self.taken);
        if self.state.is_lost {
            self.gathering = None;
            return;
        }
        if !self.is_keeping && self.gathering.is_none() && self.is_time_to_keep(is_last) {
            self.begin_to_keep(is_last);
        }
        // As many as calls were taken up, too: so there is an end to it however much comes.
        let most = if is_last { usize::MAX } else { self.gathered_at_once + taken };
        if let Some(mut job) = self.gathering.take() {
            match self.state.live.give_changes(most) {
                given @ Some(_) => {
                    job.given = given;
                    self.hand_to_keeper(job);
                }
                None => self.gathering = Some(job),
            }
        }
    }

    fn is_time_to_keep(&self, is_last: bool) -> bool {
        let now = self.clock.now();
        let (position, at) = self.kept;
        let every = i64::try_from(self.checkpoint_every.as_millis()).unwrap_or(i64::MAX);
        let is_erasing = !self.state.erasing.is_empty();
        let every = if is_erasing { every.min(ERASING_PAUSE) } else { every };
        // Where the clock was set back, it would be long until then.
        let is_due = is_last || now >= at.saturating_add(every) || now < at;
        let is_worth_it = self.is_unkept || is_erasing || self.is_held && !is_last;
        is_due && (position != self.state.position || is_worth_it)
    }

    /// A checkpoint of the present begins. Whoever changed is gathered bit by bit, so that what comes meanwhile need not wait.
    fn begin_to_keep(&mut self, is_last: bool) {
        let checkpoint = self.state.checkpoint();
        let now = self.clock.now();
        self.kept = (checkpoint.position, now);
        self.gathering = Some(Job {
            checkpoint,
            given: None,
            history: self.state.history.place(),
            pending: self.state.outbox.needed(),
            reads: self.state.reads.clone(),
            erasing: self.state.erasing.clone(),
            now,
            is_last,
        });
    }

    fn hand_to_keeper(&mut self, mut job: Job) {
        job.reads.clone_from(&self.state.reads);
        // It was idle, so that there is room for one.
        if let Some(jobs) = &self.keeper.jobs {
            self.is_keeping = jobs.send(job).is_ok();
            if !self.is_keeping {
                // Whoever keeps has failed, and a start would have to read ever more of the log.
                lock(&self.state.status).is_broken = true;
            }
        }
    }

    /// Nothing comes in any more: what is being delivered is waited for, then the log ends.
    fn end(&mut self) {
        if let Some(deliverer) = self.state.deliverer.take() {
            deliverer.stop();
        }
        self.intake.end();
    }

    fn keep_last(&mut self) {
        // What is being gathered, then all that came since, which is tried twice.
        for _ in 0..3 {
            if self.is_keeping
                && let Ok(kept) = self.keeper.kept.recv()
            {
                self.hear(kept);
            }
            self.keep(true);
        }
        if self.is_keeping
            && let Ok(kept) = self.keeper.kept.recv()
        {
            self.hear(kept);
        }
        self.keeper.stop();
    }
}
