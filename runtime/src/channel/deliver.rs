//! Decisions to the channels of a project.

use super::{Channel, Console, Delivery, FileHook, Outcome, RealSleep, Webhook};
use crate::{
    config::{ChannelConfig, Secret},
    limits::FAILURES_UNTIL_DOWN,
    words::reason,
};
use segue_compiler::record::Record;
use std::{collections::BTreeMap, io::Write, path::Path, sync::mpsc, thread};

/// The channels of a project, by name.
#[derive(Default)]
pub struct Hooks {
    channels: BTreeMap<String, Box<dyn Channel>>,
}

/// A channel that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("channel `{channel}` cannot be opened: {reason}")]
pub struct OpenError {
    channel: String,
    reason: String,
}

impl Hooks {
    /// Opens the channels of a project: files are opened and secrets read, nothing is sent. `console` gives what
    /// console hooks write to.
    ///
    /// # Errors
    /// When a file cannot be opened or a secret is not there.
    pub fn open(
        configs: &BTreeMap<String, ChannelConfig>,
        root: &Path,
        console: &dyn Fn() -> Box<dyn Write + Send>,
    ) -> Result<Self, OpenError> {
        let mut hooks = Self::default();
        for (name, config) in configs {
            let failed = |reason| OpenError { channel: name.clone(), reason };
            let channel: Box<dyn Channel> = match config {
                ChannelConfig::Console => Box::new(Console::new(console())),
                ChannelConfig::File { path } => {
                    let file = FileHook::open(&root.join(path));
                    Box::new(
                        file.map_err(|error| failed(format!("`{}`: {}", path.display(), reason(&error))))?,
                    )
                }
                ChannelConfig::Webhook(webhook) => {
                    let secret = webhook.secret.as_ref().map(|secret| read_secret(secret, root)).transpose();
                    let secret = secret.map_err(failed)?;
                    Box::new(Webhook::new(webhook, secret.as_deref(), Box::new(RealSleep)))
                }
            };
            hooks.add(name, channel);
        }
        Ok(hooks)
    }

    /// The channels by name, for whoever delivers by other means.
    #[must_use]
    pub fn into_channels(self) -> BTreeMap<String, Box<dyn Channel>> {
        self.channels
    }

    /// Adds or replaces a channel.
    pub fn add(&mut self, name: &str, channel: Box<dyn Channel>) {
        self.channels.insert(name.to_owned(), channel);
    }

    /// Delivers every decision among the records, each channel's in order and one at a time, the channels beside each
    /// other, so that one that hangs holds up nobody else. `report` is told of each outcome in the order of the records.
    ///
    /// A channel that fails again and again is taken for down, and what is left for it is not tried.
    pub fn deliver<'r>(
        &mut self,
        records: impl IntoIterator<Item = &'r Record>,
        report: &mut dyn FnMut(&Delivery<'r>, &Outcome),
    ) {
        let deliveries: Vec<Delivery<'r>> = records.into_iter().filter_map(Delivery::of).collect();
        let (sender, outcomes) = mpsc::channel();
        thread::scope(|scope| {
            let deliveries = &deliveries;
            for (position, delivery) in deliveries.iter().enumerate() {
                if !self.channels.contains_key(delivery.channel) {
                    let reason = format!("no hook configured for channel `{}`", delivery.channel);
                    let outcome = Outcome::Failed { reason, said: None, attempts: 0, retryable: false };
                    // Nobody listens no more only when this function has ended.
                    let _ = sender.send((position, outcome));
                }
            }
            for (name, channel) in &mut self.channels {
                let sender = sender.clone();
                let mine =
                    deliveries.iter().enumerate().filter(|(_, delivery)| delivery.channel == name.as_str());
                scope.spawn(move || work(&mut **channel, mine, &sender));
            }
            drop(sender);
            in_order(deliveries, outcomes, report);
        });
    }
}

/// Delivers one channel's decisions.
fn work<'d>(
    channel: &mut dyn Channel,
    deliveries: impl Iterator<Item = (usize, &'d Delivery<'d>)>,
    outcomes: &mpsc::Sender<(usize, Outcome)>,
) {
    let mut failures = 0;
    for (position, delivery) in deliveries {
        let outcome = if failures < FAILURES_UNTIL_DOWN {
            channel.deliver(delivery)
        } else {
            let reason = format!("not tried: the {FAILURES_UNTIL_DOWN} deliveries before it failed");
            Outcome::Failed { reason, said: None, attempts: 0, retryable: true }
        };
        failures = if matches!(outcome, Outcome::Failed { retryable: true, .. }) { failures + 1 } else { 0 };
        if outcomes.send((position, outcome)).is_err() {
            return;
        }
    }
}

/// Reports outcomes in the order of the deliveries, as far as they have come.
fn in_order<'r>(
    deliveries: &[Delivery<'r>],
    outcomes: mpsc::Receiver<(usize, Outcome)>,
    report: &mut dyn FnMut(&Delivery<'r>, &Outcome),
) {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    for (position, outcome) in outcomes {
        waiting.insert(position, outcome);
        while let (Some(outcome), Some(delivery)) = (waiting.remove(&next), deliveries.get(next)) {
            report(delivery, &outcome);
            next += 1;
        }
    }
}

fn read_secret(secret: &Secret, root: &Path) -> Result<String, String> {
    let text = secret.read(root)?;
    if text.is_empty() || text.contains(char::is_control) {
        return Err("its secret is empty or holds more than one line".to_owned());
    }
    Ok(text)
}
