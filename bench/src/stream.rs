//! A stream of events of an ordinary shop, the same on every machine.

use crate::random::Random;
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io::{self, Write},
};

/// What a stream is made of.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How many customers there are.
    pub customers: u64,
    /// How many events they make together.
    pub events: u64,
}

/// 2026-01-05 08:00 UTC, in milliseconds.
const START: i64 = 1_767_600_000_000;
/// How long the stream is in its own time: four weeks, in milliseconds.
const LENGTH: i64 = 28 * 86_400_000;
/// How many events a visit has on average.
const VISIT: u64 = 8;
/// What is sold.
pub const CATEGORIES: [&str; 8] = ["shoes", "bags", "coats", "hats", "belts", "shirts", "socks", "scarves"];

/// A customer on the site.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Visit {
    /// When the next event happens.
    next: i64,
    customer: u64,
    left: u64,
    /// Whether the customer is known by name, and not only by id.
    signed_in: bool,
}

/// A stream under way, which gives one line after the other, so that it need not lie anywhere as a whole.
pub struct Stream {
    shape: Shape,
    random: Random,
    /// Those who are on the site, whoever acts next first.
    visits: BinaryHeap<Reverse<Visit>>,
    /// How many visits have begun.
    started: u64,
    /// How many lines were given.
    number: u64,
    /// Whether the first visits are by a different customer each.
    everyone_first: bool,
}

impl Stream {
    /// The beginning of a stream. Customers come in visits of some events each, at random, and six of ten sign in with an
    /// `identify` call at the start of a visit.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            random: Random::new(0x5e9e),
            visits: BinaryHeap::new(),
            started: 0,
            number: 0,
            everyone_first: false,
        }
    }

    /// The same, but before anybody comes again everybody has come once.
    #[must_use]
    pub fn everyone_first(self) -> Self {
        Self { everyone_first: true, ..self }
    }

    /// Appends the next call, in order of time, as a line of JSON; false at the end.
    pub fn next(&mut self, line: &mut String) -> bool {
        let all = (self.shape.events / VISIT).max(1);
        while self.number < self.shape.events {
            let passed = u128::from(self.started) * LENGTH as u128 / u128::from(all);
            let start = START + i64::try_from(passed).unwrap_or(0);
            if self.visits.peek().is_none_or(|Reverse(visit)| start <= visit.next) {
                self.begin(start);
                continue;
            }
            let Some(Reverse(mut visit)) = self.visits.pop() else { break };
            call(&mut self.random, self.number, &mut visit, line);
            self.number += 1;
            visit.left -= 1;
            visit.next += i64::try_from(2_000 + self.random.below(120_000)).unwrap_or(0);
            if visit.left > 0 {
                self.visits.push(Reverse(visit));
            }
            return true;
        }
        false
    }

    /// Lets a visit begin.
    fn begin(&mut self, start: i64) {
        let customer = if self.everyone_first && self.started < self.shape.customers {
            // A prime spreads them: each comes once, and neighbours do not come one after the other.
            let spread = u128::from(self.started) * 2_654_435_761;
            u64::try_from(spread % u128::from(self.shape.customers)).unwrap_or(0)
        } else {
            self.random.below(self.shape.customers)
        };
        let left = 1 + self.random.below(2 * VISIT - 1);
        self.visits.push(Reverse(Visit { next: start, customer, left, signed_in: customer % 10 < 6 }));
        self.started += 1;
    }
}

/// Writes a stream.
///
/// # Errors
/// When writing fails.
pub fn write(shape: Shape, out: &mut dyn Write) -> io::Result<()> {
    let mut stream = Stream::new(shape);
    let mut line = String::new();
    while stream.next(&mut line) {
        out.write_all(line.as_bytes())?;
        line.clear();
    }
    Ok(())
}

fn call(random: &mut Random, number: u64, visit: &mut Visit, line: &mut String) {
    use std::fmt::Write;
    let (customer, time) = (visit.customer, timestamp(visit.next));
    // Writing to a string does not fail.
    let _ = if std::mem::take(&mut visit.signed_in) {
        write!(
            line,
            r#"{{"type":"identify","messageId":"m{number}","userId":"u{customer}","traits":{{"first_name":"Ada","phone":"+47{customer:08}","email":"u{customer}@example.com","push_token":"t{customer}","plan":"{}","consent":{{"sms":{},"email":true,"push":true}}}},"timestamp":"{time}"}}"#,
            random.pick(&["free", "pro", "team"]),
            customer % 2 == 0,
        )
    } else {
        let (event, properties) = event(random, customer);
        write!(
            line,
            r#"{{"type":"track","messageId":"m{number}","userId":"u{customer}","event":"{event}","properties":{{{properties}}},"timestamp":"{time}"}}"#,
        )
    };
    line.push('\n');
}

fn event(random: &mut Random, customer: u64) -> (&'static str, String) {
    let product = random.below(500);
    let category = CATEGORIES[(product % 8) as usize];
    let (price, cents) = (10 + product * 7 % 600, product % 100);
    let of_product =
        || format!(r#""product_id":"p{product}","category":"{category}","price":{price}.{cents:02}"#);
    match random.below(100) {
        0..48 => ("Product Viewed", of_product()),
        48..56 => ("Product Added", format!(r#"{},"cart_id":"c{customer}""#, of_product())),
        56..59 => {
            let coupon = if random.below(4) == 0 { r#","coupon":"TEN""# } else { "" };
            let (order, total) = (random.below(1_000_000), 20 + random.below(1_000));
            let properties = format!(
                r#""order_id":"o{order}","total":{total}.{cents:02},"cart_id":"c{customer}"{coupon}"#
            );
            ("Order Completed", properties)
        }
        59..94 => {
            let path = random.pick(&["/", "/pricing", "/about", "/help", "/stores", "/blog/how-to-choose"]);
            ("Page Viewed", format!(r#""name":"Page","path":"{path}""#))
        }
        94..96 => ("Form Submitted", format!(r#""form_id":"{}""#, random.pick(&["newsletter", "contact"]))),
        _ => {
            let event = random.pick(&["Message Opened", "Message Clicked"]);
            (event, r#""channel":"email","message_id":"x""#.to_owned())
        }
    }
}

/// An instant as trackers write it.
fn timestamp(at: i64) -> String {
    let (days, rest) = (at.div_euclid(86_400_000), at.rem_euclid(86_400_000));
    // The stream lies within January and February 2026.
    let day = days - 20_454;
    let (month, day) = if day < 31 { (1, day + 1) } else { (2, day - 30) };
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, milli) = (rest / 1000 % 60, rest % 1000);
    format!("2026-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}
