//! The port where events come in: routes, limits and TLS.
//!
//! [`public`] are the routes, [`serve`] takes connections and bounds what they may cost, [`tls`] is certificate and key.
//! Nothing in here waits for a shard: an event is answered when the log has it on disk.

pub mod answer;
pub mod public;
pub mod serve;
pub mod tls;

mod addresses;
pub(crate) mod body;
mod cors;
mod named;
mod patient;

pub(crate) use named::Named;

use std::sync::Arc;

/// What says whether events can be taken now, or why they cannot.
pub type Ready = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;
