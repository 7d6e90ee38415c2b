//! `segue test`: do the rules do what their tests expect?

use crate::{
    Ending,
    commands::run::engine,
    findings::Findings,
    junit::{Case, junit},
    output::{Problem, results, tell},
    project::{Opened, guard, open_clean, projects},
    table::{actor, what},
};
use segue_compiler::{
    execution::Execution, record::Record, reference::Reference, report::Report, settings::Settings,
    time::Zone, typed::Program,
};
use segue_runtime::{
    channel::content,
    rehearse::{Failure, Happening, Rehearsal, What, rehearse, settings},
    words::{counted, reason, shown},
};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

/// How many of the last things that happened are shown: what explains a failure is seldom further back.
const MAX_LINES: usize = 60;
/// How many lines back a rule that does nothing again is found: more than there are schedules in most projects.
const IDLE_REACH: usize = 12;
/// How much of one thing is shown.
const MAX_WHAT: usize = 300;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Folders or rule files
    #[arg(default_value = ".", value_name = "PATHS")]
    paths: Vec<PathBuf>,
    /// Only tests whose title contains this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Write a report in the form of JUnit, which other tools read
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Run the reference interpreter instead of machine code
    #[arg(long)]
    interpret: bool,
    /// Only tests that fail, no closing line
    #[arg(long, short)]
    quiet: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Problem> {
    let mut cases = Vec::new();
    // Told before all of the tests are run.
    let may_write = |used: &[PathBuf]| match &arguments.junit {
        Some(path) => guard("--junit", path, used),
        None => Ok(()),
    };
    may_write(&[])?;
    for path in &arguments.paths {
        for folder in projects(path)? {
            let (opened, program) = open_clean(&folder)?;
            may_write(&opened.files())?;
            let of_project = &opened.config.settings;
            if arguments.interpret {
                let make = |settings| Ok(Reference::new(program.clone(), settings));
                run_all(&make, &program, of_project, &opened, arguments, &mut cases)?;
            } else {
                let make = |settings| engine(&program, &settings);
                run_all(&make, &program, of_project, &opened, arguments, &mut cases)?;
            }
        }
    }
    if let Some(path) = &arguments.junit {
        write(path, &junit(&cases))?;
    }
    let failed = cases.iter().filter(|case| case.failure.is_some()).count();
    match &arguments.filter {
        Some(filter) if cases.is_empty() => {
            return Err(Problem::words(format!("no test has `{}` in its title", shown(filter, MAX_WHAT))));
        }
        _ if arguments.quiet => {}
        _ if cases.is_empty() => tell("no tests: write `test \"…\" { … }` beside the rules"),
        _ => tell(&format!(
            "{}: {} passed, {failed} failed",
            counted(cases.len() as u64, "test"),
            cases.len() - failed
        )),
    }
    Ok(if failed > 0 { Ending::Refused } else { Ending::Clean })
}

/// Runs the tests of one project, of which only those that fail are shown; gives how many there are, and how many fail.
pub(crate) fn failing(opened: &Opened, program: &Arc<Program>) -> Result<(usize, usize), Problem> {
    let arguments = Arguments { paths: Vec::new(), filter: None, junit: None, interpret: false, quiet: true };
    let make = |settings| engine(program, &settings);
    let mut cases = Vec::new();
    run_all(&make, program, &opened.config.settings, opened, &arguments, &mut cases)?;
    Ok((cases.len(), cases.iter().filter(|case| case.failure.is_some()).count()))
}

fn run_all<E: Execution>(
    make: &dyn Fn(Settings) -> Result<E, Problem>,
    program: &Arc<Program>,
    of_project: &Settings,
    opened: &Opened,
    arguments: &Arguments,
    cases: &mut Vec<Case>,
) -> Result<(), Problem> {
    let wanted = arguments.filter.as_ref().map(|filter| filter.to_lowercase());
    let (without, with) = (settings(of_project, false), settings(of_project, true));
    let plain = make(without.clone())?;
    let holding_out =
        program.tests.iter().any(|test| test.holdouts).then(|| make(with.clone())).transpose()?;
    for test in &program.tests {
        if wanted.as_ref().is_some_and(|wanted| !test.title.to_lowercase().contains(wanted)) {
            continue;
        }
        let (execution, settings) = match &holding_out {
            Some(execution) if test.holdouts => (execution, &with),
            _ => (&plain, &without),
        };
        let outcome = rehearse(execution, program, settings, test);
        let source = opened.project.sources.get(test.span.source.0 as usize);
        let (file, text) = source.map_or(("", ""), |source| (&source.name, &source.text));
        let before = text.get(..test.span.start as usize).unwrap_or_default();
        let failure = outcome.failure.as_ref().map(|failure| {
            (
                failure.message.clone(),
                format!("{}\n{}", failure.help.as_deref().unwrap_or_default(), time_line(&outcome, settings)),
            )
        });
        if !arguments.quiet || failure.is_some() {
            let word = if failure.is_some() { "FAILED" } else { "passed" };
            let mut out = results();
            writeln!(out, "{word}  {}", shown(&test.title, usize::MAX))?;
            // What is told of a failure goes another way, and after it.
            out.flush()?;
        }
        if let Some(failure) = &outcome.failure {
            show(failure, file, text);
            tell(&time_line(&outcome, settings));
        }
        let line = before.matches('\n').count() + 1;
        cases.push(Case { file: file.to_owned(), line, title: test.title.to_string(), failure });
    }
    Ok(())
}

/// A failure with the statement underlined.
fn show(failure: &Failure, file: &str, text: &str) {
    let places = vec![(failure.span.range(), "")];
    Findings::draw_alone(&Report::failure(&failure.message, failure.help.as_deref(), file, text, &places));
}

/// What happened in a test, as a table; what happens again and again, as schedules do, takes one line.
fn time_line(outcome: &Rehearsal, settings: &Settings) -> String {
    let mut rows: Vec<Row> = Vec::new();
    for it in &outcome.happenings {
        let row = Row::of(it, settings);
        // Several schedules that do nothing take turns.
        let reach = if row.idle { IDLE_REACH } else { 1 };
        match rows.iter_mut().rev().take(reach).find(|other| other.is_as(&row)) {
            Some(last) => (last.again, last.until) = (last.again + 1, row.at),
            None => rows.push(row),
        }
    }
    let left_out = rows.len().saturating_sub(MAX_LINES);
    let rows = rows.get(left_out..).unwrap_or_default();
    let longest =
        |text: &dyn Fn(&Row) -> &str| rows.iter().map(|row| text(row).chars().count()).max().unwrap_or(0);
    let (times, customers, actors) =
        (longest(&|row| &row.at), longest(&|row| &row.customer), longest(&|row| &row.who));
    let mut lines = vec!["  What happened:".to_owned()];
    if left_out > 0 {
        lines.push(format!("    ({left_out} before are not shown)"));
    }
    for Row { mark, at, customer, who, what, again, until, .. } in rows {
        let line = format!("  {mark} {at:<times$}  {customer:<customers$}  {who:<actors$}  {what}");
        lines.push(line.trim_end().to_owned());
        match again {
            0 => {}
            1 => lines.push(format!("    {until:<times$}  the same")),
            more => lines.push(format!("    {until:<times$}  the same, the last of {more} times more")),
        }
    }
    if rows.is_empty() {
        lines.push("    nothing".to_owned());
    }
    lines.join("\n")
}

/// A line of the table.
struct Row {
    mark: char,
    at: String,
    customer: String,
    who: String,
    what: String,
    /// Whether a rule was triggered and did nothing.
    idle: bool,
    /// How often the same followed, and when last.
    again: usize,
    until: String,
}

impl Row {
    fn of(happening: &Happening, settings: &Settings) -> Self {
        let mark = match (happening.expected_by, happening.unexpected) {
            (_, true) => '✗',
            (Some(_), _) => '✓',
            (None, _) => ' ',
        };
        Self {
            mark,
            at: settings.time_zone.print(happening.at),
            customer: happening.customer.to_string(),
            who: who(happening).to_owned(),
            what: shown(&what_happened(happening, &settings.time_zone), MAX_WHAT),
            idle: matches!(&happening.what, What::Record(Record::Suppressed(it)) if it.step == 0),
            again: 0,
            until: String::new(),
        }
    }

    fn is_as(&self, other: &Self) -> bool {
        (self.mark, &self.customer, &self.who, &self.what)
            == (other.mark, &other.customer, &other.who, &other.what)
    }
}

/// Who did it.
fn who(happening: &Happening) -> &str {
    match &happening.what {
        What::Known(_) | What::Event(..) => "(test)",
        What::Record(record) => actor(record),
    }
}

fn what_happened(happening: &Happening, zone: &Zone) -> String {
    match &happening.what {
        What::Known(fields) => format!("is known: {}", content(fields, MAX_WHAT)),
        What::Event(name, fields) if fields.0.is_empty() => format!("\"{name}\""),
        What::Event(name, fields) => format!("\"{name}\" {}", content(fields, MAX_WHAT)),
        What::Record(record) => what(record, zone),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Problem> {
    fs::write(path, text)
        .map_err(|error| Problem::words(format!("cannot write `{}`: {}", path.display(), reason(&error))))
}
