//! The grammar as pest compiles it. Nothing of pest leaves this parser.

use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};
use pest::iterators::Pair;

/// The parser that pest derives.
#[derive(pest_derive::Parser)]
#[grammar = "segue.pest"]
struct Grammar;

/// A piece of the pest tree.
pub(super) type Node<'a> = Pair<'a, Rule>;

/// Reads a whole text by a rule; `None` if it cannot be read.
pub(super) fn read(rule: Rule, text: &str) -> Option<Node<'_>> {
    Grammar::parse(rule, text).ok()?.next()
}

/// Where a text cannot be read by a rule, and what was expected there.
pub(super) fn failure(rule: Rule, text: &str) -> Option<(usize, Vec<Rule>)> {
    let error = Grammar::parse(rule, text).err()?;
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    match error.variant {
        ErrorVariant::ParsingError { positives, .. } => Some((at, positives)),
        ErrorVariant::CustomError { .. } => Some((at, Vec::new())),
    }
}

/// The first child of a kind.
pub(super) fn kid<'a>(node: &Node<'a>, rule: Rule) -> Option<Node<'a>> {
    node.clone().into_inner().find(|child| child.as_rule() == rule)
}

/// All children of a kind.
pub(super) fn kids<'a>(node: &Node<'a>, rule: Rule) -> impl Iterator<Item = Node<'a>> + use<'a> {
    node.clone().into_inner().filter(move |child| child.as_rule() == rule)
}

/// Whether there is a child of a kind.
pub(super) fn has(node: &Node<'_>, rule: Rule) -> bool {
    kid(node, rule).is_some()
}
