//! A service of one's own: its events go to rules, what they decide at once comes back in the answer, and what they decide as
//! time passes goes where the service wants it; here to standard output. The README says how to try it.

use axum::extract::{Json, Path, State};
use axum::{Router, http::StatusCode, routing::post};
use segue_compiler::{project::Project, record::Record, settings::Settings};
use segue_runtime::embedded::Embedded;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};
use std::{error::Error, sync::Arc};
use tokio::{net::TcpListener, time::sleep};

/// What happened becomes a call; its `id` sees to it that a second delivery changes nothing.
async fn happened(
    State(rules): State<Arc<Embedded>>,
    Path(customer): Path<String>,
    Json(event): Json<Value>,
) -> Result<Json<Vec<Record>>, (StatusCode, String)> {
    let call = json!({ "type": "track", "userId": customer, "messageId": event["id"], "event": event["event"],
        "timestamp": event["at"], "properties": event["properties"] });
    rules.apply(call.to_string()).map(Json).map_err(|why| (StatusCode::BAD_REQUEST, why))
}

fn service(rules: Arc<Embedded>) -> Router {
    Router::new().route("/customers/{customer}/events", post(happened)).with_state(rules)
}

/// Lets time pass, whether anything happens or not.
async fn decide_by_time(rules: Arc<Embedded>, decided: impl Fn(Record)) {
    loop {
        rules.pass_time().into_iter().for_each(&decided);
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::main]
#[expect(clippy::disallowed_methods, reason = "a service lives by the wall clock")]
async fn main() -> Result<(), Box<dyn Error>> {
    let project = Project::of("rules.segue", include_str!("../rules.segue"));
    let rules = Arc::new(Embedded::new(&project, Settings::default(), SystemTime::now)?);
    tokio::spawn(decide_by_time(rules.clone(), |record| println!("{}", json!(record))));
    Ok(axum::serve(TcpListener::bind("127.0.0.1:8090").await?, service(rules)).await?)
}

#[cfg(test)]
mod tests;
