//! Answers, all of them JSON.

use crate::{ingest::Unreadable, intake::Refusal};
use axum::{
    body::Body,
    http::{
        HeaderValue, StatusCode,
        header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;

/// A request that was not done, and why. Trackers look at the status and at `Retry-After`; people at the rest.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The status.
    pub status: StatusCode,
    /// A word for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
    /// When to try again, where that can help.
    pub retry_after: Option<Duration>,
    /// Whether the connection ends with it: what follows of the request cannot be told from the next.
    pub closes: bool,
}

impl Failure {
    /// A failure that trying again does not mend.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None, closes: false }
    }

    /// As it is, and the connection ends.
    #[must_use]
    pub fn closing(self) -> Self {
        Self { closes: true, ..self }
    }

    /// As it is, with the time after which it may go better.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// Nobody gets in without a key.
    #[must_use]
    pub fn unauthorized(message: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    /// There is nothing of that name.
    #[must_use]
    pub fn missing(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }
}

impl From<Unreadable> for Failure {
    fn from(unreadable: Unreadable) -> Self {
        let (status, code) = match unreadable {
            Unreadable::TooLong(_) | Unreadable::TooMany(..) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Unreadable::Encoding(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "encoding"),
            _ => (StatusCode::BAD_REQUEST, "unreadable"),
        };
        Self::new(status, code, unreadable.to_string())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::Busy { retry_after } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", message).after(retry_after)
            }
            Refusal::Full => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "full", message).after(Duration::from_secs(5))
            }
            Refusal::Closing => {
                let failure = Self::new(StatusCode::SERVICE_UNAVAILABLE, "closing", message);
                failure.after(Duration::from_secs(1)).closing()
            }
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = json!({ "success": false, "code": self.code, "message": self.message });
        let mut response = of(self.status, &body);
        let headers = response.headers_mut();
        if let Some(wait) = self.retry_after {
            // Whole seconds, and never 0: that would be at once.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"segue\""));
        }
        if self.closes {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// An answer.
pub fn of(status: StatusCode, body: &impl Serialize) -> Response {
    let Ok(text) = serde_json::to_string(body) else {
        // INVARIANT: answers are structs and maps with text for keys.
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
