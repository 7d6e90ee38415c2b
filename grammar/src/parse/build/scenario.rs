//! Tests and their statements.

use super::Build;
use super::expr::one_space;
use crate::ast::{ExpectedAction, Expr, ExprKind, Literal, Moment, Name, Statement, StatementKind, Test};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::parse::grammar::{Node, Rule, has, kid, kids};

impl Build<'_> {
    /// A `test_decl`.
    pub(super) fn test_decl(&self, node: &Node<'_>) -> Option<Test> {
        let nodes: Vec<_> = kids(node, Rule::statement).collect();
        self.separated(&nodes);
        let statements = nodes.iter().map(|statement| self.statement(statement)).collect::<Option<_>>()?;
        Some(Test { title: self.kid_name(node, Rule::string)?, statements, span: self.span(node) })
    }

    fn statement(&self, node: &Node<'_>) -> Option<Statement> {
        let inner = node.clone().into_inner().next()?;
        let kind = match inner.as_rule() {
            Rule::customer => StatementKind::Customer {
                name: self.declared(&inner)?,
                fields: match kid(&inner, Rule::literal_object) {
                    Some(fields) => self.literal_object(&fields)?,
                    None => Vec::new(),
                },
            },
            Rule::event_at => StatementKind::Event {
                at: self.kid_moment(&inner)?,
                customer: self.kid_name(&inner, Rule::name)?,
                event: self.kid_name(&inner, Rule::string)?,
                fields: match kid(&inner, Rule::literal_object) {
                    Some(fields) => self.literal_object(&fields)?,
                    None => Vec::new(),
                },
            },
            Rule::expect => self.expect(&inner)?,
            Rule::k_holdout_on => StatementKind::HoldoutOn,
            _ => return None,
        };
        Some(Statement { kind, span: self.span(node) })
    }

    fn kid_moment(&self, node: &Node<'_>) -> Option<Moment> {
        let moment = kid(node, Rule::moment)?;
        match kid(&moment, Rule::plus_duration) {
            Some(plus) => Some(Moment::After(self.kid_duration(&plus)?)),
            None => {
                let name = self.kid_name(&moment, Rule::instant)?;
                Some(Moment::Instant(Name { text: one_space(&name.text), span: name.span }))
            }
        }
    }

    fn expect(&self, node: &Node<'_>) -> Option<StatementKind> {
        if let Some(nothing) = kid(node, Rule::expect_nothing) {
            let (until, duration) = (self.kid_moment(&nothing), self.kid_duration(&nothing));
            return Some(StatementKind::ExpectNothing { until, duration });
        }
        let node = kid(node, Rule::expect_other)?;
        let subject = self.kid_name(&node, Rule::name)?;
        let customer = self.inner_name(&node, Rule::expect_for);
        let at = match kid(&node, Rule::expect_at) {
            Some(at) => Some(self.kid_moment(&at)?),
            None => None,
        };
        let outcome = node.clone().into_inner().last()?;
        let name = || self.kid_name(&outcome, Rule::name);
        let action = match outcome.as_rule() {
            Rule::to_send => ExpectedAction::Send(name()?),
            Rule::to_call => ExpectedAction::Call(name()?),
            Rule::to_reply => ExpectedAction::Reply,
            Rule::to_set => ExpectedAction::Set {
                field: self.kid_path(&outcome)?,
                value: match kid(&outcome, Rule::literal_value) {
                    Some(value) => Some(Box::new(self.literal_value(&value)?)),
                    None => None,
                },
            },
            Rule::to_emit => ExpectedAction::Emit(self.kid_name(&outcome, Rule::string)?),
            Rule::to_grant | Rule::to_withdraw => ExpectedAction::Consent {
                channel: name()?,
                topic: self.inner_name(&outcome, Rule::expected_topic),
                granted: outcome.as_rule() == Rule::to_grant,
            },
            Rule::to_be => {
                let held = has(&outcome, Rule::k_held);
                let reason = self.inner_name(&outcome, Rule::reason);
                return Some(StatementKind::ExpectOutcome { rule: subject, customer, at, held, reason });
            }
            Rule::to_enter | Rule::to_leave => {
                let enter = outcome.as_rule() == Rule::to_enter;
                if let Some(other) = customer {
                    let said = "a customer enters or leaves; `for` belongs to what a rule does";
                    self.say(Diagnostic::error(codes::SYNTAX, other.span, said).help("leave it out"));
                }
                return Some(StatementKind::ExpectSegment { customer: subject, at, enter, segment: name()? });
            }
            _ => return None,
        };
        let containing = self.inner_text(&outcome, Rule::containing);
        Some(StatementKind::ExpectAction { rule: subject, customer, at, action, containing })
    }

    fn literal_object(&self, node: &Node<'_>) -> Option<Vec<(Name, Expr)>> {
        let nodes: Vec<_> = kids(node, Rule::literal_pair).collect();
        self.separated(&nodes);
        nodes
            .iter()
            .map(|pair| Some((self.field_name(pair)?, self.literal_value(&kid(pair, Rule::literal_value)?)?)))
            .collect()
    }

    fn literal_value(&self, node: &Node<'_>) -> Option<Expr> {
        let inner = node.clone().into_inner().next()?;
        let literal = match inner.as_rule() {
            Rule::literal_object => Literal::Object(self.literal_object(&inner)?),
            Rule::literal_list => Literal::List(
                kids(&inner, Rule::literal_value)
                    .map(|value| self.literal_value(&value))
                    .collect::<Option<_>>()?,
            ),
            _ => return self.literal(&inner),
        };
        Some(Expr { kind: ExprKind::Literal(literal), span: self.span(&inner) })
    }
}
