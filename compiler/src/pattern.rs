//! Regular expressions of `matches`: in linear time, and of bounded size.

use crate::limits::MAX_PATTERN_SIZE;
use regex::{Regex, RegexBuilder};

/// Makes a regular expression ready.
///
/// # Errors
/// When it cannot be read, or takes more than [`MAX_PATTERN_SIZE`].
pub fn ready(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(MAX_PATTERN_SIZE).dfa_size_limit(MAX_PATTERN_SIZE).build()
}
