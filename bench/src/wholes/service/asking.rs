//! Questions to a service under load, as people with the admin port in front of them ask.

use super::{Result, work};
use segue_bench::{measure::seconds, random::Random};
use segue_compiler::typed::SegmentId;
use segue_runtime::live::Cursor;
use segue_service::host::{Ask, Busy};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};
use tokio::runtime::{Builder, Runtime};

/// How much of a list is asked for at once, as the admin port does when nothing is said.
const PAGE: usize = 100;

/// How many questions a second there are, and of how many customers.
#[derive(Clone, Copy)]
pub(super) struct Asking {
    pub(super) rate: u64,
    pub(super) customers: u64,
}

/// Does something while questions are asked; gives how long each waited for its answer, in seconds.
pub(super) fn while_asking<T>(ask: &Ask, asking: Asking, act: impl FnOnce() -> T) -> Result<(T, Vec<f64>)> {
    let Asking { rate, customers } = asking;
    let Some(pause) = 1_000_000_u64.checked_div(rate).map(Duration::from_micros) else {
        return Ok((act(), Vec::new()));
    };
    let tasks = Builder::new_current_thread().build()?;
    let is_over = AtomicBool::new(false);
    Ok(thread::scope(|scope| {
        let asked = scope.spawn(|| {
            let (mut random, mut answers) = (Random::new(rate), Vec::new());
            for number in 0.. {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                let customer = random.below(customers);
                answers.push(seconds(&mut || work(question(&tasks, ask, number, customer))));
                thread::sleep(pause);
            }
            answers
        });
        let done = act();
        is_over.store(true, Ordering::Relaxed);
        (done, asked.join().unwrap_or_default())
    }))
}

/// The next of the three kinds of questions that all shards are asked for: a customer, members of a segment, deadlines.
fn question(tasks: &Runtime, ask: &Ask, number: u64, customer: u64) -> std::result::Result<(), Busy> {
    tasks.block_on(async {
        match number % 3 {
            0 => work(ask.customer(&format!("u{customer}")).await?),
            1 => {
                let segment = SegmentId((number / 3) as u32 % ask.segments().len() as u32);
                work(ask.members(segment, Cursor::default(), PAGE).await?);
            }
            _ => work(ask.deadlines(PAGE).await?),
        }
        Ok(())
    })
}
