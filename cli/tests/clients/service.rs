//! `segue serve` as a process, with a project of its own.

use segue_service::log::{Kind, Reader};
use serde_json::Value;
use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};
use tempfile::TempDir;

pub(crate) const KEY: &str = "shop-key";
const TOKEN: &str = "a-token-of-more-than-thirty-two-letters";

/// Each addition to a cart is answered, so that one that counts twice shows.
const RULES: &str = r#"
event "Product Added" { name: text, price: number? }
profile { first_name: text? }

rule added {
  when "Product Added"
  transactional
  send sms "{{ profile.first_name | default('friend') }}: {{ event.name }}"
}
"#;

pub(crate) struct Service {
    child: Child,
    folder: TempDir,
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
}

impl Service {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [address, admin] = free_addresses();
        let settings = format!(
            "[service]\nlisten = \"{address}\"\nwrite_keys = {{ env = \"WRITE_KEYS\" }}\n\
            [service.admin]\nlisten = \"{admin}\"\ntoken = {{ env = \"TOKEN\" }}\n"
        );
        fs::write(folder.path().join("segue.toml"), settings).unwrap();
        fs::write(folder.path().join("rules.segue"), RULES).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_segue"))
            .args(["serve", "--dry-run"])
            .arg(folder.path())
            .env("WRITE_KEYS", KEY)
            .env("TOKEN", TOKEN)
            .env("SEGUE_LOG", "warn")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let service = Self { child, folder, address, admin };
        let url = format!("http://{address}/readyz");
        let ready = (0..600).any(|_| {
            thread::sleep(Duration::from_millis(100));
            ureq::get(&url).call().is_ok()
        });
        assert!(ready, "the service does not come up");
        service
    }

    /// What the admin port says.
    pub(crate) fn ask(&self, path: &str) -> Value {
        let request = ureq::get(format!("http://{}/v1/admin{path}", self.admin));
        let mut answer = request.header("authorization", format!("Bearer {TOKEN}")).call().unwrap();
        answer.body_mut().read_json().unwrap()
    }

    /// Waits until everything that is on disk is decided.
    pub(crate) fn settle(&self) -> Value {
        for _ in 0..200 {
            let status = self.ask("/status");
            if status["log"]["written"] == status["log"]["applied"] {
                return status;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("what is on disk is not decided");
    }

    /// Ends it in good order and gives the calls of its log, as lines.
    pub(crate) fn end(mut self) -> Vec<String> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success(), "the service ends well");
        calls(&self.folder.path().join("data/log"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn calls(log: &Path) -> Vec<String> {
    let mut reader = Reader::open(log, 0).unwrap();
    let mut calls = Vec::new();
    while let Some(group) = reader.group().unwrap() {
        let of_trackers = group.entries().filter(|entry| entry.kind == Kind::Call);
        calls.extend(of_trackers.map(|entry| String::from_utf8(entry.payload.to_vec()).unwrap()));
    }
    calls
}

/// Two addresses that nobody listens at.
fn free_addresses() -> [SocketAddr; 2] {
    let held = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap())
}
