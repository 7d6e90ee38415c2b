//! From which pages browsers may send.

use axum::http::{
    HeaderMap, HeaderValue,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, VARY,
    },
};

/// Adds what a browser wants to see before it lets a page read an answer. No origin listed is any: write keys stand in
/// pages, where everybody can read them, and cookies are never asked for.
pub(super) fn allow(origins: &[String], origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
    let allowed = if origins.is_empty() {
        HeaderValue::from_static("*")
    } else {
        headers.insert(VARY, HeaderValue::from_static("origin"));
        let Some(origin) =
            origin.filter(|it| origins.iter().any(|listed| listed.as_bytes() == it.as_bytes()))
        else {
            return;
        };
        origin.clone()
    };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    // When to come again is told to trackers in pages, too.
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
}

/// Adds what is allowed beyond the simplest requests.
pub(super) fn preflight(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    let names = HeaderValue::from_static("authorization, content-type, content-encoding, x-retry-count");
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
}
