//! A name within an address.

use super::answer::Failure;
use axum::{
    extract::{FromRequestParts, Path},
    http::{StatusCode, request::Parts},
};

/// The one name that an address has; what cannot be read is refused as everything else is.
pub(crate) struct Named(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(name)| Self(name)).map_err(|_| {
            let message = "the name in the address should be UTF-8 text, with % before its bytes";
            Failure::new(StatusCode::BAD_REQUEST, "parameter", message)
        })
    }
}
