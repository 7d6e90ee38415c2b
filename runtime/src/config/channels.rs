//! `[channels.NAME]`.

use super::{
    Rate,
    diagnostic::Finding,
    secret::{self, Secret},
    table::{Table, whole, wrong_type},
};
use crate::{
    guard::{NOT_WRITTEN_OVER, is_named_as_rules},
    limits::{MAX_WEBHOOK_RETRIES, MAX_WEBHOOK_TIMEOUT, WEBHOOK_RETRIES, WEBHOOK_TIMEOUT},
};
use std::{collections::BTreeMap, ops::Range, path::PathBuf};
use toml::de::DeValue;

/// How a channel or hook is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelConfig {
    /// A readable line on the console.
    Console,
    /// A file that records are appended to.
    File {
        /// The file, from the project's root.
        path: PathBuf,
    },
    /// A request to a web service.
    Webhook(WebhookConfig),
}

/// A web service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookConfig {
    /// Where.
    pub url: String,
    /// Sent as a bearer token.
    pub secret: Option<Secret>,
    /// How long an answer may take, in milliseconds.
    pub timeout: i64,
    /// How often a delivery is tried again.
    pub retries: u32,
    /// How many requests it may get, those that are tried again included.
    pub rate: Option<Rate>,
}

pub(super) fn read(root: &Table<'_>, findings: &mut Vec<Finding>) -> BTreeMap<String, ChannelConfig> {
    let mut channels = BTreeMap::new();
    let Some(table) = root.table("channels", findings) else { return channels };
    for (name, place, value) in table.members() {
        let DeValue::Table(members) = value.get_ref() else {
            let finding = wrong_type(name, "a table", value.get_ref(), value.span());
            findings.push(finding.help(format!("write [channels.{name}] and, below it, hook = \"console\"")));
            continue;
        };
        let channel = Channel { name, place, table: Table::new(format!("channels.{name}"), members) };
        if let Some(config) = channel.read(findings) {
            channels.insert(name.to_owned(), config);
        }
    }
    channels
}

struct Channel<'t> {
    name: &'t str,
    place: Range<usize>,
    table: Table<'t>,
}

impl Channel<'_> {
    fn read(&self, findings: &mut Vec<Finding>) -> Option<ChannelConfig> {
        if self.table.place("hook").is_none() {
            findings.push(self.missing("hook", "add hook = \"console\", \"file\" or \"webhook\""));
            return None;
        }
        match self.table.word("hook", &["console", "file", "webhook"], findings)? {
            "console" => {
                self.table.only(&["hook"], findings);
                Some(ChannelConfig::Console)
            }
            "file" => {
                self.table.only(&["hook", "path"], findings);
                if self.table.place("path").is_none() {
                    findings.push(self.missing("path", "a file hook needs path = \"FILE\""));
                }
                let (path, span) = self.table.text("path", findings)?;
                let path = PathBuf::from(path);
                if is_named_as_rules(&path) {
                    let message = format!("channel `{}` cannot write there: {NOT_WRITTEN_OVER}", self.name);
                    let finding = Finding::new("bad-path", span, message);
                    findings.push(finding.help("name another file, such as \"sent.ndjson\""));
                    return None;
                }
                Some(ChannelConfig::File { path })
            }
            _ => self.webhook(findings).map(ChannelConfig::Webhook),
        }
    }

    fn webhook(&self, findings: &mut Vec<Finding>) -> Option<WebhookConfig> {
        self.table.only(&["hook", "url", "secret", "timeout", "retries", "rate"], findings);
        let url = self.url(findings);
        let secret = secret::read(&self.table, "secret", findings);
        let timeout = self.timeout(findings);
        let retries = self.retries(findings);
        let rate = self.table.rate("rate", findings);
        Some(WebhookConfig { url: url?, secret, timeout, retries, rate })
    }

    fn url(&self, findings: &mut Vec<Finding>) -> Option<String> {
        if self.table.place("url").is_none() {
            findings.push(self.missing("url", "a webhook needs url = \"https://…\""));
        }
        let (url, span) = self.table.text("url", findings)?;
        let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
        if host.is_empty() || host.starts_with('/') || url.contains(char::is_whitespace) {
            let finding = Finding::new("bad-url", span, "`url` is no address of a webhook");
            findings.push(finding.help("write http://… or https://…"));
            return None;
        }
        Some(url.to_owned())
    }

    fn timeout(&self, findings: &mut Vec<Finding>) -> i64 {
        let Some((timeout, span)) = self.table.duration("timeout", findings) else { return WEBHOOK_TIMEOUT };
        if timeout == 0 {
            findings.push(Finding::new("out-of-range", span, "`timeout` is at least 1 second"));
        } else if timeout > MAX_WEBHOOK_TIMEOUT {
            let finding = Finding::new("out-of-range", span, "`timeout` is at most 2 minutes");
            findings.push(finding.help("a hook that needs more answers first and works later"));
        }
        timeout
    }

    fn retries(&self, findings: &mut Vec<Finding>) -> u32 {
        let Some((value, span)) = self.table.value("retries") else { return WEBHOOK_RETRIES };
        let number = whole(value).and_then(|number| u32::try_from(number).ok());
        number.filter(|number| *number <= MAX_WEBHOOK_RETRIES).unwrap_or_else(|| {
            let message = format!("`retries` is a whole number from 0 to {MAX_WEBHOOK_RETRIES}");
            findings.push(Finding::new("out-of-range", span, message));
            WEBHOOK_RETRIES
        })
    }

    fn missing(&self, key: &str, help: &str) -> Finding {
        let message = format!("channel `{}` has no `{key}`", self.name);
        Finding::new("missing-key", self.place.clone(), message).help(help)
    }
}
