//! Names, types, plan, machine code, and the reference interpreter that says what all of it means.
//!
//! ```
//! use segue_compiler::project::{Project, Source, compile};
//!
//! let rules = r#"
//! event "Order" { total: number }
//! segment loyal { did "Order" at least 3 times in the last 90 days }
//! "#;
//! let source = Source { name: "loyal.segue".to_owned(), text: rules.to_owned() };
//! let checked = compile(&Project { sources: vec![source], ..Project::default() });
//! let program = checked.program.expect("no errors");
//! let plan = segue_compiler::lower::lower(&program);
//! assert_eq!(plan.segments, 1);
//! ```
//!
//! In reading order: [`project`] takes sources to a checked program ([`typed`], over [`types`] and [`value`]) or to
//! [`diagnostics`], which [`report`] draws and [`findings`] lists; [`predicate`] says which conditions one event decides,
//! [`reach`] how far back they look, and [`changes`] what becomes of states when rules change;
//! [`reference`](mod@reference) runs it as the language means it; [`lower`] makes a [`plan`] of it, [`codegen`]
//! machine code of that, which [`module`] owns. What both executors share: [`execution`] and its [`settings`], [`event`]s
//! in and [`record`]s out, [`decode`] and [`content`], [`admission`], [`arrival`]s, [`consent`], [`goal`]s, [`address`]es, [`share`]s of
//! customers, [`hold`]s, [`schedule`](mod@schedule)s and [`time`]; [`pack`] writes states and records as bytes.

pub mod project;

mod check;
pub mod diagnostics;
pub mod findings;
pub mod packs;
pub mod report;
pub mod suggest;

pub mod typed;
pub mod types;
pub mod value;

pub mod predicate;

pub mod changes;
pub mod cost;
pub mod reach;
pub mod succession;

pub mod reference;

pub mod lower;
pub mod plan;

pub mod abi;
pub mod codegen;
pub mod module;

pub mod object;

pub mod address;
pub mod admission;
pub mod arrival;
pub mod calendar;
pub mod consent;
pub mod content;
pub mod decode;
pub mod event;
pub mod execution;
pub mod goal;
pub mod guard;
pub mod hold;
pub mod json;
pub mod limits;
pub mod pack;
pub mod pattern;
pub mod record;
pub mod schedule;
pub mod session;
pub mod settings;
pub mod settle;
pub mod share;
pub mod shelf;
pub mod threads;
pub mod time;
pub mod wait;
