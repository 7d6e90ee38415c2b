//! A customer as bytes: all that is known of one, in one piece.
//!
//! First the id, then the state. Only what differs from a blank customer takes room, and what follows from the rest (slots
//! of the profile, the zone, the next completion of a match) is made again on waking.

use super::{Engine, customer::Customer};
use segue_compiler::{
    pack::{Broken, Packed, Packer, Unpacker},
    plan::{Plan, RecordLayout},
    typed::FieldId,
    value::Millis,
};
use std::{ops::Range, sync::Arc};

/// What instants are told from (2026-01-01): those of our years take five or six bytes.
pub(super) const BASE: Millis = 1_767_225_600_000;

/// Writes a customer.
pub(super) fn pack(customer: &Customer, blank: &Customer, plan: &Plan, to: &mut Packer) {
    let Customer {
        id,
        clock,
        order,
        held,
        admission,
        record,
        rings,
        totals,
        days,
        periods,
        session,
        sequences,
        next_match: _,
        profile,
        profile_slots: _,
        consent,
        zone: _,
        runs,
        waiting,
        sends,
        goals,
        next_change,
        back_at: _,
        schedules,
    } = customer;
    id.pack(to);
    clock.pack(to);
    order.pack(to);
    held.pack(to);
    admission.pack(to);
    pack_record(record, &blank.record, &slots(&plan.record), to);
    rings.pack(to);
    totals.pack(to);
    days.pack(to);
    periods.pack(to);
    session.pack(to);
    sequences.pack(to);
    profile.pack(to);
    consent.pack(to);
    runs.pack(to);
    waiting.pack(to);
    sends.pack(to);
    goals.pack(to);
    next_change.pack(to);
    schedules.pack(to);
}

/// The id of a packed customer.
pub(super) fn id(bytes: &[u8]) -> &str {
    Unpacker::new(bytes, BASE).text().unwrap_or_default()
}

/// Reads a customer; one whose bytes are broken, which only a fault of ours could bring about, begins anew.
pub(super) fn unpack(bytes: &[u8], engine: &Engine) -> Customer {
    let mut from = Unpacker::new(bytes, BASE).with_events(engine.machine.events.all());
    let unpacked = unpacked(&mut from, engine);
    debug_assert!(unpacked.is_ok() && from.is_empty(), "a customer is read as it was written");
    unpacked.unwrap_or_else(|Broken| Customer::of(Arc::from(id(bytes)), &engine.blank))
}

fn unpacked(from: &mut Unpacker<'_>, engine: &Engine) -> Result<Customer, Broken> {
    let mut customer = Customer::of(Packed::unpack(from)?, &engine.blank);
    customer.clock = Packed::unpack(from)?;
    customer.order = Packed::unpack(from)?;
    customer.held = Packed::unpack(from)?;
    customer.admission = Packed::unpack(from)?;
    unpack_record(&mut customer.record, from)?;
    customer.rings = Packed::unpack(from)?;
    customer.totals = Packed::unpack(from)?;
    customer.days = Packed::unpack(from)?;
    customer.periods = Packed::unpack(from)?;
    customer.session = Packed::unpack(from)?;
    customer.sequences = Packed::unpack(from)?;
    customer.profile = Packed::unpack(from)?;
    customer.consent = Packed::unpack(from)?;
    customer.runs = Packed::unpack(from)?;
    customer.waiting = Packed::unpack(from)?;
    customer.sends = Packed::unpack(from)?;
    customer.goals = Packed::unpack(from)?;
    customer.next_change = Packed::unpack(from)?;
    customer.schedules = Packed::unpack(from)?;
    customer.schedule_matches();
    let profile = std::mem::take(&mut customer.profile);
    for (field, (value, _)) in profile.iter() {
        customer.fill_slots(&engine.machine, FieldId(field), value);
    }
    customer.profile = profile;
    customer.zone = engine.own_zone(&customer);
    Ok(customer)
}

/// The words of the record that follow from the profile.
fn slots(layout: &RecordLayout) -> Range<usize> {
    let first = layout.profile_words as usize;
    first..first + 2 * layout.profile.len()
}

/// Writes the words that differ from a blank record: how far each is from the one before, and the word, near the base or
/// near zero, whichever it is.
fn pack_record(record: &[i64], blank: &[i64], derived: &Range<usize>, to: &mut Packer) {
    let changed = || {
        let pairs = record.iter().zip(blank).enumerate();
        pairs.filter(|(place, (word, blank))| word != blank && !derived.contains(place))
    };
    changed().count().pack(to);
    let mut before = 0;
    for (place, (word, _)) in changed() {
        let is_instant = word.unsigned_abs() > word.wrapping_sub(to.base()).unsigned_abs();
        to.number(((place - before) as u64) << 1 | u64::from(is_instant));
        if is_instant {
            word.pack(to);
        } else {
            to.signed(*word);
        }
        before = place;
    }
}

fn unpack_record(record: &mut [i64], from: &mut Unpacker<'_>) -> Result<(), Broken> {
    let mut place = 0;
    for _ in 0..usize::unpack(from)? {
        let header = from.number()?;
        place = usize::try_from(header >> 1).ok().and_then(|step| step.checked_add(place)).ok_or(Broken)?;
        let word = if header & 1 == 1 { i64::unpack(from)? } else { from.signed()? };
        *record.get_mut(place).ok_or(Broken)? = word;
    }
    Ok(())
}
