//! What the host counts, for Prometheus.

use crate::{
    host::{BUCKETS, Histogram, Status},
    metrics::Page,
};
use std::{fs, path::Path};

/// Folders of the data.
const FOLDERS: [&str; 3] = ["log", "decisions", "checkpoints"];

pub(super) fn write(status: &Status, data: &Path, page: &mut Page) {
    log(status, page);
    customers(status, page);
    deliveries(status, page);
    let help = "From the receipt of events to the decision.";
    histogram("segue_decision_seconds", help, &status.delay, page);
    let help = "How long after its instant a deadline was decided.";
    histogram("segue_deadline_late_seconds", help, &status.lateness, page);
    page.head("segue_data_bytes", "gauge", "Bytes on disk.");
    for folder in FOLDERS {
        page.sample("segue_data_bytes", &[("folder", folder)], bytes(&data.join(folder)));
    }
}

fn log(status: &Status, page: &mut Page) {
    page.one("segue_log_entries", "counter", "Entries of the log on disk.", status.written);
    let help = "Entries of the log that customers have taken up.";
    page.one("segue_log_applied", "counter", help, status.applied);
    page.head(
        "segue_clock_steps_total",
        "counter",
        "How often the clock of the machine was set, by direction.",
    );
    for (direction, count) in ["back", "forward"].iter().zip(status.clock_steps) {
        page.sample("segue_clock_steps_total", &[("direction", direction)], count);
    }
    let help = "By how much the clock is behind what was received last.";
    page.one("segue_clock_behind_seconds", "gauge", help, seconds(status.clock_behind));
    let help = "Groups of entries that could not be written.";
    page.one("segue_log_failed_writes_total", "counter", help, status.failed_writes);
    let help = "Whether the last try to write failed.";
    page.one("segue_log_full", "gauge", help, u8::from(status.is_full));
    let help = "Position in the log of the last checkpoint.";
    page.one("segue_checkpoint_position", "gauge", help, status.checkpoint);
    if let Some(at) = status.checkpoint_at {
        let help = "When the last checkpoint was made.";
        page.one("segue_checkpoint_timestamp_seconds", "gauge", help, seconds(at));
    }
    let help = "Checkpoints that could not be written.";
    page.one("segue_checkpoint_failures_total", "counter", help, status.failed_checkpoints);
}

fn customers(status: &Status, page: &mut Page) {
    page.one("segue_customers", "gauge", "Customers.", status.customers);
    let tally = &status.tally;
    page.head("segue_calls_total", "counter", "Calls by what became of them.");
    for (result, count) in [
        ("applied", tally.applied),
        ("late", tally.late),
        ("duplicate", tally.duplicate),
        ("doubtful", tally.doubtful),
        ("quarantined", tally.quarantined),
    ] {
        page.sample("segue_calls_total", &[("result", result)], count);
    }
    page.head("segue_identities_total", "counter", "Customers who were to be joined.");
    page.sample("segue_identities_total", &[("result", "joined")], tally.joined);
    page.sample("segue_identities_total", &[("result", "refused")], tally.unmerged);
    page.head("segue_decisions_total", "counter", "What was decided, by kind and reason.");
    for ((kind, reason), count) in &status.decided {
        page.sample("segue_decisions_total", &[("kind", kind), ("reason", reason)], count);
    }
}

fn deliveries(status: &Status, page: &mut Page) {
    page.one("segue_deliveries_pending", "gauge", "Decisions on their way.", status.pending);
    page.head("segue_deliveries_total", "counter", "Deliveries by what became of them.");
    page.sample("segue_deliveries_total", &[("result", "delivered")], status.delivered);
    page.sample("segue_deliveries_total", &[("result", "failed")], status.failed);
    page.head("segue_fuse_held", "gauge", "Messages that the fuse holds, by rule.");
    for (rule, messages) in &status.held {
        page.sample("segue_fuse_held", &[("rule", rule)], messages);
    }
}

fn histogram(name: &str, help: &str, histogram: &Histogram, page: &mut Page) {
    page.head(name, "histogram", help);
    let bucket = format!("{name}_bucket");
    let mut sum = 0;
    for (end, count) in BUCKETS.iter().zip(&histogram.counts) {
        sum += count;
        page.sample(&bucket, &[("le", &seconds(*end))], sum);
    }
    page.sample(&bucket, &[("le", "+Inf")], histogram.count());
    page.sample(&format!("{name}_sum"), &[], seconds(histogram.sum));
    page.sample(&format!("{name}_count"), &[], histogram.count());
}

/// Milliseconds as seconds.
fn seconds(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    format!("{sign}{}.{:03}", millis / 1_000, millis % 1_000)
}

/// How many bytes the files of a folder have; one that cannot be looked at has none.
fn bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|file| file.len()).sum()
}
