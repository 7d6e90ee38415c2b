//! Reading bodies within bounds of size, time and memory.

use super::{answer::Failure, serve::Patience};
use crate::{ingest::Unreadable, limits::RETRY_AFTER};
use axum::{
    body::{Body, HttpBody},
    http::{StatusCode, header::CONTENT_LENGTH, request::Parts},
};
use http_body_util::BodyExt;
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Permits stand for so many bytes.
const PERMIT_BYTES: usize = 1_024;

/// The memory that all bodies share which are read or worked on at once.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Semaphore>);

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes / PERMIT_BYTES)))
    }

    /// Room for nothing yet.
    pub(crate) fn share(&self) -> Result<Share, Failure> {
        Ok(Share { budget: self.clone(), permit: self.take(1)? })
    }

    fn take(&self, permits: usize) -> Result<OwnedSemaphorePermit, Failure> {
        let permits = u32::try_from(permits).unwrap_or(u32::MAX);
        self.0.clone().try_acquire_many_owned(permits).map_err(|_| {
            let failure = Failure::new(
                StatusCode::TOO_MANY_REQUESTS,
                "busy",
                "too many requests are being read; try again in a moment",
            );
            failure.after(Duration::from_millis(RETRY_AFTER)).closing()
        })
    }
}

/// What a request has of the memory. It grows with what comes, not with what is announced: who announces much and sends
/// nothing keeps nobody away.
pub(crate) struct Share {
    budget: Budget,
    permit: OwnedSemaphorePermit,
}

impl Share {
    /// Sees to it that there is room for so many bytes.
    pub(crate) fn reach(&mut self, bytes: usize) -> Result<(), Failure> {
        let missing = bytes.div_ceil(PERMIT_BYTES).saturating_sub(self.permit.num_permits());
        if missing > 0 {
            self.permit.merge(self.budget.take(missing)?);
        }
        Ok(())
    }
}

/// Reads a body of at most so many bytes into memory that is shared with others.
pub(crate) async fn read(
    parts: &Parts,
    body: Body,
    most: usize,
    share: &mut Share,
) -> Result<Vec<u8>, Failure> {
    let too_long = || Failure::from(Unreadable::TooLong(most)).closing();
    let declared = parts.headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > most) {
        return Err(too_long());
    }
    let mut bytes = Vec::new();
    let reading = async {
        let mut body = body;
        while !body.is_end_stream()
            && let Some(frame) = body.frame().await
        {
            let frame = frame.map_err(|_| broken())?;
            let Some(data) = frame.data_ref() else { continue };
            if bytes.len() + data.len() > most {
                return Err(too_long());
            }
            share.reach(bytes.len() + data.len())?;
            bytes.extend_from_slice(data);
        }
        Ok(())
    };
    let patience = parts.extensions.get::<Patience>().copied().unwrap_or_default();
    match tokio::time::timeout(Duration::from_millis(patience.body), reading).await {
        Ok(Ok(())) => Ok(bytes),
        Ok(Err(failure)) => Err(failure),
        Err(_) => {
            let words = "the body took too long to come";
            Err(Failure::new(StatusCode::REQUEST_TIMEOUT, "slow", words).closing())
        }
    }
}

fn broken() -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, "unreadable", "the body broke off").closing()
}
