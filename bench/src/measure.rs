//! How times are taken: what is compared runs in turn, several times, and the medians are shown.

use std::time::Instant;

/// How often each is run; the median is told.
pub const RUNS: usize = 5;

/// Times two ways of doing something in turn; gives the median seconds of each, and the median of their ratio `a / b`.
pub fn compare(mut a: impl FnMut(), mut b: impl FnMut()) -> (f64, f64, f64) {
    let mut times: Vec<(f64, f64)> = Vec::new();
    for _ in 0..RUNS {
        times.push((seconds(&mut a), seconds(&mut b)));
    }
    let ratios = times.iter().map(|(a, b)| a / b).collect();
    (
        median(times.iter().map(|it| it.0).collect()),
        median(times.iter().map(|it| it.1).collect()),
        median(ratios),
    )
}

/// Median seconds of doing something.
pub fn time(mut act: impl FnMut()) -> f64 {
    median((0..RUNS).map(|_| seconds(&mut act)).collect())
}

/// Seconds of doing something once.
#[expect(clippy::disallowed_methods, reason = "a bench takes the time")]
pub fn seconds(act: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    act();
    start.elapsed().as_secs_f64()
}

/// The middle one of some figures.
#[must_use]
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
