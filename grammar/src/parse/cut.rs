//! Cuts the text into declarations, so that a mistake in one does not hide those in the others.

use std::ops::Range;

use super::mend::{Mended, Report};
use super::token::{Kind, Token, Tokens};
use super::words;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::limits::MAX_DEPTH;

/// A stretch of tokens that starts with a declaration word.
pub(super) struct Piece {
    /// Its tokens, by position.
    pub(super) tokens: Range<usize>,
    /// What to say where one of its brackets is never closed.
    pub(super) unclosed: Option<Diagnostic>,
}

/// Cuts tokens into declarations; what belongs to none is reported.
pub(super) fn declarations(tokens: Tokens<'_>, mended: &Mended, report: &mut Report) -> Vec<Piece> {
    let mut cutter =
        Cutter { tokens, mended, report, open: Vec::new(), suspect: None, current: None, pieces: Vec::new() };
    for index in 0..tokens.all.len() {
        cutter.take(index);
    }
    cutter.finish(tokens.all.len());
    cutter.pieces
}

/// How deep a stretch of tokens nests, and the position of the first token that nests too deeply.
pub(super) fn depth(tokens: Tokens<'_>, range: Range<usize>) -> (usize, Option<usize>) {
    // Prefixes nest without brackets: those that stand before a bracket count for all within it.
    let mut open: Vec<usize> = Vec::new();
    let (mut outer, mut prefixes, mut deepest) = (0, 0, 0);
    for index in range {
        match tokens.word(index) {
            "(" | "[" | "{" => {
                open.push(prefixes);
                outer += 1 + prefixes;
                prefixes = 0;
            }
            ")" | "]" | "}" => {
                outer -= open.pop().map_or(0, |prefixes| prefixes + 1);
                prefixes = 0;
            }
            "not" | "list" => prefixes += 1,
            "of" => {}
            _ => prefixes = 0,
        }
        deepest = deepest.max(outer + prefixes);
        if deepest > MAX_DEPTH {
            return (deepest, Some(index));
        }
    }
    (deepest, None)
}

/// The declaration that is being cut.
struct Current {
    first: usize,
    /// Whether it ends with its block.
    has_block: bool,
    /// Whether it starts with a declaration word.
    known: bool,
    /// Whether its block is closed.
    complete: bool,
}

/// A bracket that waits for its partner.
struct Open {
    index: usize,
    mark: char,
    /// Where the line of the bracket starts with a token.
    column: usize,
}

struct Cutter<'a, 'r> {
    tokens: Tokens<'a>,
    mended: &'r Mended,
    report: &'r mut Report,
    open: Vec<Open>,
    /// The opening brace whose closing one stands too far left: it is probably the one without a partner.
    suspect: Option<usize>,
    current: Option<Current>,
    pieces: Vec<Piece>,
}

impl Cutter<'_, '_> {
    fn take(&mut self, index: usize) {
        let Some(token) = self.tokens.get(index) else { return };
        let nested = !self.open.is_empty();
        let starts = token.leads
            && if nested { token.column == 0 && self.is_strict(index) } else { self.is_declaration(index) };
        if starts {
            self.finish(index);
            self.begin(index, true);
        } else if !nested && self.belongs_to_none(index, token) {
            self.finish(index);
            self.begin(index, false);
        }
        self.bracket(index, token);
    }

    fn begin(&mut self, index: usize, known: bool) {
        let has_block = !matches!(self.tokens.word(index), "use" | "let" | "suppress");
        self.current = Some(Current { first: index, has_block, known, complete: false });
    }

    fn finish(&mut self, end: usize) {
        let unclosed = self.unclosed(end);
        self.open.clear();
        self.suspect = None;
        let Some(current) = self.current.take() else { return };
        if current.known {
            self.pieces.push(Piece { tokens: current.first..end, unclosed });
        } else {
            self.unknown(current.first);
        }
    }

    fn unclosed(&self, end: usize) -> Option<Diagnostic> {
        let index = self.suspect.or(self.open.last().map(|open| open.index))?;
        self.open.last()?;
        let token = self.tokens.get(index)?;
        let mark = self.tokens.word(index);
        let close = match mark {
            "(" => ")",
            "[" => "]",
            _ => "}",
        };
        let said = Diagnostic::error(
            codes::UNCLOSED_BRACE,
            self.mended.span(token.start, token.end),
            format!("`{mark}` is never closed"),
        )
        .help(format!("add `{close}` where it ends"));
        Some(match self.tokens.get(end) {
            Some(next) => {
                said.also(self.mended.span(next.start, next.end), "the next declaration starts here")
            }
            None => said,
        })
    }

    /// Whether a token at the start of a line outside all brackets starts a declaration.
    fn is_declaration(&self, index: usize) -> bool {
        let word = self.tokens.word(index);
        // A name in a condition that goes on over several lines may be any word.
        let is_name = matches!(
            self.tokens.word(index + 1),
            "=" | "!=" | "<" | "<=" | ">" | ">=" | "." | "+" | "*" | ")"
        );
        words::DECLARATIONS.contains(&word) && !is_name
    }

    /// Whether a token certainly starts a declaration, even if a bracket is still open.
    fn is_strict(&self, index: usize) -> bool {
        let next = self.tokens.kind(index + 1);
        let text = next == Some(Kind::Text);
        let name = next == Some(Kind::Word);
        let after = self.tokens.word(index + 2);
        let block = after == "{" || self.tokens.kind(index + 2) == Some(Kind::Text);
        match self.tokens.word(index) {
            "event" | "test" => text && after == "{",
            "passive" => self.tokens.word(index + 1) == "event",
            "profile" | "defaults" => self.tokens.word(index + 1) == "{",
            "let" => name && after == "=",
            "segment" | "rule" => name && block,
            "topic" => name && (block || after == "within"),
            "suppress" => name && matches!(after, "on" | "for"),
            "use" => (text || name) && self.tokens.get(index + 2).is_none_or(|next| next.leads),
            _ => false,
        }
    }

    fn belongs_to_none(&self, index: usize, token: Token) -> bool {
        let Some(current) = &self.current else { return true };
        if current.complete {
            return true;
        }
        if current.has_block || !token.leads || token.kind != Kind::Word {
            return false;
        }
        // `use`, `let` and `suppress` have no end of their own: a line that looks like another declaration ends them.
        let word = self.tokens.word(index);
        let column = self.tokens.get(current.first).map_or(0, |first| first.column);
        let goes_on = words::continues(word) || matches!(self.tokens.kind(index - 1), Some(Kind::Mark));
        let next = self.tokens.kind(index + 1);
        let heads = self.tokens.word(index + 1) == "{"
            || matches!(next, Some(Kind::Word | Kind::Text))
                && (matches!(self.tokens.word(index + 2), "{" | "=")
                    || self.tokens.kind(index + 2) == Some(Kind::Text)
                    || words::nearest(word, &[words::DECLARATIONS]).is_some());
        token.column <= column && !goes_on && heads
    }

    fn bracket(&mut self, index: usize, token: Token) {
        if token.kind != Kind::Mark {
            return;
        }
        match self.tokens.word(index) {
            mark @ ("{" | "(" | "[") => {
                let column = self.line_column(index);
                let mark = mark.chars().next().unwrap_or('{');
                self.open.push(Open { index, mark, column });
            }
            "}" => self.close('{', index, token),
            ")" => self.close('(', index, token),
            "]" => self.close('[', index, token),
            _ => {}
        }
    }

    /// The column of the first token of the line that a token stands on, looking back a little.
    fn line_column(&self, index: usize) -> usize {
        let from = index.saturating_sub(64);
        let line = self.tokens.all.get(from..=index).unwrap_or(&[]);
        line.iter().rev().find(|token| token.leads).map_or(0, |token| token.column)
    }

    fn close(&mut self, mark: char, index: usize, token: Token) {
        if mark != '{' {
            // A stray `)` or `]` is left to the grammar, which knows what was expected.
            if self.open.last().is_some_and(|open| open.mark == mark) {
                self.open.pop();
            }
            return;
        }
        while self.open.pop_if(|open| open.mark != '{').is_some() {}
        let Some(open) = self.open.pop() else {
            self.stray(index, token);
            return;
        };
        if token.leads && token.column < open.column {
            self.suspect = self.suspect.or(Some(open.index));
        }
        if self.open.is_empty()
            && let Some(current) = self.current.as_mut()
        {
            current.complete = current.has_block;
        }
    }

    fn stray(&mut self, index: usize, token: Token) {
        let said = Diagnostic::error(
            codes::UNCLOSED_BRACE,
            self.mended.span(token.start, token.end),
            "this `}` closes nothing",
        )
        .help("leave it out, or look for a `}` too many before it");
        self.report.say(said);
        // Drops a piece that holds nothing but the brace.
        self.current = self.current.take().filter(|current| current.first != index);
    }

    fn unknown(&mut self, first: usize) {
        let Some(token) = self.tokens.get(first).filter(|_| !self.report.is_full()) else { return };
        if self.mended.marks(token.start, token.end + 1).iter().any(|mark| !mark.certain) {
            return;
        }
        let word = self.tokens.slice(token);
        let span = self.mended.span(token.start, token.end);
        let list = "a declaration starts with `use`, `event`, `profile`, `let`, `segment`, `topic`, `defaults`, `suppress`, `rule` or `test`";
        let inner = words::CLAUSES.contains(&word) || words::STEPS.contains(&word);
        let said = if token.kind != Kind::Word {
            Diagnostic::error(
                codes::UNKNOWN_DECLARATION,
                span,
                format!("expected a declaration, found `{}`", shown(word)),
            )
            .help(list)
        } else if words::DECLARATIONS.contains(&word) {
            Diagnostic::error(
                codes::UNKNOWN_DECLARATION,
                span,
                format!("`{word}` starts no line of its own here"),
            )
            .help(format!("start a new line before `{word}`"))
        } else if inner {
            Diagnostic::error(
                codes::UNKNOWN_DECLARATION,
                span,
                format!("`{word}` stands within a rule, not outside"),
            )
            .help("put it between the braces of a `rule`; maybe there is a `}` too many before it")
        } else {
            let help = words::nearest(word, &[words::DECLARATIONS])
                .map_or_else(|| list.to_owned(), |near| format!("did you mean `{near}`?"));
            Diagnostic::error(
                codes::UNKNOWN_DECLARATION,
                span,
                format!("unknown declaration `{}`", shown(word)),
            )
            .help(help)
        };
        self.report.say(said);
    }
}

/// A token as messages show it: one line, not too long.
pub(super) fn shown(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    if line.chars().count() > 40 || line.len() < text.trim_end().len() {
        let short: String = line.chars().take(40).collect();
        return format!("{short}…");
    }
    line.to_owned()
}
