//! A customer as bytes: all that is known of one, in one piece.
//!
//! First the id, then the state. Only what differs from a blank customer takes room, and what follows from the rest (slots
//! of the profile, the zone, the next completion of a match) is made again on waking.

use super::{Engine, customer::Customer, sparse::Sparse};
use segue_compiler::{
    consent::Stamp,
    pack::{Broken, Packed, Packer, Unpacker},
    plan::{Plan, RecordLayout},
    typed::FieldId,
    value::{Millis, Value},
};
use std::{ops::Range, sync::Arc};

/// What instants are told from (2026-01-01): those of our years take five or six bytes.
pub(super) const BASE: Millis = 1_767_225_600_000;

/// What stands before a customer whose numbers are dense, as the second version wrote them; no id is as long as this would
/// say without.
const DENSE: u8 = u8::MAX;
/// What stands before a customer whose texts are short, too.
pub(super) const SHORT: u8 = u8::MAX - 1;

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
    to.raw(&[SHORT]);
    to.text(id);
    let parts = [
        held.is_some(),
        !rings.is_empty(),
        !totals.is_empty(),
        !days.is_empty(),
        !periods.is_empty(),
        session.is_some(),
        !sequences.is_empty(),
        !profile.is_empty(),
        !runs.is_empty(),
        !waiting.is_empty(),
        !sends.is_empty(),
        !goals.is_empty(),
        schedules.is_some(),
    ];
    // Most customers have few of these.
    to.number(parts.iter().rev().fold(0, |all, is_there| all << 1 | u64::from(*is_there)));
    clock.pack(to);
    order.pack(to);
    held.iter().for_each(|held| held.pack(to));
    admission.pack(to);
    pack_record(record, &blank.record, &slots(&plan.record), to);
    pack_unless(rings.is_empty(), rings, to);
    pack_unless(totals.is_empty(), totals, to);
    pack_unless(days.is_empty(), days, to);
    pack_unless(periods.is_empty(), periods, to);
    session.iter().for_each(|session| session.pack(to));
    pack_unless(sequences.is_empty(), sequences, to);
    if !profile.is_empty() {
        pack_profile(profile, to);
    }
    consent.pack(to);
    pack_unless(runs.is_empty(), runs, to);
    pack_unless(waiting.is_empty(), waiting, to);
    pack_unless(sends.is_empty(), sends, to);
    pack_unless(goals.is_empty(), goals, to);
    next_change.pack(to);
    schedules.iter().for_each(|schedules| schedules.pack(to));
}

fn pack_unless(is_empty: bool, part: &impl Packed, to: &mut Packer) {
    if !is_empty {
        part.pack(to);
    }
}

/// Writes the fields of the profile, each with its number and whether it was recorded together with the one before.
fn pack_profile(profile: &Sparse<(Value, Stamp)>, to: &mut Packer) {
    profile.len().pack(to);
    let mut before = None;
    for (field, (value, stamp)) in profile.iter() {
        let is_as_before = before == Some(stamp);
        to.number(u64::from(field) << 1 | u64::from(is_as_before));
        value.pack(to);
        if !is_as_before {
            stamp.pack(to);
        }
        before = Some(stamp);
    }
}

fn unpack_profile(from: &mut Unpacker<'_>) -> Result<Sparse<(Value, Stamp)>, Broken> {
    let count = from.length()?;
    let mut fields = Vec::with_capacity(count);
    let mut before = None;
    for _ in 0..count {
        let head = from.number()?;
        let value = Value::unpack(from)?;
        let stamp = if head & 1 == 1 { before.ok_or(Broken)? } else { Stamp::unpack(from)? };
        fields.push((u32::try_from(head >> 1).map_err(|_| Broken)?, (value, stamp)));
        before = Some(stamp);
    }
    Ok(Sparse::of(fields))
}

/// The id of a packed customer.
pub(super) fn id(bytes: &[u8]) -> &str {
    reader(bytes).text().unwrap_or_default()
}

/// Reads bytes of this version, or of one before.
fn reader(bytes: &[u8]) -> Unpacker<'_> {
    match bytes {
        [SHORT, bytes @ ..] => Unpacker::new(bytes, BASE).shortly(),
        [DENSE, bytes @ ..] => Unpacker::new(bytes, BASE).densely(),
        bytes => Unpacker::new(bytes, BASE),
    }
}

/// Reads a customer; one whose bytes are broken, which only a fault of ours could bring about, begins anew.
pub(super) fn unpack(bytes: &[u8], engine: &Engine) -> Customer {
    let mut from = reader(bytes).with_events(engine.machine.events.all());
    let unpacked = unpacked(&mut from, engine);
    debug_assert!(unpacked.is_ok() && from.is_empty(), "a customer is read as it was written");
    unpacked.unwrap_or_else(|Broken| Customer::of(Arc::from(id(bytes)), &engine.blank))
}

fn unpacked(from: &mut Unpacker<'_>, engine: &Engine) -> Result<Customer, Broken> {
    let mut customer = Customer::of(Arc::from(from.text()?), &engine.blank);
    let parts = if from.is_former() { 0 } else { from.number()? };
    let has = |part: u32| parts >> part & 1 == 1;
    customer.clock = Packed::unpack(from)?;
    customer.order = Packed::unpack(from)?;
    customer.held = optional(has(0), from)?;
    customer.admission = Packed::unpack(from)?;
    unpack_record(&mut customer.record, from)?;
    customer.rings = unpack_if(has(1), from)?;
    customer.totals = unpack_if(has(2), from)?;
    customer.days = unpack_if(has(3), from)?;
    customer.periods = unpack_if(has(4), from)?;
    customer.session = optional(has(5), from)?;
    customer.sequences = unpack_if(has(6), from)?;
    customer.profile = if has(7) { unpack_profile(from)? } else { unpack_if(false, from)? };
    customer.consent = Packed::unpack(from)?;
    customer.runs = unpack_if(has(8), from)?;
    customer.waiting = unpack_if(has(9), from)?;
    customer.sends = unpack_if(has(10), from)?;
    customer.goals = unpack_if(has(11), from)?;
    customer.next_change = Packed::unpack(from)?;
    customer.schedules = optional(has(12), from)?;
    customer.schedule_matches();
    let profile = std::mem::take(&mut customer.profile);
    for (field, (value, _)) in profile.iter() {
        customer.fill_slots(&engine.machine, FieldId(field), value);
    }
    customer.profile = profile;
    customer.zone = engine.own_zone(&customer);
    Ok(customer)
}

fn unpack_if<T: Packed + Default>(is_there: bool, from: &mut Unpacker<'_>) -> Result<T, Broken> {
    if is_there || from.is_former() { T::unpack(from) } else { Ok(T::default()) }
}

fn optional<T: Packed>(is_there: bool, from: &mut Unpacker<'_>) -> Result<Option<T>, Broken> {
    if from.is_former() { Packed::unpack(from) } else { is_there.then(|| T::unpack(from)).transpose() }
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
