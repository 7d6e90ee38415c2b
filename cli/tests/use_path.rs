//! Rule files that use others.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

fn check(folder: &Path, path: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
    command.args(["check", path]).current_dir(folder).output().unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn what_is_used_is_loaded_and_nothing_beyond_the_project() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("all/events/orders.segue", "event \"Order\" { total: number }\nuse \"../events\"\n");
    write("all/events/visits.segue", "event \"Visit\" {}\n");
    write("all/other/segue.toml", "");
    write("all/other/topics.segue", "topic news { 3 per 7 days else skip }\n");
    write("outside.segue", "event \"Secret\" {}\n");
    let rules = "segment buyers { did \"Order\" and did \"Visit\" }\n";
    write("all/rules.segue", &format!("use \"events/orders.segue\"\n{rules}"));
    // By itself, from its folder and from another; as part of its project, where nothing is loaded twice.
    for (place, path) in
        [("all", "rules.segue"), ("", "all/rules.segue"), ("", "all"), ("all", "."), ("all/events", "..")]
    {
        let output = check(&folder.path().join(place), path);
        assert_eq!(output.status.code(), Some(0), "{path}: {}", words(&output));
    }
    // What another project declares.
    let rule = "rule r { when enters buyers\n topic news\n send sms \"Hi\" }\n";
    write("all/rules.segue", &format!("use \"events\"\nuse \"./other/topics.segue\"\n{rules}{rule}"));
    for path in ["all/rules.segue", "all"] {
        let output = check(folder.path(), path);
        assert_eq!(output.status.code(), Some(0), "{path}: {}", words(&output));
    }
    // What lies outside, is not there, or is no rule file is told, once.
    for path in ["../outside.segue", "nowhere.segue", "other/segue.toml", "empty"] {
        write("all/rules.segue", &format!("use \"{path}\"\n"));
        let output = check(folder.path(), "all/rules.segue");
        assert_eq!(output.status.code(), Some(1), "{path}");
        assert!(
            words(&output).contains("unknown-use") && words(&output).contains("1 error"),
            "{}",
            words(&output)
        );
    }
}
