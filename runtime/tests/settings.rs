//! `docs/settings.md` has every key of `segue.toml` that is read, and as defaults what holds without them.

use segue_compiler::settings::Settings;
use segue_runtime::{
    config::{AdminConfig, ChannelConfig, Config, ServiceConfig, WebhookConfig},
    limits::{WEBHOOK_RETRIES, WEBHOOK_TIMEOUT},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs,
    path::Path,
};

type Checked = Result<(), Box<dyn Error>>;

/// What no table has, and nothing is near to.
const UNKNOWN: &str = "qqqqqqqqqqqq";

/// The `segue.toml` of the page.
fn shown() -> Result<String, Box<dyn Error>> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/settings.md"))?;
    let block = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    Ok(block.ok_or("the page shows no settings")?.to_owned())
}

fn parsed(text: &str) -> Result<Config, String> {
    Config::parse("segue.toml", text).map_err(|errors| format!("{errors:?}"))
}

/// By table, the keys that it may have: what the parser offers where another is written.
fn offered(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let Err(errors) = Config::parse("segue.toml", text) else { return BTreeMap::new() };
    let mut offered: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for error in &errors {
        let message = error.to_string();
        let table = message.split('`').nth(1).unwrap_or_default();
        let keys = error.help().and_then(|help| help.strip_prefix("it has ")).unwrap_or_default();
        offered.entry(table.to_owned()).or_default().extend(keys.split(", ").map(str::to_owned));
    }
    offered
}

/// The page's text with a key that nobody knows in each of its tables.
fn with_unknown_keys(text: &str) -> String {
    let mut lines = vec![format!("{UNKNOWN} = 1")];
    for line in text.lines() {
        lines.push(line.replace("= { ", &format!("= {{ {UNKNOWN} = 1, ")));
        if line.starts_with('[') {
            lines.push(format!("{UNKNOWN} = 1"));
        }
    }
    lines.join("\n")
}

/// By table, as the parser names them, the keys that the text has.
fn written(text: &str) -> Result<BTreeMap<String, BTreeSet<String>>, Box<dyn Error>> {
    let mut written = BTreeMap::new();
    let root = toml::from_str(text)?;
    gather("segue.toml", &root, &mut written);
    Ok(written)
}

fn gather(name: &str, table: &toml::Table, written: &mut BTreeMap<String, BTreeSet<String>>) {
    for (key, value) in table {
        written.entry(name.to_owned()).or_default().insert(key.clone());
        if let toml::Value::Table(within) = value {
            let name = if name == "channels" { format!("channels.{key}") } else { key.clone() };
            gather(&name, within, written);
        }
    }
}

#[test]
fn every_key_is_shown() -> Checked {
    let text = shown()?;
    parsed(&text)?;
    let (offered, written) = (offered(&with_unknown_keys(&text)), written(&text)?);
    let tables = |all: &BTreeMap<String, BTreeSet<String>>| -> BTreeSet<String> {
        all.keys().filter(|name| *name != "channels").cloned().collect()
    };
    assert_eq!(tables(&offered), tables(&written), "each table was asked what it has");
    for (table, mut keys) in offered {
        if keys == BTreeSet::from(["env".to_owned(), "file".to_owned()]) {
            // A secret comes from one place; both are told of.
            continue;
        }
        for key in written.get(&table).into_iter().flatten() {
            assert!(keys.remove(key), "`{table}` has no `{key}`");
        }
        assert!(keys.is_empty(), "docs/settings.md does not show {keys:?} of `{table}`");
    }
    Ok(())
}

#[test]
fn every_kind_of_channel_is_shown() -> Checked {
    let text = shown()?;
    let channels = parsed(&text)?.channels;
    let is = |kind: fn(&ChannelConfig) -> bool| channels.values().any(kind);
    assert!(is(|it| matches!(it, ChannelConfig::Console)));
    assert!(is(|it| matches!(it, ChannelConfig::File { .. })));
    assert!(is(|it| matches!(it, ChannelConfig::Webhook(_))));
    // The parser names every word that a key may have; so does the page.
    for (key, word) in [("hook", "webhook"), ("policy", "required"), ("log", "text")] {
        let wrong = text.replace(&format!("{key} = \"{word}\""), &format!("{key} = \"{UNKNOWN}\""));
        let errors = Config::parse("segue.toml", &wrong).err().ok_or("it is taken")?;
        let message = errors.iter().map(ToString::to_string).find(|it| it.contains(UNKNOWN));
        let message = message.ok_or("the word is not told")?;
        let words = message.split(" is ").nth(1).and_then(|rest| rest.split(", found").next());
        let words: Vec<&str> = words.unwrap_or_default().split('`').skip(1).step_by(2).collect();
        assert!(words.contains(&word), "{message}");
        for word in words {
            assert!(text.contains(&format!("\"{word}\"")), "docs/settings.md does not show {key} = {word:?}");
        }
    }
    Ok(())
}

#[test]
fn what_is_shown_is_what_holds_without_it() -> Checked {
    let Config { settings, channels, service, .. } = parsed(&shown()?)?;
    let usual = Settings::default();
    assert_eq!(format!("{:?}", settings.time_zone), format!("{:?}", usual.time_zone));
    assert_eq!(
        (settings.lateness, settings.dedupe, settings.settle, settings.consent),
        (usual.lateness, usual.dedupe, usual.settle, usual.consent)
    );
    let Some(ChannelConfig::Webhook(WebhookConfig { timeout, retries, .. })) = channels.get("sms") else {
        return Err("`sms` is no webhook".into());
    };
    assert_eq!((*timeout, *retries), (WEBHOOK_TIMEOUT, WEBHOOK_RETRIES));
    // What has no default, or is told to have another.
    let without = ServiceConfig {
        public_url: None,
        write_keys: None,
        origins: Vec::new(),
        connections_per_address: None,
        keep_bytes: None,
        tls: None,
        admin: None,
        ..service.clone()
    };
    assert_eq!(without, ServiceConfig::default());
    assert_eq!(service.connections_per_address, Some(service.connections / 4));
    let bare = parsed("[service.admin]\ntoken = { env = \"T\" }\n")?;
    let listen = |config: Option<AdminConfig>| config.map(|admin| admin.listen);
    assert_eq!(listen(service.admin), listen(bare.service.admin));
    Ok(())
}
