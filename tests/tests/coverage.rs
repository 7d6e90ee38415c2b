//! Everything in the language is in a case: each rule of the grammar and each word of it, each function, filter and type,
//! each kind of record and reason, each thing that can be said of a run, and each bound that is counted.
//!
//! Cases run on both executors (`cases.rs`), so what is here is compared with what is written. What tests of rules are written
//! in stands in the examples, whose tests all pass (`examples.rs`). `-- --nocapture` prints a case for each construct.

use segue_compiler::{execution::Counts, record::Reason};
use segue_grammar::constructs;
use segue_tests::case;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Rules by which no declaration is read: where its parts are read alone to find mistakes, and what only looks ahead.
const NOT_READ: [&str; 8] = [
    "body_piece",
    "clause_piece",
    "step_piece",
    "statement_piece",
    "field_piece",
    "topic_piece",
    "clause_word",
    "statement_word",
];
/// Units that are read so that a diagnostic can say what to write: how long a month is depends on the month.
const NO_UNITS: [&str; 2] = ["month", "year"];
/// Rules that are several words, each of which is a construct.
const WORDS: [&str; 9] = [
    "aggregate_word",
    "text_word",
    "engagement_word",
    "compare_op",
    "days_or_weeks",
    "weekday",
    "unit",
    "boolean",
    "day",
];
/// The types of fields.
const TYPES: [&str; 6] = ["text", "number", "boolean", "time", "date", "duration"];
/// What templates have besides those of the template language.
const IN_TEMPLATES: [&str; 5] = ["| default(", "| money(", "| date(", "| link(", "unsubscribe_url"];
/// What can be said of a run, an entry of its log, and a record, as it stands in a case file.
const IN_RUNS: [&str; 32] = [
    "live",
    "until ",
    "consent assumed",
    "lateness ",
    "dedupe ",
    "settle ",
    "log from ",
    "zone ",
    "--- rules at ",
    ", log from ",
    " identify ",
    " alias ",
    " group ",
    " id=",
    " zone=",
    " arrived=",
    " was=",
    " times=",
    "clock ",
    "down ",
    "erase ",
    "restart ",
    " sends ",
    " calls ",
    " suppressed: ",
    " held until ",
    " enters ",
    " leaves ",
    " sets ",
    " emits ",
    ": sent, reached",
    ": held out, not reached",
];

fn files(folder: &Path, extension: &str, all: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            files(&path, extension, all);
        } else if path.extension().is_some_and(|it| it == extension) {
            all.push(path);
        }
    }
    all.sort();
}

fn found(folder: &str, extension: &str) -> Vec<(PathBuf, String)> {
    let mut all = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), extension, &mut all);
    all.into_iter().filter_map(|path| fs::read_to_string(&path).ok().map(|text| (path, text))).collect()
}

/// The texts of rules in a case file.
fn rules(case: &str) -> String {
    let mut is_rules = true;
    let lines = case.lines().filter(|line| {
        if line.starts_with("--- ") {
            is_rules = line.starts_with("--- rules");
            return false;
        }
        is_rules
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A rule of the grammar.
struct GrammarRule {
    name: String,
    /// What it reads, as it is written.
    body: String,
    /// Whether it belongs to the tests of rules.
    is_of_tests: bool,
}

/// The rules of the grammar that are told when something is read by them.
fn grammar() -> Vec<GrammarRule> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../grammar/src/segue.pest"));
    let text = text.unwrap_or_default();
    let (mut all, mut section) = (Vec::<(GrammarRule, bool)>::new(), String::new());
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("// ------") {
            section = title.trim_matches(['-', ' ']).to_owned();
        }
        match line.split_once(" = ").filter(|_| line.starts_with(|first: char| first.is_ascii_lowercase())) {
            Some((name, body)) => {
                let rule = GrammarRule {
                    name: name.trim().to_owned(),
                    body: body.to_owned(),
                    is_of_tests: section == "tests",
                };
                all.push((rule, body.trim_start().starts_with('_')));
            }
            None => {
                if let Some((rule, _)) = all.last_mut().filter(|_| !line.starts_with("//")) {
                    rule.body.push_str(line);
                }
            }
        }
    }
    all.into_iter().filter(|(_, is_silent)| !is_silent).map(|(rule, _)| rule).collect()
}

/// The quoted words of a rule, without endings.
fn words(body: &str) -> Vec<&str> {
    let quoted = body.split('"').skip(1).step_by(2);
    quoted.filter(|word| word.len() > 1 || !word.starts_with(char::is_alphabetic)).collect()
}

/// What is found where: of each construct the first file.
#[derive(Default)]
struct Table(BTreeMap<String, String>);

impl Table {
    fn add(&mut self, construct: String, path: &Path) {
        let name = path.components().rev().take(2).map(|part| part.as_os_str().to_string_lossy());
        let mut name: Vec<_> = name.collect();
        name.reverse();
        self.0.entry(construct).or_insert_with(|| name.join("/"));
    }

    /// All that is read by rules of the grammar in some texts.
    fn read(texts: &[(PathBuf, String)]) -> Self {
        let mut table = Self::default();
        for (path, text) in texts {
            let used: BTreeSet<_> = constructs(&rules(text)).into_iter().collect();
            for (rule, text) in used {
                if WORDS.contains(&rule.as_str()) || ["call_name", "type_name"].contains(&rule.as_str()) {
                    table.add(
                        format!("{rule}: {}", text.split_whitespace().collect::<Vec<_>>().join(" ")),
                        path,
                    );
                }
                table.add(rule, path);
            }
        }
        table
    }

    fn has_word(&self, rule: &str, word: &str) -> bool {
        let start = format!("{rule}: ");
        self.0.keys().filter_map(|it| it.strip_prefix(&start)).any(|text| {
            text == word || text.split(' ').any(|part| part == word || part.strip_suffix('s') == Some(word))
        })
    }
}

#[test]
fn each_rule_of_the_grammar_and_each_word_is_in_a_case() {
    let (cases, examples) =
        (Table::read(&found("cases", "case")), Table::read(&found("../examples", "segue")));
    let grammar = grammar();
    assert!(grammar.len() > 200, "the grammar has more rules than {}", grammar.len());
    let mut missing = Vec::new();
    for GrammarRule { name, body, is_of_tests } in &grammar {
        if NOT_READ.contains(&name.as_str()) {
            continue;
        }
        // A keyword of the tests of rules stands with all others.
        let is_of_tests = *is_of_tests || OF_TESTS.contains(&name.as_str());
        let table = if is_of_tests { &examples } else { &cases };
        match table.0.get(name) {
            Some(file) => println!("{name}: {file}"),
            None => missing.push(name.clone()),
        }
        if WORDS.contains(&name.as_str()) {
            let is_missing = |word: &&str| !table.has_word(name, word) && !NO_UNITS.contains(word);
            let all = words(body).into_iter().filter(is_missing);
            missing.extend(all.map(|word| format!("{name}: {word}")));
        }
    }
    assert!(missing.is_empty(), "no case has {missing:#?}");
}

/// Keywords that only the tests of rules have.
const OF_TESTS: [&str; 12] = [
    "test_decl",
    "k_test",
    "k_customer",
    "k_expect",
    "k_nothing",
    "k_holdout_on",
    "k_be",
    "k_held",
    "k_suppressed",
    "k_enter",
    "k_leave",
    "k_containing",
];

#[test]
fn each_function_filter_and_type_is_in_a_case() {
    let cases = found("cases", "case");
    let table = Table::read(&cases);
    let words = Path::new(env!("CARGO_MANIFEST_DIR")).join("../compiler/src/check/words.rs");
    let words = fs::read_to_string(words).unwrap_or_default();
    let functions: Vec<&str> = words
        .lines()
        .filter_map(|line| line.trim().strip_prefix("(\"")?.split_once("\", Function::"))
        .map(|(name, _)| name)
        .collect();
    assert!(functions.len() > 10, "{functions:?}");
    let mut missing: Vec<String> = Vec::new();
    missing
        .extend(functions.iter().filter(|it| !table.has_word("call_name", it)).map(|it| format!("{it}()")));
    missing.extend(TYPES.iter().filter(|it| !table.has_word("type_name", it)).map(|it| format!("type {it}")));
    let in_templates = |word: &&&str| !cases.iter().any(|(_, text)| rules(text).contains(**word));
    missing.extend(IN_TEMPLATES.iter().filter(in_templates).map(ToString::to_string));
    assert!(missing.is_empty(), "no case has {missing:#?}");
}

#[test]
fn each_kind_of_record_and_reason_and_all_that_runs_say_is_in_a_case() {
    let cases = found("cases", "case");
    let runs: Vec<String> = cases
        .iter()
        .map(|(_, text)| {
            let start = text.find("--- ").unwrap_or_default();
            text.get(start..).unwrap_or_default().to_owned()
        })
        .collect();
    let has = |what: &str| runs.iter().any(|run| run.contains(what));
    let mut missing: Vec<String> = IN_RUNS.iter().filter(|it| !has(it)).map(ToString::to_string).collect();
    // The fuse is a service's, which counts over all customers.
    for reason in Reason::all().filter(|reason| *reason != Reason::Fuse) {
        if !has(&format!("suppressed: {}", reason.word())) {
            missing.push(format!("suppressed: {}", reason.word()));
        }
    }
    let held = |reason: Reason| {
        let end = format!(": {}", reason.word());
        runs.iter().any(|run| run.lines().any(|line| line.contains(" held ") && line.ends_with(&end)))
    };
    missing.extend(
        [Reason::Quiet, Reason::Cap].into_iter().filter(|it| !held(*it)).map(|it| format!("held: {it:?}")),
    );
    assert!(missing.is_empty(), "no case has {missing:#?}");
}

#[test]
fn each_bound_that_is_counted_is_met_in_a_case() {
    let mut all = Counts::default();
    for (path, _) in found("cases", "case") {
        all += case::counts(&path);
    }
    println!("{all:#?}");
    let Counts {
        invalid_fields,
        matches_dropped,
        runs_refused,
        consequences_dropped,
        window_overflow,
        ids_dropped,
        settled_early,
        goals_forgotten,
        runs_ended,
    } = all;
    let counts = [
        ("invalid fields", invalid_fields),
        ("matches dropped", matches_dropped),
        ("runs refused", runs_refused),
        ("consequences dropped", consequences_dropped),
        ("window overflow", window_overflow),
        ("ids dropped", ids_dropped),
        ("settled early", settled_early),
        ("goals forgotten", goals_forgotten),
        ("runs ended", runs_ended),
    ];
    let missing: Vec<&str> = counts.iter().filter(|(_, count)| *count == 0).map(|(name, _)| *name).collect();
    assert!(missing.is_empty(), "no case has {missing:?}");
}
