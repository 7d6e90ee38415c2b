//! How much machine code is held: what tells whether rules that are no longer in force are let go.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Machine code is counted over the whole process, so tests that make any beside one that counts it take turns.
static TURN: Mutex<()> = Mutex::new(());

/// Waits until no other test of this process holds a turn.
pub fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many bytes can be executed that belong to no file, in whole pages; nothing where the system does not tell.
#[must_use]
pub fn bytes() -> Option<usize> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let length = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_code = words.get(1)?.contains('x') && words.len() < 6;
        let (from, to) = words.first()?.split_once('-').filter(|_| is_code)?;
        Some(usize::from_str_radix(to, 16).ok()? - usize::from_str_radix(from, 16).ok()?)
    };
    Some(maps.lines().filter_map(length).sum())
}

/// Checks that what is held now is no more than it was after a few of `changes` changes, but for a page of every second one:
/// a change whose code stayed would keep a page or more.
pub fn assert_let_go(early: Option<usize>, changes: usize) {
    /// Bytes of the smallest piece of memory that can be executed.
    const PAGE: usize = 4_096;
    let (Some(early), Some(late)) = (early, bytes()) else { return };
    assert!(early > 0, "machine code is found");
    assert!(
        late <= early + changes / 2 * PAGE,
        "{late} bytes of machine code, of {early} after the first changes"
    );
}
