//! Parts of a program in the language's own words: for people, and to tell whether two versions mean the same.

mod rule;

use super::{
    Calendar, EventRole, EventSet, Expr, ExprKind, FieldId, FieldPath, Function, LetId, Occurrence, Pattern,
    Program, SegmentId, Sequence, SequenceId, TopicId, Unit, Window,
};
use crate::{
    check::words::{FUNCTIONS, aggregate, arithmetic, comparison, text_test},
    plan::print::duration,
    record::Instant,
    time::print_date,
    types::Type,
    value::Value,
};
use segue_grammar::ast::{Anchor, Bound};
use sha2::{Digest, Sha256};
use std::{cell::OnceCell, fmt::Write, sync::Arc};

/// Writes parts of one program.
#[derive(Debug)]
pub struct Words<'p> {
    program: &'p Program,
    /// Where names are not enough: what stands for the meaning of each let and segment.
    exact: Option<Exact>,
}

/// The meanings of lets and segments, found out when they are first asked for: each uses only such as stand before it.
#[derive(Debug)]
struct Exact {
    lets: Vec<OnceCell<String>>,
    segments: Vec<OnceCell<String>>,
}

impl<'p> Words<'p> {
    /// For people: lets and segments by their names.
    #[must_use]
    pub fn new(program: &'p Program) -> Self {
        Self { program, exact: None }
    }

    /// For comparison: what is written the same means the same, in programs with other positions, too. Lets and segments
    /// are written by what they are defined to be, and fields with their types.
    #[must_use]
    pub fn exact(program: &'p Program) -> Self {
        let exact = Exact {
            lets: program.lets.iter().map(|_| OnceCell::new()).collect(),
            segments: program.segments.iter().map(|_| OnceCell::new()).collect(),
        };
        Self { program, exact: Some(exact) }
    }

    /// A condition or value.
    #[must_use]
    pub fn expression(&self, expr: &Expr) -> String {
        let inner = |expr: &Expr| self.operand(expr);
        let list = |list: &[Expr]| list.iter().map(|it| self.expression(it)).collect::<Vec<_>>().join(", ");
        match &expr.kind {
            ExprKind::Literal(value) => literal(value),
            ExprKind::Profile { field, path } => self.typed(self.profile(*field, path), &expr.ty),
            ExprKind::Consent { channel, topic } => {
                let topic = topic.map(|topic| format!(".{}", self.topic(topic))).unwrap_or_default();
                format!("profile.consent.{channel}{topic}")
            }
            ExprKind::Field { of, path } => self.typed(field(of, path), &expr.ty),
            ExprKind::Let(id) => self.definition(*id),
            ExprKind::Call { function, arguments } => {
                format!("{}({})", function_name(*function), list(arguments))
            }
            ExprKind::Arithmetic { operator, left, right } => {
                format!("{} {} {}", inner(left), arithmetic(*operator), inner(right))
            }
            ExprKind::Compare { operator, left, right } => {
                format!("{} {} {}", inner(left), comparison(*operator), inner(right))
            }
            ExprKind::Between { value, low, high } => {
                format!("{} between {} and {}", inner(value), inner(low), inner(high))
            }
            ExprKind::In { value, choices } => format!("{} in [{}]", inner(value), list(choices)),
            ExprKind::TextTest { value, test, operand } => {
                format!("{} {} {}", inner(value), text_test(*test), inner(operand))
            }
            ExprKind::IsKnown(value) => format!("{} is known", inner(value)),
            ExprKind::Not(condition) => format!("not {}", inner(condition)),
            ExprKind::And(all) => all.iter().map(inner).collect::<Vec<_>>().join(" and "),
            ExprKind::Or(any) => any.iter().map(inner).collect::<Vec<_>>().join(" or "),
            ExprKind::AtLeastOf { count, conditions } => {
                format!("at least {count} of ({})", list(conditions))
            }
            ExprKind::InSegment(id) => format!("in segment {}", self.segment(*id)),
            ExprKind::Did { .. }
            | ExprKind::NoActivity(_)
            | ExprKind::KnownFor(_)
            | ExprKind::Held { .. }
            | ExprKind::Count { .. }
            | ExprKind::Aggregate { .. }
            | ExprKind::LastOf { .. }
            | ExprKind::TimeSince { .. }
            | ExprKind::Regularly { .. }
            | ExprKind::Streak { .. } => self.of_history(expr),
        }
    }

    /// What is made of history; nothing else is asked for.
    fn of_history(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Did { what, bound, count, window } => {
                let what = match what {
                    Occurrence::Pattern(pattern) => self.pattern(pattern),
                    Occurrence::Sequence(id) => self.sequence_of(*id),
                };
                format!("did {what}{}{}", times(*bound, *count), self.window(*window))
            }
            ExprKind::NoActivity(length) => {
                format!("no activity in the last {}{}", duration(*length), self.passive())
            }
            ExprKind::KnownFor(length) => format!("known for {}", duration(*length)),
            ExprKind::Held { id: _, condition, duration: length } => {
                format!("({}) for {}", self.expression(condition), duration(*length))
            }
            ExprKind::Regularly { pattern, count, last, unit } => {
                let unit = unit_name(*unit);
                format!("did {} in at least {count} of the last {last} {unit}", self.pattern(pattern))
            }
            ExprKind::Streak { pattern, unit } => {
                format!("streak of {} in {}", self.pattern(pattern), unit_name(*unit))
            }
            ExprKind::Count { pattern, window } => {
                format!("count of {}{}", self.pattern(pattern), self.window(*window))
            }
            ExprKind::Aggregate { function, value, pattern, window } => {
                let (function, value) = (aggregate(*function), self.expression(value));
                format!("{function} of {value} of {}{}", self.pattern(pattern), self.window(*window))
            }
            ExprKind::LastOf { count, pattern, distinct_by, window } => {
                let fields = self.whole(pattern);
                let distinct = distinct_by.as_ref().map(|by| format!(" distinct by {}", path(by)));
                let (pattern, window) = (self.pattern(pattern), self.window(*window));
                format!("last {count} of {pattern}{}{window}{fields}", distinct.unwrap_or_default())
            }
            ExprKind::TimeSince { first, pattern } => {
                format!("time since {} {}", if *first { "first" } else { "last" }, self.pattern(pattern))
            }
            _ => String::new(),
        }
    }

    /// An expression within another, in parentheses where it has parts.
    fn operand(&self, expr: &Expr) -> String {
        let words = self.expression(expr);
        match &expr.kind {
            ExprKind::Literal(_)
            | ExprKind::Profile { .. }
            | ExprKind::Consent { .. }
            | ExprKind::Field { .. }
            | ExprKind::Let(_)
            | ExprKind::Call { .. } => words,
            _ => format!("({words})"),
        }
    }

    /// Which events.
    #[must_use]
    pub fn pattern(&self, pattern: &Pattern) -> String {
        let events = match &pattern.events {
            EventSet::Any => "any event".to_owned(),
            EventSet::Of(events) => {
                let mut names: Vec<String> = events
                    .iter()
                    .filter_map(|id| self.program.events.get(id.0 as usize))
                    .map(|event| format!("{:?}", &*event.name))
                    .collect();
                // Positions, by which they are sorted, differ between programs.
                names.sort_unstable();
                match names.as_slice() {
                    [one] => one.clone(),
                    more => format!("any of ({})", more.join(", ")),
                }
            }
        };
        match &pattern.filter {
            Some(filter) => format!("{events} where {}", self.operand(filter)),
            None => events,
        }
    }

    /// A sequence.
    #[must_use]
    pub fn sequence(&self, sequence: &Sequence) -> String {
        let mut words = match sequence.anchor {
            Anchor::Latest => String::new(),
            Anchor::Earliest => "earliest ".to_owned(),
            Anchor::Each => "each ".to_owned(),
        };
        for (number, element) in sequence.elements.iter().enumerate() {
            let then = if number == 0 { "" } else { " then " };
            let _ = write!(words, "{then}{}", self.pattern(&element.pattern));
            if number == 0 && sequence.first_time {
                words.push_str(" for the first time");
            }
            if let Some(name) = &element.name {
                let _ = write!(words, " as {name}");
            }
            if number > 0 {
                let _ = write!(words, " within {}", duration(element.within));
            }
        }
        if let Some((pattern, within)) = &sequence.then_no {
            let _ = write!(words, " then no {} within {}", self.pattern(pattern), duration(*within));
        }
        if !sequence.same.is_empty() {
            let same: Vec<String> = sequence.same.iter().map(path).collect();
            let _ = write!(words, " with same {}", same.join(", "));
        }
        words
    }

    /// The sequence of a position.
    #[must_use]
    pub fn sequence_of(&self, id: SequenceId) -> String {
        self.program.sequences.get(id.0 as usize).map_or_else(String::new, |it| self.sequence(it))
    }

    /// A stretch of time, with a space before it; empty for all of history.
    fn window(&self, window: Window) -> String {
        match window {
            Window::Always => String::new(),
            Window::Last(length) => format!(" in the last {}", duration(length)),
            Window::Ago { near, far } => format!(" between {} and {} ago", duration(near), duration(far)),
            Window::Since(at) => format!(" since {}", Instant(at)),
            Window::ThisMatch => " in this match".to_owned(),
            Window::ThisSession => " this session".to_owned(),
            Window::Calendar(Calendar::Days(1)) => " today".to_owned(),
            Window::Calendar(Calendar::Days(count)) => format!(" in the last {count} calendar days"),
            Window::Calendar(Calendar::Week) => " this week".to_owned(),
            Window::Calendar(Calendar::Month) => " this month".to_owned(),
        }
    }

    /// A topic's name.
    fn topic(&self, topic: TopicId) -> Arc<str> {
        self.program.topics.get(topic.0 as usize).map_or_else(|| Arc::from(""), |topic| topic.name.clone())
    }

    fn profile(&self, field: FieldId, path: &[Arc<str>]) -> String {
        let name = self.program.profile.get(field.0 as usize).map_or("", |it| &*it.field.name);
        let path: String = path.iter().map(|part| format!(".{part}")).collect();
        format!("profile.{name}{path}")
    }

    fn typed(&self, words: String, ty: &Type) -> String {
        if self.exact.is_some() { format!("{words}: {ty}") } else { words }
    }

    /// A named value: its name, or what stands for its meaning.
    #[must_use]
    pub fn definition(&self, id: LetId) -> String {
        let Some(definition) = self.program.lets.get(id.0 as usize) else { return String::new() };
        let exact = self.exact.as_ref().and_then(|exact| exact.lets.get(id.0 as usize));
        let Some(exact) = exact else { return definition.name.to_string() };
        let meaning = || {
            let arms = definition.arms.iter().map(|(value, condition)| {
                format!("{} if {}, ", self.expression(value), self.expression(condition))
            });
            digest(&format!("{}{}", arms.collect::<String>(), self.expression(&definition.value)))
        };
        exact.get_or_init(meaning).clone()
    }

    /// A segment: its name, or what stands for its meaning.
    #[must_use]
    pub fn segment(&self, id: SegmentId) -> String {
        let Some(segment) = self.program.segments.get(id.0 as usize) else { return String::new() };
        let exact = self.exact.as_ref().and_then(|exact| exact.segments.get(id.0 as usize));
        match exact {
            None => segment.name.to_string(),
            Some(exact) => exact.get_or_init(|| digest(&self.expression(&segment.condition))).clone(),
        }
    }

    /// Which events are no activity: part of the meaning of `no activity`.
    pub(crate) fn passive(&self) -> String {
        if self.exact.is_none() {
            return String::new();
        }
        let mut names: Vec<&str> =
            self.program.events.iter().filter(|event| event.passive).map(|event| &*event.name).collect();
        names.sort_unstable();
        format!(" but {names:?}")
    }

    /// The fields of events that are remembered whole: part of the meaning of a list of events.
    fn whole(&self, pattern: &Pattern) -> String {
        let EventSet::Of(events) = &pattern.events else { return String::new() };
        if self.exact.is_none() {
            return String::new();
        }
        let declared = events.iter().filter_map(|id| self.program.events.get(id.0 as usize));
        let mut fields: Vec<String> = declared
            .flat_map(|event| {
                event
                    .declared()
                    .iter()
                    .map(|field| format!("{:?}.{}: {}", &*event.name, field.name, field.ty))
            })
            .collect();
        fields.sort_unstable();
        format!(" with {}", fields.join(", "))
    }
}

/// What stands for a long text.
fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(16).fold(String::from("#"), |mut words, byte| {
        let _ = write!(words, "{byte:02x}");
        words
    })
}

/// A field of an event.
fn field(of: &EventRole, of_path: &FieldPath) -> String {
    match of {
        EventRole::This => path(of_path),
        EventRole::Trigger => format!("event.{}", path(of_path)),
        EventRole::Answer => format!("answer.{}", path(of_path)),
        EventRole::Element(_, name) => format!("{name}.{}", path(of_path)),
    }
}

fn path(path: &FieldPath) -> String {
    match path {
        FieldPath::At => "at".to_owned(),
        FieldPath::MessageId => "message_id".to_owned(),
        FieldPath::EventName => "event_name".to_owned(),
        FieldPath::Property(path) => path.iter().map(|part| &**part).collect::<Vec<_>>().join("."),
    }
}

fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Days => "days",
        Unit::Weeks => "weeks",
    }
}

fn function_name(function: Function) -> &'static str {
    FUNCTIONS.iter().find(|(_, other)| *other == function).map_or("", |(name, _)| *name)
}

/// A value as it is written.
fn literal(value: &Value) -> String {
    match value {
        Value::Missing => "nothing".to_owned(),
        Value::Boolean(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::Time(at) => Instant(*at).to_string(),
        Value::Date(day) => print_date(*day),
        Value::Duration(length) => duration(*length),
        Value::List(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{name}: {}", literal(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
    }
}

fn times(bound: Bound, count: u32) -> String {
    match (bound, count) {
        (Bound::AtLeast, 1) => String::new(),
        (Bound::AtLeast, count) => format!(" at least {count} times"),
        (Bound::AtMost, count) => format!(" at most {count} times"),
        (Bound::Exactly, count) => format!(" exactly {count} times"),
    }
}
