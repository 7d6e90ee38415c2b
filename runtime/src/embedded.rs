//! Rules within a program of one's own: checked, compiled and ready to be asked from any thread.
//!
//! ```
//! use segue_compiler::{project::Project, record::Record, settings::Settings};
//! use segue_runtime::embedded::Embedded;
//! use std::time::UNIX_EPOCH;
//!
//! let project = Project::of("shop.segue", "event \"Visited\" {}\nsegment curious { did \"Visited\" }");
//! // A service passes `SystemTime::now`.
//! let rules = Embedded::new(&project, Settings::default(), || UNIX_EPOCH)?;
//! let decided = rules.apply(r#"{"type": "track", "userId": "ada", "messageId": "1", "event": "Visited", "timestamp": 0}"#)?;
//! assert!(matches!(&*decided, [Record::Segment(entered)] if &*entered.customer == "ada"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::{
    engine::{Engine, EngineError},
    live::Live,
    source::Envelope,
};
use segue_compiler::{
    findings::{Finding, findings},
    project::{Project, compile},
    record::Record,
    settings::Settings,
    value::Millis,
};
use std::{
    fmt,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

/// Rules, everybody they know, and a clock. Calls are applied one after the other, each in the time of a lock that is never
/// held for longer, so that it can be shared by threads and by tasks.
///
/// It forgets everybody when it goes. Who must not, keeps what [`Live::changes`] gives, and hands it to [`Live::restore`] at
/// the start, see [`Embedded::with`].
pub struct Embedded {
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    state: Mutex<State>,
}

struct State {
    live: Live<Arc<Engine>>,
    /// The latest time that the clock has told.
    now: Millis,
}

/// Rules cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unusable {
    /// They have mistakes; all that there is to say of them.
    Rules(Vec<Finding>),
    /// They cannot be compiled.
    Engine(EngineError),
}

impl Embedded {
    /// Checks rules and makes machine code of them. `clock` is asked whenever the time matters; where it is set back, time
    /// stands until it has come that far again.
    ///
    /// # Errors
    /// When the rules have mistakes, or the machine is not supported.
    pub fn new(
        project: &Project,
        settings: Settings,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Result<Self, Unusable> {
        let checked = compile(project);
        let Some(program) = checked.program else {
            return Err(Unusable::Rules(findings(&checked.diagnostics, project)));
        };
        let (settle, now) = (settings.settle, millis(clock()));
        let engine = Engine::new(Arc::new(program), settings).map_err(Unusable::Engine)?;
        let state = State { live: Live::new(Arc::new(engine), settle, NonZeroUsize::MIN, now), now };
        Ok(Self { clock: Box::new(clock), state: Mutex::new(state) })
    }

    /// Applies a call, as one line of an event file says it, that arrives now; gives what is decided by it at once. A call
    /// whose `messageId` is known changes nothing.
    ///
    /// # Errors
    /// When it is no call; says why, for a person.
    pub fn apply(&self, line: impl AsRef<[u8]>) -> Result<Vec<Record>, String> {
        let call = Envelope::parse(line.as_ref())?;
        let mut state = self.at_present();
        let call = call.received(state.now);
        state.live.calls([call]);
        Ok(state.live.records())
    }

    /// Lets time pass up to now; gives what is decided by it. It costs next to nothing while nothing is due, so call it as
    /// often as decisions should be punctual.
    #[must_use = "what is decided is given once"]
    pub fn pass_time(&self) -> Vec<Record> {
        let mut state = self.at_present();
        let now = state.now;
        if state.live.wake_at().is_some_and(|at| at <= now) {
            state.live.advance(now);
        }
        state.live.records()
    }

    /// Does something with all that is known, at the present: asks for a customer, erases one, keeps what changed or takes it
    /// up again. Nothing else is done meanwhile. What is decided by it is given by what comes next.
    pub fn with<T>(&self, work: impl FnOnce(&mut Live<Arc<Engine>>, Millis) -> T) -> T {
        let mut state = self.at_present();
        let now = state.now;
        work(&mut state.live, now)
    }

    fn at_present(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = state.now.max(millis((self.clock)()));
        state
    }
}

fn millis(time: SystemTime) -> Millis {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").finish_non_exhaustive()
    }
}

/// A finding on each line.
impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rules(findings) => {
                f.write_str("the rules have mistakes")?;
                findings.iter().try_for_each(|finding| write!(f, "\n{finding}"))
            }
            Self::Engine(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Unusable {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::atomic::{AtomicU64, Ordering},
        time::Duration,
    };

    const RULES: &str = r#"
        event "Added" {}
        event "Ordered" {}
        rule remind { when "Added" then no "Ordered" within 2 minutes call cart }
    "#;

    fn added(id: &str, at: u64) -> String {
        format!(
            r#"{{"type":"track","userId":"ada","messageId":"{id}","event":"Added","timestamp":{}}}"#,
            at * 1_000
        )
    }

    #[test]
    fn time_passes_once_whatever_the_clock_does() {
        let seconds = Arc::new(AtomicU64::new(1_000));
        let told = seconds.clone();
        let clock = move || UNIX_EPOCH + Duration::from_secs(told.load(Ordering::SeqCst));
        let rules = Embedded::new(&Project::of("a.segue", RULES), Settings::default(), clock).unwrap();
        let at = |now: u64| {
            seconds.store(now, Ordering::SeqCst);
            rules.pass_time().iter().map(|record| record.at() / 1_000).collect::<Vec<_>>()
        };
        assert!(rules.apply(added("1", 1_000)).unwrap().is_empty());
        assert!(at(1_119).is_empty());
        assert_eq!(at(1_120), [1_120]);
        // Set back, it is asked in vain; what comes meanwhile comes at the latest time there was.
        assert!(at(600).is_empty());
        assert!(rules.apply(added("2", 1_121)).unwrap().is_empty());
        assert_eq!(rules.with(|live, now| (live.customers(), now)), (1, 1_120_000));
        assert!(at(1_120).is_empty());
        assert_eq!(at(5_000), [1_241]);
        assert!(at(9_000).is_empty());
    }

    #[test]
    fn what_is_wrong_is_told() {
        let new = |rules| Embedded::new(&Project::of("a.segue", rules), Settings::default(), || UNIX_EPOCH);
        let wrong = new("rule r { when \"A\" call x }").unwrap_err().to_string();
        assert!(wrong.starts_with("the rules have mistakes\na.segue:1:"), "{wrong}");
        assert!(wrong.contains("error[unknown-event]"), "{wrong}");
        assert!(new(RULES).unwrap().apply("{}").unwrap_err().contains("`type`"));
    }
}
