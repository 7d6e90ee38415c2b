//! Values as bytes: how states of customers lie at rest, and records wait to be printed.
//!
//! What is packed is unpacked by the same program: positions (of events, topics, rules) are written as they are.
//!
//! ```
//! use segue_compiler::{pack::{Packed, Packer, Unpacker}, value::Value};
//!
//! let mut packer = Packer::new(1_767_600_000_000);
//! (1_767_600_000_500_i64, Value::text("boots")).pack(&mut packer);
//! let bytes = packer.finish();
//! assert_eq!(bytes.len(), 3 + 1 + 1 + 5);
//!
//! let mut unpacker = Unpacker::new(&bytes, 1_767_600_000_000);
//! let (at, value) = <(i64, Value)>::unpack(&mut unpacker).unwrap();
//! assert_eq!((at, value.as_text()), (1_767_600_000_500, Some("boots")));
//! ```

mod kinds;
mod texts;

use crate::{
    time::{EARLIEST, LATEST},
    typed::EventId,
    value::Millis,
};
use std::sync::Arc;

/// The least first byte of a number that takes more than one: there are eight lengths.
const LONG: u8 = 0xf8;

/// Something that can be written as bytes and read again.
pub trait Packed: Sized {
    /// Writes it.
    fn pack(&self, to: &mut Packer);

    /// Reads what [`Packed::pack`] wrote.
    ///
    /// # Errors
    /// When the bytes are not such.
    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken>;
}

/// Bytes are not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("packed bytes are broken")]
pub struct Broken;

/// Bytes being written.
#[derive(Clone, Debug, Default)]
pub struct Packer {
    bytes: Vec<u8>,
    /// What the next instant is told from: the one before it, for what lies together happened together.
    base: Millis,
    /// How numbers and texts are written.
    form: Form,
}

/// How numbers and texts are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    /// A number below 248 as it is, others as the count of their bytes and these.
    #[default]
    Counted,
    /// A number with seven bits in each byte; how many bytes there are stands in the lowest bits of the first.
    Dense,
    /// The same, and ids that are numbers or hexadecimal as such.
    Short,
}

/// Bytes being read.
#[derive(Clone, Debug)]
pub struct Unpacker<'a> {
    bytes: &'a [u8],
    /// As in [`Packer`].
    base: Millis,
    /// As in [`Packer`].
    form: Form,
    /// The events' names, which are not written where the event is.
    events: &'a [Arc<str>],
}

impl Packer {
    /// Starts; the first instant is told from `base`, and short if it is near.
    #[must_use]
    pub fn new(base: Millis) -> Self {
        Self { bytes: Vec::new(), base, form: Form::Counted }
    }

    /// Writes most numbers as one byte less from now on, and many [texts](Packer::short_text) as few, as is worth it where
    /// there are many of what is written.
    pub fn shortly(&mut self) {
        self.form = Form::Short;
    }

    /// Whether it writes [shortly](Packer::shortly).
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.form != Form::Counted
    }

    /// Goes on with another base.
    pub fn rebase(&mut self, base: Millis) {
        self.base = base;
    }

    /// The base.
    #[must_use]
    pub fn base(&self) -> Millis {
        self.base
    }

    /// Starts anew in the same memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// What was written so far.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        &self.bytes
    }

    /// What was written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// Writes a number; small ones are short.
    #[inline]
    pub fn number(&mut self, number: u64) {
        if self.form != Form::Counted {
            if number < 1 << 7 {
                self.bytes.push((number as u8) << 1);
                return;
            }
            let (all, length) = dense(number);
            let start = self.bytes.len();
            self.bytes.extend_from_slice(&all);
            self.bytes.truncate(start + length);
            return;
        }
        if number < u64::from(LONG) {
            self.bytes.push(number as u8);
            return;
        }
        let start = self.bytes.len();
        // Always as much, which is quicker than as much as is needed.
        let (all, length) = long(number);
        self.bytes.extend_from_slice(&all);
        self.bytes.truncate(start + length);
    }

    /// Writes an instant, told from the one before.
    #[inline]
    pub fn instant(&mut self, at: Millis) {
        self.signed(at.wrapping_sub(self.base));
        self.base = next_base(self.base, at);
    }

    /// Writes a number that may be negative; those near zero are short.
    #[inline]
    pub fn signed(&mut self, number: i64) {
        self.number((number << 1 ^ number >> 63).cast_unsigned());
    }

    /// Writes bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes what can be left unread: its length in front of it. It begins with a base of its own.
    pub fn nested(&mut self, base: Millis, write: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.base, base);
        let start = self.bytes.len();
        self.bytes.push(0);
        write(self);
        self.base = before;
        let number = (self.bytes.len() - start - 1) as u64;
        let (all, length) = match self.form {
            Form::Dense | Form::Short => dense(number),
            Form::Counted if number < u64::from(LONG) => ([number as u8, 0, 0, 0, 0, 0, 0, 0, 0], 1),
            Form::Counted => long(number),
        };
        self.bytes[start] = all[0];
        self.bytes.splice(start + 1..start + 1, all.into_iter().take(length).skip(1));
    }

    /// Writes a text and its length.
    pub fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.raw(text.as_bytes());
    }
}

impl<'a> Unpacker<'a> {
    /// Starts; `base` is that of the packer.
    #[must_use]
    pub fn new(bytes: &'a [u8], base: Millis) -> Self {
        Self { bytes, base, form: Form::Counted, events: &[] }
    }

    /// Reads what was written [shortly](Packer::shortly).
    #[must_use]
    pub fn shortly(self) -> Self {
        Self { form: Form::Short, ..self }
    }

    /// Reads what the second version wrote: dense numbers, and texts as they are.
    #[must_use]
    pub fn densely(self) -> Self {
        Self { form: Form::Dense, ..self }
    }

    /// Whether it reads what is written [shortly](Packer::shortly).
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.form == Form::Short
    }

    /// Whether it reads what the first version wrote: numbers that are not dense, and more in several places.
    #[inline]
    #[must_use]
    pub fn is_former(&self) -> bool {
        self.form == Form::Counted
    }

    /// Tells the events' names, by [`EventId`].
    #[must_use]
    pub fn with_events(self, events: &'a [Arc<str>]) -> Self {
        Self { events, ..self }
    }

    /// The name of an event.
    ///
    /// # Errors
    /// When there is no such event.
    pub fn event_name(&self, event: EventId) -> Result<Arc<str>, Broken> {
        self.events.get(event.0 as usize).cloned().ok_or(Broken)
    }

    /// Whether all was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Goes on with another base.
    pub fn rebase(&mut self, base: Millis) {
        self.base = base;
    }

    /// Reads what [`Packer::number`] wrote.
    ///
    /// # Errors
    /// When the bytes end before it does, or it is too large.
    #[inline]
    pub fn number(&mut self) -> Result<u64, Broken> {
        if self.form != Form::Counted {
            return self.dense();
        }
        let (first, rest) = self.bytes.split_first().ok_or(Broken)?;
        self.bytes = rest;
        if *first < LONG {
            return Ok(u64::from(*first));
        }
        let length = usize::from(first - LONG) + 1;
        let read = self.raw(length)?;
        if let Some(all) = rest.first_chunk() {
            // What lies beyond is read too, and cut off.
            return Ok(u64::from_le_bytes(*all) & u64::MAX >> (64 - 8 * length));
        }
        let mut all = [0; 8];
        all[..length].copy_from_slice(read);
        Ok(u64::from_le_bytes(all))
    }

    #[inline]
    fn dense(&mut self) -> Result<u64, Broken> {
        let first = *self.bytes.first().ok_or(Broken)?;
        let length = first.trailing_ones() as usize + 1;
        let all = self.bytes;
        let read = self.raw(length)?;
        let word = match all.first_chunk() {
            // What lies beyond is read too, and cut off.
            Some(word) => u64::from_le_bytes(*word),
            None => read.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        };
        if length < 8 {
            return Ok((word & !(u64::MAX << (8 * length))) >> length);
        }
        if length == 8 {
            return Ok(word >> 8);
        }
        let last = read.last_chunk().ok_or(Broken)?;
        Ok(u64::from_le_bytes(*last))
    }

    /// Reads what [`Packer::signed`] wrote.
    ///
    /// # Errors
    /// As [`Unpacker::number`].
    #[inline]
    pub fn signed(&mut self) -> Result<i64, Broken> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    /// What was not read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// Reads so many bytes.
    ///
    /// # Errors
    /// When there are fewer.
    #[inline]
    pub fn raw(&mut self, length: usize) -> Result<&'a [u8], Broken> {
        let (read, rest) = self.bytes.split_at_checked(length).ok_or(Broken)?;
        self.bytes = rest;
        Ok(read)
    }

    /// Reads what [`Packer::instant`] wrote.
    ///
    /// # Errors
    /// As [`Unpacker::number`].
    #[inline]
    pub fn instant(&mut self) -> Result<Millis, Broken> {
        let at = self.signed()?.wrapping_add(self.base);
        self.base = next_base(self.base, at);
        Ok(at)
    }

    /// The bytes of what [`Packer::nested`] wrote, unread.
    ///
    /// # Errors
    /// When there are fewer than it says.
    #[inline]
    pub fn nested(&mut self) -> Result<&'a [u8], Broken> {
        let length = self.length()?;
        self.raw(length)
    }

    /// What [`Packer::nested`] wrote, to be read at once.
    ///
    /// # Errors
    /// As [`Unpacker::nested`].
    pub fn within(&mut self, base: Millis) -> Result<Self, Broken> {
        let bytes = self.nested()?;
        Ok(Self { bytes, base, ..*self })
    }

    /// Reads a text.
    ///
    /// # Errors
    /// When it is none.
    #[inline]
    pub fn text(&mut self) -> Result<&'a str, Broken> {
        let length = self.length()?;
        std::str::from_utf8(self.raw(length)?).map_err(|_| Broken)
    }

    /// Reads how many things follow, of which each takes a byte at least.
    ///
    /// # Errors
    /// When there are fewer bytes.
    #[inline]
    pub fn length(&mut self) -> Result<usize, Broken> {
        let length = self.number()?;
        self.at_most(length)
    }

    /// So many things, of which each takes a byte at least.
    ///
    /// # Errors
    /// As [`Unpacker::length`].
    #[inline]
    pub fn at_most(&self, length: u64) -> Result<usize, Broken> {
        usize::try_from(length).ok().filter(|length| *length <= self.bytes.len()).ok_or(Broken)
    }
}

/// Room for so many things and for some that come next: whoever is woken is woken because something happens to them.
#[must_use]
pub fn with_room(length: usize) -> usize {
    if length == 0 { 0 } else { length.saturating_add((length / 2).max(2)) }
}

/// A number that takes more than one byte, as bytes, and how many of them.
fn long(number: u64) -> ([u8; 9], usize) {
    let length = 8 - number.leading_zeros() as usize / 8;
    let mut all = [0; 9];
    all[0] = LONG + (length - 1) as u8;
    all[1..].copy_from_slice(&number.to_le_bytes());
    (all, 1 + length)
}

/// A number with seven bits in each byte, and how many bytes it takes: a bit less than that is set before its own.
#[inline]
fn dense(number: u64) -> ([u8; 9], usize) {
    let bits = 64 - (number | 1).leading_zeros();
    let length = bits.div_ceil(7) as usize;
    let mut all = [u8::MAX; 9];
    if length <= 8 {
        let word = number << length | !(u64::MAX << (length - 1));
        all[..8].copy_from_slice(&word.to_le_bytes());
        (all, length)
    } else {
        all[1..].copy_from_slice(&number.to_le_bytes());
        (all, 9)
    }
}

/// What is told from an instant that was written: the ends of time are none.
fn next_base(base: Millis, at: Millis) -> Millis {
    if (EARLIEST..=LATEST).contains(&at) { at } else { base }
}

/// Implements [`Packed`] for a structure with named fields: all of them, in the order given.
#[macro_export]
macro_rules! packed {
    ($name:ident $(<$of:ident>)? { $($field:ident),+ $(,)? }) => {
        impl$(<$of: $crate::pack::Packed>)? $crate::pack::Packed for $name $(<$of>)? {
            fn pack(&self, to: &mut $crate::pack::Packer) {
                let Self { $($field),+ } = self;
                $($crate::pack::Packed::pack($field, to);)+
            }

            fn unpack(from: &mut $crate::pack::Unpacker<'_>) -> Result<Self, $crate::pack::Broken> {
                Ok(Self { $($field: $crate::pack::Packed::unpack(from)?),+ })
            }
        }
    };
}

/// Implements [`Packed`] for structures that are another value with a name.
#[macro_export]
macro_rules! packed_inner {
    ($($name:ident),+ $(,)?) => {
        $(impl $crate::pack::Packed for $name {
            fn pack(&self, to: &mut $crate::pack::Packer) {
                $crate::pack::Packed::pack(&self.0, to);
            }

            fn unpack(from: &mut $crate::pack::Unpacker<'_>) -> Result<Self, $crate::pack::Broken> {
                $crate::pack::Packed::unpack(from).map(Self)
            }
        })+
    };
}

/// Implements [`Packed`] for an enumeration: each variant with its number, and its parts by name.
#[macro_export]
macro_rules! packed_enum {
    ($name:ident { $($number:literal = $variant:ident $(($part:ident))? $({ $($field:ident),+ })?),+ $(,)? }) => {
        impl $crate::pack::Packed for $name {
            fn pack(&self, to: &mut $crate::pack::Packer) {
                match self {
                    $(Self::$variant $(($part))? $({ $($field),+ })? => {
                        to.number($number);
                        $($crate::pack::Packed::pack($part, to);)?
                        $($($crate::pack::Packed::pack($field, to);)+)?
                    })+
                }
            }

            fn unpack(from: &mut $crate::pack::Unpacker<'_>) -> Result<Self, $crate::pack::Broken> {
                match from.number()? {
                    $($number => {
                        $(let $part = $crate::pack::Packed::unpack(from)?;)?
                        $($(let $field = $crate::pack::Packed::unpack(from)?;)+)?
                        Ok(Self::$variant $(($part))? $({ $($field),+ })?)
                    })+
                    _ => Err($crate::pack::Broken),
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Decimal, Value};

    #[test]
    fn what_was_packed_is_unpacked() {
        let members = [("a", Value::List(Arc::from([Value::Date(-3)]))), ("line_12", Value::text("p34"))];
        let object = Value::Object(members.map(|(name, value)| (Arc::from(name), value)).into());
        let all = vec![
            (i64::MIN, Value::Missing),
            (i64::MAX, Value::Boolean(true)),
            (0, Value::Number(Decimal(i64::MIN))),
            (1, Value::text("å")),
            (2, Value::Time(i64::MAX)),
            (3, Value::Duration(-1)),
            (4, object),
        ];
        for form in [Form::Counted, Form::Dense, Form::Short] {
            let packer = &mut Packer { form, ..Packer::new(1 << 40) };
            (all.clone(), Some(i128::MIN), u64::MAX).pack(packer);
            let reader = |bytes| Unpacker { form, ..Unpacker::new(bytes, 1 << 40) };
            let mut unpacker = reader(packer.written());
            assert_eq!(Packed::unpack(&mut unpacker), Ok((all.clone(), Some(i128::MIN), u64::MAX)));
            assert!(unpacker.is_empty());
            for length in 0..packer.written().len() {
                let cut = &mut reader(&packer.written()[..length]);
                assert_eq!(<(Vec<(i64, Value)>, Option<i128>, u64)>::unpack(cut), Err(Broken), "{length}");
            }
        }
    }

    #[test]
    fn dense_numbers_take_a_byte_for_seven_bits() {
        let of = |bits: u32| [(1_u64 << bits) - 1, 1 << bits, (1 << bits) + 1];
        let all = [0, 1, 2, u64::MAX - 1, u64::MAX].into_iter().chain((1..64).flat_map(of));
        for number in all {
            let mut packer = Packer::default();
            packer.shortly();
            packer.number(number);
            let bits = 64 - (number | 1).leading_zeros() as usize;
            assert_eq!(packer.written().len(), bits.div_ceil(7).min(9), "{number}");
            packer.nested(0, |to| to.raw(&[7; 200]));
            let mut from = Unpacker::new(packer.written(), 0).densely();
            assert_eq!(from.number(), Ok(number));
            assert_eq!(from.nested(), Ok(&[7; 200][..]));
            let mut short = Unpacker::new(&packer.written()[..bits.div_ceil(7).min(9)], 0).densely();
            assert_eq!((short.number(), short.is_empty()), (Ok(number), true));
            for length in 0..bits.div_ceil(7).min(9) {
                let cut = &packer.written()[..length];
                assert_eq!(Unpacker::new(cut, 0).densely().number(), Err(Broken), "{number}");
            }
        }
    }

    #[test]
    fn what_claims_to_be_long_takes_no_memory() {
        let mut packer = Packer::default();
        packer.number(u64::MAX);
        assert_eq!(Vec::<u32>::unpack(&mut Unpacker::new(packer.written(), 0)), Err(Broken));
        let deep = [8, 1].repeat(1_000);
        assert_eq!(Value::unpack(&mut Unpacker::new(&deep, 0)), Err(Broken));
    }
}
