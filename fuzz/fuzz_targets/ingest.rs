//! Bodies of requests: the first byte chooses the form.

#![no_main]

#[path = "../../service/tests/properties/mod.rs"]
#[expect(dead_code, reason = "each fuzzer needs a part of it")]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((form, body)) = bytes.split_first() else { return };
    properties::ingest(properties::FORMS[usize::from(*form) % properties::FORMS.len()], body);
});
