//! The hand scan: cuts the text into tokens and finds what is wrong within a token.

use super::mend::Report;
use super::token::{Kind, Token};
use super::words;
use crate::codes;
use crate::diagnostic::Diagnostic;

mod letters;
mod quotes;

/// Marks of several characters, the longest first.
const MARKS: &[&str] = &["===", "!==", "==", "!=", "<=", ">=", "<>", "=>", "=<", "&&", "||", "≠", "≤", "≥"];
/// Marks of one character that the language or a habit knows.
const SINGLE: &str = "{}[]():,.=<>+-*/?%!;&|";

/// Cuts a text into tokens; what is wrong within one goes to the report.
pub(super) fn tokens(text: &str, report: &mut Report) -> Vec<Token> {
    let mut lexer = Lexer {
        text,
        at: 0,
        line: 0,
        line_end: None,
        triple_open: false,
        leads: true,
        tokens: Vec::new(),
        report,
    };
    while lexer.at < text.len() {
        let before = lexer.at;
        lexer.step();
        // Every branch advances; this only guards against a mistake in one of them.
        if lexer.at <= before {
            lexer.at = before + lexer.peek().map_or(1, char::len_utf8);
        }
    }
    lexer.tokens
}

struct Lexer<'a, 'r> {
    text: &'a str,
    at: usize,
    line: usize,
    /// The end of the line that was asked for last, so that a long line is not searched for each of its tokens.
    line_end: Option<usize>,
    /// Whether a `"""` was met that nothing closes: then nothing closes later ones either.
    triple_open: bool,
    leads: bool,
    tokens: Vec<Token>,
    report: &'r mut Report,
}

impl<'a> Lexer<'a, '_> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Where the line of a place ends, its line break excluded.
    fn line_end(&mut self, from: usize) -> usize {
        if let Some(known) = self.line_end.filter(|end| from <= *end) {
            return known;
        }
        let rest = self.text.get(from..).unwrap_or("");
        let end = rest.find('\n').map_or(self.text.len(), |offset| from + offset);
        let end = match self.text.get(from..end) {
            Some(line) if line.ends_with('\r') => end - 1,
            Some(_) | None => end,
        };
        self.line_end = Some(end);
        end
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        let column = start.saturating_sub(self.line);
        self.tokens.push(Token { kind, start, end, leads: self.leads, column });
        self.leads = false;
        self.at = end;
    }

    fn step(&mut self) {
        let Some(next) = self.peek() else { return };
        match next {
            '\n' => {
                self.at += 1;
                self.line = self.at;
                self.leads = true;
            }
            ' ' | '\t' | '\r' | '\u{FEFF}' => self.at += next.len_utf8(),
            '#' => self.at = self.line_end(self.at),
            '"' => self.double_quoted(),
            '\'' => self.other_quoted(next, &['\'']),
            '“' | '”' | '„' | '«' => self.other_quoted(next, &['”', '“', '"', '»']),
            '‘' | '’' | '‚' => self.other_quoted(next, &['’', '‘', '\'']),
            '0'..='9' => self.number(),
            'a'..='z' | 'A'..='Z' | '_' => self.word(),
            _ if next.is_alphabetic() => self.word(),
            _ if next.is_whitespace() => {
                self.report.silently(self.at, self.at + next.len_utf8(), " ");
                self.at += next.len_utf8();
            }
            _ => self.mark_or_comment(next),
        }
    }

    fn mark_or_comment(&mut self, next: char) {
        let start = self.at;
        if self.rest().starts_with("//") {
            let span = self.report.span(start, start + 2);
            let said =
                Diagnostic::error(codes::HABIT_COMMENT, span, "a comment starts with `#`, not with `//`");
            self.report.replace(said.help("write `#`"), start, start + 2, "#");
            self.at = self.line_end(start);
        } else if self.rest().starts_with("/*") {
            let end = self.rest().find("*/").map_or(self.text.len(), |offset| start + offset + 2);
            let span = self.report.span(start, start + 2);
            let said =
                Diagnostic::error(codes::HABIT_COMMENT, span, "a comment starts with `#`, not with `/*`");
            let blank = if self.text.get(start..end).is_some_and(|comment| comment.contains('\n')) {
                "\n"
            } else {
                " "
            };
            self.report.replace(
                said.help("write `#` at the start of each line of the comment"),
                start,
                end,
                blank,
            );
            self.at = end;
        } else if let Some(mark) = MARKS.iter().find(|mark| self.rest().starts_with(**mark)) {
            self.push(Kind::Mark, start, start + mark.len());
        } else if SINGLE.contains(next) {
            self.push(Kind::Mark, start, start + 1);
        } else {
            self.unknown(next);
        }
    }

    fn unknown(&mut self, next: char) {
        let start = self.at;
        if let Some(name) = letters::unseen(next) {
            let end = start + next.len_utf8();
            let said =
                format!("unexpected character: {name} (U+{:04X}), which cannot be seen", u32::from(next));
            let said = Diagnostic::error(codes::SYNTAX, self.report.span(start, end), said)
                .help("delete it; such a character comes along with text that is copied from elsewhere");
            self.report.replace(said, start, end, "");
            self.at = end;
            return;
        }
        let mut end = start;
        // A run of strange characters is one finding.
        for character in self.rest().chars() {
            let known = character.is_alphanumeric()
                || character.is_whitespace()
                || "\"'#_“”„«‘’‚".contains(character);
            let named = "≠≤≥".contains(character) || letters::unseen(character).is_some();
            if known || named || SINGLE.contains(character) {
                break;
            }
            end += character.len_utf8();
        }
        let end = end.max(start + next.len_utf8());
        let shown: String = next.escape_debug().collect();
        let said = Diagnostic::error(
            codes::SYNTAX,
            self.report.span(start, end),
            format!("unexpected character `{shown}`"),
        );
        self.report.guess(said, start, end, " ");
        self.at = end;
    }

    fn word(&mut self) {
        let start = self.at;
        let length =
            self.rest().find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(self.rest().len());
        let mut end = start + length;
        let word = self.text.get(start..end).unwrap_or("");
        if matches!(word, "didn" | "hasn" | "isn" | "doesn" | "wasn") {
            let rest = self.text.get(end..).unwrap_or("");
            if let Some(apostrophe) = ["'t", "’t"].iter().find(|apostrophe| rest.starts_with(**apostrophe))
            {
                end += apostrophe.len();
            }
        } else if !word.is_ascii() {
            let before = self.tokens.last().and_then(|token| self.text.get(token.start..token.end));
            let (ours, help) = if before.is_some_and(|before| words::BEFORE_NAMES.contains(&before)) {
                let name = letters::name(word);
                let help = format!("write `{name}`");
                (name, help)
            } else {
                let ascii = word.chars().map(|c| if c.is_ascii() { c } else { '_' }).collect();
                (ascii, format!("a field with other letters is written in quotes: `event.\"{word}\"`"))
            };
            let said = format!("a name has letters a to z, digits and `_`; found `{word}`");
            let said = Diagnostic::error(codes::SYNTAX, self.report.span(start, end), said).help(help);
            self.report.guess(said, start, end, ours);
        }
        self.push(Kind::Word, start, end);
    }

    fn number(&mut self) {
        let start = self.at;
        let rest = self.rest();
        if let Some(length) = date_length(rest) {
            self.push(Kind::Date, start, start + length);
        } else if let Some(length) = time_length(rest) {
            self.push(Kind::Time, start, start + length);
        } else {
            self.push(Kind::Number, start, start + number_length(rest));
        }
    }
}

/// How many digits a text starts with.
fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// The length of `2026-1-31` at the start of a text.
fn date_length(text: &str) -> Option<usize> {
    let mut length = digits(text);
    if length != 4 {
        return None;
    }
    for _ in 0..2 {
        let rest = text.get(length..)?.strip_prefix('-')?;
        let more = digits(rest);
        if !(1..=2).contains(&more) {
            return None;
        }
        length += 1 + more;
    }
    Some(length)
}

/// The length of `8:00` or `08:00:30.250` at the start of a text.
fn time_length(text: &str) -> Option<usize> {
    let hours = digits(text);
    let minutes = digits(text.get(hours..)?.strip_prefix(':')?);
    if !(1..=2).contains(&hours) || minutes != 2 {
        return None;
    }
    let mut length = hours + 3;
    if let Some(rest) = text.get(length..).and_then(|rest| rest.strip_prefix(':'))
        && digits(rest) == 2
    {
        length += 3;
        if let Some(fraction) = rest.get(2..).and_then(|rest| rest.strip_prefix('.'))
            && digits(fraction) > 0
        {
            length += 1 + digits(fraction);
        }
    }
    Some(length)
}

/// The length of a number, underscores and fraction included.
fn number_length(text: &str) -> usize {
    let run = |text: &str| text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'_').count();
    let whole = run(text);
    match text.get(whole..).and_then(|rest| rest.strip_prefix('.')) {
        Some(fraction) if digits(fraction) > 0 => whole + 1 + run(fraction),
        Some(_) | None => whole,
    }
}
