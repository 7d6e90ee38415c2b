//! What `docs/service.md` shows is true: its commands are run in order, as one session.

#![cfg(unix)]

use std::{
    error::Error,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

type Checked = Result<(), Box<dyn Error>>;

fn page() -> Result<String, Box<dyn Error>> {
    Ok(fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/service.md"))?)
}

/// The fenced blocks of a language, in order.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let start = format!("```{language}\n");
    page.split(&start)
        .skip(1)
        .filter_map(|rest| rest.split("\n```").next())
        .map(|it| format!("{it}\n"))
        .collect()
}

#[test]
fn the_commands_do_what_they_say() -> Checked {
    let folder = tempfile::tempdir()?;
    let free = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
    let ports = [free[0].local_addr()?.port().to_string(), free[1].local_addr()?.port().to_string()];
    drop(free);
    let page = page()?.replace("8080", &ports[0]).replace("8081", &ports[1]);
    let first = |language: &str| blocks(&page, language).into_iter().next().ok_or("no such block");
    fs::create_dir(folder.path().join("shop"))?;
    fs::write(folder.path().join("shop/segue.toml"), first("toml")?)?;
    fs::write(folder.path().join("shop/rules.segue"), first("segue")?)?;
    // What the service tells of itself is kept apart, to be looked at.
    let commands = blocks(&page, "sh").concat().replace("segue serve shop &", "segue serve shop 2>> told &");
    let ready = "curl --fail --silent --retry 20 --retry-all-errors --retry-delay 1";
    let script = format!(
        "set -euo pipefail\ntrap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n{commands}\n\
        {ready} http://127.0.0.1:{}/readyz\n\
        ask http://127.0.0.1:{}/v1/admin/customers/ada\n\
        kill -TERM \"$(cat segue.pid)\"\nwait \"$(cat segue.pid)\"\n",
        ports[0], ports[1]
    );
    let program = PathBuf::from(env!("CARGO_BIN_EXE_segue"));
    let path = format!("{}:{}", program.parent().unwrap_or(Path::new("")).display(), std::env::var("PATH")?);
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env("PATH", path)
        .env("SEGUE_LOG", "debug")
        .stdin(Stdio::null())
        .output()?;
    let (out, err) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    let told = fs::read_to_string(folder.path().join("told")).unwrap_or_default();
    assert!(output.status.success(), "{out}\n{err}\n{told}");
    for answer in [
        r#"{"success":true,"accepted":1,"rejected":[]}"#,
        r#"{"id":"ada","ids":["ada"],"segments":["buyer"],"next_deadline":null}"#,
        r#"segue_events_total{result="accepted"} 2"#,
        r#"{"held":[]}"#,
        r#""plan":"remembered of each customer\n  kept     did \"Order Completed\" (segment buyer)\n"#,
        r#""text":"Thank you, Ada! Order A1 is on its way.""#,
    ] {
        assert!(out.contains(answer), "{answer}\n{out}");
    }
    let sent = fs::read_to_string(folder.path().join("shop/sms.ndjson"))?;
    assert_eq!(sent.lines().count(), 1, "what was sent is not sent again after a restore: {sent}");
    assert!(sent.contains("Thank you, Ada! Order A1 is on its way."), "{sent}");
    // The service tells what it does, and of nobody.
    assert!(told.contains("ready") && told.contains("ended"), "{told}");
    assert!(
        told.matches("changed  thanks: steps changed").count() == 2,
        "what `segue plan` says, both times: {told}"
    );
    for secret in ["ada", "Ada", "4790000000", "A1", "shop-key"] {
        assert!(!told.contains(secret), "`{secret}` is told: {told}");
    }
    Ok(())
}
