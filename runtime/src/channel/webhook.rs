//! Decisions as requests to a web service.

use super::{Channel, Delivery, Outcome};
use crate::{
    config::{Rate, WebhookConfig},
    limits::{FIRST_RETRY, LONGEST_RETRY, MAX_ANSWER_BYTES},
    words::shown,
};
use std::{
    io::{ErrorKind, Read},
    time::Duration,
};
use ureq::{Agent, Body, http::Response};

/// How much of a refusal's words is shown.
const SHOWN: usize = 200;

/// What waits between attempts.
pub trait Sleep: Send {
    /// Waits.
    fn sleep(&mut self, time: Duration);
}

/// Waits for real.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealSleep;

impl Sleep for RealSleep {
    fn sleep(&mut self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// Posts a decision's record as JSON. Every attempt bears the same `Idempotency-Key` and `webhook-id`, the decision's
/// id; a secret goes along as a bearer token.
///
/// With a rate, requests are evenly spaced: each begins at least the rate's gap after the one before has ended. So no
/// clock is needed, nothing comes in bursts, and the receiver never gets more than the rate, whatever is tried again.
pub struct Webhook {
    agent: Agent,
    url: String,
    authorization: Option<String>,
    retries: u32,
    gap: Duration,
    /// What has to pass before the next request.
    pause: Duration,
    sleep: Box<dyn Sleep>,
}

/// What an attempt gave.
enum Attempt {
    Taken,
    /// No retry would help.
    Refused(Why),
    /// A retry may help, after so many milliseconds if the receiver says so.
    Failed {
        why: Why,
        after: Option<u64>,
    },
}

/// Why an attempt failed: what may stand in a log, and what was said.
struct Why {
    reason: String,
    said: Option<String>,
}

impl Why {
    fn outcome(self, attempts: u32, retryable: bool) -> Outcome {
        let Self { reason, said } = self;
        Outcome::Failed { reason, said, attempts, retryable }
    }
}

impl Webhook {
    /// A webhook with its secret already read.
    #[must_use]
    pub fn new(config: &WebhookConfig, secret: Option<&str>, sleep: Box<dyn Sleep>) -> Self {
        let timeout = Duration::from_millis(u64::try_from(config.timeout).unwrap_or_default());
        let agent = Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            // A redirected POST would lose its body or its secret's owner; the address is to be mended instead.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("segue/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        let authorization = secret.map(|secret| format!("Bearer {secret}"));
        let gap = config.rate.map_or(Duration::ZERO, Rate::gap);
        let (url, retries) = (config.url.clone(), config.retries);
        Self { agent, url, authorization, retries, gap, pause: Duration::ZERO, sleep }
    }

    fn attempt(&mut self, id: &str, body: &[u8]) -> Attempt {
        if !self.pause.is_zero() {
            self.sleep.sleep(self.pause);
        }
        self.pause = self.gap;
        let mut request = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json")
            .header("idempotency-key", id)
            .header("webhook-id", id);
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        match request.send(body) {
            Ok(mut response) => {
                let answer = read_answer(&mut response);
                judge(&response, &answer)
            }
            Err(error) => failure(&error),
        }
    }
}

impl Channel for Webhook {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Outcome {
        let id = delivery.id.to_string();
        let body = match serde_json::to_vec(delivery.record) {
            Ok(body) => body,
            Err(_) => return Outcome::refused("it cannot be written as JSON"),
        };
        let mut backoff = FIRST_RETRY;
        let mut attempts = 0;
        loop {
            attempts += 1;
            match self.attempt(&id, &body) {
                Attempt::Taken => return Outcome::Delivered { attempts },
                Attempt::Refused(why) => return why.outcome(attempts, false),
                Attempt::Failed { why, .. } if attempts > self.retries => return why.outcome(attempts, true),
                Attempt::Failed { after, .. } => {
                    let wait = backoff.max(after.unwrap_or_default()).min(LONGEST_RETRY);
                    self.pause = self.gap.max(Duration::from_millis(wait));
                    backoff = backoff.saturating_mul(2);
                }
            }
        }
    }
}

/// The start of the answer's body; reading it lets the connection be used again.
fn read_answer(response: &mut Response<Body>) -> String {
    let mut answer = Vec::new();
    // An answer that breaks off is still an answer: its status was read.
    let _ = response.body_mut().as_reader().take(MAX_ANSWER_BYTES).read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn judge(response: &Response<Body>, answer: &str) -> Attempt {
    let status = response.status();
    let said = shown(answer.trim(), SHOWN);
    let said = Some(said).filter(|said| !said.is_empty());
    let reason = format!("the hook answered {status}");
    match status.as_u16() {
        200..=299 => Attempt::Taken,
        408 | 425 | 429 | 500..=599 => {
            Attempt::Failed { why: Why { reason, said }, after: retry_after(response) }
        }
        300..=399 => {
            let reason = format!("{reason}; redirects are not followed, mend `url`");
            Attempt::Refused(Why { reason, said })
        }
        _ => Attempt::Refused(Why { reason, said }),
    }
}

/// `Retry-After` in seconds, as milliseconds. Its other form, a date, needs a clock and is left to the backoff.
fn retry_after(response: &Response<Body>) -> Option<u64> {
    let seconds: u64 = response.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    seconds.checked_mul(1000)
}

fn unreached(kind: ErrorKind) -> String {
    let words = "the hook cannot be reached";
    match kind {
        ErrorKind::ConnectionRefused
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => format!("{words}: {kind}"),
        _ => words.to_owned(),
    }
}

/// The library's own words may quote the address; they are for whoever asked for the delivery.
fn failure(error: &ureq::Error) -> Attempt {
    let reason = match error {
        ureq::Error::Timeout(_) => "the hook did not answer in time".to_owned(),
        ureq::Error::HostNotFound => "the hook's host was not found".to_owned(),
        ureq::Error::ConnectionFailed => "the hook cannot be reached".to_owned(),
        ureq::Error::Io(error) => unreached(error.kind()),
        ureq::Error::Http(_) | ureq::Error::BadUri(_) => "`url` is no address of a web service".to_owned(),
        ureq::Error::InvalidProxyUrl => "the proxy's address is none".to_owned(),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => "no TLS came about with the hook".to_owned(),
        ureq::Error::Protocol(_) => "the hook does not speak HTTP".to_owned(),
        _ => "the request failed".to_owned(),
    };
    let why = Why { reason, said: Some(shown(&error.to_string(), SHOWN)) };
    match error {
        ureq::Error::Http(_)
        | ureq::Error::BadUri(_)
        | ureq::Error::Tls(_)
        | ureq::Error::InvalidProxyUrl => Attempt::Refused(why),
        _ => Attempt::Failed { why, after: None },
    }
}
