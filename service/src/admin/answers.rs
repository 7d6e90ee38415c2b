//! Questions.

use super::{Shared, busy, limit, parameter, wrong};
use crate::{
    host::{Progress, TimelineError},
    http::{
        Named,
        answer::{self, Failure},
    },
    limits::LOOKS,
};
use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use segue_compiler::{
    record::{Instant, Record},
    typed::SegmentId,
};
use segue_runtime::live::{Cursor, Portrait};
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};
use std::sync::Arc;

type Answer = Result<Response, Failure>;

pub(super) async fn status(State(shared): State<Arc<Shared>>) -> Answer {
    let status = shared.admin.watch.status();
    let quantile = |of: u64, histogram: &crate::host::Histogram| histogram.quantile(of);
    Ok(answer::of(
        StatusCode::OK,
        &json!({
            "log": { "written": status.written, "applied": status.applied, "is_full": status.is_full,
                "received_at": status.received_at.map(Instant) },
            "customers": status.customers,
            "events": { "applied": status.tally.applied, "late": status.tally.late,
                "duplicate": status.tally.duplicate, "doubtful": status.tally.doubtful,
                "quarantined": status.tally.quarantined, "joined": status.tally.joined },
            "delay_ms": { "median": quantile(500, &status.delay), "p99": quantile(990, &status.delay) },
            "lateness_ms": { "median": quantile(500, &status.lateness), "p99": quantile(990, &status.lateness) },
            "deliveries": { "pending": status.pending, "delivered": status.delivered, "failed": status.failed },
            "checkpoint": { "position": status.checkpoint, "at": status.checkpoint_at.map(Instant),
                "failed": status.failed_checkpoints },
            "erasing": status.erasing,
        }),
    ))
}

pub(super) async fn customer(State(shared): State<Arc<Shared>>, Named(id): Named) -> Answer {
    let portrait = shared.admin.ask.customer(&id).await.map_err(|_| busy())?;
    let portrait = portrait.ok_or_else(unknown_customer)?;
    Ok(answer::of(StatusCode::OK, &portrayed(&shared, &portrait)))
}

fn portrayed(shared: &Shared, portrait: &Portrait) -> Value {
    let names = shared.admin.ask.segments();
    let segments = portrait.segments.iter().filter_map(|id| names.get(id.0 as usize));
    json!({
        "id": &*portrait.id,
        "ids": portrait.ids,
        "segments": segments.map(|name| &**name).collect::<Vec<&str>>(),
        "next_deadline": portrait.next_deadline.map(Instant),
    })
}

/// A call as the log has it.
#[derive(Serialize)]
struct Event<'a> {
    position: u64,
    received_at: Instant,
    call: &'a RawValue,
}

/// Something decided, and how far it has come if it goes out.
#[derive(Serialize)]
struct Decision<'a> {
    record: &'a Record,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<&'static str>,
}

/// From when on a list has all there is; null when nothing older is kept.
#[derive(Serialize)]
struct Since {
    events: Option<Instant>,
    decisions: Option<Instant>,
}

#[derive(Serialize)]
struct Life<'a> {
    customer: Value,
    since: Since,
    events: Vec<Event<'a>>,
    decisions: Vec<Decision<'a>>,
}

pub(super) async fn timeline(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    RawQuery(query): RawQuery,
) -> Answer {
    let limit = limit(query.as_deref())?;
    let timeline = shared.admin.ask.timeline(&id, limit).await.map_err(|error| match error {
        TimelineError::Busy(_) => busy(),
        damage => Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "damaged", damage.to_string()),
    })?;
    let timeline = timeline.ok_or_else(unknown_customer)?;
    let events = timeline.calls.found.iter().filter_map(|heard| {
        let call = serde_json::from_str(&heard.line).ok()?;
        Some(Event { position: heard.position, received_at: Instant(heard.received_at), call })
    });
    let mut progress = timeline.progress.iter();
    let decisions = timeline.records.found.iter().map(|record| {
        let goes_out = matches!(record, Record::Send(_) | Record::Call(_));
        let progress = goes_out.then(|| progress.next()).flatten().map(|progress| match progress {
            Progress::Pending => "pending",
            Progress::Held => "held",
            Progress::Done => "done",
        });
        Decision { record, progress }
    });
    let customer = portrayed(&shared, &timeline.portrait);
    let since =
        Since { events: timeline.calls.since.map(Instant), decisions: timeline.records.since.map(Instant) };
    let life = Life { customer, since, events: events.collect(), decisions: decisions.collect() };
    Ok(answer::of(StatusCode::OK, &life))
}

/// What is due next, of everybody.
pub(super) async fn deadlines(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Answer {
    let limit = limit(query.as_deref())?;
    let (next, all) = shared.admin.ask.deadlines(limit).await.map_err(|_| busy())?;
    let next: Vec<Value> = next
        .iter()
        .map(|it| json!({ "at": Instant(it.at), "customer": &*it.customer, "records": it.records }))
        .collect();
    Ok(answer::of(StatusCode::OK, &json!({ "deadlines": next, "all": all })))
}

pub(super) async fn segments(State(shared): State<Arc<Shared>>) -> Answer {
    let names: Vec<String> = shared.admin.ask.segments().iter().map(|name| name.to_string()).collect();
    Ok(answer::of(StatusCode::OK, &json!({ "segments": names })))
}

pub(super) async fn members(
    State(shared): State<Arc<Shared>>,
    Named(name): Named,
    RawQuery(query): RawQuery,
) -> Answer {
    let limit = limit(query.as_deref())?;
    let place = shared.admin.ask.segments().iter().position(|it| **it == *name);
    let place = place.and_then(|place| u32::try_from(place).ok());
    let segment = place.map(SegmentId).ok_or_else(|| Failure::missing("there is no segment of this name"))?;
    let mut cursor = match parameter(query.as_deref(), "cursor") {
        None => Some(Cursor::default()),
        Some(text) => Some(cursor(&text).ok_or_else(|| wrong("cursor", "what the page before said"))?),
    };
    let mut ids: Vec<String> = Vec::new();
    // Each look is short, so that customers go on in between; a page may have to do with few.
    for _ in 0..LOOKS {
        let (Some(from), true) = (cursor, ids.len() < limit) else { break };
        let members = shared.admin.ask.members(segment, from, limit - ids.len()).await.map_err(|_| busy())?;
        ids.extend(members.ids.iter().map(|id| id.to_string()));
        cursor = members.next;
    }
    let next = cursor.map(|cursor| format!("{}.{}", cursor.shard, cursor.place));
    Ok(answer::of(StatusCode::OK, &json!({ "segment": name, "ids": ids, "cursor": next })))
}

fn cursor(text: &str) -> Option<Cursor> {
    let (shard, place) = text.split_once('.')?;
    Some(Cursor { shard: shard.parse().ok()?, place: place.parse().ok()? })
}

pub(super) async fn rejects(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Answer {
    let rejects = shared.admin.rejects.newest(limit(query.as_deref())?);
    Ok(answer::of(StatusCode::OK, &json!({ "rejects": rejects })))
}

pub(super) async fn fuse(State(shared): State<Arc<Shared>>) -> Answer {
    let held = shared.admin.watch.status().held;
    let held: Vec<_> =
        held.iter().map(|(rule, messages)| json!({ "rule": rule, "messages": messages })).collect();
    Ok(answer::of(StatusCode::OK, &json!({ "held": held })))
}

fn unknown_customer() -> Failure {
    Failure::missing("there is no customer with this id")
}
