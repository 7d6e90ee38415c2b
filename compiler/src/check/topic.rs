//! Topics and what is suppressed of them.

use super::{Checker, resolve::circle};
use crate::{
    diagnostics::rules,
    limits::MAX_LIMIT_COUNT,
    typed::{Rate, Topic},
};
use segue_grammar::ast::{self, Item};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

impl Checker<'_> {
    /// Topics, each after the one that it lies within. One that lies within itself is reported, and then counts as one
    /// that lies within none.
    pub(super) fn topics(&mut self, items: &[&Item]) {
        let mut open: Vec<&ast::Topic> = items
            .iter()
            .filter_map(|item| if let Item::Topic(topic) = item { Some(topic) } else { None })
            .collect();
        let mut within: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for topic in &open {
            let around = topic.within.iter().map(|around| around.text.clone()).collect();
            within.entry(topic.name.text.clone()).or_insert(around);
        }
        let mut endless: BTreeSet<&str> = BTreeSet::new();
        for topic in &open {
            if let Some(way) = circle(&topic.name.text, &within) {
                self.report(rules::definition_cycle(topic.name.span, "topic", &topic.name.text, &way));
                endless.insert(&topic.name.text);
            }
        }
        while !open.is_empty() {
            let is_ready = |topic: &&ast::Topic| {
                let around = topic.within.as_ref().filter(|_| !endless.contains(topic.name.text.as_str()));
                around.is_none_or(|it| !within.contains_key(&it.text) || self.topic_id(&it.text).is_some())
            };
            // INVARIANT: without those in circles, one is always ready.
            let Some(position) = open.iter().position(is_ready) else { return };
            let topic = open.remove(position);
            let around = topic.within.as_ref().filter(|_| !endless.contains(topic.name.text.as_str()));
            let within = around.and_then(|around| self.topic(around));
            let rates = topic.rates.iter().filter_map(|rate| self.rate(rate)).collect();
            let hold = match &topic.otherwise {
                Some(ast::TopicElse::Hold(length, _)) => self.duration(length),
                _ => None,
            };
            let name = Arc::from(topic.name.text.as_str());
            self.program.topics.push(Topic { name, within, rates, hold });
        }
    }

    fn rate(&mut self, rate: &ast::Rate) -> Option<Rate> {
        let (count, per) = (self.count(&rate.count, 1, MAX_LIMIT_COUNT), self.duration(&rate.per));
        rate.channel.iter().for_each(|channel| self.channel(channel));
        let channel = rate.channel.as_ref().map(|channel| Arc::from(channel.text.as_str()));
        Some(Rate { channel, count: count?, per: per? })
    }
}
