//! What is compared: each peer answers the same three questions about every event.
//!
//! 1. `total >= 100 and category = "shoes"`
//! 2. `category in ["shoes", "bags", "coats"] and price between 50 and 200`
//! 3. `country = "NO" and (coupon is known or quantity >= 3) and not (category = "socks")`

mod cel;
mod native;
mod rhai;
mod segue;
mod wirefilter;
mod zen;

pub(crate) use native::answers as answers_of_native;

use crate::{events::Line, measure::Column};
use std::error::Error;

/// How many questions there are; bit `n` of an answer is that of question `n`.
pub(crate) const PREDICATES: usize = 3;

/// What went wrong while a peer was made or asked.
pub(crate) type Fault = Box<dyn Error>;

/// One way to answer. `answers` are as long as what is asked about.
pub(crate) trait Peer<'d> {
    /// What is printed of it.
    fn name(&self) -> &'static str;

    /// Whether it takes part in a column.
    fn has(&self, _column: Column) -> bool {
        true
    }

    /// Binds the values of some events, which replace those bound before.
    fn bind(&mut self, events: &'d [Line<'d>]) -> Result<(), Fault>;

    /// Answers about the events that are bound.
    fn ask(&mut self, answers: &mut [u8]) -> Result<(), Fault>;

    /// Binds decoded events one after the other and answers.
    fn bind_and_ask(&mut self, events: &'d [Line<'d>], answers: &mut [u8]) -> Result<(), Fault>;

    /// Decodes lines one after the other, binds and answers.
    fn decode_and_ask(&mut self, lines: &'d [String], answers: &mut [u8]) -> Result<(), Fault>;
}

/// Every peer that runs in this process, native Rust and Segue first.
///
/// # Errors
/// When one does not take its predicates.
pub(crate) fn all<'d>() -> Result<Vec<Box<dyn Peer<'d> + 'd>>, Fault> {
    Ok(vec![
        Box::new(native::Native::default()),
        Box::new(native::Interned::default()),
        Box::new(segue::Compiled::new(segue::Decoder::Serde)?),
        Box::new(segue::Compiled::new(segue::Decoder::Own)?),
        Box::new(segue::Interpreted::new()?),
        Box::new(wirefilter::Wirefilter::new()?),
        Box::new(cel::Cel::new()?),
        Box::new(zen::Zen::new()?),
        Box::new(rhai::Rhai::new()?),
    ])
}

/// Asks every question.
fn bits(mut answer: impl FnMut(usize) -> bool) -> u8 {
    (0..PREDICATES).fold(0, |bits, number| bits | u8::from(answer(number)) << number)
}

/// Asks every question, of a peer that can fail.
fn bits_or(mut answer: impl FnMut(usize) -> Result<bool, Fault>) -> Result<u8, Fault> {
    (0..PREDICATES).try_fold(0, |bits, number| Ok(bits | u8::from(answer(number)?) << number))
}
