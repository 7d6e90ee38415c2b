//! The simulation: day by day, customer by customer, written in order of arrival.

use crate::calendar::{Day, HOUR};
use crate::campaigns;
use crate::customer::Customer;
use crate::scene::Arrival;
use crate::visits;
use std::io;

/// How large a shop to simulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    /// Number of customers.
    pub(crate) customers: u32,
    /// Number of weeks.
    pub(crate) weeks: u32,
    /// Start of all random numbers.
    pub(crate) seed: u64,
}

/// Simulates a shop and hands each call over in order of arrival; gives the number of calls.
///
/// Memory holds the customers and the events of about one day, whatever the number of weeks.
pub(crate) fn simulate(size: Size, mut write: impl FnMut(&str) -> io::Result<()>) -> io::Result<u64> {
    let days = size.weeks * 7;
    let end = Day(days).start();
    let mut customers: Vec<Customer> =
        (0..size.customers).map(|number| Customer::new(size.seed, number, days)).collect();
    let mut arrivals = Vec::new();
    let mut written = 0;
    for day in (0..days).map(Day) {
        for customer in &mut customers {
            campaigns::send(customer, day, end, &mut arrivals);
            visits::live(customer, day, end, &mut arrivals);
        }
        // The next day begins an hour before UTC's for customers east of Greenwich.
        let settled = if day.0 + 1 == days { i64::MAX } else { Day(day.0 + 1).start() - HOUR };
        arrivals.sort_unstable();
        let count = arrivals.partition_point(|arrival: &Arrival| arrival.at < settled);
        for arrival in arrivals.drain(..count) {
            write(&arrival.line)?;
            written += 1;
        }
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const SMALL: Size = Size { customers: 150, weeks: 2, seed: 7 };

    fn lines(size: Size) -> Vec<String> {
        let mut lines = Vec::new();
        let count = simulate(size, |line| {
            lines.push(line.to_owned());
            Ok(())
        })
        .unwrap();
        assert_eq!(count, lines.len() as u64);
        lines
    }

    #[test]
    fn the_same_seed_gives_the_same_stream() {
        assert_eq!(lines(SMALL), lines(SMALL));
        assert_ne!(lines(SMALL), lines(Size { seed: 8, ..SMALL }));
    }

    #[test]
    fn lines_are_calls_in_order_of_arrival() {
        let mut latest = String::new();
        for line in lines(SMALL) {
            let call: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert!(call["userId"].is_string() && call["messageId"].is_string(), "{line}");
            let arrival = call.get("receivedAt").unwrap_or(&call["timestamp"]).as_str().unwrap();
            assert!(latest.as_str() <= arrival, "{line} after {latest}");
            latest = arrival.to_owned();
        }
    }

    #[test]
    fn an_order_names_a_cart_that_was_filled() {
        let mut filled = BTreeSet::new();
        let mut orders = 0;
        let calls: Vec<serde_json::Value> =
            lines(SMALL).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        for call in &calls {
            if call["event"] == "Product Added" {
                filled.insert(call["properties"]["cart_id"].to_string());
            }
        }
        for call in calls.iter().filter(|call| call["event"] == "Order Completed") {
            assert!(filled.contains(&call["properties"]["cart_id"].to_string()), "{call}");
            orders += 1;
        }
        assert!(orders > 10, "{orders} orders");
    }
}
