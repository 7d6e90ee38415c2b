//! The graph of nodes, in which equal nodes are one.

use crate::{
    plan::{Node, NodeId, TextId},
    value::Value,
};
use std::{collections::HashMap, sync::Arc};

/// Nodes and constants under construction.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) texts: Vec<Arc<str>>,
    pub(super) patterns: Vec<Arc<str>>,
    known: HashMap<Node, NodeId>,
    known_texts: HashMap<Arc<str>, TextId>,
}

impl Graph {
    /// The node, made if it is new.
    pub(super) fn node(&mut self, node: Node) -> NodeId {
        if let Some(id) = self.known.get(&node) {
            return *id;
        }
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(node.clone());
        self.known.insert(node, id);
        id
    }

    pub(super) fn get(&self, id: NodeId) -> &Node {
        self.nodes.get(id.0 as usize).unwrap_or(&Node::Missing)
    }

    pub(super) fn constant(&mut self, holds: bool) -> NodeId {
        self.node(Node::Constant(holds))
    }

    /// The negation; that of a constant or of a negation is simplified.
    pub(super) fn not(&mut self, condition: NodeId) -> NodeId {
        match *self.get(condition) {
            Node::Constant(holds) => self.constant(!holds),
            Node::Not(inner) => inner,
            _ => self.node(Node::Not(condition)),
        }
    }

    /// The conjunction; constants are simplified.
    pub(super) fn and(&mut self, conditions: Vec<NodeId>) -> NodeId {
        let mut kept = Vec::new();
        for condition in conditions {
            match *self.get(condition) {
                Node::Constant(true) => {}
                Node::Constant(false) => return condition,
                _ if kept.contains(&condition) => {}
                _ => kept.push(condition),
            }
        }
        match kept.as_slice() {
            [] => self.constant(true),
            [single] => *single,
            _ => self.node(Node::And(kept)),
        }
    }

    /// The disjunction; constants are simplified.
    pub(super) fn or(&mut self, conditions: Vec<NodeId>) -> NodeId {
        let mut kept = Vec::new();
        for condition in conditions {
            match *self.get(condition) {
                Node::Constant(false) => {}
                Node::Constant(true) => return condition,
                _ if kept.contains(&condition) => {}
                _ => kept.push(condition),
            }
        }
        match kept.as_slice() {
            [] => self.constant(false),
            [single] => *single,
            _ => self.node(Node::Or(kept)),
        }
    }

    /// The number of a text constant.
    pub(super) fn text(&mut self, text: &str) -> TextId {
        if let Some(id) = self.known_texts.get(text) {
            return *id;
        }
        let id = TextId(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        let text: Arc<str> = Arc::from(text);
        self.texts.push(text.clone());
        self.known_texts.insert(text, id);
        id
    }

    /// The number of a regular expression.
    pub(super) fn pattern(&mut self, pattern: &str) -> u32 {
        let known = self.patterns.iter().position(|other| **other == *pattern);
        let position = known.unwrap_or_else(|| {
            self.patterns.push(Arc::from(pattern));
            self.patterns.len() - 1
        });
        u32::try_from(position).unwrap_or(u32::MAX)
    }

    /// A constant of the source.
    pub(super) fn literal(&mut self, value: &Value) -> NodeId {
        match value {
            Value::Text(text) => {
                let id = self.text(text);
                self.node(Node::Text(id))
            }
            // Lists and objects are no literals of conditions or values, only of tests.
            Value::Missing | Value::List(_) | Value::Object(_) => self.node(Node::Missing),
            Value::Boolean(_) | Value::Number(_) | Value::Time(_) | Value::Date(_) | Value::Duration(_) => {
                let word = crate::plan::Class::word(value).unwrap_or(0);
                self.node(Node::Word(word))
            }
        }
    }
}

impl Graph {
    /// How a value's word is read.
    pub(super) fn class(&self, id: NodeId) -> crate::plan::Class {
        self.get(id).class(&|id| self.get(id))
    }
}
