//! Many customers against few: what they take, and what they slow down.

use super::{Result, portions::Portions};
use clap::Args;
use segue_bench::{
    measure::median,
    memory::{Memory, mib},
    packs,
    stream::{Shape, Stream},
};

/// How many customers, and how much happens to them.
#[derive(Args)]
pub(crate) struct Options {
    /// How many customers there are
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    customers: u64,
    /// How many they are compared with
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    against: u64,
    /// How many events each has on average before anything is measured
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(8..=1_000))]
    each: u64,
    /// How many events are measured, at most as many as before
    #[arg(long, default_value_t = 500_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    events: u64,
}

/// What was measured.
pub(crate) struct Measured {
    /// Time per event.
    pub(crate) nanoseconds: f64,
    /// What the process grew by, where the system tells.
    pub(crate) bytes: Option<u64>,
}

/// Measures few, then many, then few again, as the machine may be another by then.
pub(crate) fn run(options: &Options) -> Result<()> {
    let measured = |customers: u64| -> Result<f64> {
        let measured = measure(customers, options.each, options.events)?;
        tell(customers, &measured);
        Ok(measured.nanoseconds)
    };
    let (few, many) = (measured(options.against)?, measured(options.customers)?);
    let few_again = measured(options.against)?;
    println!(
        "throughput with {}: {:.0} % of that with {}",
        options.customers,
        (few + few_again) / 2.0 / many * 100.0,
        options.against
    );
    match Memory::taken() {
        Some(memory) => println!("the process took {:.0} MiB at most", mib(memory.peak)),
        None => println!("memory was not measured: only Linux tells"),
    }
    Ok(())
}

fn tell(customers: u64, measured: &Measured) {
    print!("{customers} customers: {:.0} ns an event", measured.nanoseconds);
    if let Some(bytes) = measured.bytes {
        print!(", {:.0} MiB in all, {:.0} bytes a customer", mib(bytes), bytes as f64 / customers as f64);
    }
    println!();
}

/// Lets everybody come, each having so many events on average, then measures further events. Both lie within the same four
/// weeks, so customers are alike however many they are.
pub(crate) fn measure(customers: u64, each: u64, events: u64) -> Result<Measured> {
    /// Of several portions the median is taken.
    const PORTIONS: u64 = 5;
    let filling = customers * each;
    let portion = (events.min(filling) / PORTIONS).max(1);
    let shape = Shape { customers, events: filling + portion * PORTIONS };
    let mut stream = Stream::new(shape).everyone_first();
    let before = Memory::taken();
    let program = packs::checked(packs::ORDINARY);
    let mut feed = Portions::new(&program, |line| stream.next(line))?;
    feed.nanoseconds(filling)?;
    let times: Result<Vec<f64>> = (0..PORTIONS).map(|_| feed.nanoseconds(portion)).collect();
    let after = Memory::taken();
    let bytes = after.zip(before).map(|(after, before)| after.now.saturating_sub(before.now));
    drop(feed);
    Ok(Measured { nanoseconds: median(times?), bytes })
}
