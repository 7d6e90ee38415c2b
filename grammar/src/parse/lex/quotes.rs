//! Strings: where they end, what is wrong within them, and quotes of other kinds.

use super::Lexer;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::limits::MAX_QUOTE_SCAN;
use crate::parse::text::escape_at;
use crate::parse::token::Kind;

impl Lexer<'_, '_> {
    /// A string in double quotes, on one line or between triple quotes.
    pub(super) fn double_quoted(&mut self) {
        let start = self.at;
        if self.rest().starts_with("\"\"\"") {
            self.triple_quoted();
            return;
        }
        let line_end = self.line_end(start);
        let Some(end) = self.closing(start + 1, line_end) else {
            self.unclosed(start, line_end);
            return;
        };
        let inside = self.text.get(start + 1..end).unwrap_or("");
        if opens_template(inside)
            && let Some(real_end) = self.template_closing(start + 1, line_end)
        {
            self.quote_in_template(start, real_end);
            return;
        }
        self.check_escapes(start + 1, end);
        self.push(Kind::Text, start, end + 1);
    }

    fn triple_quoted(&mut self) {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut at = start + 3;
        while at < bytes.len() && !self.triple_open {
            if self.text.get(at..).is_some_and(|rest| rest.starts_with("\"\"\"")) {
                self.check_escapes(start + 3, at);
                let end = at + 3;
                self.push(Kind::Text, start, end);
                if let Some(last) = self.text.get(start..end).and_then(|text| text.rfind('\n')) {
                    self.line = start + last + 1;
                }
                return;
            }
            at += if bytes.get(at) == Some(&b'\\') { 2 } else { 1 };
            while !self.text.is_char_boundary(at.min(bytes.len())) {
                at += 1;
            }
        }
        self.triple_open = true;
        let end = self.line_end(start);
        let span = self.report.span(start, start + 3);
        let said = Diagnostic::error(codes::UNCLOSED_STRING, span, "this string is never closed")
            .help("close it with `\"\"\"`");
        self.report.guess(said, start, end, "\"\"");
        self.push(Kind::Text, start, end);
    }

    /// Where the next `"` that is not escaped stands.
    fn closing(&self, from: usize, line_end: usize) -> Option<usize> {
        let mut escaped = false;
        for (offset, character) in self.text.get(from..line_end)?.char_indices() {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => return Some(from + offset),
                _ => {}
            }
        }
        None
    }

    /// Where the string ends when double quotes within `{{ … }}` do not end it; only if there is such an end.
    fn template_closing(&self, from: usize, line_end: usize) -> Option<usize> {
        let line = self.text.get(from..line_end)?;
        let mut inside = false;
        let mut skip = 0;
        for (offset, character) in line.char_indices().take(MAX_QUOTE_SCAN) {
            if offset < skip {
                continue;
            }
            let rest = line.get(offset..)?;
            if rest.starts_with("{{") || rest.starts_with("{%") {
                inside = true;
                skip = offset + 2;
            } else if rest.starts_with("}}") || rest.starts_with("%}") {
                inside = false;
                skip = offset + 2;
            } else if character == '"' && !inside {
                return Some(from + offset);
            } else if character == '\\' && !inside {
                skip = offset + 1 + rest.chars().nth(1).map_or(0, char::len_utf8);
            }
        }
        None
    }

    fn quote_in_template(&mut self, start: usize, end: usize) {
        let inside = self.text.get(start + 1..end).unwrap_or("");
        let mut better = String::with_capacity(inside.len());
        let mut depth = 0_usize;
        let mut first = None;
        let mut previous = '\0';
        for (offset, character) in inside.char_indices() {
            match (previous, character) {
                ('{', '{' | '%') => depth = 1,
                ('}' | '%', '}') => depth = 0,
                _ => {}
            }
            if character == '"' && depth > 0 {
                first = first.or(Some(start + 1 + offset));
                better.push('\'');
            } else {
                better.push(character);
            }
            previous = character;
        }
        let at = first.unwrap_or(start);
        let said = Diagnostic::error(
            codes::QUOTE_IN_TEMPLATE,
            self.report.span(at, at + 1),
            "a double quote within `{{ … }}` ends the string",
        )
        .help(format!("use single quotes inside: `\"{better}\"`"));
        self.report.replace(said, start, end + 1, format!("\"{better}\""));
        self.push(Kind::Text, start, end + 1);
    }

    fn unclosed(&mut self, start: usize, line_end: usize) {
        let line = self.text.get(start + 1..line_end).unwrap_or("");
        let inside = without_closers(line);
        let end = start + 1 + inside.len();
        let span = self.report.span(start, end);
        let said = Diagnostic::error(codes::UNCLOSED_STRING, span, "this string is not closed on its line")
            .help("close it with `\"`, or write text of several lines between `\"\"\"` and `\"\"\"`");
        self.report.guess(said, start, end, "\"\"");
        self.push(Kind::Text, start, end.max(start + 1));
    }

    /// Quotes of another kind: read as double quotes if they close on their line.
    pub(super) fn other_quoted(&mut self, open: char, closers: &[char]) {
        let start = self.at;
        let from = start + open.len_utf8();
        let line_end = self.line_end(start);
        let line = self.text.get(from..line_end).unwrap_or("");
        let found =
            line.char_indices().take(MAX_QUOTE_SCAN).find(|(_, character)| closers.contains(character));
        let Some((length, close)) = found else {
            let said = Diagnostic::error(
                codes::HABIT_QUOTE,
                self.report.span(start, from),
                format!("unexpected `{open}`"),
            )
            .help("strings stand in straight double quotes: `\"…\"`");
            self.report.guess(said, start, from, " ");
            self.at = from;
            return;
        };
        let inside = line.get(..length).unwrap_or("");
        let end = from + length + close.len_utf8();
        let better = format!("\"{}\"", inside.replace('\\', "\\\\").replace('"', "\\\""));
        let said = Diagnostic::error(
            codes::HABIT_QUOTE,
            self.report.span(start, end),
            format!("a string stands in straight double quotes, not in `{open}…{close}`"),
        );
        self.report.replace(said.help(format!("write `{better}`")), start, end, better);
        self.push(Kind::Text, start, end);
    }

    fn check_escapes(&mut self, from: usize, to: usize) {
        let mut at = from;
        while let Some(offset) = self.text.get(at..to).and_then(|rest| rest.find('\\')) {
            at += offset;
            let rest = self.text.get(at..to).unwrap_or("");
            let (length, meaning) = escape_at(rest);
            if meaning.is_none() {
                let shown = rest.get(..length).unwrap_or("\\");
                let span = self.report.span(at, at + length);
                let said = Diagnostic::error(
                    codes::BAD_ESCAPE,
                    span,
                    format!("unknown escape `{}`", shown.escape_debug()),
                )
                .help(
                    "escapes are `\\\"`, `\\\\`, `\\n`, `\\t` and `\\u{1F600}`; a backslash itself is `\\\\`",
                );
                self.report.mark(said, at, at + length, true);
            }
            at += length.max(1);
        }
    }
}

/// Whether the last `{{` or `{%` of a text is not closed.
fn opens_template(text: &str) -> bool {
    let last = |needle: &str| text.rfind(needle).map_or(0, |at| at + 1);
    last("{{") > last("}}") || last("{%") > last("%}")
}

/// An unclosed string without the closing brackets that surely stand outside of it: those that nothing in it opens.
fn without_closers(line: &str) -> &str {
    let mut surplus = [('{', '}'), ('(', ')'), ('[', ']')].map(|(open, close)| {
        let count = |wanted: char| line.matches(wanted).count();
        (close, count(close).saturating_sub(count(open)))
    });
    let mut kept = line.trim_end();
    while let Some(last) = kept.chars().next_back() {
        let Some((_, left)) = surplus.iter_mut().find(|(close, left)| *close == last && *left > 0) else {
            break;
        };
        *left -= 1;
        kept = kept.get(..kept.len() - 1).unwrap_or("").trim_end();
    }
    kept
}
