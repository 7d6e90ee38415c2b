//! Settings with which `segue serve` does not start, and what it says then; and TLS, with which it does.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command},
};

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

#[test]
fn a_service_that_nobody_could_use_or_anybody_could_ask_is_refused() {
    for keys in ["", "write_keys = { file = \"nothing\" }\n"] {
        let said = refusal(&format!("[service]\nlisten = \"127.0.0.1:0\"\n{keys}"), &[]);
        assert!(said.contains("there are no write keys, so that nobody could send events"), "{said}");
    }
    let settings = "[service]\nlisten = \"127.0.0.1:0\"\nwrite_keys = { file = \"keys\" }\n\
                    [service.admin]\nlisten = \"127.0.0.1:0\"\ntoken = { file = \"token\" }\n";
    let said = refusal(settings, &[]);
    assert!(said.contains("the admin token in") && said.contains("has fewer than 32 characters"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
}

/// Ended at the latest with the test.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The command of `docs/service.md` that makes a certificate to try TLS with.
fn certificate_command() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/service.md");
    let page = fs::read_to_string(page).unwrap();
    let block = page.split("```sh\n").find(|block| block.starts_with("openssl req")).unwrap();
    block.split("\n```").next().unwrap().to_owned()
}

fn curl(arguments: &[&str]) -> (bool, String) {
    let output = Command::new("curl").args(["--fail", "--silent"]).args(arguments).output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn both_ports_speak_tls_with_the_certificate_of_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let shop = folder.path().join("shop");
    fs::create_dir(&shop).unwrap();
    let made = Command::new("bash").args(["-c", &certificate_command()]).current_dir(folder.path()).output();
    assert!(made.unwrap().status.success());
    let free = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [public, admin] = free.each_ref().map(|it| it.local_addr().unwrap());
    drop(free);
    let token = "0123456789abcdef".repeat(2);
    for (file, text) in [
        ("rules.segue", RULES),
        ("keys", "a-key\n"),
        ("token", &token),
        (
            "segue.toml",
            &format!(
                "[service]\nlisten = \"{public}\"\nwrite_keys = {{ file = \"keys\" }}\n\
                 [service.tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n\
                 [service.admin]\nlisten = \"{admin}\"\ntoken = {{ file = \"token\" }}\n\
                 [channels.sms]\nhook = \"file\"\npath = \"sent.ndjson\"\n"
            ),
        ),
    ] {
        fs::write(shop.join(file), text).unwrap();
    }
    let process = Command::new(env!("CARGO_BIN_EXE_segue")).arg("serve").arg(&shop).spawn();
    let _service = Service(process.unwrap());
    let certificate = shop.join("cert.pem");
    let trusting = ["--cacert", certificate.to_str().unwrap()];
    let ask = |more: &[&str]| curl(&[&trusting[..], more].concat());
    let at = |port: u16, path: &str| format!("https://localhost:{port}{path}");

    let patient = ["--retry", "20", "--retry-all-errors", "--retry-delay", "1"];
    let (is_ready, answer) = ask(&[&patient[..], &[&at(public.port(), "/readyz")]].concat());
    assert!(is_ready, "{answer}");
    let event = ["--user", "a-key:", "--data", r#"{"userId": "ada", "event": "Ordered"}"#];
    let (is_taken, answer) = ask(&[&event[..], &[&at(public.port(), "/v1/track")]].concat());
    assert_eq!((is_taken, &*answer), (true, r#"{"success":true,"accepted":1,"rejected":[]}"#));
    // Browsers' trackers are led back to where TLS is spoken.
    let (_, answer) = ask(&[&at(public.port(), "/v1/projects/a-key/settings")]);
    assert!(answer.contains(r#""protocol":"https""#), "{answer}");
    let header = format!("Authorization: Bearer {token}");
    let status = at(admin.port(), "/v1/admin/status");
    let (is_told, answer) = ask(&["--header", &header, &status]);
    assert!(is_told && answer.contains(r#""customers":"#), "{answer}");
    // Who does not know the certificate does not go on, and nothing is to be had in plain text.
    assert!(!curl(&["--header", &header, &status]).0);
    for port in [public, admin] {
        let plain = format!("http://localhost:{}/healthz", port.port());
        assert_eq!(curl(&["--header", &header, &plain]), (false, String::new()));
    }
}
