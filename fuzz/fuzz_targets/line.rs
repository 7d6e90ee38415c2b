//! Lines of event files: what is read as a call says to others what it says here.

#![no_main]

#[path = "../../service/tests/properties/mod.rs"]
#[expect(dead_code, reason = "each fuzzer needs a part of it")]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    properties::line(bytes);
});
