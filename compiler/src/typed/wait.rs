//! What a run waits for.

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
        /// How many milliseconds after it; negative before it.
        offset: i64,
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
