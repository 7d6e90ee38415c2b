//! `segue run --deliver`: what goes out, whoever reads along, and how it ends.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
};

/// More than a pipe holds, so that who writes it notices that nobody reads on.
const CUSTOMERS: usize = 2_000;

/// A project with a rule that calls a file, or another system that nobody listens for.
fn project(channel: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "rules.segue",
        "event \"Order\" {}\nrule tell { when \"Order\"  call crm { text: \"An order\" } }\n",
    );
    write("segue.toml", &format!("[channels.crm]\n{channel}\n"));
    let events: String = (0..CUSTOMERS)
        .map(|id| {
            format!(
                "{{\"type\":\"track\",\"messageId\":\"m{id}\",\"userId\":\"c{id}\",\"event\":\"Order\",\"timestamp\":\"2026-01-05T10:00:00Z\"}}\n"
            )
        })
        .collect();
    write("events.ndjson", &events);
    folder
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
    command.args(["run", ".", "--events", "events.ndjson", "--deliver"]).current_dir(folder);
    command
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const FILE: &str = "hook = \"file\"\npath = \"calls\"";

#[test]
fn who_stops_reading_stops_no_delivery() {
    let folder = project(FILE);
    let mut run = command(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(run.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("\"hook\":\"crm\""), "{first}");
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert!(words(&output).contains(&format!("{CUSTOMERS} delivered, 0 not")), "{}", words(&output));
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
    assert_eq!(calls.lines().count(), CUSTOMERS);
}

#[test]
fn what_can_be_written_nowhere_is_not_delivered() {
    if cfg!(target_os = "linux") {
        let folder = project(FILE);
        let full = fs::File::create("/dev/full").unwrap();
        let output = command(folder.path()).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said =
            "standard output: the disk is full; nothing was delivered, so that it can be run once more";
        assert!(words(&output).contains(said), "{}", words(&output));
        assert_eq!(fs::read_to_string(folder.path().join("calls")).unwrap(), "");
    }
}

#[test]
fn what_was_not_delivered_shows_in_the_exit_code() {
    let folder = project("hook = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\nretries = 0");
    for more in [&[][..], &["--quiet"]] {
        let output = command(folder.path()).args(more).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", words(&output));
        assert!(words(&output).contains("not delivered: crm "), "{}", words(&output));
    }
    let help = Command::new(env!("CARGO_BIN_EXE_segue")).arg("--help").output().unwrap();
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    assert!(help.contains("3 something could not be delivered"), "{help}");
}
