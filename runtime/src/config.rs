//! `segue.toml`: the settings of a project. Every key is checked, and every finding has a place.

mod channels;
mod diagnostic;
mod duration;
mod rate;
mod secret;
mod service;
mod size;
mod table;

pub use channels::{ChannelConfig, WebhookConfig};
pub use diagnostic::ConfigError;
pub use duration::parse_duration;
pub use rate::Rate;
pub use secret::Secret;
pub use service::{AdminConfig, LogForm, ServiceConfig, TlsConfig};
pub use size::parse_size;

use crate::{
    fuse::Fuse,
    limits::{MIN_KEEP, SHOWN_CHARACTERS},
    words::shown,
};
use diagnostic::Finding;
use segue_compiler::{
    settings::{ConsentPolicy, Settings},
    time::Zone,
};
use std::{collections::BTreeMap, sync::Arc};
use table::Table;
use toml::de::DeTable;

/// The settings of a project.
#[derive(Clone, Debug)]
pub struct Config {
    /// What executors obey.
    pub settings: Settings,
    /// How channels and hooks are reached, by name.
    pub channels: BTreeMap<String, ChannelConfig>,
    /// How far back the log of a live service reaches, in milliseconds; all of it is kept when `None`.
    pub keep: Option<i64>,
    /// How many messages of one rule a live service sends before a person looks.
    pub fuse: Option<Fuse>,
    /// What else the live service is told.
    pub service: ServiceConfig,
    /// Whether there is no `segue.toml`, so that all of this is assumed.
    pub assumed: bool,
}

impl Config {
    /// The settings of bare rules without a `segue.toml`: consent is assumed, as only replays do.
    #[must_use]
    pub fn assumed() -> Self {
        let settings = Settings { consent: ConsentPolicy::Assumed, ..Settings::default() };
        Self {
            settings,
            channels: BTreeMap::new(),
            keep: None,
            fuse: None,
            service: ServiceConfig::default(),
            assumed: true,
        }
    }

    /// The first channel that shows its messages on the console, which is no place for those of a live service.
    #[must_use]
    pub fn console(&self) -> Option<&str> {
        let mut channels = self.channels.iter();
        channels.find(|(_, channel)| matches!(channel, ChannelConfig::Console)).map(|(name, _)| &**name)
    }

    /// Reads a `segue.toml`. `name` is the file's name in messages.
    ///
    /// # Errors
    /// All findings, in order of place.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<ConfigError>> {
        match Self::read(name, text) {
            (config, errors) if errors.is_empty() => Ok(config),
            (_, errors) => Err(errors),
        }
    }

    /// Reads a `segue.toml` as far as it can be read, and what is wrong with it, in order of place.
    #[must_use]
    pub fn read(name: &str, text: &str) -> (Self, Vec<ConfigError>) {
        let mut config = Self { settings: Settings::default(), assumed: false, ..Self::assumed() };
        let (document, errors) = DeTable::parse_recoverable(text);
        let mut findings: Vec<Finding> = errors.iter().map(|error| Finding::syntax(error, text)).collect();
        if findings.is_empty() {
            let root = Table::new("segue.toml", document.get_ref());
            root.only(&["project", "consent", "fuse", "channels", "service"], &mut findings);
            project(&root, &mut config, &mut findings);
            consent(&root, &mut config, &mut findings);
            config.fuse = fuse(&root, &mut findings);
            config.channels = channels::read(&root, &mut findings);
            config.service = service::read(&root, &mut findings);
        }
        findings.sort_by_key(|finding| finding.span.start);
        let (name, text) = (Arc::from(name), Arc::from(text));
        (config, findings.into_iter().map(|finding| finding.within(&name, &text)).collect())
    }
}

fn project(root: &Table<'_>, config: &mut Config, findings: &mut Vec<Finding>) {
    let Some(project) = root.table("project", findings) else { return };
    project.only(&["time_zone", "settle", "lateness", "dedupe", "keep"], findings);
    if let Some((zone, span)) = project.text("time_zone", findings) {
        match Zone::named(zone) {
            Some(zone) => config.settings.time_zone = zone,
            None => {
                let help = Zone::nearest(zone).map_or_else(
                    || "write a zone of the IANA list, such as \"Europe/Oslo\" or \"UTC\"".to_owned(),
                    |near| format!("did you mean \"{near}\"?"),
                );
                let message = format!("unknown time zone `{}`", shown(zone, SHOWN_CHARACTERS));
                findings.push(Finding::new("unknown-time-zone", span, message).help(help));
            }
        }
    }
    if let Some((settle, _)) = project.duration("settle", findings) {
        config.settings.settle = settle;
    }
    if let Some((lateness, _)) = project.duration("lateness", findings) {
        config.settings.lateness = lateness;
    }
    if let Some((dedupe, _)) = project.duration("dedupe", findings) {
        config.settings.dedupe = dedupe;
    }
    config.keep = keep(&project, findings);
}

fn keep(project: &Table<'_>, findings: &mut Vec<Finding>) -> Option<i64> {
    let (keep, span) = project.duration("keep", findings)?;
    if keep < MIN_KEEP {
        let finding = Finding::new("out-of-range", span, "`keep` is at least 1 day");
        findings.push(
            finding.help(
                "the log is what rules that are new look back on, and what is applied again after a stop",
            ),
        );
    }
    Some(keep)
}

fn consent(root: &Table<'_>, config: &mut Config, findings: &mut Vec<Finding>) {
    let Some(consent) = root.table("consent", findings) else { return };
    consent.only(&["policy"], findings);
    match consent.word("policy", &["required", "assumed"], findings) {
        Some("assumed") => config.settings.consent = ConsentPolicy::Assumed,
        Some(_) => config.settings.consent = ConsentPolicy::Required,
        None => {}
    }
}

fn fuse(root: &Table<'_>, findings: &mut Vec<Finding>) -> Option<Fuse> {
    let fuse = root.table("fuse", findings)?;
    fuse.only(&["sends"], findings);
    let Rate { count, per } = fuse.rate("sends", findings)?;
    Some(Fuse { count, per })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each finding as `line: code: message [help]`.
    fn findings(text: &str) -> Vec<String> {
        let Err(errors) = Config::parse("segue.toml", text) else { return Vec::new() };
        let show = |error: &ConfigError| {
            let line = text[..error.span().start].matches('\n').count() + 1;
            let place = &text[error.span()];
            let help = error.help().map_or_else(String::new, |help| format!(" [{help}]"));
            format!("{line} {place}: {}: {error}{help}", error.code)
        };
        errors.iter().map(show).collect()
    }

    #[test]
    fn reads_everything() {
        let config = Config::parse(
            "segue.toml",
            r#"
            [project]
            time_zone = "Europe/Oslo"
            settle = "2 minutes"
            lateness = "1_0 minutes"
            dedupe = "2 days"
            keep = "400 days"
            [consent]
            policy = "assumed"
            [fuse]
            sends = "5_000 per hour"
            [channels.sms]
            hook = "webhook"
            url = "http://127.0.0.1:9000/sms"
            secret = { env = "SMS_SECRET" }
            timeout = "3 seconds"
            retries = 2
            rate = "5 per second"
            [channels.email]
            hook = "file"
            path = "out/mails.ndjson"
            [channels.crm]
            hook = "console"
            "#,
        )
        .unwrap();
        assert_eq!((config.settings.lateness, config.settings.dedupe), (600_000, 172_800_000));
        assert_eq!(config.settings.settle, 120_000);
        assert_eq!(config.settings.consent, ConsentPolicy::Assumed);
        assert_eq!(config.fuse, Some(Fuse { count: 5_000, per: 3_600_000 }));
        assert_eq!(config.keep, Some(400 * 86_400_000));
        assert_eq!(config.channels.len(), 3);
        let webhook = WebhookConfig {
            url: "http://127.0.0.1:9000/sms".to_owned(),
            secret: Some(Secret::Env("SMS_SECRET".to_owned())),
            timeout: 3_000,
            retries: 2,
            rate: Some(Rate { count: 5, per: 1_000 }),
        };
        assert_eq!(config.channels.get("sms"), Some(&ChannelConfig::Webhook(webhook)));
    }

    #[test]
    fn nothing_written_is_the_default() {
        let config = Config::parse("segue.toml", "").unwrap();
        assert_eq!((config.settings.consent, config.assumed), (ConsentPolicy::Required, false));
    }

    #[test]
    fn every_key_is_checked() {
        let text = r#"[projct]
[project]
timezone = "UTC"
time_zone = "Europe/Olso"
settle = "5m"
keep = "1 hour"
lateness = "10m"
dedupe = 24
[consent]
policy = "requierd"
[fuse]
sends = "5 an hour"
calls = "5 per hour"
"#;
        assert_eq!(
            findings(text),
            [
                "1 projct: unknown-key: `segue.toml` has no `projct` [did you mean `project`?]",
                "3 timezone: unknown-key: `project` has no `timezone` [did you mean `time_zone`?]",
                "4 \"Europe/Olso\": unknown-time-zone: unknown time zone `Europe/Olso` \
                    [did you mean \"Europe/Oslo\"?]",
                "5 \"5m\": bad-duration: `5m` is no duration [write \"5 minutes\"]",
                "6 \"1 hour\": out-of-range: `keep` is at least 1 day \
                    [the log is what rules that are new look back on, and what is applied again after a stop]",
                "7 \"10m\": bad-duration: `10m` is no duration [write \"10 minutes\"]",
                "8 24: wrong-type: `dedupe` should be a duration, found a number [write it as in rules, such as \"10 minutes\"]",
                "10 \"requierd\": unknown-word: `policy` is `required` or `assumed`, found `requierd` [did you mean `required`?]",
                "12 \"5 an hour\": bad-rate: `5 an hour` is no rate \
                    [write a number and a stretch of time, such as \"5_000 per hour\"]",
                "13 calls: unknown-key: `fuse` has no `calls` [it has sends]",
            ]
        );
    }

    #[test]
    fn channels_are_checked() {
        let text = r#"[channels.a]
[channels.b]
hook = "webhok"
[channels.c]
hook = "webhook"
path = "x"
secret = "hunter2"
[channels.d]
hook = "webhook"
url = "ftp://x"
timeout = "1 hour"
retries = 99
rate = "5 per sec"
secret = { env = "A", file = "b" }
[channels.e]
hook = "file"
[channels.f]
hook = "file"
path = "more/rules.segue"
[channels.g]
hook = "file"
path = "./segue.toml"
"#;
        assert_eq!(
            findings(text),
            [
                "1 a: missing-key: channel `a` has no `hook` [add hook = \"console\", \"file\" or \"webhook\"]",
                "3 \"webhok\": unknown-word: `hook` is `console`, `file` or `webhook`, found `webhok` [did you mean `webhook`?]",
                "4 c: missing-key: channel `c` has no `url` [a webhook needs url = \"https://…\"]",
                "6 path: unknown-key: `channels.c` has no `path` [it has hook, url, secret, timeout, retries, rate]",
                "7 \"hunter2\": wrong-type: `secret` should be a table, found text \
                    [secrets are not written here: { env = \"NAME\" } or { file = \"PATH\" }]",
                "10 \"ftp://x\": bad-url: `url` is no address of a webhook [write http://… or https://…]",
                "11 \"1 hour\": out-of-range: `timeout` is at most 2 minutes [a hook that needs more answers first and works later]",
                "12 99: out-of-range: `retries` is a whole number from 0 to 10",
                "13 \"5 per sec\": bad-rate: `5 per sec` is no rate \
                    [the units are seconds, minutes, hours, days and weeks]",
                "14 { env = \"A\", file = \"b\" }: bad-secret: a secret comes from one place \
                    [write { env = \"NAME\" } or { file = \"PATH\" }]",
                "15 e: missing-key: channel `e` has no `path` [a file hook needs path = \"FILE\"]",
                "19 \"more/rules.segue\": bad-path: channel `f` cannot write there: rules and settings are not \
                    written over [name another file, such as \"sent.ndjson\"]",
                "22 \"./segue.toml\": bad-path: channel `g` cannot write there: rules and settings are not \
                    written over [name another file, such as \"sent.ndjson\"]",
            ]
        );
    }

    #[test]
    fn the_service_is_read() {
        let text = r#"[service]
listen = "[::]:443"
public_url = "https://events.shop.example"
write_keys = { env = "SEGUE_WRITE_KEYS" }
origins = ["https://shop.example", "http://localhost:3000"]
event_size = "64 KB"
batch_size = "1 MB"
batch_events = 5_000
connections = 10
connections_per_address = 5
data = "/var/lib/segue"
keep_size = "20 GB"
log = "json"
watch = true
[service.tls]
certificate = "tls/cert.pem"
key = "tls/key.pem"
[service.admin]
listen = "127.0.0.1:9090"
token = { file = "token" }
"#;
        let service = Config::parse("segue.toml", text).unwrap().service;
        let expected = ServiceConfig {
            listen: "[::]:443".parse().unwrap(),
            public_url: Some("https://events.shop.example".to_owned()),
            write_keys: Some(Secret::Env("SEGUE_WRITE_KEYS".to_owned())),
            origins: vec!["https://shop.example".to_owned(), "http://localhost:3000".to_owned()],
            event_bytes: 64 << 10,
            batch_bytes: 1 << 20,
            batch_events: 5_000,
            connections: 10,
            connections_per_address: Some(5),
            data: "/var/lib/segue".into(),
            keep_bytes: Some(20 << 30),
            tls: Some(TlsConfig { certificate: "tls/cert.pem".into(), key: "tls/key.pem".into() }),
            admin: Some(AdminConfig {
                listen: "127.0.0.1:9090".parse().unwrap(),
                token: Secret::File("token".into()),
            }),
            log: LogForm::Json,
            watch: true,
        };
        assert_eq!(service, expected);
        assert_eq!(Config::parse("segue.toml", "").unwrap().service, ServiceConfig::default());
    }

    #[test]
    fn the_service_is_checked() {
        let text = r#"[service]
listen = "localhost:80"
public_url = "https://shop.example/events"
write_keys = "abc"
origins = ["shop.example", 7]
event_size = "32kb"
batch_size = "1 TB"
batch_events = 0
connections = "many"
connections_per_address = 0
keep_size = 20
log = "xml"
adress = "x"
[service.tls]
certificate = "cert.pem"
[service.admin]
listen = "8081"
"#;
        assert_eq!(
            findings(text),
            [
                "2 \"localhost:80\": bad-address: `localhost:80` is no address to listen at \
                    [write an IP address and a port, such as \"127.0.0.1:8080\" or \"[::]:8080\"]",
                "3 \"https://shop.example/events\": bad-url: `https://shop.example/events` is no address of a site \
                    [write scheme and host without a path, such as \"https://shop.example\"]",
                "4 \"abc\": wrong-type: `write_keys` should be a table, found text \
                    [secrets are not written here: { env = \"NAME\" } or { file = \"PATH\" }]",
                "5 \"shop.example\": bad-url: `shop.example` is no address of a site \
                    [write scheme and host without a path, such as \"https://shop.example\"]",
                "5 7: wrong-type: `origins` should be a list of texts, found a number",
                "6 \"32kb\": bad-size: `32kb` is no size [write \"32 KB\"]",
                "7 \"1 TB\": out-of-range: `batch_size` is at most 67108864 bytes [and more than nothing]",
                "8 0: out-of-range: `batch_events` is a whole number from 1 to 100000",
                "9 \"many\": out-of-range: `connections` is a whole number from 1 to 65536",
                "10 0: out-of-range: `connections_per_address` is a whole number from 1 to 65536",
                "11 20: wrong-type: `keep_size` should be text, found a number [write it in double quotes]",
                "12 \"xml\": unknown-word: `log` is `text` or `json`, found `xml`",
                "13 adress: unknown-key: `service` has no `adress` \
                    [it has listen, public_url, write_keys, origins, event_size, batch_size, batch_events, connections, \
                    connections_per_address, data, keep_size, log, watch, tls, admin]",
                "14 tls: missing-key: `tls` has no `key` [add key = \"FILE.pem\"]",
                "16 admin: missing-key: `admin` has no `token` \
                    [add token = { env = \"SEGUE_ADMIN_TOKEN\" }: nobody gets in without]",
                "17 \"8081\": bad-address: `8081` is no address to listen at \
                    [write an IP address and a port, such as \"127.0.0.1:8080\" or \"[::]:8080\"]",
            ]
        );
    }

    #[test]
    fn broken_toml_has_a_place() {
        let found = findings("[project\ntime_zone = ");
        assert!(!found.is_empty());
        assert!(found.iter().all(|it| it.contains("bad-toml")), "{found:?}");
        for text in
            ["[project]\ntime_zone = ", "[project]\ntime_zone = UTC", "a = \"", "[", "=", "x", "ø = 'ø\n"]
        {
            let Err(errors) = Config::parse("segue.toml", text) else { panic!("{text}") };
            assert!(errors.iter().all(|error| !error.span().is_empty()), "{text}");
        }
    }
}
