//! Visits every expression of a program, outer ones before those within them.

use super::{
    Content, ContentValue, Expr, ExprKind, Occurrence, Pattern, Program, Rule, Step, StepKind, StopWhen,
    TemplateId, Until,
};

/// Visits every expression of a program.
pub fn program(program: &Program, visit: &mut dyn FnMut(&Expr)) {
    for sequence in &program.sequences {
        for element in &sequence.elements {
            pattern(&element.pattern, visit);
        }
        if let Some((then_no, _)) = &sequence.then_no {
            pattern(then_no, visit);
        }
    }
    for definition in &program.lets {
        for (value, condition) in &definition.arms {
            expression(value, visit);
            expression(condition, visit);
        }
        expression(&definition.value, visit);
    }
    for segment in &program.segments {
        expression(&segment.condition, visit);
    }
    program.rules.iter().for_each(|it| rule(it, visit));
}

/// Visits every expression of a rule; those of its trigger's sequence are not its own.
pub fn rule(rule: &Rule, visit: &mut dyn FnMut(&Expr)) {
    for condition in [&rule.only_if, &rule.still_if].into_iter().flatten() {
        expression(condition, visit);
    }
    match &rule.stop_when {
        Some(StopWhen::Event(stop)) => pattern(stop, visit),
        Some(StopWhen::Condition(condition)) => expression(condition, visit),
        None => {}
    }
    for condition in rule.quiet.iter().filter_map(|quiet| quiet.condition.as_ref()) {
        expression(condition, visit);
    }
    if let Some(goal) = &rule.goal {
        pattern(&goal.pattern, visit);
    }
    steps(&rule.steps, visit);
}

/// Visits every step, those within others included.
pub fn each_step(list: &[Step], visit: &mut dyn FnMut(&Step)) {
    for step in list {
        visit(step);
        match &step.kind {
            StepKind::If { arms, otherwise } => {
                arms.iter().for_each(|(_, list)| each_step(list, visit));
                each_step(otherwise, visit);
            }
            StepKind::WaitFor { up_to: _, what: _, steps, otherwise } => {
                each_step(steps, visit);
                each_step(otherwise, visit);
            }
            StepKind::Split(arms) => arms.iter().for_each(|arm| each_step(&arm.steps, visit)),
            StepKind::Send { .. }
            | StepKind::Call { .. }
            | StepKind::Set { .. }
            | StepKind::SetConsent { .. }
            | StepKind::Emit { .. }
            | StepKind::Reply { .. }
            | StepKind::Wait(_)
            | StepKind::Stop => {}
        }
    }
}

/// Every template of steps.
#[must_use]
pub fn templates(list: &[Step]) -> Vec<TemplateId> {
    let mut found = Vec::new();
    for step in list {
        match &step.kind {
            StepKind::Send { channel: _, to, content } => {
                to.iter().for_each(|to| templates_of(to, &mut found));
                content.iter().for_each(|(_, value)| templates_of(value, &mut found));
            }
            StepKind::Call { hook: _, payload } => {
                payload.iter().for_each(|(_, value)| templates_of(value, &mut found));
            }
            StepKind::Reply { channel: _, to, content } => {
                to.iter().for_each(|to| templates_of(to, &mut found));
                content.iter().for_each(|(_, value)| templates_of(value, &mut found));
            }
            StepKind::If { arms, otherwise } => {
                arms.iter().for_each(|(_, list)| found.extend(templates(list)));
                found.extend(templates(otherwise));
            }
            StepKind::WaitFor { up_to: _, what: _, steps, otherwise } => {
                found.extend(templates(steps));
                found.extend(templates(otherwise));
            }
            StepKind::Split(arms) => arms.iter().for_each(|arm| found.extend(templates(&arm.steps))),
            StepKind::Set { .. }
            | StepKind::SetConsent { .. }
            | StepKind::Emit { .. }
            | StepKind::Wait(_)
            | StepKind::Stop => {}
        }
    }
    found
}

fn templates_of(value: &ContentValue, found: &mut Vec<TemplateId>) {
    match value {
        ContentValue::Template(id) => found.push(*id),
        ContentValue::Value(_) => {}
        ContentValue::Variant { by: _, variants, otherwise } => {
            found.extend(variants.iter().map(|(_, id)| *id));
            found.push(*otherwise);
        }
        ContentValue::Object(fields) => fields.iter().for_each(|(_, value)| templates_of(value, found)),
    }
}

/// Visits every pattern that runs of a rule listen for.
pub fn heard(rule: &Rule, visit: &mut dyn FnMut(&Pattern)) {
    if let Some(StopWhen::Event(pattern)) = &rule.stop_when {
        visit(pattern);
    }
    awaited(&rule.steps, visit);
}

fn awaited(list: &[Step], visit: &mut dyn FnMut(&Pattern)) {
    for step in list {
        match &step.kind {
            StepKind::WaitFor { up_to: _, what, steps, otherwise } => {
                visit(&what.pattern);
                awaited(steps, visit);
                awaited(otherwise, visit);
            }
            StepKind::If { arms, otherwise } => {
                arms.iter().for_each(|(_, steps)| awaited(steps, visit));
                awaited(otherwise, visit);
            }
            StepKind::Split(arms) => arms.iter().for_each(|arm| awaited(&arm.steps, visit)),
            _ => {}
        }
    }
}

/// Visits every expression of steps.
pub fn steps(list: &[Step], visit: &mut dyn FnMut(&Expr)) {
    for step in list {
        match &step.kind {
            StepKind::Send { channel: _, to, content: fields } => {
                if let Some(to) = to {
                    content_value(to, visit);
                }
                content(fields, visit);
            }
            StepKind::Call { hook: _, payload } => content(payload, visit),
            StepKind::Set { field: _, value } => expression(value, visit),
            StepKind::SetConsent { .. } => {}
            StepKind::Emit { event: _, fields } => {
                for (_, value) in fields {
                    expression(value, visit);
                }
            }
            StepKind::If { arms, otherwise } => {
                for (condition, list) in arms {
                    expression(condition, visit);
                    steps(list, visit);
                }
                steps(otherwise, visit);
            }
            StepKind::Reply { channel, to, content: fields } => {
                expression(channel, visit);
                if let Some(to) = to {
                    content_value(to, visit);
                }
                content(fields, visit);
            }
            StepKind::WaitFor { up_to: _, what, steps: list, otherwise } => {
                pattern(&what.pattern, visit);
                steps(list, visit);
                steps(otherwise, visit);
            }
            StepKind::Split(arms) => arms.iter().for_each(|arm| steps(&arm.steps, visit)),
            StepKind::Wait(Until::Moment { value, .. }) => expression(value, visit),
            StepKind::Wait(Until::For(_) | Until::Days { .. } | Until::Clock { .. }) | StepKind::Stop => {}
        }
    }
}

fn content(fields: &Content, visit: &mut dyn FnMut(&Expr)) {
    for (_, value) in fields {
        content_value(value, visit);
    }
}

fn content_value(value: &ContentValue, visit: &mut dyn FnMut(&Expr)) {
    match value {
        ContentValue::Template(_) => {}
        ContentValue::Value(value) | ContentValue::Variant { by: value, .. } => expression(value, visit),
        ContentValue::Object(fields) => content(fields, visit),
    }
}

fn pattern(pattern: &Pattern, visit: &mut dyn FnMut(&Expr)) {
    if let Some(filter) = &pattern.filter {
        expression(filter, visit);
    }
}

/// Visits an expression and every expression within it.
pub fn expression(expr: &Expr, visit: &mut dyn FnMut(&Expr)) {
    visit(expr);
    match &expr.kind {
        ExprKind::Literal(_)
        | ExprKind::Profile { .. }
        | ExprKind::Consent { .. }
        | ExprKind::Field { .. }
        | ExprKind::Let(_)
        | ExprKind::InSegment(_)
        | ExprKind::NoActivity(_)
        | ExprKind::KnownFor(_)
        | ExprKind::Did { what: Occurrence::Sequence(_), .. } => {}
        ExprKind::Call { function: _, arguments: list }
        | ExprKind::And(list)
        | ExprKind::Or(list)
        | ExprKind::AtLeastOf { count: _, conditions: list } => {
            list.iter().for_each(|it| expression(it, visit))
        }
        ExprKind::Arithmetic { operator: _, left, right }
        | ExprKind::Compare { operator: _, left, right } => {
            expression(left, visit);
            expression(right, visit);
        }
        ExprKind::Between { value, low, high } => {
            [value, low, high].into_iter().for_each(|it| expression(it, visit))
        }
        ExprKind::In { value, choices } => {
            expression(value, visit);
            choices.iter().for_each(|it| expression(it, visit));
        }
        ExprKind::TextTest { value, test: _, operand } => {
            expression(value, visit);
            expression(operand, visit);
        }
        ExprKind::IsKnown(value) | ExprKind::Not(value) | ExprKind::Held { condition: value, .. } => {
            expression(value, visit)
        }
        ExprKind::Aggregate { value, pattern: over, .. } => {
            expression(value, visit);
            pattern(over, visit);
        }
        ExprKind::Did { what: Occurrence::Pattern(over), .. }
        | ExprKind::Count { pattern: over, .. }
        | ExprKind::LastOf { pattern: over, .. }
        | ExprKind::TimeSince { pattern: over, .. }
        | ExprKind::Regularly { pattern: over, .. }
        | ExprKind::Streak { pattern: over, .. } => pattern(over, visit),
    }
}
