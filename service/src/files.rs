//! How many files the process may have open: connections are files, too, and the log must never lack one because of them.

use crate::limits::RESERVED_FILES;
use std::fs;

/// How many connections there may be, when so many are wanted.
pub(crate) fn connections(wanted: usize) -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let connections = within(wanted, limit(&limits));
    if connections < wanted {
        tracing::warn!(
            connections,
            wanted,
            "the process may not have as many files open as there may be connections: raise `ulimit -n`"
        );
    }
    connections
}

fn within(wanted: usize, files: Option<usize>) -> usize {
    let Some(files) = files else { return wanted };
    files.saturating_sub(RESERVED_FILES).max(files / 4).min(wanted)
}

/// What the system says of the process.
fn limit(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_left_for_the_log() {
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files   1024   4096   files\n";
        assert_eq!(limit(limits), Some(1_024));
        assert_eq!(limit("Max open files  unlimited  unlimited  files"), None);
        assert_eq!(within(4_096, Some(1_024)), 768);
        assert_eq!(within(4_096, Some(100)), 25);
        assert_eq!((within(4_096, Some(20_000)), within(10, Some(1_024)), within(10, None)), (4_096, 10, 10));
    }
}
