//! How costs grow, measured and drawn.

use super::{Result, cores, customers, rules, windows};
use clap::Args;
use segue_bench::{
    chart::{Axis, Chart, Scale, Series, figure},
    packs,
    stream::Shape,
};
use std::{fs, path::PathBuf, thread};

/// Where charts go, and how much is measured for them.
#[derive(Args)]
pub(crate) struct Options {
    /// The folder they are written to
    #[arg(long, default_value = "docs/charts")]
    out: PathBuf,
    /// Only this one of `rules`, `distinct`, `customers`, `windows`, `cores`
    #[arg(long, value_parser = ["rules", "distinct", "customers", "windows", "cores"])]
    only: Option<String>,
    /// Go up to 10 million customers, which takes some GiB of memory and some minutes
    #[arg(long, conflicts_with = "quick")]
    ten_million: bool,
    /// Small sizes, to see that it works
    #[arg(long)]
    quick: bool,
}

impl Options {
    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == name)
    }

    /// A number of events, or a hundredth.
    fn events(&self, events: u64) -> u64 {
        if self.quick { events / 100 } else { events }
    }

    /// Sizes, those that are quick or all.
    fn sizes(&self, sizes: &[u64]) -> Vec<u64> {
        let count = if self.quick { 2 } else { sizes.len() };
        sizes.iter().take(count).copied().collect()
    }
}

/// Charts and the names of their files.
type Drawn = Vec<(&'static str, Chart)>;

/// Measures what charts of one kind show.
type Measure = fn(&Options) -> Result<Drawn>;

/// Measures and draws.
pub(crate) fn run(options: &Options) -> Result<()> {
    fs::create_dir_all(&options.out)?;
    let charts: [(&str, Measure); 5] = [
        ("rules", of_rules),
        ("distinct", of_distinct),
        ("customers", of_customers),
        ("windows", of_windows),
        ("cores", of_cores),
    ];
    for (_, measure) in charts.iter().filter(|(name, _)| options.wants(name)) {
        for (name, chart) in measure(options)? {
            let path = options.out.join(format!("{name}.svg"));
            fs::write(&path, chart.svg())?;
            println!("{}", path.display());
            print!("{}", chart.table());
        }
    }
    Ok(())
}

/// Measures a series; a size is a point's place on the horizontal axis.
fn series(name: &str, sizes: &[u64], mut measure: impl FnMut(u64) -> Result<f64>) -> Result<Series> {
    let points = sizes.iter().map(|size| Ok((*size as f64, measure(*size)?)));
    Ok(Series { name: name.to_owned(), points: points.collect::<Result<_>>()? })
}

fn of_rules(options: &Options) -> Result<Drawn> {
    let shape = Shape { customers: 10_000, events: options.events(200_000) };
    let sizes = options.sizes(&[10, 100, 1_000, 10_000]);
    let measured = series("from a file to decisions", &sizes, |count| {
        rules::nanoseconds(shape, &packs::of_a_constant(usize::try_from(count)?))
    })?;
    let chart = Chart {
        title: "Rules that differ in a constant".to_owned(),
        source: format!(
            "segue-bench charts: {} events of 10,000 customers, one thread, median of 5",
            figure(shape.events as f64)
        ),
        x: Axis { label: "rules".to_owned(), scale: Scale::Logarithmic },
        y: Axis { label: "ns an event".to_owned(), scale: Scale::Linear },
        series: vec![measured],
    };
    Ok(vec![("rules", chart)])
}

fn of_distinct(options: &Options) -> Result<Drawn> {
    let shape = Shape { customers: 10_000, events: options.events(200_000) };
    let sizes = options.sizes(&[1, 10, 100, 1_000]);
    let measured = series("from a file to decisions", &sizes, |count| {
        rules::nanoseconds(shape, &packs::distinct(usize::try_from(count)?))
    })?;
    let chart = Chart {
        title: "Distinct rules over one event, each with a filter and a window of its own".to_owned(),
        source: format!(
            "segue-bench charts: {} events of 10,000 customers, half of them of that event, one thread, median of 5",
            figure(shape.events as f64)
        ),
        x: Axis { label: "rules".to_owned(), scale: Scale::Logarithmic },
        y: Axis { label: "ns an event".to_owned(), scale: Scale::Logarithmic },
        series: vec![measured],
    };
    Ok(vec![("distinct", chart)])
}

fn of_customers(options: &Options) -> Result<Drawn> {
    /// How many events each has before anything is measured.
    const EACH: u64 = 8;
    let mut sizes = options.sizes(&[1_000, 10_000, 100_000, 1_000_000]);
    sizes.extend(options.ten_million.then_some(10_000_000));
    let (mut bytes, mut measured) = (Vec::new(), Vec::new());
    for size in sizes {
        let found = customers::measure(size, EACH, options.events(500_000))?;
        measured.push((size as f64, found.nanoseconds));
        bytes.extend(found.bytes.map(|bytes| (size as f64, bytes as f64 / size as f64)));
    }
    let source = "segue-bench charts: the 20-rule pack after 8 events each, made in memory, one thread";
    let chart = |title: &str, label: &str, points| Chart {
        title: title.to_owned(),
        source: source.to_owned(),
        x: Axis { label: "customers".to_owned(), scale: Scale::Logarithmic },
        y: Axis { label: label.to_owned(), scale: Scale::Linear },
        series: vec![Series { name: "the 20-rule pack".to_owned(), points }],
    };
    let mut charts =
        vec![("customers", chart("Time per event with many customers", "ns an event", measured))];
    if bytes.is_empty() {
        println!("memory was not measured: only Linux tells");
    } else {
        // Of few customers the process itself is the larger part.
        bytes.retain(|(size, _)| *size >= 10_000.0);
        charts.push(("memory", chart("Memory of a customer", "bytes a customer", bytes)));
    }
    Ok(charts)
}

fn of_windows(options: &Options) -> Result<Drawn> {
    let sizes = options.sizes(&[1, 10, 100, 1_000, 10_000, 100_000]);
    let measured: Result<Vec<Series>> = windows::CONDITIONS
        .iter()
        .map(|(name, condition)| {
            series(name, &sizes, |within| windows::nanoseconds(condition, within, options.events(100_000)))
        })
        .collect();
    let chart = Chart {
        title: "Windows that hold many events".to_owned(),
        source: "segue-bench charts: one customer and one condition over a day; for each event that comes one leaves, median of 5".to_owned(),
        x: Axis { label: "events in the window".to_owned(), scale: Scale::Logarithmic },
        y: Axis { label: "ns an event".to_owned(), scale: Scale::Linear },
        series: measured?,
    };
    Ok(vec![("windows", chart)])
}

fn of_cores(options: &Options) -> Result<Drawn> {
    let shape = Shape { customers: options.events(100_000), events: options.events(1_000_000) };
    let cores = thread::available_parallelism()?.get() as u64;
    let sizes: Vec<u64> = (0..8).map(|power| 1 << power).filter(|threads| *threads <= cores).collect();
    let measured = series("from a file to decisions", &sizes, |threads| {
        Ok(cores::throughput(shape, usize::try_from(threads)?)? / 1e6)
    })?;
    let chart = Chart {
        title: "Threads that share the customers".to_owned(),
        source: format!(
            "segue-bench charts: the 20-rule pack, {} events of {} customers, {cores} cores, median of 5",
            figure(shape.events as f64),
            figure(shape.customers as f64)
        ),
        x: Axis { label: "threads".to_owned(), scale: Scale::Places },
        y: Axis { label: "million events a second".to_owned(), scale: Scale::Linear },
        series: vec![measured],
    };
    Ok(vec![("cores", chart)])
}
