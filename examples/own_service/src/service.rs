//! The service: one route for events, one for the time.

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::post,
};
use segue_compiler::{
    event::{Call, Incoming},
    execution::{Execution, Output},
    json::JsonText,
    project::{Project, Source, compile},
    record::Record,
    settings::Settings,
};
use segue_runtime::engine::Engine;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

/// The rules, and what is known of each customer. A service that must not forget keeps the events, too, or rests customers
/// with [`Execution::rest`] and keeps those bytes.
struct Rules {
    engine: Engine,
    customers: Mutex<BTreeMap<String, <Engine as Execution>::Customer>>,
}

/// An event of ours: its id, so that a second delivery changes nothing, its name, its time in milliseconds, its fields.
#[derive(Deserialize)]
struct Event {
    id: String,
    event: String,
    at: i64,
    properties: Box<RawValue>,
}

/// Applies an event, and answers with what the rules make of it.
async fn happened(
    State(rules): State<Arc<Rules>>,
    Path(id): Path<String>,
    Json(event): Json<Event>,
) -> Json<Vec<Record>> {
    let mut customers = rules.customers.lock().unwrap_or_else(PoisonError::into_inner);
    let customer = customers.entry(id.clone()).or_insert_with(|| rules.engine.customer(id.as_str().into()));
    let properties = JsonText::parse(event.properties.get()).ok();
    let call = Call::Track { event: &event.event, properties, name: None };
    let incoming = Incoming { message_id: &event.id, at: event.at, received_at: None, time_zone: None, call };
    let mut out = Output::default();
    rules.engine.apply(customer, &incoming, &mut out);
    Json(out.records)
}

/// Lets time pass for everybody who waits for something: our clock calls it.
async fn until(State(rules): State<Arc<Rules>>, Path(now): Path<i64>) -> Json<Vec<Record>> {
    let mut customers = rules.customers.lock().unwrap_or_else(PoisonError::into_inner);
    let mut out = Output::default();
    for customer in customers.values_mut() {
        if rules.engine.next_deadline(customer).is_some_and(|deadline| deadline <= now) {
            rules.engine.advance(customer, now, &mut out);
        }
    }
    Json(out.records)
}

/// Checks the rules, makes machine code of them, and puts them behind two routes.
pub(crate) fn service(rules: &str) -> Result<Router, Box<dyn Error>> {
    let source = Source { name: "rules.segue".to_owned(), text: rules.to_owned() };
    let checked = compile(&Project { sources: vec![source], ..Project::default() });
    let wrong = || format!("the rules have mistakes: {:?}", checked.diagnostics);
    let program = Arc::new(checked.program.clone().ok_or_else(wrong)?);
    let engine = Engine::new(program, Settings::default())?;
    let rules = Rules { engine, customers: Mutex::default() };
    Ok(Router::new()
        .route("/customers/{id}/events", post(happened))
        .route("/until/{now}", post(until))
        .with_state(Arc::new(rules)))
}
