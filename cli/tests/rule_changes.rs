//! Rules that change again and again while events come in, in every way there is, with a few kills in between: no event is
//! skipped, no message goes out twice, and what was decided is what the log leads to.
//!
//! `SEGUE_MINUTES=60 cargo test --release -p segue --test rule_changes -- --nocapture` goes on for an hour; `SEGUE_RATE` says
//! how many events come in a second, `SEGUE_SEED` what happens. Where it goes on for ten minutes or more, memory must be flat.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod live;

use live::{
    Heard, Random, Seen, Service, Stop, TOKEN, ask, check_delivered, check_log, each_line, instant, now,
    post, receiver, segue, send, setting,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

/// How long it goes on, unless said.
const SECONDS: u64 = 20;
/// How many events come in a second, unless said.
const RATE: u64 = 500;
const CLIENTS: usize = 2;
const BATCH: usize = 10;
const CUSTOMERS: u64 = 3_000;
/// How long an event is in the log, about.
const EVENT_BYTES: u64 = 170;
/// From how many seconds on memory must be flat.
const LONG: u64 = 600;
/// How much more memory than in the middle third there may be in the last one, in percent.
const MORE_MEMORY: u64 = 10;

/// What the rules say at a moment: each number is something that changes.
#[derive(Clone, Debug)]
struct Shape {
    price: u64,
    within: u64,
    times: u64,
    seconds: u64,
    pause: u64,
    words: u64,
    has_thanks: bool,
    has_course: bool,
    /// A window that is filled from the log, and how much it takes.
    spender: Option<(u64, u64)>,
    /// As the one before, of all that somebody did.
    regular: Option<u64>,
}

impl Shape {
    fn first() -> Self {
        Self {
            price: 6,
            within: 2,
            times: 3,
            seconds: 20,
            pause: 1,
            words: 0,
            has_thanks: true,
            has_course: false,
            spender: None,
            regular: None,
        }
    }

    /// Something of it becomes something else.
    fn change(&mut self, random: &mut Random) {
        match random.below(9) {
            0 => self.price = 1 + random.below(11),
            1 => self.within = 1 + random.below(3),
            2 => (self.times, self.seconds) = (2 + random.below(3), 5 + random.below(20)),
            3 => self.pause = 1 + random.below(3),
            4 => self.words += 1,
            5 => self.has_thanks = !self.has_thanks,
            6 => self.has_course = !self.has_course,
            7 => self.spender = random.draw(|random| (10 + random.below(40), 5 + random.below(20))),
            _ => self.regular = random.draw(|random| 2 + random.below(20)),
        }
    }

    fn rules(&self) -> String {
        let Self { price, within, times, seconds, pause, words, .. } = self;
        let mut rules = format!(
            r#"
event "Added" {{ price: number }}
event "Ordered" {{ order: text, total: number }}
topic marketing {{}}
segment shoppers {{ did "Added" at least {times} times in the last {seconds} seconds }}
rule reminder {{
  when "Added" where price >= {price} then no "Ordered" within {within} seconds
  topic marketing
  limit 1 per 1 second
  send sms "You left something for {{{{ event.price }}}} ({words})"
  wait {pause} seconds
  call crm {{ price: event.price }}
}}
rule keen {{
  when enters shoppers
  topic marketing
  send sms "You are keen"
}}
"#
        );
        if self.has_thanks {
            let _ = writeln!(
                rules,
                "rule thanks {{ when \"Ordered\" transactional send email {{ subject: \"Thank you for {{{{ event.order }}}}\", body: \"On its way ({words})\" }} wait {pause} seconds call crm {{ order: event.order }} }}"
            );
        }
        if self.has_course {
            let _ = writeln!(
                rules,
                "rule course {{ when \"Added\" for the first time start cold topic marketing wait {pause} seconds send sms \"Welcome\" }}"
            );
        }
        if let Some((total, seconds)) = self.spender {
            let _ = writeln!(
                rules,
                "segment spender {{ sum of total of \"Ordered\" in the last {seconds} seconds > {total} }}\nrule spends {{ when enters spender topic marketing send sms \"You have spent {total}\" }}"
            );
        }
        if let Some(times) = self.regular {
            let _ = writeln!(
                rules,
                "segment regular {{ did \"Added\" at least {times} times }}\nrule comes {{ when enters regular start cold topic marketing send sms \"For the {times}th time\" }}"
            );
        }
        rules
    }
}

impl Random {
    /// Something or nothing.
    fn draw<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(3) > 0).then(|| draw(self))
    }
}

fn call(random: &mut Random, id: &str) -> Value {
    let customer = random.below(CUSTOMERS);
    let at = u64::try_from(now()).unwrap() - random.below(300);
    let mut call = json!({"messageId": id, "userId": format!("c{customer}"), "timestamp": at});
    let fields = match random.below(12) {
        0 => json!({"type": "identify", "anonymousId": format!("x{customer}"),
            "traits": {"phone": "+4790000000", "email": "a@example.com", "consent": {"sms": true}}}),
        1 => {
            json!({"type": "track", "event": "Ordered", "properties": {"order": id, "total": random.below(30)}})
        }
        2 => json!({"type": "track", "userId": null, "anonymousId": format!("x{customer}"),
            "event": "Added", "properties": {"price": 7}}),
        price => json!({"type": "track", "event": "Added", "properties": {"price": price}}),
    };
    for (key, value) in fields.as_object().unwrap() {
        call[key] = value.clone();
    }
    call
}

fn settings(receiver: SocketAddr, admin: SocketAddr, keep: u64) -> String {
    let mut settings = format!(
        "[project]\ndedupe = \"1 minute\"\nlateness = \"10 seconds\"\n[service]\nwrite_keys = {{ env = \"SEGUE_TEST_KEY\" }}\nwatch = true\nkeep_size = \"{keep} KB\"\n[service.admin]\nlisten = \"{admin}\"\ntoken = {{ env = \"SEGUE_TEST_TOKEN\" }}\n"
    );
    for name in ["sms", "email", "crm"] {
        let _ =
            write!(settings, "[channels.{name}]\nhook = \"webhook\"\nurl = \"http://{receiver}/{name}\"\n");
    }
    settings
}

/// What happened, for people.
#[derive(Debug, Default)]
struct Figures {
    proposed: BTreeMap<&'static str, u64>,
    refused: u64,
    kills: Vec<Instant>,
    /// Resident memory in KB, when.
    memory: Vec<(Duration, u64)>,
}

/// The one who changes rules.
struct Author {
    service: Service,
    admin: SocketAddr,
    random: Random,
    shape: Shape,
    figures: Figures,
}

impl Author {
    /// Changes the rules once, in one of the ways.
    fn change(&mut self) {
        let is_wrong = self.figures.proposed.values().sum::<u64>() % 5 == 3;
        self.shape.change(&mut self.random);
        let mut rules = self.shape.rules();
        if is_wrong {
            rules = rules.replacen("\"Ordered\" within", "\"Odrered\" within", 1);
        }
        let way = match self.random.below(3) {
            0 => {
                self.put(&rules, is_wrong);
                "PUT"
            }
            1 => {
                self.write(&rules);
                self.hang_up();
                "SIGHUP"
            }
            _ => {
                self.write(&rules);
                "watch"
            }
        };
        *self.figures.proposed.entry(way).or_default() += 1;
        self.figures.refused += u64::from(is_wrong);
    }

    fn write(&self, rules: &str) {
        fs::write(self.service.project.join("rules.segue"), rules).unwrap();
    }

    fn put(&self, rules: &str, is_wrong: bool) {
        let body = json!({ "sources": { "rules.segue": rules } }).to_string();
        let authorization = format!("Bearer {TOKEN}");
        let answer = ask(self.admin, &authorization, ("PUT", "/v1/admin/rules"), &body);
        let (status, answer) = answer.unwrap_or_else(|| panic!("no answer"));
        assert_eq!(status, if is_wrong { 422 } else { 200 }, "{answer}");
    }

    fn hang_up(&self) {
        let process = self.service.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &process]).status().unwrap().success());
    }

    /// Kills the service and starts it again, with the rules that the folder has.
    fn kill(&mut self) {
        self.service.kill();
        self.figures.kills.push(instant());
        // What it is started with must be sound; what was refused stands in the folder still.
        let rules = self.shape.rules();
        self.write(&rules);
        self.service.start();
        self.service.wait_until_ready();
    }

    fn look(&mut self, at: Duration) {
        let process = self.service.id();
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        if let Some(kilobytes) = line.and_then(|it| it.trim().strip_suffix(" kB")?.parse().ok()) {
            self.figures.memory.push((at, kilobytes));
        }
    }

    /// Changes rules for so long.
    fn work(&mut self, length: Duration, kills: u32) {
        let begin = instant();
        let mut next_change = Duration::from_secs(1);
        let mut next_kill = length / (kills + 1);
        while begin.elapsed() < length {
            thread::sleep(Duration::from_millis(200));
            let at = begin.elapsed();
            self.look(at);
            if at >= next_change {
                self.change();
                // Sometimes two come close upon each other; mostly there is time for a folder to be looked at.
                next_change = begin.elapsed() + Duration::from_millis(300 + self.random.below(4_000));
            }
            if at >= next_kill && at < length {
                self.kill();
                next_kill += length / (kills + 1);
            }
        }
    }
}

/// Keeps every file of the log that there ever was, by links to them.
fn archive(log: &Path, folder: &Path) {
    for entry in fs::read_dir(log).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            // It may be there already, or be gone by now.
            let _ = fs::hard_link(&path, folder.join(path.file_name().unwrap()));
        }
    }
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn rules_that_change_under_load_skip_nothing_and_decide_nothing_twice() {
    let seconds = setting("SEGUE_MINUTES", 0) * 60;
    let seconds = if seconds == 0 { SECONDS } else { seconds };
    let (rate, seed) = (setting("SEGUE_RATE", RATE), setting("SEGUE_SEED", 1));
    let folder = tempfile::tempdir().unwrap();
    let (project, archived) = (folder.path().join("project"), folder.path().join("archive"));
    for new in [&project, &archived] {
        fs::create_dir(new).unwrap();
    }
    let (receiver, heard) = receiver();
    let (address, admin) = (free(), free());
    // Some of the log is let go while it goes on.
    let keep = rate * EVENT_BYTES * (seconds / 3).clamp(5, 60) / 1_024;
    fs::write(project.join("segue.toml"), settings(receiver, admin, keep)).unwrap();
    fs::write(project.join("rules.segue"), Shape::first().rules()).unwrap();
    let data = folder.path().join("data");
    let mut service = Service { project, data: data.clone(), address, by: Vec::new(), process: None };
    service.start();
    service.wait_until_ready();
    let mut author =
        Author { service, admin, random: Random(seed), shape: Shape::first(), figures: Figures::default() };
    let (stop, over) = (AtomicBool::new(false), AtomicBool::new(false));
    let acknowledged: BTreeMap<String, bool> = thread::scope(|scope| {
        let (stop, over) = (&stop, &over);
        let _ends = [Stop(stop), Stop(over)];
        let (log, archived) = (data.join("log"), archived.as_path());
        scope.spawn(move || {
            while !over.load(Ordering::SeqCst) {
                archive(&log, archived);
                thread::sleep(Duration::from_millis(50));
            }
            archive(&log, archived);
        });
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| scope.spawn(move || client(number, seed, (address, rate), stop)))
            .collect();
        let kills = u32::try_from(seconds / 300).unwrap().max(2);
        author.work(Duration::from_secs(seconds), kills);
        stop.store(true, Ordering::SeqCst);
        let acknowledged =
            clients.into_iter().flat_map(|client| client.join().unwrap().acknowledged).collect();
        // Everything that waits is over, then everything is delivered.
        thread::sleep(Duration::from_secs(8));
        author.service.end();
        over.store(true, Ordering::SeqCst);
        acknowledged
    });
    check(&author, &acknowledged, (&archived, &data), &heard, seconds);
}

fn client(number: usize, seed: u64, (address, rate): (SocketAddr, u64), stop: &AtomicBool) -> Seen {
    let mut random = Random(seed ^ (number as u64 + 1) << 32);
    let mut batches = 0;
    let pause = Duration::from_millis((CLIENTS * BATCH) as u64 * 1_000 / rate);
    send(address, stop, pause, || {
        batches += 1;
        (0..BATCH).map(|position| call(&mut random, &format!("{number}-{batches}-{position}"))).collect()
    })
}

fn check(
    author: &Author,
    acknowledged: &BTreeMap<String, bool>,
    (archived, data): (&PathBuf, &Path),
    heard: &Heard,
    seconds: u64,
) {
    let figures = &author.figures;
    let log = archived.to_str().unwrap();
    let words = author.service.words();
    assert!(!words.contains("cannot be put in force"), "{words}");
    let logged = check_log(log, acknowledged);
    let (decisions, twice) = check_delivered(&["--log", log], heard, &figures.kills);
    if seconds < LONG {
        // The interpreter looks at all that there ever was.
        let decide = |extra: &[&str]| segue(&[&["run", "--log", log, "--quiet"], extra].concat());
        assert_eq!(decide(&[]), decide(&["--interpret"]), "machine code and the reference interpreter");
    }
    let mut changes = 0;
    each_line(&["log", log], |line| changes += u64::from(line.contains("\"kind\":\"rules\"")));
    let refused = words.lines().filter(|line| line.contains("the rules stay as they are")).count();
    let memory = memory(figures);
    println!(
        "{seconds} seconds: {} events acknowledged, {logged} in the log; rules proposed {:?}, put in force {changes} times, {} wrong, {refused} times refused; {} kills; {decisions} decisions, all delivered, {twice} of them twice, in flight at a kill; log {} KB at the end; memory in each tenth {memory:?} MB",
        acknowledged.len(),
        figures.proposed,
        figures.refused,
        figures.kills.len(),
        size(&data.join("log")) / 1_024,
    );
    assert!(changes > 3 && refused > 0 && decisions > 50, "{changes}, {refused}, {decisions}");
    if seconds >= LONG {
        let [middle, last] = [1, 2].map(|third| median_of(figures, third, 3));
        assert!(last * 100 <= middle * (100 + MORE_MEMORY), "from {middle} KB to {last} KB");
        let first = fs::read_dir(data.join("log")).unwrap().flatten().map(|it| it.file_name()).min().unwrap();
        assert!(!first.to_string_lossy().starts_with("00000000000000000000."), "the log was never trimmed");
    }
}

/// The median memory in each tenth, in MB.
fn memory(figures: &Figures) -> Vec<u64> {
    (0..10).map(|tenth| median_of(figures, tenth, 10) / 1_024).collect()
}

/// The median memory in one of so many equal parts, in KB.
fn median_of(figures: &Figures, part: usize, of: usize) -> u64 {
    let all = &figures.memory;
    let mut part: Vec<u64> =
        all[all.len() * part / of..all.len() * (part + 1) / of].iter().map(|(_, memory)| *memory).collect();
    part.sort_unstable();
    part.get(part.len() / 2).copied().unwrap_or(0)
}

fn size(folder: &Path) -> u64 {
    fs::read_dir(folder).unwrap().flatten().map(|entry| entry.metadata().unwrap().len()).sum()
}

/// What `segue plan OLD NEW` says.
fn planned(old: &Path, new: &Path, format: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
    let output = command.arg("plan").args([old, new]).args(["--format", format]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_the_service_tells_of_a_change_is_what_the_plan_says() {
    let folder = tempfile::tempdir().unwrap();
    let (address, admin) = (free(), free());
    let first = Shape { spender: Some((20, 600)), ..Shape::first() };
    let second = Shape {
        price: 3,
        times: 2,
        has_thanks: false,
        has_course: true,
        spender: Some((30, 900)),
        regular: Some(4),
        ..Shape::first()
    };
    let renamed = second.rules().replace("rule keen {", "rule eager {\n  was keen")
        + "profile { city: text? }\nrule hello { when \"Added\"  topic marketing  send sms file \"hello.txt\" }\n";
    let projects =
        [("old", first.rules(), ""), ("new", renamed, "Hello from {{ profile.city | default('us') }}")];
    let settings = settings(free(), admin, 10_000).replace("watch = true", "watch = false");
    for (name, rules, hello) in &projects {
        let project = folder.path().join(name);
        fs::create_dir(&project).unwrap();
        fs::write(project.join("segue.toml"), &settings).unwrap();
        fs::write(project.join("rules.segue"), rules).unwrap();
        fs::write(project.join("hello.txt"), hello).unwrap();
    }
    let [old, new] = ["old", "new"].map(|name| folder.path().join(name));
    let data = folder.path().join("data");
    let mut service = Service { project: old.clone(), data, address, by: Vec::new(), process: None };
    service.start();
    service.wait_until_ready();
    // There, and back again.
    for (before, after, (_, rules, hello)) in [(&old, &new, &projects[1]), (&new, &old, &projects[0])] {
        let body = json!({ "sources": { "rules.segue": rules }, "files": { "hello.txt": hello } });
        let authorization = format!("Bearer {TOKEN}");
        let answer = ask(admin, &authorization, ("PUT", "/v1/admin/rules"), &body.to_string());
        let (status, answer) = answer.unwrap_or_else(|| panic!("no answer"));
        assert_eq!(status, 200, "{answer}");
        let plan = planned(before, after, "text");
        assert_eq!(answer["plan"].as_str().unwrap(), plan);
        let json: Value = serde_json::from_str(&planned(before, after, "json")).unwrap();
        assert_eq!(answer["changes"], json);
        // So do the words of the service.
        service.wait_for(|| plan.lines().all(|line| service.words().contains(line)));
        for fate in ["kept", "changed", "new", "dropped"] {
            assert!(plan.lines().any(|line| line.trim_start().starts_with(fate)), "{fate}\n{plan}");
        }
    }
    service.end();
}

/// How many batches of how many events lie in the log that a start has to read.
const READ_AT_START: (usize, usize) = (10, 2_000);

#[test]
fn who_asks_for_other_rules_during_a_start_gets_them_when_it_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("project");
    fs::create_dir(&project).unwrap();
    let settings = settings(free(), free(), 10_000).replace("watch = true", "watch = false");
    fs::write(project.join("segue.toml"), settings).unwrap();
    let [first, second] = [0, 1].map(|words| Shape { words, ..Shape::first() }.rules());
    fs::write(project.join("rules.segue"), first).unwrap();
    let data = folder.path().join("data");
    let mut service = Service { project, data, address: free(), by: Vec::new(), process: None };
    service.start();
    service.wait_until_ready();
    let (batches, events) = READ_AT_START;
    for batch in 0..batches {
        let calls = (0..events).map(|number| {
            json!({"type": "track", "userId": format!("c{number}"), "messageId": format!("{batch}-{number}"),
                "event": "Added", "properties": {"price": 1}})
        });
        let body = json!({ "batch": calls.collect::<Vec<_>>() }).to_string();
        service.wait_for(|| matches!(post(service.address, "POST", "/v1/batch", &body), Some((200, _))));
    }
    service.kill();
    fs::remove_dir_all(service.data.join("checkpoints")).unwrap();
    service.start();
    // It answers that it is not ready yet; that must not be missed.
    assert!((0..1_000_000).any(|_| service.readiness().is_some()), "{}", service.words());
    fs::write(service.project.join("rules.segue"), second).unwrap();
    let process = service.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &process]).status().unwrap().success());
    service.wait_until_ready();
    service.wait_for(|| service.words().contains("other rules are in force"));
    service.end();
}
