//! Settings with which `segue serve` does not start, and what it says then.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::{fs, process::Command};

const RULES: &str = r#"
event "Ordered" {}
rule thanks { when "Ordered" transactional send sms "Thank you" }
"#;

/// What a service says that does not start.
fn refusal(settings: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.segue"), RULES).unwrap();
    fs::write(folder.path().join("segue.toml"), settings).unwrap();
    fs::write(folder.path().join("keys"), "a-key\n").unwrap();
    fs::write(folder.path().join("nothing"), "\n").unwrap();
    fs::write(folder.path().join("token"), "s3cret".repeat(5)).unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_segue")).arg("serve").arg(folder.path()).args(arguments).output();
    let output = output.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(!folder.path().join("data").exists(), "nothing was begun: {said}");
    said
}

#[test]
fn messages_are_not_shown_where_the_service_tells_of_itself() {
    let settings = "[service]\nlisten = \"127.0.0.1:0\"\nwrite_keys = { file = \"keys\" }\nlog = \"json\"\n\
                    [channels.sms]\nhook = \"console\"\n";
    for arguments in [&[][..], &["--dry-run"]] {
        let said = refusal(settings, arguments);
        assert!(said.contains("channel `sms` has the hook `console`"), "{said}");
        assert!(said.contains("under [channels.sms] in segue.toml"), "{said}");
    }
}
