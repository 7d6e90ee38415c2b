//! Expressions: the full ones and the flat ones of `where` build the same tree.

use super::Build;
use crate::ast::{Arithmetic, Comparison, Expr, ExprKind, Literal, TextTest};
use crate::parse::grammar::{Node, Rule, has, kid, kids};
use crate::parse::text;
use crate::span::Span;

impl Build<'_> {
    /// The first `expr` among the children.
    pub(super) fn kid_expr(&self, node: &Node<'_>) -> Option<Expr> {
        self.expr(&kid(node, Rule::expr)?)
    }

    /// An `expr`.
    pub(super) fn expr(&self, node: &Node<'_>) -> Option<Expr> {
        let parts =
            kids(node, Rule::and_expr).map(|part| self.and_expr(&part)).collect::<Option<Vec<_>>>()?;
        Some(joined(parts, self.span(node), ExprKind::Or))
    }

    fn and_expr(&self, node: &Node<'_>) -> Option<Expr> {
        let parts =
            kids(node, Rule::not_expr).map(|part| self.negations(&part)).collect::<Option<Vec<_>>>()?;
        Some(joined(parts, self.span(node), ExprKind::And))
    }

    /// The condition after `where`.
    pub(super) fn where_part(&self, node: &Node<'_>) -> Option<Expr> {
        match self.closed(node) {
            Some((condition, _)) => Some(condition),
            None => self.negations(&kid(node, Rule::filter)?),
        }
    }

    /// A `where_part` whose condition stands in parentheses with a comparison after it: the comparison is not the
    /// condition's but that of the number or time in which `where` stands.
    fn closed<'n>(&self, node: &Node<'n>) -> Option<(Expr, Node<'n>)> {
        let comparison = only_kid(&kid(node, Rule::filter)?, 1)?;
        let mut parts = comparison.into_inner();
        let (sum, tail) = (parts.next()?, parts.next()?);
        let paren = only_kid(&only_kid(&only_kid(&sum, 1)?, 1)?, 1)?;
        if paren.as_rule() != Rule::paren {
            return None;
        }
        let condition = self.kid_expr(&paren)?;
        is_condition(&condition.kind).then_some((condition, tail))
    }

    /// `not not x`.
    fn negations(&self, node: &Node<'_>) -> Option<Expr> {
        let whole = self.span(node);
        let mut inner = None;
        let mut nots = Vec::new();
        for part in node.clone().into_inner() {
            match part.as_rule() {
                Rule::k_not => nots.push(self.span(&part)),
                _ => inner = Some(self.comparison(&part)?),
            }
        }
        let mut expr = inner?;
        for not in nots.into_iter().rev() {
            expr = Expr { kind: ExprKind::Not(Box::new(expr)), span: Span { end: whole.end, ..not } };
        }
        Some(expr)
    }

    fn comparison(&self, node: &Node<'_>) -> Option<Expr> {
        let mut parts = node.clone().into_inner();
        let left = self.sum(&parts.next()?)?;
        let Some(tail) = parts.next() else { return Some(left) };
        let kind = self.tail(left, &tail)?;
        Some(Expr { kind, span: self.span(node) })
    }

    fn tail(&self, left: Expr, tail: &Node<'_>) -> Option<ExprKind> {
        let mut parts = tail.clone().into_inner();
        let first = parts.next()?;
        let value = Box::new(left);
        Some(match first.as_rule() {
            Rule::compare_op => {
                let right = Box::new(self.sum(&parts.next()?)?);
                ExprKind::Compare { operator: comparison_operator(first.as_str())?, left: value, right }
            }
            Rule::is_known => ExprKind::IsKnown { value, negated: has(&first, Rule::k_not) },
            Rule::between | Rule::flat_between => {
                let [low, high] = self.sums(&first)?.try_into().ok()?;
                ExprKind::Between { value, low: Box::new(low), high: Box::new(high) }
            }
            Rule::in_list => ExprKind::In {
                value,
                negated: has(&first, Rule::k_not),
                choices: kids(&first, Rule::expr).map(|choice| self.expr(&choice)).collect::<Option<_>>()?,
            },
            Rule::text_test | Rule::flat_text_test => {
                let [operand] = self.sums(&first)?.try_into().ok()?;
                let test = text_test(kid(&first, Rule::text_word)?.as_str());
                let negated = has(&first, Rule::k_not);
                ExprKind::TextTest { value, negated, test, operand: Box::new(operand) }
            }
            _ => return None,
        })
    }

    /// All sums among the children.
    fn sums(&self, node: &Node<'_>) -> Option<Vec<Expr>> {
        let children = node.clone().into_inner();
        children
            .filter(|child| matches!(child.as_rule(), Rule::sum | Rule::flat_sum))
            .map(|child| self.sum(&child))
            .collect()
    }

    /// A `sum` or `flat_sum`.
    pub(super) fn sum(&self, node: &Node<'_>) -> Option<Expr> {
        self.operators(node, |product| self.operators(product, |primary| self.primary(primary)))
    }

    /// Operands parted by operators, taken from the left.
    fn operators(&self, node: &Node<'_>, operand: impl Fn(&Node<'_>) -> Option<Expr>) -> Option<Expr> {
        let mut parts = node.clone().into_inner();
        self.chain(node, parts.len().div_ceil(2))?;
        let mut left = operand(&parts.next()?)?;
        while let (Some(operator), Some(right)) = (parts.next(), parts.next()) {
            let operator = match operator.as_rule() {
                Rule::op_add => Arithmetic::Add,
                Rule::op_sub => Arithmetic::Subtract,
                Rule::op_mul => Arithmetic::Multiply,
                _ => Arithmetic::Divide,
            };
            let right = operand(&right)?;
            let span = left.span.to(right.span);
            let kind = ExprKind::Arithmetic { operator, left: Box::new(left), right: Box::new(right) };
            left = Expr { kind, span };
        }
        Some(left)
    }

    /// A `primary` or `flat_primary`.
    fn primary(&self, outer: &Node<'_>) -> Option<Expr> {
        let node = &outer.clone().into_inner().next()?;
        let kind = match node.as_rule() {
            Rule::paren => {
                let expr = self.kid_expr(node)?;
                match kid(node, Rule::held) {
                    Some(held) => {
                        ExprKind::Held { condition: Box::new(expr), duration: self.kid_duration(&held)? }
                    }
                    // Parentheses leave no trace but in the span.
                    None => expr.kind,
                }
            }
            Rule::literal => return self.literal(node),
            Rule::call => ExprKind::Call {
                function: self.kid_name(node, Rule::call_name)?,
                arguments: kids(node, Rule::expr)
                    .map(|argument| self.expr(&argument))
                    .collect::<Option<_>>()?,
            },
            Rule::bare_path => ExprKind::Path(self.kid_path(node)?),
            Rule::path => ExprKind::Path(self.path(node)),
            Rule::count | Rule::aggregate | Rule::time_since if !has(node, Rule::window) => {
                let kind = self.behaviour(node)?;
                let filter = kid(node, Rule::pattern).and_then(|pattern| kid(&pattern, Rule::where_part));
                match filter.and_then(|filter| self.closed(&filter)) {
                    None => kind,
                    Some((condition, tail)) => {
                        let span = Span { end: condition.span.end, ..self.span(node) };
                        self.tail(Expr { kind, span }, &tail)?
                    }
                }
            }
            _ => self.behaviour(node)?,
        };
        Some(Expr { kind, span: self.span(node) })
    }

    /// A `literal`.
    pub(super) fn literal(&self, node: &Node<'_>) -> Option<Expr> {
        let inner = node.clone().into_inner().next()?;
        let written = inner.as_str();
        let literal = match inner.as_rule() {
            Rule::instant => Literal::Instant(one_space(written)),
            Rule::date => Literal::Date(written.to_owned()),
            Rule::time => Literal::Time(written.to_owned()),
            Rule::percent => Literal::Percent(self.kid_number(&inner)?.text),
            Rule::duration => Literal::Duration(self.duration(&inner)?),
            Rule::number => Literal::Number(self.number(&inner).text),
            Rule::string => Literal::Text(text::resolve(written)),
            Rule::boolean => Literal::Boolean(written == "true"),
            _ => return None,
        };
        Some(Expr { kind: ExprKind::Literal(literal), span: self.span(&inner) })
    }
}

/// The child of a node that has so many.
fn only_kid<'n>(node: &Node<'n>, count: usize) -> Option<Node<'n>> {
    let mut children = node.clone().into_inner();
    if children.len() == count { children.next() } else { None }
}

/// Whether an expression holds or does not, by its form.
fn is_condition(kind: &ExprKind) -> bool {
    matches!(
        kind,
        ExprKind::Compare { .. }
            | ExprKind::Between { .. }
            | ExprKind::In { .. }
            | ExprKind::TextTest { .. }
            | ExprKind::IsKnown { .. }
            | ExprKind::Not(_)
            | ExprKind::And(_)
            | ExprKind::Or(_)
    )
}

/// Several parts as one expression, one part as itself.
fn joined(mut parts: Vec<Expr>, span: Span, join: impl Fn(Vec<Expr>) -> ExprKind) -> Expr {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    Expr { kind: join(parts), span }
}

/// Date and time of an instant with one space between.
pub(super) fn one_space(written: &str) -> String {
    let parts: Vec<&str> = written.split_whitespace().collect();
    parts.join(" ")
}

fn comparison_operator(sign: &str) -> Option<Comparison> {
    Some(match sign {
        "=" => Comparison::Equal,
        "!=" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn text_test(words: &str) -> TextTest {
    match words.get(..2) {
        Some("co") => TextTest::Contains,
        Some("st") => TextTest::StartsWith,
        Some("en") => TextTest::EndsWith,
        Some(_) | None => TextTest::Matches,
    }
}
