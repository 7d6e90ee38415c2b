//! Small checked programs made by hand, and a customer to try them on.

use segue_compiler::{
    event::{Call, Incoming},
    execution::{Execution, Outcome, Output},
    json::JsonText,
    record::{Change, Json, Record},
    reference::{Customer, Reference},
    settings::{ConsentPolicy, Settings},
    typed::*,
    types::{Field, Type},
    value::{Decimal, Millis, Value},
};
use std::sync::Arc;

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

pub(crate) struct Build(pub(crate) Program);

pub(crate) fn field(name: &str, ty: Type, optional: bool) -> Field {
    Field { name: name.into(), ty, optional }
}

pub(crate) fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, span: Default::default() }
}

pub(crate) fn condition(kind: ExprKind) -> Expr {
    expr(kind, Type::Boolean)
}

pub(crate) fn number(value: i64) -> Expr {
    expr(ExprKind::Literal(Value::Number(Decimal::whole(value).unwrap())), Type::Number)
}

pub(crate) fn text(value: &str) -> Expr {
    expr(ExprKind::Literal(Value::text(value)), Type::Text)
}

pub(crate) fn length(millis: i64) -> Expr {
    expr(ExprKind::Literal(Value::Duration(millis)), Type::Duration)
}

pub(crate) fn of(role: EventRole, name: &str, ty: Type) -> Expr {
    let path = match name {
        "at" => FieldPath::At,
        name => FieldPath::Property(vec![name.into()]),
    };
    expr(ExprKind::Field { of: role, path }, ty)
}

pub(crate) fn this(name: &str, ty: Type) -> Expr {
    of(EventRole::This, name, ty)
}

pub(crate) fn is(left: Expr, right: Expr) -> Expr {
    compare(Comparison::Equal, left, right)
}

pub(crate) fn compare(operator: Comparison, left: Expr, right: Expr) -> Expr {
    condition(ExprKind::Compare { operator, left: Box::new(left), right: Box::new(right) })
}

pub(crate) fn not(inner: Expr) -> Expr {
    condition(ExprKind::Not(Box::new(inner)))
}

pub(crate) fn any(events: &[EventId]) -> Pattern {
    Pattern { events: EventSet::Of(events.to_vec()), filter: None, span: Default::default(), since: 0 }
}

pub(crate) fn pattern(event: EventId, filter: Expr) -> Pattern {
    Pattern { filter: Some(Box::new(filter)), ..any(&[event]) }
}

pub(crate) fn did(pattern: Pattern, bound: Bound, count: u32, window: Window) -> Expr {
    condition(ExprKind::Did { what: Occurrence::Pattern(pattern), bound, count, window })
}

pub(crate) fn count(pattern: Pattern, window: Window) -> Expr {
    expr(ExprKind::Count { pattern, window }, Type::Number)
}

pub(crate) fn aggregate(function: Aggregate, value: Expr, pattern: Pattern, window: Window) -> Expr {
    let ty = if function == Aggregate::DistinctCount { Type::Number } else { value.ty.clone() };
    expr(ExprKind::Aggregate { function, value: Box::new(value), pattern, window }, ty)
}

pub(crate) fn element(pattern: Pattern, within: i64) -> Element {
    Element { pattern, name: None, within }
}

pub(crate) fn sequence(anchor: Anchor, elements: Vec<Element>, then_no: Option<(Pattern, i64)>) -> Sequence {
    Sequence {
        anchor,
        first_time: false,
        elements,
        then_no,
        same: Vec::new(),
        span: Default::default(),
        since: 0,
        idle: false,
    }
}

pub(crate) fn step(number: u32, kind: StepKind) -> Step {
    Step { number, kind }
}

pub(crate) fn call(number: u32, fields: Vec<(&str, Expr)>) -> Step {
    let payload = fields.into_iter().map(|(name, value)| (name.into(), ContentValue::Value(value))).collect();
    step(number, StepKind::Call { hook: "hook".into(), payload })
}

impl Build {
    pub(crate) fn new() -> Self {
        let names =
            ["phone", "email", "push_token", "country", "time_zone", "group", "first_name", "offer", "brand"];
        let field =
            |name: &&str| ProfileField { field: field(name, Type::Text, true), default: Value::Missing };
        Self(Program { profile: names.iter().map(field).collect(), ..Program::default() })
    }

    pub(crate) fn profile(&self, name: &str) -> Expr {
        expr(ExprKind::Profile { field: self.field(name), path: Vec::new() }, Type::Text)
    }

    pub(crate) fn field(&self, name: &str) -> FieldId {
        FieldId(self.0.profile.iter().position(|it| &*it.field.name == name).unwrap() as u32)
    }

    pub(crate) fn event(&mut self, name: &str, fields: &[(&str, Type)]) -> EventId {
        let fields = fields.iter().map(|(name, ty)| field(name, ty.clone(), true)).collect();
        self.0.events.push(EventType { name: name.into(), passive: false, fields, former: 0 });
        EventId(self.0.events.len() as u32 - 1)
    }

    pub(crate) fn sequence(&mut self, sequence: Sequence) -> Trigger {
        self.0.sequences.push(sequence);
        Trigger::Sequence(SequenceId(self.0.sequences.len() as u32 - 1))
    }

    /// Each event of a kind.
    pub(crate) fn each(&mut self, event: EventId) -> Trigger {
        self.sequence(sequence(Anchor::Latest, vec![element(any(&[event]), 0)], None))
    }

    pub(crate) fn segment(&mut self, name: &str, condition: Expr) -> SegmentId {
        self.0.segments.push(Segment { name: name.into(), title: None, condition });
        SegmentId(self.0.segments.len() as u32 - 1)
    }

    pub(crate) fn topic(
        &mut self,
        name: &str,
        within: Option<TopicId>,
        rates: &[(Option<&str>, u32, i64)],
    ) -> TopicId {
        let rates = rates.iter().map(|(channel, count, per)| Rate {
            channel: channel.map(Into::into),
            count: *count,
            per: *per,
        });
        self.0.topics.push(Topic { name: name.into(), within, rates: rates.collect(), hold: None });
        TopicId(self.0.topics.len() as u32 - 1)
    }

    pub(crate) fn named(&mut self, name: &str, arms: Vec<(Expr, Expr)>, value: Expr) -> LetId {
        self.0.lets.push(Let { name: name.into(), arms, value });
        LetId(self.0.lets.len() as u32 - 1)
    }

    pub(crate) fn template(
        &mut self,
        source: &str,
        profile: &[&str],
        lets: &[LetId],
        event: &[&str],
    ) -> TemplateId {
        let profile = profile.iter().map(|name| self.field(name)).collect();
        let events = vec![(EventRole::Trigger, event.iter().map(|name| Arc::from(*name)).collect())];
        let template = Template {
            source: source.into(),
            html: source.starts_with('<'),
            profile,
            lets: lets.to_vec(),
            events,
        };
        self.0.templates.push(template);
        TemplateId(self.0.templates.len() as u32 - 1)
    }

    pub(crate) fn send(&mut self, number: u32, channel: &str, source: &str) -> Step {
        let template = self.template(source, &[], &[], &[]);
        let content = vec![("text".into(), ContentValue::Template(template))];
        step(number, StepKind::Send { channel: channel.into(), to: None, content })
    }

    pub(crate) fn rule(&mut self, name: &str, trigger: Trigger, steps: Vec<Step>) -> &mut Rule {
        self.0.rules.push(Rule {
            name: name.into(),
            title: None,
            trigger,
            only_if: None,
            still_if: None,
            stop_when: None,
            limit: None,
            overlap: Overlap::Skip,
            topic: None,
            transactional: false,
            quiet: Vec::new(),
            holdout: None,
            goal: None,
            priority: 0,
            was: None,
            start_cold: false,
            late_after: Some(segue_compiler::limits::LATE_AFTER),
            steps,
        });
        self.0.rules.last_mut().unwrap()
    }

    pub(crate) fn world(self) -> World {
        self.world_with(Settings { consent: ConsentPolicy::Assumed, ..Settings::default() })
    }

    pub(crate) fn world_with(self, settings: Settings) -> World {
        let reference = Reference::new(Arc::new(self.0), settings);
        let customer = reference.customer("ada".into());
        World { reference, customer, out: Output::default(), serial: 0 }
    }
}

pub(crate) struct World {
    pub(crate) reference: Reference,
    pub(crate) customer: Customer,
    pub(crate) out: Output,
    serial: u32,
}

impl World {
    pub(crate) fn track(&mut self, at: Millis, event: &str, properties: &str) -> Outcome {
        self.serial += 1;
        self.track_as(&format!("m{}", self.serial), at, event, properties)
    }

    pub(crate) fn track_as(&mut self, id: &str, at: Millis, event: &str, properties: &str) -> Outcome {
        let properties = JsonText::parse(properties).unwrap();
        self.apply(id, at, Call::Track { event, properties: Some(properties), name: None })
    }

    pub(crate) fn identify(&mut self, at: Millis, traits: &str) -> Outcome {
        self.serial += 1;
        let id = format!("m{}", self.serial);
        let traits = JsonText::parse(traits).unwrap();
        self.apply(&id, at, Call::Identify { traits: Some(traits) })
    }

    pub(crate) fn load(&mut self, traits: &str) {
        let traits = JsonText::parse(traits).unwrap();
        self.reference.load_profile(&mut self.customer, 0, traits, &mut self.out.counts);
    }

    fn apply(&mut self, message_id: &str, at: Millis, call: Call<'_>) -> Outcome {
        let incoming = Incoming { message_id, at, received_at: None, time_zone: None, call };
        self.reference.apply(&mut self.customer, &incoming, &mut self.out)
    }

    pub(crate) fn advance(&mut self, until: Millis) {
        self.reference.advance(&mut self.customer, until, &mut self.out);
    }

    /// What happened since the last time this was asked, one line each.
    pub(crate) fn lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.out.records).iter().map(line).collect()
    }
}

fn line(record: &Record) -> String {
    let at = record.at();
    let at = if at % MINUTE == 0 { format!("{}m", at / MINUTE) } else { format!("{at}ms") };
    let said = match record {
        Record::Send(send) => {
            let content: Vec<String> = send.content.0.iter().map(|(_, value)| plain(value)).collect();
            format!("{} {} {}: {}", send.rule, send.channel, send.to, content.join("|"))
        }
        Record::Call(call) => format!("{} {}", call.rule, serde_json::to_string(&call.payload).unwrap()),
        Record::Suppressed(it) => {
            let channel = it.channel.as_deref().map(|channel| format!(" {channel}")).unwrap_or_default();
            format!("{}{channel} not: {}", it.rule, it.reason.word())
        }
        Record::Held(it) => format!("{} {} held: {}", it.rule, it.channel, it.reason.word()),
        Record::Segment(it) => match it.change {
            Change::Enter => format!("+{}", it.segment),
            Change::Leave => format!("-{}", it.segment),
        },
        Record::Set(set) => format!("{} {} = {}", set.rule, set.field, plain(&set.value)),
        Record::Emit(emit) => {
            format!("{} {} {}", emit.rule, emit.event, serde_json::to_string(&emit.properties).unwrap())
        }
    };
    format!("{at} {said}")
}

fn plain(value: &Json) -> String {
    match value {
        Json::Value(Value::Text(text)) => text.to_string(),
        Json::Value(_) | Json::Fields(_) => serde_json::to_string(value).unwrap(),
    }
}
