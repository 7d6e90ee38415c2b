//! What the checker says of what it found, in the words of the register.

pub(super) mod names;
pub(super) mod rules;
pub(super) mod types;
