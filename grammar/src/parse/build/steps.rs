//! Actions, waits and what messages say.

use super::Build;
use crate::ast::{
    Arm, Content, ContentValue, Duration, Expr, ExprKind, FileRef, Literal, Name, Step, StepKind, WaitFor,
    WaitUntil, WaitWhat,
};
use crate::parse::grammar::{Node, Rule, has, kid, kids};

impl Build<'_> {
    /// The steps among the children of a rule or block.
    pub(super) fn steps(&self, node: &Node<'_>) -> Option<Vec<Step>> {
        kids(node, Rule::step).map(|step| self.step(&step)).collect()
    }

    fn step(&self, node: &Node<'_>) -> Option<Step> {
        let inner = node.clone().into_inner().next()?;
        Some(Step { kind: self.step_kind(&inner)?, span: self.span(node) })
    }

    fn step_kind(&self, node: &Node<'_>) -> Option<StepKind> {
        let name = || self.kid_name(node, Rule::name);
        Some(match node.as_rule() {
            Rule::send => {
                StepKind::Send { channel: name()?, content: self.content(&kid(node, Rule::content)?)? }
            }
            Rule::reply => StepKind::Reply { content: self.content(&kid(node, Rule::content)?)? },
            Rule::call_hook => StepKind::Call {
                hook: name()?,
                fields: match kid(node, Rule::content_fields) {
                    Some(fields) => self.content_fields(&fields)?,
                    None => Vec::new(),
                },
            },
            Rule::wait => self.wait(node)?,
            Rule::if_step => self.if_step(node)?,
            Rule::split => {
                StepKind::Split(kids(node, Rule::split_arm).map(|arm| self.arm(&arm)).collect::<Option<_>>()?)
            }
            Rule::set => StepKind::Set { field: self.kid_path(node)?, value: self.kid_expr(node)? },
            Rule::grant => {
                StepKind::GrantConsent { channel: name()?, topic: self.inner_name(node, Rule::consent_topic) }
            }
            Rule::withdraw => StepKind::WithdrawConsent {
                channel: name()?,
                topic: self.inner_name(node, Rule::consent_topic),
            },
            Rule::emit => StepKind::Emit {
                event: self.kid_name(node, Rule::string)?,
                fields: match kid(node, Rule::pairs) {
                    Some(pairs) => self.pairs(&pairs)?,
                    None => Vec::new(),
                },
            },
            Rule::k_stop => StepKind::Stop,
            _ => return None,
        })
    }

    fn if_step(&self, node: &Node<'_>) -> Option<StepKind> {
        let arms = kids(node, Rule::if_arm)
            .map(|arm| Some((self.kid_expr(&arm)?, self.block(&arm)?)))
            .collect::<Option<_>>()?;
        let otherwise = match kid(node, Rule::block) {
            Some(block) => Some(self.steps(&block)?),
            None => None,
        };
        Some(StepKind::If { arms, otherwise })
    }

    fn pairs(&self, node: &Node<'_>) -> Option<Vec<(Name, Expr)>> {
        let nodes: Vec<_> = kids(node, Rule::pair).collect();
        self.separated(&nodes);
        nodes.iter().map(|pair| Some((self.field_name(pair)?, self.kid_expr(pair)?))).collect()
    }

    fn block(&self, node: &Node<'_>) -> Option<Vec<Step>> {
        self.steps(&kid(node, Rule::block)?)
    }

    fn arm(&self, node: &Node<'_>) -> Option<Arm> {
        Some(Arm { name: self.declared(node)?, share: self.percent(node)?, steps: self.block(node)? })
    }

    fn wait(&self, node: &Node<'_>) -> Option<StepKind> {
        if let Some(plain) = kid(node, Rule::wait_plain) {
            return Some(StepKind::Wait { duration: self.kid_duration(&plain)?, at: self.at_time(&plain) });
        }
        if let Some(until) = kid(node, Rule::wait_until) {
            return Some(StepKind::WaitUntil(self.wait_until(&until)?));
        }
        let node = kid(node, Rule::wait_for)?;
        let mut blocks = kids(&node, Rule::block).map(|block| self.steps(&block));
        let steps = blocks.next()??;
        let otherwise = match blocks.next() {
            Some(steps) => Some(steps?),
            None => None,
        };
        let what = self.wait_what(&node)?;
        Some(StepKind::WaitFor(WaitFor { up_to: self.kid_duration(&node)?, what, steps, otherwise }))
    }

    fn wait_what(&self, node: &Node<'_>) -> Option<WaitWhat> {
        if let Some(event) = kid(node, Rule::wait_event) {
            let pattern = self.pattern(&kid(&event, Rule::pattern)?)?;
            return Some(WaitWhat::Event { pattern, of_this_run: has(&event, Rule::k_of_this_run) });
        }
        let engagement = kid(node, Rule::engagement)?;
        let filter = match kid(&engagement, Rule::where_part) {
            Some(part) => Some(self.where_part(&part)?),
            None => None,
        };
        Some(WaitWhat::Engagement { word: self.kid_name(&engagement, Rule::engagement_word)?, filter })
    }

    fn wait_until(&self, node: &Node<'_>) -> Option<WaitUntil> {
        if let Some(time) = self.kid_name(node, Rule::time) {
            return Some(WaitUntil::Time(time));
        }
        if let Some(day) = kid(node, Rule::wait_weekday) {
            return Some(WaitUntil::Weekday(
                self.kid_name(&day, Rule::weekday)?,
                self.kid_name(&day, Rule::time)?,
            ));
        }
        let moment = kid(node, Rule::wait_moment)?;
        let offset = match kid(&moment, Rule::before_after) {
            Some(offset) => Some(self.before_after(&offset)?),
            None => None,
        };
        Some(WaitUntil::Moment { offset, value: self.kid_expr(&moment)?, at: self.at_time(&moment) })
    }

    /// `3 days before`: the duration, and whether it is before.
    pub(super) fn before_after(&self, node: &Node<'_>) -> Option<(Duration, bool)> {
        Some((self.kid_duration(node)?, has(node, Rule::k_before)))
    }

    fn content(&self, node: &Node<'_>) -> Option<Content> {
        let inner = node.clone().into_inner().next()?;
        Some(match inner.as_rule() {
            Rule::string => Content::Template(self.name(&inner)),
            Rule::content_fields => Content::Fields(self.content_fields(&inner)?, self.span(&inner)),
            Rule::file_ref => Content::File(self.file_ref(&inner)?),
            _ => return None,
        })
    }

    fn content_fields(&self, node: &Node<'_>) -> Option<Vec<(Name, ContentValue)>> {
        let nodes: Vec<_> = kids(node, Rule::content_pair).collect();
        self.separated(&nodes);
        nodes.iter().map(|pair| Some((self.field_name(pair)?, self.content_value(pair)?))).collect()
    }

    fn content_value(&self, pair: &Node<'_>) -> Option<ContentValue> {
        if let Some(file) = kid(pair, Rule::file_ref) {
            return self.file_ref(&file).map(ContentValue::File);
        }
        if let Some(fields) = kid(pair, Rule::content_fields) {
            return Some(ContentValue::Object(self.content_fields(&fields)?, self.span(&fields)));
        }
        let value = self.kid_expr(pair)?;
        Some(match value.kind {
            ExprKind::Literal(Literal::Text(text)) => ContentValue::Template(Name { text, span: value.span }),
            kind => ContentValue::Value(Expr { kind, span: value.span }),
        })
    }

    fn file_ref(&self, node: &Node<'_>) -> Option<FileRef> {
        let by = match kid(node, Rule::file_by) {
            Some(by) => Some((self.kid_expr(&by)?, self.kid_name(&by, Rule::string)?)),
            None => None,
        };
        Some(FileRef { name: self.kid_name(node, Rule::string)?, by, span: self.span(node) })
    }
}
