//! One rule over one stream in Flink SQL and in Segue.

use crate::{
    measure::{median, now},
    peers::Fault,
};
use serde::Deserialize;
use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    process::Command,
};

/// How often each runs; the median is printed.
const RUNS: usize = 5;

/// One run.
#[derive(Deserialize)]
struct Run {
    seconds: f64,
    matches: usize,
}

/// What is run, and over what.
pub(crate) struct Stage<'p> {
    pub(crate) stream: &'p Path,
    /// The command line of Segue.
    pub(crate) segue: &'p Path,
    /// A Python that has `apache-flink`.
    pub(crate) python: &'p Path,
    /// Where the rule lies, for both.
    pub(crate) folder: &'p Path,
}

/// Runs both and prints events a second.
///
/// # Errors
/// When one of them fails, or their numbers of matches differ.
pub(crate) fn compare(stage: &Stage<'_>) -> Result<(), Fault> {
    let events = BufReader::new(File::open(stage.stream)?).lines().count();
    let segue: Vec<Run> = (0..RUNS).map(|_| segue(stage)).collect::<Result<_, _>>()?;
    let flink = flink(stage)?;
    let counts: Vec<usize> = segue.iter().chain(&flink).map(|run| run.matches).collect();
    let matches = counts.first().copied().unwrap_or_default();
    if counts.iter().any(|count| *count != matches) || flink.len() != RUNS {
        return Err(format!("the numbers of matches differ: {counts:?}").into());
    }
    let seconds = |runs: &[Run]| median(runs.iter().map(|run| run.seconds).collect());
    let (of_segue, of_flink) = (seconds(&segue), seconds(&flink));
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = |seconds: f64| events as f64 / seconds;
    println!("{events} events, {matches} matches of both, one core each; medians of {RUNS} runs\n");
    println!("{:<32} | {:>12} | {:>8}", "", "events/s", "seconds");
    println!("{:<32} | {:>12.0} | {of_segue:>8.2}", "segue run", rate(of_segue));
    println!("{:<32} | {:>12.0} | {of_flink:>8.2}", "Flink SQL MATCH_RECOGNIZE", rate(of_flink));
    println!("Segue does {:.1} times as many", of_flink / of_segue);
    Ok(())
}

fn segue(stage: &Stage<'_>) -> Result<Run, Fault> {
    let start = now();
    let output = Command::new(stage.segue)
        .arg("run")
        .arg(stage.folder.join("rules.segue"))
        .arg("--events")
        .arg(stage.stream)
        .args(["--kinds", "call"])
        .output()?;
    let seconds = start.elapsed().as_secs_f64();
    if !output.status.success() {
        return Err(format!("segue: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(Run { seconds, matches: output.stdout.lines().count() })
}

fn flink(stage: &Stage<'_>) -> Result<Vec<Run>, Fault> {
    let output = Command::new(stage.python)
        .arg(stage.folder.join("measure.py"))
        .arg(stage.stream)
        .arg(RUNS.to_string())
        .output()?;
    if !output.status.success() {
        return Err(format!("Flink: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let printed = String::from_utf8(output.stdout)?;
    let last = printed.lines().last().ok_or("Flink printed nothing")?;
    Ok(serde_json::from_str(last)?)
}
