//! `[service]`: where the live service listens, what it takes, and where it keeps things.

use super::{
    diagnostic::Finding,
    secret::{self, Secret},
    size::parse_size,
    table::{Table, whole, wrong_type},
};
use crate::limits::{
    BATCH_BYTES_TAKEN, BATCH_EVENTS, CONNECTIONS, EVENT_BYTES, MAX_BATCH_BYTES_TAKEN, MAX_BATCH_EVENTS,
    MAX_CONNECTIONS, MAX_LINE_BYTES, SHOWN_CHARACTERS,
};
use crate::words::shown;
use std::{net::SocketAddr, ops::Range, path::PathBuf};
use toml::de::DeValue;

/// Settings of the live service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceConfig {
    /// Where events come in.
    pub listen: SocketAddr,
    /// The address under which browsers reach it, where that is another: `https://events.example`.
    pub public_url: Option<String>,
    /// Where the write keys are: one or several, parted by space or lines.
    pub write_keys: Option<Secret>,
    /// From which pages browsers may send; none listed is any.
    pub origins: Vec<String>,
    /// Most bytes of an event.
    pub event_bytes: usize,
    /// Most bytes of a request's body, unpacked.
    pub batch_bytes: usize,
    /// Most events of a request.
    pub batch_events: usize,
    /// Most connections at once.
    pub connections: usize,
    /// Most of them from one address; else a share of them.
    pub connections_per_address: Option<usize>,
    /// The folder of log and store, from the project's root.
    pub data: PathBuf,
    /// Most bytes of the log; the oldest part goes first.
    pub keep_bytes: Option<u64>,
    /// How it speaks TLS; else it speaks plain HTTP.
    pub tls: Option<TlsConfig>,
    /// Where it is asked and told things; else nowhere.
    pub admin: Option<AdminConfig>,
    /// How it writes what it does.
    pub log: LogForm,
    /// Whether rules are put in force when the project's folder changes.
    pub watch: bool,
}

/// Certificate and key, both PEM files, from the project's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// The certificate and those that vouch for it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The admin port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where the bearer token is.
    pub token: Secret,
}

/// How the service writes what it does, to standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogForm {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            write_keys: None,
            origins: Vec::new(),
            event_bytes: EVENT_BYTES,
            batch_bytes: BATCH_BYTES_TAKEN,
            batch_events: BATCH_EVENTS,
            connections: CONNECTIONS,
            connections_per_address: None,
            data: PathBuf::from("data"),
            keep_bytes: None,
            tls: None,
            admin: None,
            log: LogForm::Text,
            watch: false,
        }
    }
}

const KEYS: [&str; 15] = [
    "listen",
    "public_url",
    "write_keys",
    "origins",
    "event_size",
    "batch_size",
    "batch_events",
    "connections",
    "connections_per_address",
    "data",
    "keep_size",
    "log",
    "watch",
    "tls",
    "admin",
];

pub(super) fn read(root: &Table<'_>, findings: &mut Vec<Finding>) -> ServiceConfig {
    let mut config = ServiceConfig::default();
    let Some(service) = root.table("service", findings) else { return config };
    service.only(&KEYS, findings);
    if let Some(listen) = address(&service, "listen", findings) {
        config.listen = listen;
    }
    config.public_url = url(&service, "public_url", findings);
    config.write_keys = secret::read(&service, "write_keys", findings);
    config.origins = origins(&service, findings);
    let sizes = [
        ("event_size", &mut config.event_bytes, MAX_LINE_BYTES / 2),
        ("batch_size", &mut config.batch_bytes, MAX_BATCH_BYTES_TAKEN),
    ];
    for (key, to, most) in sizes {
        if let Some(bytes) = size(&service, key, most as u64, findings) {
            *to = usize::try_from(bytes).unwrap_or(most);
        }
    }
    let counts = [
        ("batch_events", &mut config.batch_events, MAX_BATCH_EVENTS),
        ("connections", &mut config.connections, MAX_CONNECTIONS),
    ];
    for (key, to, most) in counts {
        if let Some(count) = count(&service, key, most, findings) {
            *to = count;
        }
    }
    config.connections_per_address = count(&service, "connections_per_address", MAX_CONNECTIONS, findings);
    if let Some((path, _)) = service.text("data", findings) {
        config.data = PathBuf::from(path);
    }
    config.keep_bytes = size(&service, "keep_size", u64::MAX, findings);
    if service.word("log", &["text", "json"], findings) == Some("json") {
        config.log = LogForm::Json;
    }
    config.watch = service.flag("watch", findings).unwrap_or(config.watch);
    config.tls = tls(&service, findings);
    config.admin = admin(&service, findings);
    config
}

fn tls(service: &Table<'_>, findings: &mut Vec<Finding>) -> Option<TlsConfig> {
    let place = service.place("tls")?;
    let tls = service.table("tls", findings)?;
    tls.only(&["certificate", "key"], findings);
    let mut file = |key: &str| match tls.place(key) {
        Some(_) => tls.text(key, findings).map(|(path, _)| PathBuf::from(path)),
        None => {
            let message = format!("`tls` has no `{key}`");
            let help = format!("add {key} = \"FILE.pem\"");
            findings.push(Finding::new("missing-key", place.clone(), message).help(help));
            None
        }
    };
    let (certificate, key) = (file("certificate"), file("key"));
    Some(TlsConfig { certificate: certificate?, key: key? })
}

fn admin(service: &Table<'_>, findings: &mut Vec<Finding>) -> Option<AdminConfig> {
    let place = service.place("admin")?;
    let admin = service.table("admin", findings)?;
    admin.only(&["listen", "token"], findings);
    let listen = match admin.place("listen") {
        Some(_) => address(&admin, "listen", findings),
        None => Some(SocketAddr::from(([127, 0, 0, 1], 8081))),
    };
    if admin.place("token").is_none() {
        let finding = Finding::new("missing-key", place, "`admin` has no `token`");
        findings.push(finding.help("add token = { env = \"SEGUE_ADMIN_TOKEN\" }: nobody gets in without"));
    }
    let token = secret::read(&admin, "token", findings);
    Some(AdminConfig { listen: listen?, token: token? })
}

fn address(table: &Table<'_>, key: &str, findings: &mut Vec<Finding>) -> Option<SocketAddr> {
    let (text, span) = table.text(key, findings)?;
    let address = text.parse().ok();
    if address.is_none() {
        let message = format!("`{}` is no address to listen at", shown(text, SHOWN_CHARACTERS));
        let help = "write an IP address and a port, such as \"127.0.0.1:8080\" or \"[::]:8080\"";
        findings.push(Finding::new("bad-address", span, message).help(help));
    }
    address
}

fn url(table: &Table<'_>, key: &str, findings: &mut Vec<Finding>) -> Option<String> {
    let (text, span) = table.text(key, findings)?;
    if is_origin(text) {
        return Some(text.to_owned());
    }
    findings.push(bad_origin(text, span));
    None
}

fn origins(service: &Table<'_>, findings: &mut Vec<Finding>) -> Vec<String> {
    let Some((value, span)) = service.value("origins") else { return Vec::new() };
    let DeValue::Array(items) = value else {
        let finding = wrong_type("origins", "a list", value, span);
        findings.push(finding.help("write [\"https://shop.example\"]"));
        return Vec::new();
    };
    let mut origins = Vec::new();
    for item in items {
        match item.get_ref() {
            DeValue::String(text) if is_origin(text) => origins.push(text.to_string()),
            DeValue::String(text) => findings.push(bad_origin(text, item.span())),
            other => findings.push(wrong_type("origins", "a list of texts", other, item.span())),
        }
    }
    origins
}

/// Whether a text is scheme and host, and a port perhaps.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let is_part = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | ':' | '[' | ']');
    !host.is_empty() && host.chars().all(is_part)
}

fn bad_origin(text: &str, span: Range<usize>) -> Finding {
    let message = format!("`{}` is no address of a site", shown(text, SHOWN_CHARACTERS));
    let help = "write scheme and host without a path, such as \"https://shop.example\"";
    Finding::new("bad-url", span, message).help(help)
}

fn size(table: &Table<'_>, key: &str, most: u64, findings: &mut Vec<Finding>) -> Option<u64> {
    let (text, span) = table.text(key, findings)?;
    match parse_size(text) {
        Ok(bytes) if bytes > 0 && bytes <= most => Some(bytes),
        Ok(_) => {
            let finding = Finding::new("out-of-range", span, format!("`{key}` is at most {most} bytes"));
            findings.push(finding.help("and more than nothing"));
            None
        }
        Err(help) => {
            let message = format!("`{}` is no size", shown(text, SHOWN_CHARACTERS));
            findings.push(Finding::new("bad-size", span, message).help(help));
            None
        }
    }
}

fn count(table: &Table<'_>, key: &str, most: usize, findings: &mut Vec<Finding>) -> Option<usize> {
    let (value, span) = table.value(key)?;
    let count = whole(value).and_then(|count| usize::try_from(count).ok());
    let count = count.filter(|count| (1..=most).contains(count));
    if count.is_none() {
        findings.push(Finding::new(
            "out-of-range",
            span,
            format!("`{key}` is a whole number from 1 to {most}"),
        ));
    }
    count
}
