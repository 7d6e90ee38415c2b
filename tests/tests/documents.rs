//! What the documents show is true: their rules check, their tests pass, and their links lead somewhere.

use segue_compiler::project::{Project, Source, compile};
use segue_compiler::settings::Settings;
use segue_grammar::Severity;
use segue_tests::rehearsals;
use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

type Checked = Result<(), Box<dyn Error>>;

/// Where the documents lie; pages of examples are found beside their rules.
const PAGES: [&str; 7] = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "examples/README.md",
    "tests/README.md",
    "tests/cases/README.md",
    "tests/data/README.md",
];

#[test]
fn rules_in_documents_check() -> Checked {
    let mut faults = Vec::new();
    let mut count = 0;
    for page in pages()? {
        for (line, text) in blocks(&fs::read_to_string(root().join(&page))?) {
            count += 1;
            faults.extend(errors(&format!("{page}:{line}"), text));
        }
    }
    if count == 0 {
        faults.push("no page shows a rule".to_owned());
    }
    none(&faults)
}

#[test]
fn links_lead_somewhere() -> Checked {
    let mut faults = Vec::new();
    for page in pages()? {
        let folder = root().join(&page).parent().map(Path::to_path_buf).unwrap_or_default();
        for target in links(&fs::read_to_string(root().join(&page))?) {
            let path = target.split('#').next().unwrap_or_default();
            if !path.is_empty() && !folder.join(path).exists() {
                faults.push(format!("{page} links to {target}, which does not exist"));
            }
        }
    }
    none(&faults)
}

/// The errors of one source, or else its tests that fail, as lines.
fn errors(name: &str, text: String) -> Vec<String> {
    let source = Source { name: name.to_owned(), text };
    let checked = compile(&Project { sources: vec![source], ..Project::default() });
    let errors = checked.diagnostics.iter().filter(|it| it.severity == Severity::Error);
    let mut lines: Vec<String> = errors.map(|it| format!("{name}: {}: {}", it.code, it.message)).collect();
    if lines.is_empty() && checked.program.is_none() {
        lines.push(format!("{name}: no program, and no word why"));
    }
    if let Some(program) = checked.program.filter(|program| !program.tests.is_empty()) {
        lines.extend(rehearsals::failures(name, &Arc::new(program), &Settings::default()));
    }
    lines
}

/// The fenced blocks of a page that are rules, each with the number of the line before it.
fn blocks(page: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (line, number) in page.lines().zip(1..) {
        match &mut open {
            Some(_) if line.trim() == "```" => blocks.extend(open.take()),
            Some((_, text)) => {
                text.push_str(line);
                text.push('\n');
            }
            None if line.trim() == "```segue" => open = Some((number, String::new())),
            None => {}
        }
    }
    blocks
}

/// The targets of a page's links within the project.
fn links(page: &str) -> Vec<&str> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://") && !target.contains(' ')).collect()
}

/// Every page, by its path from the root.
fn pages() -> Result<Vec<String>, Box<dyn Error>> {
    let mut pages: Vec<String> =
        PAGES.iter().filter(|page| root().join(page).is_file()).map(|page| (*page).to_owned()).collect();
    for entry in fs::read_dir(root().join("docs"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") {
            pages.push(format!("docs/{name}"));
        }
    }
    for folder in examples()? {
        if let Some(name) = folder.file_name() {
            pages.push(format!("examples/{}/README.md", name.to_string_lossy()));
        }
    }
    pages.sort();
    Ok(pages)
}

/// The folders of examples, in order.
fn examples() -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(root().join("examples"))? {
        let path = entry?.path();
        if path.join("README.md").is_file() && path.join("Cargo.toml").metadata().is_err() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Fails with everything that was found.
fn none(faults: &[String]) -> Checked {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    Ok(())
}
