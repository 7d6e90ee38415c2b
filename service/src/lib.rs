//! The live service: what happened comes in over HTTP and is kept, what is decided goes out.
//!
//! State is a function of the log. In reading order: [`ingest`] makes calls of what trackers send, [`http`] is the port where
//! they send it, with [`metrics`] and [`rejects`] of what came; [`intake`] is the way to the log. [`log`] keeps what came in,
//! on a [`disk`] that tests can make fail; [`store`] keeps checkpoints, and [`rules`] are kept with them, as they changed
//! (`lineage`); [`host`] puts it together with the customers, and what it decides is delivered. [`admin`] is the port for
//! those who run it, and [`changes`] puts other rules in force. [`serve`] is all of it as a process, [`logs`] what that tells
//! of itself, and [`audit`] hands a
//! log over once more. The [`clock`] is read in one place. Bounds are in [`limits`].

pub mod changes;

pub mod clock;

pub mod disk;

pub mod intake;

pub mod ingest;

pub mod http;

pub mod metrics;

pub mod rejects;

pub mod limits;

pub mod log;

pub mod store;

pub mod rules;

pub mod host;

pub mod audit;

pub mod admin;

pub mod logs;

pub mod serve;

mod deliver;

mod files;

mod lineage;
