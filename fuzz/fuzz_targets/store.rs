//! Files of checkpoints.

#![no_main]

#[path = "../../service/tests/properties/mod.rs"]
#[expect(dead_code, reason = "each fuzzer needs a part of it")]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    properties::store(properties::folder_with("00000000000000000001.run", bytes).path());
});
