//! The JSON reader against `serde_json`: what one takes the other takes, and they see the same.

#![no_main]

#[path = "../../tests/tests/properties/json.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|text: &str| properties::compare(text));
