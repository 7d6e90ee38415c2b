//! Channels that are named where nothing is sent: a slip of the pen there would change nothing, and nobody would notice.

use super::Checker;
use crate::diagnostics::names;
use segue_grammar::ast::{self, Item, StepKind};
use std::collections::BTreeSet;

/// The channels with an address in the profile.
pub(super) const WITH_ADDRESS: [&str; 3] = ["sms", "email", "push"];

impl Checker<'_> {
    /// Notes the channels that a project knows: those with an address, and those that some rule sends on.
    pub(super) fn known_channels(&mut self, items: &[&Item]) {
        self.channels = WITH_ADDRESS.map(str::to_owned).into();
        for item in items {
            if let Item::Rule(rule) = item {
                sent_on(&rule.steps, &mut self.channels);
            }
        }
    }

    /// Says so where nothing is ever sent on a channel.
    pub(super) fn channel(&mut self, channel: &ast::Name) {
        if !self.channels.contains(&channel.text) {
            let known: Vec<&str> = self.channels.iter().map(String::as_str).collect();
            self.report(names::silent_channel(channel.span, &channel.text, &known));
        }
    }

    /// The channel of `grant consent` and `withdraw consent`, where one may think that the topic is enough.
    pub(super) fn channel_of_consent(
        &mut self,
        channel: &ast::Name,
        granted: bool,
        has_topic: bool,
    ) -> Option<()> {
        if !has_topic && !self.channels.contains(&channel.text) && self.topic_id(&channel.text).is_some() {
            self.report(names::topic_for_channel(channel.span, &channel.text, granted));
            return None;
        }
        self.channel(channel);
        Some(())
    }
}

/// Adds the channels that steps send on.
fn sent_on(steps: &[ast::Step], found: &mut BTreeSet<String>) {
    for step in steps {
        match &step.kind {
            StepKind::Send { channel, .. } => {
                found.insert(channel.text.clone());
            }
            StepKind::If { arms, otherwise } => {
                arms.iter().for_each(|(_, steps)| sent_on(steps, found));
                sent_on(otherwise.as_deref().unwrap_or_default(), found);
            }
            StepKind::WaitFor(wait) => {
                sent_on(&wait.steps, found);
                sent_on(wait.otherwise.as_deref().unwrap_or_default(), found);
            }
            StepKind::Split(arms) => arms.iter().for_each(|arm| sent_on(&arm.steps, found)),
            StepKind::Reply { .. }
            | StepKind::Call { .. }
            | StepKind::Set { .. }
            | StepKind::GrantConsent { .. }
            | StepKind::WithdrawConsent { .. }
            | StepKind::Emit { .. }
            | StepKind::Wait { .. }
            | StepKind::WaitUntil(_)
            | StepKind::Stop => {}
        }
    }
}
