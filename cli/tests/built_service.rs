//! A program with rules inside runs as a service, anywhere and without their source.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command},
    thread,
    time::Duration,
};

const RULES: &str = r#"
event "Ordered" { order: text }
rule thanks { when "Ordered" transactional send sms "Thank you for {{ event.order }}" }
"#;
const SETTINGS: &str = r#"
[service]
write_keys = { env = "SEGUE_TEST_KEY" }
[channels.sms]
hook = "file"
path = "sent.ndjson"
"#;

fn segue(program: &Path, folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn wait_for(what: impl Fn() -> bool) {
    for _ in 0..500 {
        if what() {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("it does not happen");
}

/// Ended at the latest with the test.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_program_with_rules_inside_serves() {
    let folder = tempfile::tempdir().unwrap();
    let (project, elsewhere) = (folder.path().join("shop"), folder.path().join("elsewhere"));
    fs::create_dir(&project).unwrap();
    fs::create_dir(&elsewhere).unwrap();
    fs::write(project.join("rules.segue"), RULES).unwrap();
    fs::write(project.join("segue.toml"), SETTINGS).unwrap();
    let program = elsewhere.join("my-rules");
    segue(
        Path::new(env!("CARGO_BIN_EXE_segue")),
        folder.path(),
        &["build", "shop", "-o", program.to_str().unwrap()],
    );
    fs::remove_dir_all(&project).unwrap();

    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let listen = address.to_string();
    let process = Command::new(&program)
        .args(["serve", "--data", "kept", "--listen", &listen])
        .current_dir(&elsewhere)
        .env("SEGUE_TEST_KEY", "key")
        .spawn();
    let mut service = Service(process.unwrap());
    wait_for(|| ureq::get(format!("http://{address}/readyz")).call().is_ok());
    let send = |path: &str, body: &str| {
        let request = ureq::post(format!("http://{address}{path}"));
        // `key:` in Base64.
        request.header("authorization", "Basic a2V5Og==").send(body).unwrap();
    };
    send("/v1/identify", r#"{"userId":"ada","traits":{"phone":"+4790000000"}}"#);
    send("/v1/track", r#"{"userId":"ada","event":"Ordered","properties":{"order":"A1"}}"#);
    let sent = elsewhere.join("sent.ndjson");
    wait_for(|| fs::read_to_string(&sent).is_ok_and(|text| text.contains("Thank you for A1")));
    // Whoever asks it to read its rules again hears that they are as they were.
    for signal in ["-HUP", "-TERM"] {
        let killed = Command::new("kill").args([signal, &service.0.id().to_string()]).status().unwrap();
        assert!(killed.success());
        thread::sleep(Duration::from_millis(100));
    }
    assert!(service.0.wait().unwrap().success());
    // What it kept is what it says itself of it.
    let calls = segue(&program, &elsewhere, &["log", "kept", "--calls"]);
    assert_eq!(calls.lines().count(), 2, "{calls}");
    let decided = segue(&program, &elsewhere, &["run", "--log", "kept", "--quiet"]);
    assert!(decided.contains("Thank you for A1"), "{decided}");
}
