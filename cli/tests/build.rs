//! Rules as a program of their own, and as an object file.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
    time::Duration,
};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A program that this test has just written can be "busy" for an instant: what another test starts at that moment inherits
/// the file, open for writing, until it becomes a program of its own.
fn run(program: impl AsRef<std::ffi::OsStr>, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    loop {
        match command.output() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {
                thread::sleep(Duration::from_millis(10))
            }
            output => return output.unwrap(),
        }
    }
}

fn segue(folder: &Path, arguments: &[&str]) -> Output {
    run(env!("CARGO_BIN_EXE_segue"), folder, arguments)
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Builds a project of the repository and moves the program into a folder that holds nothing else but events.
fn built(project: &str) -> (tempfile::TempDir, PathBuf, String) {
    let folder = tempfile::tempdir().unwrap();
    let (first, elsewhere) = (folder.path().join("made"), folder.path().join("elsewhere"));
    let output = segue(&repository(), &["build", project, "-o", first.to_str().unwrap()]);
    assert!(output.status.success(), "{}", words(&output));
    fs::create_dir(&elsewhere).unwrap();
    let program = elsewhere.join("my-rules");
    fs::rename(first, &program).unwrap();
    let events = repository().join(project).join("events.ndjson").display().to_string();
    (folder, program, events)
}

#[test]
fn a_program_with_rules_inside_does_what_segue_does() {
    let project = "examples/cart_reminder";
    let (_folder, program, events) = built(project);
    let here = program.parent().unwrap();
    for more in [&[][..], &["--interpret"], &["--until", "2026-03-01", "--format", "table", "--threads", "2"]]
    {
        let bound = run(&program, here, &[&["run", "--events", &events][..], more].concat());
        let direct = segue(&repository(), &[&["run", project, "--events", &events][..], more].concat());
        assert!(bound.status.success() && !bound.stdout.is_empty(), "{}", words(&bound));
        assert_eq!(bound.stdout, direct.stdout);
    }
    let tests = run(&program, here, &["test"]);
    assert!(tests.status.success(), "{}", words(&tests));
    assert_eq!(tests.stdout, segue(&repository(), &["test", project]).stdout);
    let checked = run(&program, here, &["check", "--cost"]);
    assert_eq!(checked.stdout, segue(&repository(), &["check", "--cost", project]).stdout);
    assert!(run(&program, here, &["segments", "--events", &events, "--at", "2026-02-01"]).status.success());
    // Nothing was left behind.
    assert_eq!(fs::read_dir(here).unwrap().count(), 1);
}

#[test]
fn it_has_its_rules_and_no_others() {
    let (_folder, program, events) = built("examples/cart_reminder");
    let here = program.parent().unwrap();
    let help = run(&program, here, &["--help"]);
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    assert!(help.contains("Usage: my-rules") && help.contains("run") && help.contains("test"), "{help}");
    assert!(!help.contains("build") && !help.contains("plan"), "{help}");
    let usage = run(&program, here, &["run", "--help"]);
    assert!(!String::from_utf8_lossy(&usage.stdout).contains("PATH]"), "{usage:?}");
    fs::write(here.join("rules.segue"), "event \"A\" {}").unwrap();
    for arguments in
        [&["run", "rules.segue", "--events", &events][..], &["test", "."], &["check", "rules.segue"]]
    {
        let refused = run(&program, here, arguments);
        assert_eq!(refused.status.code(), Some(2));
        assert!(words(&refused).contains("has its rules inside"), "{}", words(&refused));
    }
}

#[test]
fn damage_is_told() {
    let (_folder, program, events) = built("examples/cart_reminder");
    let mut bytes = fs::read(&program).unwrap();
    let place = bytes.len() - 100;
    bytes[place] ^= 1;
    let other = program.with_file_name("damaged");
    fs::copy(&program, &other).unwrap();
    fs::write(&other, bytes).unwrap();
    let refused = run(&other, program.parent().unwrap(), &["run", "--events", &events]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(words(&refused).contains("damaged: build it anew"), "{}", words(&refused));
}

#[test]
fn a_program_that_lost_its_rules_runs_no_others() {
    let (_folder, program, events) = built("examples/cart_reminder");
    let here = program.parent().unwrap();
    // Rules of others lie where it is started.
    fs::write(here.join("rules.segue"), RULES).unwrap();
    fs::write(here.join("segue.toml"), CONFIG).unwrap();
    let bytes = fs::read(&program).unwrap();
    let other = program.with_file_name("damaged");
    fs::copy(&program, &other).unwrap();
    let refuses = |what: &str| {
        for arguments in [&["run", "--events", &events][..], &["check"], &["check", "."], &["--help"], &[]] {
            let refused = run(&other, here, arguments);
            assert_eq!(refused.status.code(), Some(2), "{what}: {}", words(&refused));
            assert!(words(&refused).contains("damaged: build it anew"), "{what}: {}", words(&refused));
            assert!(refused.stdout.is_empty(), "{what}");
        }
    };
    for less in [1, 10, 64, 400, 4_000] {
        fs::write(&other, &bytes[..bytes.len() - less]).unwrap();
        refuses(&format!("{less} bytes less"));
    }
    fs::write(&other, [&bytes[..], b"\n"].concat()).unwrap();
    refuses("a line end more");
    // Where there is `strip`, it takes away what lies behind the program.
    if Command::new("strip").arg("-o").args([&other, &program]).status().is_ok_and(|it| it.success()) {
        refuses("stripped");
    }
    // What is stripped before can have rules.
    let own = here.join("segue");
    let stripped =
        Command::new("strip").arg("-o").args([&own, Path::new(env!("CARGO_BIN_EXE_segue"))]).status();
    if stripped.is_ok_and(|it| it.success()) {
        fs::remove_file(&other).unwrap();
        let output = run(&own, here, &["build", ".", "-o", "damaged"]);
        assert!(output.status.success(), "{}", words(&output));
        assert!(run(&other, here, &["check"]).status.success());
    }
}

const RULES: &str = r#"event "Order" { total: number }
rule r { when "Order"  only if event.total > 10  call crm { total: event.total } }
rule s { when "Order"  only if count of "Order" > 1  call crm {} }
"#;
const CONFIG: &str = "[consent]\npolicy = \"required\"\n";

/// What comes of building rules with settings; whether something was written.
fn built_from(rules: &str, config: Option<&str>, more: &[&str]) -> (i32, String, bool) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("p")).unwrap();
    fs::write(folder.path().join("p/rules.segue"), rules).unwrap();
    if let Some(config) = config {
        fs::write(folder.path().join("p/segue.toml"), config).unwrap();
    }
    let output = segue(folder.path(), &[&["build", "p", "-o", "out"][..], more].concat());
    let left = fs::read_dir(folder.path()).unwrap().count();
    (output.status.code().unwrap(), words(&output), left > 1)
}

#[test]
fn what_is_wrong_is_not_built() {
    let failing = format!(
        "{RULES}test \"t\" {{ customer ada\n at 2026-01-05 10:00 ada \"Order\" {{ total: 20 }}\n expect nothing for 1 day }}\n"
    );
    let assumed = "[consent]\npolicy = \"assumed\"\n";
    for (rules, config, said) in [
        ("rule r { when \"Ordr\" }", Some(CONFIG), "unknown-event"),
        (RULES, Some("[project]\nkeep = \"1 hour\"\n"), "out-of-range"),
        (RULES, None, "no `segue.toml`, so consent would be assumed"),
        (RULES, Some(assumed), "`segue.toml` assumes consent"),
        (&failing, Some(CONFIG), "1 of 1 test failed, so nothing was built"),
    ] {
        let (code, words, written) = built_from(rules, config, &[]);
        assert_eq!((code, written), (1, false), "{words}");
        assert!(words.contains(said), "{said} in {words}");
    }
    let (code, words, written) = built_from(&failing, Some(CONFIG), &["--no-tests"]);
    assert_eq!((code, written), (0, true), "{words}");
    assert!(words.contains("out: 1 rule file inside"), "{words}");
}

#[test]
fn files_of_the_project_are_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.segue"), RULES).unwrap();
    fs::write(folder.path().join("segue.toml"), CONFIG).unwrap();
    fs::hard_link(folder.path().join("rules.segue"), folder.path().join("link.h")).unwrap();
    for (output, said) in [
        ("segue.toml", "`--output segue.toml`: rules and settings are not written over; name a new file"),
        ("new.segue", "rules and settings are not written over"),
        ("link.h", "it is the same file as `rules.segue`, which is in use"),
        ("link.o", "`--output link.h`: it is the same file as `rules.segue`"),
        (".", "it is a folder"),
    ] {
        let emit: &[&str] = if output == "link.o" { &["--emit", "object"] } else { &[] };
        let refused = segue(folder.path(), &[&["build", ".", "-o", output], emit].concat());
        assert_eq!(refused.status.code(), Some(2));
        assert!(words(&refused).contains(said), "{}", words(&refused));
    }
    assert_eq!(fs::read_to_string(folder.path().join("segue.toml")).unwrap(), CONFIG);
    assert_eq!(fs::read_to_string(folder.path().join("rules.segue")).unwrap(), RULES);
}

#[test]
fn an_object_file_comes_with_its_header() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.segue"), RULES).unwrap();
    let arguments = ["build", "rules.segue", "--emit", "object", "-o", "big orders.o"];
    let output = segue(folder.path(), &arguments);
    let said = words(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("`s` is not in it: its condition looks at what happened before"), "{said}");
    assert!(said.contains("big orders.o and big orders.h: the conditions of 1 rule"), "{said}");
    let header = fs::read_to_string(folder.path().join("big orders.h")).unwrap();
    assert!(header.contains("int64_t big_orders_r(const big_orders_event *event);"), "{header}");
    let refused = segue(folder.path(), &["build", "rules.segue", "--emit", "object", "-o", "rules.h"]);
    assert_eq!(refused.status.code(), Some(2));
}
