//! What the service tells of itself, on standard error: lines for people, or one JSON object a line.
//!
//! It tells of no customer: neither ids nor anything that trackers sent. Those who look for somebody ask the admin port.

use segue_runtime::config::LogForm;
use std::{env, io};
use tracing::level_filters::LevelFilter;

/// The variable of the environment that says how much is told: `error`, `warn`, `info` or `debug`.
pub const VARIABLE: &str = "SEGUE_LOG";

/// From now on what is told is written. Only the first call has an effect.
pub fn begin(form: LogForm) {
    let level = env::var(VARIABLE).ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let writer = tracing_subscriber::fmt().with_max_level(level).with_target(false).with_writer(io::stderr);
    let _ = match form {
        LogForm::Text => writer.with_ansi(false).try_init(),
        LogForm::Json => writer.json().flatten_event(true).try_init(),
    };
}
