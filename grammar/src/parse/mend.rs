//! Replaces what is certainly meant otherwise before pest reads the text, and maps places back to the source.

use crate::diagnostic::Diagnostic;
use crate::limits::MAX_DIAGNOSTICS;
use crate::span::{SourceId, Span};

/// Something found by the scan: what is said, and what to read instead.
pub(super) struct Finding {
    /// First byte of what is replaced or marked.
    pub(super) start: usize,
    /// One past its last byte.
    pub(super) end: usize,
    /// What to read instead, if anything.
    pub(super) replacement: Option<String>,
    /// Whether the author certainly means this; else the declaration is left out of the tree.
    pub(super) certain: bool,
}

/// Collects findings and diagnostics up to the limit.
pub(super) struct Report {
    pub(super) source: SourceId,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) findings: Vec<Finding>,
}

impl Report {
    /// An empty report on a source.
    pub(super) fn new(source: SourceId) -> Self {
        Self { source, diagnostics: Vec::new(), findings: Vec::new() }
    }

    /// A span in this source.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, start, end)
    }

    /// Keeps a diagnostic while there is room; one more than the limit, so that the cut is noticed.
    pub(super) fn say(&mut self, diagnostic: Diagnostic) {
        if !self.is_full() {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Whether nothing more is kept, so that looking for more is of no use.
    pub(super) fn is_full(&self) -> bool {
        self.diagnostics.len() > MAX_DIAGNOSTICS
    }

    /// A mistake with what was certainly meant.
    pub(super) fn replace(
        &mut self,
        diagnostic: Diagnostic,
        start: usize,
        end: usize,
        with: impl Into<String>,
    ) {
        self.say(diagnostic);
        self.findings.push(Finding { start, end, replacement: Some(with.into()), certain: true });
    }

    /// A mistake with something to read in its place so that the rest can be looked at.
    pub(super) fn guess(
        &mut self,
        diagnostic: Diagnostic,
        start: usize,
        end: usize,
        with: impl Into<String>,
    ) {
        self.say(diagnostic);
        self.findings.push(Finding { start, end, replacement: Some(with.into()), certain: false });
    }

    /// A mistake that leaves the text as it is.
    pub(super) fn mark(&mut self, diagnostic: Diagnostic, start: usize, end: usize, certain: bool) {
        self.say(diagnostic);
        self.findings.push(Finding { start, end, replacement: None, certain });
    }

    /// Reads something else without saying so.
    pub(super) fn silently(&mut self, start: usize, end: usize, with: &str) {
        self.findings.push(Finding { start, end, replacement: Some(with.to_owned()), certain: true });
    }
}

/// One replaced stretch.
struct Edit {
    mended: (usize, usize),
    source: (usize, usize),
}

/// A place where something was found, in the mended text.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    pub(super) at: usize,
    pub(super) certain: bool,
}

/// The mended text with the way back.
pub(super) struct Mended {
    /// What pest reads.
    pub(super) text: String,
    source: SourceId,
    edits: Vec<Edit>,
    marks: Vec<Mark>,
}

impl Mended {
    /// Applies the replacements of a report; of two that overlap the first wins.
    pub(super) fn new(text: &str, report: &mut Report) -> Self {
        report.findings.sort_by_key(|finding| (finding.start, finding.end));
        let mut mended = Self {
            text: String::with_capacity(text.len()),
            source: report.source,
            edits: Vec::new(),
            marks: Vec::new(),
        };
        let mut done = 0;
        for finding in &report.findings {
            let at = mended.text.len() + finding.start.saturating_sub(done);
            if let Some(replacement) = finding.replacement.as_ref().filter(|_| finding.start >= done) {
                mended.text.push_str(text.get(done..finding.start).unwrap_or(""));
                let start = mended.text.len();
                mended.text.push_str(replacement);
                let end = mended.text.len();
                mended.edits.push(Edit { mended: (start, end), source: (finding.start, finding.end) });
                done = finding.end;
            }
            mended
                .marks
                .push(Mark { at: at.min(text.len().max(mended.text.len())), certain: finding.certain });
        }
        mended.text.push_str(text.get(done..).unwrap_or(""));
        mended
    }

    /// What was found between two places of the mended text.
    pub(super) fn marks(&self, start: usize, end: usize) -> &[Mark] {
        let from = self.marks.partition_point(|mark| mark.at < start);
        let to = self.marks.partition_point(|mark| mark.at < end);
        self.marks.get(from..to).unwrap_or(&[])
    }

    /// The span in the source of a stretch of the mended text.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let start = self.back(start, false);
        Span::new(self.source, start, self.back(end, true).max(start))
    }

    fn back(&self, at: usize, is_end: bool) -> usize {
        let reached =
            self.edits.partition_point(|edit| if is_end { edit.mended.0 < at } else { edit.mended.0 <= at });
        let Some(edit) = reached.checked_sub(1).and_then(|index| self.edits.get(index)) else { return at };
        if at < edit.mended.1 || (is_end && at == edit.mended.1) {
            return if is_end { edit.source.1 } else { edit.source.0 };
        }
        edit.source.1 + (at - edit.mended.1)
    }
}
