//! Lines read ahead, so that several threads can work on them.

use super::{Item, Line, Lines, Whose, merge::item, whose};
use std::{
    io::{self, BufRead},
    iter,
    ops::Range,
    sync::Arc,
};

/// Some lines in the order of the stream, with their places.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    lines: Vec<Place>,
    files: Vec<Arc<str>>,
}

#[derive(Debug)]
struct Place {
    /// Where the line is in `bytes`.
    at: Range<usize>,
    /// Its position in `files`.
    file: usize,
    number: u64,
    kind: Line,
}

impl Batch {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.lines.clear();
        self.files.clear();
    }

    pub(super) fn push(&mut self, line: &[u8], kind: Line, file: &Arc<str>, number: u64) {
        let (start, file) = (self.bytes.len(), self.file(file));
        self.bytes.extend_from_slice(line);
        self.lines.push(Place { at: start..self.bytes.len(), file, number, kind });
    }

    /// Reads lines behind those that are there until all have so many bytes; false at the end.
    pub(super) fn fill<R: BufRead>(
        &mut self,
        lines: &mut Lines<R>,
        file: &Arc<str>,
        bytes: usize,
    ) -> io::Result<bool> {
        let file = self.file(file);
        let Self { bytes: to, lines: places, .. } = self;
        lines.fill(to, bytes, |at, kind, number| places.push(Place { at, file, number, kind }))
    }

    /// The position of a file in `files`.
    fn file(&mut self, file: &Arc<str>) -> usize {
        let known = self.files.iter().position(|other| Arc::ptr_eq(other, file));
        known.unwrap_or_else(|| {
            self.files.push(file.clone());
            self.files.len() - 1
        })
    }

    /// How many bytes the lines have.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// How many lines there are.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The positions of all lines in parts of so many bytes, or a few more.
    pub(crate) fn parts(&self, bytes: usize) -> impl Iterator<Item = Range<usize>> + '_ {
        let mut start = 0_usize;
        iter::from_fn(move || {
            let before =
                start.checked_sub(1).and_then(|before| self.lines.get(before)).map_or(0, |it| it.at.end);
            let enough =
                self.lines.partition_point(|line| line.at.end < before.saturating_add(bytes.max(1))) + 1;
            let part = start..enough.min(self.lines.len());
            start = part.end;
            Some(part).filter(|part| !part.is_empty())
        })
    }

    /// What a line gave.
    #[inline(always)]
    pub(crate) fn item(&self, position: usize) -> Option<Item<'_>> {
        let (place, line) = self.line(position)?;
        Some(item(place.kind, line, self.files.get(place.file)?, place.number))
    }

    /// Whom a line names, see [`whose`].
    pub(crate) fn whose(&self, position: usize) -> Option<Whose<'_>> {
        let (place, line) = self.line(position)?;
        whose(place.kind, line)
    }

    #[inline(always)]
    fn line(&self, position: usize) -> Option<(&Place, &[u8])> {
        let place = self.lines.get(position)?;
        Some((place, self.bytes.get(place.at.clone())?))
    }
}
