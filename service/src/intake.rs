//! The way in: calls wait in a bounded queue until the log has them on disk.
//!
//! [`Intake::submit`] answers when what was submitted is durable, or at once with a [`Refusal`]; nothing waits without a
//! bound. Whoever writes takes everything that waits with [`Arrivals::take`], and answers each [`Submission`]. One that is
//! dropped without an answer is refused as [`Refusal::Full`], so that nobody waits for ever.

use crate::{
    limits::{MAX_WAITING_BYTES, MAX_WAITING_CALLS, RETRY_AFTER},
    log::Kind,
};
use segue_compiler::{record::Instant, value::Millis};
use segue_runtime::{limits::MAX_LINE_BYTES, source::Envelope};
use std::{
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

/// One call of a tracker as one line of JSON, as event files have them, complete: with `type`, whose it is, `timestamp` and
/// `messageId`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    line: String,
    told: Option<Told>,
}

/// A `timestamp` that is told from when its call arrives, which is when the call is written down: until then it may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// Where in the line it ends.
    pub(crate) end: usize,
    /// How many milliseconds before the arrival it is.
    pub(crate) before: i64,
}

impl Call {
    /// Takes a line for a call.
    ///
    /// # Errors
    /// When it is none; says why, for a person.
    pub fn new(line: impl Into<String>) -> Result<Self, String> {
        let line = line.into();
        if line.len() > MAX_LINE_BYTES {
            return Err(format!("it has {} bytes, at most {MAX_LINE_BYTES} are taken", line.len()));
        }
        Envelope::parse(line.as_bytes())?;
        Ok(Self { line, told: None })
    }

    /// The same with a `timestamp` that is told from its arrival.
    pub(crate) fn told(self, told: Option<Told>) -> Self {
        Self { told, ..self }
    }

    /// It has arrived at an instant.
    pub(crate) fn arrived(&mut self, at: Millis) {
        let Some(Told { end, before }) = self.told else { return };
        let timestamp = Instant(at.saturating_sub(before)).to_string();
        let place = end.saturating_sub(timestamp.len())..end;
        // Only instants of years of four digits are as long as what stands there, and others cannot be said.
        if self.line.get(..place.start).is_some_and(|before| before.ends_with("\"timestamp\":\"")) {
            self.line.replace_range(place, &timestamp);
        }
    }

    /// The line.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }
}

/// Calls that are on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The position in the log of the first of them; the others follow it.
    pub first: u64,
    /// When they were received: `receivedAt` of each.
    pub received_at: Millis,
}

/// Calls that were not taken. Nothing of what was submitted together is in the log, as far as anybody will be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Too much waits to be written.
    #[error("too much waits to be written; try again in a moment")]
    Busy {
        /// When to come again.
        retry_after: Duration,
    },
    /// The disk is full, or cannot be written.
    #[error("nothing can be written at present: the disk is full or fails")]
    Full,
    /// The service is about to end.
    #[error("the service is about to end")]
    Closing,
}

/// The way in; copies lead to the same place.
#[derive(Clone, Debug)]
pub struct Intake {
    queue: Arc<Queue>,
}

/// The other end: what was submitted.
#[derive(Debug)]
pub struct Arrivals {
    queue: Arc<Queue>,
}

/// What was submitted together, and whom to answer.
#[derive(Debug)]
pub struct Submission {
    /// Calls.
    pub calls: Vec<Call>,
    /// What the service itself has to say.
    pub(crate) own: Option<Own>,
    answer: Option<oneshot::Sender<Result<Accepted, Refusal>>>,
}

/// An entry of the service itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Own {
    pub(crate) kind: Kind,
    pub(crate) payload: Vec<u8>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    arrival: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    submissions: Vec<Submission>,
    calls: usize,
    bytes: usize,
    closing: bool,
    ended: bool,
    crowded: bool,
}

/// Makes a way in and its other end.
#[must_use]
pub fn intake() -> (Intake, Arrivals) {
    let queue = Arc::new(Queue::default());
    (Intake { queue: queue.clone() }, Arrivals { queue })
}

impl Intake {
    /// Submits calls; all of them are taken or none. Returns when they are on disk.
    ///
    /// # Errors
    /// When they were not taken.
    pub async fn submit(&self, calls: Vec<Call>) -> Result<Accepted, Refusal> {
        let (answer, answered) = oneshot::channel();
        self.queue.push(Submission { calls, own: None, answer: Some(answer) })?;
        answered.await.unwrap_or(Err(Refusal::Full))
    }

    /// As [`Intake::submit`], for threads that may wait.
    ///
    /// # Errors
    /// When they were not taken.
    pub fn submit_blocking(&self, calls: Vec<Call>) -> Result<Accepted, Refusal> {
        let (answer, answered) = oneshot::channel();
        self.queue.push(Submission { calls, own: None, answer: Some(answer) })?;
        answered.blocking_recv().unwrap_or(Err(Refusal::Full))
    }

    /// Has an entry of the service itself written, after the calls that are written with it. It is bounded by what there is
    /// to say, and taken also after the way in was closed.
    pub(crate) fn note(&self, kind: Kind, payload: Vec<u8>) {
        self.queue.add(Submission::own(kind, payload));
    }

    /// As [`Intake::note`], and waits until it is on disk. Where it cannot be written, it is refused as calls are, and nothing of
    /// it is written later.
    pub(crate) async fn write(&self, kind: Kind, payload: Vec<u8>) -> Result<Accepted, Refusal> {
        let (answer, answered) = oneshot::channel();
        self.queue.add(Submission {
            calls: Vec::new(),
            own: Some(Own { kind, payload }),
            answer: Some(answer),
        });
        answered.await.unwrap_or(Err(Refusal::Full))
    }

    /// From now on calls are refused; what waits is still written.
    pub fn close(&self) {
        self.queue.lock().closing = true;
        self.queue.arrival.notify_all();
    }

    /// Nothing at all is written any more but what waits.
    pub(crate) fn end(&self) {
        let mut waiting = self.queue.lock();
        (waiting.closing, waiting.ended) = (true, true);
        self.queue.arrival.notify_all();
    }

    /// Whether more than enough is on its way out, so that nothing more is to come in.
    pub(crate) fn set_crowded(&self, crowded: bool) {
        self.queue.lock().crowded = crowded;
    }

    /// How many calls wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.lock().calls
    }
}

impl Arrivals {
    /// Takes all that waits, and waits for something where nothing does, at most so long. Empty when nothing came.
    #[must_use]
    pub fn take(&self, patience: Duration) -> Vec<Submission> {
        let mut waiting = self.queue.lock();
        if waiting.submissions.is_empty() && !waiting.ended {
            let woken = self.queue.arrival.wait_timeout(waiting, patience);
            waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        (waiting.calls, waiting.bytes) = (0, 0);
        mem::take(&mut waiting.submissions)
    }

    /// Whether the way in was closed and nothing waits any more.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let waiting = self.queue.lock();
        waiting.closing && waiting.submissions.is_empty()
    }

    /// Whether nothing comes any more, also of the service itself.
    pub(crate) fn is_ended(&self) -> bool {
        let waiting = self.queue.lock();
        waiting.ended && waiting.submissions.is_empty()
    }
}

impl Submission {
    /// What the service itself has to say, with nobody to answer.
    pub(crate) fn own(kind: Kind, payload: Vec<u8>) -> Self {
        Self { calls: Vec::new(), own: Some(Own { kind, payload }), answer: None }
    }

    /// Whether the service says it by itself, and nobody waits for it: it is written as soon as that can be done.
    pub(crate) fn is_kept(&self) -> bool {
        self.own.is_some() && self.answer.is_none()
    }

    /// Says what became of it. Whoever asked may be gone.
    pub fn answer(self, result: Result<Accepted, Refusal>) {
        if let Some(answer) = self.answer {
            let _ = answer.send(result);
        }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing is left half done in here.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, submission: Submission) -> Result<(), Refusal> {
        let bytes: usize = submission.calls.iter().map(|call| call.line.len()).sum();
        let mut waiting = self.lock();
        if waiting.closing {
            return Err(Refusal::Closing);
        }
        // What comes to an empty queue is taken however large it is: its own bounds were looked at before.
        let is_crowded = waiting.calls + submission.calls.len() > MAX_WAITING_CALLS
            || waiting.bytes + bytes > MAX_WAITING_BYTES;
        if is_crowded && waiting.calls > 0 || waiting.crowded {
            return Err(Refusal::Busy { retry_after: Duration::from_millis(RETRY_AFTER) });
        }
        waiting.calls += submission.calls.len();
        waiting.bytes += bytes;
        waiting.submissions.push(submission);
        self.arrival.notify_one();
        Ok(())
    }

    /// Adds what is not refused.
    fn add(&self, submission: Submission) {
        self.lock().submissions.push(submission);
        self.arrival.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn call(id: usize) -> Call {
        let line = format!(
            r#"{{"type":"track","messageId":"m{id}","userId":"ada","event":"A","timestamp":"2026-01-05T10:00:00Z"}}"#
        );
        Call::new(line).unwrap()
    }

    #[test]
    fn only_calls_come_in() {
        assert!(Call::new("{}").unwrap_err().contains("`type` is missing"));
        assert!(Call::new(" ".repeat(MAX_LINE_BYTES + 1)).unwrap_err().contains("bytes"));
    }

    #[test]
    fn whoever_submits_is_answered() {
        let (intake, arrivals) = intake();
        thread::scope(|scope| {
            let submitted = scope.spawn(|| intake.submit_blocking(vec![call(1), call(2)]));
            let taken = loop {
                if let Some(taken) = arrivals.take(Duration::from_secs(1)).pop() {
                    break taken;
                }
            };
            assert_eq!((taken.calls.len(), intake.waiting()), (2, 0));
            let accepted = Accepted { first: 7, received_at: 1 };
            taken.answer(Ok(accepted));
            assert_eq!(submitted.join().unwrap(), Ok(accepted));
        });
    }

    #[test]
    fn who_is_forgotten_is_refused() {
        let (intake, arrivals) = intake();
        thread::scope(|scope| {
            let submitted = scope.spawn(|| intake.submit_blocking(vec![call(1)]));
            while arrivals.take(Duration::from_secs(1)).is_empty() {}
            assert_eq!(submitted.join().unwrap(), Err(Refusal::Full));
        });
    }

    #[test]
    fn what_waits_is_bounded() {
        let (intake, arrivals) = intake();
        let queue = &intake.queue;
        let push = |count: usize| {
            let (answer, _) = oneshot::channel();
            queue.push(Submission { calls: (0..count).map(call).collect(), own: None, answer: Some(answer) })
        };
        assert_eq!(push(MAX_WAITING_CALLS), Ok(()));
        assert!(matches!(push(1), Err(Refusal::Busy { .. })));
        assert_eq!(arrivals.take(Duration::ZERO).len(), 1);
        assert_eq!(push(1), Ok(()));
        intake.close();
        assert_eq!(push(1), Err(Refusal::Closing));
        assert!(!arrivals.is_done());
        assert_eq!(arrivals.take(Duration::ZERO).len(), 1);
        assert!(arrivals.is_done());
    }
}
