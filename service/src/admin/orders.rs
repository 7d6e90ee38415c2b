//! Orders.

use super::Shared;
use crate::http::{
    Named,
    answer::{self, Failure},
};
use axum::{extract::State, http::StatusCode, response::Response};
use segue_compiler::record::Instant;
use serde_json::json;
use std::sync::Arc;

type Answer = Result<Response, Failure>;

/// Forgets a customer, everywhere.
pub(super) async fn erase(State(shared): State<Arc<Shared>>, Named(id): Named) -> Answer {
    let accepted = shared.admin.ask.erase(&id).await?;
    // Reasons may quote what somebody sent.
    shared.admin.rejects.clear();
    tracing::info!("a customer is erased");
    let told = json!({ "position": accepted.first, "at": Instant(accepted.received_at) });
    Ok(answer::of(StatusCode::ACCEPTED, &told))
}

/// Lets a rule go on that the fuse has stopped.
pub(super) async fn release(State(shared): State<Arc<Shared>>, Named(rule): Named) -> Answer {
    if !shared.admin.watch.status().held.contains_key(&rule) {
        return Err(Failure::missing("the fuse holds no rule of this name"));
    }
    let accepted = shared.admin.ask.release(&rule).await?;
    tracing::info!(rule, "a rule goes on that the fuse had stopped");
    let told = json!({ "position": accepted.first, "at": Instant(accepted.received_at) });
    Ok(answer::of(StatusCode::OK, &told))
}
