//! A longer stream for the comparison with Flink: carts that are filled, and some that are ordered.

use crate::{events::Random, peers::Fault};
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

/// 2026-01-05 in milliseconds since 1970.
const START: u64 = 1_767_571_200_000;
/// How many events each customer has before the last one.
const EVENTS: u32 = 20;
const MINUTE: u64 = 60_000;
/// How long after the others the last event of a customer comes: longer than the rule waits.
const END: u64 = 72 * 60 * MINUTE;

/// A customer's next event.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Next {
    at: u64,
    customer: u32,
    left: u32,
}

/// Writes the events of so many customers, in order of time.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write(path: &Path, customers: u32) -> Result<(), Fault> {
    let mut random = Random(0xF11C);
    let mut out = BufWriter::new(File::create(path)?);
    let mut pending: BinaryHeap<Reverse<Next>> = (0..customers)
        .map(|customer| Reverse(Next { at: START + random.below(END / 3), customer, left: EVENTS }))
        .collect();
    let mut number = 0_u64;
    while let Some(Reverse(next)) = pending.pop() {
        let event = match random.below(10) {
            // Every wait is over before the stream is.
            _ if next.left == 0 => "App Closed",
            0..=3 => "Product Added",
            4..=5 => "Order Completed",
            _ => "Product Viewed",
        };
        number += 1;
        line(&mut out, number, &next, event, &mut random)?;
        if next.left > 0 {
            let pause = 1 + random.below(4 * 60 * MINUTE);
            let at = if next.left == 1 { START + 3 * END + random.below(MINUTE) } else { next.at + pause };
            pending.push(Reverse(Next { at, left: next.left - 1, ..next }));
        }
    }
    out.flush()?;
    Ok(())
}

fn line(
    out: &mut impl Write,
    number: u64,
    next: &Next,
    event: &str,
    random: &mut Random,
) -> std::io::Result<()> {
    let Next { at, customer, .. } = next;
    let (product, price) = (random.below(10_000), 5 + random.below(300));
    // `at` is what Flink reads as time, and the same instant as `timestamp`.
    writeln!(
        out,
        r#"{{"type":"track","event":"{event}","userId":"c{customer:07}","messageId":"m{number}","timestamp":{at},"properties":{{"product_id":"p{product}","price":{price}.5}}}}"#
    )
}
