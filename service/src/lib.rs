//! The live service: what happened comes in over HTTP and is kept, what is decided goes out.
//!
//! State is a function of the log. In reading order: [`intake`] is the way in. Bounds are in [`limits`].

pub mod intake;

pub mod ingest;

pub mod http;

pub mod metrics;

pub mod limits;
