//! Deadlines that are filled in and popped as time goes on.

use super::Result;
use clap::Args;
use segue_bench::{
    measure::seconds,
    memory::{Memory, mib},
    random::mixed,
};
use segue_runtime::deadlines::Deadlines;

/// How many deadlines, and how time goes on.
#[derive(Args)]
pub(crate) struct Options {
    /// How many deadlines are pending
    #[arg(long, default_value_t = 10_000_000)]
    count: u32,
    /// Over how many days they are spread
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(i64).range(1..=36_500))]
    days: i64,
    /// How far time goes on at once, in milliseconds
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(i64).range(1..))]
    step: i64,
}

/// 2026-01-05 08:00 UTC, in milliseconds.
const START: i64 = 1_767_600_000_000;
const DAY: i64 = 86_400_000;

/// How deadlines lie in time.
#[derive(Clone, Copy)]
enum Spread {
    /// Anywhere.
    Even,
    /// As schedules do: on one instant of each day.
    Daily,
}

impl Spread {
    /// The deadline of a place. It follows from the place alone, so that checking needs no memory.
    fn instant(self, place: u32, options: &Options) -> i64 {
        let random = mixed(u64::from(place) + 1).cast_signed() & i64::MAX;
        match self {
            Self::Even => START + 1 + random % (options.days * DAY),
            Self::Daily => START + (1 + random % options.days) * DAY,
        }
    }
}

/// Fills and pops, in three ways.
pub(crate) fn run(options: &Options) -> Result<()> {
    println!(
        "{} deadlines over {} days, popped in steps of {} ms",
        options.count, options.days, options.step
    );
    measure("spread evenly", Spread::Even, false, options)?;
    measure("spread evenly, and each moved once", Spread::Even, true, options)?;
    measure("on one instant of each day", Spread::Daily, false, options)
}

fn measure(name: &str, spread: Spread, moved: bool, options: &Options) -> Result<()> {
    let before = Memory::taken();
    let mut deadlines = Deadlines::new(START);
    let filling = seconds(&mut || {
        if moved {
            // Where another's is.
            (0..options.count).for_each(|place| deadlines.schedule(place, spread.instant(!place, options)));
        }
        (0..options.count).for_each(|place| deadlines.schedule(place, spread.instant(place, options)));
    });
    let bytes = deadlines.bytes();
    let taken = Memory::taken();
    let mut outcome = Ok(());
    let popping = seconds(&mut || outcome = pop(&mut deadlines, spread, options));
    outcome.map_err(|fault| format!("{name}: {fault}"))?;
    let count = f64::from(options.count);
    println!(
        "{name}: filled {:.1} million a second, popped {:.1} million a second; {:.1} bytes each",
        count / filling / 1e6,
        count / popping / 1e6,
        bytes as f64 / count
    );
    if let (Some(before), Some(taken)) = (before, taken) {
        println!("  resident: {:.0} MiB more than before", mib(taken.now.saturating_sub(before.now)));
    }
    Ok(())
}

/// Lets time go on in steps and pops what is due; says what is wrong as soon as anything is.
fn pop(deadlines: &mut Deadlines, spread: Spread, options: &Options) -> Result<(), String> {
    let (mut popped, mut last, mut until) = (0, None, START);
    while !deadlines.is_empty() {
        let passed = until;
        until += options.step;
        for due in deadlines.due(until) {
            if due.at <= passed || due.at > until {
                return Err(format!("{due:?} was popped between {passed} and {until}"));
            }
            if Some(due) <= last {
                return Err(format!("{due:?} was popped after {last:?}"));
            }
            if due.at != spread.instant(due.place, options) {
                return Err(format!("{due:?} was scheduled for another instant"));
            }
            last = Some(due);
            popped += 1;
        }
    }
    // Each is behind the one before, so none came twice.
    if popped == options.count { Ok(()) } else { Err(format!("{popped} were popped")) }
}
