//! What the benches share: a stream of events, packs of rules, one of them written by hand, how times and memory are taken,
//! and how charts are drawn.

pub mod by_hand;
pub mod chart;
pub mod measure;
pub mod memory;
pub mod packs;
pub mod random;
pub mod stream;
