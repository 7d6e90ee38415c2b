//! Several files as one stream in order of time.

use super::{Batch, Envelope, Input, Line, Lines, Progress, SourceError};
use crate::limits::MAX_LINE_BYTES;
use segue_compiler::value::Millis;
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io::{self, BufRead},
    path::Path,
    sync::Arc,
};

/// The calls of event files, merged by time. Within a file the order is kept, so files are merged by the time of the
/// line each is at; among equal times the file named first goes first.
pub struct Events {
    files: Vec<File>,
    /// The files that have a line, by its time; rejects go first.
    heads: BinaryHeap<Reverse<(Millis, usize)>>,
    /// The files whose line was used up.
    used: Vec<usize>,
    progress: Progress,
    length: Option<u64>,
}

struct File {
    name: Arc<str>,
    lines: Lines<Box<dyn BufRead + Send>>,
    line: Vec<u8>,
    kind: Line,
}

/// What a line gave.
#[derive(Debug)]
pub enum Item<'a> {
    /// A call.
    Event(Event<'a>),
    /// A line that is none.
    Reject(Reject<'a>),
}

/// A call and its place.
#[derive(Debug)]
pub struct Event<'a> {
    /// The call.
    pub envelope: Envelope<'a>,
    /// The file.
    pub file: &'a str,
    /// The line, from 1.
    pub number: u64,
    /// The line as it was read, without its end.
    pub line: &'a [u8],
}

impl<'a> Event<'a> {
    /// The call as one that is refused after all.
    #[must_use]
    pub fn refuse(self, reason: String) -> Reject<'a> {
        Reject { file: self.file, number: self.number, reason, line: Some(self.line) }
    }
}

/// A line that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject<'a> {
    /// The file.
    pub file: &'a str,
    /// The line, from 1.
    pub number: u64,
    /// Why, for people.
    pub reason: String,
    /// The line as it was read, without its end; none when it was too long to be kept.
    pub line: Option<&'a [u8]>,
}

impl Events {
    /// Opens files; `-` is standard input.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub fn open<P: AsRef<Path>>(paths: &[P]) -> Result<Self, SourceError> {
        let progress = Progress::default();
        let mut length = Some(0);
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            let input = Input::open(path.as_ref(), &progress)?;
            length = length.zip(input.length).map(|(sum, length)| sum + length);
            files.push(File::new(input));
        }
        let used = (0..files.len()).collect();
        Ok(Self { files, heads: BinaryHeap::new(), used, progress, length })
    }

    /// Reads one input that is no file; `name` is what it is called where something is told of it.
    #[must_use]
    pub fn of(name: &str, reader: Box<dyn BufRead + Send>) -> Self {
        let file = File::new(Input { name: name.to_owned(), reader, length: None });
        Self {
            files: vec![file],
            heads: BinaryHeap::new(),
            used: vec![0],
            progress: Progress::default(),
            length: None,
        }
    }

    /// How much was read, shared with whoever shows it.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// The length of all files on disk in bytes; none when one has no length, as a pipe.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// When reading fails in the midst of a file.
    pub fn read(&mut self) -> Result<Option<Item<'_>>, SourceError> {
        let next = self.advance()?;
        Ok(next.and_then(|index| self.files.get(index)).map(File::item))
    }

    /// Fills a batch with the next lines, behind those that are there, until all have so many bytes; false at the end.
    ///
    /// # Errors
    /// When reading fails in the midst of a file.
    pub(crate) fn fill(&mut self, batch: &mut Batch, bytes: usize) -> Result<bool, SourceError> {
        if let [file] = self.files.as_mut_slice() {
            return file.fill(batch, bytes);
        }
        while batch.size() < bytes {
            let Some(index) = self.advance()? else { return Ok(false) };
            if let Some(file) = self.files.get(index) {
                batch.push(&file.line, file.kind, &file.name, file.lines.number());
            }
        }
        Ok(true)
    }

    /// Reads on to the next line of all; gives the file that is at it.
    fn advance(&mut self) -> Result<Option<usize>, SourceError> {
        let several = self.files.len() > 1;
        while let Some(index) = self.used.pop() {
            let Some(file) = self.files.get_mut(index) else { continue };
            if file.advance()? {
                // A single file needs no time for its place.
                let at = if several { file.time() } else { Millis::MIN };
                self.heads.push(Reverse((at, index)));
            }
        }
        let Some(Reverse((_, index))) = self.heads.pop() else { return Ok(None) };
        self.used.push(index);
        Ok(Some(index))
    }
}

/// What a line gives.
#[inline(always)]
pub(super) fn item<'a>(kind: Line, line: &'a [u8], file: &'a str, number: u64) -> Item<'a> {
    let reject = |reason, line| Item::Reject(Reject { file, number, reason, line });
    match kind {
        Line::Whole => match Envelope::parse(line) {
            Ok(envelope) => Item::Event(Event { envelope, file, number, line }),
            Err(reason) => reject(reason, Some(line)),
        },
        Line::TooLong => {
            reject(format!("longer than {} KiB; the line is not kept", MAX_LINE_BYTES / 1024), None)
        }
    }
}

impl File {
    fn new(input: Input) -> Self {
        Self {
            name: Arc::from(input.name),
            lines: Lines::new(input.reader),
            line: Vec::new(),
            kind: Line::Whole,
        }
    }

    /// Reads the next line; false at the end.
    fn advance(&mut self) -> Result<bool, SourceError> {
        let read = self.lines.next(&mut self.line).map_err(|error| self.fault(error))?;
        self.kind = read.unwrap_or(self.kind);
        Ok(read.is_some())
    }

    /// Fills a batch with the next lines: of a single file they need not lie anywhere before.
    fn fill(&mut self, batch: &mut Batch, bytes: usize) -> Result<bool, SourceError> {
        batch.fill(&mut self.lines, &self.name, bytes).map_err(|error| self.fault(error))
    }

    fn fault(&self, error: io::Error) -> SourceError {
        SourceError::Read { file: self.name.to_string(), line: self.lines.number(), error }
    }

    fn time(&self) -> Millis {
        match self.kind {
            Line::Whole => Envelope::parse(&self.line).map_or(Millis::MIN, |envelope| envelope.at),
            Line::TooLong => Millis::MIN,
        }
    }

    fn item(&self) -> Item<'_> {
        item(self.kind, &self.line, &self.name, self.lines.number())
    }
}
