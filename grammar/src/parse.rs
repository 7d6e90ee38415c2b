//! Reads a source: a hand scan finds habits from other languages and cuts the text into declarations, pest reads each
//! of them alone, and what it cannot read is looked at piece by piece.

use std::cell::RefCell;
use std::thread;

use crate::ast::{File, Item, Unread};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::limits::{DEEP_STACK_BYTES, MAX_DEPTH, MAX_DIAGNOSTICS, MAX_SOURCE_BYTES, SHALLOW_DEPTH};
use crate::span::{SourceId, Span};

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a node of pest has one of hundreds of rules, and the grammar promises which ones stand where"
)]
mod build;
mod constructs;
mod cut;
mod expected;
mod grammar;
mod habit;
mod lex;
mod mend;
mod recover;
mod text;
mod token;
mod traps;
mod words;

use build::Build;
pub use constructs::constructs;
use cut::Piece;
use grammar::Rule;
use mend::{Mended, Report};
use token::Tokens;

/// Reads a source. Declarations that cannot be read for certain are left out of the tree, and a diagnostic says why;
/// diagnostics are in the order of their places.
///
/// Any input is answered: one longer than [`MAX_SOURCE_BYTES`] or nested deeper than [`MAX_DEPTH`] is refused.
///
/// ```
/// use segue_grammar::{SourceId, parse};
///
/// let (file, diagnostics) = parse(SourceId(0), "rule hello { when \"Signed Up\" == x }");
/// assert!(file.items.is_empty());
/// assert_eq!(diagnostics[0].code, "habit-operator");
/// ```
#[must_use]
pub fn parse(source: SourceId, text: &str) -> (File, Vec<Diagnostic>) {
    if text.len() > MAX_SOURCE_BYTES {
        let said = format!("this file is too long: a rule file has at most {} MiB", MAX_SOURCE_BYTES >> 20);
        let said = Diagnostic::error(codes::TOO_LONG, Span::new(source, 0, 0), said)
            .help("spread the rules over several files, they share one namespace");
        return (File::default(), vec![said]);
    }
    let mut report = Report::new(source);
    let written = lex::tokens(text, &mut report);
    habit::scan(Tokens { text, all: &written }, &mut report);
    let mended = Mended::new(text, &mut report);
    // What was wrong is reported already; the second scan only needs the tokens of the mended text.
    let again = lex::tokens(&mended.text, &mut Report::new(source));
    let tokens = Tokens { text: &mended.text, all: &again };

    let pieces = cut::declarations(tokens, &mended, &mut report);
    let mut file = File::default();
    for piece in pieces {
        let first = piece.tokens.start;
        match declaration(tokens, &mended, &mut report, piece) {
            Some(item) => file.items.push(item),
            None => file.unread.push(unread(tokens, first)),
        }
    }
    (file, finished(report))
}

/// What a declaration that begins with a token says of itself.
fn unread(tokens: Tokens<'_>, first: usize) -> Unread {
    let first = if tokens.word(first) == "passive" { first + 1 } else { first };
    let name = tokens.word(first + 1).trim_matches(['"', '{', '(', ':', '=']);
    Unread { word: tokens.word(first).to_owned(), name: name.to_owned() }
}

/// Reads one declaration, on a stack that its nesting fits.
fn declaration(tokens: Tokens<'_>, mended: &Mended, report: &mut Report, piece: Piece) -> Option<Item> {
    let (depth, deep) = cut::depth(tokens, piece.tokens.clone());
    if let Some(deep) = deep.and_then(|index| tokens.get(index)) {
        report.say(too_deep(mended.span(deep.start, deep.end), MAX_DEPTH));
        return None;
    }
    if depth <= SHALLOW_DEPTH {
        return read(tokens, mended, report, &piece);
    }
    let first = tokens.get(piece.tokens.start)?;
    let answer = thread::scope(|scope| {
        let reader = thread::Builder::new().stack_size(DEEP_STACK_BYTES);
        let reader = reader.spawn_scoped(scope, || read(tokens, mended, report, &piece));
        reader.ok().and_then(|reader| reader.join().ok())
    });
    answer.unwrap_or_else(|| {
        // No memory for another stack: what would not fit the present one is refused.
        report.say(too_deep(mended.span(first.start, first.end), SHALLOW_DEPTH));
        None
    })
}

fn too_deep(span: Span, limit: usize) -> Diagnostic {
    Diagnostic::error(codes::TOO_DEEP, span, format!("nested more than {limit} deep"))
        .help("name parts of it with `let` or `segment`")
}

fn read(tokens: Tokens<'_>, mended: &Mended, report: &mut Report, piece: &Piece) -> Option<Item> {
    let first = tokens.get(piece.tokens.start)?;
    let last = tokens.get(piece.tokens.end.checked_sub(1)?)?;
    if let Some(unclosed) = piece.unclosed.clone() {
        report.say(unclosed);
        recover::declaration(tokens, mended, report, piece);
        return None;
    }
    let text = mended.text.get(first.start..last.end)?;
    let Some(node) = grammar::read(Rule::item, text) else {
        recover::declaration(tokens, mended, report, piece);
        return None;
    };
    let build = Build { mended, tokens, base: first.start, said: RefCell::new(Vec::new()) };
    let item = build.item(&node);
    let said = build.said.into_inner();
    if item.is_none() && said.is_empty() {
        // The builder follows the grammar, so this should not be; the author still hears of it.
        let span = mended.span(first.start, first.end);
        report.say(Diagnostic::error(codes::SYNTAX, span, "this declaration cannot be read"));
    }
    for diagnostic in said {
        report.say(diagnostic);
    }
    let certain = mended.marks(first.start, last.end + 1).iter().all(|mark| mark.certain);
    item.filter(|_| certain)
}

/// The diagnostics in the order of their places, no more than are read.
fn finished(report: Report) -> Vec<Diagnostic> {
    let mut diagnostics = report.diagnostics;
    diagnostics.sort_by(|left, right| {
        (left.span, left.code, &left.message).cmp(&(right.span, right.code, &right.message))
    });
    diagnostics.dedup();
    if diagnostics.len() > MAX_DIAGNOSTICS {
        diagnostics.truncate(MAX_DIAGNOSTICS);
        if let Some(last) = diagnostics.last().map(|diagnostic| diagnostic.span) {
            let said = format!("only the first {MAX_DIAGNOSTICS} mistakes are shown");
            diagnostics.push(Diagnostic::error(codes::TOO_MANY, last, said).help("mend these first"));
        }
    }
    diagnostics
}
