//! From the pest tree to the syntax tree. Each submodule reads one part of the language.

use std::cell::RefCell;

use super::grammar::{Node, Rule, kid};
use super::mend::Mended;
use super::text;
use super::token::Tokens;
use super::words;
use crate::ast::{Duration, Name, NumberText, Path};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::limits::MAX_CHAIN;
use crate::span::Span;

mod behaviour;
mod declarations;
mod expr;
mod rule;
mod scenario;
mod steps;

/// What the builders share. They return `None` where something was reported or, which should not be, where the tree
/// of pest is not as the grammar promises; the caller speaks then.
pub(super) struct Build<'a> {
    pub(super) mended: &'a Mended,
    pub(super) tokens: Tokens<'a>,
    /// Where the text that pest read starts in the mended text.
    pub(super) base: usize,
    pub(super) said: RefCell<Vec<Diagnostic>>,
}

impl Build<'_> {
    /// The place of a node without white space and comments at its end.
    fn span(&self, node: &Node<'_>) -> Span {
        let span = node.as_span();
        self.trimmed(self.base + span.start(), self.base + span.end())
    }

    fn trimmed(&self, start: usize, end: usize) -> Span {
        let last = self.tokens.all.partition_point(|token| token.end <= end);
        let trimmed =
            last.checked_sub(1).and_then(|index| self.tokens.get(index)).map_or(end, |token| token.end);
        self.mended.span(start, trimmed.clamp(start, end))
    }

    fn say(&self, diagnostic: Diagnostic) {
        self.said.borrow_mut().push(diagnostic);
    }

    /// A word or a text in quotes as a name.
    fn name(&self, node: &Node<'_>) -> Name {
        let written = node.as_str();
        let text = if written.starts_with('"') { text::resolve(written) } else { written.to_owned() };
        Name { text, span: self.span(node) }
    }

    fn kid_name(&self, node: &Node<'_>, rule: Rule) -> Option<Name> {
        kid(node, rule).map(|child| self.name(&child))
    }

    /// The name within a wrapper such as `as_name`.
    fn inner_name(&self, node: &Node<'_>, wrapper: Rule) -> Option<Name> {
        self.kid_name(&kid(node, wrapper)?, Rule::name)
    }

    /// The text within a wrapper such as `title`.
    fn inner_text(&self, node: &Node<'_>, wrapper: Rule) -> Option<Name> {
        self.kid_name(&kid(node, wrapper)?, Rule::string)
    }

    /// A name that is declared here: no keyword, and in snake case.
    fn declared(&self, node: &Node<'_>) -> Option<Name> {
        let name = self.kid_name(node, Rule::name)?;
        let first_fits = name.text.starts_with(|c: char| c.is_ascii_lowercase());
        let fits =
            name.text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if words::is_taken(&name.text) {
            let said = format!("`{}` is a word of the language and cannot be a name", name.text);
            let help = format!("choose another name, for example `my_{}`", name.text);
            self.say(Diagnostic::error(codes::RESERVED_NAME, name.span, said).help(help));
        } else if !(first_fits && fits) {
            let said =
                format!("a name is written in small letters and starts with one; found `{}`", name.text);
            let said = Diagnostic::error(codes::SNAKE_CASE, name.span, said);
            let better = snake_case(&name.text);
            self.say(if better.is_empty() { said } else { said.help(format!("write `{better}`")) });
        }
        Some(name)
    }

    fn number(&self, node: &Node<'_>) -> NumberText {
        NumberText { text: node.as_str().replace('_', ""), span: self.span(node) }
    }

    fn kid_number(&self, node: &Node<'_>) -> Option<NumberText> {
        kid(node, Rule::number).map(|child| self.number(&child))
    }

    /// `5%` without the sign; the span covers the sign.
    fn percent(&self, node: &Node<'_>) -> Option<NumberText> {
        let percent = kid(node, Rule::percent)?;
        Some(NumberText { span: self.span(&percent), ..self.kid_number(&percent)? })
    }

    /// The duration or `span_of_time` itself.
    fn duration(&self, node: &Node<'_>) -> Option<Duration> {
        let unit = kid(node, Rule::unit)?;
        let amount = self.kid_number(node).map_or_else(|| self.one(&unit), |number| number.text);
        let unit = unit.as_str().trim_end_matches('s').to_owned();
        Some(Duration { amount, unit, span: self.span(node) })
    }

    /// The number that need not be said before a single unit. Before several it was lost, which is reported.
    fn one(&self, unit: &Node<'_>) -> String {
        let units = unit.as_str();
        if let Some(single) = units.strip_suffix('s') {
            let said = format!("expected a number before `{units}`, found none");
            let said = Diagnostic::error(codes::SYNTAX, self.span(unit), said);
            self.say(said.help(format!("say how many: `3 {units}`; a single one is `{single}`")));
        }
        "1".to_owned()
    }

    /// The first duration among the children.
    fn kid_duration(&self, node: &Node<'_>) -> Option<Duration> {
        let mut children = node.clone().into_inner();
        children
            .find(|child| matches!(child.as_rule(), Rule::duration | Rule::span_of_time))
            .and_then(|child| self.duration(&child))
    }

    fn path(&self, node: &Node<'_>) -> Path {
        let parts = node.clone().into_inner().map(|part| self.name(&part)).collect();
        Path { parts, span: self.span(node) }
    }

    fn kid_path(&self, node: &Node<'_>) -> Option<Path> {
        kid(node, Rule::path).map(|child| self.path(&child))
    }

    /// `at 09:00`.
    fn at_time(&self, node: &Node<'_>) -> Option<Name> {
        self.kid_name(&kid(node, Rule::at_time)?, Rule::time)
    }

    /// The name of a field, a word or in quotes.
    fn field_name(&self, node: &Node<'_>) -> Option<Name> {
        let field = kid(node, Rule::field_name)?;
        Some(self.name(&field.into_inner().next()?))
    }

    /// Asks for a comma or a new line between the items of a list; pest takes any white space.
    fn separated(&self, nodes: &[Node<'_>]) {
        for pair in nodes.windows(2) {
            let [left, right] = pair else { continue };
            let end = self.base + left.as_span().end();
            let start = self.base + right.as_span().start();
            let next = self.tokens.all.partition_point(|token| token.start < start);
            let leads = self.tokens.get(next).is_some_and(|token| token.leads);
            if leads || self.tokens.before(next) == "," {
                continue;
            }
            let trimmed = self.trimmed(self.base + left.as_span().start(), end);
            let said = "expected a comma or a new line between these";
            self.say(
                Diagnostic::error(codes::MISSING_SEPARATOR, self.span(right), said)
                    .also(trimmed, "after this")
                    .help("write `,` before it"),
            );
        }
    }

    /// Refuses chains of operators that would make too deep a tree.
    fn chain(&self, node: &Node<'_>, length: usize) -> Option<()> {
        if length <= MAX_CHAIN {
            return Some(());
        }
        let said = format!("at most {MAX_CHAIN} values can be joined by operators; found {length}");
        self.say(
            Diagnostic::error(codes::TOO_DEEP, self.span(node), said)
                .help("name a part of it with `let`, or use parentheses"),
        );
        None
    }
}

/// A name in snake case: `CartReminder` as `cart_reminder`.
fn snake_case(text: &str) -> String {
    let mut better = String::new();
    let mut small = false;
    for character in text.chars() {
        if character.is_ascii_uppercase() && small {
            better.push('_');
        }
        small = character.is_ascii_lowercase() || character.is_ascii_digit();
        better.push(character.to_ascii_lowercase());
    }
    let better = better.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    if words::is_taken(better) { format!("my_{better}") } else { better.to_owned() }
}
