//! The routes that trackers use.

use super::{
    Named, Ready,
    answer::{self, Failure},
    body::{self, Budget, Share},
    cors,
};
use crate::{
    clock::Clock,
    ingest::{
        Arrival, Bounds, Calls, Form, Kind, Posted, Rejected, body::unpack, key, key::Keys,
        settings::settings,
    },
    intake::Intake,
    limits::BODIES_BYTES,
    metrics::Metrics,
    rejects::Rejects,
};
use axum::{
    Router,
    extract::{Request, State},
    http::{
        HeaderMap, Method, StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, HOST, HeaderValue, ORIGIN},
    },
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Serialize;
use serde_json::json;
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// Where what is taken. The short ones are those of browsers' trackers.
pub const INGEST: [(&str, Form); 22] = [
    ("/v1/identify", Form::Call(Kind::Identify)),
    ("/v1/track", Form::Call(Kind::Track)),
    ("/v1/page", Form::Call(Kind::Page)),
    ("/v1/screen", Form::Call(Kind::Screen)),
    ("/v1/group", Form::Call(Kind::Group)),
    ("/v1/alias", Form::Call(Kind::Alias)),
    ("/v1/batch", Form::Batch),
    ("/v1/import", Form::Batch),
    ("/v1/i", Form::Call(Kind::Identify)),
    ("/v1/t", Form::Call(Kind::Track)),
    ("/v1/p", Form::Call(Kind::Page)),
    ("/v1/s", Form::Call(Kind::Screen)),
    ("/v1/g", Form::Call(Kind::Group)),
    ("/v1/a", Form::Call(Kind::Alias)),
    ("/v1/b", Form::Batch),
    ("/batch", Form::PostHog),
    ("/batch/", Form::PostHog),
    ("/capture", Form::PostHog),
    ("/capture/", Form::PostHog),
    ("/e", Form::PostHog),
    ("/e/", Form::PostHog),
    ("/i/v0/e/", Form::PostHog),
];

/// What the routes need.
pub struct Public {
    /// The way to the log, once it is read.
    pub intake: Arc<OnceLock<Intake>>,
    /// Who may send.
    pub keys: Keys,
    /// How much is taken.
    pub bounds: Bounds,
    /// From which pages browsers may send; none listed is any.
    pub origins: Vec<String>,
    /// The address under which browsers reach the service, where that is not where they asked.
    pub public_url: Option<String>,
    /// Whether TLS is spoken.
    pub is_tls: bool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Whether events can be taken.
    pub ready: Ready,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What was rejected of late.
    pub rejects: Arc<Rejects>,
}

struct Shared {
    public: Public,
    budget: Budget,
    requests: AtomicU64,
}

/// The routes.
pub fn router(public: Public) -> Router {
    let shared = Arc::new(Shared { public, budget: Budget::new(BODIES_BYTES), requests: AtomicU64::new(0) });
    let mut router = Router::new()
        .route("/healthz", get(|| async { answer::of(StatusCode::OK, &json!({ "status": "ok" })) }))
        .route("/readyz", get(ready))
        .route("/v1/projects/{key}/settings", get(project));
    for (path, form) in INGEST {
        let take = move |State(shared): State<Arc<Shared>>, request: Request| async move {
            take(&shared, form, request).await
        };
        router = router.route(path, post(take));
    }
    router
        .fallback(|| async { Failure::missing("there is nothing here") })
        .method_not_allowed_fallback(|| async {
            Failure::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method",
                "this is asked in another way: events by POST",
            )
        })
        .layer(from_fn_with_state(shared.clone(), around))
        .with_state(shared)
}

/// What is the same for every request.
async fn around(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let origin = request.headers().get(ORIGIN).cloned();
    let is_preflight = request.method() == Method::OPTIONS;
    let mut response =
        if is_preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    if is_preflight {
        cors::preflight(response.headers_mut());
    }
    cors::allow(&shared.public.origins, origin.as_ref(), response.headers_mut());
    let took = began.elapsed();
    shared.public.metrics.answered(response.status().as_u16(), took);
    // Never the path: it may hold a key.
    tracing::debug!(status = response.status().as_u16(), micros = took.as_micros(), "answered");
    response
}

async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    match (shared.public.ready)() {
        Ok(()) => answer::of(StatusCode::OK, &json!({ "status": "ready" })),
        Err(reason) => {
            answer::of(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "not ready", "reason": reason }))
        }
    }
}

async fn project(
    State(shared): State<Arc<Shared>>,
    Named(key): Named,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    if !shared.public.keys.open(&key) {
        return Err(Failure::missing("there is no project with this write key"));
    }
    let (protocol, host) = match shared.public.public_url.as_deref().and_then(|url| url.split_once("://")) {
        Some(parts) => parts,
        None => {
            let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
            (if shared.public.is_tls { "https" } else { "http" }, host)
        }
    };
    let mut response = answer::of(StatusCode::OK, &settings(&key, protocol, host));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=60"));
    Ok(response)
}

/// What became of a request's events.
#[derive(Serialize)]
struct Taken<'a> {
    success: bool,
    accepted: usize,
    rejected: &'a [Rejected],
}

async fn take(shared: &Shared, form: Form, request: Request) -> Result<Response, Failure> {
    let public = &shared.public;
    let (parts, body) = request.into_parts();
    let named = parts.headers.get(AUTHORIZATION).and_then(|it| key::basic(it.to_str().ok()?));
    let named = named.filter(|key| !key.is_empty());
    if let Some(key) = &named {
        check(&public.keys, key).map_err(Failure::closing)?;
    }
    let mut share = shared.budget.share()?;
    let bytes = body::read(&parts, body, public.bounds.batch_bytes, &mut share).await?;
    public.metrics.body_bytes.add(bytes.len() as u64);
    let calls = calls(shared, form, &parts, (&bytes, &mut share), named.is_some())?;
    drop(bytes);
    public.metrics.events_rejected.add(calls.rejected.len() as u64);
    if !calls.rejected.is_empty() {
        public.rejects.add(public.clock.now(), parts.uri.path(), &calls.rejected);
    }
    if !calls.calls.is_empty() {
        let intake = public.intake.get().ok_or_else(starting)?;
        let submitted = intake.submit(calls.calls).await;
        submitted.inspect_err(|refusal| public.metrics.refused(refusal))?;
        public.metrics.events_accepted.add(calls.accepted as u64);
    }
    drop(share);
    let taken =
        Taken { success: calls.rejected.is_empty(), accepted: calls.accepted, rejected: &calls.rejected };
    // A batch is answered by what became of its parts; one call that is none is a bad request.
    let is_bad = matches!(form, Form::Call(_)) && calls.accepted == 0;
    Ok(answer::of(if is_bad { StatusCode::BAD_REQUEST } else { StatusCode::OK }, &taken))
}

fn calls(
    shared: &Shared,
    form: Form,
    parts: &axum::http::request::Parts,
    (bytes, share): (&[u8], &mut Share),
    is_named: bool,
) -> Result<Calls, Failure> {
    let public = &shared.public;
    let header = parts.headers.get(CONTENT_ENCODING).map(|it| it.to_str().unwrap_or("?"));
    // PostHog's browser tracker says it in the address, as pages may not set the header without asking first.
    let asked = parts.uri.query().unwrap_or_default().split('&').any(|it| it.starts_with("compression=gzip"));
    let encoding = header.or((form == Form::PostHog && asked).then_some("gzip"));
    if encoding.is_some() {
        // It may become the largest that is taken.
        share.reach(bytes.len() + public.bounds.batch_bytes)?;
    }
    let body = unpack(bytes, encoding, public.bounds.batch_bytes)?;
    let posted = Posted::read(form, &body, &public.bounds)?;
    if !is_named {
        check(&public.keys, posted.write_key.as_deref().unwrap_or_default())?;
    }
    let request = shared.requests.fetch_add(1, Ordering::Relaxed);
    Ok(posted.calls(Arrival { received_at: public.clock.now(), request }, &public.bounds))
}

fn starting() -> Failure {
    let message = "the service starts, and its log is being read";
    let failure = Failure::new(StatusCode::SERVICE_UNAVAILABLE, "starting", message);
    failure.after(Duration::from_secs(1))
}

fn check(keys: &Keys, key: &str) -> Result<(), Failure> {
    if keys.open(key) {
        return Ok(());
    }
    Err(Failure::unauthorized(if key.is_empty() {
        "a write key is missing: the user of Basic authorization, or `writeKey` in the body"
    } else {
        "the write key is not known"
    }))
}
