//! Takes the time: every peer and column in turn, again and again, and the median of it. Answers are compared each time.

use crate::{
    events::Line,
    peers::{self, Fault, PREDICATES, Peer},
};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// How many events are bound before they are asked about: few enough to stay in the nearest caches.
const BLOCK: usize = 128;
/// How long one figure is taken for in each round.
const SPAN: Duration = Duration::from_millis(15);

/// What a figure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Values are bound beforehand: nanoseconds a predicate.
    Predicate,
    /// Binding decoded values included: nanoseconds an event, with all predicates.
    Binding,
    /// Decoding and binding included: nanoseconds an event, with all predicates.
    Decoding,
}

/// The columns, in the order printed.
pub(crate) const COLUMNS: [Column; 3] = [Column::Predicate, Column::Binding, Column::Decoding];

/// The medians of one peer, in nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// By column; `None` where there is none.
    pub(crate) figures: [Option<f64>; COLUMNS.len()],
}

/// Measures decoding alone, then every peer of this process.
///
/// # Errors
/// When a peer fails, or answers other than native Rust.
pub(crate) fn rust(lines: &[String], decoded: &[Line<'_>], rounds: usize) -> Result<Vec<Row>, Fault> {
    let expected = peers::answers_of_native(decoded);
    let mut peers = peers::all()?;
    let mut taken: Vec<[Vec<f64>; COLUMNS.len()]> = vec![Default::default(); peers.len()];
    let mut decoding = Vec::new();
    // The first round only warms up, and is not counted.
    for round in 0..=rounds {
        let alone = decode_alone(lines)?;
        if round > 0 {
            decoding.push(alone);
        }
        for (peer, taken) in peers.iter_mut().zip(&mut taken) {
            for (column, taken) in COLUMNS.into_iter().zip(taken) {
                if !peer.has(column) {
                    continue;
                }
                let figure = figure(peer.as_mut(), column, lines, decoded, &expected)?;
                if round > 0 {
                    taken.push(figure);
                }
            }
        }
    }
    let decoding =
        Row { name: "decoding alone, serde_json".to_owned(), figures: [None, None, Some(median(decoding))] };
    let rows = peers.iter().zip(taken).map(|(peer, taken)| Row {
        name: peer.name().to_owned(),
        figures: taken.map(|figures| (!figures.is_empty()).then(|| median(figures))),
    });
    Ok(std::iter::once(decoding).chain(rows).collect())
}

/// Nanoseconds an event of decoding and nothing else.
fn decode_alone(lines: &[String]) -> Result<f64, Fault> {
    repeat(lines.len(), || {
        let start = now();
        for line in lines {
            black_box(serde_json::from_str::<Line<'_>>(line)?);
        }
        Ok(start.elapsed())
    })
}

/// One figure of one peer.
fn figure<'d>(
    peer: &mut (dyn Peer<'d> + 'd),
    column: Column,
    lines: &'d [String],
    decoded: &'d [Line<'d>],
    expected: &[u8],
) -> Result<f64, Fault> {
    let mut answers = vec![u8::MAX; expected.len()];
    let an_event = repeat(expected.len(), || match column {
        Column::Predicate => bound(peer, decoded, &mut answers),
        Column::Binding => timed(|| peer.bind_and_ask(decoded, &mut answers)),
        Column::Decoding => timed(|| peer.decode_and_ask(lines, &mut answers)),
    })?;
    check(peer.name(), &answers, expected)?;
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let predicates = PREDICATES as f64;
    Ok(if column == Column::Predicate { an_event / predicates } else { an_event })
}

/// The time of asking alone: binding goes on between, block by block, unmeasured.
fn bound<'d>(
    peer: &mut (dyn Peer<'d> + 'd),
    decoded: &'d [Line<'d>],
    answers: &mut [u8],
) -> Result<Duration, Fault> {
    let mut asking = Duration::ZERO;
    for (events, answers) in decoded.chunks(BLOCK).zip(answers.chunks_mut(BLOCK)) {
        peer.bind(events)?;
        asking += timed(|| peer.ask(answers))?;
    }
    Ok(asking)
}

/// Compares answers.
///
/// # Errors
/// At the first event about which they differ.
pub(crate) fn check(name: &str, answers: &[u8], expected: &[u8]) -> Result<(), Fault> {
    if answers.len() != expected.len() {
        return Err(format!("{name} answers about {} of {} events", answers.len(), expected.len()).into());
    }
    match answers.iter().zip(expected).position(|(answer, expected)| answer != expected) {
        None => Ok(()),
        Some(event) => Err(format!("{name} answers otherwise than native Rust about event {event}").into()),
    }
}

/// Runs passes over so many events until the span is full; nanoseconds an event.
fn repeat(events: usize, mut pass: impl FnMut() -> Result<Duration, Fault>) -> Result<f64, Fault> {
    let (mut took, mut passes) = (Duration::ZERO, 0_usize);
    while took < SPAN {
        took += pass()?;
        passes += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let count = (events * passes) as f64;
    Ok(took.as_secs_f64() * 1e9 / count)
}

fn timed(work: impl FnOnce() -> Result<(), Fault>) -> Result<Duration, Fault> {
    let start = now();
    work()?;
    Ok(start.elapsed())
}

/// When it is now.
#[expect(clippy::disallowed_methods, reason = "measuring is what this is for")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The middle one of some figures.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
