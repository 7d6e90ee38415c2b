//! Tests of a project, run against an executor in simulated time, without I/O.

mod explain;
mod search;

use segue_compiler::{
    event::{Call, Incoming},
    execution::{Execution, Output},
    json::JsonText,
    record::{Fields, Json, Record},
    settings::{ConsentPolicy, Settings},
    typed::{
        EventId, Program,
        test::{Statement, StatementKind, Test},
    },
    value::{Millis, Value},
};
use segue_grammar::span::Span;
use std::{collections::BTreeMap, sync::Arc};

/// What came of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct Rehearsal {
    /// The expectation that was not met; nothing after it was looked at.
    pub failure: Option<Failure>,
    /// Everything that happened up to there, in order of time.
    pub happenings: Vec<Happening>,
}

/// An expectation that was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The statement.
    pub span: Span,
    /// What was expected.
    pub message: String,
    /// What happened instead, as far as one thing explains it.
    pub help: Option<String>,
}

/// One thing that happened to a customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    /// When.
    pub at: Millis,
    /// To whom.
    pub customer: Arc<str>,
    /// What.
    pub what: What,
    /// The statement that expected it, by its position in the test.
    pub expected_by: Option<usize>,
    /// Whether it is what should not have happened.
    pub unexpected: bool,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// The test said that something became known of the customer.
    Known(Fields),
    /// The test said that the customer did this.
    Event(Arc<str>, Fields),
    /// A rule or segment did something.
    Record(Record),
}

/// The settings under which tests run: a project's own, but consent is required, holdouts are obeyed only where a test says
/// so, events, which come in order, are applied at once, and nothing was before the test.
#[must_use]
pub fn settings(of_project: &Settings, holdouts: bool) -> Settings {
    Settings {
        consent: ConsentPolicy::Required,
        holdouts,
        settle: 0,
        log_from: None,
        until: None,
        ..of_project.clone()
    }
}

/// Runs a test. The executor must have been made with the [`settings`] of the test.
#[must_use]
pub fn rehearse<E: Execution>(
    execution: &E,
    program: &Program,
    settings: &Settings,
    test: &Test,
) -> Rehearsal {
    let mut stage = Stage {
        execution,
        program,
        settings,
        customers: BTreeMap::new(),
        happenings: Vec::new(),
        now: test.start,
    };
    for (statement, number) in test.statements.iter().zip(0..) {
        if let Err(failure) = stage.play(statement, number, test) {
            return Rehearsal { failure: Some(failure), happenings: stage.happenings };
        }
    }
    Rehearsal { failure: None, happenings: stage.happenings }
}

/// A test under way.
struct Stage<'t, E: Execution> {
    execution: &'t E,
    program: &'t Program,
    settings: &'t Settings,
    customers: BTreeMap<Arc<str>, E::Customer>,
    happenings: Vec<Happening>,
    /// The time that the test has reached.
    now: Millis,
}

impl<E: Execution> Stage<'_, E> {
    fn play(&mut self, statement: &Statement, number: usize, test: &Test) -> Result<(), Failure> {
        let id = format!("statement {}", number + 1);
        match &statement.kind {
            StatementKind::Customer { customer, traits } => {
                let text = serde_json::to_string(traits).unwrap_or_default();
                let call = Call::Identify { traits: JsonText::parse(&text).ok() };
                self.call(customer, &id, call, What::Known(fields(traits)));
                Ok(())
            }
            StatementKind::Event { customer, event, fields: said } => {
                self.advance(statement.time - 1);
                self.now = statement.time;
                let name = self.event_name(*event);
                let said = self.about_last_message(customer, *event, said);
                let text = serde_json::to_string(&said).unwrap_or_default();
                let call = Call::Track { event: &name, properties: JsonText::parse(&text).ok(), name: None };
                self.call(customer, &id, call, What::Event(name.clone(), fields(&said)));
                Ok(())
            }
            _ => {
                let before = self.now;
                self.advance(statement.time);
                self.now = statement.time;
                self.judge(statement, number, before, test)
            }
        }
    }

    fn event_name(&self, event: EventId) -> Arc<str> {
        self.program.events.get(event.0 as usize).map_or_else(|| Arc::from(""), |event| event.name.clone())
    }

    /// Applies a call at the time that the test has reached.
    fn call(&mut self, customer: &Arc<str>, id: &str, call: Call<'_>, what: What) {
        let known = self
            .customers
            .entry(customer.clone())
            .or_insert_with(|| self.execution.customer(customer.clone()));
        self.happenings.push(Happening::new(self.now, customer.clone(), what));
        let incoming = Incoming { message_id: id, at: self.now, received_at: None, time_zone: None, call };
        let mut out = Output::default();
        self.execution.apply(known, &incoming, &mut out);
        self.happenings.extend(out.records.into_iter().map(Happening::from));
    }

    /// Lets time pass for everybody, up to and including an instant.
    fn advance(&mut self, until: Millis) {
        let mut out = Output::default();
        for customer in self.customers.values_mut() {
            self.execution.advance(customer, until, &mut out);
        }
        // Stable: what happens to one customer at one instant stays in its order.
        out.records.sort_by_key(Record::at);
        self.happenings.extend(out.records.into_iter().map(Happening::from));
    }

    /// The fields of an event about a message: of the last one that went to the customer, where the test does not say
    /// which. No test can know a message's id.
    fn about_last_message(&self, customer: &str, event: EventId, said: &Value) -> Value {
        let Value::Object(said) = said else { return said.clone() };
        let declared =
            self.program.events.get(event.0 as usize).filter(|event| is_about_message(&event.name));
        let Some(declared) = declared else { return Value::Object(said.clone()) };
        let given = |name: &str| said.iter().find(|(other, _)| **other == *name).map(|(_, value)| value);
        if given("message").is_some() {
            return Value::Object(said.clone());
        }
        let channel = given("channel").and_then(Value::as_text);
        let sent = self.happenings.iter().rev().find_map(|it| match &it.what {
            What::Record(Record::Send(send))
                if *send.customer == *customer && channel.is_none_or(|channel| *send.channel == *channel) =>
            {
                Some(send)
            }
            _ => None,
        });
        let Some(sent) = sent else { return Value::Object(said.clone()) };
        let known = [
            ("channel", sent.channel.to_string()),
            ("rule", sent.rule.to_string()),
            ("message", sent.id.to_string()),
        ];
        let mut filled = said.to_vec();
        for (name, value) in known {
            let is_declared = declared.fields.iter().any(|field| *field.name == *name);
            if is_declared && given(name).is_none() {
                filled.push((Arc::from(name), Value::text(&value)));
            }
        }
        Value::Object(filled.into())
    }
}

impl Happening {
    fn new(at: Millis, customer: Arc<str>, what: What) -> Self {
        Self { at, customer, what, expected_by: None, unexpected: false }
    }
}

impl From<Record> for Happening {
    fn from(record: Record) -> Self {
        Self::new(record.at(), record.customer().clone(), What::Record(record))
    }
}

/// Whether the event tells what became of a message.
fn is_about_message(event: &str) -> bool {
    matches!(
        event,
        "Message Delivered"
            | "Message Opened"
            | "Message Clicked"
            | "Message Replied"
            | "Message Bounced"
            | "Message Failed"
            | "Unsubscribed"
            | "Complained"
    )
}

/// The fields of an object, for people.
fn fields(value: &Value) -> Fields {
    match value {
        Value::Object(fields) => {
            Fields(fields.iter().map(|(name, value)| (name.clone(), Json::Value(value.clone()))).collect())
        }
        _ => Fields::default(),
    }
}
