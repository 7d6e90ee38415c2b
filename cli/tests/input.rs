//! What the binary refuses to read or to write, and with which words.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

fn segue(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_segue"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Exit code and messages.
fn told(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = segue(folder, arguments);
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[track_caller]
fn refused(folder: &Path, arguments: &[&str], words: &str) {
    let (code, told) = told(folder, arguments);
    assert_eq!(code, 2, "{told}");
    assert!(told.contains(words), "{words} in\n{told}");
}

const RULES: &str =
    "event \"Order\" { total: number }\nprofile { age: number? }\nsegment buyer { did \"Order\" }\n";

fn order(id: u32) -> String {
    format!(
        r#"{{"type":"track","messageId":"m{id}","userId":"ada","event":"Order","timestamp":"2026-01-05T10:00:00Z","properties":{{"total":1}}}}"#
    )
}

/// A project with events, one of them broken, and profiles.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("rules.segue", RULES);
    write("segue.toml", "[project]\ntime_zone = \"UTC\"\n");
    write("events.ndjson", &format!("{}\nno json\n", order(1)));
    write("profiles.csv", "user_id,age\nada,30\n");
    folder
}

fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut contents: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect();
    contents.sort();
    contents
}

#[test]
fn rejects_never_write_over_what_is_read() {
    let folder = project();
    let folder = folder.path();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("events.ndjson", folder.join("link.ndjson")).unwrap();
        fs::hard_link(folder.join("rules.segue"), folder.join("hard.ndjson")).unwrap();
    }
    let before = contents(folder);
    let run = ["run", ".", "--events", "events.ndjson", "--profiles", "profiles.csv", "--rejects"];
    let files =
        ["events.ndjson", "./events.ndjson", "profiles.csv", "rules.segue", "segue.toml", "new.segue", "."];
    let links: &[&str] = if cfg!(unix) { &["link.ndjson", "hard.ndjson"] } else { &[] };
    for file in files.iter().chain(links) {
        refused(folder, &[&run[..], &[file]].concat(), "name a new file");
    }
    refused(folder, &[&run[..], &["nowhere/rejects"]].concat(), "there is no folder `nowhere`");
    let at =
        ["segments", ".", "--events", "events.ndjson", "--at", "2026-02-01", "--rejects", "events.ndjson"];
    refused(folder, &at, "the same file as `events.ndjson`");
    assert!(contents(folder) == before);
}

#[test]
fn reports_never_write_over_rules_and_settings() {
    let folder = project();
    let folder = folder.path();
    fs::hard_link(folder.join("rules.segue"), folder.join("hard.xml")).unwrap();
    let before = contents(folder);
    for (file, said) in [
        ("rules.segue", "`--junit rules.segue`: rules and settings are not written over; name a new file"),
        ("segue.toml", "rules and settings are not written over"),
        ("hard.xml", "the same file as `rules.segue`, which is in use"),
        (".", "it is a folder"),
        ("nowhere/report.xml", "there is no folder `nowhere`"),
    ] {
        refused(folder, &["test", ".", "--junit", file], said);
    }
    assert!(contents(folder) == before);
}

#[test]
fn channels_never_write_over_what_is_read() {
    let folder = project();
    let folder = folder.path();
    fs::hard_link(folder.join("rules.segue"), folder.join("hard.ndjson")).unwrap();
    let run = ["run", ".", "--events", "events.ndjson", "--deliver"];
    let settings = |path: &str| {
        let service = "[service]\nlisten = \"127.0.0.1:0\"\nwrite_keys = { file = \"events.ndjson\" }\n";
        let text = format!("{service}[channels.sms]\nhook = \"file\"\npath = \"{path}\"\n");
        fs::write(folder.join("segue.toml"), text).unwrap();
        contents(folder)
    };
    for path in ["rules.segue", "segue.toml"] {
        let before = settings(path);
        for arguments in [&run[..], &["serve", "."], &["check", "."]] {
            let (code, words) = told(folder, arguments);
            assert_eq!(code, 1, "{words}");
            assert!(
                words.contains("channel `sms` cannot write there: rules and settings are not written over")
            );
        }
        assert!(contents(folder) == before);
    }
    let before = settings("hard.ndjson");
    let said =
        "channel `sms` cannot write to `hard.ndjson`: it is the same file as `rules.segue`, which is in use";
    refused(folder, &run, said);
    refused(folder, &["serve", "."], said);
    assert!(contents(folder) == before);
    let before = settings("events.ndjson");
    refused(folder, &run, "it is the same file as `events.ndjson`, which is in use; name another file under");
    assert!(contents(folder) == before);
    // What was written before is written on.
    settings("sent.txt");
    for _ in 0..2 {
        assert_eq!(told(folder, &run).0, 0);
    }
}

#[test]
fn the_file_of_rejects_comes_with_the_first_one() {
    let folder = project();
    let folder = folder.path();
    let run = ["run", ".", "--events", "events.ndjson", "--rejects", "rejects"];
    assert_eq!(told(folder, &run).0, 0);
    assert_eq!(fs::read_to_string(folder.join("rejects")).unwrap(), "no json\n");
    fs::remove_file(folder.join("rejects")).unwrap();
    fs::write(folder.join("events.ndjson"), order(1)).unwrap();
    assert_eq!(told(folder, &run).0, 0);
    assert!(!folder.join("rejects").exists());
    if cfg!(target_os = "linux") {
        fs::write(folder.join("events.ndjson"), "no json\n").unwrap();
        let full = ["run", ".", "--events", "events.ndjson", "--rejects", "/dev/full"];
        refused(folder, &full, "cannot write `/dev/full`: the disk is full");
    }
}

#[test]
fn standard_input_is_read_once() {
    let folder = project();
    refused(folder.path(), &["run", ".", "--events", "-", "-"], "`-` stands twice");
    refused(folder.path(), &["run", ".", "--events", "-", "--profiles", "-"], "`-` stands twice");
    assert_eq!(told(folder.path(), &["run", ".", "--events", "-"]).0, 0);
}

#[test]
fn profiles_say_what_cannot_be_used() {
    let folder = project();
    let folder = folder.path();
    let run = ["run", ".", "--events", "events.ndjson", "--profiles", "profiles.csv"];
    fs::write(folder.join("profiles.csv"), "user_id,age,shoe\nada,\"30,9\nben,4,8\n").unwrap();
    let (code, words) = told(folder, &run);
    assert_eq!(code, 0);
    assert!(words.contains("note: profiles.csv: no rule reads the column `shoe`"), "{words}");
    assert!(words.contains("profiles.csv:2: rejected: a quote"), "{words}");
    assert!(words.contains("one profile loaded") || words.contains("1 profile loaded"), "{words}");
    fs::write(folder.join("profiles.csv"), "user_id,age,age\nada,30,9\n").unwrap();
    refused(folder, &run, "the first line of `profiles.csv` cannot be used: it names the column `age` twice");
}

#[test]
fn instants_that_cannot_be_printed_are_rejected() {
    let folder = project();
    let folder = folder.path();
    let lines = ["9999-12-31T23:59:59Z", "0000-05-05T00:00:00Z", "2026-01-05T10:00:00Z"]
        .map(|at| order(1).replace("2026-01-05T10:00:00Z", at));
    fs::write(folder.join("events.ndjson"), lines.join("\n")).unwrap();
    let output = segue(folder, &["run", ".", "--events", "events.ndjson"]);
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        words.matches("rejected: `timestamp` should be an instant of the years 1 to 9999").count(),
        2,
        "{words}"
    );
    assert!(String::from_utf8(output.stdout).unwrap().contains("\"2026-01-05T10:00:00.000Z\""));
}

#[test]
fn settings_that_are_no_file_are_refused() {
    let folder = project();
    let folder = folder.path();
    let config = folder.join("segue.toml");
    fs::remove_file(&config).unwrap();
    fs::create_dir(&config).unwrap();
    refused(folder, &["check", "."], "`segue.toml` is a folder");
    if cfg!(unix) {
        fs::remove_dir(&config).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("nowhere", &config).unwrap();
        refused(folder, &["check", "rules.segue"], "`segue.toml` is a link that leads nowhere");
        refused(folder, &["run", ".", "--events", "events.ndjson"], "leads nowhere");
    }
}

#[test]
fn what_cannot_be_read_is_told_in_plain_words() {
    let folder = project();
    let folder = folder.path();
    let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/shop.ndjson.gz");
    let whole = fs::read(shop).unwrap();
    fs::write(folder.join("cut.gz"), &whole[..50_000]).unwrap();
    let early = "the compressed file ends early; was it copied completely?";
    refused(folder, &["run", ".", "--events", "cut.gz", "-q"], early);
    let mut damaged = whole;
    damaged[20_000..30_000].fill(0xA5);
    fs::write(folder.join("damaged.gz"), damaged).unwrap();
    refused(folder, &["run", ".", "--events", "damaged.gz", "-q"], "the compressed file is damaged");
    refused(
        folder,
        &["run", ".", "--events", "nowhere"],
        "cannot open `nowhere`: there is no such file or folder\n",
    );
    fs::write(folder.join("rules.segue"), b"# one\n# \xE5\n").unwrap();
    refused(folder, &["check", "."], "`rules.segue` is not UTF-8 text: line 2");
    if cfg!(target_os = "linux") {
        refused(folder, &["check", "/dev/zero"], "`/dev/zero` is neither a file nor a folder");
        fs::write(folder.join("rules.segue"), RULES).unwrap();
        refused(folder, &["run", ".", "--events", "/dev/zero"], "it is a device, not a file");
        let full = fs::File::create("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
        let run = ["run", ".", "--events", "events.ndjson"];
        let output = command.args(run).current_dir(folder).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(words.contains("cannot write the results to standard output: the disk is full"), "{words}");
    }
}

#[test]
fn threads_are_bounded() {
    let folder = project();
    let folder = folder.path();
    let run = ["run", ".", "--events", "events.ndjson", "--threads"];
    for count in ["0", "-1", "257", "4000", "99999999999999999999", "many"] {
        let said = format!(
            "invalid value '{count}' for '--threads <COUNT>': it should be a whole number from 1 to 256; leave it out"
        );
        let count = format!("--threads={count}");
        refused(folder, &[&run[..4], &[&count]].concat(), &said);
        refused(folder, &["run", "--log", "data", &count], &said);
    }
    let output = |count: &str| segue(folder, &[&run[..], &[count]].concat()).stdout;
    assert_eq!(output("256"), output("1"));
}

#[test]
fn a_folder_without_a_log_is_none() {
    let folder = project();
    let folder = folder.path();
    fs::create_dir(folder.join("empty")).unwrap();
    fs::create_dir_all(folder.join("data/log")).unwrap();
    for data in [".", "empty", "data"] {
        let said =
            format!("error: `{data}` holds no log; name the folder of a service's data, or of its log");
        refused(folder, &["log", data], &said);
        refused(folder, &["run", "--log", data], &said);
        refused(folder, &["run", ".", "--log", data, "--interpret"], &said);
    }
    for arguments in [&["log", "nowhere"][..], &["run", "--log", "nowhere"]] {
        assert_eq!(told(folder, arguments).0, 2);
    }
}

#[test]
fn ids_forge_no_lines() {
    let folder = project();
    let folder = folder.path();
    let forged = order(1).replace("\"ada\"", r#""ada\nbuyer\tben\u001b[1m""#);
    fs::write(folder.join("events.ndjson"), forged).unwrap();
    let at = ["segments", ".", "--events", "events.ndjson", "--at", "2026-02-01", "--members"];
    let output = segue(folder, &at);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "buyer\tada buyer ben[1m\n");
}

#[test]
fn content_files_say_why_they_cannot_be_used() {
    let folder = project();
    let folder = folder.path();
    let rules = "use ecommerce\nrule thanks {\n  when \"Order Completed\"\n  transactional\n  send email { subject: \"x\", body: file \"long.html\" }\n  send sms file \"latin.txt\"\n  send sms file \"gone.txt\"\n}\n";
    fs::write(folder.join("rules.segue"), rules).unwrap();
    fs::write(folder.join("long.html"), "x".repeat((1 << 20) + 1)).unwrap();
    fs::write(folder.join("latin.txt"), b"\xE5").unwrap();
    fs::write(folder.join("unused.txt"), b"\xE5").unwrap();
    let (code, words) = told(folder, &["check", ".", "--format", "short"]);
    assert_eq!(code, 1);
    assert!(words.contains("the file `long.html` cannot be used: it is longer than 1 MiB"), "{words}");
    assert!(words.contains("`latin.txt` cannot be used: it is not UTF-8 text: line 1 holds"), "{words}");
    assert!(words.contains("there is no file `gone.txt`"), "{words}");
    assert!(!words.contains("unused.txt"), "{words}");
}
