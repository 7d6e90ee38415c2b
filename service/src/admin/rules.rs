//! Rules: those in force, and others to take their place.

use super::Shared;
use crate::{
    changes::{Changed, Proposal, Refused},
    http::{
        answer::{self, Failure},
        body,
    },
    limits::RULES_BYTES,
};
use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use segue_compiler::{changes::print, record::Instant};
use serde_json::json;
use std::sync::Arc;

type Answer = Result<Response, Failure>;

pub(super) async fn get(State(shared): State<Arc<Shared>>) -> Answer {
    Ok(answer::of(StatusCode::OK, &*shared.admin.ask.rules()))
}

/// Puts other rules in force.
pub(super) async fn put(State(shared): State<Arc<Shared>>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let mut share = shared.bodies.share()?;
    let bytes = body::read(&parts, body, RULES_BYTES, &mut share).await?;
    let proposal: Proposal = serde_json::from_slice(&bytes).map_err(|error| {
        let form = r#"{"sources": {"FILE.segue": "TEXT"}, "files": {"PATH": "TEXT"}, "settings": "TEXT"}"#;
        let message = format!("the body should be {form}: {error}");
        Failure::new(StatusCode::BAD_REQUEST, "unreadable", message)
    })?;
    let put = match proposal.check_names(&shared.admin.ask.rules()) {
        Err(refused) => Err(refused),
        Ok(()) => {
            // To its end, also where whoever asked does not wait for it.
            let changes = shared.admin.changes.clone();
            let put = tokio::spawn(async move { changes.put(proposal).await }).await;
            put.unwrap_or_else(|error| Err(Refused::Folder(error.to_string())))
        }
    };
    match put {
        Ok(changed) => Ok(told(&changed)),
        Err(Refused::Write(refusal)) => {
            tracing::warn!("the rules stay as they are: {refusal}");
            Err(refusal.into())
        }
        Err(refused) => {
            let message = format!("the rules stay as they are: {refused}");
            tracing::warn!("{message}");
            let findings = if let Refused::Findings(findings) = refused { findings } else { Vec::new() };
            Ok(answer::of(
                StatusCode::UNPROCESSABLE_ENTITY,
                &json!({ "success": false, "code": "rules", "message": message, "findings": findings }),
            ))
        }
    }
}

fn told(changed: &Changed) -> Response {
    changed.tell();
    let accepted = changed.accepted.as_ref();
    answer::of(
        StatusCode::OK,
        &json!({
            "message": changed.headline(),
            "position": accepted.map(|it| it.first),
            "at": accepted.map(|it| Instant(it.received_at)),
            "plan": print(&changed.changes),
            "changes": changed.changes,
            "findings": changed.warnings,
        }),
    )
}
