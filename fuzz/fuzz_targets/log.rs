//! Files of a log: as they are, and with checksums that are right, since no fuzzer guesses those.

#![no_main]

#[path = "../../service/tests/properties/mod.rs"]
#[expect(dead_code, reason = "each fuzzer needs a part of it")]
mod properties;

use properties::{folder_with, log, sealed};

const NAME: &str = "00000000000000000000.log";

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    log(folder_with(NAME, bytes).path());
    log(folder_with(NAME, &sealed(bytes)).path());
});
