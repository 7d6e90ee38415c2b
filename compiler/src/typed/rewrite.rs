//! Goes through parts of a program to change them.

use super::{
    Content, ContentValue, EventId, EventSet, Expr, ExprKind, FieldId, Occurrence, Pattern, Program, Rule,
    Step, StepKind, StopWhen, TemplateId, TopicId, Until,
};

/// What is done to the parts. Expressions are given from the outside in; whoever takes one also sees to what is in it.
pub trait Rewrite {
    /// An expression.
    fn expression(&mut self, expr: &mut Expr) {
        parts(expr, self);
    }

    /// An event.
    fn event(&mut self, _: &mut EventId) {}

    /// A field of the profile.
    fn field(&mut self, _: &mut FieldId) {}

    /// A topic.
    fn topic(&mut self, _: &mut TopicId) {}

    /// A template.
    fn template(&mut self, _: &mut TemplateId) {}
}

/// Every expression of a program.
pub fn program(program: &mut Program, rewrite: &mut impl Rewrite) {
    for definition in &mut program.lets {
        for (value, condition) in &mut definition.arms {
            rewrite.expression(value);
            rewrite.expression(condition);
        }
        rewrite.expression(&mut definition.value);
    }
    program.segments.iter_mut().for_each(|segment| rewrite.expression(&mut segment.condition));
    program.held.iter_mut().for_each(|held| rewrite.expression(&mut held.condition));
    program.rules.iter_mut().for_each(|it| rule(it, rewrite));
}

/// Everything that a rule says, but for its trigger.
pub fn rule(rule: &mut Rule, rewrite: &mut (impl Rewrite + ?Sized)) {
    for condition in [&mut rule.only_if, &mut rule.still_if].into_iter().flatten() {
        rewrite.expression(condition);
    }
    match &mut rule.stop_when {
        Some(StopWhen::Event(stop)) => pattern(stop, rewrite),
        Some(StopWhen::Condition(condition)) => rewrite.expression(condition),
        None => {}
    }
    for condition in rule.quiet.iter_mut().filter_map(|quiet| quiet.condition.as_mut()) {
        rewrite.expression(condition);
    }
    if let Some(goal) = &mut rule.goal {
        pattern(&mut goal.pattern, rewrite);
    }
    if let Some(topic) = &mut rule.topic {
        rewrite.topic(topic);
    }
    steps(&mut rule.steps, rewrite);
}

fn steps(list: &mut [Step], rewrite: &mut (impl Rewrite + ?Sized)) {
    for step in list {
        match &mut step.kind {
            StepKind::Send { channel: _, to, content: fields } => {
                to.iter_mut().for_each(|to| content_value(to, rewrite));
                content(fields, rewrite);
            }
            StepKind::Call { hook: _, payload } => content(payload, rewrite),
            StepKind::Set { field, value } => {
                rewrite.field(field);
                rewrite.expression(value);
            }
            StepKind::SetConsent { channel: _, topic, granted: _ } => {
                topic.iter_mut().for_each(|topic| rewrite.topic(topic));
            }
            StepKind::Emit { event, fields } => {
                rewrite.event(event);
                fields.iter_mut().for_each(|(_, value)| rewrite.expression(value));
            }
            StepKind::If { arms, otherwise } => {
                for (condition, list) in arms {
                    rewrite.expression(condition);
                    steps(list, rewrite);
                }
                steps(otherwise, rewrite);
            }
            StepKind::Reply { channel, to, content: fields } => {
                rewrite.expression(channel);
                to.iter_mut().for_each(|to| content_value(to, rewrite));
                content(fields, rewrite);
            }
            StepKind::WaitFor { up_to: _, what, steps: list, otherwise } => {
                pattern(&mut what.pattern, rewrite);
                steps(list, rewrite);
                steps(otherwise, rewrite);
            }
            StepKind::Split(arms) => arms.iter_mut().for_each(|arm| steps(&mut arm.steps, rewrite)),
            StepKind::Wait(Until::Moment { value, .. }) => rewrite.expression(value),
            StepKind::Wait(Until::For(_) | Until::Days { .. } | Until::Clock { .. }) | StepKind::Stop => {}
        }
    }
}

fn content(fields: &mut Content, rewrite: &mut (impl Rewrite + ?Sized)) {
    fields.iter_mut().for_each(|(_, value)| content_value(value, rewrite));
}

fn content_value(value: &mut ContentValue, rewrite: &mut (impl Rewrite + ?Sized)) {
    match value {
        ContentValue::Template(id) => rewrite.template(id),
        ContentValue::Value(value) => rewrite.expression(value),
        ContentValue::Variant { by, variants, otherwise } => {
            rewrite.expression(by);
            variants.iter_mut().for_each(|(_, id)| rewrite.template(id));
            rewrite.template(otherwise);
        }
        ContentValue::Object(fields) => content(fields, rewrite),
    }
}

/// A pattern: its events and its filter.
pub fn pattern(pattern: &mut Pattern, rewrite: &mut (impl Rewrite + ?Sized)) {
    if let EventSet::Of(events) = &mut pattern.events {
        events.iter_mut().for_each(|event| rewrite.event(event));
        events.sort_unstable();
    }
    if let Some(filter) = &mut pattern.filter {
        rewrite.expression(filter);
    }
}

/// What is in an expression.
pub fn parts(expr: &mut Expr, rewrite: &mut (impl Rewrite + ?Sized)) {
    match &mut expr.kind {
        ExprKind::Literal(_)
        | ExprKind::Field { .. }
        | ExprKind::Let(_)
        | ExprKind::InSegment(_)
        | ExprKind::NoActivity(_)
        | ExprKind::KnownFor(_)
        | ExprKind::Did { what: Occurrence::Sequence(_), .. } => {}
        ExprKind::Profile { field, path: _ } => rewrite.field(field),
        ExprKind::Consent { channel: _, topic } => topic.iter_mut().for_each(|topic| rewrite.topic(topic)),
        ExprKind::Call { function: _, arguments: list }
        | ExprKind::And(list)
        | ExprKind::Or(list)
        | ExprKind::AtLeastOf { count: _, conditions: list } => {
            list.iter_mut().for_each(|it| rewrite.expression(it));
        }
        ExprKind::Arithmetic { operator: _, left, right }
        | ExprKind::Compare { operator: _, left, right } => {
            rewrite.expression(left);
            rewrite.expression(right);
        }
        ExprKind::Between { value, low, high } => {
            [value, low, high].into_iter().for_each(|it| rewrite.expression(it));
        }
        ExprKind::In { value, choices } => {
            rewrite.expression(value);
            choices.iter_mut().for_each(|it| rewrite.expression(it));
        }
        ExprKind::TextTest { value, test: _, operand } => {
            rewrite.expression(value);
            rewrite.expression(operand);
        }
        ExprKind::IsKnown(value) | ExprKind::Not(value) | ExprKind::Held { condition: value, .. } => {
            rewrite.expression(value);
        }
        ExprKind::Aggregate { value, pattern: over, .. } => {
            rewrite.expression(value);
            pattern(over, rewrite);
        }
        ExprKind::Did { what: Occurrence::Pattern(over), .. }
        | ExprKind::Count { pattern: over, .. }
        | ExprKind::LastOf { pattern: over, .. }
        | ExprKind::TimeSince { pattern: over, .. }
        | ExprKind::Regularly { pattern: over, .. }
        | ExprKind::Streak { pattern: over, .. } => pattern(over, rewrite),
    }
}
