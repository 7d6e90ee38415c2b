//! The thread that writes the log.

use super::{Status, Tell, conductor::Event, status::lock};
use crate::{
    clock::Clock,
    intake::{Accepted, Arrivals, Own, Refusal, Submission},
    limits::{FAILED_WRITE_PAUSE, FULL_PAUSE, IDLE},
    log::{Group, Kind, Writer},
};
use segue_compiler::value::Millis;
use segue_runtime::words::reason;
use std::{
    io,
    sync::{
        Arc, Mutex,
        mpsc::{SyncSender, TrySendError},
    },
    thread,
};

pub(super) struct Writing {
    pub(super) writer: Writer,
    pub(super) arrivals: Arrivals,
    /// What is received next is received at this time at least.
    pub(super) earliest: Millis,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) events: SyncSender<Event>,
    pub(super) status: Arc<Mutex<Status>>,
    pub(super) tell: Tell,
}

impl Writing {
    /// Writes until nothing comes any more. Whoever listens hears when no more calls come.
    pub(super) fn run(mut self) {
        // What the service itself has to say and could not yet be written.
        let mut left: Vec<Submission> = Vec::new();
        let mut is_drained = false;
        loop {
            let patience = if left.is_empty() { IDLE } else { FAILED_WRITE_PAUSE };
            let mut submissions = std::mem::take(&mut left);
            submissions.extend(self.arrivals.take(patience));
            if submissions.is_empty() {
                if self.arrivals.is_ended() {
                    return;
                }
                self.tell_drained(&mut is_drained);
                if is_drained || !self.writer.is_old(self.present()) {
                    continue;
                }
                // Nothing came for long, and what is old is to go all the same.
                submissions.push(Submission::own(Kind::Void, Vec::new()));
            }
            match self.write(&mut submissions) {
                Ok((group, received_at)) => {
                    answer(submissions, group.first, received_at);
                    if !self.hand_over(Event::Group(group), &mut left) {
                        // Who listens ends after this thread, unless it failed.
                        lock(&self.status).is_broken = true;
                        (self.tell)(
                            "the service has failed: what was acknowledged is in the log, and is taken up at the next start",
                        );
                        return;
                    }
                }
                Err(error) => {
                    left = self.refuse(submissions, &error);
                    // What cannot be written does not keep the end waiting.
                    self.tell_drained(&mut is_drained);
                    if self.arrivals.is_ended() {
                        return;
                    }
                    thread::sleep(FAILED_WRITE_PAUSE);
                }
            }
        }
    }

    /// Tells whoever listens, once, when no more calls come.
    fn tell_drained(&self, is_drained: &mut bool) {
        if !*is_drained && self.arrivals.is_done() {
            *is_drained = true;
            let _ = self.events.send(Event::Drained);
        }
    }

    /// Hands on what was written; whether anybody listens. While decisions cannot be written down, what comes is refused as on
    /// a full disk, and not kept waiting; what the service itself has to say is left for later.
    fn hand_over(&mut self, mut event: Event, left: &mut Vec<Submission>) -> bool {
        loop {
            event = match self.events.try_send(event) {
                Ok(()) => return true,
                Err(TrySendError::Disconnected(_)) => return false,
                Err(TrySendError::Full(event)) => event,
            };
            if lock(&self.status).is_stuck {
                left.extend(refused(self.arrivals.take(FULL_PAUSE)));
            }
            thread::sleep(FULL_PAUSE);
        }
    }

    /// When what comes now is received.
    fn present(&self) -> Millis {
        self.clock.now().max(self.earliest)
    }

    /// Writes what was submitted: first all calls, then what the service itself says.
    fn write(&mut self, submissions: &mut [Submission]) -> io::Result<(Group, Millis)> {
        let now = self.present();
        submissions.iter_mut().flat_map(|it| &mut it.calls).for_each(|call| call.arrived(now));
        let calls = submissions.iter().flat_map(|it| &it.calls);
        let calls = calls.map(|call| (Kind::Call, now, call.line().as_bytes()));
        let own = || submissions.iter().filter_map(|it| it.own.as_ref());
        let said = own().map(|Own { kind, payload }| (*kind, now, &**payload));
        let group = self.writer.append(calls.chain(said), true)?;
        // What comes after time came to an instant is received later.
        let is_advanced = own().any(|own| own.kind == Kind::Advance);
        self.earliest = if is_advanced { now.saturating_add(1) } else { now };
        if own().any(|own| own.kind == Kind::Erase) {
            // What was said before can be taken out of files that have ended.
            self.writer.rotate();
        }
        let mut status = lock(&self.status);
        status.written = group.end();
        if std::mem::take(&mut status.is_full) {
            (self.tell)("the log can be written again");
        }
        Ok((group, now))
    }

    /// Refuses what was submitted; gives back what the service says by itself.
    fn refuse(&self, submissions: Vec<Submission>, error: &io::Error) -> Vec<Submission> {
        let mut status = lock(&self.status);
        status.failed_writes += 1;
        if !std::mem::replace(&mut status.is_full, true) {
            (self.tell)(&format!(
                "the log cannot be written, and calls are refused until it can: {}",
                reason(error)
            ));
        }
        drop(status);
        let mut own = refused(submissions);
        if own.is_empty() {
            // Whether there is room again is found out also when nobody sends, because all were told that it is full.
            own.push(Submission::own(Kind::Void, Vec::new()));
        }
        own
    }
}

/// Refuses calls and orders, for which somebody waits; gives back what the service says by itself.
fn refused(submissions: Vec<Submission>) -> Vec<Submission> {
    let (kept, refused): (Vec<_>, Vec<_>) = submissions.into_iter().partition(Submission::is_kept);
    refused.into_iter().for_each(|it| it.answer(Err(Refusal::Full)));
    kept
}

/// Tells everybody where their calls are.
fn answer(submissions: Vec<Submission>, first: u64, received_at: Millis) {
    let calls: u64 = submissions.iter().map(|it| it.calls.len() as u64).sum();
    let (mut call, mut said) = (first, first + calls);
    for submission in submissions {
        let place = if submission.own.is_some() { &mut said } else { &mut call };
        let accepted = Accepted { first: *place, received_at };
        *place += if submission.own.is_some() { 1 } else { submission.calls.len() as u64 };
        submission.answer(Ok(accepted));
    }
}
