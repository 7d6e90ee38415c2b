//! Finds all mistakes of a declaration that pest could not read as a whole: its clauses, steps, statements or fields
//! are read one by one, blocks apart from what stands before them.

use std::ops::Range;

use super::cut::{Piece, shown};
use super::expected;
use super::grammar::{Rule, failure};
use super::mend::{Mended, Report};
use super::token::{Kind, Tokens};
use super::traps;
use super::words;
use crate::codes;
use crate::diagnostic::Diagnostic;

/// What stands between a pair of braces.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Rule,
    Defaults,
    Steps,
    Test,
    Fields,
    Topic,
}

impl Inside {
    fn rule(self) -> Rule {
        match self {
            Self::Rule => Rule::body_piece,
            Self::Defaults => Rule::clause_piece,
            Self::Steps => Rule::step_piece,
            Self::Test => Rule::statement_piece,
            Self::Fields => Rule::field_piece,
            Self::Topic => Rule::topic_piece,
        }
    }

    /// The words that may stand first.
    fn words(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Rule => &[words::CLAUSES, words::STEPS],
            Self::Defaults => &[words::CLAUSES],
            Self::Steps => &[words::STEPS],
            Self::Test => &[words::STATEMENTS],
            Self::Fields | Self::Topic => &[],
        }
    }

    fn has(self, word: &str) -> bool {
        self.words().iter().any(|list| list.contains(&word))
    }
}

/// Reports what is wrong in a declaration.
pub(super) fn declaration(tokens: Tokens<'_>, mended: &Mended, report: &mut Report, piece: &Piece) {
    Recovery { tokens, mended, report }.declaration(piece.tokens.clone(), piece.unclosed.is_some());
}

struct Recovery<'a, 'r> {
    tokens: Tokens<'a>,
    mended: &'r Mended,
    report: &'r mut Report,
}

/// A text put together from stretches of the mended text, with the way back.
#[derive(Default)]
struct Chunk {
    text: String,
    /// Where each stretch starts, in the chunk and in the mended text.
    stretches: Vec<(usize, usize)>,
}

impl Chunk {
    fn add(&mut self, tokens: Tokens<'_>, from: usize, to: usize) {
        self.stretches.push((self.text.len(), from));
        self.text.push_str(tokens.text.get(from..to).unwrap_or(""));
    }

    fn back(&self, at: usize) -> usize {
        let reached = self.stretches.partition_point(|(start, _)| *start <= at);
        let stretch = reached.checked_sub(1).and_then(|index| self.stretches.get(index));
        stretch.map_or(at, |(start, mended)| mended + (at - start))
    }
}

impl Recovery<'_, '_> {
    fn declaration(&mut self, range: Range<usize>, explained: bool) {
        if self.report.is_full() {
            return;
        }
        let before = self.report.diagnostics.len();
        let inside = match self.tokens.word(range.start) {
            "rule" => Some(Inside::Rule),
            "defaults" => Some(Inside::Defaults),
            "test" => Some(Inside::Test),
            "event" | "passive" | "profile" => Some(Inside::Fields),
            "topic" => Some(Inside::Topic),
            _ => None,
        };
        let block = inside.and_then(|inside| Some((inside, self.block(range.clone())?)));
        if let Some((inside, block)) = block {
            let mut head = Chunk::default();
            let (first, open) = (self.at(range.start).0, self.at(block.start));
            head.add(self.tokens, first, open.1);
            head.add(self.tokens, open.0, open.0);
            head.text.push('}');
            self.chunk(&head, Rule::item, range.start..block.start + 1);
            self.pieces(inside, block.start + 1..block.end);
        }
        if self.report.diagnostics.len() == before && !explained {
            let (start, end) = self.bytes(&range);
            let mut whole = Chunk::default();
            whole.add(self.tokens, start, end);
            self.chunk(&whole, Rule::item, range);
        }
    }

    /// First and last byte of a token.
    fn at(&self, index: usize) -> (usize, usize) {
        self.tokens
            .get(index)
            .map_or((self.tokens.text.len(), self.tokens.text.len()), |token| (token.start, token.end))
    }

    fn bytes(&self, range: &Range<usize>) -> (usize, usize) {
        (self.at(range.start).0, self.at(range.end.saturating_sub(1).max(range.start)).1)
    }

    /// The first `{` of a range and its partner, or the end of the range.
    fn block(&self, range: Range<usize>) -> Option<Range<usize>> {
        let open = range.clone().find(|index| self.is_mark(*index, "{"))?;
        Some(open..self.partner(open, range.end))
    }

    fn is_mark(&self, index: usize, mark: &str) -> bool {
        self.tokens.kind(index) == Some(Kind::Mark) && self.tokens.word(index) == mark
    }

    /// The `}` that closes a `{`, or the end.
    fn partner(&self, open: usize, end: usize) -> usize {
        let mut depth = 0_usize;
        for index in open..end {
            if self.is_mark(index, "{") {
                depth += 1;
            } else if self.is_mark(index, "}") {
                depth -= 1;
                if depth == 0 {
                    return index;
                }
            }
        }
        end
    }

    /// Reads what stands between braces piece by piece.
    fn pieces(&mut self, inside: Inside, range: Range<usize>) {
        let mut first = range.start;
        let (mut braces, mut others) = (0_usize, 0_usize);
        for index in range.clone() {
            // A line that starts with a known word ends a parenthesis that was forgotten.
            if others > 0 && self.leads(index) && inside.has(self.tokens.word(index)) {
                others = 0;
            }
            if index > first && braces + others == 0 && self.starts(inside, index) {
                self.piece(inside, first..index);
                first = index;
            }
            match self.tokens.word(index) {
                "{" => braces += 1,
                "}" => (braces, others) = (braces.saturating_sub(1), 0),
                "(" | "[" => others += 1,
                ")" | "]" => others = others.saturating_sub(1),
                _ => {}
            }
        }
        if first < range.end {
            self.piece(inside, first..range.end);
        }
    }

    fn leads(&self, index: usize) -> bool {
        self.tokens.get(index).is_some_and(|token| token.leads)
    }

    /// Whether a piece starts at a token outside all brackets.
    fn starts(&self, inside: Inside, index: usize) -> bool {
        let word = self.tokens.word(index);
        let is_word = self.tokens.kind(index) == Some(Kind::Word);
        let after_comma = self.tokens.before(index) == ",";
        let is_name = self.tokens.kind(index + 1) == Some(Kind::Mark)
            && !matches!(self.tokens.word(index + 1), "{" | "}" | "(" | "[");
        match inside {
            Inside::Fields => (self.leads(index) || after_comma) && self.is_mark(index + 1, ":"),
            Inside::Topic => self.leads(index) || after_comma,
            Inside::Test => self.leads(index) && is_word && (inside.has(word) || !words::continues(word)),
            Inside::Rule | Inside::Defaults | Inside::Steps => {
                if !self.leads(index) || !is_word {
                    return false;
                }
                let known = words::CLAUSES.contains(&word) || words::STEPS.contains(&word);
                let open = matches!(self.tokens.kind(index - 1), Some(Kind::Mark))
                    && !matches!(self.tokens.before(index), "}" | ")" | "]" | "%")
                    || words::continues(self.tokens.before(index));
                known && !(is_name && open) || !open && !words::continues(word)
            }
        }
    }

    fn piece(&mut self, inside: Inside, mut range: Range<usize>) {
        while range.start < range.end && self.is_mark(range.start, ",") {
            range.start += 1;
        }
        if range.is_empty() || self.report.is_full() {
            return;
        }
        if self.tokens.kind(range.start) == Some(Kind::Word)
            && !inside.words().is_empty()
            && !inside.has(self.tokens.word(range.start))
        {
            self.unknown(inside, range.start);
            return;
        }
        let mut blocks = Vec::new();
        let chunk = self.flatten(range.clone(), &mut blocks);
        let head_end = blocks.first().map_or(range.end, |block: &Range<usize>| block.start);
        self.chunk(&chunk, inside.rule(), range.start..head_end.max(range.start + 1));
        for block in blocks {
            self.pieces(Inside::Steps, block);
        }
    }

    /// The text of a piece with its blocks of steps emptied; the blocks go to the list.
    fn flatten(&self, range: Range<usize>, blocks: &mut Vec<Range<usize>>) -> Chunk {
        let mut chunk = Chunk::default();
        let (mut from, end) = self.bytes(&range);
        let mut step = "";
        let mut split_end = None;
        let mut index = range.start;
        while index < range.end {
            if split_end == Some(index) {
                split_end = None;
                step = "";
            }
            let word = self.tokens.word(index);
            let engagement = matches!(self.tokens.before(index), "a" | "an") && index > range.start;
            let is_step = words::STEPS.contains(&word) || word == "otherwise";
            if self.tokens.kind(index) == Some(Kind::Word) && split_end.is_none() && !engagement && is_step {
                step = word;
            }
            if self.is_mark(index, "{") && matches!(step, "wait" | "if" | "otherwise" | "split") {
                let close = self.partner(index, range.end);
                if step == "split" && split_end.is_none() {
                    // The braces of a split hold arms; only those of the arms hold steps.
                    split_end = Some(close);
                } else {
                    blocks.push(index + 1..close);
                    chunk.add(self.tokens, from, self.at(index).1);
                    from = if close < range.end { self.at(close).0 } else { end };
                    index = close;
                }
            }
            index += 1;
        }
        chunk.add(self.tokens, from, end);
        chunk
    }

    /// Reports where a chunk cannot be read, unless a habit in it explains that already.
    fn chunk(&mut self, chunk: &Chunk, rule: Rule, range: Range<usize>) {
        let Some((at, rules)) = failure(rule, &chunk.text) else { return };
        let (start, end) = self.bytes(&range);
        if !self.mended.marks(start, end + 1).is_empty() {
            return;
        }
        let at_end = chunk.text.get(at..).is_none_or(|rest| rest.trim().is_empty());
        let place = chunk.back(at);
        self.report.say(expected::diagnostic(self.tokens, self.mended, place, at_end.then_some(end), &rules));
    }

    fn unknown(&mut self, inside: Inside, index: usize) {
        let Some(token) = self.tokens.get(index) else { return };
        if !self.mended.marks(token.start, token.end + 1).is_empty() {
            return;
        }
        let word = self.tokens.slice(token);
        let span = self.mended.span(token.start, token.end);
        let clause = words::CLAUSES.contains(&word);
        let step = words::STEPS.contains(&word);
        let (message, help) = match inside {
            Inside::Steps if clause => (
                format!("`{word}` is for the whole rule and cannot stand in a block"),
                "move it out of the block, to the top of the rule".to_owned(),
            ),
            Inside::Rule if matches!(word, "every" | "enters" | "leaves" | "each" | "earliest") => {
                (format!("`{word}` starts no clause"), format!("write `when {word} …`"))
            }
            Inside::Defaults if step => (
                format!("`{word}` is a step and cannot stand in `defaults`"),
                "move it into a rule".to_owned(),
            ),
            Inside::Rule
            | Inside::Steps
            | Inside::Defaults
            | Inside::Test
            | Inside::Fields
            | Inside::Topic => {
                let other =
                    traps::other_word(word).filter(|_| matches!(inside, Inside::Rule | Inside::Steps));
                let near = words::nearest(word, inside.words()).map(|near| format!("did you mean `{near}`?"));
                let help = other.map(|ours| format!("write `{ours}`")).or(near);
                let help = help.unwrap_or_else(|| list(inside.words()));
                let what = match inside {
                    Inside::Rule => "clause or step",
                    Inside::Defaults => "clause",
                    Inside::Steps => "step",
                    Inside::Test | Inside::Fields | Inside::Topic => "statement",
                };
                (format!("unknown {what} `{}`", shown(word)), help)
            }
        };
        self.report.say(Diagnostic::error(codes::UNKNOWN_CLAUSE, span, message).help(help));
    }
}

/// `expected one of …`.
fn list(lists: &[&[&str]]) -> String {
    let mut words: Vec<&str> = lists.iter().flat_map(|list| list.iter().copied()).collect();
    words.dedup();
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    format!("a line starts with one of {}", words.join(", "))
}
