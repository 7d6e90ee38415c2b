//! The same predicates over the same events, in Segue and in what else one would take for them.
//!
//! In reading order: [`events`] makes the events, [`peers`] answers the questions in each language, [`measure`] takes the
//! time in turn and compares the answers, [`node`] does so on Node.js, [`table`] prints. [`stream`] makes the longer
//! stream for the comparison with [`flink`].

mod events;
mod flink;
mod measure;
mod node;
mod peers;
mod stream;
mod table;

use std::{error::Error, path::Path};

/// How many events are made.
const EVENTS: usize = 20_000;
/// How often each figure is taken; the median is printed.
const ROUNDS: usize = 15;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["predicates", node] => predicates(Path::new(node)),
        ["stream", path, customers] => stream::write(Path::new(path), customers.parse()?),
        ["flink", stream, segue, python, folder] => flink::compare(&flink::Stage {
            stream: Path::new(stream),
            segue: Path::new(segue),
            python: Path::new(python),
            folder: Path::new(folder),
        }),
        _ => Err("this is run by `bench/peers/run`".into()),
    }
}

fn predicates(node: &Path) -> Result<(), Box<dyn Error>> {
    let lines = events::lines(EVENTS);
    let decoded = events::decode(&lines)?;
    let mut rows = measure::rust(&lines, &decoded, ROUNDS)?;
    let answers = peers::answers_of_native(&decoded);
    rows.extend(node::measure(node, &lines, &answers, ROUNDS)?);
    let bytes = lines.iter().map(String::len).sum::<usize>() / lines.len();
    print!("{}", table::Table { rows: &rows, events: lines.len(), bytes, rounds: ROUNDS });
    Ok(())
}
