//! What a run waits for, and the ways that it can take.

use super::{EventSet, Pattern, Step, StepKind};
use crate::{share::Share, time::Distance};
use std::sync::Arc;

/// Until when a run waits; `V` is how a value is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Until<V> {
    /// So many milliseconds.
    For(i64),
    /// So many local calendar days on, at a time of day.
    Days {
        /// How many.
        days: i32,
        /// Minutes past midnight.
        at: i64,
    },
    /// The next time that local clocks show a time of day; now, when they show it now.
    Clock {
        /// The day of the week, from 0 for Monday; any when `None`.
        weekday: Option<i32>,
        /// Minutes past midnight.
        at: i64,
    },
    /// A moment that a value tells.
    Moment {
        /// A time, or a date, which stands for its first moment.
        value: V,
        /// How far after it.
        offset: Distance,
        /// The time of day on that local calendar day, in minutes past midnight.
        at: Option<i64>,
    },
}

impl<V> Until<V> {
    /// The same with its value asked for in another way.
    pub fn map<W>(&self, of: impl FnOnce(&V) -> W) -> Until<W> {
        match self {
            Self::For(length) => Until::For(*length),
            Self::Days { days, at } => Until::Days { days: *days, at: *at },
            Self::Clock { weekday, at } => Until::Clock { weekday: *weekday, at: *at },
            Self::Moment { value, offset, at } => {
                Until::Moment { value: of(value), offset: *offset, at: *at }
            }
        }
    }
}

/// The days of the week as written, in the order of their numbers.
pub const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The name of a day of the week by number.
#[must_use]
pub fn weekday_number(name: &str) -> Option<i32> {
    WEEKDAYS.iter().zip(0..).find(|(other, _)| **other == name).map(|(_, number)| number)
}

/// What `wait up to … for` waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Awaited {
    /// The events.
    pub pattern: Pattern,
    /// Which messages they must be about.
    pub about: About,
}

/// Which messages an event must be about for a run to hear it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Any, or none.
    Anything,
    /// A message of the run, by the field `message`.
    Message,
    /// A message of the run; an event that names no message is about those on its `channel`.
    MessageOrChannel,
}

/// An arm of `split`.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// Its name.
    pub name: Arc<str>,
    /// Its share.
    pub share: Share,
    /// What is done in it.
    pub steps: Vec<Step>,
}

/// Whether steps end the run in every case.
#[must_use]
pub fn always_stop(steps: &[Step]) -> bool {
    steps.iter().any(|step| match &step.kind {
        StepKind::Stop => true,
        StepKind::If { arms, otherwise } => {
            arms.iter().all(|(_, steps)| always_stop(steps)) && always_stop(otherwise)
        }
        StepKind::WaitFor { steps, otherwise, .. } => always_stop(steps) && always_stop(otherwise),
        StepKind::Split(arms) => arms.iter().all(|arm| always_stop(&arm.steps)),
        _ => false,
    })
}

/// Whether somewhere in steps an event is waited for.
fn await_something(steps: &[Step]) -> bool {
    steps.iter().any(|step| match &step.kind {
        StepKind::WaitFor { .. } => true,
        StepKind::If { arms, otherwise } => {
            arms.iter().any(|(_, steps)| await_something(steps)) || await_something(otherwise)
        }
        StepKind::Split(arms) => arms.iter().any(|arm| await_something(&arm.steps)),
        _ => false,
    })
}

/// The events that `answer` surely is after a step, given what it was before.
#[must_use]
pub fn answer_after<'s>(step: &'s StepKind, before: Option<&'s EventSet>) -> Option<&'s EventSet> {
    match step {
        StepKind::WaitFor { what, steps, otherwise, .. } => {
            if always_stop(otherwise) && !await_something(steps) {
                Some(&what.pattern.events)
            } else if always_stop(steps) && !await_something(otherwise) {
                before
            } else {
                None
            }
        }
        StepKind::If { arms, otherwise }
            if arms.iter().any(|(_, steps)| await_something(steps)) || await_something(otherwise) =>
        {
            None
        }
        StepKind::Split(arms) if arms.iter().any(|arm| await_something(&arm.steps)) => None,
        _ => before,
    }
}
