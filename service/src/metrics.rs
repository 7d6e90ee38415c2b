//! What the service counts of itself, in the text format of Prometheus.

use crate::intake::Refusal;
use std::{
    fmt::{Display, Write},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// A number that others may read at any time.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// More.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// Less; of what comes and goes.
    pub fn sub(&self, count: u64) {
        self.0.fetch_sub(count, Ordering::Relaxed);
    }

    /// How many.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Statuses that are counted each; others are counted as their hundred.
const STATUSES: [u16; 10] = [200, 204, 400, 401, 404, 408, 413, 415, 429, 503];
/// Bounds of the times to an answer, in microseconds.
const BOUNDS: [u64; 12] =
    [500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000];

/// Counts of the ports.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Events that were accepted: they are on disk.
    pub events_accepted: Count,
    /// Events that are none.
    pub events_rejected: Count,
    /// Bytes of bodies, as they came.
    pub body_bytes: Count,
    /// Connections that are open.
    pub connections: Count,
    /// Connections that were closed at once, because too many were open.
    pub connections_refused: Count,
    /// Connections that were closed at once, because too many of their address were open.
    pub connections_refused_by_address: Count,
    refused: [Count; 3],
    statuses: [Count; STATUSES.len()],
    others: Count,
    times: [Count; BOUNDS.len() + 1],
    micros: Count,
}

impl Metrics {
    /// A request was answered.
    pub fn answered(&self, status: u16, took: Duration) {
        let count = STATUSES.iter().position(|it| *it == status).and_then(|index| self.statuses.get(index));
        count.unwrap_or(&self.others).add(1);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS.len());
        if let Some(bucket) = self.times.get(bucket) {
            bucket.add(1);
        }
        self.micros.add(micros);
    }

    /// Events were refused as a whole.
    pub fn refused(&self, refusal: &Refusal) {
        let [busy, full, closing] = &self.refused;
        match refusal {
            Refusal::Busy { .. } => busy.add(1),
            Refusal::Full => full.add(1),
            Refusal::Closing => closing.add(1),
        }
    }

    /// Writes all of it.
    pub fn write(&self, page: &mut Page) {
        page.head("segue_events_total", "counter", "Events that came in, by what became of them.");
        page.sample("segue_events_total", &[("result", "accepted")], self.events_accepted.get());
        page.sample("segue_events_total", &[("result", "rejected")], self.events_rejected.get());
        page.head("segue_refused_total", "counter", "Requests whose events were not taken, by reason.");
        for (reason, count) in ["busy", "full", "closing"].iter().zip(&self.refused) {
            page.sample("segue_refused_total", &[("reason", reason)], count.get());
        }
        page.head("segue_requests_total", "counter", "Answers, by status.");
        for (status, count) in STATUSES.iter().zip(&self.statuses) {
            page.sample("segue_requests_total", &[("status", &status.to_string())], count.get());
        }
        page.sample("segue_requests_total", &[("status", "other")], self.others.get());
        page.head("segue_request_seconds", "histogram", "Time to the answer of a request.");
        let mut sum = 0;
        for (bound, count) in BOUNDS.iter().zip(&self.times) {
            sum += count.get();
            page.sample("segue_request_seconds_bucket", &[("le", &seconds(*bound))], sum);
        }
        sum += self.times.last().map_or(0, Count::get);
        page.sample("segue_request_seconds_bucket", &[("le", "+Inf")], sum);
        page.sample("segue_request_seconds_sum", &[], seconds(self.micros.get()));
        page.sample("segue_request_seconds_count", &[], sum);
        page.one(
            "segue_body_bytes_total",
            "counter",
            "Bytes of bodies, as they came.",
            self.body_bytes.get(),
        );
        page.one("segue_connections", "gauge", "Open connections.", self.connections.get());
        let name = "segue_connections_refused_total";
        let help =
            "Connections that were closed at once, because too many were open: of all, or of their address.";
        page.head(name, "counter", help);
        page.sample(name, &[("reason", "all")], self.connections_refused.get());
        page.sample(name, &[("reason", "address")], self.connections_refused_by_address.get());
    }
}

/// Microseconds as seconds.
#[must_use]
pub fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// A page of figures.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// A figure's name, kind and meaning; its samples follow.
    pub fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// A sample.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{}{label}=\"{text}\"", if index == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    /// A figure with one sample.
    pub fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.head(name, kind, help);
        self.sample(name, &[], value);
    }

    /// The text.
    #[must_use]
    pub fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_for_prometheus() {
        let metrics = Metrics::default();
        metrics.answered(200, Duration::from_micros(700));
        metrics.answered(200, Duration::from_secs(9));
        metrics.answered(418, Duration::ZERO);
        metrics.refused(&Refusal::Full);
        metrics.events_accepted.add(3);
        metrics.connections_refused_by_address.add(2);
        let mut page = Page::default();
        metrics.write(&mut page);
        page.sample("x", &[("a", "q\"\\"), ("b", "1")], 2);
        let page = page.finish();
        for line in [
            "# TYPE segue_events_total counter",
            "segue_events_total{result=\"accepted\"} 3",
            "segue_refused_total{reason=\"full\"} 1",
            "segue_requests_total{status=\"200\"} 2",
            "segue_requests_total{status=\"other\"} 1",
            "segue_request_seconds_bucket{le=\"0.000500\"} 1",
            "segue_request_seconds_bucket{le=\"0.001000\"} 2",
            "segue_request_seconds_bucket{le=\"+Inf\"} 3",
            "segue_request_seconds_sum 9.000700",
            "segue_connections 0",
            "segue_connections_refused_total{reason=\"all\"} 0",
            "segue_connections_refused_total{reason=\"address\"} 2",
            "x{a=\"q\\\"\\\\\",b=\"1\"} 2",
        ] {
            assert!(page.lines().any(|it| it == line), "{line}\n{page}");
        }
    }
}
