//! Lines of bounded length.

use crate::limits::MAX_LINE_BYTES;
use std::io::{self, BufRead};

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
        line.clear();
        self.append(line)
    }

    /// As [`Lines::next`], behind what is there.
    pub(crate) fn append(&mut self, to: &mut Vec<u8>) -> io::Result<Option<Line>> {
        let start = to.len();
        loop {
            to.truncate(start);
            if self.copy(to, start + MAX_LINE_BYTES + 1)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if to.len() - start > MAX_LINE_BYTES && to.last() != Some(&b'\n') {
                self.reader.skip_until(b'\n')?;
                to.truncate(start);
                return Ok(Some(Line::TooLong));
            }
            if self.number == 1 && to.get(start..).is_some_and(|line| line.starts_with(b"\xEF\xBB\xBF")) {
                to.drain(start..start + 3);
            }
            let length = to.get(start..).unwrap_or_default().trim_ascii_end().len();
            to.truncate(start + length);
            if to.get(start..).is_some_and(|line| !line.trim_ascii_start().is_empty()) {
                return Ok(Some(Line::Whole));
            }
        }
    }

    /// Reads up to the end of a line, at most until there are so many bytes; gives how many were read.
    fn copy(&mut self, to: &mut Vec<u8>, most: usize) -> io::Result<usize> {
        let start = to.len();
        while to.len() < most {
            let read = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let read = read.get(..most - to.len()).unwrap_or(read);
            let end = memchr::memchr(b'\n', read).map(|place| place + 1);
            let part = read.get(..end.unwrap_or(read.len())).unwrap_or_default();
            to.extend_from_slice(part);
            let length = part.len();
            self.reader.consume(length);
            if end.is_some() || length == 0 {
                break;
            }
        }
        Ok(to.len() - start)
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
