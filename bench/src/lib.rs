//! What the benches share: a stream of events, packs of rules, and how times are taken and shown.

pub mod measure;
pub mod packs;
pub mod stream;
