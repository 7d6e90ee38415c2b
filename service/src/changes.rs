//! Other rules for a service that works: they are put in force if they are sound, and refused as a whole if not. They come
//! over the admin port, or from the project's folder: on `SIGHUP`, and where it is watched, when it changes.

use crate::{
    host::Ask,
    intake::{Accepted, Refusal},
    limits::LOOK_EVERY,
    rules::{Prepared, Text},
};
use segue_compiler::{
    changes::{self, print},
    findings::{Finding, place},
    settings::ConsentPolicy,
    typed::Program,
};
use segue_runtime::{
    load::LoadError,
    words::{counted, quote},
};
use serde::Deserialize;
use std::{collections::BTreeMap, fmt, future, mem, path::PathBuf, sync::Arc};
use tokio::{
    signal::unix::Signal,
    sync::Mutex,
    time::{Interval, MissedTickBehavior, interval},
};

/// Reads the text of the project again; why that cannot be done, in words.
pub type Reload = Arc<dyn Fn() -> Result<Text, String> + Send + Sync>;

/// Puts rules in force, one change after the other.
pub struct Changes {
    ask: Ask,
    root: PathBuf,
    latest: Mutex<Latest>,
}

/// The rules that were put in force last.
struct Latest {
    text: Text,
    program: Arc<Program>,
}

/// Rules that somebody wants in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// Rule files by name, all of them, one at least.
    pub sources: BTreeMap<String, String>,
    /// Content files by path, all of them; else those that are.
    pub files: Option<BTreeMap<String, String>>,
    /// `segue.toml`; else as it is.
    pub settings: Option<String>,
}

impl Proposal {
    /// Sees that there are rule files, and that their names are such as a folder could have; those that are in force are.
    ///
    /// # Errors
    /// When it is not so.
    pub fn check_names(&self, in_force: &Text) -> Result<(), Refused> {
        let is_new = |name: &&String| !in_force.sources.contains_key(*name);
        match self.sources.keys().filter(is_new).find(|name| !is_rule_file(name)) {
            None if self.sources.is_empty() => {
                let nothing = LoadError::NoRules { path: "sources".to_owned() };
                Err(Refused::Sources(nothing.to_string()))
            }
            None => Ok(()),
            Some(name) => Err(Refused::Sources(format!(
                "{} in `sources` is no name of a rule file; name each from the project's folder on, such as `rules.segue` or `mail/offers.segue`",
                quote(name)
            ))),
        }
    }
}

/// Whether a name is that of a rule file within a project, folders in it parted by `/`.
fn is_rule_file(name: &str) -> bool {
    let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(char::is_control);
    let stem = name.strip_suffix(".segue");
    stem.is_some_and(|stem| !stem.is_empty() && !stem.ends_with('/')) && name.split('/').all(is_plain)
}

impl From<Text> for Proposal {
    fn from(text: Text) -> Self {
        let Text { sources, files, settings } = text;
        Self { sources, files: Some(files), settings: Some(settings) }
    }
}

/// What a change of rules does.
#[derive(Clone, Debug)]
pub struct Changed {
    /// Where the log says so; nothing where the rules are the same.
    pub accepted: Option<Accepted>,
    /// What becomes of what is known of customers.
    pub changes: changes::Changes,
    /// What is probably not meant.
    pub warnings: Vec<Finding>,
    /// Whether the settings are others. Of them, some hold from the next start on.
    pub has_other_settings: bool,
}

/// Rules were refused as a whole.
#[derive(Clone, Debug)]
pub enum Refused {
    /// They cannot be used: all that there is to say of them.
    Findings(Vec<Finding>),
    /// The folder cannot be read.
    Folder(String),
    /// There are no rule files, or what is given are none.
    Sources(String),
    /// They cannot be written down.
    Write(Refusal),
}

impl Changes {
    /// Changes of the rules of a host, which begins with those that were prepared.
    #[must_use]
    pub fn new(ask: Ask, prepared: &Prepared) -> Self {
        let latest = Latest { text: prepared.text.clone(), program: prepared.program.clone() };
        Self { ask, root: prepared.root.clone(), latest: Mutex::new(latest) }
    }

    /// Puts rules in force. Returns when they are on disk.
    ///
    /// # Errors
    /// When they are refused; those in force stay.
    pub async fn put(&self, proposal: Proposal) -> Result<Changed, Refused> {
        let mut latest = self.latest.lock().await;
        let text = Text {
            sources: proposal.sources,
            files: proposal.files.unwrap_or_else(|| latest.text.files.clone()),
            settings: proposal.settings.unwrap_or_else(|| latest.text.settings.clone()),
        };
        let root = self.root.clone();
        // Machine code is made where the rules are put in force; to check them takes a while, too.
        let checked = tokio::task::spawn_blocking(move || text.check(root)).await;
        let checked = checked.map_err(|error| Refused::Folder(error.to_string()))?;
        let (prepared, warnings) = checked.map_err(Refused::Findings)?;
        if prepared.config.settings.consent == ConsentPolicy::Assumed {
            return Err(Refused::Findings(vec![assumed(&prepared.text.settings)]));
        }
        if let Some(channel) = prepared.config.console() {
            return Err(Refused::Findings(vec![console(channel, &prepared.text.settings)]));
        }
        let accepted = if prepared.text == latest.text {
            None
        } else {
            Some(self.ask.change_rules(&prepared.text).await.map_err(Refused::Write)?)
        };
        let changes = changes::changes(&latest.program, &prepared.program);
        let has_other_settings = prepared.text.settings != latest.text.settings;
        *latest = Latest { text: prepared.text, program: prepared.program };
        Ok(Changed { accepted, changes, warnings, has_other_settings })
    }

    /// Puts the rules of the folder in force whenever that is asked for, and where it is watched, when it changes; for as
    /// long as the process lives. A signal that came since `hangup` is listened to, and before this, is obeyed, too.
    pub(crate) async fn follow(self: Arc<Self>, reload: Reload, is_watched: bool, mut hangup: Signal) {
        let mut looks = is_watched.then(|| interval(LOOK_EVERY));
        if let Some(looks) = &mut looks {
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        let text = self.latest.lock().await.text.clone();
        let mut glance = Glance { seen: Ok(text), before: None };
        let mut is_waiting = false;
        loop {
            let found = tokio::select! {
                asked = hangup.recv() => {
                    if asked.is_none() {
                        return;
                    }
                    is_waiting = false;
                    read(&reload).await
                }
                () = next(looks.as_mut()) => match glance.is_new(read(&reload).await) {
                    Some(found) => found,
                    None => continue,
                },
            };
            let result = self.take(found.clone()).await;
            let is_unwritten = matches!(result, Err(Refused::Write(_)));
            // What waits for room is told once.
            if !(is_unwritten && is_waiting) {
                tell(result);
            }
            is_waiting = is_unwritten;
            // Where they could not be written down, what is seen is what is in force still, so that it is tried again.
            let seen = if is_unwritten { Ok(self.latest.lock().await.text.clone()) } else { found };
            glance = Glance { seen, before: None };
        }
    }

    async fn take(&self, read: Result<Text, String>) -> Result<Changed, Refused> {
        self.put(read.map_err(Refused::Folder)?.into()).await
    }
}

/// What a folder looked like that is watched.
struct Glance {
    /// What was taken up last.
    seen: Result<Text, String>,
    /// Something else that it has become since then, and may be about to become more.
    before: Option<Result<Text, String>>,
}

impl Glance {
    /// What the folder has become, once it has been so for two looks: whoever writes files may be in the midst of it.
    fn is_new(&mut self, now: Result<Text, String>) -> Option<Result<Text, String>> {
        if now == self.seen {
            self.before = None;
            return None;
        }
        if self.before.as_ref() != Some(&now) {
            self.before = Some(now);
            return None;
        }
        self.seen = mem::take(&mut self.before)?;
        Some(self.seen.clone())
    }
}

async fn next(looks: Option<&mut Interval>) {
    match looks {
        Some(looks) => {
            looks.tick().await;
        }
        None => future::pending().await,
    }
}

async fn read(reload: &Reload) -> Result<Text, String> {
    let reload = reload.clone();
    let read = tokio::task::spawn_blocking(move || reload()).await;
    read.unwrap_or_else(|error| Err(error.to_string()))
}

/// Consent that is assumed is for replays only.
fn assumed(settings: &str) -> Finding {
    let (line, column) = place(settings, settings.find("\"assumed\"").unwrap_or_default());
    Finding {
        severity: "error",
        code: "assumed-consent",
        message: "consent is assumed, which only replays do".to_owned(),
        file: "segue.toml".to_owned(),
        line,
        column,
        help: Some("set policy = \"required\" under [consent]".to_owned()),
    }
}

/// A console shows messages, and standard error is where the service tells of itself.
fn console(channel: &str, settings: &str) -> Finding {
    let (line, column) = place(settings, settings.find("\"console\"").unwrap_or_default());
    Finding {
        severity: "error",
        code: "console-hook",
        message: format!("channel `{channel}` has the hook `console`, which only `segue run` has"),
        file: "segue.toml".to_owned(),
        line,
        column,
        help: Some("set hook = \"webhook\", or \"file\" with a path".to_owned()),
    }
}

/// Says in the log of the process what came of a change.
fn tell(result: Result<Changed, Refused>) {
    match result {
        Ok(changed) => changed.tell(),
        Err(refused) => {
            tracing::warn!("the rules stay as they are: {refused}");
            if let Refused::Findings(findings) = refused {
                findings.iter().for_each(|finding| tracing::warn!("{finding}"));
            }
        }
    }
}

impl Changed {
    /// Says it in the log of the process, in the words of `segue plan`.
    pub(crate) fn tell(&self) {
        tracing::info!("{}", self.headline());
        if self.accepted.is_some() {
            print(&self.changes).lines().for_each(|line| tracing::info!("{line}"));
        }
        self.warnings.iter().for_each(|finding| tracing::warn!("{finding}"));
    }

    /// In one sentence.
    #[must_use]
    pub fn headline(&self) -> String {
        let Some(accepted) = self.accepted else { return "the rules are the same".to_owned() };
        let settings = if self.has_other_settings {
            "; of segue.toml, ports, keys, channels and the fuse hold from the next start on"
        } else {
            ""
        };
        format!("other rules are in force from entry {} of the log on{settings}", accepted.first)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Findings(findings) => {
                let errors = findings.iter().filter(|finding| finding.is_error()).count();
                write!(f, "the new ones have {}", counted(errors as u64, "error"))
            }
            Self::Folder(why) | Self::Sources(why) => f.write_str(why),
            Self::Write(refusal) => write!(f, "{refusal}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_being_written_are_waited_for() {
        let text = |rules: &str| {
            let sources = BTreeMap::from([("a.segue".to_owned(), rules.to_owned())]);
            Ok(Text { sources, ..Text::default() })
        };
        let mut glance = Glance { seen: text("a"), before: None };
        assert_eq!(glance.is_new(text("a")), None);
        assert_eq!(glance.is_new(text("ab")), None);
        assert_eq!(glance.is_new(text("abc")), None);
        assert_eq!(glance.is_new(text("abc")), Some(text("abc")));
        assert_eq!(glance.is_new(text("abc")), None);
        // What cannot be read is told once, too.
        let gone = || Err("it is gone".to_owned());
        assert_eq!((glance.is_new(gone()), glance.is_new(gone())), (None, Some(gone())));
        assert_eq!(glance.is_new(gone()), None);
        // Somebody who takes a change back at once is not noticed.
        assert_eq!((glance.is_new(text("d")), glance.is_new(gone())), (None, None));
        assert_eq!((glance.is_new(text("d")), glance.is_new(text("d"))), (None, Some(text("d"))));
    }
}
