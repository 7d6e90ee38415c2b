//! What came of goals, over all customers: how many reached them, and what the messages had to do with it.
//!
//! Floating point is only used to print: these are operations that are exact to the last digit everywhere.

use crate::words::thousands;
use segue_compiler::goal::Outcome;
use std::fmt;

/// How many customers, and how many of them reached the goal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Customers; each counts once, however many runs there were.
    pub customers: u64,
    /// Those who reached the goal.
    pub reached: u64,
}

/// What came of the goal of one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GoalSummary {
    /// Of those who were sent something.
    pub sent: Group,
    /// Of those who would have been, but are held out.
    pub held_out: Group,
}

/// A share and the interval in which it lies with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The share, or the difference of shares.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The 97.5th percentile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

impl Group {
    /// The share of those who reached the goal, with Wilson's score interval; `None` when there is nobody.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "customers are fewer than 2⁵³")]
    pub fn share(self) -> Option<Estimate> {
        if self.customers == 0 {
            return None;
        }
        let n = self.customers as f64;
        let value = self.reached as f64 / n;
        let width = Z * (value * (1.0 - value) / n + Z * Z / (4.0 * n * n)).sqrt();
        let (middle, divisor) = (value + Z * Z / (2.0 * n), 1.0 + Z * Z / n);
        let end = |end: f64| (end / divisor).clamp(0.0, 1.0);
        Some(Estimate { value, low: end(middle - width), high: end(middle + width) })
    }
}

impl GoalSummary {
    /// How much larger the share is of those who were sent something, with Newcombe's interval (the hybrid score method,
    /// number 10 of his comparison of 1998): it stays honest where few are held out. `None` while one group is empty.
    #[must_use]
    pub fn lift(self) -> Option<Estimate> {
        let (sent, held_out) = (self.sent.share()?, self.held_out.share()?);
        let value = sent.value - held_out.value;
        let distance = |a: f64, b: f64| (a * a + b * b).sqrt();
        Some(Estimate {
            value,
            low: value - distance(sent.value - sent.low, held_out.high - held_out.value),
            high: value + distance(sent.high - sent.value, held_out.value - held_out.low),
        })
    }

    pub(super) fn count(&mut self, outcome: Outcome) {
        let group = if outcome.held_out { &mut self.held_out } else { &mut self.sent };
        group.customers += 1;
        group.reached += u64::from(outcome.reached);
    }

    pub(super) fn add(&mut self, other: Self) {
        for (group, other) in [(&mut self.sent, other.sent), (&mut self.held_out, other.held_out)] {
            group.customers += other.customers;
            group.reached += other.reached;
        }
    }
}

impl fmt::Display for GoalSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = |f: &mut fmt::Formatter<'_>, group: Group, of: &str| {
            let [customers, reached] = [group.customers, group.reached].map(thousands);
            write!(f, "{reached} of {customers} {of}")?;
            group.share().map_or(Ok(()), |share| write!(f, " ({:.1} %)", share.value * 100.0))
        };
        f.write_str("goal reached by ")?;
        group(f, self.sent, "who were sent something")?;
        if self.held_out.customers > 0 {
            f.write_str(", ")?;
            group(f, self.held_out, "held out")?;
        }
        if let Some(lift) = self.lift() {
            let [value, low, high] = [lift.value, lift.low, lift.high].map(|it| points(it * 100.0));
            write!(f, "; lift {value} points, 95 % interval {low} to {high}")?;
        }
        Ok(())
    }
}

/// `+4.6`, `-0.3`; nothing is negative zero.
fn points(points: f64) -> String {
    let text = format!("{points:+.1}");
    if text == "-0.0" { "+0.0".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(sent: (u64, u64), held_out: (u64, u64)) -> GoalSummary {
        let group = |(reached, customers)| Group { customers, reached };
        GoalSummary { sent: group(sent), held_out: group(held_out) }
    }

    /// The examples of Newcombe's paper (Statistics in Medicine 17, 1998, table II, method 10).
    #[test]
    fn intervals_are_those_of_the_paper() {
        for (sent, held_out, low, high) in [
            ((56, 70), (48, 80), 0.0524, 0.3339),
            ((9, 10), (3, 10), 0.1705, 0.8090),
            ((6, 7), (2, 7), 0.0582, 0.8062),
            ((5, 56), (0, 29), -0.0381, 0.1926),
            ((0, 10), (0, 20), -0.1611, 0.2775),
            ((10, 10), (0, 20), 0.6791, 1.0),
        ] {
            let lift = summary(sent, held_out).lift().unwrap();
            let near = |a: f64, b: f64| (a - b).abs() < 0.000_1;
            assert!(near(lift.low, low) && near(lift.high, high), "{sent:?} {held_out:?}: {lift:?}");
        }
    }

    #[test]
    fn reads_like_a_sentence() {
        assert_eq!(
            summary((1_200, 9_500), (40, 500)).to_string(),
            "goal reached by 1,200 of 9,500 who were sent something (12.6 %), 40 of 500 held out (8.0 %); \
             lift +4.6 points, 95 % interval +1.8 to +6.8"
        );
        assert_eq!(
            summary((1, 2), (0, 0)).to_string(),
            "goal reached by 1 of 2 who were sent something (50.0 %)"
        );
        assert_eq!(summary((0, 0), (0, 0)).to_string(), "goal reached by 0 of 0 who were sent something");
    }
}
