//! What entries of a log say: rules, deliveries and decisions.

#![no_main]

#[path = "../../service/tests/properties/mod.rs"]
#[expect(dead_code, reason = "each fuzzer needs a part of it")]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::payload(bytes));
