//! Writes the event stream of an invented shop, the same bytes on each run.
//!
//! `segue-example-shop OUT [--customers N] [--weeks N] [--seed N]` writes NDJSON, compressed if OUT ends in
//! `.gz`. The examples of this folder replay it; larger ones serve to measure speed.
//! Reading order: [`shop`] (the simulation), [`customer`], [`visits`], [`campaigns`], [`extras`], [`scene`].

mod calendar;
mod campaigns;
mod catalogue;
mod customer;
mod extras;
mod json;
mod random;
mod scene;
mod shop;
mod visits;
mod write;

use shop::Size;
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: segue-example-shop OUT [--customers N] [--weeks N] [--seed N]";
/// Most weeks to simulate: about ten years, far from the end of day numbers.
const MOST_WEEKS: u64 = 520;

fn main() -> ExitCode {
    let (out, size) = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match generate(&out, size) {
        Ok(count) => {
            eprintln!("{count} calls of {} customers written to {}", size.customers, out.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("cannot write {}: {error}", out.display());
            ExitCode::from(2)
        }
    }
}

fn generate(out: &std::path::Path, size: Size) -> std::io::Result<u64> {
    let mut output = write::Output::create(out)?;
    let count = shop::simulate(size, |line| output.line(line))?;
    output.finish()?;
    Ok(count)
}

/// Reads the command line; the error is a sentence for its author.
fn options(mut words: impl Iterator<Item = String>) -> Result<(PathBuf, Size), String> {
    let mut size = Size { customers: 3_000, weeks: 6, seed: 2026 };
    let mut out = None;
    while let Some(word) = words.next() {
        let mut number = |most: u64| {
            let text = words.next().ok_or_else(|| format!("`{word}` needs a number"))?;
            let number = text.parse().ok().filter(|number| *number <= most);
            number.ok_or_else(|| format!("`{text}` is not a number up to {most}"))
        };
        match word.as_str() {
            "--customers" => size.customers = number(u64::from(u32::MAX) - 1)? as u32,
            "--weeks" => size.weeks = number(MOST_WEEKS)? as u32,
            "--seed" => size.seed = number(u64::MAX)?,
            option if option.starts_with('-') => return Err(format!("there is no option `{option}`")),
            path if out.is_none() => out = Some(PathBuf::from(path)),
            path => return Err(format!("one file is written at a time, and `{path}` is a second")),
        }
    }
    Ok((out.ok_or("the file to write is missing")?, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<(PathBuf, Size), String> {
        options(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn reads_options_in_any_order() {
        let size = Size { customers: 10, weeks: 6, seed: 3 };
        assert_eq!(read("--customers 10 a.gz --seed 3"), Ok((PathBuf::from("a.gz"), size)));
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        assert!(read("").is_err());
        assert!(read("a b").is_err());
        assert!(read("a --weeks").is_err());
        assert!(read("a --weeks many").is_err());
        assert!(read("a --years 3").is_err());
    }
}
