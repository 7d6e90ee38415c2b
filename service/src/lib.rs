//! The live service: what happened comes in over HTTP and is kept, what is decided goes out.
//!
//! State is a function of the log. In reading order: [`ingest`] makes calls of what trackers send, [`http`] is the port where
//! they send it, with [`metrics`] and [`rejects`] of what came; [`intake`] is the way to the log. Bounds are in [`limits`].

pub mod clock;

pub mod intake;

pub mod ingest;

pub mod http;

pub mod metrics;

pub mod rejects;

pub mod limits;
