//! Rules in words: their parts, each by itself.

use super::{Words, digest, duration};
use crate::limits::LATE_AFTER;
use crate::time::Distance;
use crate::typed::{
    About, Content, ContentValue, Expr, Limit, Overlap, Quiet, Rule, Step, StepKind, StopWhen, TemplateId,
    Trigger, Until, wait::WEEKDAYS,
};

impl Words<'_> {
    /// What triggers a rule.
    #[must_use]
    pub fn trigger(&self, trigger: Trigger) -> String {
        match trigger {
            Trigger::Sequence(id) => self.sequence_of(id),
            Trigger::Enters(id) => format!("enters {}", self.segment(id)),
            Trigger::Leaves(id) => format!("leaves {}", self.segment(id)),
            Trigger::Schedule(id) => {
                let schedule = self.program.schedules.get(id.0 as usize);
                schedule.map_or_else(String::new, |schedule| schedule.words(self.program))
            }
            Trigger::Former { sequence, version: _ } => {
                sequence.map_or_else(String::new, |id| self.sequence_of(id))
            }
        }
    }

    /// What a rule says, part by part, each by its first words; a part that it does not say is empty.
    #[must_use]
    pub fn parts(&self, rule: &Rule) -> Vec<(&'static str, String)> {
        let Rule {
            name: _,
            title: _,
            trigger,
            only_if,
            still_if,
            stop_when,
            limit,
            overlap,
            topic,
            transactional,
            quiet,
            holdout,
            goal,
            priority,
            was: _,
            start_cold,
            late_after,
            steps,
        } = rule;
        let asked = |condition: &Option<Expr>| {
            condition.as_ref().map_or_else(String::new, |condition| self.expression(condition))
        };
        let limit = match limit {
            None => String::new(),
            Some(Limit::Once) => "once".to_owned(),
            Some(Limit::Per { count, per }) => format!("{count} per {}", duration(*per)),
        };
        let overlap = match overlap {
            Overlap::Skip => String::new(),
            Overlap::Restart => "restart".to_owned(),
            Overlap::Per(path) => format!("per {}", super::path(path)),
        };
        let stop_when = match stop_when {
            None => String::new(),
            Some(StopWhen::Event(pattern)) => self.pattern(pattern),
            Some(StopWhen::Condition(condition)) => self.expression(condition),
        };
        vec![
            ("when", self.trigger(*trigger)),
            ("only if", asked(only_if)),
            ("still if", asked(still_if)),
            ("stop when", stop_when),
            ("limit", limit),
            ("overlap", overlap),
            ("topic", topic.map_or_else(String::new, |topic| self.topic(topic).to_string())),
            ("transactional", if *transactional { "yes" } else { "" }.to_owned()),
            ("quiet", quiet.iter().map(|quiet| self.quiet(quiet)).collect::<Vec<_>>().join(", ")),
            ("holdout", holdout.map_or_else(String::new, |share| format!("{share:?}"))),
            (
                "goal",
                goal.as_ref().map_or_else(String::new, |goal| {
                    format!("{} within {}", self.pattern(&goal.pattern), duration(goal.within))
                }),
            ),
            ("priority", if *priority == 0 { String::new() } else { priority.to_string() }),
            ("start cold", if *start_cold { "yes" } else { "" }.to_owned()),
            (
                "late",
                match late_after {
                    Some(LATE_AFTER) => String::new(),
                    Some(after) => format!("after {}", duration(*after)),
                    None => "never".to_owned(),
                },
            ),
            ("steps", self.steps(steps)),
        ]
    }

    fn quiet(&self, quiet: &Quiet) -> String {
        let Quiet { from, to, days, condition, skip, spread } = quiet;
        let named: Vec<&str> =
            WEEKDAYS.iter().zip(days).filter(|(_, on)| **on).map(|(name, _)| *name).collect();
        let whom = condition.as_ref().map(|condition| format!(" where {}", self.expression(condition)));
        let skip = if *skip { " else skip" } else { "" };
        let spread = if *spread == 0 { String::new() } else { format!(" then spread {}", duration(*spread)) };
        let (days, whom) = (named.join(", "), whom.unwrap_or_default());
        format!("{} to {} on {days}{whom}{skip}{spread}", clock(*from), clock(*to))
    }

    fn steps(&self, steps: &[Step]) -> String {
        steps.iter().map(|step| self.step(&step.kind)).collect::<Vec<_>>().join("\n")
    }

    fn step(&self, step: &StepKind) -> String {
        match step {
            StepKind::Send { channel, to, content } => {
                let to = to.as_ref().map(|to| format!(" to {}", self.content_value(to)));
                format!("send {channel}{} {}", to.unwrap_or_default(), self.content(content))
            }
            StepKind::Call { hook, payload } => format!("call {hook} {}", self.content(payload)),
            StepKind::Set { field, value } => {
                format!("set {} = {}", self.profile(*field, &[]), self.expression(value))
            }
            StepKind::SetConsent { channel, topic, granted } => {
                let word = if *granted { "grant" } else { "withdraw" };
                let topic = topic.map(|topic| format!(" {}", self.topic(topic))).unwrap_or_default();
                format!("{word} consent {channel}{topic}")
            }
            StepKind::Emit { event, fields } => {
                let name = self.program.events.get(event.0 as usize).map_or("", |event| &*event.name);
                let fields = fields.iter().map(|(name, value)| format!("{name}: {}", self.expression(value)));
                format!("emit {name:?} {{ {} }}", fields.collect::<Vec<_>>().join(", "))
            }
            StepKind::If { arms, otherwise } => {
                let arms = arms.iter().map(|(condition, steps)| {
                    format!("if {} {{ {} }} ", self.expression(condition), self.steps(steps))
                });
                format!("{}otherwise {{ {} }}", arms.collect::<String>(), self.steps(otherwise))
            }
            StepKind::Reply { channel, to, content } => {
                let to = to.as_ref().map(|to| format!(" to {}", self.content_value(to)));
                let channel = self.expression(channel);
                format!("reply by {channel}{} {}", to.unwrap_or_default(), self.content(content))
            }
            StepKind::Wait(until) => self.wait(until),
            StepKind::WaitFor { up_to, what, steps, otherwise } => {
                let about = match what.about {
                    About::Anything => "",
                    About::Message => " of this run",
                    About::MessageOrChannel => " of this run or its channel",
                };
                let (up_to, what) = (duration(*up_to), self.pattern(&what.pattern));
                let (steps, otherwise) = (self.steps(steps), self.steps(otherwise));
                format!("wait up to {up_to} for {what}{about} {{ {steps} }} otherwise {{ {otherwise} }}")
            }
            StepKind::Split(arms) => {
                let arms = arms.iter().map(|arm| {
                    format!("{} {} of a million {{ {} }}", arm.name, arm.share.0, self.steps(&arm.steps))
                });
                format!("split {{ {} }}", arms.collect::<Vec<_>>().join(" "))
            }
            StepKind::Stop => "stop".to_owned(),
        }
    }

    fn wait(&self, until: &Until<Expr>) -> String {
        match until {
            Until::For(length) => format!("wait {}", duration(*length)),
            Until::Days { days, at } => format!("wait {days} days at {}", clock(*at)),
            Until::Clock { weekday, at } => {
                let day = weekday.and_then(|day| WEEKDAYS.get(usize::try_from(day).ok()?));
                let day = day.map(|day| format!("{day} ")).unwrap_or_default();
                format!("wait until {day}{}", clock(*at))
            }
            Until::Moment { value, offset, at } => {
                let offset = match offset {
                    Distance::Days(0) => String::new(),
                    offset => format!("{offset} "),
                };
                let at = at.map(|at| format!(" at {}", clock(at))).unwrap_or_default();
                format!("wait until {offset}{}{at}", self.expression(value))
            }
        }
    }

    fn content(&self, content: &Content) -> String {
        let fields = content.iter().map(|(name, value)| format!("{name}: {}", self.content_value(value)));
        format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
    }

    fn content_value(&self, value: &ContentValue) -> String {
        match value {
            ContentValue::Template(id) => self.template(*id),
            ContentValue::Value(value) => self.expression(value),
            ContentValue::Variant { by, variants, otherwise } => {
                let variants = variants.iter().map(|(name, id)| format!("{name}: {}", self.template(*id)));
                let variants = variants.collect::<Vec<_>>().join(", ");
                format!("{{ {variants} }} by {} else {}", self.expression(by), self.template(*otherwise))
            }
            ContentValue::Object(content) => self.content(content),
        }
    }

    /// A template, with the meaning of the named values that it reads.
    fn template(&self, id: TemplateId) -> String {
        let Some(template) = self.program.templates.get(id.0 as usize) else { return String::new() };
        if self.exact.is_none() {
            return format!("{:?}", &*template.source);
        }
        let lets: Vec<String> = template.lets.iter().map(|id| self.definition(*id)).collect();
        digest(&format!("{} {} {}", template.html, lets.join(" "), template.source))
    }
}

fn clock(minutes: i64) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}
