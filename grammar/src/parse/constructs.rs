//! What of the grammar a text uses.

use super::cut;
use super::grammar::{self, Node, Rule};
use super::lex;
use super::mend::{Mended, Report};
use super::token::Tokens;
use crate::span::SourceId;

/// By which rules of the grammar (`segue.pest`) the declarations of a text are read, and what was read by each of them;
/// nothing of a declaration that has a mistake. For whoever wants to know that everything in the language is used somewhere.
///
/// ```
/// let used = segue_grammar::constructs("suppress marketing for segment asleep");
/// assert!(used.contains(&("segment_name".to_owned(), "asleep".to_owned())));
/// ```
#[must_use]
pub fn constructs(text: &str) -> Vec<(String, String)> {
    let mut report = Report::new(SourceId(0));
    let mended = Mended::new(text, &mut report);
    let all = lex::tokens(&mended.text, &mut report);
    let tokens = Tokens { text: &mended.text, all: &all };
    let mut used = Vec::new();
    for piece in cut::declarations(tokens, &mended, &mut report) {
        let first = tokens.get(piece.tokens.start).map(|token| token.start);
        let last = piece.tokens.end.checked_sub(1).and_then(|last| tokens.get(last)).map(|token| token.end);
        let text = first.zip(last).and_then(|(first, last)| mended.text.get(first..last));
        if let Some(node) = text.and_then(|text| grammar::read(Rule::item, text)) {
            gather(&node, &mut used);
        }
    }
    used
}

fn gather(node: &Node<'_>, used: &mut Vec<(String, String)>) {
    used.push((format!("{:?}", node.as_rule()), node.as_str().to_owned()));
    node.clone().into_inner().for_each(|child| gather(&child, used));
}
