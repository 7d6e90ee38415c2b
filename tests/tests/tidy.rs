//! Rules about the tree itself: layers, lints, lengths, words, and that the documents leave nothing out.

use std::{
    collections::BTreeSet,
    error::Error,
    fs, io,
    path::{Path, PathBuf},
};
use toml::{Table, Value};

type Checked = Result<(), Box<dyn Error>>;

/// The crates in the order in which they may depend on each other: each on those before it.
const LAYERS: [&str; 5] = ["segue-grammar", "segue-compiler", "segue-runtime", "segue-service", "segue"];
/// The files that may hold `unsafe`: the owner of executable memory, and the functions that machine code calls.
const UNSAFE_FILES: [&str; 2] = ["compiler/src/module.rs", "runtime/src/engine/host.rs"];
/// Most lines of a source file: what one can still hold in mind.
const MAX_LINES: usize = 600;
/// What is not left behind in sources. This file is not searched.
const LEFTOVERS: [&str; 7] = ["todo!", "unimplemented!", "FIXME", "XXX", "#[ignore", "#[allow", "#![allow"];

#[test]
fn crates_depend_in_one_direction() -> Checked {
    let mut faults = Vec::new();
    for member in members()? {
        let Some(layer) = LAYERS.iter().position(|name| *name == member.name) else { continue };
        for dependency in &member.dependencies {
            let Some(other) = LAYERS.iter().position(|name| name == dependency) else {
                if dependency.starts_with("segue") {
                    faults.push(format!("{} depends on {dependency}, which is no layer", member.name));
                }
                continue;
            };
            if other >= layer {
                faults.push(format!("{} depends on {dependency}, which stands above it", member.name));
            }
        }
    }
    none(&faults)
}

#[test]
fn crates_use_the_lints_of_the_workspace() -> Checked {
    let mut faults = Vec::new();
    for member in members()? {
        let lints = member.manifest.get("lints").and_then(|lints| lints.get("workspace"));
        if lints.and_then(Value::as_bool) != Some(true) {
            faults.push(format!("{} does not say `lints.workspace = true`", member.name));
        }
    }
    none(&faults)
}

#[test]
fn sources_are_short() -> Checked {
    let mut faults = Vec::new();
    for (path, text) in sources()? {
        let lines = text.lines().count();
        if lines > MAX_LINES && !path.contains("tests/") {
            faults.push(format!("{path} has {lines} lines; {MAX_LINES} are the most"));
        }
    }
    none(&faults)
}

#[test]
fn nothing_is_left_behind() -> Checked {
    let mut faults = Vec::new();
    for (path, text) in sources()? {
        for (line, number) in text.lines().zip(1..) {
            for word in LEFTOVERS.iter().filter(|word| line.contains(**word)) {
                faults.push(format!("{path}:{number} holds `{word}`"));
            }
        }
    }
    none(&faults)
}

#[test]
fn unsafe_stands_in_two_files() -> Checked {
    let mut faults = Vec::new();
    for (path, text) in sources()? {
        for (line, number) in text.lines().zip(1..) {
            let code = line.split("//").next().unwrap_or_default();
            if code.contains("unsafe") && !UNSAFE_FILES.contains(&&*path) {
                faults.push(format!("{path}:{number} is unsafe"));
            }
        }
    }
    none(&faults)
}

#[test]
fn examples_are_listed() -> Checked {
    let list = fs::read_to_string(root().join("examples/README.md"))?;
    let mut faults = Vec::new();
    for path in files(&root().join("examples"))? {
        let Some(folder) = path.strip_suffix("/rules.segue") else { continue };
        if !list.contains(&format!("]({folder})")) {
            faults.push(format!("examples/README.md does not list {folder}"));
        }
        if !root().join("examples").join(folder).join("README.md").is_file() {
            faults.push(format!("examples/{folder} has no README.md"));
        }
    }
    none(&faults)
}

#[test]
fn snapshots_have_their_tests() -> Checked {
    let mut faults = Vec::new();
    for path in files(&root())?.into_iter().filter(|path| path.ends_with(".snap")) {
        let text = fs::read_to_string(root().join(&path))?;
        let named = |key: &str| text.lines().take(8).find_map(|line| line.strip_prefix(key)).map(str::trim);
        match named("source: ") {
            Some(source) if root().join(source.trim_matches('"')).is_file() => {}
            Some(source) => faults.push(format!("{path} is of {source}, which is gone")),
            None => faults.push(format!("{path} does not name its test")),
        }
        if let Some(input) = named("input_file: ")
            && !root().join(input.trim_matches('"')).is_file()
        {
            faults.push(format!("{path} is about {input}, which is gone"));
        }
    }
    none(&faults)
}

#[test]
fn dependencies_have_their_reasons() -> Checked {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md"))?;
    let mut faults = Vec::new();
    for member in members()? {
        for name in member.dependencies.iter().filter(|name| !LAYERS.contains(&&***name)) {
            if !page.contains(&format!("`{name}`")) {
                faults.push(format!("ARCHITECTURE.md does not say what {} needs {name} for", member.name));
            }
        }
    }
    none(&faults)
}

#[test]
fn each_diagnostic_has_one_file() -> Checked {
    let codes = segue_grammar::codes::CODES.iter().chain(segue_compiler::diagnostics::CODES);
    let mut faults = Vec::new();
    let mut known = BTreeSet::new();
    for code in codes {
        if !known.insert(format!("{code}.segue")) {
            faults.push(format!("the code {code} is registered twice"));
        }
    }
    let written: BTreeSet<String> = files(&root().join("tests/diagnostics"))?.into_iter().collect();
    faults.extend(known.difference(&written).map(|file| format!("tests/diagnostics/{file} is missing")));
    faults.extend(written.difference(&known).map(|file| format!("tests/diagnostics/{file} is of no code")));
    none(&faults)
}

/// A crate of the workspace.
struct Member {
    name: String,
    manifest: Table,
    /// Of every kind.
    dependencies: BTreeSet<String>,
}

fn members() -> Result<Vec<Member>, Box<dyn Error>> {
    let workspace = manifest(&root())?;
    let paths = workspace.get("workspace").and_then(|it| it.get("members")).and_then(Value::as_array);
    let mut members = Vec::new();
    for path in paths.into_iter().flatten().filter_map(Value::as_str) {
        let manifest = manifest(&root().join(path))?;
        let name = manifest.get("package").and_then(|it| it.get("name")).and_then(Value::as_str);
        let mut dependencies = BTreeSet::new();
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let table = manifest.get(section).and_then(Value::as_table);
            dependencies.extend(table.into_iter().flat_map(Table::keys).cloned());
        }
        members.push(Member { name: name.unwrap_or(path).to_owned(), dependencies, manifest });
    }
    if members.len() < LAYERS.len() {
        return Err(format!("the workspace has only {} members", members.len()).into());
    }
    Ok(members)
}

fn manifest(folder: &Path) -> Result<Table, Box<dyn Error>> {
    Ok(toml::from_str(&fs::read_to_string(folder.join("Cargo.toml"))?)?)
}

/// Every Rust source but this one: its path from the root, and its text.
fn sources() -> io::Result<Vec<(String, String)>> {
    let paths =
        files(&root())?.into_iter().filter(|path| path.ends_with(".rs") && !path.ends_with("tests/tidy.rs"));
    paths.map(|path| fs::read_to_string(root().join(&path)).map(|text| (path, text))).collect()
}

/// Every file below a folder, in order, by its path from there; what is hidden or built is left out.
fn files(folder: &Path) -> io::Result<Vec<String>> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        let entries = fs::read_dir(&next);
        for entry in
            entries.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", next.display())))?
        {
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name());
            if name.to_string_lossy().starts_with('.') || name == "target" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(path) = path.strip_prefix(folder) {
                found.insert(path.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    Ok(found.into_iter().collect())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Fails with everything that was found.
fn none(faults: &[String]) -> Checked {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    Ok(())
}
