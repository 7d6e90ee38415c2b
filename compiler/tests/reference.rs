//! The meaning of the language, case by case, on the reference interpreter.

#![expect(clippy::unwrap_used, reason = "what is made by hand here is known to be sound")]

#[path = "reference/behaviour.rs"]
mod behaviour;
#[path = "reference/build.rs"]
mod build;
#[path = "reference/content.rs"]
mod content;
#[path = "reference/rules.rs"]
mod rules;
#[path = "reference/sequences.rs"]
mod sequences;
#[path = "reference/source.rs"]
mod source;
#[path = "reference/windows.rs"]
mod windows;
