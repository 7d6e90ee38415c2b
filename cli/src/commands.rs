//! One command a file.

pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod log;
pub(crate) mod plan;
pub(crate) mod run;
pub(crate) mod segments;
pub(crate) mod serve;
pub(crate) mod test;
