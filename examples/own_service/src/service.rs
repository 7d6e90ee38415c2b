//! The service: a route for events, and a clock by which time passes.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};
use segue_compiler::{
    project::{Project, Source, compile},
    record::Record,
    settings::Settings,
    value::Millis,
};
use segue_runtime::{engine::Engine, live::Live, source::Envelope};
use serde_json::{Value, json};
use std::{
    error::Error,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::mpsc::UnboundedSender, time::sleep};

/// The rules with everybody they know, and how late it is. A service that must not forget keeps what [`Live::changes`] gives,
/// and hands it to [`Live::restore`] when it starts.
struct Rules {
    live: Live<Engine>,
    clock: fn() -> Millis,
    now: Millis,
}

type Shared = Arc<Mutex<Rules>>;

/// The rules to oneself, at the present: a clock may be set back, and time does not go back.
fn at_present(rules: &Shared) -> MutexGuard<'_, Rules> {
    let mut rules = rules.lock().unwrap_or_else(PoisonError::into_inner);
    rules.now = rules.now.max((rules.clock)());
    rules
}

/// An event of ours: its `id`, so that a second delivery changes nothing, its name, its time and its fields. Answers with what
/// the rules make of it at once.
async fn happened(
    State(rules): State<Shared>,
    Path(customer): Path<String>,
    Json(event): Json<Value>,
) -> Result<Json<Vec<Record>>, (StatusCode, String)> {
    let call = json!({ "type": "track", "userId": customer, "messageId": event["id"], "event": event["event"],
        "timestamp": event["at"], "properties": event["properties"] });
    let line = call.to_string();
    let call = Envelope::parse(line.as_bytes()).map_err(|why| (StatusCode::BAD_REQUEST, why))?;
    let mut rules = at_present(&rules);
    let call = call.received(rules.now);
    rules.live.calls([call]);
    Ok(Json(rules.live.records()))
}

/// Lets time pass, whether anything happens or not, and gives out what is decided by it.
async fn pass_time(rules: Shared, decided: UnboundedSender<Record>) {
    loop {
        sleep(Duration::from_millis(10)).await;
        let mut rules = at_present(&rules);
        let now = rules.now;
        if rules.live.wake_at().is_some_and(|at| at <= now) {
            rules.live.advance(now);
            let records = rules.live.records();
            if records.into_iter().any(|record| decided.send(record).is_err()) {
                return;
            }
        }
    }
}

/// Checks the rules, makes machine code of them, and puts them behind a route and a clock.
pub(crate) fn service(
    rules: &str,
    clock: fn() -> Millis,
    decided: UnboundedSender<Record>,
) -> Result<Router, Box<dyn Error>> {
    let source = Source { name: "rules.segue".to_owned(), text: rules.to_owned() };
    let checked = compile(&Project { sources: vec![source], ..Project::default() });
    let wrong = || format!("the rules have mistakes: {:?}", checked.diagnostics);
    let program = Arc::new(checked.program.clone().ok_or_else(wrong)?);
    let settings = Settings::default();
    let settle = settings.settle;
    let live = Live::new(Engine::new(program, settings)?, settle, NonZeroUsize::MIN, clock());
    let rules: Shared = Arc::new(Mutex::new(Rules { live, clock, now: clock() }));
    tokio::spawn(pass_time(rules.clone(), decided));
    Ok(Router::new().route("/customers/{customer}/events", post(happened)).with_state(rules))
}
