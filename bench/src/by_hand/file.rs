//! A file of calls, line by line.

use super::line::{self, Call};
use std::{
    fs::File,
    io::{self, Read},
};

/// How much of a file is read at once, at first (256 KiB); a longer line makes room for itself.
const BUFFER_BYTES: usize = 256 << 10;

/// Reads a file and gives its calls to `act`; tells how many there are.
pub(super) fn each_call(mut file: File, mut act: impl FnMut(&Call<&str>)) -> io::Result<u64> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let (mut filled, mut calls) = (0, 0);
    loop {
        let count = file.read(buffer.get_mut(filled..).unwrap_or_default())?;
        filled += count;
        let read = buffer.get(..filled).unwrap_or_default();
        let whole = memchr::memrchr(b'\n', read).map_or(0, |last| last + 1);
        let (lines, rest) = read.split_at(whole);
        calls += in_lines(lines, &mut act);
        if count == 0 {
            return Ok(calls + in_lines(rest, &mut act));
        }
        // The beginning of a line that goes on is moved to the front.
        buffer.copy_within(whole..filled, 0);
        filled -= whole;
        if filled == buffer.len() {
            buffer.resize(2 * filled, 0);
        }
    }
}

/// Reads lines; gives how many of them are calls.
fn in_lines(bytes: &[u8], act: &mut impl FnMut(&Call<&str>)) -> u64 {
    // That it is UTF-8 is cheaper to see of many lines at once; where it is not, lines are looked at one by one.
    let text = std::str::from_utf8(bytes);
    let (mut start, mut calls) = (0, 0);
    for end in memchr::memchr_iter(b'\n', bytes).chain((!bytes.ends_with(b"\n")).then_some(bytes.len())) {
        let line = match text {
            Ok(text) => text.get(start..end),
            Err(_) => bytes.get(start..end).and_then(|line| std::str::from_utf8(line).ok()),
        };
        calls += u64::from(line.is_some_and(|line| line::read(line, &mut *act)));
        start = end + 1;
    }
    calls
}
