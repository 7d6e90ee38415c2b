//! The 20-rule pack from a plain file to decisions.

use super::{Result, engine, limit::decode_only, replay, stream_file, work};
use segue_bench::{measure::compare, packs, stream::Shape};

/// The 20-rule pack against only decoding the lines.
pub(crate) fn run(shape: Shape) -> Result<()> {
    let file = &stream_file(shape)?;
    let program = packs::checked(packs::ORDINARY);
    let engine = engine(&program)?;
    let events = decode_only(file);
    let records = replay(&engine, &program, file);
    let (whole, decoding, ratio) =
        compare(|| work(replay(&engine, &program, file)), || work(decode_only(file)));
    let each = |seconds: f64| seconds / events as f64 * 1e9;
    println!("{events} events, {records} records");
    println!("pack {:.0} ns an event, decoding {:.0} ns: {ratio:.2} ×", each(whole), each(decoding));
    Ok(())
}

/// The pack once, for a profiler.
pub(crate) fn once(shape: Shape) -> Result<()> {
    let file = stream_file(shape)?;
    let program = packs::checked(packs::ORDINARY);
    let records = replay(&engine(&program)?, &program, &file);
    println!("{records} records");
    Ok(())
}
