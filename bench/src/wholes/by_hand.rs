//! The 20-rule pack against the same written by hand in Rust, for these rules alone.

use super::{Result, engine, replay, stream_file, work};
use segue_bench::{
    by_hand::{Shop, decode_only},
    measure::compare,
    packs,
    stream::Shape,
};

/// Both over the same file, and by hand against only decoding as it does.
pub(crate) fn run(shape: Shape) -> Result<()> {
    let file = &stream_file(shape)?;
    let program = packs::checked(packs::ORDINARY);
    let engine = engine(&program)?;
    let by_hand = || Shop::of(file).map(|shop| shop.records());
    let (records, expected) = (replay(&engine, &program, file), by_hand()?);
    if records != expected {
        return Err(format!("{records} records, and {expected} by hand").into());
    }
    let each = |seconds: f64| seconds / shape.events as f64 * 1e9;
    let (segue, hand, ratio) = compare(|| work(replay(&engine, &program, file)), || work(by_hand()));
    println!("{records} records of both");
    println!("pack {:.0} ns an event, by hand {:.0} ns: {ratio:.2} ×", each(segue), each(hand));
    let (hand, decoding, ratio) = compare(|| work(by_hand()), || work(decode_only(file)));
    println!("by hand {:.0} ns an event, decoding for it {:.0} ns: {ratio:.2} ×", each(hand), each(decoding));
    Ok(())
}
