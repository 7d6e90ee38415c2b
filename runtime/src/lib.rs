//! Segue at work: events in, the engine, decisions out.
//!
//! In reading order: [`load`] reads a project's files and [`config`] its settings; [`source`] reads event files and
//! [`profiles`] what is known before them; [`engine`] runs compiled rules over one customer at a time, and
//! [`predicate`] compiled conditions over one event; [`replay`] carries all customers through virtual time, with [`fuse`]
//! counting over all of them; [`rehearse`] runs tests; [`channel`] delivers what was decided; [`live`] hosts all
//! customers as events arrive, with [`deadlines`]: the next one of each of many customers, in order; [`embedded`] is that
//! within a program of one's own. Bounds are in [`limits`].
//!
//! # A service of one's own
//!
//! With [`embedded`] it takes no more than this to apply rules to the events of a web service, to answer with what they decide,
//! and to let time pass; with rules and tests it is the crate `examples/own_service`.
//!
//! ```ignore
#![doc = include_str!("../../examples/own_service/src/main.rs")]
//! ```
//!
//! Only [`load`], [`source`], [`profiles`], [`guard`] and [`channel`] touch files or the network, and nothing reads a clock: [`embedded`] is given one.

pub mod load;

pub mod config;

pub mod source;

pub mod profiles;

pub mod guard;

pub mod engine;

pub mod predicate;

pub mod replay;

pub mod live;

pub mod embedded;

mod customers;

mod identities;

mod threads;

pub mod fuse;

pub mod rehearse;

pub mod channel;

pub mod deadlines;

pub mod limits;

pub mod words;
