//! Write keys: which application a request comes from.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::{Choice, ConstantTimeEq};

/// Secrets of which any one opens; kept as digests, so that they show nowhere and comparing them takes the same time
/// whatever was tried.
#[derive(Clone)]
pub struct Keys(Vec<[u8; 32]>);

impl Keys {
    /// The keys of a text, parted by space or on lines of their own.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(text.split_whitespace().map(digest).collect())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a key is one of them.
    #[must_use]
    pub fn open(&self, key: &str) -> bool {
        let tried = digest(key);
        // All are compared, so that the time tells nothing either.
        self.0.iter().fold(Choice::from(0), |found, key| found | key.ct_eq(&tried)).into()
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} keys", self.0.len())
    }
}

fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// The user of an `Authorization: Basic …`: trackers send their write key as it, with an empty password.
#[must_use]
pub fn basic(authorization: &str) -> Option<String> {
    let packed = after(authorization, "basic")?;
    let text = String::from_utf8(STANDARD.decode(packed).ok()?).ok()?;
    Some(text.split(':').next().unwrap_or_default().to_owned())
}

/// The token of an `Authorization: Bearer …`.
#[must_use]
pub fn bearer(authorization: &str) -> Option<&str> {
    after(authorization, "bearer")
}

fn after<'a>(authorization: &'a str, scheme: &str) -> Option<&'a str> {
    let (name, rest) = authorization.split_once(' ')?;
    name.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_open() {
        let keys = Keys::parse(" one\ntwo  three\n");
        assert!(["one", "two", "three"].iter().all(|key| keys.open(key)));
        assert!(["", "on", "one two", "four"].iter().all(|key| !keys.open(key)));
        assert!(!Keys::parse(" \n").open("") && Keys::parse(" \n").is_empty());
        assert_eq!(format!("{keys:?}"), "3 keys");
    }

    #[test]
    fn authorization_is_read() {
        assert_eq!(basic("Basic a2V5Og==").as_deref(), Some("key"));
        assert_eq!(basic("basic a2V5OnBhc3M=").as_deref(), Some("key"));
        assert_eq!(basic("Basic %%%"), None);
        assert_eq!(basic("Bearer a2V5Og=="), None);
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("abc"), None);
    }
}
