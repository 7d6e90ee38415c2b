//! Rust written by hand, called through function pointers: what any engine could reach at best.

use super::{Fault, PREDICATES, Peer, bits};
use crate::events::{Line, Properties};
use std::hint::black_box;

type Predicate<T> = fn(&T) -> bool;

fn predicates_of_texts<'d>() -> [Predicate<Properties<'d>>; PREDICATES] {
    [
        |it| it.total >= 100.0 && it.category == "shoes",
        |it| ["shoes", "bags", "coats"].contains(&it.category) && it.price >= 50.0 && it.price <= 200.0,
        |it| it.country == "NO" && (it.coupon.is_some() || it.quantity >= 3.0) && it.category != "socks",
    ]
}

/// The answers about events.
pub(crate) fn answers(events: &[Line<'_>]) -> Vec<u8> {
    let predicates = predicates_of_texts();
    events.iter().map(|event| ask(&predicates, &event.properties)).collect()
}

fn ask<T>(predicates: &[Predicate<T>; PREDICATES], event: &T) -> u8 {
    bits(|number| predicates.get(number).is_some_and(|predicate| predicate(event)))
}

/// Rust over decoded events.
pub(super) struct Native<'d> {
    predicates: [Predicate<Properties<'d>>; PREDICATES],
    bound: &'d [Line<'d>],
}

impl Default for Native<'_> {
    fn default() -> Self {
        // Else the compiler would see through the pointers.
        Self { predicates: black_box(predicates_of_texts()), bound: &[] }
    }
}

impl<'d> Peer<'d> for Native<'d> {
    fn name(&self) -> &'static str {
        "native Rust"
    }

    fn bind(&mut self, events: &'d [Line<'d>]) -> Result<(), Fault> {
        self.bound = events;
        Ok(())
    }

    fn ask(&mut self, answers: &mut [u8]) -> Result<(), Fault> {
        for (event, answer) in self.bound.iter().zip(answers) {
            *answer = ask(&self.predicates, &event.properties);
        }
        Ok(())
    }

    fn bind_and_ask(&mut self, events: &'d [Line<'d>], answers: &mut [u8]) -> Result<(), Fault> {
        self.bind(events)?;
        self.ask(answers)
    }

    fn decode_and_ask(&mut self, lines: &'d [String], answers: &mut [u8]) -> Result<(), Fault> {
        for (line, answer) in lines.iter().zip(answers) {
            let event: Line<'d> = serde_json::from_str(line)?;
            *answer = ask(&self.predicates, &event.properties);
        }
        Ok(())
    }
}

/// An event whose texts are numbers and whose amounts are millionths, as machine code of Segue sees it.
#[derive(Clone, Copy)]
struct Numbers {
    total: i64,
    price: i64,
    quantity: i64,
    category: Option<u32>,
    country: Option<u32>,
    has_coupon: bool,
}

const MILLION: i64 = 1_000_000;

const PREDICATES_OF_NUMBERS: [Predicate<Numbers>; PREDICATES] = [
    |it| it.total >= 100 * MILLION && it.category == Some(0),
    |it| matches!(it.category, Some(0..=2)) && it.price >= 50 * MILLION && it.price <= 200 * MILLION,
    |it| it.country == Some(0) && (it.has_coupon || it.quantity >= 3 * MILLION) && it.category != Some(3),
];

impl Numbers {
    fn of(event: &Properties<'_>) -> Self {
        let millionths = |amount| Properties::hundredths(amount) * 10_000;
        Self {
            total: millionths(event.total),
            price: millionths(event.price),
            quantity: millionths(event.quantity),
            category: match event.category {
                "shoes" => Some(0),
                "bags" => Some(1),
                "coats" => Some(2),
                "socks" => Some(3),
                _ => None,
            },
            country: (event.country == "NO").then_some(0),
            has_coupon: event.coupon.is_some(),
        }
    }
}

/// Rust over events whose texts were turned into numbers when they were bound.
pub(super) struct Interned {
    predicates: [Predicate<Numbers>; PREDICATES],
    bound: Vec<Numbers>,
}

impl Default for Interned {
    fn default() -> Self {
        Self { predicates: black_box(PREDICATES_OF_NUMBERS), bound: Vec::new() }
    }
}

impl<'d> Peer<'d> for Interned {
    fn name(&self) -> &'static str {
        "native Rust, texts as numbers"
    }

    fn bind(&mut self, events: &'d [Line<'d>]) -> Result<(), Fault> {
        self.bound.clear();
        self.bound.extend(events.iter().map(|event| Numbers::of(&event.properties)));
        Ok(())
    }

    fn ask(&mut self, answers: &mut [u8]) -> Result<(), Fault> {
        for (event, answer) in self.bound.iter().zip(answers) {
            *answer = ask(&self.predicates, event);
        }
        Ok(())
    }

    fn bind_and_ask(&mut self, events: &'d [Line<'d>], answers: &mut [u8]) -> Result<(), Fault> {
        for (event, answer) in events.iter().zip(answers) {
            *answer = ask(&self.predicates, &Numbers::of(&event.properties));
        }
        Ok(())
    }

    fn decode_and_ask(&mut self, lines: &'d [String], answers: &mut [u8]) -> Result<(), Fault> {
        for (line, answer) in lines.iter().zip(answers) {
            let event: Line<'d> = serde_json::from_str(line)?;
            *answer = ask(&self.predicates, &Numbers::of(&event.properties));
        }
        Ok(())
    }
}
