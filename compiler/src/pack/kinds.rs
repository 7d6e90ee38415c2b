//! What can be packed: numbers, texts, lists, and values of the language.

use super::{Broken, Packed, Packer, Unpacker, with_room};
use crate::{
    packed_inner,
    typed::{EventId, FieldId, SegmentId, TopicId},
    value::{Decimal, Text, Value},
};
use smallvec::{Array, SmallVec};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

/// How deep values may nest when they are read: as deep as [`crate::decode`] makes them.
const MAX_DEPTH: u32 = crate::decode::MAX_DEPTH + 2;

/// An instant, or any other number: those near the instant before are short.
impl Packed for i64 {
    #[inline]
    fn pack(&self, to: &mut Packer) {
        to.instant(*self);
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        from.instant()
    }
}

macro_rules! unsigned {
    ($($type:ty),+) => {
        $(impl Packed for $type {
            #[inline]
            fn pack(&self, to: &mut Packer) {
                to.number(*self as u64);
            }

            #[inline]
            fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
                Self::try_from(from.number()?).map_err(|_| Broken)
            }
        })+
    };
}

unsigned!(u32, u64, usize);

packed_inner!(EventId, FieldId, SegmentId, TopicId);

impl Packed for bool {
    fn pack(&self, to: &mut Packer) {
        to.number(u64::from(*self));
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        match from.number()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Broken),
        }
    }
}

impl Packed for i32 {
    fn pack(&self, to: &mut Packer) {
        to.signed(i64::from(*self));
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        Self::try_from(from.signed()?).map_err(|_| Broken)
    }
}

/// A sum: what most are as a number, else in full.
impl Packed for i128 {
    fn pack(&self, to: &mut Packer) {
        let few = i64::try_from(*self).ok().filter(|sum| (i64::MIN / 4..i64::MAX / 4).contains(sum));
        match few.filter(|_| to.is_short()) {
            Some(sum) => to.signed(sum << 1),
            None => {
                if to.is_short() {
                    to.signed(1);
                }
                to.raw(&self.to_le_bytes());
            }
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        let sum = if from.is_former() { 1 } else { from.signed()? };
        if sum & 1 == 0 {
            return Ok(Self::from(sum >> 1));
        }
        from.raw(16)?.try_into().map(Self::from_le_bytes).map_err(|_| Broken)
    }
}

impl Packed for Decimal {
    fn pack(&self, to: &mut Packer) {
        to.signed(self.0);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        from.signed().map(Self)
    }
}

impl Packed for Arc<str> {
    fn pack(&self, to: &mut Packer) {
        to.short_text(self);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        from.short_text().map(|text| Self::from(&*text))
    }
}

impl Packed for Text {
    fn pack(&self, to: &mut Packer) {
        to.short_text(self);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        from.short_text()
    }
}

impl Packed for String {
    fn pack(&self, to: &mut Packer) {
        to.short_text(self);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        from.short_text().map(|text| Self::from(&*text))
    }
}

impl<T: Packed> Packed for Option<T> {
    fn pack(&self, to: &mut Packer) {
        self.is_some().pack(to);
        if let Some(value) = self {
            value.pack(to);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        bool::unpack(from)?.then(|| T::unpack(from)).transpose()
    }
}

/// Lists by the number of their items.
fn pack_all<'t, T: Packed + 't>(items: impl ExactSizeIterator<Item = &'t T>, to: &mut Packer) {
    items.len().pack(to);
    for item in items {
        item.pack(to);
    }
}

macro_rules! list {
    ($($type:ty, $with_capacity:expr, $push:ident);+) => {
        $(impl<T: Packed> Packed for $type {
            fn pack(&self, to: &mut Packer) {
                pack_all(self.iter(), to);
            }

            fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
                let length = from.length()?;
                let mut list = $with_capacity(with_room(length));
                for _ in 0..length {
                    list.$push(T::unpack(from)?);
                }
                Ok(list)
            }
        })+
    };
}

list!(Vec<T>, Vec::with_capacity, push; VecDeque<T>, VecDeque::with_capacity, push_back);

impl<A: Array<Item: Packed>> Packed for SmallVec<A> {
    fn pack(&self, to: &mut Packer) {
        pack_all(self.iter(), to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        let length = from.length()?;
        let mut list = Self::with_capacity(length);
        for _ in 0..length {
            list.push(A::Item::unpack(from)?);
        }
        Ok(list)
    }
}

impl<T: Packed> Packed for Box<[T]> {
    fn pack(&self, to: &mut Packer) {
        pack_all(self.iter(), to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        Vec::unpack(from).map(Vec::into_boxed_slice)
    }
}

impl<T: Packed> Packed for Box<T> {
    fn pack(&self, to: &mut Packer) {
        (**self).pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        T::unpack(from).map(Self::new)
    }
}

impl<T: Packed> Packed for Arc<T> {
    fn pack(&self, to: &mut Packer) {
        (**self).pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        T::unpack(from).map(Self::new)
    }
}

impl<K: Packed + Ord, V: Packed> Packed for BTreeMap<K, V> {
    fn pack(&self, to: &mut Packer) {
        self.len().pack(to);
        for (key, value) in self {
            key.pack(to);
            value.pack(to);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        let length = from.length()?;
        (0..length).map(|_| <(K, V)>::unpack(from)).collect()
    }
}

impl<K: Packed + Ord> Packed for BTreeSet<K> {
    fn pack(&self, to: &mut Packer) {
        self.len().pack(to);
        self.iter().for_each(|key| key.pack(to));
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        let length = from.length()?;
        (0..length).map(|_| K::unpack(from)).collect()
    }
}

impl<A: Packed, B: Packed> Packed for (A, B) {
    fn pack(&self, to: &mut Packer) {
        self.0.pack(to);
        self.1.pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        Ok((A::unpack(from)?, B::unpack(from)?))
    }
}

impl<A: Packed, B: Packed, C: Packed> Packed for (A, B, C) {
    fn pack(&self, to: &mut Packer) {
        self.0.pack(to);
        self.1.pack(to);
        self.2.pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        Ok((A::unpack(from)?, B::unpack(from)?, C::unpack(from)?))
    }
}

impl Packed for Value {
    fn pack(&self, to: &mut Packer) {
        match self {
            Self::Missing => to.number(0),
            Self::Boolean(value) => to.number(1 + u64::from(*value)),
            Self::Number(value) => {
                to.number(3);
                value.pack(to);
            }
            Self::Text(value) => {
                to.number(4);
                to.short_text(value);
            }
            Self::Time(value) => {
                to.number(5);
                value.pack(to);
            }
            Self::Date(value) => {
                to.number(6);
                value.pack(to);
            }
            Self::Duration(value) => {
                to.number(7);
                to.signed(*value);
            }
            Self::List(items) => {
                to.number(8);
                pack_all(items.iter(), to);
            }
            Self::Object(fields) => {
                to.number(9);
                pack_all(fields.iter(), to);
            }
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        nested(from, MAX_DEPTH)
    }
}

fn nested(from: &mut Unpacker<'_>, depth: u32) -> Result<Value, Broken> {
    let depth = depth.checked_sub(1).ok_or(Broken)?;
    Ok(match from.number()? {
        0 => Value::Missing,
        1 => Value::Boolean(false),
        2 => Value::Boolean(true),
        3 => Value::Number(Decimal::unpack(from)?),
        4 => Value::Text(from.short_text()?),
        5 => Value::Time(i64::unpack(from)?),
        6 => Value::Date(i32::unpack(from)?),
        7 => Value::Duration(from.signed()?),
        8 => {
            let length = from.length()?;
            let items: Result<Vec<_>, _> = (0..length).map(|_| nested(from, depth)).collect();
            Value::List(items?.into())
        }
        9 => {
            let length = from.length()?;
            let field = |from: &mut Unpacker<'_>| Ok((Arc::unpack(from)?, nested(from, depth)?));
            let fields: Result<Vec<_>, Broken> = (0..length).map(|_| field(from)).collect();
            Value::Object(fields?.into())
        }
        _ => return Err(Broken),
    })
}
