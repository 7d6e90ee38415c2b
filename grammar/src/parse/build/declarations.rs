//! Declarations other than tests.

use super::Build;
use crate::ast::{
    Defaults, EventDecl, FieldDecl, Item, Let, ProfileDecl, Rate, Rule as RuleDecl, Segment, Suppress, Topic,
    TopicElse, TypeExpr, TypeKind, Use,
};
use crate::parse::grammar::{Node, Rule, has, kid, kids};

impl Build<'_> {
    /// The declaration within an `item`.
    pub(in crate::parse) fn item(&self, item: &Node<'_>) -> Option<Item> {
        let node = &item.clone().into_inner().next()?;
        match node.as_rule() {
            Rule::use_decl => self.use_decl(node).map(Item::Use),
            Rule::event_decl => self.event_decl(node).map(Item::Event),
            Rule::profile_decl => {
                let fields = self.fields(&kid(node, Rule::field_block)?)?;
                Some(Item::Profile(ProfileDecl { fields, span: self.span(node) }))
            }
            Rule::let_decl => self.let_decl(node).map(Item::Let),
            Rule::segment_decl => {
                let name = self.declared(node)?;
                let title = self.inner_text(node, Rule::title);
                let condition = self.kid_expr(node)?;
                Some(Item::Segment(Segment { name, title, condition, span: self.span(node) }))
            }
            Rule::topic_decl => self.topic_decl(node).map(Item::Topic),
            Rule::defaults_decl => {
                let clauses =
                    kids(node, Rule::clause).map(|clause| self.clause(&clause)).collect::<Option<_>>()?;
                Some(Item::Defaults(Defaults { clauses, span: self.span(node) }))
            }
            Rule::suppress_decl => {
                let topic = self.kid_name(node, Rule::name)?;
                let channel = self.inner_name(node, Rule::suppress_on);
                let segment = self.inner_name(node, Rule::segment_name)?;
                Some(Item::Suppress(Suppress { topic, channel, segment, span: self.span(node) }))
            }
            Rule::rule_decl => {
                let name = self.declared(node)?;
                let title = self.inner_text(node, Rule::title);
                let clauses =
                    kids(node, Rule::clause).map(|clause| self.clause(&clause)).collect::<Option<_>>()?;
                let steps = self.steps(node)?;
                Some(Item::Rule(RuleDecl { name, title, clauses, steps, span: self.span(node) }))
            }
            Rule::test_decl => self.test_decl(node).map(Item::Test),
            _ => None,
        }
    }

    fn use_decl(&self, node: &Node<'_>) -> Option<Use> {
        let span = self.span(node);
        match self.kid_name(node, Rule::string) {
            Some(target) => Some(Use { target, is_path: true, span }),
            None => Some(Use { target: self.kid_name(node, Rule::name)?, is_path: false, span }),
        }
    }

    fn event_decl(&self, node: &Node<'_>) -> Option<EventDecl> {
        let fields = self.fields(&kid(node, Rule::field_block)?)?;
        let name = self.kid_name(node, Rule::string)?;
        Some(EventDecl { passive: has(node, Rule::k_passive), name, fields, span: self.span(node) })
    }

    fn fields(&self, block: &Node<'_>) -> Option<Vec<FieldDecl>> {
        let nodes: Vec<_> = kids(block, Rule::field_decl).collect();
        self.separated(&nodes);
        nodes.iter().map(|field| self.field_decl(field)).collect()
    }

    fn field_decl(&self, node: &Node<'_>) -> Option<FieldDecl> {
        let default = match kid(node, Rule::literal) {
            Some(literal) => Some(self.literal(&literal)?),
            None => None,
        };
        Some(FieldDecl {
            name: self.field_name(node)?,
            ty: self.type_expr(&kid(node, Rule::type_expr)?)?,
            optional: has(node, Rule::question),
            default,
        })
    }

    fn type_expr(&self, node: &Node<'_>) -> Option<TypeExpr> {
        let inner = node.clone().into_inner().next()?;
        let kind = match inner.as_rule() {
            Rule::type_list => TypeKind::List(Box::new(self.type_expr(&kid(&inner, Rule::type_expr)?)?)),
            Rule::field_block => TypeKind::Object(self.fields(&inner)?),
            _ => TypeKind::Named(inner.as_str().to_owned()),
        };
        Some(TypeExpr { kind, span: self.span(node) })
    }

    fn let_decl(&self, node: &Node<'_>) -> Option<Let> {
        let name = self.declared(node)?;
        let span = self.span(node);
        let own = kids(node, Rule::expr).map(|expr| self.expr(&expr)).collect::<Option<Vec<_>>>()?;
        let mut own = own.into_iter();
        let (first, condition) = (own.next()?, own.next());
        let Some(condition) = condition else {
            return Some(Let { name, arms: Vec::new(), value: Some(first), span });
        };
        let mut arms = vec![(first, condition)];
        for arm in kids(node, Rule::let_arm) {
            let mut parts = kids(&arm, Rule::expr);
            arms.push((self.expr(&parts.next()?)?, self.expr(&parts.next()?)?));
        }
        let value = match kid(node, Rule::let_otherwise) {
            Some(otherwise) => Some(self.kid_expr(&otherwise)?),
            None => None,
        };
        Some(Let { name, arms, value, span })
    }

    fn topic_decl(&self, node: &Node<'_>) -> Option<Topic> {
        let nodes: Vec<_> = kids(node, Rule::rate).collect();
        self.separated(&nodes);
        let rates = nodes.iter().map(|rate| self.rate(rate)).collect::<Option<_>>()?;
        let otherwise = match kid(node, Rule::topic_else) {
            Some(other) if has(&other, Rule::k_skip) => Some(TopicElse::Skip(self.span(&other))),
            Some(other) => Some(TopicElse::Hold(self.kid_duration(&other)?, self.span(&other))),
            None => None,
        };
        Some(Topic {
            name: self.declared(node)?,
            title: self.inner_text(node, Rule::title),
            within: self.inner_name(node, Rule::topic_within),
            rates,
            otherwise,
            span: self.span(node),
        })
    }

    fn rate(&self, node: &Node<'_>) -> Option<Rate> {
        Some(Rate {
            channel: self.inner_name(node, Rule::channel),
            count: self.kid_number(node)?,
            per: self.kid_duration(node)?,
            span: self.span(node),
        })
    }
}
