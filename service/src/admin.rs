//! The port for those who run the service: questions, orders and figures, for whoever has the token.
//!
//! `docs/openapi.json` describes it; a test compares both.

mod answers;
mod figures;
mod orders;
mod rules;

use crate::{
    changes::Changes,
    host::{Ask, Watch},
    http::{answer::Failure, body::Budget},
    ingest::key::{self, Keys},
    limits::{PAGE, PAGE_MOST, RULES_BYTES},
    metrics::{Metrics, Page},
    rejects::Rejects,
};
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use std::{path::PathBuf, sync::Arc};

/// The description of the routes.
pub const OPENAPI: &str = include_str!("../../docs/openapi.json");

/// What the routes need.
pub struct Admin {
    /// The token.
    pub token: Keys,
    /// Whom to ask.
    pub ask: Ask,
    /// Who puts other rules in force.
    pub changes: Arc<Changes>,
    /// How the host is.
    pub watch: Watch,
    /// The folder of log and decisions.
    pub data: PathBuf,
    /// What the ports count.
    pub metrics: Arc<Metrics>,
    /// What was rejected of late.
    pub rejects: Arc<Rejects>,
}

struct Shared {
    admin: Admin,
    /// The memory for bodies.
    bodies: Budget,
}

type Route = (&'static str, fn() -> MethodRouter<Arc<Shared>>);

/// Every path, and what is there.
const ROUTES: [Route; 12] = [
    ("/metrics", || get(metrics)),
    ("/v1/admin/openapi.json", || get(openapi)),
    ("/v1/admin/status", || get(answers::status)),
    ("/v1/admin/customers/{id}", || get(answers::customer).delete(orders::erase)),
    ("/v1/admin/customers/{id}/timeline", || get(answers::timeline)),
    ("/v1/admin/deadlines", || get(answers::deadlines)),
    ("/v1/admin/segments", || get(answers::segments)),
    ("/v1/admin/segments/{name}/members", || get(answers::members)),
    ("/v1/admin/rejects", || get(answers::rejects)),
    ("/v1/admin/rules", || get(rules::get).put(rules::put)),
    ("/v1/admin/fuse", || get(answers::fuse)),
    ("/v1/admin/fuse/{rule}/release", || post(orders::release)),
];

/// The paths.
pub fn paths() -> impl Iterator<Item = &'static str> {
    ROUTES.iter().map(|(path, _)| *path)
}

/// The routes.
pub fn router(admin: Admin) -> Router {
    let shared = Arc::new(Shared { admin, bodies: Budget::new(RULES_BYTES) });
    let mut router = Router::new();
    for (path, methods) in ROUTES {
        router = router.route(path, methods());
    }
    router
        .fallback(|| async { Failure::missing("there is nothing here") })
        .method_not_allowed_fallback(|| async {
            Failure::new(StatusCode::METHOD_NOT_ALLOWED, "method", "this is asked in another way")
        })
        .layer(from_fn_with_state(shared.clone(), guard))
        .with_state(shared)
}

/// Nobody gets in without the token; nothing of what is answered is kept on the way.
async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let token = request.headers().get(header::AUTHORIZATION).and_then(|it| key::bearer(it.to_str().ok()?));
    if !token.is_some_and(|token| shared.admin.token.open(token)) {
        let failure = Failure::unauthorized("the bearer token is missing or wrong").closing();
        let mut response = failure.into_response();
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return response;
    }
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let mut page = Page::default();
    shared.admin.metrics.write(&mut page);
    figures::write(&shared.admin.watch.status(), &shared.admin.data, &mut page);
    let mut response = page.finish().into_response();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

async fn openapi() -> Response {
    let mut response = OPENAPI.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A parameter of the address; what is asked for here needs no escapes.
fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// How many are wanted of a list.
fn limit(query: Option<&str>) -> Result<usize, Failure> {
    let Some(text) = parameter(query, "limit") else { return Ok(PAGE) };
    let limit = text.parse().ok().filter(|limit| (1..=PAGE_MOST).contains(limit));
    limit.ok_or_else(|| wrong("limit", format!("a whole number from 1 to {PAGE_MOST}")))
}

fn wrong(parameter: &str, expected: impl std::fmt::Display) -> Failure {
    let message = format!("`{parameter}` should be {expected}");
    Failure::new(StatusCode::BAD_REQUEST, "parameter", message)
}

fn busy() -> Failure {
    let message = "too much is asked at once; try again in a moment";
    let failure = Failure::new(StatusCode::TOO_MANY_REQUESTS, "busy", message);
    failure.after(std::time::Duration::from_secs(1))
}
