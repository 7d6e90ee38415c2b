//! Other rules for a service that works: the project is read again on `SIGHUP`, and put in force if it is sound.

use crate::{
    host::Ask,
    rules::{Prepared, Text},
};
use segue_compiler::settings::ConsentPolicy;
use std::{io, sync::Arc};
use tokio::signal::unix::{SignalKind, signal};

/// Reads the project again; what is wrong with it, in words, where it is refused.
pub type Reload = Arc<dyn Fn() -> Result<Prepared, String> + Send + Sync>;

/// Puts the project in force again, whenever that is asked for.
pub(crate) struct Changes {
    pub(crate) ask: Ask,
    pub(crate) reload: Reload,
    /// The text that was put in force last.
    pub(crate) text: Text,
}

impl Changes {
    /// Waits for signals, for as long as the process lives.
    pub(crate) async fn follow(mut self) -> io::Result<()> {
        let mut hangup = signal(SignalKind::hangup())?;
        while hangup.recv().await.is_some() {
            match self.change().await {
                Ok(words) => tracing::info!("{words}"),
                Err(words) => tracing::warn!("{words}"),
            }
        }
        Ok(())
    }

    /// Reads the project again; what came of it, in words.
    async fn change(&mut self) -> Result<String, String> {
        let reload = self.reload.clone();
        let read = tokio::task::spawn_blocking(move || reload()).await;
        let prepared = read.unwrap_or_else(|error| Err(error.to_string()));
        let prepared = prepared.map_err(|why| format!("the rules stay as they are: {why}"))?;
        if prepared.config.settings.consent == ConsentPolicy::Assumed {
            return Err("the rules stay as they are: consent is assumed, which only replays do".to_owned());
        }
        if prepared.text == self.text {
            return Ok("the rules are the same".to_owned());
        }
        let written = self.ask.change_rules(&prepared.text).await;
        written.map_err(|error| format!("the rules stay as they are: {error}"))?;
        let settings = if prepared.text.settings == self.text.settings {
            ""
        } else {
            "; of segue.toml, ports, keys, channels and the fuse hold from the next start on"
        };
        self.text = prepared.text;
        Ok(format!("other rules are in force{settings}"))
    }
}
