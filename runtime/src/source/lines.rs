//! Lines of bounded length.

use crate::limits::{BLOCK_BYTES, MAX_LINE_BYTES};
use std::{
    io::{self, BufRead},
    ops::Range,
};

/// Lines of a reader.
pub(crate) struct Lines<R> {
    reader: R,
    number: u64,
    /// The beginning of the next line, where it was read already.
    begun: Vec<u8>,
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
        Self { reader, number: 0, begun: Vec::new() }
    }

    /// The number of the line given last, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Reads the next line that is not blank into `line`, without its end; `None` at the end of the input.
    pub(crate) fn next(&mut self, line: &mut Vec<u8>) -> io::Result<Option<Line>> {
        loop {
            line.clear();
            line.append(&mut self.begun);
            if self.copy(line)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if line.len() > MAX_LINE_BYTES && line.last() != Some(&b'\n') {
                self.reader.skip_until(b'\n')?;
                line.clear();
                return Ok(Some(Line::TooLong));
            }
            if let Some(content) = self.content(line) {
                line.truncate(content.end);
                line.drain(..content.start);
                return Ok(Some(Line::Whole));
            }
        }
    }

    /// Reads lines that are not blank behind what is there, many at once, until there are so many bytes; false at the end of
    /// the input. `found` is told where each of them is, and its number; between them is what is no part of any.
    pub(crate) fn fill(
        &mut self,
        to: &mut Vec<u8>,
        bytes: usize,
        mut found: impl FnMut(Range<usize>, Line, u64),
    ) -> io::Result<bool> {
        let mut start = to.len();
        to.append(&mut self.begun);
        // Up to where it is known where lines end.
        let mut seen = to.len();
        loop {
            while let Some(end) = memchr::memchr(b'\n', to.get(seen..).unwrap_or_default()) {
                let end = seen + end;
                self.number += 1;
                self.tell(to, start..end, &mut found);
                (start, seen) = (end + 1, end + 1);
            }
            if to.len() - start > MAX_LINE_BYTES {
                self.number += 1;
                found(start..start, Line::TooLong, self.number);
                to.truncate(start);
                self.reader.skip_until(b'\n')?;
            }
            if start >= bytes {
                self.begun.extend_from_slice(to.get(start..).unwrap_or_default());
                to.truncate(start);
                return Ok(true);
            }
            seen = to.len();
            if self.read(to)? == 0 {
                if start < to.len() {
                    self.number += 1;
                    self.tell(to, start..to.len(), &mut found);
                }
                return Ok(false);
            }
        }
    }

    /// Tells of a line that was read, unless it is blank.
    fn tell(&self, all: &[u8], line: Range<usize>, found: &mut impl FnMut(Range<usize>, Line, u64)) {
        if line.len() > MAX_LINE_BYTES {
            found(line.start..line.start, Line::TooLong, self.number);
        } else if let Some(content) = all.get(line.clone()).and_then(|bytes| self.content(bytes)) {
            found(line.start + content.start..line.start + content.end, Line::Whole, self.number);
        }
    }

    /// What of the line read last is its content: not its end, and not what may stand before the first one to say that it is
    /// UTF-8. `None` if it is blank.
    fn content(&self, line: &[u8]) -> Option<Range<usize>> {
        let start = if self.number == 1 && line.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        let content = start..line.trim_ascii_end().len();
        let is_blank = line.get(content.clone()).is_none_or(|content| content.trim_ascii_start().is_empty());
        (!is_blank).then_some(content)
    }

    /// Reads on behind what is there; gives how many bytes were read, 0 at the end of the input.
    fn read(&mut self, to: &mut Vec<u8>) -> io::Result<usize> {
        let length = to.len();
        to.resize(length + BLOCK_BYTES, 0);
        let read = loop {
            match self.reader.read(to.get_mut(length..).unwrap_or_default()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        to.truncate(length + read.as_ref().copied().unwrap_or_default());
        read
    }

    /// Reads up to the end of a line, at most until it is too long; gives how many bytes it has so far.
    fn copy(&mut self, line: &mut Vec<u8>) -> io::Result<usize> {
        while line.len() <= MAX_LINE_BYTES {
            let read = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let read = read.get(..MAX_LINE_BYTES + 1 - line.len()).unwrap_or(read);
            let end = memchr::memchr(b'\n', read).map(|place| place + 1);
            let part = read.get(..end.unwrap_or(read.len())).unwrap_or_default();
            line.extend_from_slice(part);
            let length = part.len();
            self.reader.consume(length);
            if end.is_some() || length == 0 {
                break;
            }
        }
        Ok(line.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_of_every_kind() {
        let long = "x".repeat(MAX_LINE_BYTES + 1);
        let text = format!("\u{feff}one\r\n\n  \ntwo\n{long}\nthree \n{long}");
        let mut lines = Lines::new(text.as_bytes());
        let mut line = Vec::new();
        let mut seen = Vec::new();
        while let Some(what) = lines.next(&mut line).unwrap() {
            seen.push((lines.number(), what, String::from_utf8(line.clone()).unwrap()));
        }
        for bytes in [1, 5, usize::MAX] {
            let (mut lines, mut filled) = (Lines::new(text.as_bytes()), Vec::new());
            let mut more = true;
            while more {
                let (mut to, mut places) = (b"before".to_vec(), Vec::new());
                let enough = to.len().saturating_add(bytes);
                more =
                    lines.fill(&mut to, enough, |at, kind, number| places.push((at, kind, number))).unwrap();
                let of = |(at, kind, number): (Range<usize>, _, _)| {
                    (number, kind, String::from_utf8(to[at].to_vec()).unwrap())
                };
                filled.extend(places.into_iter().map(of));
            }
            assert_eq!(filled, seen, "{bytes}");
        }
        let expected = [
            (1, Line::Whole, "one"),
            (4, Line::Whole, "two"),
            (5, Line::TooLong, ""),
            (6, Line::Whole, "three"),
            (7, Line::TooLong, ""),
        ];
        assert_eq!(seen, expected.map(|(number, what, text)| (number, what, text.to_owned())));
    }

    #[test]
    fn the_longest_line_is_read() {
        let text = format!("{}\n", "x".repeat(MAX_LINE_BYTES));
        let mut line = Vec::new();
        assert_eq!(Lines::new(text.as_bytes()).next(&mut line).unwrap(), Some(Line::Whole));
        assert_eq!(line.len(), MAX_LINE_BYTES);
        let (mut to, mut found) = (Vec::new(), Vec::new());
        let more =
            Lines::new(text.as_bytes()).fill(&mut to, usize::MAX, |at, kind, _| found.push((at, kind)));
        assert!(!more.unwrap());
        assert_eq!(found, [(0..MAX_LINE_BYTES, Line::Whole)]);
    }
}
