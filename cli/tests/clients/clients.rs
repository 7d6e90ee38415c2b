//! Each tracker sends a visit to a shop over a bad line, and what it said is in the log.

use super::{
    relay::{Fault, Relay},
    service::{KEY, Service},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    env,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
};

/// The script that has a browser look at a page.
const BROWSER: &str = "segment_browser.mjs";

/// Where the trackers are; `None` when nothing is to be sent.
fn clients() -> Option<PathBuf> {
    let Some(folder) = env::var_os("SEGUE_CLIENTS") else {
        // Past the test's own output, which nobody sees.
        let words =
            "skipped: SEGUE_CLIENTS does not say where the trackers are, see cli/tests/clients/main.rs";
        let _ = writeln!(io::stderr(), "{words}");
        return None;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    Some(folder.canonicalize().expect("SEGUE_CLIENTS is a folder that cli/tests/clients/install made"))
}

/// Runs a script of a tracker over a line with faults; gives what the log has, and checks that nothing counts twice.
fn visit(program: &str, script: &str, faults: &[Fault]) -> Option<String> {
    let clients = clients()?;
    let program =
        if program == "python" { clients.join("python/bin/python") } else { PathBuf::from(program) };
    let service = Service::start();
    let relay = Relay::start(service.address, faults);
    let is_browser = script == BROWSER;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script);
    let output = Command::new(program)
        .arg(script)
        .args([&format!("http://{}", relay.address), KEY])
        .env("CLIENTS", &clients)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(relay.left(), 0, "all faults were met");
    let status = service.settle();
    let timeline = service.ask("/customers/ada/timeline");
    let sent: Vec<&Value> = timeline["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|decision| decision["record"]["kind"] == "send")
        .map(|decision| &decision["record"]["content"])
        .collect();
    assert_eq!(
        sent,
        [&serde_json::json!({ "text": "Ada: Støvler" })],
        "one message for one addition to the cart"
    );
    let calls = service.end();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut lines = Vec::new();
    for call in &calls {
        let mut call: Value = serde_json::from_str(call).unwrap();
        // A browser's page says who somebody is by the time of sending, which may be before it is said, or again after.
        if is_browser && call["type"] == "page" {
            call.as_object_mut().unwrap().remove("userId");
        }
        let id = call["messageId"].as_str().unwrap().to_owned();
        let plain = serde_json::to_string_pretty(&plain(call, "")).unwrap();
        match seen.insert(id, plain.clone()) {
            None => lines.push(plain),
            Some(before) => assert_eq!(before, plain, "what is sent again says the same"),
        }
    }
    let again = calls.len() - lines.len();
    assert_eq!(status["events"]["duplicate"], again, "what came again is known as such");
    assert_eq!(
        again > 0,
        faults.contains(&Fault::Lose),
        "an answer that is lost makes the tracker send again"
    );
    // Their order is the line's.
    lines.sort();
    Some(lines.join("\n"))
}

/// A value without what differs from run to run, and from machine to machine.
fn plain(value: Value, key: &str) -> Value {
    match value {
        Value::Object(members) => {
            let changes = |key: &str| {
                key.starts_with("$os")
                    || key.starts_with("$python")
                    || key == "userAgent"
                    || key == "userAgentData"
            };
            Value::Object(
                members
                    .into_iter()
                    .filter(|(key, _)| !changes(key) && key != "originalTimestamp")
                    .map(|(key, value)| {
                        let value = plain(value, &key);
                        (key, value)
                    })
                    .collect(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(|item| plain(item, key)).collect()),
        Value::String(text) => Value::String(plain_text(&text, key)),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

fn plain_text(text: &str, key: &str) -> String {
    if matches!(key, "messageId" | "timestamp") || is_uuid(text) {
        return format!("<{key}>");
    }
    // The page's server takes any port.
    match text.split_once("127.0.0.1:") {
        Some((before, after)) => {
            let path = after.trim_start_matches(|it: char| it.is_ascii_digit());
            format!("{before}127.0.0.1:<port>{path}")
        }
        None => text.to_owned(),
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

#[test]
fn segment_analytics_python() {
    if let Some(log) = visit("python", "segment_python.py", &[Fault::Refuse, Fault::Lose]) {
        insta::assert_snapshot!(log);
    }
}

#[test]
fn segment_analytics_node() {
    if let Some(log) = visit("node", "segment_node.mjs", &[Fault::Refuse, Fault::Lose]) {
        insta::assert_snapshot!(log);
    }
}

#[test]
fn segment_analytics_next() {
    if let Some(log) = visit("node", BROWSER, &[Fault::Refuse, Fault::Lose]) {
        insta::assert_snapshot!(log);
    }
}

#[test]
fn rudder_sdk_python() {
    if let Some(log) = visit("python", "rudder_python.py", &[Fault::Refuse, Fault::Lose]) {
        insta::assert_snapshot!(log);
    }
}

#[test]
fn posthog() {
    if let Some(log) = visit("python", "posthog_python.py", &[Fault::Refuse, Fault::Lose]) {
        insta::assert_snapshot!(log);
    }
}
