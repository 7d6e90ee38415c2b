//! Wholes: from events to decisions, against limits and as something grows. Every figure is a ratio of two things run in
//! turn, or says what it was measured beside.

mod wholes;

use clap::{Parser, Subcommand};
use segue_bench::stream::{self, Shape};
use std::{
    fs,
    io::{BufWriter, Write},
    path::PathBuf,
};
use wholes::{
    Result, by_hand, charts, compile, cores, customers, deadlines, interpreted, pack, rules, service, shares,
};

/// As in the command itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(about = "Measures whole runs")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Write a stream
    Stream {
        #[arg(long, default_value_t = 100_000)]
        customers: u64,
        #[arg(long, default_value_t = 1_000_000)]
        events: u64,
        out: PathBuf,
    },
    /// The 20-rule pack from a plain file to decisions, against only decoding the lines
    Pack {
        #[arg(long, default_value_t = 100_000)]
        customers: u64,
        #[arg(long, default_value_t = 1_000_000)]
        events: u64,
    },
    /// The 20-rule pack against the same written by hand in Rust
    ByHand {
        #[arg(long, default_value_t = 100_000)]
        customers: u64,
        #[arg(long, default_value_t = 1_000_000)]
        events: u64,
    },
    /// Each kind of rules in the 20-rule pack alone, against the whole of it
    Shares {
        #[arg(long, default_value_t = 100_000)]
        customers: u64,
        #[arg(long, default_value_t = 1_000_000)]
        events: u64,
    },
    /// The 20-rule pack once, for a profiler
    Once {
        #[arg(long, default_value_t = 100_000)]
        customers: u64,
        #[arg(long, default_value_t = 1_000_000)]
        events: u64,
    },
    /// Time per event as rules grow
    Rules,
    /// The 20-rule pack on two threads against one
    Cores,
    /// Checking and compiling 1,000 rules
    Compile,
    /// Machine code against an interpreter of the plan, and the reference interpreter
    Interpreted,
    /// Filling and popping deadlines; fails when one is early, late, or out of order
    Deadlines(deadlines::Options),
    /// Memory and throughput with many customers against few (memory on Linux only)
    Customers(customers::Options),
    /// The live service under load, against a handler that only appends and syncs
    Service(service::Options),
    /// Measure how costs grow and draw it
    Charts(charts::Options),
}

fn main() -> Result<()> {
    match Arguments::parse().what {
        What::Stream { customers, events, out } => {
            let mut out = BufWriter::new(fs::File::create(out)?);
            stream::write(Shape { customers, events }, &mut out)?;
            Ok(out.flush()?)
        }
        What::Pack { customers, events } => pack::run(Shape { customers, events }),
        What::ByHand { customers, events } => by_hand::run(Shape { customers, events }),
        What::Shares { customers, events } => shares::run(Shape { customers, events }),
        What::Once { customers, events } => pack::once(Shape { customers, events }),
        What::Rules => rules::run(),
        What::Cores => cores::run(),
        What::Compile => compile::run(),
        What::Interpreted => interpreted::run(),
        What::Deadlines(options) => deadlines::run(&options),
        What::Customers(options) => customers::run(&options),
        What::Service(options) => service::run(&options),
        What::Charts(options) => charts::run(&options),
    }
}
