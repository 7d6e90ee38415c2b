//! The admin port over a host with rules and customers, and both ports against their description.

use super::{
    schema::Description,
    wire::{Answer, Client},
};
use segue_service::{
    admin::{self, Admin, OPENAPI},
    changes::Changes,
    clock::{Clock, WallClock},
    disk::{Disk, RealDisk},
    host::{Host, Options},
    http::{
        public::{INGEST, Public, router},
        serve::{Patience, Port, serve},
    },
    ingest::{Bounds, key::Keys},
    log,
    metrics::Metrics,
    rejects::Rejects,
    rules::Text,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    num::NonZeroUsize,
    sync::{Arc, OnceLock},
    thread::{self, JoinHandle},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime, sync::watch};

const TOKEN: &str = "correct-horse-battery-staple-and-more";
pub(super) const RULES: &str = r#"
event "Ordered" { total: number }
event "Added" {}
segment buyer { did "Ordered" }
rule thanks { when "Ordered" transactional send sms "Thank you for {{ event.total }}" }
rule reminder { when "Added" then no "Ordered" within 2 hours transactional send sms "Still there" }
"#;
const SETTINGS: &str =
    "[fuse]\nsends = \"2 per hour\"\n[channels.sms]\nhook = \"file\"\npath = \"sent.ndjson\"\n";

/// Both ports and the host behind them.
pub(super) struct Whole {
    public: SocketAddr,
    admin: SocketAddr,
    pub(super) host: Option<Host>,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
    pub(super) folder: TempDir,
}

impl Whole {
    fn start() -> Self {
        Self::start_on(Arc::new(RealDisk))
    }

    pub(super) fn start_on(disk: Arc<dyn Disk>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = Text {
            sources: BTreeMap::from([("rules.segue".to_owned(), RULES.to_owned())]),
            files: BTreeMap::new(),
            settings: SETTINGS.to_owned(),
        };
        let data = folder.path().join("data");
        let clock: Arc<dyn Clock> = Arc::new(WallClock);
        let options = Options {
            dry_run: true,
            shards: NonZeroUsize::new(2).unwrap(),
            limits: log::Limits { segment_bytes: 2_000, keep: None, max_bytes: None },
            checkpoint_every: Duration::from_millis(50),
            gathered_at_once: 1,
            disk,
            ..Options::new(data.clone(), clock.clone())
        };
        let prepared = text.prepare(folder.path().to_owned()).unwrap();
        let host = Host::start(prepared.clone(), options).unwrap();
        let (metrics, rejects) = (Arc::new(Metrics::default()), Arc::new(Rejects::default()));
        let public = Public {
            intake: Arc::new(OnceLock::from(host.intake())),
            keys: Keys::parse("key"),
            bounds: Bounds { event_bytes: 32 << 10, batch_bytes: 500 << 10, batch_events: 2_500 },
            origins: Vec::new(),
            public_url: Some("https://events.example".to_owned()),
            is_tls: false,
            clock,
            ready: Arc::new(|| Ok(())),
            metrics: metrics.clone(),
            rejects: rejects.clone(),
        };
        let admin = Admin {
            token: Keys::parse(TOKEN),
            ask: host.ask(),
            changes: Arc::new(Changes::new(host.ask(), &prepared)),
            watch: host.watch(),
            data,
            metrics: metrics.clone(),
            rejects,
        };
        let (stop, stopped) = watch::channel(false);
        let mut threads = Vec::new();
        let [public, admin] = [router(public), admin::router(admin)].map(|routes| {
            let (told, address) = std::sync::mpsc::channel();
            let (metrics, mut stopped) = (metrics.clone(), stopped.clone());
            threads.push(thread::spawn(move || {
                Runtime::new().unwrap().block_on(async {
                    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                    told.send(listener.local_addr().unwrap()).unwrap();
                    let patience = Patience::default();
                    let port =
                        Port { listener, tls: None, connections: 100, per_address: 100, patience, metrics };
                    serve(port, routes, async move {
                        stopped.wait_for(|stopped| *stopped).await.unwrap();
                    })
                    .await;
                });
            }));
            address.recv().unwrap()
        });
        Self { public, admin, host: Some(host), stop, threads, folder }
    }

    pub(super) fn send(&self, calls: &[&str]) -> Answer {
        let body = format!("{{\"batch\":[{}]}}", calls.join(","));
        Client::connect(self.public).ask(
            "POST",
            "/v1/batch",
            &[("authorization", "Basic a2V5Og==")],
            body.as_bytes(),
        )
    }

    pub(super) fn ask(&self, method: &str, path: &str) -> Answer {
        let token = format!("Bearer {TOKEN}");
        Client::connect(self.admin).ask(method, path, &[("authorization", &token)], b"")
    }

    pub(super) fn put(&self, body: &str) -> Answer {
        let token = format!("Bearer {TOKEN}");
        let path = "/v1/admin/rules";
        Client::connect(self.admin).ask("PUT", path, &[("authorization", &token)], body.as_bytes())
    }

    pub(super) fn json(&self, path: &str) -> Value {
        let answer = self.ask("GET", path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Waits until all that is on disk is decided.
    pub(super) fn settle(&self) {
        let settled = (0..500).any(|_| {
            thread::sleep(Duration::from_millis(10));
            let log = &self.json("/v1/admin/status")["log"];
            log["written"] == log["applied"]
        });
        assert!(settled);
    }

    /// A visit: Ada as visitor and as customer, who orders three times, and Bob, who adds something; two events are none.
    fn visited() -> Self {
        let whole = Self::start();
        let answer = whole.send(&[
            r#"{"type":"track","event":"Added","anonymousId":"v1","messageId":"m1"}"#,
            r#"{"type":"identify","userId":"ada","anonymousId":"v1","traits":{"phone":"+4790000000"},"messageId":"m2"}"#,
            r#"{"type":"track","event":"Ordered","userId":"ada","properties":{"total":1},"messageId":"m3"}"#,
            r#"{"type":"track","event":"Ordered","userId":"ada","properties":{"total":2},"messageId":"m4"}"#,
            r#"{"type":"track","event":"Ordered","userId":"ada","properties":{"total":3},"messageId":"m5"}"#,
            r#"{"type":"identify","userId":"bob","traits":{"phone":"+4790000001"},"messageId":"m6"}"#,
            r#"{"type":"track","event":"Added","userId":"bob","messageId":"m7"}"#,
            r#"{"type":"track","userId":"bob","messageId":"m8"}"#,
            r#"{"type":"trak","userId":"bob","messageId":"m9"}"#,
        ]);
        assert_eq!(answer.status, 200);
        whole.settle();
        whole
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        self.threads.drain(..).for_each(|thread| thread.join().unwrap());
        self.host.take().into_iter().for_each(Host::close);
    }
}

#[test]
fn nobody_gets_in_without_the_token() {
    let whole = Whole::start();
    for path in admin::paths() {
        for header in [None, Some("Bearer wrong"), Some("Basic a2V5Og=="), Some("Bearer")] {
            let headers: Vec<(&str, &str)> = header.map(|it| ("authorization", it)).into_iter().collect();
            let answer = Client::connect(whole.admin).ask("GET", path, &headers, b"");
            assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")), "{path}");
        }
    }
    assert_eq!(Client::connect(whole.admin).ask("GET", "/v1/other", &[], b"").status, 401);
    assert_eq!(whole.ask("GET", "/v1/other").status, 404);
    // And what is asked there is not to be had on the public port.
    let token = format!("Bearer {TOKEN}");
    let answer = Client::connect(whole.public).ask("GET", "/metrics", &[("authorization", &token)], b"");
    assert_eq!(answer.status, 404);
}

#[test]
fn customers_are_shown_with_what_they_did() {
    let whole = Whole::visited();
    let ada = whole.json("/v1/admin/customers/v1");
    assert_eq!((&ada["id"], &ada["segments"]), (&"ada".into(), &serde_json::json!(["buyer"])));
    assert_eq!(ada["ids"], serde_json::json!(["ada", "v1"]));
    assert!(whole.json("/v1/admin/customers/bob")["next_deadline"].is_string());
    assert_eq!(whole.ask("GET", "/v1/admin/customers/nobody").status, 404);
    assert_eq!(whole.ask("GET", "/v1/admin/customers/%ff").status, 400);

    let life = whole.json("/v1/admin/customers/ada/timeline");
    assert_eq!(life["customer"], ada);
    let of = |list: &str, path: &str| -> Vec<String> {
        let items = life[list].as_array().unwrap().iter();
        items.filter_map(|item| item.pointer(path)?.as_str().map(str::to_owned)).collect()
    };
    assert_eq!(of("events", "/call/messageId"), ["m1", "m2", "m3", "m4", "m5"]);
    let kinds = of("decisions", "/record/kind");
    assert!(["send", "segment", "held"].iter().all(|kind| kinds.iter().any(|it| it == kind)), "{kinds:?}");
    assert_eq!(of("decisions", "/progress").last().map(|it| &**it), Some("held"));
    let short = whole.json("/v1/admin/customers/ada/timeline?limit=2");
    assert_eq!(short["events"].as_array().unwrap().len(), 2);
    // Whether there is more, is told.
    assert_eq!(life["since"], serde_json::json!({ "events": null, "decisions": null }));
    assert_eq!(short["since"]["events"], short["events"][0]["received_at"]);
    // A decision is written down when what led to it was received, or a moment after that happened.
    let since = short["since"]["decisions"].as_str().unwrap();
    let decided = short["decisions"][0]["record"]["at"].as_str().unwrap();
    assert!(since >= decided, "{since} {decided}");
}

#[test]
fn what_is_due_next_is_told_with_what_comes_of_it() {
    let whole = Whole::visited();
    let bob = whole.json("/v1/admin/customers/bob");
    let due = whole.json("/v1/admin/deadlines");
    assert_eq!(due["all"], 1, "{due}");
    let next = &due["deadlines"][0];
    assert_eq!((&next["customer"], &next["at"]), (&"bob".into(), &bob["next_deadline"]));
    let record = &next["records"][0];
    assert_eq!((&record["kind"], &record["rule"]), (&"send".into(), &"reminder".into()), "{due}");
    // It was tried with a copy.
    assert_eq!(whole.json("/v1/admin/deadlines"), due);
    let added = |number: u32| {
        let at = r#""type":"track","event":"Added""#;
        format!(r#"{{{at},"userId":"c{number}","messageId":"d{number}"}}"#)
    };
    let many: Vec<String> = (0..150).map(added).collect();
    whole.send(&many.iter().map(|it| &**it).collect::<Vec<_>>());
    whole.settle();
    let few = whole.json("/v1/admin/deadlines?limit=2");
    assert_eq!((few["deadlines"].as_array().unwrap().len(), &few["all"]), (2, &151.into()));
    assert_eq!(few["deadlines"][0], *next);
    let all = whole.json("/v1/admin/deadlines?limit=1000");
    assert_eq!(all["deadlines"].as_array().unwrap().len(), 151);
    assert_eq!(whole.ask("GET", "/v1/admin/deadlines?limit=0").status, 400);
}

#[test]
fn who_is_erased_is_nowhere() {
    let whole = Whole::visited();
    let holds = |word: &str| {
        files(whole.folder.path()).iter().any(|file| {
            let bytes = std::fs::read(file).unwrap_or_default();
            bytes.windows(word.len()).any(|window| window == word.as_bytes())
        })
    };
    assert!(holds("+4790000000") && holds("ada") && holds("v1"));
    assert_eq!(whole.ask("DELETE", "/v1/admin/customers/v1").status, 202);
    let done = (0..500).any(|_| {
        thread::sleep(Duration::from_millis(20));
        whole.settle();
        whole.json("/v1/admin/status")["erasing"] == 0 && !holds("+4790000000")
    });
    assert!(done, "it takes its time");
    for word in ["+4790000000", "\"ada\"", "ada", "\"v1\""] {
        for file in files(whole.folder.path()) {
            let bytes = std::fs::read(&file).unwrap_or_default();
            if let Some(at) = bytes.windows(word.len()).position(|window| window == word.as_bytes()) {
                let around = &bytes[at.saturating_sub(60)..bytes.len().min(at + 60)];
                panic!("{word} is still in {}: {}", file.display(), String::from_utf8_lossy(around));
            }
        }
    }
    for id in ["ada", "v1"] {
        assert_eq!(whole.ask("GET", &format!("/v1/admin/customers/{id}")).status, 404);
    }
    assert_eq!(whole.json("/v1/admin/rejects")["rejects"], serde_json::json!([]));
    // Others are as they were, and who comes again is somebody new.
    assert!(holds("+4790000001"));
    assert!(whole.json("/v1/admin/customers/bob")["next_deadline"].is_string());
    whole.send(&[r#"{"type":"track","event":"Added","userId":"ada","messageId":"m10"}"#]);
    whole.settle();
    assert_eq!(whole.json("/v1/admin/customers/ada")["segments"], serde_json::json!([]));
}

/// Every file below a folder.
fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.flat_map(|it| if it.path().is_dir() { files(&it.path()) } else { vec![it.path()] }).collect()
}

#[test]
fn segments_rejects_fuse_and_rules_are_shown() {
    let whole = Whole::visited();
    assert_eq!(whole.json("/v1/admin/segments/buyer/members")["ids"], serde_json::json!(["ada"]));
    assert_eq!(whole.ask("GET", "/v1/admin/segments/none/members").status, 404);
    let rejects = whole.json("/v1/admin/rejects");
    assert_eq!(
        (&rejects["rejects"][0]["message_id"], &rejects["rejects"][1]["index"]),
        (&"m9".into(), &7.into())
    );
    assert_eq!(whole.json("/v1/admin/rules")["sources"]["rules.segue"], RULES);

    let held = whole.json("/v1/admin/fuse");
    assert_eq!(held["held"], serde_json::json!([{ "rule": "thanks", "messages": 1 }]));
    assert_eq!(whole.ask("POST", "/v1/admin/fuse/none/release").status, 404);
    assert_eq!(whole.ask("POST", "/v1/admin/fuse/thanks/release").status, 200);
    whole.settle();
    assert_eq!(whole.json("/v1/admin/fuse")["held"], serde_json::json!([]));
    for path in ["/v1/admin/rejects?limit=0", "/v1/admin/segments/buyer/members?cursor=x"] {
        assert_eq!(whole.ask("GET", path).status, 400, "{path}");
    }
}

/// A body that proposes rules.
pub(super) fn rules(text: &str) -> String {
    serde_json::json!({ "sources": { "rules.segue": text } }).to_string()
}

#[test]
fn rules_are_put_in_force() {
    let whole = Whole::visited();
    let other = RULES.replace("\"Still there\"", "\"Still here\"")
        + "\nsegment keen { did \"Added\" in the last 7 days }\n";
    let answer = whole.put(&rules(&other));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let changed: Value = serde_json::from_str(&answer.body).unwrap();
    let plan = changed["plan"].as_str().unwrap();
    for line in [
        "  new      did \"Added\" in the last 7 days (segment keen): filled from the log, the last 7 days",
        "  kept     thanks: runs under way go on",
        "  changed  reminder: steps changed; runs under way finish as they began",
    ] {
        assert!(plan.lines().any(|it| it.starts_with(line)), "{line}\n{plan}");
    }
    assert_eq!(changed["changes"]["segments"][1]["fate"], "new");
    assert!(changed["position"].as_u64().unwrap() > 0 && changed["at"].is_string());
    whole.settle();
    // What Bob added before is filled from the log; settings that are not said are those that were.
    assert_eq!(whole.json("/v1/admin/segments/keen/members")["ids"].as_array().unwrap().len(), 2);
    let in_force = whole.json("/v1/admin/rules");
    assert_eq!(in_force["sources"]["rules.segue"], other);
    assert_eq!(in_force["settings"], SETTINGS);
    // What is shown can be put again, and is the same.
    let again: Value = serde_json::from_str(&whole.put(&in_force.to_string()).body).unwrap();
    assert_eq!((&again["message"], &again["position"]), (&"the rules are the same".into(), &Value::Null));
}

#[test]
fn rules_with_errors_are_refused_as_a_whole() {
    let whole = Whole::visited();
    let written = whole.json("/v1/admin/status")["log"]["written"].clone();
    let refused = |body: &str, status: u16| -> Value {
        let answer = whole.put(body);
        assert_eq!(answer.status, status, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    };
    let answer = refused(&rules(&RULES.replace("when \"Ordered\"", "when \"Ordred\"")), 422);
    assert_eq!(answer["message"], "the rules stay as they are: the new ones have 1 error");
    let finding = serde_json::json!({ "severity": "error", "code": "unknown-event", "file": "rules.segue",
        "line": 5, "column": 20, "message": answer["findings"][0]["message"], "help": answer["findings"][0]["help"] });
    assert_eq!(answer["findings"], serde_json::json!([finding]));
    assert!(finding["help"].as_str().unwrap().contains("`\"Ordered\"`"), "{finding}");

    let with = |settings: &str| {
        serde_json::json!({ "sources": { "rules.segue": RULES }, "settings": settings }).to_string()
    };
    let answer = refused(&with("[fuse]\nsend = 1\n"), 422);
    assert_eq!(
        (&answer["findings"][0]["code"], &answer["findings"][0]["line"]),
        (&"unknown-key".into(), &2.into())
    );
    let answer = refused(&with("[consent]\npolicy = \"assumed\"\n"), 422);
    assert_eq!(
        (&answer["findings"][0]["code"], &answer["findings"][0]["line"]),
        (&"assumed-consent".into(), &2.into())
    );
    let answer = refused(&with("[channels.sms]\nhook = \"console\"\n"), 422);
    assert_eq!(
        (&answer["findings"][0]["code"], &answer["findings"][0]["line"]),
        (&"console-hook".into(), &2.into())
    );
    let answer = refused("{\"sources\": {}}", 422);
    assert_eq!(answer["message"], "the rules stay as they are: `sources` holds no `.segue` file");
    for name in
        ["", "rules", ".segue", "a/.segue", "../../etc/x.segue", "/x.segue", "a//b.segue", "a\nb.segue"]
    {
        let body = serde_json::json!({ "sources": { "rules.segue": RULES, name: "" } }).to_string();
        let answer = refused(&body, 422);
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains("` in `sources` is no name of a rule file; name each from"), "{message}");
        Description::parse(OPENAPI).fits("/v1/admin/rules", "PUT", &whole.put(&body));
    }
    for body in
        ["", "[]", "{\"files\": {}}", "{\"sources\": {}, \"source\": {}}", "{\"sources\": {\"a\": 1}}"]
    {
        assert_eq!(refused(body, 400)["code"], "unreadable", "{body}");
    }
    assert_eq!(whole.json("/v1/admin/status")["log"]["written"], written, "nothing of it is in the log");
    assert_eq!(whole.json("/v1/admin/rules")["sources"]["rules.segue"], RULES);
}

#[test]
fn figures_tell_what_happens() {
    let whole = Whole::visited();
    let answer = whole.ask("GET", "/metrics");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain; version=0.0.4")));
    for line in [
        "segue_events_total{result=\"accepted\"} 7",
        "segue_events_total{result=\"rejected\"} 2",
        "segue_identities_total{result=\"joined\"} 1",
        "segue_customers 2",
        "segue_decisions_total{kind=\"send\",reason=\"\"} 3",
        "segue_fuse_held{rule=\"thanks\"} 1",
    ] {
        assert!(answer.body.lines().any(|it| it == line), "{line}\n{}", answer.body);
    }
    // An event whose customer's time had come further when it was written down is late, and no less there for it.
    let calls = |result: &str| -> u64 {
        let name = format!("segue_calls_total{{result=\"{result}\"}} ");
        answer.body.lines().find_map(|line| line.strip_prefix(&*name)?.parse().ok()).unwrap()
    };
    assert_eq!(calls("applied") + calls("late"), 7);
    for name in [
        "segue_decision_seconds_count",
        "segue_deadline_late_seconds_bucket",
        "segue_data_bytes{folder=\"log\"}",
    ] {
        assert!(answer.body.lines().any(|it| it.starts_with(name)), "{name}\n{}", answer.body);
    }
    // What is on disk, how far it is decided, and when that was kept last.
    let figure = |page: &Answer, name: &str| -> Option<f64> {
        page.body.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    };
    let entries = figure(&answer, "segue_log_entries").unwrap();
    assert!(entries >= 8.0, "seven calls and the rules: {entries}");
    assert!(figure(&answer, "segue_log_applied").unwrap() <= entries);
    whole.send(&[r#"{"type":"track","event":"Added","userId":"bob","messageId":"m10"}"#]);
    whole.settle();
    let later = whole.ask("GET", "/metrics");
    assert!(figure(&later, "segue_log_entries").unwrap() > entries);
    assert!(figure(&later, "segue_log_applied").unwrap() > entries);
    let checkpoint = (0..500).find_map(|_| {
        thread::sleep(Duration::from_millis(10));
        figure(&whole.ask("GET", "/metrics"), "segue_checkpoint_timestamp_seconds").filter(|at| *at > 0.0)
    });
    let now = Duration::from_millis(WallClock.now().unsigned_abs()).as_secs_f64();
    let checkpoint = checkpoint.unwrap();
    assert!((now - 60.0..=now).contains(&checkpoint), "{checkpoint} at {now}");
    assert!(!answer.body.contains("ada"), "no figure names a customer");
}

#[test]
fn the_description_names_every_path() {
    let description = Description::parse(OPENAPI);
    let fixed = ["/healthz", "/readyz", "/v1/projects/{key}/settings"];
    let public = INGEST.iter().map(|(path, _)| *path).chain(fixed);
    let routed: BTreeSet<&str> = public.chain(admin::paths()).collect();
    assert_eq!(description.paths(), routed);
    // And every method of it, and no other.
    let whole = Whole::start();
    for path in &routed {
        let is_public = !admin::paths().any(|it| it == *path);
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            let answer = match is_public {
                true => Client::connect(whole.public).ask(method, path, &[], b"{}"),
                false => whole.ask(method, path),
            };
            let is_there = description.operation(path, method).is_some();
            assert_eq!(answer.status != 405, is_there, "{method} {path}");
        }
    }
}

/// Bodies for every answer to rules that are put: sound, wrong, of another form, too long.
fn proposals() -> [String; 4] {
    let sound = rules(&format!("{RULES}\nsegment added {{ did \"Added\" }}\n"));
    [sound, rules("segment"), "7".to_owned(), " ".repeat((16 << 20) + 1)]
}

/// What is asked of the admin port: how, at which path of the description, and where.
const ASKED: &[(&str, &str, &str)] = &[
    ("GET", "/metrics", "/metrics"),
    ("GET", "/v1/admin/openapi.json", "/v1/admin/openapi.json"),
    ("GET", "/v1/admin/status", "/v1/admin/status"),
    ("GET", "/v1/admin/customers/{id}", "/v1/admin/customers/ada"),
    ("GET", "/v1/admin/customers/{id}", "/v1/admin/customers/nobody"),
    ("GET", "/v1/admin/customers/{id}", "/v1/admin/customers/%ff"),
    ("DELETE", "/v1/admin/customers/{id}", "/v1/admin/customers/%ff"),
    ("GET", "/v1/admin/customers/{id}/timeline", "/v1/admin/customers/%ff/timeline"),
    ("GET", "/v1/admin/customers/{id}/timeline", "/v1/admin/customers/ada/timeline"),
    ("GET", "/v1/admin/customers/{id}/timeline", "/v1/admin/customers/ada/timeline?limit=2"),
    ("GET", "/v1/admin/customers/{id}/timeline", "/v1/admin/customers/ada/timeline?limit=x"),
    ("GET", "/v1/admin/deadlines", "/v1/admin/deadlines"),
    ("GET", "/v1/admin/deadlines", "/v1/admin/deadlines?limit=x"),
    ("GET", "/v1/admin/segments", "/v1/admin/segments"),
    ("DELETE", "/v1/admin/customers/{id}", "/v1/admin/customers/bob"),
    ("GET", "/v1/admin/segments/{name}/members", "/v1/admin/segments/buyer/members"),
    ("GET", "/v1/admin/segments/{name}/members", "/v1/admin/segments/none/members"),
    ("GET", "/v1/admin/segments/{name}/members", "/v1/admin/segments/%ff/members"),
    ("GET", "/v1/admin/rejects", "/v1/admin/rejects"),
    ("GET", "/v1/admin/rules", "/v1/admin/rules"),
    ("GET", "/v1/admin/fuse", "/v1/admin/fuse"),
    ("POST", "/v1/admin/fuse/{rule}/release", "/v1/admin/fuse/thanks/release"),
    ("POST", "/v1/admin/fuse/{rule}/release", "/v1/admin/fuse/none/release"),
    ("POST", "/v1/admin/fuse/{rule}/release", "/v1/admin/fuse/%ff/release"),
];

#[test]
fn answers_are_as_described() {
    let whole = Whole::visited();
    let description = Description::parse(OPENAPI);
    let mut answered: BTreeSet<(&str, &str, u16)> = BTreeSet::new();
    let basic = ("authorization", "Basic a2V5Og==");
    let event = r#"{"type":"track","event":"Ordered","userId":"eve","distinct_id":"eve","groupId":"g","previousId":"p"}"#;
    let batch = format!(r#"{{"batch":[{event},7]}}"#);
    let mut check = |path: &'static str, method: &'static str, answer: &Answer| {
        description.fits(path, method, answer);
        answered.insert((path, method, answer.status));
    };
    for (path, _) in INGEST {
        let post = |headers: &[(&str, &str)], body: &str| {
            Client::connect(whole.public).ask("POST", path, headers, body.as_bytes())
        };
        check(path, "POST", &post(&[basic], &batch));
        check(path, "POST", &post(&[basic], event));
        check(path, "POST", &post(&[basic], "7"));
        check(path, "POST", &post(&[], event));
        check(path, "POST", &post(&[basic, ("content-encoding", "br")], event));
        check(path, "POST", &post(&[basic], &" ".repeat(600 << 10)));
    }
    for (path, asked) in [
        ("/healthz", "/healthz"),
        ("/readyz", "/readyz"),
        ("/v1/projects/{key}/settings", "/v1/projects/key/settings"),
        ("/v1/projects/{key}/settings", "/v1/projects/nobody/settings"),
        ("/v1/projects/{key}/settings", "/v1/projects/%ff/settings"),
    ] {
        check(path, "GET", &Client::connect(whole.public).ask("GET", asked, &[], b""));
    }
    for (method, path, asked) in ASKED {
        check(path, method, &whole.ask(method, asked));
        check(path, method, &Client::connect(whole.admin).ask(method, asked, &[], b""));
    }
    for body in proposals() {
        check("/v1/admin/rules", "PUT", &whole.put(&body));
    }
    // Bob is taken out of the log's files before they are damaged.
    let is_erased = (0..500).any(|_| {
        thread::sleep(Duration::from_millis(10));
        whole.json("/v1/admin/status")["erasing"] == 0
    });
    assert!(is_erased);
    for file in files(&whole.folder.path().join("data/log")) {
        let length = usize::try_from(file.metadata().unwrap().len()).unwrap();
        std::fs::write(file, vec![0xff; length]).unwrap();
    }
    let damaged = whole.ask("GET", "/v1/admin/customers/ada/timeline");
    assert_eq!(damaged.status, 500, "{}", damaged.body);
    check("/v1/admin/customers/{id}/timeline", "GET", &damaged);
    let silent: Vec<_> = description
        .operations()
        .filter(|(path, method)| {
            !answered.iter().any(|(seen, by, status)| (seen, by) == (path, method) && *status < 300)
        })
        .collect();
    assert!(silent.is_empty(), "described, and never answered: {silent:?}");
}
