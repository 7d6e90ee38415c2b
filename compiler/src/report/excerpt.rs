//! The part of a text that is drawn.

use super::{Places, sign, visible};
use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use std::ops::Range;

/// Longest line in bytes that is drawn whole.
const WHOLE_LINE: usize = 240;
/// How many bytes of a longer line are drawn before a place, after it, and of the place itself.
const BEFORE: usize = 60;
const AFTER: usize = 60;
const WITHIN: usize = 100;
/// A place over more lines than this is drawn on its first line only.
const MAX_PLACE_LINES: usize = 8;
/// How much of the words at a place is drawn, in characters.
const MAX_LABEL: usize = 200;

/// A text with long lines cut and odd characters replaced; its lines are those of the original.
#[derive(Debug)]
pub(super) struct Excerpt {
    name: String,
    text: String,
    labels: Vec<Label>,
}

#[derive(Debug)]
struct Label {
    start: usize,
    end: usize,
    words: Option<String>,
    /// The column in the original, from 0, in characters.
    column: usize,
}

/// A stretch of the original within the excerpt.
struct Stretch {
    from: usize,
    to: usize,
    /// Whether something else stands there instead.
    replaced: bool,
}

impl Excerpt {
    pub(super) fn new(name: &str, text: &str, places: &Places<'_>) -> Self {
        let ranges: Vec<Range<usize>> = places.iter().map(|(range, _)| clipped(text, range)).collect();
        let mut writer = Writer { text: String::new(), stretches: Vec::new() };
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let body = line.strip_suffix('\n').unwrap_or(line);
            let body = body.strip_suffix('\r').unwrap_or(body);
            if body.len() <= WHOLE_LINE {
                writer.copy(text, start..start + body.len());
            } else {
                writer.cut(text, start..start + body.len(), &ranges);
            }
            writer.plain(text, start + body.len()..start + line.len());
            start += line.len();
        }
        let labels = places.iter().zip(&ranges).map(|((_, words), range)| Label {
            start: writer.place(range.start),
            end: writer.place(range.end),
            words: (!words.is_empty()).then(|| visible(words, MAX_LABEL)),
            column: column(text, range.start),
        });
        let labels = labels.collect();
        Self { name: visible(name, MAX_LABEL), text: writer.text, labels }
    }

    /// The places, the one that the finding is about first: it gives the line and column on top.
    pub(super) fn labels(&self) -> impl Iterator<Item = LabeledSpan> {
        self.labels.iter().enumerate().map(|(number, label)| {
            let span = (label.start, label.end.saturating_sub(label.start));
            let new =
                if number == 0 { LabeledSpan::new_primary_with_span } else { LabeledSpan::new_with_span };
            new(label.words.clone(), span)
        })
    }
}

/// A place within the text; one over many lines ends with its first.
fn clipped(text: &str, range: &Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(range.start.min(text.len()));
    let end = text.floor_char_boundary(range.end.clamp(start, text.len()));
    let within = text.get(start..end).unwrap_or_default();
    match within.find('\n') {
        Some(first) if within.bytes().filter(|byte| *byte == b'\n').count() >= MAX_PLACE_LINES => {
            start..start + first
        }
        Some(_) | None => start..end,
    }
}

fn column(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.rsplit('\n').next().unwrap_or_default().chars().count()
}

struct Writer {
    text: String,
    stretches: Vec<Stretch>,
}

impl Writer {
    /// Takes a stretch over as it is.
    fn plain(&mut self, text: &str, range: Range<usize>) {
        self.stretches.push(Stretch { from: range.start, to: self.text.len(), replaced: false });
        self.text.push_str(text.get(range).unwrap_or_default());
    }

    /// Takes a stretch over, with signs for characters that act on a terminal.
    fn copy(&mut self, text: &str, range: Range<usize>) {
        let mut done = range.start;
        for (offset, character) in text.get(range.clone()).unwrap_or_default().char_indices() {
            let shown = sign(character);
            if shown != character {
                let at = range.start + offset;
                self.plain(text, done..at);
                self.replace(at, shown);
                done = at + character.len_utf8();
            }
        }
        self.plain(text, done..range.end);
    }

    fn replace(&mut self, from: usize, with: char) {
        self.stretches.push(Stretch { from, to: self.text.len(), replaced: true });
        self.text.push(with);
    }

    /// Takes over of a long line what stands around places, or its start.
    fn cut(&mut self, text: &str, line: Range<usize>, places: &[Range<usize>]) {
        let mut kept: Vec<Range<usize>> = Vec::new();
        for place in places {
            for (at, within) in [(place.start, place.len().min(WITHIN)), (place.end, 0)] {
                if (line.start..=line.end).contains(&at) && (at == place.start || at - place.start > WITHIN) {
                    let from = text.floor_char_boundary(at.saturating_sub(BEFORE)).max(line.start);
                    let to = text.ceil_char_boundary((at + within + AFTER).min(text.len())).min(line.end);
                    kept.push(from..to);
                }
            }
        }
        if kept.is_empty() {
            kept.push(line.start..text.floor_char_boundary(line.start + WITHIN));
        }
        kept.sort_by_key(|range| range.start);
        let mut done = line.start;
        for range in kept {
            if range.start > done {
                self.replace(done, '…');
            }
            self.copy(text, range.start.max(done)..range.end.max(done));
            done = done.max(range.end);
        }
        if done < line.end {
            self.replace(done, '…');
        }
    }

    /// Where a byte of the original stands now.
    fn place(&self, at: usize) -> usize {
        let after = self.stretches.partition_point(|stretch| stretch.from <= at);
        let Some(stretch) = after.checked_sub(1).and_then(|index| self.stretches.get(index)) else {
            return 0;
        };
        let end = self.stretches.get(after).map_or(self.text.len(), |next| next.to);
        if stretch.replaced { stretch.to } else { (stretch.to + at - stretch.from).min(end) }
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let contents = self.text.as_str().read_span(span, before, after)?;
        let label = self.labels.iter().find(|label| label.start == span.offset());
        let column = match label.filter(|_| before == 0) {
            Some(label) => label.column,
            None => contents.column(),
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            contents.data(),
            *contents.span(),
            contents.line(),
            column,
            contents.line_count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Report;
    use miette::{GraphicalReportHandler, GraphicalTheme};

    fn drawn(text: &str, places: &Places<'_>) -> String {
        let mut drawn = String::new();
        let report = Report::error("test", "wrong", None, "a.segue", text, places);
        let handler = GraphicalReportHandler::new_themed(GraphicalTheme::none()).with_width(100);
        handler.render_report(&mut drawn, &report).unwrap();
        drawn
    }

    #[test]
    fn long_lines_are_cut_around_their_places() {
        let text = format!("first\n{}HERE{}\nlast", "ø".repeat(70_000), "y".repeat(900_000));
        let drawn = drawn(&text, &vec![(140_006..140_010, "this"), (6..8, "and this")]);
        assert!(drawn.contains("[a.segue:2:70001]"), "{drawn}");
        assert!(drawn.contains("øøHEREyy") && drawn.contains("and this"), "{drawn}");
        assert!(drawn.len() < 3_000, "{}", drawn.len());
    }

    #[test]
    fn a_place_over_many_lines_is_drawn_at_its_start() {
        let text = "line\n".repeat(10_000);
        let drawn = drawn(&text, &vec![(7..50_000, "all of it")]);
        assert!(drawn.contains("[a.segue:2:3]") && drawn.len() < 1_000, "{drawn}");
    }

    #[test]
    fn what_acts_on_a_terminal_is_shown_as_a_sign() {
        let text = "a \u{1b}[2J\u{202e} b\rc HERE";
        let at = text.find("HERE").unwrap();
        let drawn = drawn(text, &vec![(at..at + 4, "")]);
        assert!(drawn.contains("a ␛[2J� b␍c HERE") && drawn.contains("[a.segue:1:"), "{drawn}");
        assert!(!drawn.contains(['\u{1b}', '\u{202e}', '\r']));
    }

    #[test]
    fn places_at_the_ends_are_drawn() {
        for (text, range) in [("", 0..0), ("a", 1..1), ("a\n", 2..2), ("a\r\nb", 1..3), ("ab", 0..9)] {
            assert!(drawn(text, &vec![(range, "x")]).contains("wrong"), "{text:?}");
        }
    }
}
