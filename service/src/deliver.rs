//! Delivery: decisions to the channels, as often as it takes, and word of what became of them to the log.
//!
//! A decision may be delivered twice where a crash came between its delivery and the word of it; it bears the same id both
//! times. Each channel has threads of its own, so that one that hangs holds up nobody else.

mod queue;

use crate::{
    clock::Clock,
    host::{At, Tell, read_at},
    intake::Intake,
    limits::{DELIVERY_PATIENCE, DELIVERY_THREADS, FIRST_PAUSE, GIVEN_UP_AFTER, LONGEST_PAUSE},
    log::{Delivered, Kind},
};
use queue::{Job, Queue};
use segue_compiler::{record::ActionId, value::Millis};
use segue_runtime::{
    channel::{Channel, Delivery, Hooks, OpenError, Outcome},
    config::{ChannelConfig, Config},
};
use std::{
    collections::BTreeMap,
    io::stderr,
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, JoinHandle},
};

/// What delivers.
pub(crate) struct Deliverer {
    queues: BTreeMap<String, Arc<Queue>>,
    threads: Vec<JoinHandle<()>>,
    intake: Intake,
    tell: Tell,
    dry_run: bool,
}

/// What a thread works with.
struct Work {
    name: String,
    channel: Box<dyn Channel>,
    queue: Arc<Queue>,
    /// Where decisions lie.
    folder: PathBuf,
    intake: Intake,
    clock: Arc<dyn Clock>,
    tell: Tell,
}

impl Deliverer {
    /// Opens the channels of a project, unless nothing is to be sent.
    pub(crate) fn start(
        config: &Config,
        root: &Path,
        folder: &Path,
        intake: Intake,
        clock: &Arc<dyn Clock>,
        tell: Tell,
        dry_run: bool,
    ) -> Result<Self, OpenError> {
        let mut deliverer = Self { queues: BTreeMap::new(), threads: Vec::new(), intake, tell, dry_run };
        if dry_run {
            return Ok(deliverer);
        }
        for (name, channel) in &config.channels {
            let queue = Arc::new(Queue::default());
            let only = BTreeMap::from([(name.clone(), channel.clone())]);
            for _ in 0..threads(channel) {
                // A service with a console does not start; one is for hosts within other programs.
                let hooks = Hooks::open(&only, root, &|| Box::new(stderr()))?;
                let Some((name, channel)) = hooks.into_channels().pop_first() else { continue };
                let work = Work {
                    name,
                    channel,
                    queue: queue.clone(),
                    folder: folder.to_owned(),
                    intake: deliverer.intake.clone(),
                    clock: clock.clone(),
                    tell: deliverer.tell.clone(),
                };
                deliverer.threads.push(thread::spawn(move || work.run()));
            }
            deliverer.queues.insert(name.clone(), queue);
        }
        Ok(deliverer)
    }

    /// Has a decision delivered.
    pub(crate) fn deliver(&self, id: ActionId, at: At, customer: u64, channel: &str) {
        if self.dry_run {
            self.intake.note(Kind::Done, Delivered::Unsent.payload(id));
            return;
        }
        match self.queues.get(channel) {
            Some(queue) => queue.push(Job { id, at, customer, tries: 0, since: None, ready_at: Millis::MIN }),
            None => {
                (self.tell)(&format!("not delivered: {id}: no hook configured for channel `{channel}`"));
                self.intake.note(Kind::Done, Delivered::Failed.payload(id));
            }
        }
    }

    /// Delivers nothing more to somebody.
    pub(crate) fn forget(&self, customer: u64) {
        self.queues.values().for_each(|queue| queue.forget(customer));
    }

    /// Ends; what is being delivered is waited for a while.
    pub(crate) fn stop(self) {
        self.queues.values().for_each(|queue| queue.stop());
        let mut waited = std::time::Duration::ZERO;
        while waited < DELIVERY_PATIENCE && self.threads.iter().any(|thread| !thread.is_finished()) {
            let step = DELIVERY_PATIENCE / 200;
            thread::sleep(step);
            waited += step;
        }
        // Who still waits for an answer is left alone: the decision is delivered again after the next start.
    }
}

/// How many threads a channel has: with a rate one, which keeps it.
fn threads(channel: &ChannelConfig) -> usize {
    match channel {
        ChannelConfig::Webhook(webhook) if webhook.rate.is_none() => DELIVERY_THREADS,
        ChannelConfig::Webhook(_) | ChannelConfig::Console | ChannelConfig::File { .. } => 1,
    }
}

impl Work {
    fn run(mut self) {
        while let Some(job) = self.queue.pop(&*self.clock) {
            self.deliver(job);
        }
    }

    fn deliver(&mut self, mut job: Job) {
        let record = match read_at(&self.folder, job.at) {
            Ok(Some(record)) => record,
            // It was erased.
            Ok(None) => return,
            Err(error) => return self.again(job, &error.to_string()),
        };
        let Some(delivery) = Delivery::of(&record) else { return };
        job.since.get_or_insert_with(|| self.clock.now());
        match self.channel.deliver(&delivery) {
            Outcome::Delivered { .. } => self.intake.note(Kind::Done, Delivered::Taken.payload(job.id)),
            Outcome::Failed { reason, retryable: true, .. } => self.again(job, &reason),
            Outcome::Failed { reason, .. } => self.give_up(&job, &reason),
        }
    }

    /// Tries it again later, until that has no use any more.
    fn again(&self, mut job: Job, reason: &str) {
        let now = self.clock.now();
        let since = *job.since.get_or_insert(now);
        let pause = FIRST_PAUSE.saturating_mul(1 << job.tries.min(20)).min(LONGEST_PAUSE);
        if now.saturating_add(pause) > since.saturating_add(GIVEN_UP_AFTER) {
            return self.give_up(&job, reason);
        }
        job.tries += 1;
        job.ready_at = now.saturating_add(pause);
        self.queue.push(job);
    }

    fn give_up(&self, job: &Job, reason: &str) {
        (self.tell)(&format!("not delivered: {} {}: {reason}", self.name, job.id));
        self.intake.note(Kind::Done, Delivered::Failed.payload(job.id));
    }
}
