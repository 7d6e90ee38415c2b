//! Lines of bounded length.

use crate::limits::MAX_LINE_BYTES;
use std::io::{self, BufRead, Read};

/// Lines of a reader.
pub(crate) struct Lines<R> {
    reader: R,
    number: u64,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line with something on it.
    Whole,
    /// It has more than [`MAX_LINE_BYTES`]; it was skipped.
    TooLong,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, number: 0 }
    }

    /// The number of the line given last, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Reads the next line that is not blank into `line`, without its end; `None` at the end of the input.
    pub(crate) fn next(&mut self, line: &mut Vec<u8>) -> io::Result<Option<Line>> {
        loop {
            line.clear();
            let limit = MAX_LINE_BYTES as u64 + 1;
            let read = self.reader.by_ref().take(limit).read_until(b'\n', line)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if line.len() > MAX_LINE_BYTES && line.last() != Some(&b'\n') {
                self.reader.skip_until(b'\n')?;
                line.clear();
                return Ok(Some(Line::TooLong));
            }
            if self.number == 1 && line.starts_with(b"\xEF\xBB\xBF") {
                line.drain(..3);
            }
            let end = line.trim_ascii_end().len();
            line.truncate(end);
            if !line.trim_ascii_start().is_empty() {
                return Ok(Some(Line::Whole));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_of_every_kind() {
        let long = "x".repeat(MAX_LINE_BYTES + 1);
        let text = format!("\u{feff}one\r\n\n  \ntwo\n{long}\nthree");
        let mut lines = Lines::new(text.as_bytes());
        let mut line = Vec::new();
        let mut seen = Vec::new();
        while let Some(what) = lines.next(&mut line).unwrap() {
            seen.push((lines.number(), what, String::from_utf8(line.clone()).unwrap()));
        }
        let expected = [
            (1, Line::Whole, "one"),
            (4, Line::Whole, "two"),
            (5, Line::TooLong, ""),
            (6, Line::Whole, "three"),
        ];
        assert_eq!(seen, expected.map(|(number, what, text)| (number, what, text.to_owned())));
    }

    #[test]
    fn the_longest_line_is_read() {
        let text = format!("{}\n", "x".repeat(MAX_LINE_BYTES));
        let mut line = Vec::new();
        assert_eq!(Lines::new(text.as_bytes()).next(&mut line).unwrap(), Some(Line::Whole));
        assert_eq!(line.len(), MAX_LINE_BYTES);
    }
}
