//! Records of a CSV file, read strictly: a quote that is not closed must not swallow the lines after it.

use crate::{
    limits::MAX_LINE_BYTES,
    source::{Line, Lines},
};
use std::{
    collections::VecDeque,
    io::{self, BufRead},
};

/// How many lines a quoted cell goes over at most: one that goes on is a quote that was forgotten.
const MAX_CELL_LINES: usize = 100;

/// The records of a file.
pub(super) struct Records<R> {
    lines: Lines<R>,
    delimiter: u8,
    /// Lines that were read but belong to no record yet, with their numbers.
    ahead: VecDeque<(u64, Result<String, String>)>,
    /// The number of the line that the last record started on.
    number: u64,
}

/// A line's cells, or what is wrong with it.
pub(super) type Record = Result<Vec<String>, String>;

/// Where in a record the reader is.
enum Ended {
    /// At its end.
    Whole(Vec<String>),
    /// Within quotes.
    Open,
    /// At something that cannot be.
    Wrong(String),
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(reader: R, delimiter: u8) -> Self {
        Self { lines: Lines::new(reader), delimiter, ahead: VecDeque::new(), number: 0 }
    }

    /// The line that the last record started on, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The last line that was read.
    pub(super) fn reached(&self) -> u64 {
        self.lines.number()
    }

    /// The next record; after one that is wrong reading goes on at the line after the one it started on.
    pub(super) fn next(&mut self, columns: Option<usize>) -> io::Result<Option<Record>> {
        if !self.look_ahead(1)? {
            return Ok(None);
        }
        let mut text = String::new();
        for taken in 1..=MAX_CELL_LINES {
            if !self.look_ahead(taken)? {
                break;
            }
            match self.ahead.get(taken - 1) {
                Some((number, Ok(line))) => {
                    if taken == 1 {
                        self.number = *number;
                    } else {
                        text.push('\n');
                    }
                    text.push_str(line);
                }
                Some((number, Err(reason))) if taken == 1 => {
                    self.number = *number;
                    let reason = reason.clone();
                    self.ahead.pop_front();
                    return Ok(Some(Err(reason)));
                }
                Some((_, Err(_))) | None => break,
            }
            if text.len() > MAX_LINE_BYTES {
                break;
            }
            match cells(&text, self.delimiter) {
                Ended::Open => {}
                // A quote that was forgotten ends at the next one, and then the columns do not fit.
                Ended::Whole(cells) if taken > 1 && columns.is_some_and(|columns| columns != cells.len()) => {
                    break;
                }
                Ended::Whole(cells) => {
                    self.ahead.drain(..taken);
                    return Ok(Some(Ok(cells)));
                }
                Ended::Wrong(_) if taken > 1 => break,
                Ended::Wrong(reason) => {
                    self.ahead.pop_front();
                    return Ok(Some(Err(reason)));
                }
            }
        }
        self.ahead.pop_front();
        Ok(Some(Err(
            "a quote `\"` is opened and not closed; close it, or write `\"\"` for a quote within a cell"
                .to_owned(),
        )))
    }

    /// Reads until so many lines are there; false when there are not as many.
    fn look_ahead(&mut self, count: usize) -> io::Result<bool> {
        while self.ahead.len() < count {
            let mut line = Vec::new();
            let read = match self.lines.next(&mut line)? {
                None => return Ok(false),
                Some(Line::TooLong) => Err(format!("longer than {} KiB", MAX_LINE_BYTES / 1024)),
                Some(Line::Whole) => String::from_utf8(line).map_err(|_| "not UTF-8 text".to_owned()),
            };
            self.ahead.push_back((self.lines.number(), read));
        }
        Ok(true)
    }
}

fn cells(text: &str, delimiter: u8) -> Ended {
    let delimiter = char::from(delimiter);
    let mut cells = Vec::new();
    let mut rest = text;
    loop {
        let quoted = rest.trim_start_matches(' ').strip_prefix('"');
        let after = match quoted {
            None => {
                let end = rest.find(delimiter).unwrap_or(rest.len());
                let (cell, after) = rest.split_at(end);
                cells.push(cell.to_owned());
                after
            }
            Some(inside) => {
                let Some((cell, after)) = quoted_cell(inside) else { return Ended::Open };
                let after = after.trim_start_matches(' ');
                if !after.is_empty() && !after.starts_with(delimiter) {
                    let found: String = after.chars().take(20).collect();
                    return Ended::Wrong(format!(
                        "expected `{delimiter}` or the end of the line after a closing quote, found `{}`; write `\"\"` for a quote within a cell",
                        crate::words::shown(&found, 20)
                    ));
                }
                cells.push(cell);
                after
            }
        };
        match after.strip_prefix(delimiter) {
            Some(next) => rest = next,
            None => return Ended::Whole(cells),
        }
    }
}

/// A cell up to its closing quote, and what follows; `None` when it is not closed.
fn quoted_cell(text: &str) -> Option<(String, &str)> {
    let mut cell = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        cell.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                cell.push('"');
                rest = more;
            }
            None => return Some((cell, after)),
        }
    }
}
